package httpd

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/rest"
)

// sessionCookie names the cookie that stands for a token in a browser.
const sessionCookie = "codex_session"

// maxSessionBody is more than any token takes.
const maxSessionBody = 32 << 10

// session serves /session: POST makes a cookie of a token, DELETE ends it (docs/auth.md, "Sessions").
// Both need no caller, and like every unsafe method are refused to pages of other origins, so that
// nobody is signed in or out by another site.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	var err error
	switch r.Method {
	case http.MethodPost:
		err = s.signIn(w, r)
	case http.MethodDelete:
		err = s.signOut(w, r)
	default:
		w.Header().Set("Allow", "DELETE, POST")
		rest.WriteError(w, http.StatusMethodNotAllowed, "Method not allowed")
	}
	if err == nil {
		return
	}
	exchangeOf(r).refusal = causeOf(err)
	if ours := rest.WriteFailure(w, err); ours != nil && r.Context().Err() == nil {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "a session could not be begun or ended", rest.LogAttrs(r, ours)...)
	}
}

// sessionJSON is what somebody who has signed in is told.
type sessionJSON struct {
	Name      string     `json:"name"`
	Role      codex.Role `json:"role"`
	ExpiresAt time.Time  `json:"expires_at"`
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	token, err := tokenOf(w, r)
	if err != nil {
		return err
	}
	begun, err := s.Callers.SignIn(r.Context(), token, peerOf(r))
	if err != nil {
		return err
	}
	exchangeOf(r).caller = begun.Caller.Name
	body, err := json.Marshal(sessionJSON{begun.Caller.Name, begun.Caller.Role, begun.ExpiresAt.UTC()})
	if err != nil {
		return err
	}
	cookie := s.cookie(r, begun.Value.Reveal())
	cookie.MaxAge = max(int(begun.Lasts.Seconds()), 1) // 0 would leave it out
	http.SetCookie(w, cookie)
	send(w, http.StatusOK, "application/json", append(body, '\n'))
	return nil
}

// tokenOf reads {"token": "…"}.
func tokenOf(w http.ResponseWriter, r *http.Request) (string, error) {
	asked := codex.BadInput("token", `send {"token": "…"} as application/json`)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return "", asked
	}
	var given struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSessionBody)).Decode(&given); err != nil || given.Token == "" {
		return "", asked
	}
	return given.Token, nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.Callers.SignOut(r.Context(), sessionOf(r)); err != nil {
		return err
	}
	gone := s.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// cookie is the session's cookie, as it is out of reach for scripts and for requests that pages of
// other sites make. Behind the gateway it goes to us alone and not to our neighbours. That a proxy's
// headers are believed gives nobody anything: they decide how a caller's own cookie is kept.
func (s *Server) cookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: value, Path: cmp.Or(forwardedPrefix(r.Header), "/"),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || overTLS(r.Header.Get("X-Forwarded-Proto")),
	}
}

// overTLS reads X-Forwarded-Proto, to which each proxy may add: the first is what the browser used.
func overTLS(forwarded string) bool {
	first, _, _ := strings.Cut(forwarded, ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

// sessionOf is the value of the session's cookie, empty where there is none. Of several, a browser
// sends the one of the longest path first.
func sessionOf(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if errors.Is(err, http.ErrNoCookie) {
		return ""
	}
	return cookie.Value
}
