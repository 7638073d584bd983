package reconcile_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent/billeditem"
	"github.com/hivematrix/codex/ent/billedticket"
	"github.com/hivematrix/codex/ent/derivedbill"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// zeros are salts that tell nothing, which these tests do not look at.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// archived puts a bill into the archive, as Ledger sends it.
func archived(t *testing.T, a *archive.Archive, invoice, billing string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"company_account_number": "620547", "billing_year": 2025, "billing_month": 10, "invoice_number": invoice,
		"total_amount": 0, "billing_data_json": json.RawMessage(billing), "invoice_csv": "",
		"line_items": []map[string]any{{"line_type": "asset", "item_name": "PC-1", "description": "Server", "rate": 7, "amount": 7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	submission, err := archive.ParseSubmission(body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Accept(t.Context(), submission, codex.Caller{Name: "service:ledger"}); err != nil {
		t.Fatal(err)
	}
}

// derived are the derived tables, a line for each row.
func derived(t *testing.T, db *store.DB) string {
	t.Helper()
	ctx, text := t.Context(), ""
	items, err := db.Ent().BilledItem.Query().Order(billeditem.ByID()).All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		text += fmt.Sprintln(item)
	}
	tickets, err := db.Ent().BilledTicket.Query().Order(billedticket.ByID()).All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range tickets {
		text += fmt.Sprintln(ticket)
	}
	bills, err := db.Ent().DerivedBill.Query().Order(derivedbill.ByID()).All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, bill := range bills {
		text += fmt.Sprintln(bill)
	}
	return text
}

func TestBillsAreReadOnceAndCanBeReadAnew(t *testing.T) {
	now := func() time.Time { return time.Date(2025, 11, 1, 2, 0, 0, 0, time.UTC) }
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		a := archive.New(archive.Options{
			DB: db, Random: zeros{}, Logger: slog.New(slog.DiscardHandler),
			KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example.com/archive",
		})
		catchUp := func() {
			t.Helper()
			if err := reconcile.CatchUp(ctx, db); err != nil {
				t.Fatal(err)
			}
		}
		catchUp() // there is nothing yet
		archived(t, a, "620547-202509", bill(t))
		archived(t, a, "620547-202510", `{"assets": [{"id": 7, "hostname": "PC-1"}]}`)
		catchUp()
		const first = "BilledItem(id=10000001, snapshot_id=1, position=1, kind=user, item_id=3, name=Ana Lima, billed_type=Paid, quantity_e4=1.0000, rate_e4=412.2750, amount_cents=412.27, unread=false, told_by_name=false, backup_bytes=0)\n" +
			"BilledItem(id=10000002, snapshot_id=1, position=2, kind=asset, item_id=7, name=PC-1, billed_type=Workstation, quantity_e4=1.0000, rate_e4=59.0050, amount_cents=59.01, unread=false, told_by_name=false, backup_bytes=2199023255552)\n" +
			"BilledItem(id=10000003, snapshot_id=1, position=3, kind=asset, item_id=8, name=SRV-1, billed_type=No Charge, quantity_e4=1.0000, rate_e4=0.0000, amount_cents=0.00, unread=false, told_by_name=false, backup_bytes=0)\n" +
			"BilledItem(id=10000004, snapshot_id=1, position=4, kind=asset, , name=Printer, billed_type=Custom, quantity_e4=1.0000, rate_e4=5.0000, amount_cents=5.00, unread=false, told_by_name=false, backup_bytes=0)\n" +
			"BilledItem(id=10000005, snapshot_id=1, position=5, kind=custom, , name=Credit, billed_type=Recurring, quantity_e4=1.0000, rate_e4=-10.1000, amount_cents=-10.10, unread=false, told_by_name=false, backup_bytes=0)\n" +
			"BilledItem(id=10000006, snapshot_id=1, position=6, kind=backup, , name=Backup, billed_type=, quantity_e4=1.0000, rate_e4=0.0000, amount_cents=33.30, unread=false, told_by_name=false, backup_bytes=0)\n" +
			"BilledItem(id=10000007, snapshot_id=1, position=7, kind=ticket, , name=Hours, billed_type=, quantity_e4=1.4167, rate_e4=0.0000, amount_cents=177.08, unread=false, told_by_name=false, backup_bytes=0)\n"
		want := first +
			"BilledItem(id=20000001, snapshot_id=2, position=1, kind=asset, item_id=7, name=PC-1, billed_type=, quantity_e4=1.0000, rate_e4=7.0000, amount_cents=7.00, unread=false, told_by_name=true, backup_bytes=0)\n" +
			"BilledTicket(id=10000001, snapshot_id=1, position=1, ticket_id=4711, ticket_number=4711, subject=Printer, hours_e4=1.4167)\n" +
			"BilledTicket(id=10000002, snapshot_id=1, position=2, ticket_id=4712, ticket_number=4712, subject=, hours_e4=0.0000)\n" +
			`DerivedBill(id=1, reading=2, source=receipt, , rates={"per_user_cost":"412.2750","per_workstation_cost":"59.0050"})` + "\n" +
			"DerivedBill(id=2, reading=2, source=lines, , rates={})\n"
		if got := derived(t, db); got != want {
			t.Errorf("there is\n%s\nwant\n%s", got, want)
		}

		if _, err := db.SQL().ExecContext(ctx, "UPDATE billed_items SET name = 'x'"); err != nil {
			t.Fatal(err)
		}
		if bills, err := reconcile.Rebuild(ctx, db); err != nil || bills != 2 {
			t.Errorf("%d bills were read anew, %v", bills, err)
		}
		if got := derived(t, db); got != want {
			t.Errorf("read anew there is\n%s\nwant\n%s", got, want)
		}

		for _, change := range []string{"UPDATE billed_items SET name = 'x'", "UPDATE derived_bills SET reading = 0 WHERE snapshot_id = 1"} {
			if _, err := db.SQL().ExecContext(ctx, change); err != nil {
				t.Fatal(err)
			}
		}
		catchUp()
		var names int
		const count = "SELECT count(*) FROM billed_items WHERE name <> 'x'"
		if err := db.SQL().QueryRowContext(ctx, count).Scan(&names); err != nil || names != 7 {
			t.Errorf("of an older reading %d items were read anew, %v: want the 7 of the first bill", names, err)
		}
	}, storetest.Now(now))
}
