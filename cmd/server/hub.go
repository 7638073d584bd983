package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"syscall"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/httpd"
)

// hub answers GraphQL: a running serve by its socket, or an [app] in this process.
type hub struct {
	client *http.Client
	local  *app // nil: a serve does the work
}

// openHub finds a running serve of the instance, and wires an [app] where there is none.
func (p *program) openHub(ctx context.Context, c *config.Config, newUpstream bool) (*hub, error) {
	running, err := listening(ctx, c.InstanceDir)
	switch {
	case err != nil:
		return nil, err
	case running && newUpstream:
		return nil, codex.Errorf(codex.CodeConflict,
			"a codex serve is running on this instance: stop it, or start it anew with --new-upstream")
	case running:
		return socketHub(c.InstanceDir), nil
	}
	logger, err := p.logger(c, slog.LevelWarn)
	if err != nil {
		return nil, err
	}
	a, err := newApp(ctx, appOptions{config: c, logger: logger, now: p.now, newUpstream: newUpstream})
	if err != nil {
		return nil, err
	}
	return localHub(a, atCommandLine()), nil
}

// listening tells whether a serve listens on the instance's socket. One that was left behind, or that
// is not there, is no error; one that may not be opened is.
func listening(ctx context.Context, instanceDir string) (bool, error) {
	conn, err := httpd.DialSocket(ctx, instanceDir)
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	}
	return false, codex.Wrap(codex.CodeUnavailable, err, "asking whether a codex serve is running")
}

func socketHub(instanceDir string) *hub {
	return &hub{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return httpd.DialSocket(ctx, instanceDir)
		},
	}}}
}

// localHub asks a in memory, in the name of caller.
func localHub(a *app, caller codex.Caller) *hub {
	return &hub{local: a, client: &http.Client{Transport: inMemory{handler: a.graphql, caller: caller}}}
}

// Close gives back what openHub took.
func (h *hub) Close() error {
	h.client.CloseIdleConnections()
	if h.local != nil {
		return h.local.Close()
	}
	return nil
}

// ask sends a GraphQL request and reads its data into answer. An error of the hub has its code.
func (h *hub) ask(ctx context.Context, query string, variables map[string]any, answer any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://codex/graphql", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := h.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return codex.Wrap(codex.CodeUnavailable, err, "asking the running codex serve")
	}
	defer response.Body.Close()
	return readAnswer(response, answer)
}

// isGone tells whether err is of a serve that no longer answers on its socket, or broke off its answer.
func isGone(err error) bool {
	for _, gone := range []error{
		fs.ErrNotExist, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// readAnswer reads a GraphQL answer: its first error, or its data into answer.
func readAnswer(response *http.Response, answer any) error {
	var got struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct {
				Code  codex.Code
				Field string
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "reading the hub's answer (%s)", response.Status)
	}
	if len(got.Errors) > 0 {
		first := got.Errors[0]
		return &codex.Error{Code: first.Extensions.Code, Field: first.Extensions.Field, Message: first.Message}
	}
	if err := json.Unmarshal(got.Data, answer); err != nil {
		return fmt.Errorf("reading the hub's answer: %w", err)
	}
	return nil
}

// inMemory is an [http.RoundTripper] that hands requests to a handler, as asked by caller.
type inMemory struct {
	handler http.Handler
	caller  codex.Caller
}

// RoundTrip answers when the handler has.
func (m inMemory) RoundTrip(request *http.Request) (*http.Response, error) {
	w := &memoryWriter{header: http.Header{}, status: http.StatusOK}
	request = request.Clone(codex.WithCaller(request.Context(), m.caller))
	m.handler.ServeHTTP(w, request)
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: request,
	}, nil
}

// memoryWriter keeps an answer.
type memoryWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *memoryWriter) Header() http.Header            { return w.header }
func (w *memoryWriter) Write(body []byte) (int, error) { return w.body.Write(body) }
func (w *memoryWriter) WriteHeader(status int)         { w.status = status }
