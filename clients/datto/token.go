package datto

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"sync"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// tokenPath lies outside /api.
const tokenPath = "/auth/oauth/token"

// tokenSource logs in once and hands the one token to every call; whether a second login would end
// the first token is not documented. Datto gives no refresh token: when a token is refused, it logs
// in anew, once however many calls it was refused to.
type tokenSource struct {
	api       *transport.Client
	publicKey string
	secretKey codex.Secret
	turn      chan struct{} // holds one login at a time; a channel, so that waiting can be cancelled
	mu        sync.Mutex
	header    codex.Secret // "Bearer …"; empty before the first login and after a refusal
}

func newTokenSource(publicKey string, secretKey codex.Secret) *tokenSource {
	return &tokenSource{publicKey: publicKey, secretKey: secretKey, turn: make(chan struct{}, 1)}
}

// Authorization is the Authorization header of a call, after a login if need be.
func (t *tokenSource) Authorization(ctx context.Context) (codex.Secret, error) {
	if header := t.current(); header != "" {
		return header, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if header := t.current(); header != "" {
		return header, nil // somebody else has logged in meanwhile
	}
	header, err := t.login(ctx)
	if err != nil {
		return "", fmt.Errorf("logging in: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.header = header
	return header, nil
}

// Refused forgets the token that was answered 401, unless another has taken its place already.
func (t *tokenSource) Refused(header codex.Secret) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.header == header {
		t.header = ""
	}
	return true
}

func (t *tokenSource) current() codex.Secret {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.header
}

func (t *tokenSource) login(ctx context.Context) (codex.Secret, error) {
	var token string
	_, err := t.api.Do(ctx, transport.Request{
		Path: tokenPath,
		Form: url.Values{
			"grant_type": {"password"},
			"username":   {t.publicKey},
			"password":   {t.secretKey.Reveal()},
		},
		// The documented client of every account.
		Authorization: codex.Secret("Basic " + base64.StdEncoding.EncodeToString([]byte("public-client:public"))),
		Check: func(body []byte) error {
			answer := wire.Open(body)
			token = answer.Name("access_token")
			return answer.Err()
		},
	})
	if err != nil {
		return "", err
	}
	return codex.Secret("Bearer " + token), nil
}
