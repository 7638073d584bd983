package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/hivematrix/codex"
)

// Request is one question to an upstream.
type Request struct {
	Path     string     // below the base, beginning with /, escaped
	Endpoint string     // Path with its ids taken out, for errors and logs; empty = Path
	Query    url.Values // never in an error or a log
	Form     url.Values // makes it a POST of this form
	JSON     []byte     // makes it a POST of this JSON document
	// Media is the media type that is asked for, as text/csv, and whose body is taken as it is, HTML and
	// nothing at all aside; empty = JSON.
	Media  string
	Bucket string // the rate limit of its own that it counts into, beside the account's; empty = none
	Cost   int    // credits that it takes of the limits; 0 = 1
	Tries  int    // attempts before it is given up; 0 = the client's
	// Authorization goes in place of the client's own.
	Authorization codex.Secret
	// Check looks at the body of a 2xx answer. What it refuses was cut or mangled on the way as far
	// as anybody can tell, and is asked for again.
	Check func(body []byte) error
}

func (r Request) endpoint() string {
	if r.Endpoint != "" {
		return r.Endpoint
	}
	return r.Path
}

// Answer is a 2xx answer whose body is valid JSON, or what else was asked for.
type Answer struct {
	Status int
	Body   []byte
	Header http.Header
}

// Do asks until there is an answer, a failure that asking again cannot mend, or no try left.
//
// Transient are 429, 408, 5xx, broken connections, timeouts, and bodies that are cut, no JSON, or
// refused by the request's Check. A 401 is tried once more where the [Authorizer] has something
// else to try. The error is a [*StatusError], an [*AnswerError], a network's, or ctx's.
func (c *Client) Do(ctx context.Context, request Request) (Answer, error) {
	tries := request.Tries
	orElse(&tries, c.options.Tuning.Tries)
	reauthorized := false
	for try := 1; ; try++ {
		authorization, err := c.authorization(ctx, request)
		if err != nil {
			return Answer{}, c.failure(ctx, request, err)
		}
		answer, err := c.attempt(ctx, request, authorization)
		if err == nil {
			return answer, nil
		}
		if StatusOf(err) == http.StatusUnauthorized && !reauthorized && c.refused(request, authorization) {
			reauthorized = true
			try--
			continue
		}
		if ctx.Err() != nil || !IsTransient(err) || tries == 1 {
			return Answer{}, c.failure(ctx, request, err)
		}
		if try >= tries {
			return Answer{}, c.failure(ctx, request, fmt.Errorf("given up after %d tries: %w", try, err))
		}
		c.options.Logger.WarnContext(ctx, "an upstream call failed and is tried again",
			slog.String("upstream", c.options.Upstream), slog.Int("attempt", try),
			slog.Any("err", c.failure(ctx, request, err)))
		if err := c.backOff(ctx, try, err); err != nil {
			return Answer{}, c.failure(ctx, request, err)
		}
	}
}

func (c *Client) authorization(ctx context.Context, request Request) (codex.Secret, error) {
	if request.Authorization != "" || c.options.Authorizer == nil {
		return request.Authorization, nil
	}
	return c.options.Authorizer.Authorization(ctx)
}

func (c *Client) refused(request Request, authorization codex.Secret) bool {
	return request.Authorization == "" && c.options.Authorizer != nil && c.options.Authorizer.Refused(authorization)
}

// backOff waits before the next try: exponentially longer each time, at random within the upper
// half so that callers who failed together do not come back together; and not before the time that
// the upstream named. A 429's own pause is the limiter's, and holds every caller.
func (c *Client) backOff(ctx context.Context, try int, err error) error {
	tuning := c.options.Tuning
	longest := min(tuning.Backoff<<(try-1), tuning.MaxBackoff)
	wait := longest/2 + rand.N(longest/2+1)
	var status *StatusError
	if errors.As(err, &status) && status.Status != http.StatusTooManyRequests {
		if status.RetryAfter > tuning.MaxRetryAfter {
			return err
		}
		wait = max(wait, status.RetryAfter)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure is err with what was being asked. A cancelled context shows as its own error, whatever it
// broke on the way.
func (c *Client) failure(ctx context.Context, request Request, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("%s: %s: %w", c.options.Upstream, request.endpoint(), err)
}
