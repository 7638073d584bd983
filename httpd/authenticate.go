package httpd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/rest"
)

// LocalSocket is who calls over the socket in the instance folder: whoever may open it could read
// the configuration and the database as well. user is the name of the caller's user; empty where the
// system does not tell it.
func LocalSocket(user string) codex.Caller {
	caller := codex.Caller{Name: "local socket", Role: codex.RoleAdmin, Trigger: codex.TriggerCLI}
	if user != "" {
		caller.Name = user + " (local socket)"
	}
	return caller
}

// authenticated has next find the caller in its context, with the token of a person who was known by one
// of Core's, and refuses requests without a caller.
func (s *Server) authenticated(f *face, refuse refusal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known, err := s.caller(f, r)
		if err != nil {
			exchangeOf(r).refusal = causeOf(err)
			if ours := refuse(w, r, err); ours != nil && r.Context().Err() == nil {
				s.Logger.LogAttrs(r.Context(), slog.LevelError, "a caller could not be authenticated", rest.LogAttrs(r, ours)...)
			}
			return
		}
		caller := known.Caller
		exchangeOf(r).caller = caller.Name
		ctx := codex.WithCaller(r.Context(), caller)
		if known.Person != "" {
			ctx = codex.WithPersonToken(ctx, known.Person)
		}
		if !f.local && mayStream(r) {
			var end context.CancelFunc
			ctx, end = context.WithCancel(ctx)
			defer end()
			go s.watchToken(ctx, end, f, r, caller)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// causeOf is why a caller was refused, for the log: callers are told little.
func causeOf(err error) string {
	var coded *codex.Error
	if errors.As(err, &coded) && coded.Code == codex.CodeUnauthenticated && coded.Err != nil {
		return coded.Err.Error()
	}
	return ""
}

// mayStream tells a request whose answer may last as long as its client likes. It takes some that are
// none for one, and never the reverse: a stream that nobody watches outlives its token. text/* asks for
// one too, and the case of a media type's letters says nothing (RFC 9110, section 8.3.1).
func mayStream(r *http.Request) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.Header.Values("Accept"), ",")), "text/")
}

// watchToken calls end when the token with which a stream began is revoked or expires: a request that
// lasts for days is as good as a new one each minute, and no better. A database that does not answer
// takes nothing from anybody.
func (s *Server) watchToken(ctx context.Context, end func(), f *face, r *http.Request, began codex.Caller) {
	ticker := time.NewTicker(s.timeouts.token)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		known, err := s.caller(f, r.WithContext(ctx))
		if codex.CodeOf(err) == codex.CodeUnauthenticated || err == nil && known.Caller != began {
			end()
			return
		}
	}
}

func (s *Server) caller(f *face, r *http.Request) (auth.Known, error) {
	if f.local {
		return auth.Known{Caller: LocalSocket(userFrom(r.Context()))}, nil
	}
	proof := auth.Proof{Peer: peerOf(r)}
	var err error
	// A token counts before a cookie: the gateway adds that of the user who is signed in there, and a
	// session of before may be somebody else's.
	if proof.Bearer, err = bearerToken(r.Header); err != nil {
		proof.Session = sessionOf(r)
		if r.Header.Values("Authorization") != nil || proof.Session == "" {
			return auth.Known{}, err
		}
	}
	return s.Callers.Authenticate(r.Context(), proof)
}

// peerOf is the other end of the connection. No header changes it: whoever sends a request writes
// X-Forwarded-For as well.
func peerOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // in no set of addresses
	}
	return peer.Addr()
}

// bearerToken reads the header Authorization (RFC 6750, section 2.1); the name of the scheme is
// compared without regard to case (RFC 9110, section 11.1).
func bearerToken(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) == 0 {
		return "", codex.Errorf(codex.CodeUnauthenticated, "this needs a token: send it as Authorization: Bearer …")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || !isToken68(token) {
		return "", codex.Errorf(codex.CodeUnauthenticated, "the header Authorization must be Bearer and one token")
	}
	return token, nil
}

// isToken68 tells whether text may stand as credentials (RFC 9110, section 11.2).
func isToken68(text string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, letters) == ""
}

// admit lets through whom allow has.
func admit(allow auth.Allow, refuse refusal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := allow.Check(r.Context()); err != nil {
			refuse(w, r, err) //nolint:errcheck // what a role may not is no failure of ours
			return
		}
		next.ServeHTTP(w, r)
	})
}
