package ledger

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/clients/transport"
)

// DeskOptions are what a [Desk] is made of.
type DeskOptions struct {
	Client *Client
	// Service gives service tokens for Ledger (clients/core, For("ledger")); nil without Core.
	Service transport.Authorizer
	// Account gives the token of the configured account (clients/core, ForUser); nil where there is none.
	Account transport.Authorizer
	Now     func() time.Time
}

// Desk asks Ledger with the token that it takes; see the package documentation. It is safe for
// concurrent use.
type Desk struct {
	o DeskOptions
	// Until when Ledger is known to take no service token, in Unix seconds: where bills are accepted, and
	// where they are read, which are different matters to it.
	acceptsUsersOnly, readsUsersOnly atomic.Int64
}

const (
	remembered = 10 * time.Minute
	// endsSoon is too short a rest of a person's token to begin a call with.
	endsSoon = 30 * time.Second
)

// NewDesk is a desk.
func NewDesk(o DeskOptions) *Desk { return &Desk{o: o} }

// Accept is [Client.Accept] with a service token, the token of person (of Core; empty where nobody
// started it, or nobody whom Core knows) or the configured account's, in this order.
func (d *Desk) Accept(ctx context.Context, person codex.Secret, account codex.AccountNumber, period codex.Period, notes string) (accepted Accepted, err error) {
	err = d.ask(ctx, &d.acceptsUsersOnly, person, subject{account: account}, func(token codex.Secret) error {
		accepted, err = d.o.Client.Accept(ctx, token, account, period, notes)
		return err
	})
	return accepted, err
}

// Snapshot is [Client.Snapshot] with a token as for Accept.
func (d *Desk) Snapshot(ctx context.Context, person codex.Secret, invoice string) (object []byte, err error) {
	err = d.ask(ctx, &d.readsUsersOnly, person, subject{invoice: invoice}, func(token codex.Secret) error {
		object, err = d.o.Client.Snapshot(ctx, token, invoice)
		return err
	})
	return object, err
}

// CSV is [Client.CSV] with a token as for Accept.
func (d *Desk) CSV(ctx context.Context, person codex.Secret, invoice string) (csv []byte, err error) {
	err = d.ask(ctx, &d.readsUsersOnly, person, subject{invoice: invoice}, func(token codex.Secret) error {
		csv, err = d.o.Client.CSV(ctx, token, invoice)
		return err
	})
	return csv, err
}

// Fetch is Snapshot and CSV. Ledger may have corrected the bill between the two, so the object is read
// again behind the CSV, and must be the same: what is given belongs together.
func (d *Desk) Fetch(ctx context.Context, person codex.Secret, invoice string) (object, csv []byte, err error) {
	if object, err = d.Snapshot(ctx, person, invoice); err != nil {
		return nil, nil, err
	}
	for range fetchTries {
		if csv, err = d.CSV(ctx, person, invoice); err != nil {
			return nil, nil, err
		}
		again, err := d.Snapshot(ctx, person, invoice)
		if err != nil {
			return nil, nil, err
		}
		if string(again) == string(object) {
			return object, csv, nil
		}
		object = again
	}
	moving := subject{invoice: invoice}.errorf(0, "Ledger gives another bill each time that it is asked for it")
	moving.Transient = true
	return nil, nil, moving
}

const fetchTries = 3

// ask calls with one token after the other, until Ledger takes one or refuses in earnest.
func (d *Desk) ask(ctx context.Context, usersOnly *atomic.Int64, person codex.Secret, about subject, call func(codex.Secret) error) error {
	hasUser := person != "" || d.o.Account != nil
	needs := about.errorf(0, "") // what is the error where nobody is left to ask as
	needs.NeedsUser = true
	what := "start the run as a person"

	switch knows := d.o.Now().Unix() < usersOnly.Load(); {
	case d.o.Service == nil:
		needs.Text = "Ledger takes tokens of Core alone, and no Core is configured ([core] url)"
	case knows && hasUser:
		needs.Text, needs.UsersOnly = wantsUsers, true
	default:
		err := askAs(ctx, d.o.Service, "no service token for Ledger is to be had", about, call)
		failed := asError(err)
		if failed == nil || failed.Status != http.StatusForbidden && !(failed.noToken && hasUser) {
			return err
		}
		needs.Text, needs.Status, needs.UsersOnly, needs.err = failed.Text, failed.Status, failed.UsersOnly, err
		if failed.UsersOnly {
			needs.Text = wantsUsers
			usersOnly.Store(d.o.Now().Add(remembered).Unix())
		}
	}
	if person != "" {
		what = "start it again as a person"
		if needs.Text = d.ended(person); needs.Text == "" {
			err := call(person)
			failed := asError(err)
			if failed == nil || failed.Status != http.StatusUnauthorized {
				return err
			}
			needs.Text = "the token of the person who started this is not good any more, " + failed.Text
			needs.Status, needs.err = failed.Status, err
		}
	}
	if d.o.Account != nil {
		return askAs(ctx, d.o.Account, "the account of [keycloak] cannot be used", about, call)
	}
	needs.Text += "; " + what + ", or configure [keycloak]"
	return needs
}

const wantsUsers = `Ledger answers a service token with "users only"`

// askAs calls with a token of from, and once more with another where Ledger says that it is not good.
func askAs(ctx context.Context, from transport.Authorizer, otherwise string, about subject, call func(codex.Secret) error) error {
	for again := true; ; again = false {
		value, err := from.Authorization(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return failure(ctx, about, err)
			}
			failed := about.errorf(0, "%s: %v", otherwise, err)
			failed.noToken, failed.Transient, failed.err = true, transport.IsTransient(err), err
			return failed
		}
		_, token, _ := strings.Cut(value.Reveal(), " ")
		err = call(codex.Secret(token))
		failed := asError(err)
		if failed == nil || failed.Status != http.StatusUnauthorized || !from.Refused(value) || !again {
			return err
		}
	}
}

// ended says for people that a person's token has ended, or will before a call has; else it is empty. A
// token that does not tell is left to Ledger.
func (d *Desk) ended(person codex.Secret) string {
	ends, err := core.ExpiryOf(person)
	if err != nil || ends.Sub(d.o.Now()) > endsSoon {
		return ""
	}
	return "the token of the person who started this ends at " + ends.UTC().Format(time.RFC3339) + ", too soon to ask Ledger with it"
}

// asError is the [*Error] in err's chain, nil where there is none.
func asError(err error) *Error {
	var failed *Error
	errors.As(err, &failed)
	return failed
}
