package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

const (
	billsOfCompany = 25    // one a month
	billsOfDay     = 1_000 // archived: those that a search of a day finds
	linesOfBill    = 5
)

// archived is an archive with n bills.
type archived struct {
	n     int
	db    *store.DB
	bills *archive.Archive
}

func (a archived) account(i int) codex.AccountNumber {
	return codex.AccountNumber(fmt.Sprint(100_000 + i%(a.n/billsOfCompany)))
}

// period is the month of the bill i: the companies are billed month by month, so that a company's
// bills are spread over the whole table.
func (a archived) period(i int) codex.Period {
	return codex.PeriodOf(time.Date(2023, time.October+time.Month(i/(a.n/billsOfCompany)), 1, 0, 0, 0, 0, time.UTC))
}

func (a archived) invoice(i int) string {
	p := a.period(i)
	return fmt.Sprintf("%s-%04d%02d", a.account(i), p.Year, int(p.Month))
}

func archivedAt(i int) time.Time {
	return time.Date(2025, time.July, 1+i/billsOfDay, 2, 0, i%billsOfDay, 0, time.UTC)
}

// body is the bill i as Ledger sends it.
func (a archived) body(i int) []byte {
	invoice, p := a.invoice(i), a.period(i)
	var items, lines, csv strings.Builder
	for line := range linesOfBill {
		name := fmt.Sprintf("PC-%d-%d", i%(a.n/billsOfCompany), line)
		comma := map[bool]string{true: "", false: ","}[line == 0]
		fmt.Fprintf(&items, `%s{"id":%d,"hostname":%q}`, comma, i*linesOfBill+line, name)
		fmt.Fprintf(&lines, `%s{"line_type":"asset","item_name":%q,"description":"Workstation","quantity":1,"rate":59.0,"amount":59.0}`, comma, name)
		fmt.Fprintf(&csv, `%s,Example,2025-09-30,2025-10-30,%s,Workstation,1,59.00,59.00\r\n`, invoice, name)
	}
	total := fmt.Sprintf("%d.0", 59*linesOfBill)
	return fmt.Appendf(nil, `{"company_account_number":"%s","company_name":"Company %s","invoice_number":"%s","billing_year":%d,"billing_month":%d,`+
		`"billing_plan":"Gold","contract_term":"1 Year","total_amount":%s,"total_asset_charges":%s,"asset_count":%d,"created_by":"ana@msp.example",`+
		`"billing_data_json":{"assets":[%s],"receipt_data":{"total":%s}},"invoice_csv":"InvoiceNo,Customer,InvoiceDate,DueDate,Item(Product/Service),Description,Qty,Rate,Amount\r\n%s","line_items":[%s]}`,
		a.account(i), a.account(i), invoice, p.Year, int(p.Month), total, total, linesOfBill, items.String(), total, csv.String(), lines.String())
}

