package audit_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// BenchmarkVerify verifies archives of bills with ten lines and 10 kB of contents each:
//
//	scripts/with-postgres go test ./archive/audit -run XXX -bench Verify -benchtime 1x -timeout 30m
func BenchmarkVerify(b *testing.B) {
	for _, dialectName := range storetest.Dialects() {
		for _, bills := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", dialectName, bills), func(b *testing.B) {
				db := storetest.Open(b, dialectName)
				grow(b, db, bills)
				for b.Loop() {
					report, err := audit.Verify(b.Context(), db, audit.Options{})
					if err != nil || !report.OK() || report.Bills != int64(bills) || report.Lines != int64(10*bills) {
						b.Fatalf("%+v, %v", report, err)
					}
				}
				var memory runtime.MemStats
				runtime.ReadMemStats(&memory)
				b.ReportMetric(float64(memory.Sys)/1e6, "MB")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(bills), "µs/bill")
			})
		}
	}
}

// grow writes so many bills as the archive does, but many in a transaction.
func grow(b testing.TB, db *store.DB, bills int) {
	b.Helper()
	tables := map[string]*rows{
		"snapshots": {columns: []string{"id", "invoice_number", "revision", "company_account_number", "company_name", "billing_year", "billing_month",
			"invoice_date", "total_amount_cents", "total_user_charges_cents", "total_asset_charges_cents", "total_backup_charges_cents",
			"total_ticket_charges_cents", "total_line_item_charges_cents", "user_count", "asset_count", "billable_hours_e4", "origin", "archived_at",
			"accepted_by", "runs", "marks", "leaf_index"}},
		"snapshot_contents": {columns: []string{"id", "snapshot_id", "name", "salt", "content"}},
		"snapshot_items":    {columns: []string{"id", "snapshot_id", "position", "line_type", "item_name", "quantity_e4", "rate_e4", "amount_cents"}},
		"log_leaves":        {columns: []string{"leaf_index", "leaf"}},
		"log_hashes":        {columns: []string{"hash_index", "hash"}},
		"log_heads":         {columns: []string{"size", "root", "appended_at"}},
	}
	var hashes proof.Memory
	random, at := &salts{}, time.Date(2025, 11, 1, 2, 0, 0, 0, time.UTC)
	large := fmt.Sprintf(`{"assets": [%4000d]}`, 1)
	for i := range bills {
		id := i + 1
		items := make([]proof.LineItem, 10)
		for k := range items {
			items[k] = proof.LineItem{LineType: "asset", ItemName: fmt.Sprintf("PC-%d", k), Quantity: 1_0000, Rate: 59_0000, Amount: 59_00}
			tables["snapshot_items"].add(id*100_000+k+1, id, k+1, "asset", items[k].ItemName, 1_0000, 59_0000, 59_00)
		}
		lines, err := proof.EncodeLines(items)
		if err != nil {
			b.Fatal(err)
		}
		leaf := proof.Bill{
			SnapshotID: int64(id), InvoiceNumber: fmt.Sprintf("%d-202510", id), Revision: 1, AccountNumber: codex.AccountNumber(fmt.Sprint(id % 500)), CompanyName: "Example Ltd",
			Period: codex.Period{Year: 2025, Month: 10}, InvoiceDate: 20_392, TotalAmount: 590_00, TotalAssetCharges: 590_00, AssetCount: 10,
			Origin: proof.OriginPosted, ArchivedAt: at, LoggedAt: at, AcceptedBy: "service:ledger",
			Runs: map[codex.Feed]codex.RunID{}, Marks: []string{}, Commitments: map[proof.Committed]proof.Digest{},
		}
		for k, content := range []struct {
			name proof.Committed
			text string
		}{{proof.BillingData, large}, {proof.Body, large + " "}, {proof.CSV, "InvoiceNo,Amount\r\n"}, {proof.LineItems, string(lines)}} {
			salt, err := proof.NewSalt(random)
			if err != nil {
				b.Fatal(err)
			}
			leaf.Commitments[content.name] = proof.Commit(content.name, salt, []byte(content.text))
			tables["snapshot_contents"].add(id*10+k+1, id, string(content.name), salt.String(), content.text)
		}
		text, err := proof.EncodeLeaf(leaf)
		if err != nil {
			b.Fatal(err)
		}
		added, err := proof.Append(b.Context(), hashes, int64(i), proof.LeafHash(text))
		if err == nil {
			err = hashes.Store(added.Stored)
		}
		if err != nil {
			b.Fatal(err)
		}
		for _, stored := range added.Stored {
			tables["log_hashes"].add(stored.Index, stored.Hash.String())
		}
		tables["log_heads"].add(added.Size, added.Root.String(), at)
		tables["log_leaves"].add(i, string(text))
		tables["snapshots"].add(id, leaf.InvoiceNumber, 1, string(leaf.AccountNumber), leaf.CompanyName, 2025, 10, 20_392, 590_00, 0, 590_00, 0, 0, 0, 0, 10, 0,
			"posted", at, leaf.AcceptedBy, "{}", "[]", i)
		if id%1000 == 0 || id == bills {
			if err := db.Write(b.Context(), func(ctx context.Context, tx *store.Tx) error {
				for name, rows := range tables {
					if err := rows.flush(ctx, tx, name); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// rows are rows to be inserted at once.
type rows struct {
	columns []string
	values  [][]any
}

func (r *rows) add(values ...any) { r.values = append(r.values, values) }

func (r *rows) flush(ctx context.Context, tx *store.Tx, name string) error {
	table := store.Table{Name: name}
	for i, column := range r.columns {
		kind := store.Int
		switch r.values[0][i].(type) {
		case string:
			kind = store.Text
		case time.Time:
			kind = store.Time
		}
		table.Columns = append(table.Columns, store.Column{Name: column, Kind: kind})
	}
	err := tx.Insert(ctx, table, r.values)
	r.values = nil
	return err
}
