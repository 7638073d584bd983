package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Fetcher reads a bill from a Ledger that keeps its bills itself (docs/compatibility.md, "Ledger"), in
// the name of person where that is not empty: the snapshot object and the CSV, which belong together.
type Fetcher interface {
	Fetch(ctx context.Context, person codex.Secret, invoice string) (object, csv []byte, err error)
}

// ParseFetched reads a bill as a Ledger that keeps its bills serves it: the snapshot object of
// docs/compatibility.md, "Archive", and the CSV. What is wrong with them is a [codex.CodeBadInput] error
// that names the key. The object's id and archived_at are that Ledger's own and are not taken over; it
// stands in the contents as it came.
func ParseFetched(object, csv []byte) (*Submission, error) {
	f, err := readObject(object)
	if err != nil {
		return nil, err
	}
	if err := f.missing([]string{
		"company_account_number", "billing_year", "billing_month", "invoice_number", "total_amount", "billing_data",
	}); err != nil {
		return nil, err
	}
	// The rest is as in the request, whose two keys of other names are these.
	f.values["billing_data_json"], f.values["invoice_csv"] = f.values["billing_data"], json.RawMessage(`""`)
	delete(f.values, "line_items")
	s := f.submission()
	s.Fetched, s.Body, s.DefaultCreatedBy = true, string(object), false
	switch text := string(csv); {
	case len(csv) > MaxBodyBytes:
		f.fail("invoice_csv", fmt.Errorf("it has more than %d bytes", MaxBodyBytes))
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		f.fail("invoice_csv", errors.New("it is no text in UTF-8"))
	default:
		s.CSV = text
	}
	if f.err != nil {
		return nil, f.err
	}
	return s, nil
}

// wrong is what is wrong with a bill, with its key, for people.
func wrong(err error) string {
	bad, ok := errors.AsType[*codex.Error](err)
	switch {
	case !ok:
		return err.Error()
	case bad.Field == "":
		return bad.Message
	}
	return bad.Field + ": " + bad.Message
}

// AcceptFetched stores a bill that Ledger keeps, as [ParseFetched] reads it, or tells that it is there
// already, as [Archive.Accept] does. One that differs from what is there is not stored but by
// [Archive.Refetch], or where the bill is reopened. Where it is, and Ledger still has what was reopened,
// nothing is stored either, and the error is a [codex.CodeConflict] one, since services find no bill then;
// so is that of a bill which cannot be archived.
func (a *Archive) AcceptFetched(ctx context.Context, object, csv []byte, by codex.Caller) (*Accepted, error) {
	s, err := ParseFetched(object, csv)
	if err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "Ledger's bill cannot be archived: %s", wrong(err))
	}
	accepted, err := a.take(ctx, s, by, func(_ context.Context, _ *store.Tx, there *revision) (bool, error) {
		if there.open && len(there.differing) == 0 {
			return false, codex.Errorf(codex.CodeConflict,
				"the bill %s is reopened, and Ledger still has it as it was: correct it there, or close it", s.InvoiceNumber)
		}
		return there.open, nil
	})
	if err == nil && !accepted.Existing {
		accepted.Differing = nil
	}
	return accepted, err
}

// Refetched is what became of a bill that was read from Ledger once more.
type Refetched struct {
	Snapshot *ent.Snapshot // the newest revision
	// Unchanged: Ledger has what the newest revision says, and nothing was stored.
	Unchanged bool
	// Differing are the keys whose values are others in the revision that was stored than in the one
	// before, in the documents' order; none of a bill that was not archived yet.
	Differing []string
}

// Refetch reads a bill from Ledger and stores it as its next revision where it differs from the newest
// one: the reopening, with reason, and the revision in one transaction. A bill that is not archived yet is
// its first revision, and one that is open already keeps the reason that it was opened with.
//
// An empty reason is [codex.CodeBadInput]; without a Ledger it is [codex.CodeConflict]; what Ledger says,
// or that it does not answer, is the error of the [Fetcher], and nothing has happened.
func (a *Archive) Refetch(ctx context.Context, invoice, reason string, by codex.Caller) (*Refetched, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	if a.o.Ledger == nil {
		return nil, codex.Errorf(codex.CodeConflict, "no Ledger is configured: [services] ledger_url has its address")
	}
	object, csv, err := a.o.Ledger.Fetch(ctx, codex.PersonTokenFrom(ctx), invoice)
	if err != nil {
		return nil, fmt.Errorf("reading the bill %s from Ledger: %w", invoice, err)
	}
	s, err := ParseFetched(object, csv)
	if err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "Ledger's bill %s cannot be archived: %s", invoice, wrong(err))
	}
	if s.InvoiceNumber != invoice {
		return nil, codex.Errorf(codex.CodeUnavailable, "Ledger gave the bill %s for %s", s.InvoiceNumber, invoice)
	}
	corrected := false
	accepted, err := a.take(ctx, s, by, func(ctx context.Context, tx *store.Tx, there *revision) (bool, error) {
		corrected = false // the transaction may run again
		if len(there.differing) == 0 || there.open {
			return len(there.differing) > 0, nil
		}
		corrected = true
		_, err := a.writeEvent(ctx, tx, there.Snapshot, eventReopened, reason, by)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if corrected {
		a.logger.InfoContext(ctx, "bill corrected", slog.String("event", "refetched"), slog.String("account_number", string(s.AccountNumber)),
			slog.String("invoice_number", invoice), slog.Int("revision", accepted.Snapshot.Revision), slog.String("by", by.Name))
	}
	return &Refetched{Snapshot: accepted.Snapshot, Unchanged: accepted.Existing, Differing: accepted.Differing}, nil
}
