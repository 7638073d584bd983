package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/hivematrix/codex"
)

const (
	attempts    = 5
	attemptTime = 10 * time.Second
	firstWait   = time.Second
	// maxAnswerBytes is read of an answer, so that its connection can serve again.
	maxAnswerBytes = 64 << 10
)

// Options are what a [Client] is made of.
type Options struct {
	URL string // http or https
	// HTTPClient lends its Transport. Nil is a copy of [http.DefaultTransport].
	HTTPClient *http.Client
	Logger     *slog.Logger
	Wait       time.Duration // before the second try; 0 is a second
}

// Client posts to one address. It is safe for concurrent use.
type Client struct {
	address string
	host    string
	http    *http.Client
	logger  *slog.Logger
	wait    time.Duration
	close   func()
}

// New makes a client, or says what is wrong with options.
func New(o Options) (*Client, error) {
	address, err := url.Parse(o.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, codex.BadInput("publish", "it must be an http or https address") // the cause would hold the text
	}
	c := &Client{
		address: o.URL, host: address.Host, logger: o.Logger, wait: o.Wait, close: func() {},
		http: &http.Client{
			Timeout: attemptTime,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
	if c.wait == 0 {
		c.wait = firstWait
	}
	if o.HTTPClient != nil {
		c.http.Transport = o.HTTPClient.Transport
		return c, nil
	}
	own, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("publish: http.DefaultTransport is another's")
	}
	own = own.Clone()
	c.http.Transport, c.close = own, own.CloseIdleConnections
	return c, nil
}

// Close closes the connections that were left open.
func (c *Client) Close() { c.close() }

// Publish posts a note until somebody takes it, asking again cannot help, or no try is left. The error
// is a [codex.CodeUnavailable] one, or ctx's.
func (c *Client) Publish(ctx context.Context, note []byte) error {
	wait := c.wait
	for try := 1; ; try++ {
		again, err := c.post(ctx, note)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !again || try == attempts {
			return codex.Wrap(codex.CodeUnavailable, err, "%s does not take the log checkpoint", c.host)
		}
		c.logger.DebugContext(ctx, "a log checkpoint is to be published again", slog.String("upstream", c.host),
			slog.Int("attempt", try), slog.Any("err", err))
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return fmt.Errorf("waiting to publish again: %w", context.Cause(ctx))
		}
		wait *= 2
	}
}

// Published is nothing: who takes checkpoints need not give them back.
func (c *Client) Published(context.Context) ([]byte, error) { return nil, nil }

// post is one try; again tells whether another may end otherwise.
func (c *Client) post(ctx context.Context, note []byte) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(note))
	if err != nil {
		return false, errors.New("the address cannot be asked") // the cause would hold it
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := c.http.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address
		}
		return true, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswerBytes)); err != nil {
		return true, fmt.Errorf("reading the answer: %w", err)
	}
	switch status := response.StatusCode; {
	case status >= 200 && status <= 299:
		return false, nil
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return true, fmt.Errorf("it answered %d", status)
	default:
		return false, fmt.Errorf("it answered %d", status)
	}
}
