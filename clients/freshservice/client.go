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

// maxPerPage is how many records of a list Freshservice gives at once.
const maxPerPage = 100

// Options are what a client is made of.
type Options struct {
	BaseURL   string       // the API's origin: https://acme.freshservice.com, without /api/v2
	APIKey    codex.Secret // of an agent who may see what is to be synced
	WebDomain string       // where people read tickets; empty = no links
	// Workspaces are listed one by one and put together. None = what the account shows by itself, which
	// is the primary workspace; 0 = all of them in one listing.
	Workspaces []int64
	HTTPClient *http.Client // as [transport.Options] has it
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
	perPage    int // maxPerPage, and few in tests
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
	return &Client{api: api, web: webBase(options.WebDomain), workspaces: options.Workspaces, perPage: maxPerPage}, nil
}

// Close closes the client's connections, as [transport.Client.Close] does.
func (c *Client) Close() { c.api.Close() }

func webBase(domain string) string {
	domain = strings.TrimRight(domain, "/")
	if domain == "" || strings.HasPrefix(domain, "http://") || strings.HasPrefix(domain, "https://") {
		return domain
	}
	return "https://" + domain
}
