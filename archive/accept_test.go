package archive_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/loghead"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

const invoice = "620547-202510"

func TestABillIsKeptWithALeafThatOpensForAllOfIt(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		succeeded(t, db, "run-1", codex.FeedDatto, now().Add(-2*time.Hour), nil)
		succeeded(t, db, "run-2", codex.FeedDatto, now().Add(-time.Hour), nil)
		succeeded(t, db, "run-3", codex.FeedDatto, now(), func(c *ent.SyncRunCreate) { c.SetDryRun(true) })
		succeeded(t, db, "run-4", codex.FeedTickets, now(), func(c *ent.SyncRunCreate) { c.SetState(codex.RunFailed) })
		accepted := accept(t, open(t, db), bill(t))
		if accepted.Existing || accepted.Snapshot.ID != 1 || accepted.Snapshot.Revision != 1 {
			t.Errorf("%+v", accepted)
		}
		text := db.Ent().LogLeaf.GetX(t.Context(), 0).Leaf
		leaf, err := proof.DecodeLeaf([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		of := leaf.(proof.Bill)
		commitments := of.Commitments
		of.Commitments = nil
		created, plan, term, level := "ana@example.com", "Gold", "1-Year", "Billed Hourly"
		due, _ := codex.ParseDay("2025-11-30")
		want := proof.Bill{
			SnapshotID: 1, InvoiceNumber: invoice, Revision: 1, AccountNumber: "620547", CompanyName: "Example Ltd",
			Period: codex.Period{Year: 2025, Month: 10}, InvoiceDate: due - 30, DueDate: &due,
			BillingPlan: &plan, ContractTerm: &term, SupportLevel: &level,
			TotalAmount: 273_58, TotalAssetCharges: 59_00, TotalTicketCharges: 214_58,
			UserCount: 1, AssetCount: 1, BillableHours: 1_7167,
			Origin: proof.OriginPosted, ArchivedAt: now(), LoggedAt: now(), AcceptedBy: "service:ledger", CreatedBy: &created,
			Runs: map[codex.Feed]codex.RunID{codex.FeedDatto: "run-2"}, Marks: []string{},
		}
		if got, want := fmt.Sprintf("%+v", deref(of)), fmt.Sprintf("%+v", deref(want)); got != want {
			t.Errorf("the leaf is\n     %s\nwant %s", got, want)
		}
		rows := db.Ent().SnapshotContent.Query().AllX(t.Context())
		if len(rows) != 4 || len(commitments) != 4 {
			t.Errorf("%d contents, %d commitments", len(rows), len(commitments))
		}
		for _, row := range rows {
			salt, err := proof.ParseSalt(row.Salt)
			if err != nil {
				t.Fatal(err)
			}
			name := proof.Committed(row.Name)
			if proof.Commit(name, salt, []byte(row.Content)) != commitments[name] {
				t.Errorf("the commitment to %s does not open", name)
			}
			if name == proof.Body && row.Content != string(bill(t)) {
				t.Error("the body is not as sent")
			}
		}
		items := db.Ent().SnapshotItem.Query().AllX(t.Context())
		if len(items) != 2 || items[1].QuantityE4 != 1_7167 || items[1].AmountCents != 214_58 || items[1].Description != nil {
			t.Errorf("%v", items)
		}
		treeIsWhole(t, db, 1)
	})
}

// deref gives a bill whose pointers print as what they point to.
func deref(b proof.Bill) []any {
	due, created, plan := *b.DueDate, *b.CreatedBy, *b.BillingPlan+*b.ContractTerm+*b.SupportLevel
	b.DueDate, b.CreatedBy, b.BillingPlan, b.ContractTerm, b.SupportLevel = nil, nil, nil, nil, nil
	return []any{b, due, created, plan}
}

