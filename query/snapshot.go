package query

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/billevent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotcontent"
	"github.com/hivematrix/codex/ent/snapshotitem"
	"github.com/hivematrix/codex/store"
)

// Snapshot is a revision of the archived bill with that invoice number; 0 is the newest one, unless it is
// reopened. What there is not is a [codex.CodeNotFound] error.
func (r *Reader) Snapshot(ctx context.Context, invoice string, revision int, columns ...string) (*ent.Snapshot, error) {
	q := r.client.Snapshot.Query().Where(snapshot.InvoiceNumber(invoice))
	if revision == 0 {
		q.Where(CurrentSnapshots)
	} else {
		q.Where(snapshot.Revision(revision))
	}
	if columns := withBill(columns); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("bill", invoice)
	case err != nil:
		return nil, fmt.Errorf("reading the bill %s: %w", invoice, err)
	}
	return found, nil
}

// withBill are columns and those by which the edges of a bill are read.
func withBill(columns []string) []string {
	return with(columns, snapshot.FieldInvoiceNumber, snapshot.FieldRevision, snapshot.FieldCompanyAccountNumber)
}

// Snapshots is a page of those revisions of archived bills that list wants, the newest archived first where
// it does not say otherwise.
func (r *Reader) Snapshots(ctx context.Context, page Page, list List, which Revisions, columns ...string) (*PageOf[*ent.Snapshot], error) {
	of := func(v view) entity { return v.snapshots(which) }
	return pageOf(view{}, of, page, list, func(limit int, wanted, sort func(*sql.Selector)) ([]*ent.Snapshot, error) {
		q := r.client.Snapshot.Query().Where(which.wanted, wanted).Order(sort).Limit(limit)
		if columns := withBill(columns); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountSnapshots is how many of those revisions filter wants.
func (r *Reader) CountSnapshots(ctx context.Context, filter Filter, which Revisions) (int, error) {
	of := func(v view) entity { return v.snapshots(which) }
	return countOf(view{}, of, filter, func(wanted func(*sql.Selector)) (int, error) {
		return r.client.Snapshot.Query().Where(which.wanted, wanted).Count(ctx)
	})
}

// SnapshotsByCompany are those revisions of each account number's bills that edge wants.
func (r *Reader) SnapshotsByCompany(ctx context.Context, accounts []codex.AccountNumber, which Revisions, edge Edge, columns ...string) (map[codex.AccountNumber][]*ent.Snapshot, error) {
	v := view{}
	wanted, sort, err := edgeOf(v, v.snapshots(which), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	q := r.client.Snapshot.Query().Where(which.wanted, wanted).Order(sort)
	if columns := withBill(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading bills by company: %w", err)
	}
	return groupBy(rows, func(s *ent.Snapshot) codex.AccountNumber { return s.CompanyAccountNumber }), nil
}

// SnapshotsByInvoice are all revisions of each bill, the first one first.
func (r *Reader) SnapshotsByInvoice(ctx context.Context, invoices []string, columns ...string) (map[string][]*ent.Snapshot, error) {
	q := r.client.Snapshot.Query().Where(keyIn[predicate.Snapshot](snapshot.FieldInvoiceNumber, invoices)).
		Order(snapshot.ByRevision())
	if columns := withBill(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the revisions of bills: %w", err)
	}
	return groupBy(rows, func(s *ent.Snapshot) string { return s.InvoiceNumber }), nil
}

// SnapshotLines are those of the lines of each bill that edge wants.
func (r *Reader) SnapshotLines(ctx context.Context, bills []int, edge Edge, columns ...string) (map[int][]*ent.SnapshotItem, error) {
	v := view{}
	wanted, sort, err := edgeOf(v, v.snapshotLines(), edge, snapshotitem.FieldSnapshotID, nil, bills, store.KeyIn(snapshotitem.FieldSnapshotID, bills))
	if err != nil {
		return nil, err
	}
	q := r.client.SnapshotItem.Query().Where(wanted).Order(sort)
	if columns := with(columns, snapshotitem.FieldSnapshotID); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the lines of bills: %w", err)
	}
	return groupBy(rows, func(line *ent.SnapshotItem) int { return line.SnapshotID }), nil
}

// SnapshotContents are the contents of a name of each bill; one that has none is absent.
func (r *Reader) SnapshotContents(ctx context.Context, bills []int, name string) (map[int]*string, error) {
	rows, err := r.client.SnapshotContent.Query().
		Where(snapshotcontent.Name(name), keyIn[predicate.SnapshotContent](snapshotcontent.FieldSnapshotID, bills)).
		Select(snapshotcontent.FieldSnapshotID, snapshotcontent.FieldContent).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the %s of bills: %w", name, err)
	}
	contents := make(map[int]*string, len(rows))
	for _, row := range rows {
		contents[row.SnapshotID] = &row.Content
	}
	return contents, nil
}

// DifferingContents are those of the names whose contents two bills do not have alike to the last letter, or
// that only one of them has, in the order of names.
func (r *Reader) DifferingContents(ctx context.Context, from, to int, names ...string) ([]string, error) {
	rows, err := r.client.SnapshotContent.Query().
		Where(snapshotcontent.NameIn(names...), snapshotcontent.SnapshotIDIn(from, to)).
		Select(snapshotcontent.FieldSnapshotID, snapshotcontent.FieldName, snapshotcontent.FieldContent).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("comparing the contents of bills: %w", err)
	}
	contents := map[int]map[string]*string{from: {}, to: {}}
	for _, row := range rows {
		contents[row.SnapshotID][row.Name] = &row.Content
	}
	differing := []string{}
	for _, name := range names {
		if !sameText(contents[from][name], contents[to][name]) {
			differing = append(differing, name)
		}
	}
	return differing, nil
}

// BillEvents are what happened to each bill, whichever of its revisions, in that order.
func (r *Reader) BillEvents(ctx context.Context, invoices []string) (map[string][]*ent.BillEvent, error) {
	rows, err := r.client.BillEvent.Query().Where(keyIn[predicate.BillEvent](billevent.FieldInvoiceNumber, invoices)).
		Order(billevent.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what happened to bills: %w", err)
	}
	return groupBy(rows, func(e *ent.BillEvent) string { return e.InvoiceNumber }), nil
}

// Standing is how a revision of a bill stands.
type Standing struct {
	Newest bool // the bill has none after it
	Open   bool // it is reopened, and no revision has followed yet
}

// Current tells whether services are served the revision.
func (s Standing) Current() bool { return s.Newest && !s.Open }

// Standings are how revisions stand, by their ids.
func (r *Reader) Standings(ctx context.Context, bills []int) (map[int]Standing, error) {
	var rows []struct {
		ID       int `sql:"id"`
		Newest   int `sql:"newest"`
		Reopened int `sql:"reopened"`
	}
	err := r.client.Snapshot.Query().Where(keyIn[predicate.Snapshot](snapshot.FieldID, bills)).Modify(func(s *sql.Selector) {
		s.Select(s.C(snapshot.FieldID)).
			AppendSelectExprAs(sql.Raw("CASE WHEN "+newest(s)+" THEN 1 ELSE 0 END"), "newest").
			AppendSelectExprAs(sql.Raw("CASE WHEN "+reopened(s)+" THEN 1 ELSE 0 END"), "reopened")
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("reading how bills stand: %w", err)
	}
	standings := make(map[int]Standing, len(rows))
	for _, row := range rows {
		standings[row.ID] = Standing{Newest: row.Newest == 1, Open: row.Newest == 1 && row.Reopened == 1}
	}
	return standings, nil
}

// PeriodOfSnapshot is the month of UTC that a bill is for.
func PeriodOfSnapshot(s *ent.Snapshot) codex.Period {
	return codex.Period{Year: s.BillingYear, Month: time.Month(s.BillingMonth)}
}

// SnapshotRun is the newest succeeded run of a feed when a bill was accepted.
type SnapshotRun struct {
	Feed  codex.Feed
	RunID codex.RunID
}

// SnapshotRuns are what a bill's column runs says, in the order of the feeds.
func SnapshotRuns(text string) ([]*SnapshotRun, error) {
	var byFeed map[codex.Feed]codex.RunID
	if err := json.Unmarshal([]byte(text), &byFeed); err != nil {
		return nil, fmt.Errorf("reading the runs of a bill: %w", err)
	}
	runs := make([]*SnapshotRun, 0, len(byFeed))
	for _, feed := range codex.Feeds() {
		if id, there := byFeed[feed]; there {
			runs = append(runs, &SnapshotRun{Feed: feed, RunID: id})
		}
	}
	return runs, nil
}
