package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/hivematrix/codex"
)

// attempt asks once, within the limiter and the deadline of an attempt.
func (c *Client) attempt(ctx context.Context, request Request, authorization codex.Secret) (Answer, error) {
	grant, err := c.options.Limiter.acquire(ctx, request)
	if err != nil {
		return Answer{}, err
	}
	defer grant.release()

	// The deadline covers the body too: an upstream that trickles bytes runs into it.
	within, cancel := context.WithTimeout(ctx, c.options.Tuning.Attempt)
	defer cancel()
	outgoing, err := c.build(within, request, authorization)
	if err != nil {
		return Answer{}, err
	}
	meterFrom(ctx).count()
	answer, err := c.exchange(outgoing, request, authorization, grant)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return Answer{}, fmt.Errorf("%w of %s", errSlow, c.options.Tuning.Attempt)
	}
	return answer, err
}

var errSlow = errors.New("no whole answer within the deadline")

func (c *Client) build(ctx context.Context, request Request, authorization codex.Secret) (*http.Request, error) {
	address := c.base.String() + request.Path
	if len(request.Query) > 0 {
		address += "?" + request.Query.Encode()
	}
	method, body, kind := http.MethodGet, io.Reader(nil), ""
	switch {
	case request.Form != nil:
		method, body, kind = http.MethodPost, strings.NewReader(request.Form.Encode()), "application/x-www-form-urlencoded"
	case request.JSON != nil:
		method, body, kind = http.MethodPost, bytes.NewReader(request.JSON), "application/json"
	}
	outgoing, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, plain(err)
	}
	accept := request.Media
	orElse(&accept, "application/json")
	outgoing.Header.Set("Accept", accept)
	outgoing.Header.Set("User-Agent", "codex")
	if kind != "" {
		outgoing.Header.Set("Content-Type", kind)
	}
	if authorization != "" {
		outgoing.Header.Set("Authorization", authorization.Reveal())
	}
	return outgoing, nil
}

func (c *Client) exchange(outgoing *http.Request, request Request, authorization codex.Secret, grant *grant) (Answer, error) {
	response, err := c.http.Do(outgoing)
	if err != nil {
		return Answer{}, plain(err)
	}
	defer func() { _ = response.Body.Close() }()
	c.follow(response, grant)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return Answer{}, c.refusal(response, request, authorization, grant)
	}
	body, err := c.readBody(response, request.Media)
	if err != nil {
		return Answer{}, err
	}
	if request.Check != nil {
		if err := request.Check(body); err != nil {
			return Answer{}, &AnswerError{Reason: "an answer that is not what was asked for", Err: err}
		}
	}
	return Answer{Status: response.StatusCode, Body: body, Header: response.Header}, nil
}

// follow lets the limiter know what an answer tells about the limits.
func (c *Client) follow(response *http.Response, grant *grant) {
	if c.options.Figures == nil {
		return
	}
	if figures, told := c.options.Figures(response.Header); told {
		grant.told(figures)
	} else if response.StatusCode < 300 {
		grant.toldNothing()
	}
}

// readBody reads the whole body of a 2xx answer, and makes sure that it is JSON to its end where no
// other media type was asked for.
func (c *Client) readBody(response *http.Response, media string) ([]byte, error) {
	limit := c.options.Tuning.MaxBody
	if response.ContentLength > limit {
		return nil, &AnswerError{Reason: fmt.Sprintf("an answer of more than %d bytes", limit), Permanent: true}
	}
	body, longer, err := c.readUpTo(response, limit)
	if err != nil {
		return nil, &AnswerError{Reason: "an answer that breaks off", Err: plain(err)}
	}
	switch {
	case longer:
		return nil, &AnswerError{Reason: fmt.Sprintf("an answer of more than %d bytes", limit), Permanent: true}
	case media == "" && json.Valid(body):
		return body, nil
	case isHTML(response.Header, body):
		orElse(&media, "JSON")
		return nil, &AnswerError{Reason: "an HTML page where " + media + " was asked for"}
	case len(body) == 0:
		return nil, &AnswerError{Reason: "an answer without a body"}
	case media != "":
		return body, nil
	}
	return nil, &AnswerError{Reason: "an answer that is no JSON, or ends too early"}
}

// largeBody is what answers may have at once, each of them. Real ones have less.
const (
	largeBody   = 4 << 20
	pieceOfBody = 1 << 20
)

// readUpTo reads at most limit bytes; nothing is told of what is longer but that it is. Answers that are
// larger than largeBody are read to their end one at a time and in pieces, so that an upstream that sends
// nothing but such ones does not fill the memory.
func (c *Client) readUpTo(response *http.Response, limit int64) (body []byte, longer bool, err error) {
	body, err = io.ReadAll(io.LimitReader(response.Body, min(limit+1, largeBody)))
	if err != nil || len(body) < largeBody {
		return body, int64(len(body)) > limit, err
	}
	select {
	case c.large <- struct{}{}:
		defer func() { <-c.large }()
	case <-response.Request.Context().Done():
		return nil, false, response.Request.Context().Err()
	}
	pieces, size := [][]byte{body}, int64(len(body))
	for size <= limit {
		var piece bytes.Buffer
		piece.Grow(pieceOfBody + bytes.MinRead) // so that it never grows by itself
		n, err := piece.ReadFrom(io.LimitReader(response.Body, pieceOfBody))
		if err != nil {
			return nil, false, err
		}
		pieces, size = append(pieces, piece.Bytes()), size+n
		if n < pieceOfBody {
			return bytes.Join(pieces, nil), size > limit, nil
		}
	}
	return nil, true, nil
}

// plain takes the URL off an error of net/http, since a query may hold what is nobody's business.
func plain(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
