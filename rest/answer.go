package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/store"
)

// Status is the HTTP status of an error's code.
func Status(code codex.Code) int {
	switch code {
	case "":
		return http.StatusOK
	case codex.CodeUnauthenticated:
		return http.StatusUnauthorized
	case codex.CodeForbidden:
		return http.StatusForbidden
	case codex.CodeBadInput, codex.CodeCostLimit:
		return http.StatusBadRequest
	case codex.CodeNotFound, codex.CodeNoHistory:
		return http.StatusNotFound
	case codex.CodeConflict, codex.CodePlanStale:
		return http.StatusConflict
	case codex.CodeTooManyRequests:
		return http.StatusTooManyRequests
	case codex.CodeUnavailable:
		return http.StatusServiceUnavailable
	case codex.CodeInternal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// errorJSON is the body of every error of the contract.
type errorJSON struct {
	Error string `json:"error"`
}

// WriteError answers {"error": message}.
func WriteError(w http.ResponseWriter, status int, message string) {
	body, err := encode(errorJSON{Error: message})
	if err != nil { // a string always has a JSON form
		body = nil
	}
	write(w, status, body)
}

// WriteFailure answers err and returns the part of it that belongs into the log: nil for what the
// caller got wrong. A 401 names the scheme, as RFC 6750 has it.
func WriteFailure(w http.ResponseWriter, err error) error {
	status, message := Describe(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	WriteError(w, status, message)
	if status < http.StatusInternalServerError {
		return nil
	}
	return err
}

// Describe is what a caller is told of err: never the cause of a failure of ours.
func Describe(err error) (status int, message string) {
	err = store.Translate(err)
	var coded *codex.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "Try again later"
	case !errors.As(err, &coded):
		return http.StatusInternalServerError, "Internal error"
	}
	status = Status(coded.Code)
	if stop, ok := errors.AsType[*archive.StoppedError](err); ok {
		return status, stop.Message // trying again later helps when a person has done what it says
	}
	switch {
	case status == http.StatusInternalServerError:
		return status, "Internal error"
	case status == http.StatusServiceUnavailable:
		return status, "Try again later"
	case coded.Field != "":
		return status, coded.Field + ": " + coded.Message
	default:
		return status, coded.Message
	}
}

// fail answers err, and logs it where it is ours. A caller that has gone away is no failure.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	if ours := WriteFailure(w, err); ours != nil && r.Context().Err() == nil {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "a request failed", LogAttrs(r, ours)...)
	}
}

// LogAttrs are what the log says of a request that failed.
func LogAttrs(r *http.Request, err error) []slog.Attr {
	return []slog.Attr{
		slog.String("request_id", codex.RequestIDFrom(r.Context())),
		slog.String("path", r.URL.Path),
		slog.String("err", err.Error()),
	}
}

// answer writes value as the JSON body of a 200.
func answer(w http.ResponseWriter, value any) error {
	body, err := encode(value)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, body)
	return nil
}

// encode is value as JSON in a line of its own. <, > and & stay as they are: the answers are never
// part of a page, and descriptions are full of them.
func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encoding an answer: %w", err)
	}
	return body.Bytes(), nil
}

func write(w http.ResponseWriter, status int, body []byte) {
	writeAs(w, status, "application/json", body)
}

func writeAs(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A write fails when the client has gone: there is nobody left to tell.
	_, _ = w.Write(body)
}

// list is the JSON form of each of rows, and [] where there are none.
func list[R, J any](rows []R, form func(R) J) []J {
	forms := make([]J, 0, len(rows))
	for _, row := range rows {
		forms = append(forms, form(row))
	}
	return forms
}
