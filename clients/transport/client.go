package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hivematrix/codex"
)

// Options are what a [Client] is made of.
type Options struct {
	Upstream string // names the upstream in errors and logs: "freshservice"
	// BaseURL is the origin that every request goes to, with a path in front of all others if need
	// be. No request ever leaves it.
	BaseURL    string
	Authorizer Authorizer     // nil = requests carry no Authorization
	Secrets    []codex.Secret // texts that are struck out of whatever the upstream answers
	Limiter    *Limiter       // nil = neither paced nor bounded
	// Figures reads what an answer tells about the rate limit; nil where answers tell nothing.
	Figures func(http.Header) (Figures, bool)
	// BlocksAfter429 tells that a 403 soon after a 429 is a block of our address, not a lack of
	// rights: every request is then refused for a while.
	BlocksAfter429 bool
	// HTTPClient lends its Transport, and nothing else of it is used; whoever made it closes it. Nil =
	// a copy of [http.DefaultTransport], proxies of the environment included, which the [Client] owns
	// and [Client.Close] closes.
	HTTPClient *http.Client
	Now        func() time.Time
	Logger     *slog.Logger
	Tuning     Tuning
}

// Tuning says how patient and how large requests may be. A zero field is its default.
type Tuning struct {
	Tries         int           // attempts before a request is given up: 5
	Attempt       time.Duration // one attempt, from connecting to the last byte: 60 s
	Backoff       time.Duration // the wait before the second try, doubled for each further one: 1 s
	MaxBackoff    time.Duration // what that doubling stops at: 30 s
	RetryAfter    time.Duration // the pause after a 429 that names none: 60 s
	MaxRetryAfter time.Duration // a pause beyond it is a failure: 1 h
	MaxBody       int64         // bytes of an answer, decompressed: 64 MiB
	Window        time.Duration // of the upstream's rate limit: 60 s
	Spacing       time.Duration // what requests are spaced to at most when a 429 was not foreseen: 600 ms
}

func (t Tuning) withDefaults() Tuning {
	orElse(&t.Tries, 5)
	orElse(&t.Attempt, 60*time.Second)
	orElse(&t.Backoff, time.Second)
	orElse(&t.MaxBackoff, 30*time.Second)
	orElse(&t.RetryAfter, 60*time.Second)
	orElse(&t.MaxRetryAfter, time.Hour)
	orElse(&t.MaxBody, 64<<20)
	orElse(&t.Window, 60*time.Second)
	orElse(&t.Spacing, 600*time.Millisecond)
	return t
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Authorizer gives requests their Authorization header.
type Authorizer interface {
	// Authorization is the header's value.
	Authorization(ctx context.Context) (codex.Secret, error)
	// Refused says that the upstream answered 401 to value; true asks for one more try, with what
	// Authorization then gives.
	Refused(value codex.Secret) bool
}

// FixedAuthorization is an [Authorizer] for a header that never changes.
type FixedAuthorization codex.Secret

// Authorization is the header's value.
func (f FixedAuthorization) Authorization(context.Context) (codex.Secret, error) {
	return codex.Secret(f), nil
}

// Refused is false: there is no other value to try.
func (f FixedAuthorization) Refused(codex.Secret) bool { return false }

// Client calls one upstream. It is safe for concurrent use.
type Client struct {
	options Options
	base    *url.URL
	http    *http.Client
	own     *http.Transport // of http, where it is ours to close
	large   chan struct{}   // holds the one large answer that is read
}

// New makes a client, or says what is wrong with options.
func New(options Options) (*Client, error) {
	base, err := parseBase(options.BaseURL)
	if err != nil {
		return nil, err
	}
	if options.Now == nil || options.Logger == nil {
		return nil, errors.New("transport: a clock and a logger must be handed in")
	}
	options.Tuning = options.Tuning.withDefaults()
	c := &Client{options: options, base: base, large: make(chan struct{}, 1)}
	c.http = &http.Client{CheckRedirect: c.checkRedirect}
	if options.HTTPClient != nil {
		c.http.Transport = options.HTTPClient.Transport
	} else if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		c.own = standard.Clone()
		c.own.MaxIdleConnsPerHost = maxInFlight // Go keeps two, and would dial for most calls
		c.http.Transport = c.own
	}
	if t, ok := c.http.Transport.(*http.Transport); ok && !verifies(t.TLSClientConfig) {
		return nil, errors.New("transport: certificates must be verified")
	}
	return c, nil
}

func verifies(config *tls.Config) bool { return config == nil || !config.InsecureSkipVerify }

func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(strings.TrimSpace(text), "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, codex.BadInput("base_url", "the upstream's address must be a URL like https://api.example.com")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, codex.BadInput("base_url", "the upstream's address must have neither a user nor a query")
	}
	return base, nil
}

// Close closes the connections that calls have left open. It is for when no call is under way and
// none will follow; one that follows all the same dials anew. A transport that was handed in stays
// as it is.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// SameOrigin tells whether target has the scheme, host and port that this client talks to.
func (c *Client) SameOrigin(target *url.URL) bool { return origin(target) == origin(c.base) }

// ErrOtherOrigin is the cause when an upstream points to another origin: what authenticates us is
// not sent there.
var ErrOtherOrigin = errors.New("the upstream points to another origin")

const maxRedirects = 3

// checkRedirect follows redirects within the origin only. Go itself would send the Authorization
// header on to a subdomain.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	if !c.SameOrigin(next.URL) {
		return fmt.Errorf("%w: %s", ErrOtherOrigin, origin(next.URL))
	}
	if len(via) > maxRedirects {
		return errRedirects
	}
	return nil
}

var errRedirects = errors.New("the upstream redirects in circles")

// origin is scheme, host and port, the default port included.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme+"://"+u.Hostname()) + ":" + port
}