// treeIsWhole computes the tree anew from the leaves.
func treeIsWhole(t *testing.T, db *store.DB, size int) {
	t.Helper()
	var memory proof.Memory
	leaves := db.Ent().LogLeaf.Query().AllX(t.Context())
	slices.SortFunc(leaves, func(a, b *ent.LogLeaf) int { return int(a.ID - b.ID) })
	root := proof.Hash{}
	for i, leaf := range leaves {
		if leaf.ID != int64(i) {
			t.Fatalf("leaf %d is at %d", i, leaf.ID)
		}
		added, err := proof.Append(t.Context(), memory, int64(i), proof.LeafHash([]byte(leaf.Leaf)))
		if err == nil {
			err = memory.Store(added.Stored)
		}
		if err != nil {
			t.Fatal(err)
		}
		root = added.Root
		if head := db.Ent().LogHead.GetX(t.Context(), added.Size); head.Root != root.String() {
			t.Errorf("the head of %d leaves is %s, not %s", added.Size, head.Root, root)
		}
	}
	if heads := db.Ent().LogHead.Query().Order(loghead.ByID()).AllX(t.Context()); len(heads) != size || len(leaves) != size {
		t.Errorf("%d heads and %d leaves, want %d", len(heads), len(leaves), size)
	}
	for i, hash := range memory {
		stored, err := tlog.ParseHash(db.Ent().LogHash.GetX(t.Context(), int64(i)).Hash)
		if err != nil || stored != hash {
			t.Errorf("stored hash %d: %v, %v", i, stored, err)
		}
	}
	if n := count(t, db, "log_hashes"); n != len(memory) {
		t.Errorf("%d stored hashes, want %d", n, len(memory))
	}
}

func TestARetryFindsTheBillAndWhatDiffersIsNamed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		accept(t, a, bill(t))
		for _, c := range []struct {
			name    string
			replace []string
			differ  []string
		}{
			{"the same bytes", nil, nil},
			{"other spellings of the same numbers", []string{"273.5833333333333", `"273.58"`, `"cost": 59.0`, `"cost": 5.90e1`}, nil},
			{"no name and no maker", []string{`"company_name": "Example Ltd", `, "", `"created_by": "ana@example.com", `, ""}, nil},
			{"another cent", []string{"273.5833333333333", "273.59"}, []string{"total_amount"}},
			{"other data, due date, notes and lines",
				[]string{`"id": 7`, `"id": 8`, `"2025-11-30"`, "null", `"notes": null`, `"notes": ""`, `"quantity": 1,`, `"quantity": 2,`},
				[]string{"billing_data_json", "due_date", "notes", "line_items"}},
			{"another company and month", []string{`"620547", "company_name"`, `"1", "company_name"`, `"billing_month": 10`, `"billing_month": 9`},
				[]string{"company_account_number", "billing_month"}},
		} {
			again := accept(t, a, bill(t, c.replace...))
			if !again.Existing || again.Snapshot.ID != 1 || !slices.Equal(again.Differing, c.differ) {
				t.Errorf("%s: existing %v, id %d, differing %v, want %v", c.name, again.Existing, again.Snapshot.ID, again.Differing, c.differ)
			}
		}
		if n := count(t, db, "snapshots"); n != 1 {
			t.Errorf("%d snapshots", n)
		}
		treeIsWhole(t, db, 1)
	})
}

func TestOfManyAtTheSameInstantOneIsStored(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			key := filepath.Join(t.TempDir(), "archive.key") // there is one for all replicas
			sharing := func(o *archive.Options) { o.KeyFile = key }
			one := open(t, database.Open(t), sharing)
			two := one // SQLite has one process that writes
			if dialectName == "postgres" {
				two = open(t, database.Open(t), sharing)
			}
			const each = 10
			var group sync.WaitGroup
			stored := make(chan bool, 2*each)
			others := make(chan error, 2*each)
			for i := range each {
				for _, a := range []*archive.Archive{one, two} {
					group.Go(func() {
						accepted, err := a.Accept(context.WithoutCancel(t.Context()), parse(t, bill(t)), ledger())
						if err == nil {
							stored <- !accepted.Existing
						}
						others <- err
						if i%5 == 0 { // and bills of others in between
							_, err = a.Accept(context.WithoutCancel(t.Context()), parse(t, bill(t, invoice, fmt.Sprintf("other-%d", i))), ledger())
							others <- err
						}
					})
				}
			}
			done := make(chan struct{})
			go func() {
				group.Wait()
				close(others)
				close(stored)
				close(done)
			}()
			for err := range others {
				if err != nil {
					t.Error(err)
				}
			}
			<-done
			n := 0
			for one := range stored {
				if one {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d were stored", n)
			}
			treeIsWhole(t, database.Open(t), 3)
		})
	}
}

