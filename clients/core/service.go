package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// renewBefore is how long before its end a token is asked for anew: a call that begins with one shall end
// before it does (docs/compatibility.md, "Authentication").
const renewBefore = time.Minute

// renewed authenticates calls with a token of Core's that is asked for anew before it ends.
type renewed struct {
	now  func() time.Time
	ask  func(context.Context) (codex.Secret, error)
	what string        // is asked for: "a token for ledger"
	turn chan struct{} // holds one question at a time; a channel, so that waiting can be cancelled

	mu    sync.Mutex
	token codex.Secret // empty before the first, and after a refusal
	ends  time.Time
}

// For authenticates calls to the service target ("ledger"), with service tokens of Core.
func (c *Client) For(target string) transport.Authorizer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens[target] == nil {
		c.tokens[target] = c.renewed("a token for "+target, func(ctx context.Context) (codex.Secret, error) {
			return c.askToken(ctx, "/service-token", map[string]string{
				"calling_service": c.serviceName, "target_service": target,
			})
		})
	}
	return c.tokens[target]
}

// ForUser authenticates calls with the token of a user, whom logIn gives an access token of the Keycloak
// that Core trusts.
func (c *Client) ForUser(logIn func(context.Context) (codex.Secret, error)) transport.Authorizer {
	return c.renewed("a user's token", func(ctx context.Context) (codex.Secret, error) {
		access, err := logIn(ctx)
		if err != nil {
			return "", err
		}
		return c.Exchange(ctx, access)
	})
}

func (c *Client) renewed(what string, ask func(context.Context) (codex.Secret, error)) *renewed {
	return &renewed{now: c.now, ask: ask, what: what, turn: make(chan struct{}, 1)}
}

// Authorization is the Authorization header of a call.
func (s *renewed) Authorization(ctx context.Context) (codex.Secret, error) {
	if token, left := s.present(); left > renewBefore {
		return bearer(token), nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	present, left := s.present()
	if left > renewBefore {
		return bearer(present), nil // somebody else has asked meanwhile
	}
	token, ends, err := s.renew(ctx)
	if err != nil {
		if left > 0 {
			return bearer(present), nil // good for a while still, while Core is down
		}
		return "", fmt.Errorf("asking Core for %s: %w", s.what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.ends = token, ends
	return bearer(token), nil
}

// Refused forgets a token that was answered 401, unless another has taken its place already.
func (s *renewed) Refused(value codex.Secret) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && bearer(s.token) == value {
		s.token = ""
	}
	return true
}

// present is the token at hand, and how long it is good.
func (s *renewed) present() (token codex.Secret, left time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" {
		return "", 0
	}
	return s.token, s.ends.Sub(s.now())
}

func (s *renewed) renew(ctx context.Context) (codex.Secret, time.Time, error) {
	token, err := s.ask(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	ends, err := ExpiryOf(token)
	if err == nil && !ends.After(s.now()) {
		err = errors.New("it has expired already: do the clocks agree?")
	}
	return token, ends, err
}

// ExpiryOf reads when a token of Core's ends. Its signature is for those to check whom it is shown to.
func ExpiryOf(token codex.Secret) (time.Time, error) {
	parsed, err := jose.ParseSignedCompact(token.Reveal(), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return time.Time{}, errors.New("what Core gave is no token") // the cause may quote it
	}
	var claims struct {
		Expires *float64 `json:"exp"`
	}
	if json.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &claims) != nil || claims.Expires == nil ||
		*claims.Expires < 0 || *claims.Expires > maxSeconds {
		return time.Time{}, errors.New("the token that Core gave does not say when it ends")
	}
	return time.Unix(int64(*claims.Expires), 0), nil
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

func bearer(token codex.Secret) codex.Secret { return "Bearer " + token }
