package keycloak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// Options are what a [Client] is made of.
type Options struct {
	ServerURL    string // Keycloak's address: http://localhost:8080
	Realm        string // "hivematrix"
	ClientID     string
	ClientSecret codex.Secret // empty of a public client
	Username     string
	Password     codex.Secret
	HTTPClient   *http.Client // as [transport.Options] has it
	Now          func() time.Time
	Logger       *slog.Logger
	Tuning       transport.Tuning // zero = the defaults, but for those below
}

// A login is small, and whoever waits for it has more to do.
const (
	attempt = 10 * time.Second
	maxBody = 1 << 20
	tries   = 2
)

// Client logs one account in. It is safe for concurrent use.
type Client struct {
	api     *transport.Client
	options Options
}

// New makes a client, or says what is wrong with options.
func New(options Options) (*Client, error) {
	tuning := options.Tuning
	if tuning.Attempt == 0 {
		tuning.Attempt = attempt
	}
	if tuning.MaxBody == 0 {
		tuning.MaxBody = maxBody
	}
	if tuning.Tries == 0 {
		tuning.Tries = tries
	}
	api, err := transport.New(transport.Options{
		Upstream: "keycloak", BaseURL: options.ServerURL, HTTPClient: options.HTTPClient,
		Secrets: []codex.Secret{options.ClientSecret, options.Password},
		Now:     options.Now, Logger: options.Logger, Tuning: tuning,
	})
	if err != nil {
		return nil, fmt.Errorf("keycloak: %w", err)
	}
	return &Client{api: api, options: options}, nil
}

// Close closes the connections that calls have left open.
func (c *Client) Close() { c.api.Close() }

// AccessToken logs the account in. Wrong names or secrets are an error that transport.IsUnauthorized
// tells, with Keycloak's words.
func (c *Client) AccessToken(ctx context.Context) (codex.Secret, error) {
	form := url.Values{
		"grant_type": {"password"},
		"client_id":  {c.options.ClientID},
		"username":   {c.options.Username},
		"password":   {c.options.Password.Reveal()},
		// Without it Keycloak refuses to tell Core who the token is of.
		"scope": {"openid"},
	}
	if c.options.ClientSecret != "" {
		form.Set("client_secret", c.options.ClientSecret.Reveal())
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	_, err := c.api.Do(ctx, transport.Request{
		Path: "/realms/" + url.PathEscape(c.options.Realm) + "/protocol/openid-connect/token", Form: form,
		Check: func(body []byte) error {
			if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
				return errors.New(`no "access_token"`) // a cause may quote the body
			}
			return nil
		},
	})
	if err != nil {
		return "", fmt.Errorf("logging in at Keycloak: %w", err)
	}
	return codex.Secret(answer.AccessToken), nil
}
