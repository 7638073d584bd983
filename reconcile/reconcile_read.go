package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/billeditem"
	"github.com/hivematrix/codex/ent/billedticket"
	"github.com/hivematrix/codex/ent/derivedbill"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// readFacts reads all that a month is reconciled from, as it was at one moment: a statement or two for
// each table, however many bills there are and however much they are for.
func (r *Reconciler) readFacts(ctx context.Context, tx *store.Tx, period codex.Period) (facts ReconcileFacts, err error) {
	facts = ReconcileFacts{Period: period, Now: r.o.Now().UTC()}
	if facts.Bills, err = readBills(ctx, tx, period); err != nil {
		return facts, err
	}
	of := make(map[codex.AccountNumber]*CompanyFact)
	from := period.End()
	if facts.Now.Before(from) {
		from = facts.Now
	}
	for _, bill := range facts.Bills {
		of[bill.Account] = &CompanyFact{Account: bill.Account}
		for _, ended := range bill.Runs {
			if ended.Before(from) {
				from = ended
			}
		}
	}
	if facts.Companies, err = readCompaniesSeen(ctx, tx); err != nil {
		return facts, err
	}
	for account := range facts.Companies {
		of[account] = &CompanyFact{Account: account}
	}
	if err := readLastBills(ctx, tx, period, of); err != nil {
		return facts, err
	}
	facts.Last = make(map[codex.AccountNumber]*LastBill, len(of))
	for account, company := range of {
		if company.Last != nil {
			facts.Last[account] = company.Last
		}
	}
	return facts, r.readSeen(ctx, tx, &facts, from)
}

// readBills reads the bills of a month that stand, with what they are for.
func readBills(ctx context.Context, tx *store.Tx, period codex.Period) ([]BillFact, error) {
	rows, err := tx.Ent().Snapshot.Query().Where(archive.Current,
		snapshot.BillingYear(period.Year), snapshot.BillingMonth(int(period.Month))).Order(snapshot.ByID()).
		Select(snapshot.FieldInvoiceNumber, snapshot.FieldCompanyAccountNumber, snapshot.FieldCompanyName,
			snapshot.FieldArchivedAt, snapshot.FieldRuns).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the bills of the month: %w", err)
	}
	bills := make([]BillFact, len(rows))
	ids, place := make([]int, len(rows)), make(map[int]*BillFact, len(rows))
	for i, row := range rows {
		bills[i] = BillFact{
			ID: row.ID, Invoice: row.InvoiceNumber, Account: row.CompanyAccountNumber, Name: row.CompanyName,
			AcceptedAt: row.ArchivedAt.UTC(),
		}
		ids[i], place[row.ID] = row.ID, &bills[i]
	}
	if err := readRuns(ctx, tx, rows, place); err != nil {
		return nil, err
	}
	return bills, readBilledFor(ctx, tx, ids, place)
}

// readRuns reads when the runs ended that bills were made from.
func readRuns(ctx context.Context, tx *store.Tx, rows []*ent.Snapshot, bills map[int]*BillFact) error {
	named := make(map[int]map[codex.Feed]codex.RunID, len(rows))
	var ids []codex.RunID
	for _, row := range rows {
		var runs map[codex.Feed]codex.RunID
		if err := json.Unmarshal([]byte(row.Runs), &runs); err != nil {
			return fmt.Errorf("the runs of bill %d: %w", row.ID, err)
		}
		named[row.ID] = runs
		for _, id := range runs {
			ids = append(ids, id)
		}
	}
	runs, err := tx.Ent().SyncRun.Query().Where(store.KeyIn(syncrun.FieldID, ids), syncrun.EndedAtNotNil()).
		Select(syncrun.FieldEndedAt).All(ctx)
	if err != nil {
		return fmt.Errorf("reading the runs of bills: %w", err)
	}
	ended := make(map[codex.RunID]time.Time, len(runs))
	for _, run := range runs {
		ended[run.ID] = run.EndedAt.UTC()
	}
	for id, bill := range bills {
		bill.Runs = make(map[codex.Feed]time.Time)
		for feed, run := range named[id] {
			if at, known := ended[run]; known {
				bill.Runs[feed] = at
			}
		}
	}
	return nil
}

