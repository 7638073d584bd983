package archive

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotcontent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// Bill is a revision of a bill with what it was made of.
type Bill struct {
	*ent.Snapshot
	BillingData string  // a JSON object, as sent
	CSV         string  // as sent
	Notes       *string // nil where there are none
}

func errNoBill() error { return codex.Errorf(codex.CodeNotFound, "Snapshot not found") }

// Get gives a revision of a bill; 0 is the newest one, unless it is open. What there is not is
// [codex.CodeNotFound].
func (a *Archive) Get(ctx context.Context, invoice string, revision int) (*Bill, error) {
	var bill *Bill
	err := a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := findRevision(ctx, tx, invoice, revision)
		if err != nil {
			return err
		}
		contents, err := readContents(ctx, tx.Ent(), row.ID, proof.BillingData, proof.CSV, proof.Notes)
		if err != nil {
			return err
		}
		bill = &Bill{Snapshot: row, BillingData: contents[proof.BillingData], CSV: contents[proof.CSV]}
		if notes, there := contents[proof.Notes]; there {
			bill.Notes = &notes
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the bill %s: %w", invoice, err)
	}
	return bill, nil
}

// Filter is which bills are searched for. What is zero is not asked about.
type Filter struct {
	Account codex.AccountNumber
	Year    int
	Month   int
	From    *codex.Day // archived on that day or later
	To      *codex.Day // archived on that day or earlier
}

// Search gives one page of the bills that are served, newest archived first, and how many there are in
// all. Of each bill the newest revision is found, and none that is open.
func (a *Archive) Search(ctx context.Context, filter Filter, limit, offset int) (rows []*ent.Snapshot, total int, err error) {
	err = a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		query := tx.Ent().Snapshot.Query().Where(notOpen)
		if filter.Account != "" {
			query.Where(snapshot.CompanyAccountNumber(filter.Account))
		}
		if filter.Year != 0 {
			query.Where(snapshot.BillingYear(filter.Year))
		}
		if filter.Month != 0 {
			query.Where(snapshot.BillingMonth(filter.Month))
		}
		if filter.From != nil {
			query.Where(snapshot.ArchivedAtGTE(filter.From.Start()))
		}
		if filter.To != nil {
			// Its last instant, and not the next day's first, which may lie beyond the year 9999.
			query.Where(snapshot.ArchivedAtLTE((*filter.To + 1).Start().Add(-time.Microsecond)))
		}
		if total, err = query.Clone().Count(ctx); err != nil {
			return err
		}
		if limit == 0 { // which is no limit to ent
			return nil
		}
		rows, err = query.Order(snapshot.ByArchivedAt(sql.OrderDesc()), snapshot.ByID(sql.OrderDesc())).
			Limit(limit).Offset(offset).All(ctx)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("searching bills: %w", err)
	}
	return rows, total, nil
}

// ByCompany gives the bills of an account number that are served, newest billing month first. An
// account number that nobody has, has none.
func (a *Archive) ByCompany(ctx context.Context, account codex.AccountNumber) ([]*ent.Snapshot, error) {
	rows, err := a.db.Ent().Snapshot.Query().Where(notOpen, snapshot.CompanyAccountNumber(account)).
		Order(snapshot.ByBillingYear(sql.OrderDesc()), snapshot.ByBillingMonth(sql.OrderDesc()),
			snapshot.ByArchivedAt(sql.OrderDesc()), snapshot.ByID(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the bills of %s: %w", account, err)
	}
	return rows, nil
}

// Current keeps the newest revision of each bill, unless the last that happened to it is that it was
// reopened: see [query.CurrentSnapshots].
func Current(s *sql.Selector) { query.CurrentSnapshots(s) }

// notOpen keeps the same revisions in lists, in which it is quicker: see [query.StandingSnapshots].
func notOpen(s *sql.Selector) { query.StandingSnapshots(s) }

// readContents reads the contents of a bill, all of them where none is named.
func readContents(ctx context.Context, client *ent.Client, bill int, names ...proof.Committed) (map[proof.Committed]string, error) {
	query := client.SnapshotContent.Query().Where(snapshotcontent.SnapshotID(bill))
	if len(names) > 0 {
		texts := make([]string, len(names))
		for i, name := range names {
			texts[i] = string(name)
		}
		query.Where(snapshotcontent.NameIn(texts...))
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the contents of a bill: %w", err)
	}
	contents := make(map[proof.Committed]string, len(rows))
	for _, row := range rows {
		contents[proof.Committed(row.Name)] = row.Content
	}
	return contents, nil
}
