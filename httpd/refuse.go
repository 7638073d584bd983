package httpd

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
)

// refusal answers a request that does not reach its face, in the form that the face's callers read,
// and gives the part of err that belongs into the log: nil for what the caller got wrong.
type refusal func(w http.ResponseWriter, r *http.Request, err error) error

func refuseREST(w http.ResponseWriter, _ *http.Request, err error) error {
	return rest.WriteFailure(w, err)
}

// graphQLError is an error as GraphQL has it (https://spec.graphql.org/October2021/#sec-Errors).
type graphQLError struct {
	Message    string          `json:"message"`
	Extensions graphQLCodeJSON `json:"extensions"`
}

type graphQLCodeJSON struct {
	Code codex.Code `json:"code"`
}

// refuseGraphQL answers with the status that REST has too: no operation was looked at. A browser's
// stream has no other way to learn of it than that status.
func refuseGraphQL(w http.ResponseWriter, r *http.Request, err error) error {
	status, message := rest.Describe(err)
	code := codex.CodeOf(store.Translate(err))
	if status == http.StatusServiceUnavailable {
		code = codex.CodeUnavailable // also where its caller gave up
	}
	body, failed := json.Marshal(struct {
		Errors []graphQLError `json:"errors"`
	}{[]graphQLError{{message, graphQLCodeJSON{code}}}})
	if failed != nil { // strings always have a JSON form
		body = nil
	}
	media := "application/json"
	if known := "application/graphql-response+json"; strings.Contains(strings.Join(r.Header.Values("Accept"), ","), known) {
		media = known
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who has gone cannot be told
	if status < http.StatusInternalServerError {
		return nil
	}
	return err
}