func TestWhatIsNoticedIsMarkedOrRefusedAsTheSettingsSay(t *testing.T) {
	for _, c := range []struct {
		name    string
		replace []string
		change  func(o *archive.Options)
		marks   string
		message string
	}{
		{"nothing", nil, nil, `[]`, ""},
		{"an account number that nobody has", []string{`"620547", "company_name"`, `"1", "company_name"`}, nil, `["unknown_account"]`, ""},
		{"the same, refused", []string{`"620547", "company_name"`, `"1", "company_name"`}, func(o *archive.Options) { o.RejectUnknown = true }, "",
			"company_account_number: no company has the account number 1 ([archive] unknown_accounts = reject)"},
		{"a total that is not its parts", []string{"273.5833333333333", "300"}, nil, `["totals_differ"]`, ""},
		{"the same, refused", []string{"273.5833333333333", "300"}, func(o *archive.Options) { o.RejectTotals = true }, "",
			"total_amount: it is 300.00, and its charges come to 273.58, its lines come to 273.58, the amounts of its CSV come to 273.58 ([archive] totals = reject)"},
		{"half a cent a line", []string{"273.5833333333333", "273.59"}, func(o *archive.Options) { o.RejectTotals = true }, `[]`, ""},
		{"a cent and a half over two lines", []string{"273.5833333333333", "273.60"}, nil, `["totals_differ"]`, ""},
		{"a CSV without amounts", []string{"Rate,Amount", "Rate,Sum"}, nil, `["csv_unreadable"]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				a := open(t, db, func(o *archive.Options) {
					if c.change != nil {
						c.change(o)
					}
				})
				accepted, err := a.Accept(t.Context(), parse(t, bill(t, c.replace...)), ledger())
				if c.message != "" {
					refused(t, err, codex.CodeBadInput, c.message)
					if n := count(t, db, "snapshots") + count(t, db, "log_leaves"); n != 0 {
						t.Errorf("%d rows of what was refused", n)
					}
					return
				}
				if err != nil || accepted.Snapshot.Marks != c.marks {
					t.Errorf("%+v, %v", accepted, err)
				}
			})
		})
	}
}

func TestARetryOfABillThatWouldBeRefusedNowFindsTheBill(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		before := open(t, db)
		odd := bill(t, "273.5833333333333", "300", `"620547", "company_name"`, `"nobody", "company_name"`)
		accept(t, before, odd)
		after := open(t, db, func(o *archive.Options) { o.RejectTotals, o.RejectUnknown = true, true })
		if again := accept(t, after, odd); !again.Existing || again.Differing != nil {
			t.Errorf("%+v", again)
		}
	})
}

func TestWhatWasLeftOutIsTheCompanysNameAndTheCallersAddress(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		left := []string{`"company_name": "Example Ltd", `, "", `"created_by": "ana@example.com", `, ""}
		accepted := accept(t, a, bill(t, left...)).Snapshot
		if accepted.CompanyName != "Example Ltd" || *accepted.CreatedBy != "api" {
			t.Errorf("%+v", accepted)
		}
		by := codex.Caller{Name: "bo@example.com", Role: codex.RoleBilling}
		body := bill(t, append(left, `"620547", "invoice_number": "620547-202510"`, `"1", "invoice_number": "1-202510"`)...)
		other, err := a.Accept(t.Context(), parse(t, body), by)
		if err != nil || other.Snapshot.CompanyName != "Unknown" || *other.Snapshot.CreatedBy != "bo@example.com" {
			t.Errorf("%+v, %v", other, err)
		}
	})
}

func TestAReopenedBillIsGoneForServicesUntilItsNextRevisionOrUntilItIsClosed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		admin := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
		missing := func() {
			t.Helper()
			_, err := a.Get(t.Context(), invoice, 0)
			refused(t, err, codex.CodeNotFound, "Snapshot not found")
			if _, total, err := a.Search(t.Context(), archive.Filter{}, 10, 0); err != nil || total != 0 {
				t.Errorf("%d bills are found, %v", total, err)
			}
			if n := count(t, db, "billing_snapshots") + count(t, db, "snapshot_line_items"); n != 0 {
				t.Errorf("the views have %d rows", n)
			}
		}
		served := func(revision int, total codex.Cents) {
			t.Helper()
			got, err := a.Get(t.Context(), invoice, 0)
			if err != nil || got.Revision != revision || got.TotalAmountCents != total {
				t.Errorf("%+v, %v", got, err)
			}
			rows, all, err := a.Search(t.Context(), archive.Filter{}, 10, 0)
			if err != nil || all != 1 || len(rows) != 1 || rows[0].Revision != revision {
				t.Errorf("%v, %d, %v", rows, all, err)
			}
			if n := count(t, db, "billing_snapshots"); n != 1 {
				t.Errorf("the view has %d rows", n)
			}
		}
		_, err := a.Reopen(t.Context(), invoice, "wrong rate", admin)
		refused(t, err, codex.CodeNotFound, "Snapshot not found")
		accept(t, a, bill(t))
		served(1, 273_58)
		_, err = a.Reopen(t.Context(), invoice, " ", admin)
		refused(t, err, codex.CodeBadInput, "reason: say why: it stands in the log for ever")
		_, err = a.Close(t.Context(), invoice, "", admin)
		refused(t, err, codex.CodeConflict, "the bill 620547-202510 is closed already")
		if _, err := a.Reopen(t.Context(), invoice, "wrong rate", admin); err != nil {
			t.Fatal(err)
		}
		missing()
		if old, err := a.Get(t.Context(), invoice, 1); err != nil || old.TotalAmountCents != 273_58 {
			t.Errorf("%+v, %v", old, err)
		}
		_, err = a.Reopen(t.Context(), invoice, "again", admin)
		refused(t, err, codex.CodeConflict, "the bill 620547-202510 is open already")
		if _, err := a.Close(t.Context(), invoice, "it was right", admin); err != nil {
			t.Fatal(err)
		}
		served(1, 273_58)
		if _, err := a.Reopen(t.Context(), invoice, "no, wrong", admin); err != nil {
			t.Fatal(err)
		}
		if second := accept(t, a, bill(t, "273.5833333333333", "273.59")); second.Existing || second.Snapshot.Revision != 2 {
			t.Errorf("%+v", second)
		}
		served(2, 273_59)
		if again := accept(t, a, bill(t)); !again.Existing || !slices.Equal(again.Differing, []string{"total_amount"}) {
			t.Errorf("%+v", again)
		}
		treeIsWhole(t, db, 5)
		var kinds []string
		for i := range 5 {
			kind, _, _ := strings.Cut(db.Ent().LogLeaf.GetX(t.Context(), int64(i)).Leaf, "\n")
			kinds = append(kinds, kind)
		}
		if want := []string{"codex-bill/v1", "codex-reopen/v1", "codex-close/v1", "codex-reopen/v1", "codex-bill/v1"}; !slices.Equal(kinds, want) {
			t.Errorf("the leaves are %v, want %v", kinds, want)
		}
	})
}

func TestBillsAreFoundByWhatIsAskedNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		for _, one := range [][]string{
			{`"620547-202510"`, `"a"`},
			{`"620547-202510"`, `"b"`, `"billing_month": 10`, `"billing_month": 9`},
			{`"620547-202510"`, `"c"`, `"billing_year": 2025`, `"billing_year": 2024`},
			{`"620547-202510"`, `"d"`, `"company_account_number": "620547"`, `"company_account_number": "9"`},
		} {
			accept(t, a, bill(t, one...))
		}
		day := func(text string) *codex.Day {
			d, err := codex.ParseDay(text)
			if err != nil {
				t.Fatal(err)
			}
			return &d
		}
		for _, c := range []struct {
			name          string
			filter        archive.Filter
			limit, offset int
			want          string
			total         int
		}{
			{"all", archive.Filter{}, 10, 0, "d c b a", 4},
			{"a page", archive.Filter{}, 2, 1, "c b", 4},
			{"of a company", archive.Filter{Account: "620547"}, 10, 0, "c b a", 3},
			{"of a year", archive.Filter{Year: 2025}, 10, 0, "d b a", 3},
			{"of a month", archive.Filter{Year: 2025, Month: 9}, 10, 0, "b", 1},
			{"archived that day, which is included", archive.Filter{From: day("2025-11-01"), To: day("2025-11-01")}, 10, 0, "d c b a", 4},
			{"archived the day after", archive.Filter{From: day("2025-11-02")}, 10, 0, "", 0},
			{"archived the day before", archive.Filter{To: day("2025-10-31")}, 10, 0, "", 0},
		} {
			rows, total, err := a.Search(t.Context(), c.filter, c.limit, c.offset)
			if err != nil || numbers(rows) != c.want || total != c.total {
				t.Errorf("%s: %s of %d, %v, want %s of %d", c.name, numbers(rows), total, err, c.want, c.total)
			}
		}
		if rows, err := a.ByCompany(t.Context(), "620547"); err != nil || numbers(rows) != "a b c" {
			t.Errorf("of the company: %s, %v", numbers(rows), err)
		}
		if rows, err := a.ByCompany(t.Context(), "nobody"); err != nil || len(rows) != 0 {
			t.Errorf("of nobody: %s, %v", numbers(rows), err)
		}
	})
}

func numbers(rows []*ent.Snapshot) string {
	var all []string
	for _, row := range rows {
		all = append(all, row.InvoiceNumber)
	}
	return strings.Join(all, " ")
}
