package archive

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/billevent"
	"github.com/hivematrix/codex/store"
)

// Kinds of events.
const (
	eventReopened = "reopened"
	eventClosed   = "closed"
)

// Reopen says in the log that a bill is wrong: services no longer find it, and the next bill with its
// number is its next revision. The revision itself stays as it is. It gives the one that is open now.
//
// A bill that is not there is [codex.CodeNotFound], one that is open [codex.CodeConflict], an empty
// reason [codex.CodeBadInput].
func (a *Archive) Reopen(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	return a.happen(ctx, eventReopened, invoice, reason, by)
}

// Close withdraws a reopening: the bill stands as it was. A bill that is not open is
// [codex.CodeConflict], one that is not there [codex.CodeNotFound].
func (a *Archive) Close(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error) {
	return a.happen(ctx, eventClosed, invoice, reason, by)
}

// checkReason refuses a reason that says nothing.
func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return codex.BadInput("reason", "say why: it stands in the log for ever")
	}
	return checkText(reason)
}

func checkText(reason string) error {
	if !utf8.ValidString(reason) || strings.IndexByte(reason, 0) >= 0 || utf8.RuneCountInString(reason) > maxText {
		return codex.BadInput("reason", "give a text of at most %d characters", maxText)
	}
	return nil
}

func (a *Archive) happen(ctx context.Context, kind, invoice, reason string, by codex.Caller) (*ent.Snapshot, error) {
	if err := checkText(reason); err != nil {
		return nil, err
	}
	var bill *ent.Snapshot
	var index int64 // of its leaf
	err := a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Raise(ctx, Entity)
		if err != nil {
			return err
		}
		if bill, err = newestRevision(ctx, tx, invoice); err != nil {
			return err
		}
		if bill == nil {
			return errNoBill()
		}
		open, err := isOpen(ctx, tx, bill)
		if err != nil {
			return err
		}
		if open == (kind == eventReopened) {
			return codex.Errorf(codex.CodeConflict, "the bill %s is %s already", invoice, map[bool]string{true: "open", false: "closed"}[open])
		}
		index, err = a.writeEvent(ctx, tx, bill, kind, reason, by)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the bill %s is to be %s: %w", invoice, kind, err)
	}
	a.logger.InfoContext(ctx, "bill corrected", slog.String("event", kind), slog.String("account_number", string(bill.CompanyAccountNumber)),
		slog.String("invoice_number", invoice), slog.Int("revision", bill.Revision), slog.String("by", by.Name))
	a.signAppended(ctx, index)
	return bill, nil
}

// writeEvent stores what happened to a bill, and its leaf, whose index it gives.
func (a *Archive) writeEvent(ctx context.Context, tx *store.Tx, bill *ent.Snapshot, kind, reason string, by codex.Caller) (index int64, err error) {
	id, err := nextID(ctx, tx, "bill_events")
	if err != nil {
		return 0, err
	}
	log, err := a.mayAppend(ctx, tx)
	if err != nil {
		return 0, err
	}
	var leaf proof.Leaf = proof.Reopening{
		InvoiceNumber: bill.InvoiceNumber, Revision: int64(bill.Revision), Reason: reason, By: by.Name, LoggedAt: tx.Now(),
	}
	if kind == eventClosed {
		leaf = proof.Closing{
			InvoiceNumber: bill.InvoiceNumber, Revision: int64(bill.Revision), Reason: reason, By: by.Name, LoggedAt: tx.Now(),
		}
	}
	if err := log.append(ctx, tx, leaf); err != nil {
		return 0, err
	}
	return log.head.Size, tx.Ent().BillEvent.Create().SetID(id).SetInvoiceNumber(bill.InvoiceNumber).SetRevision(bill.Revision).
		SetKind(kind).SetReason(reason).SetDoneBy(by.Name).SetDoneAt(tx.Now()).SetLeafIndex(log.head.Size).Exec(ctx)
}

// isOpen tells whether the last that happened to a revision is that it was reopened.
func isOpen(ctx context.Context, tx *store.Tx, bill *ent.Snapshot) (bool, error) {
	last, err := tx.Ent().BillEvent.Query().
		Where(billevent.InvoiceNumber(bill.InvoiceNumber), billevent.Revision(bill.Revision)).
		Order(billevent.ByID(sql.OrderDesc())).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading whether a bill is open: %w", err)
	}
	return last.Kind == eventReopened, nil
}
