package freshservice

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// apiPath is in front of every path of the API. An address that has it already is taken as well.
const apiPath = "/api/v2"

// Options are what a client is made of.
type Options struct {
	BaseURL    string       // the API's origin: https://acme.freshservice.com, without /api/v2
	APIKey     codex.Secret // of an agent who may see what is to be synced
	WebDomain  string       // where people read tickets; empty = no links
	Workspaces []int64      // one listing each, put together; none = a plain listing
	PerPage    int          // records a page, at most and by default 100
	HTTPClient *http.Client // its Transport alone is used; nil = Go's default
	Now        func() time.Time
	Logger     *slog.Logger
	Tuning     transport.Tuning // how patient the client is; zero = the defaults
}

// Client reads one Freshservice account. It is safe for concurrent use; all of its calls share one
// rate limiter, so a process needs exactly one for an account.
type Client struct {
	api        *transport.Client
	web        string
	workspaces []int64
	perPage    int
}

// New makes a client. It makes no call: [Client.Me] tries domain and key.
func New(options Options) (*Client, error) {
	if options.APIKey == "" {
		return nil, codex.BadInput("api_key", "Freshservice needs an API key")
	}
	basic := base64.StdEncoding.EncodeToString([]byte(options.APIKey.Reveal() + ":X"))
	api, err := transport.New(transport.Options{
		Upstream:   "freshservice",
		BaseURL:    strings.TrimSuffix(strings.TrimRight(options.BaseURL, "/"), apiPath),
		Authorizer: transport.FixedAuthorization("Basic " + basic),
		Secrets:    []codex.Secret{options.APIKey, codex.Secret(basic)},
		Limiter:    transport.NewLimiter(transport.LimiterOptions{Now: options.Now, Tuning: options.Tuning, Burst: 0.01}),
		Figures:    rateFigures,
		HTTPClient: options.HTTPClient,
		Now:        options.Now,
		Logger:     options.Logger,
		Tuning:     options.Tuning,
	})
	if err != nil {
		return nil, fmt.Errorf("freshservice: %w", err)
	}
	perPage := options.PerPage
	if perPage <= 0 || perPage > 100 {
		perPage = 100
	}
	return &Client{api: api, web: webBase(options.WebDomain), workspaces: options.Workspaces, perPage: perPage}, nil
}

// Stats are the figures of all calls since the client was made.
func (c *Client) Stats() transport.Stats { return c.api.Stats() }

func webBase(domain string) string {
	domain = strings.TrimRight(domain, "/")
	if domain == "" || strings.HasPrefix(domain, "http://") || strings.HasPrefix(domain, "https://") {
		return domain
	}
	return "https://" + domain
}