// readBilledFor reads what bills are for.
func readBilledFor(ctx context.Context, tx *store.Tx, ids []int, bills map[int]*BillFact) error {
	derived, err := tx.Ent().DerivedBill.Query().Where(store.KeyIn(derivedbill.FieldID, ids)).All(ctx)
	if err != nil {
		return fmt.Errorf("reading what bills are for: %w", err)
	}
	if len(derived) < len(ids) {
		return errUnread
	}
	for _, row := range derived {
		bill := bills[row.ID]
		bill.Source, bill.Problem = Source(row.Source), valueOf(row.Problem)
		if bill.Rates, err = RatesOf(row); err != nil {
			return err
		}
	}
	items, err := tx.Ent().BilledItem.Query().Where(store.KeyIn(billeditem.FieldSnapshotID, ids)).Order(billeditem.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("reading what was billed: %w", err)
	}
	for _, row := range items {
		bill := bills[row.SnapshotID]
		bill.Lines = append(bill.Lines, ItemLine{
			Kind: row.Kind, ID: row.ItemID, Name: row.Name, Type: row.BilledType,
			Quantity: row.QuantityE4, Rate: row.RateE4, Amount: row.AmountCents,
			Unread: row.Unread, ByName: row.ToldByName, Backup: row.BackupBytes,
		})
	}
	tickets, err := tx.Ent().BilledTicket.Query().Where(store.KeyIn(billedticket.FieldSnapshotID, ids)).Order(billedticket.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("reading tickets that were billed: %w", err)
	}
	for _, row := range tickets {
		bill := bills[row.SnapshotID]
		bill.Tickets = append(bill.Tickets, TicketLine{ID: row.TicketID, Number: row.TicketNumber, Subject: row.Subject, Hours: row.HoursE4})
	}
	return nil
}

// otherThan tells the bills of other months.
func otherThan(period codex.Period) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.Or(
			sql.NEQ(s.C(snapshot.FieldBillingYear), period.Year), sql.NEQ(s.C(snapshot.FieldBillingMonth), int(period.Month)),
		))
	}
}

// readNext reads when the runs ended that the bills of the next month were made from. Of several the
// newest counts.
func readNext(ctx context.Context, tx *store.Tx, period codex.Period) (map[codex.AccountNumber]map[codex.Feed]time.Time, error) {
	after := codex.PeriodOf(period.End())
	rows, err := tx.Ent().Snapshot.Query().Where(archive.Current,
		snapshot.BillingYear(after.Year), snapshot.BillingMonth(int(after.Month))).Order(snapshot.ByID()).
		Select(snapshot.FieldCompanyAccountNumber, snapshot.FieldRuns).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the next bills: %w", err)
	}
	bills := make(map[int]*BillFact, len(rows))
	for _, row := range rows {
		bills[row.ID] = &BillFact{}
	}
	if err := readRuns(ctx, tx, rows, bills); err != nil {
		return nil, err
	}
	next := make(map[codex.AccountNumber]map[codex.Feed]time.Time, len(rows))
	for _, row := range rows {
		next[row.CompanyAccountNumber] = bills[row.ID].Runs
	}
	return next, nil
}

// readEnded reads when the hub had first seen what a month ended with.
func readEnded(ctx context.Context, tx *store.Tx, period codex.Period) (map[codex.Feed]time.Time, error) {
	ended := make(map[codex.Feed]time.Time)
	for _, feed := range codex.Feeds() {
		run, err := tx.Ent().SyncRun.Query().Where(syncrun.FeedEQ(feed), syncrun.StateEQ(codex.RunSucceeded),
			syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread), syncrun.StartedAtGTE(period.End()), syncrun.EndedAtGTE(period.End())). // the index has the end
			Order(syncrun.ByEndedAt(), syncrun.ByID()).Select(syncrun.FieldEndedAt).First(ctx)
		switch {
		case ent.IsNotFound(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("reading the first run of %s after the month: %w", feed, err)
		}
		ended[feed] = run.EndedAt.UTC()
	}
	return ended, nil
}
