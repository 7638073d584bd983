package httpd

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/rest"
)

// handler is all that a face serves.
func (s *Server) handler(f *face) http.Handler {
	origins := http.NewCrossOriginProtection()
	// Whatever the authentication: the gateway adds the bearer from a cookie by itself.
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rest.WriteError(w, http.StatusForbidden, "A page of another origin may not do this")
	}))
	return s.observe(f, s.compress(s.limitBody(origins.Handler(s.route(f)))))
}

// route takes the service's name off the path and finds who answers.
func (s *Server) route(f *face) http.Handler {
	pages := newPages(s.Pages)
	graphQL := s.authenticated(f, refuseGraphQL, admit(auth.Readers, refuseGraphQL, s.GraphQL))
	other := s.authenticated(f, refuseREST, s.REST)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := f.service
		r, named := withoutService(r)
		if named != "" {
			service = named
		}
		path := r.URL.Path
		switch {
		case path == "/health":
			health(w, r, service)
		case path == "/openapi.json":
			s.describe(w, r, root(r.Header, named))
		case strings.HasPrefix(path, "/webhooks/"):
			s.Webhooks.ServeHTTP(w, r) // no caller: each has a secret of its own
		case path == "/session":
			s.session(w, r) // which makes and ends callers
		case path == "/graphql":
			graphQL.ServeHTTP(w, r)
		case path == "" && named != "":
			// The pages find their neighbours beside them, so the address must end in a slash.
			if readOnly(w, r) {
				w.Header().Set("Location", root(r.Header, named)+"/")
				w.WriteHeader(http.StatusPermanentRedirect)
			}
		case pages.has(path):
			pages.ServeHTTP(w, r)
		default:
			other.ServeHTTP(w, r)
		}
	})
}

// withoutService takes /codex or /archive off the front of a path, once: the seed's callers put it
// there, and the gateway takes it off. It gives the name, and "" where there was none. The path is
// cut as it was sent, so that what is encoded in the rest of it stays so.
func withoutService(r *http.Request) (*http.Request, string) {
	first, rest, more := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if more {
		rest = "/" + rest
	}
	name, err := url.PathUnescape(first)
	if err != nil || name != "codex" && name != "archive" {
		return r, ""
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return r, ""
	}
	bare := new(http.Request)
	*bare = *r
	bare.URL = new(url.URL)
	*bare.URL = *r.URL
	bare.URL.Path, bare.URL.RawPath = path, rest
	return bare, name
}

// health needs no token and asks nobody: it says that this process answers
// (docs/compatibility.md, "Health").
func health(w http.ResponseWriter, r *http.Request, service string) {
	if !readOnly(w, r) {
		return
	}
	send(w, http.StatusOK, "application/json", []byte(`{"status": "ok", "service": "`+service+"\"}\n"))
}

// describe serves the description of all paths, which is no data and open to all, so that tools find it
// before they have a token.
func (s *Server) describe(w http.ResponseWriter, r *http.Request, root string) {
	if !readOnly(w, r) {
		return
	}
	content, err := rest.OpenAPI(root)
	if err != nil {
		if ours := rest.WriteFailure(w, err); ours != nil {
			s.Logger.LogAttrs(r.Context(), slog.LevelError, "the paths could not be described", rest.LogAttrs(r, ours)...)
		}
		return
	}
	revalidated(w.Header(), content)
	w.Header().Set("Content-Type", "application/json")
	http.ServeContent(w, r, "openapi.json", time.Time{}, bytes.NewReader(content))
}

// send writes an answer whose length is known.
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A write fails when the client has gone: there is nobody left to tell.
	_, _ = w.Write(body)
}

// readOnly answers 405 to what is neither GET nor HEAD, and tells whether it did not.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	rest.WriteError(w, http.StatusMethodNotAllowed, "Method not allowed")
	return false
}
