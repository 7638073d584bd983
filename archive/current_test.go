package archive_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/store"
)

// How a bill stands is decided in four places: by isOpen when something is to be written, by a
// predicate when a bill is read, by a shorter one when bills are listed, and by the views of the old
// service's tables. They are one rule.
func TestHowABillStandsIsOneRuleWhereverItIsAsked(t *testing.T) {
	for _, c := range []struct {
		name string
		// steps are what happened, in order: bill, or reopened or closed with the revision that it
		// was done to; a second bill's are behind a slash.
		steps []string
		open  []int // the revisions that are open
		// served is the revision that services get; 0 is none.
		served int
	}{
		{"a bill", []string{"bill"}, nil, 1},
		{"it is reopened", []string{"bill", "reopened 1"}, []int{1}, 0},
		{"and closed", []string{"bill", "reopened 1", "closed 1"}, nil, 1},
		{"and reopened again", []string{"bill", "reopened 1", "closed 1", "reopened 1"}, []int{1}, 0},
		{"its next revision comes", []string{"bill", "reopened 1", "bill"}, []int{1}, 2},
		{"after it was closed and reopened", []string{"bill", "reopened 1", "closed 1", "reopened 1", "bill"}, []int{1}, 2},
		{"the next revision is reopened", []string{"bill", "reopened 1", "bill", "reopened 2"}, []int{1, 2}, 0},
		{"and closed, which the first one was not", []string{"bill", "reopened 1", "bill", "reopened 2", "closed 2"}, []int{1}, 2},
		{"and has a third", []string{"bill", "reopened 1", "bill", "reopened 2", "bill"}, []int{1, 2}, 3},
		{"another bill's events come in between", []string{"bill", "/bill", "/reopened 1", "reopened 1", "/closed 1", "bill", "/reopened 1"}, []int{1}, 2},
		{"another bill is reopened last", []string{"bill", "/bill", "reopened 1", "closed 1", "/reopened 1"}, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				happened(t, db, c.steps)
				var served []int
				if c.served > 0 {
					served = []int{c.served}
				}
				listed := listedRevisions(t, open(t, db))
				ofOne := snapshot.InvoiceNumber("one")
				if err := db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					var reopened []int
					rows := tx.Ent().Snapshot.Query().Where(ofOne).Order(snapshot.ByRevision()).AllX(ctx)
					for _, row := range rows {
						is, err := archive.IsOpen(ctx, tx, row)
						if err != nil {
							return err
						}
						if is {
							reopened = append(reopened, row.Revision)
						}
					}
					if !slices.Equal(reopened, c.open) {
						t.Errorf("isOpen: %v, want %v", reopened, c.open)
					}
					// What is written is decided by it: the newest revision, unless it is open.
					var byOpen []int
					if last := rows[len(rows)-1]; !slices.Contains(reopened, last.Revision) {
						byOpen = []int{last.Revision}
					}
					var byPredicate []int
					for _, row := range tx.Ent().Snapshot.Query().Where(archive.Current, ofOne).AllX(ctx) {
						byPredicate = append(byPredicate, row.Revision)
					}
					byView, err := revisionsOf(ctx, tx, "SELECT s.revision FROM billing_snapshots AS b JOIN snapshots AS s ON s.id = b.id WHERE b.invoice_number = 'one'")
					if err != nil {
						return err
					}
					byLines, err := revisionsOf(ctx, tx, "SELECT s.revision FROM snapshot_line_items AS i JOIN snapshots AS s ON s.id = i.snapshot_id WHERE s.invoice_number = 'one'")
					if err != nil {
						return err
					}
					for what, got := range map[string][]int{
						"isOpen": byOpen, "the predicate": byPredicate, "a search": listed[0], "a company's list": listed[1], "billing_snapshots": byView, "snapshot_line_items": byLines,
					} {
						if !slices.Equal(got, served) {
							t.Errorf("%s serves %v, want %v", what, got, served)
						}
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// listedRevisions are the revisions of the bill one that a search and its company's list show.
func listedRevisions(t *testing.T, a *archive.Archive) (listed [2][]int) {
	t.Helper()
	found, _, err := a.Search(t.Context(), archive.Filter{Account: "1"}, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	company, err := a.ByCompany(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	for i, rows := range [][]*ent.Snapshot{found, company} {
		for _, row := range rows {
			if row.InvoiceNumber == "one" {
				listed[i] = append(listed[i], row.Revision)
			}
		}
	}
	return listed
}

// happened writes the rows of steps, a line with each bill.
func happened(t *testing.T, db *store.DB, steps []string) {
	t.Helper()
	revisions := map[string]int{}
	for i, step := range steps {
		invoice := "one"
		if other, is := strings.CutPrefix(step, "/"); is {
			invoice, step = "other", other
		}
		var err error
		if step == "bill" {
			revisions[invoice]++
			err = db.Ent().Snapshot.Create().SetID(i + 1).SetInvoiceNumber(invoice).SetRevision(revisions[invoice]).
				SetCompanyAccountNumber("1").SetCompanyName("One").SetBillingYear(2025).SetBillingMonth(10).SetInvoiceDate(20_000).
				SetTotalAmountCents(1).SetTotalUserChargesCents(0).SetTotalAssetChargesCents(0).SetTotalBackupChargesCents(0).
				SetTotalTicketChargesCents(0).SetTotalLineItemChargesCents(0).SetUserCount(0).SetAssetCount(0).SetBillableHoursE4(0).
				SetOrigin("posted").SetArchivedAt(now()).SetAcceptedBy("x").SetRuns("{}").SetMarks("[]").SetLeafIndex(int64(i)).Exec(t.Context())
			if err == nil {
				err = db.Ent().SnapshotItem.Create().SetID(i + 1).SetSnapshotID(i + 1).SetPosition(1).SetLineType("custom").SetItemName("i").
					SetQuantityE4(1).SetRateE4(1).SetAmountCents(1).Exec(t.Context())
			}
		} else {
			var kind string
			var revision int
			if _, err = fmt.Sscan(step, &kind, &revision); err == nil {
				err = db.Ent().BillEvent.Create().SetID(i + 1).SetInvoiceNumber(invoice).SetRevision(revision).SetKind(kind).
					SetReason("x").SetDoneBy("x").SetDoneAt(now()).SetLeafIndex(int64(i)).Exec(t.Context())
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// revisionsOf are what a query of one column gives.
func revisionsOf(ctx context.Context, tx *store.Tx, query string) (all []int, err error) {
	rows, err := tx.SQL().QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
