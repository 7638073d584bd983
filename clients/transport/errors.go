package transport

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
)

// StatusError is an answer that is no 2xx.
type StatusError struct {
	Upstream   string
	Endpoint   string // the path with its ids taken out
	Status     int
	Code       string        // the upstream's word for it, as "invalid_credentials"; often empty
	Message    string        // what the upstream says, shortened, without our secrets; often empty
	RetryAfter time.Duration // how long it asks to wait; for a 429 never zero by omission
}

// Error is the status and what the upstream says; who was asked stands in front of it already.
func (e *StatusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// AnswerError is a 2xx answer that cannot be used, or a body that never came whole.
type AnswerError struct {
	Reason    string
	Permanent bool // asking again gives the same
	Err       error
}

// Error is the reason, with its cause.
func (e *AnswerError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

// Unwrap gives the cause to [errors.Is] and [errors.As].
func (e *AnswerError) Unwrap() error { return e.Err }

// StatusOf is the HTTP status of the [StatusError] in err's chain, 0 where there is none.
func StatusOf(err error) int {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Status
	}
	return 0
}

// IsNotFound tells that the upstream knows nothing of what was asked for. A wrong domain answers the
// same, so that it proves a removal only beside answers that succeed.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound }

// IsUnauthorized tells that the upstream refuses our key: 401, 403 for want of a right, or OAuth's
// invalid_grant, which comes with 400.
func IsUnauthorized(err error) bool {
	var status *StatusError
	if !errors.As(err, &status) {
		return false
	}
	return status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden ||
		status.Code == "invalid_grant"
}

// IsTransient tells whether asking again may help: see the package documentation. It is not asked about
// nil, nor about the end of the caller's own context.
func IsTransient(err error) bool {
	for _, final := range []error{ErrOtherOrigin, errRedirects, ErrBlocked, errTooLong} {
		if errors.Is(err, final) {
			return false
		}
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return false
	}
	var status *StatusError
	if errors.As(err, &status) {
		return status.Status == http.StatusTooManyRequests || status.Status == http.StatusRequestTimeout ||
			status.Status >= 500
	}
	var answer *AnswerError
	if errors.As(err, &answer) {
		return !answer.Permanent
	}
	return true // the network's: broken connections, timeouts, names that do not resolve now
}

const maxErrorBody = 64 << 10

// refusal makes the error of an answer that is no 2xx, and lets the limiter know of throttling.
func (c *Client) refusal(response *http.Response, request Request, authorization codex.Secret, grant *grant) error {
	refused := &StatusError{
		Upstream: c.options.Upstream, Endpoint: request.endpoint(), Status: response.StatusCode,
		RetryAfter: retryAfter(response.Header, c.options.Now()),
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // the status says enough
	refused.Code, refused.Message = errorText(body)
	if isHTML(response.Header, body) {
		refused.Message = "an HTML page"
	}
	refused.Code, refused.Message = c.strike(refused.Code, authorization), c.strike(refused.Message, authorization)
	switch {
	case refused.Status == http.StatusTooManyRequests:
		if refused.RetryAfter < 0 {
			refused.RetryAfter = c.options.Tuning.RetryAfter
		}
		if refused.RetryAfter > c.options.Tuning.MaxRetryAfter {
			return fmt.Errorf("%w: %s: %w", errTooLong, refused.RetryAfter, refused)
		}
		grant.throttled(refused.RetryAfter)
	case refused.Status == http.StatusForbidden && c.options.BlocksAfter429:
		if blocked := grant.blocked(); blocked != nil {
			return fmt.Errorf("%w: %w", blocked, refused)
		}
	}
	refused.RetryAfter = max(refused.RetryAfter, 0)
	return refused
}

var errTooLong = errors.New("the upstream asks for a longer pause than a run can wait")

// retryAfter is what the header Retry-After asks for, in whole seconds or as an HTTP date; -1 where
// it asks for nothing. A date is taken against the upstream's own clock where that is told, so that
// a wrong clock on either side does not matter.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(at.Sub(now), 0)
}

func isHTML(header http.Header, body []byte) bool {
	return strings.HasPrefix(header.Get("Content-Type"), "text/html") ||
		strings.HasPrefix(strings.TrimSpace(string(body[:min(len(body), 64)])), "<")
}

// errorText finds code and message in the forms of error bodies that the upstreams document.
func errorText(body []byte) (code, message string) {
	var told struct {
		Code             any    `json:"code"`
		Error            any    `json:"error"`
		Message          string `json:"message"`
		Description      string `json:"description"`
		ErrorDescription string `json:"error_description"`
		Detail           string `json:"detail"` // of RFC 9457, as HiveMatrix's newer services answer
		Errors           []struct {
			Field   string `json:"field"`
			Message string `json:"message"`
			Code    string `json:"code"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(body, &told) // a body of another shape tells nothing; what fits is kept
	for _, word := range []any{told.Code, told.Error} {
		if text, ok := word.(string); ok && code == "" {
			code = text
		}
	}
	for _, text := range []string{told.Message, told.Description, told.ErrorDescription, told.Detail} {
		if message == "" {
			message = text
		}
	}
	for _, field := range told.Errors {
		message += fmt.Sprintf(" (%s: %s %s)", field.Field, field.Code, field.Message)
	}
	return code, strings.TrimSpace(message)
}

const maxMessage = 300

// strike takes our secrets out of text, the token of authorization too, folds its blanks and shortens it.
func (c *Client) strike(text string, authorization codex.Secret) string {
	_, token, _ := strings.Cut(authorization.Reveal(), " ") // behind its scheme
	for _, secret := range append([]codex.Secret{codex.Secret(token)}, c.options.Secrets...) {
		if secret != "" {
			text = strings.ReplaceAll(text, secret.Reveal(), secret.String())
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxMessage {
		return text
	}
	text = text[:maxMessage]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}
