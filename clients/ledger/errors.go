package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// Error is why Ledger did not do what it was asked for. It has a code of package codex behind it
// ([codex.CodeNotFound], [codex.CodeForbidden], [codex.CodeConflict] where somebody must do something
// first, else [codex.CodeUnavailable]) with Text as its message.
type Error struct {
	Account codex.AccountNumber // whose bill was asked for; empty where a bill was read
	Invoice string              // which bill was read; empty where one was asked for
	Status  int                 // of Ledger's answer; 0 where there was none that can be used
	// UsersOnly: Ledger takes no service token for that.
	UsersOnly bool
	// NeedsUser: it takes a user's token, and there is none that is good: somebody must start it as a
	// person, or an account must be configured. Asking again by itself mends nothing.
	NeedsUser bool
	// Transient: it may pass by itself. A bill that was asked for may have been made all the same. So are
	// no connection, a timeout, what was cut, HTML in place of an answer, 408, 429 and every 5xx. Ledger's
	// own {"success": false} with 500 is among them: it stands for a bill that cannot be made and for a
	// neighbour of Ledger's that did not answer just then alike.
	Transient bool
	Text      string // for people: what happened, in Ledger's own words where it has any, and what to do

	noToken bool // it was not asked, since there was no token to ask with
	err     error
}

// Error is Text with what it is about.
func (e *Error) Error() string { return e.subject().String() + ": " + e.Text }

// Unwrap gives the code and the cause to [errors.Is] and [errors.As].
func (e *Error) Unwrap() []error {
	code := codex.CodeUnavailable
	switch {
	case e.NeedsUser:
		code = codex.CodeConflict
	case e.Status == http.StatusNotFound:
		code = codex.CodeNotFound
	case e.Status == http.StatusForbidden:
		code = codex.CodeForbidden
	}
	causes := []error{&codex.Error{Code: code, Message: e.Error()}}
	if e.err != nil {
		causes = append(causes, e.err)
	}
	return causes
}

func (e *Error) subject() subject { return subject{e.Account, e.Invoice} }

// subject is what a call is about.
type subject struct {
	account codex.AccountNumber
	invoice string
}

func (s subject) String() string {
	if s.account != "" {
		return "account " + string(s.account)
	}
	return "bill " + s.invoice
}

func (s subject) errorf(status int, format string, args ...any) *Error {
	return &Error{Account: s.account, Invoice: s.invoice, Status: status, Text: fmt.Sprintf(format, args...)}
}

// failure makes the error of a call, but for the end of ctx, which stays what it is.
func failure(ctx context.Context, about subject, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("asking Ledger, %s: %w", about, context.Cause(ctx))
	}
	failed := about.errorf(transport.StatusOf(err), "Ledger cannot be asked: %s", strings.TrimPrefix(err.Error(), "ledger: "))
	failed.Transient, failed.err = transport.IsTransient(err), err
	var status *transport.StatusError
	if errors.As(err, &status) {
		failed.Text = fmt.Sprintf("Ledger answers %s", status)
		failed.UsersOnly = status.Status == http.StatusForbidden && isUsersOnly(status.Code+" "+status.Message)
	}
	var answer *transport.AnswerError
	if errors.As(err, &answer) {
		failed.Text = fmt.Sprintf("Ledger gives %s", answer)
	}
	return failed
}

// isUsersOnly tells Ledger's refusal of service tokens (docs/compatibility.md, "Ledger") from others.
func isUsersOnly(text string) bool { return strings.Contains(strings.ToLower(text), "for users only") }
