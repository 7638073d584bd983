package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// Options are what a [Client] is made of.
type Options struct {
	BaseURL     string       // Core's address: http://localhost:5000
	ServiceName string       // who the hub is to Core, where it asks for service tokens: "codex"
	HTTPClient  *http.Client // as [transport.Options] has it
	Now         func() time.Time
	Logger      *slog.Logger
	Tuning      transport.Tuning // zero = the defaults, but for the two below
}

// Somebody waits at a login or a page for what Core answers, and all of its answers are small.
const (
	attempt = 5 * time.Second
	maxBody = 1 << 20
)

// Client asks one Core. It is safe for concurrent use.
type Client struct {
	api         *transport.Client
	serviceName string
	now         func() time.Time

	mu     sync.Mutex
	tokens map[string]*renewed // by the service that they are for
}

// New makes a client, or says what is wrong with options.
func New(options Options) (*Client, error) {
	if options.Tuning.Attempt == 0 {
		options.Tuning.Attempt = attempt
	}
	if options.Tuning.MaxBody == 0 {
		options.Tuning.MaxBody = maxBody
	}
	api, err := transport.New(transport.Options{
		Upstream: "core", BaseURL: options.BaseURL, HTTPClient: options.HTTPClient,
		Now: options.Now, Logger: options.Logger, Tuning: options.Tuning,
	})
	if err != nil {
		return nil, fmt.Errorf("core: %w", err)
	}
	return &Client{
		api: api, serviceName: options.ServiceName, now: options.Now, tokens: map[string]*renewed{},
	}, nil
}

// Close closes the connections that calls have left open.
func (c *Client) Close() { c.api.Close() }

// CheckKeys asks Core for the keys that its tokens are signed with, and tells how many there are.
// None, or an answer that holds no key set, is an error: that address is not Core's.
func CheckKeys(ctx context.Context, options Options) (int, error) {
	c, err := New(options)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	keys, err := c.Keys(ctx)
	return len(keys), err
}

// Validate asks whether the session of a user's token goes on: false where Core says that it has
// expired or was ended. Core knows sessions by jti: it says false of every token without one, service
// tokens among them, of which it must never be asked.
func (c *Client) Validate(ctx context.Context, token codex.Secret) (bool, error) {
	var answer struct {
		Valid *bool `json:"valid"`
	}
	err := c.post(ctx, "/api/token/validate", map[string]string{"token": token.Reveal()}, &answer, func() error {
		if answer.Valid == nil {
			return errors.New(`no "valid"`)
		}
		return nil
	})
	if transport.StatusOf(err) == http.StatusUnauthorized {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking Core about a session: %w", err)
	}
	return *answer.Valid, nil
}

// Exchange gives a user's token for an access token of the Keycloak that Core trusts.
func (c *Client) Exchange(ctx context.Context, accessToken codex.Secret) (codex.Secret, error) {
	token, err := c.askToken(ctx, "/api/token/exchange", map[string]string{"access_token": accessToken.Reveal()})
	if err != nil {
		return "", fmt.Errorf("exchanging a token at Core: %w", err)
	}
	return token, nil
}
