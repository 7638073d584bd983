package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hivematrix/codex"
)

const (
	// attemptTime is how long a receiver may take for all of its answer. One that has much to do answers
	// first.
	attemptTime = 10 * time.Second
	// maxAnswerBytes is read of an answer, of which people are shown some.
	maxAnswerBytes = 4 << 10
	// shownRunes is how much of an answer is shown.
	shownRunes = 200
)

// sender posts to one address.
type sender struct {
	address string
	secret  codex.Secret
	http    *http.Client
	now     func() time.Time
}

// newSender makes a sender; limit is how long an attempt may take.
func newSender(address string, secret codex.Secret, limit time.Duration, now func() time.Time) (*sender, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, codex.BadInput("[notify] url", "must be an http or https address") // the cause would hold the text
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("notify: http.DefaultTransport is another's")
	}
	transport = transport.Clone()
	// Events are rare: a connection that was kept would be one that the receiver has closed meanwhile, and
	// a POST on it fails.
	transport.DisableKeepAlives = true
	return &sender{address: address, secret: secret, now: now, http: &http.Client{
		Transport: transport,
		Timeout:   limit,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// answer is what a receiver said.
type answer struct {
	status int
	text   string // the beginning of its body, in one line
}

// taken tells whether the receiver has it.
func (a answer) taken() bool { return a.status >= 200 && a.status <= 299 }

// String is the answer for people.
func (a answer) String() string {
	said := fmt.Sprintf("it answered %d", a.status)
	if a.status >= 300 && a.status <= 399 {
		said += ", a redirect, which is not followed"
	}
	if a.text != "" {
		said += ": " + a.text
	}
	return said
}

// post is one attempt. The error is that of an answer that did not come whole; neither it nor the answer
// holds the secret or more of the address than its host.
func (s *sender) post(ctx context.Context, id string, kind Kind, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return answer{}, errors.New("the address cannot be asked") // the cause would hold it
	}
	at := s.now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "codex")
	request.Header.Set(HeaderEvent, string(kind))
	request.Header.Set(HeaderID, id)
	request.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(HeaderSignature, Signature(s.secret, at, body))
	response, err := s.http.Do(request)
	if err != nil {
		return answer{}, withoutAddress(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	got := answer{status: response.StatusCode, text: oneLine(string(text))}
	if err != nil && !got.taken() { // 2xx is said by the first line
		return answer{}, fmt.Errorf("it answered %d and not to the end: %w", got.status, withoutAddress(err))
	}
	return got, nil
}

// withoutAddress is err without the address that net/http puts in front.
func withoutAddress(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	if failed.Timeout() {
		return fmt.Errorf("it did not answer in time: %w", failed.Err)
	}
	return failed.Err
}

// oneLine is the beginning of a text, fit to be shown.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if utf8.RuneCountInString(text) > shownRunes {
		text = string([]rune(text)[:shownRunes]) + "…"
	}
	return text
}
