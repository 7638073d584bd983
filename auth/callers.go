package auth

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Proof is what a request brings along to say who is calling.
type Proof struct {
	Bearer  string // a local token or one of Core's
	Session string // the value of a session's cookie; counts only without a Bearer
	// Peer is where the request comes from: the other end of the connection, whatever headers say.
	Peer netip.Addr
}

// Callers knows everybody who may call: by local tokens, by Core's tokens where there is a Core, and
// by the sessions that browsers make of either. It is safe for concurrent use.
type Callers struct {
	tokens   *Tokens
	core     *CoreTokens
	sessions *sessions
}

// NewCallers are those with one of tokens or, unless core is nil, with one of its tokens. Sessions are
// kept in db.
func NewCallers(db *store.DB, tokens *Tokens, core *CoreTokens, now func() time.Time) *Callers {
	return &Callers{tokens: tokens, core: core, sessions: &sessions{db: db, now: now}}
}

// Known is who is calling.
type Known struct {
	Caller codex.Caller
	// Person is the token that Core gave the person who is calling, whether it was sent or a session
	// stands for it; empty where a local token or a service is calling. Core's neighbours take it in that
	// person's name.
	Person codex.Secret
}

// identity is a caller, and until when its token is good by itself: nil is without end.
type identity struct {
	caller codex.Caller
	person codex.Secret // as in [Known]
	ends   *time.Time
}

// refuse is the error of whoever brings nothing that counts. It says the same whatever is wrong, so
// that a stranger learns nothing; why is for the log alone.
func refuse(why error) error {
	return codex.Wrap(codex.CodeUnauthenticated, why, "the token is unknown, expired or revoked")
}

// Authenticate is who brings proof. What is wrong with it is a [codex.CodeUnauthenticated] error,
// whatever it is; a token of Core that is good and does not count here is a [codex.CodeForbidden]
// one; a database or a Core that does not answer, where it must be asked, a [codex.CodeUnavailable]
// one, which says nothing about the token.
func (c *Callers) Authenticate(ctx context.Context, proof Proof) (Known, error) {
	bearer := proof.Bearer
	if bearer == "" {
		var err error
		if bearer, err = c.sessions.open(ctx, proof.Session); err != nil {
			return Known{}, err
		}
	}
	who, err := c.identify(ctx, bearer, proof.Peer)
	return Known{Caller: who.caller, Person: who.person}, err
}

func (c *Callers) identify(ctx context.Context, bearer string, peer netip.Addr) (identity, error) {
	if c.core == nil || strings.HasPrefix(bearer, secretPrefix) {
		return c.tokens.identify(ctx, bearer)
	}
	return c.core.identify(ctx, bearer, peer)
}

// Session is a browser's session that was just begun.
type Session struct {
	Value     codex.Secret // of its cookie
	Caller    codex.Caller
	ExpiresAt time.Time
	Lasts     time.Duration // until then: a browser's clock may be wrong
}

// SignIn begins a session with a token. It is as good as the token: it ends with it at the latest,
// when that expires or is revoked. Service tokens of Core begin none.
func (c *Callers) SignIn(ctx context.Context, token string, peer netip.Addr) (Session, error) {
	who, err := c.identify(ctx, token, peer)
	if err != nil {
		return Session{}, err
	}
	if who.caller.Core != "" {
		return Session{}, codex.Errorf(codex.CodeForbidden, "This endpoint is for users only")
	}
	if err := Readers.admit(who.caller); err != nil {
		return Session{}, err
	}
	return c.sessions.begin(ctx, codex.Secret(token), who)
}

// SignOut ends the session of a cookie's value. Where there is none, nothing is left to do.
func (c *Callers) SignOut(ctx context.Context, value string) error { return c.sessions.end(ctx, value) }