// newArchive makes an archive of n bills. The first and the last are accepted as any bill is; the last one
// is, only if the tree in between is what accepting would have made it: its head is signed as one that
// begins with the first. A small archive is verified whole besides.
func newArchive(b *testing.B, dialectName string, n int) archived {
	b.Helper()
	now := archivedAt(0)
	db := storetest.Open(b, dialectName, storetest.Now(func() time.Time { return now }))
	a := archived{n: n, db: db, bills: archive.New(archive.Options{
		DB: db, KeyFile: filepath.Join(b.TempDir(), "archive.key"), NewOrigin: "bench.example/archive",
		Random: rand.Reader, Logger: slog.New(slog.DiscardHandler),
	})}
	companies := into("companies", text("account_number"), text("name"))
	for c := range n / billsOfCompany {
		companies.add(string(a.account(c)), fmt.Sprintf("Company %s", a.account(c)))
	}
	write(b, db, companies)
	a.accept(b, 0)
	a.fill(b)
	now = archivedAt(n - 1)
	a.accept(b, n-1)
	if _, err := db.SQL().ExecContext(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
	if n <= 1_000 {
		report, err := audit.Verify(b.Context(), db, audit.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, finding := range report.Findings {
			b.Fatalf("the archive of %d bills is none: %s", n, finding)
		}
	}
	return a
}

func (a archived) accept(b *testing.B, i int) {
	b.Helper()
	s, err := archive.ParseSubmission(a.body(i))
	if err != nil {
		b.Fatal(err)
	}
	accepted, err := a.bills.Accept(b.Context(), s, codex.Caller{Name: "bench", Role: codex.RoleService})
	if err != nil || accepted.Existing || accepted.Snapshot.ID != i+1 || accepted.Snapshot.Marks != "[]" {
		b.Fatalf("%+v, %v", accepted, err)
	}
}

// fill writes all bills but the first and the last, in many rows a statement.
func (a archived) fill(b *testing.B) {
	b.Helper()
	var tree proof.Memory
	first := a.db.Ent().LogHash.GetX(b.Context(), 0)
	hash, err := tlog.ParseHash(first.Hash)
	if err != nil {
		b.Fatal(err)
	}
	tree = append(tree, hash)
	const chunk = 2_000
	for from := 1; from < a.n-1; from += chunk {
		w := newBillRows()
		for i := from; i < min(from+chunk, a.n-1); i++ {
			w.add(b, a, &tree, i)
		}
		write(b, a.db, w.snapshots, w.contents, w.items, w.leaves, w.hashes, w.heads)
	}
}

// write writes rows in one transaction.
func write(b *testing.B, db *store.DB, parts ...*rows) {
	b.Helper()
	if err := db.Write(b.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, part := range parts {
			if err := tx.Insert(ctx, part.table, part.rows); err != nil {
				return fmt.Errorf("%s: %w", part.table.Name, err)
			}
		}
		return tx.Raise(ctx, archive.Entity)
	}); err != nil {
		b.Fatal(err)
	}
}

// billRows are what accepting writes.
type billRows struct{ snapshots, contents, items, leaves, hashes, heads *rows }

func newBillRows() billRows {
	return billRows{
		snapshots: into("snapshots", num("id"), text("invoice_number"), num("revision"), text("company_account_number"), text("company_name"),
			num("billing_year"), num("billing_month"), num("invoice_date"), text("billing_plan"), text("contract_term"), num("total_amount_cents"),
			num("total_user_charges_cents"), num("total_asset_charges_cents"), num("total_backup_charges_cents"), num("total_ticket_charges_cents"),
			num("total_line_item_charges_cents"), num("user_count"), num("asset_count"), num("billable_hours_e4"), text("origin"), moment("archived_at"),
			text("accepted_by"), text("created_by"), text("runs"), text("marks"), num("leaf_index")),
		contents: into("snapshot_contents", num("id"), num("snapshot_id"), text("name"), text("salt"), text("content")),
		items: into("snapshot_items", num("id"), num("snapshot_id"), num("position"), text("line_type"), text("item_name"), text("description"),
			num("quantity_e4"), num("rate_e4"), num("amount_cents")),
		leaves: into("log_leaves", num("leaf_index"), text("leaf")),
		hashes: into("log_hashes", num("hash_index"), text("hash")),
		heads:  into("log_heads", num("size"), text("root"), moment("appended_at")),
	}
}

// add adds the bill i, whose leaf is i and whose id is one more.
func (w billRows) add(b *testing.B, a archived, tree *proof.Memory, i int) {
	s, err := archive.ParseSubmission(a.body(i))
	if err != nil {
		b.Fatal(err)
	}
	lines, err := proof.EncodeLines(s.Lines)
	if err != nil {
		b.Fatal(err)
	}
	id := i + 1
	bill := proof.Bill{
		SnapshotID: int64(id), InvoiceNumber: s.InvoiceNumber, Revision: 1, AccountNumber: s.AccountNumber, CompanyName: *s.CompanyName,
		Period: s.Period, InvoiceDate: s.InvoiceDate, BillingPlan: s.BillingPlan, ContractTerm: s.ContractTerm,
		TotalAmount: s.TotalAmount, TotalAssetCharges: s.TotalAssetCharges, AssetCount: s.AssetCount,
		Origin: proof.OriginPosted, ArchivedAt: archivedAt(i), LoggedAt: archivedAt(i), AcceptedBy: "bench", CreatedBy: s.CreatedBy,
		Runs: map[codex.Feed]codex.RunID{}, Marks: []string{}, Commitments: map[proof.Committed]proof.Digest{},
	}
	for n, content := range []struct {
		name proof.Committed
		text string
	}{{proof.BillingData, s.BillingData}, {proof.Body, s.Body}, {proof.CSV, s.CSV}, {proof.LineItems, string(lines)}} {
		salt, err := proof.NewSalt(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		bill.Commitments[content.name] = proof.Commit(content.name, salt, []byte(content.text))
		w.contents.add(id*10+n+1, id, string(content.name), salt.String(), content.text)
	}
	for n, line := range s.Lines {
		w.items.add(id*100_000+n+1, id, n+1, line.LineType, line.ItemName, line.Description, int64(line.Quantity), int64(line.Rate), int64(line.Amount))
	}
	w.snapshots.add(id, s.InvoiceNumber, 1, string(s.AccountNumber), *s.CompanyName, s.Period.Year, int(s.Period.Month), int(s.InvoiceDate),
		*s.BillingPlan, *s.ContractTerm, int64(s.TotalAmount), 0, int64(s.TotalAssetCharges), 0, 0, 0, 0, s.AssetCount, 0,
		string(proof.OriginPosted), archivedAt(i), "bench", *s.CreatedBy, "{}", "[]", i)
	leaf, err := proof.EncodeLeaf(bill)
	if err != nil {
		b.Fatal(err)
	}
	added, err := proof.Append(b.Context(), *tree, int64(i), proof.LeafHash(leaf))
	if err == nil {
		err = tree.Store(added.Stored)
	}
	if err != nil {
		b.Fatal(err)
	}
	w.leaves.add(i, string(leaf))
	w.heads.add(added.Size, added.Root.String(), archivedAt(i))
	for _, stored := range added.Stored {
		w.hashes.add(stored.Index, stored.Hash.String())
	}
}
