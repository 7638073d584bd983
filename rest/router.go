package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
)

// route is one path with one method. A segment of the path in braces stands for any one segment,
// which the endpoint finds decoded as the request's path value.
type route struct {
	method string
	path   string
	allow  auth.Allow
	serve  endpoint
}

// endpoint answers a request, or gives the error that is the answer and has written nothing.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// handler finds the route of a request. It is our own since http.ServeMux redirects paths with
// empty segments, answers 405 in plain text, and would do both to the gateway's callers.
func (s *service) handler() http.Handler {
	routes := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := dispatch(routes, w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func dispatch(routes []route, w http.ResponseWriter, r *http.Request) error {
	segments, ok := split(r.URL.EscapedPath())
	if !ok {
		return errNoPath()
	}
	var methods []string
	for _, route := range routes {
		values, fits := route.match(segments)
		if !fits {
			continue
		}
		methods = append(methods, route.methods()...)
		if !slices.Contains(route.methods(), r.Method) {
			continue
		}
		if _, err := route.allow.Check(r.Context()); err != nil {
			return err
		}
		for name, value := range values {
			r.SetPathValue(name, value)
		}
		return route.serve(w, r)
	}
	if methods == nil {
		return errNoPath()
	}
	slices.Sort(methods)
	w.Header().Set("Allow", strings.Join(slices.Compact(methods), ", "))
	WriteError(w, http.StatusMethodNotAllowed, "Method not allowed")
	return nil
}

// split cuts a path as it was sent into its decoded segments, so that an account number may hold a
// slash, as %2F.
func split(escaped string) ([]string, bool) {
	escaped, rooted := strings.CutPrefix(escaped, "/")
	if !rooted {
		return nil, false
	}
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		segments[i] = decoded
	}
	return segments, true
}

// match compares the route with a path; values are what stood in the place of names in braces,
// which is never nothing.
func (r route) match(segments []string) (values map[string]string, fits bool) {
	wanted := strings.Split(r.path[1:], "/")
	if len(wanted) != len(segments) {
		return nil, false
	}
	for i, want := range wanted {
		if name, isName := strings.CutPrefix(want, "{"); isName {
			if segments[i] == "" {
				return nil, false
			}
			if values == nil {
				values = map[string]string{}
			}
			values[strings.TrimSuffix(name, "}")] = segments[i]
		} else if want != segments[i] {
			return nil, false
		}
	}
	return values, true
}

// methods that the route answers: HEAD wherever GET.
func (r route) methods() []string {
	if r.method == http.MethodGet {
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{r.method}
}

func errNoPath() error { return codex.Errorf(codex.CodeNotFound, "Not found") }
