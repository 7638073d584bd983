package datto

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// apiPath is in front of every path but the token's. An address that has it already is taken as
// well.
const apiPath = "/api"

// Options are what a client is made of.
type Options struct {
	BaseURL    string       // the platform's API: https://merlot-api.centrastage.net, without /api
	PublicKey  string       // the API key
	SecretKey  codex.Secret // the API secret key
	HTTPClient *http.Client // as [transport.Options] has it
	Now        func() time.Time
	Logger     *slog.Logger
	Tuning     transport.Tuning // how patient the client is; zero = the defaults
}

// Client reads one Datto RMM account. It is safe for concurrent use; all of its calls share one
// token and one rate limiter, so a process needs exactly one for an account.
type Client struct {
	api  *transport.Client
	pace *pacer
}

// New makes a client. It makes no call: [Client.RequestRate] tries platform and keys.
func New(options Options) (*Client, error) {
	publicKey := strings.TrimSpace(options.PublicKey)
	secretKey := codex.Secret(strings.TrimSpace(options.SecretKey.Reveal()))
	if publicKey == "" {
		return nil, codex.BadInput("public_key", "Datto RMM needs an API key")
	}
	if secretKey == "" {
		return nil, codex.BadInput("secret_key", "Datto RMM needs an API secret key")
	}
	token := newTokenSource(publicKey, secretKey)
	limiter := transport.NewLimiter(transport.LimiterOptions{
		Now: options.Now, Tuning: options.Tuning,
		Burst: 0.1, // of a window that is known to slide, and that no urgent call waits for
	})
	api, err := transport.New(transport.Options{
		Upstream:       "datto",
		BaseURL:        strings.TrimSuffix(strings.TrimRight(options.BaseURL, "/"), apiPath),
		Authorizer:     token,
		Secrets:        []codex.Secret{secretKey},
		Limiter:        limiter,
		BlocksAfter429: true,
		HTTPClient:     options.HTTPClient,
		Now:            options.Now,
		Logger:         options.Logger,
		Tuning:         options.Tuning,
	})
	if err != nil {
		return nil, fmt.Errorf("datto: %w", err)
	}
	token.api = api
	return &Client{api: api, pace: newPacer(api, limiter, options)}, nil
}

// Close closes the client's connections, as [transport.Client.Close] does.
func (c *Client) Close() { c.api.Close() }

// ask makes a call with figures of the limit that are known and no older than a window. They are
// looked at again after the answer: of many calls that were queued together, none was made later.
func (c *Client) ask(ctx context.Context, request transport.Request) (transport.Answer, error) {
	if err := c.pace.keep(ctx); err != nil {
		return transport.Answer{}, err
	}
	answer, err := c.api.Do(ctx, request)
	if err != nil {
		return answer, err
	}
	return answer, c.pace.keep(ctx)
}
