package querytest

import (
	"errors"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Bills are numbered from 1, and their leaves stand a thousand further on:
//
//   - 1, 2: 620547-202509 (every field has a value; 3 lines) and the first revision of 620547-202510, which
//     was reopened, closed and reopened again;
//   - 3: its second one, which is served; a line was repriced, one removed, one added;
//   - 4: 900-202510, reopened, without a field that may be null; the company has no other;
//   - 5: LEFT-202510, imported, of an account number that nobody has, with two marks;
//   - 6: B-2-202510, which was reopened and closed; it comes to 99,999,999.99 and is due before 1970.
func (w writer) bills() {
	bill := func(id, revision int, account codex.AccountNumber, month int, total codex.Cents) *ent.SnapshotCreate {
		invoice := fmt.Sprintf("%s-2025%02d", account, month)
		return w.client.Snapshot.Create().SetID(id).SetInvoiceNumber(invoice).SetRevision(revision).
			SetCompanyAccountNumber(account).SetCompanyName("Company " + string(account)).SetBillingYear(2025).SetBillingMonth(month).
			SetInvoiceDate(codex.DayOf(time.Date(2025, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC)) - 1).
			SetTotalAmountCents(total).SetTotalUserChargesCents(0).SetTotalAssetChargesCents(0).SetTotalBackupChargesCents(0).
			SetTotalTicketChargesCents(0).SetTotalLineItemChargesCents(0).SetUserCount(0).SetAssetCount(0).SetBillableHoursE4(0).
			SetOrigin("posted").SetArchivedAt(At(id)).SetAcceptedBy("service:ledger").SetRuns("{}").SetMarks("[]").SetLeafIndex(int64(1000 + id))
	}
	full := func(c *ent.SnapshotCreate) *ent.SnapshotCreate {
		return c.SetCompanyName("Acme").SetDueDate(codex.DayOf(At(30))).SetBillingPlan("Gold").SetContractTerm("1 Year").SetSupportLevel("All Inclusive").
			SetTotalUserChargesCents(100_000).SetTotalAssetChargesCents(120_030).SetTotalBackupChargesCents(10).SetTotalTicketChargesCents(20).
			SetTotalLineItemChargesCents(1).SetUserCount(4).SetAssetCount(3).SetBillableHoursE4(1_2500).
			SetCreatedBy("ana@example.com").SetRuns(`{"datto":"r1","tickets":"r0"}`)
	}
	must[*ent.Snapshot](w)(full(bill(1, 1, "620547", 9, 2_200_61)).Save(w.ctx))
	must[*ent.Snapshot](w)(full(bill(2, 1, "620547", 10, 2_300_61)).Save(w.ctx))
	must[*ent.Snapshot](w)(full(bill(3, 2, "620547", 10, 2_450_01)).SetUserCount(5).SetBillingPlan("Gold Plus").Save(w.ctx))
	must[*ent.Snapshot](w)(bill(4, 1, "900", 10, 30).Save(w.ctx))
	must[*ent.Snapshot](w)(bill(5, 1, "LEFT", 10, -5).SetOrigin("imported").SetMarks(`["totals_differ","unknown_account"]`).Save(w.ctx))
	must[*ent.Snapshot](w)(bill(6, 1, "B-2", 10, 99_999_999_99).SetDueDate(-1).Save(w.ctx))

	line := func(bill, position int, kind, name string, quantity, rate codex.Quantity, amount codex.Cents) *ent.SnapshotItemCreate {
		return w.client.SnapshotItem.Create().SetID(bill*100_000 + position).SetSnapshotID(bill).SetPosition(position).
			SetLineType(kind).SetItemName(name).SetQuantityE4(quantity).SetRateE4(rate).SetAmountCents(amount)
	}
	for _, id := range []int{1, 2} {
		must[*ent.SnapshotItem](w)(line(id, 1, "user", "Ada Head", 1_0000, 250_0000, 250_00).SetDescription("a user").Save(w.ctx))
		must[*ent.SnapshotItem](w)(line(id, 2, "asset", "PC-2", 1_0000, 30_0000, 30_00).Save(w.ctx))
		must[*ent.SnapshotItem](w)(line(id, 3, "ticket", "1001: 50% slow", 2_2500, 100_1234, 225_28).Save(w.ctx))
	}
	must[*ent.SnapshotItem](w)(line(3, 1, "user", "Ada Head", 1_0000, 275_5000, 275_50).SetDescription("a user").Save(w.ctx))
	must[*ent.SnapshotItem](w)(line(3, 2, "ticket", "1001: 50% slow", 2_2500, 100_1234, 225_28).Save(w.ctx))
	must[*ent.SnapshotItem](w)(line(3, 3, "asset", "SRV-1", 1_0000, 80_0000, 80_00).Save(w.ctx))

	content := func(bill, number int, name, text string) *ent.SnapshotContentCreate {
		return w.client.SnapshotContent.Create().SetID(bill*10 + number).SetSnapshotID(bill).SetName(name).SetSalt("00").SetContent(text)
	}
	must[*ent.SnapshotContent](w)(content(3, 1, "billing_data", `{"z": 412.2749999999984, "a": "<&>", "big": 12345678901234567890}`).Save(w.ctx))
	must[*ent.SnapshotContent](w)(content(3, 3, "csv", "InvoiceNo,Amount\r\n620547-202510,2450.01\r\n").Save(w.ctx))
	must[*ent.SnapshotContent](w)(content(3, 5, "notes", "the second try").Save(w.ctx))
	must[*ent.SnapshotContent](w)(content(4, 1, "billing_data", "{}").Save(w.ctx))

	for i, event := range []struct {
		invoice, kind, reason string
	}{
		{"620547-202510", "reopened", "a server was forgotten"},
		{"620547-202510", "closed", "no, it was not"},
		{"B-2-202510", "reopened", "too much"},
		{"620547-202510", "reopened", "yes, it was"},
		{"900-202510", "reopened", "a test bill"},
		{"B-2-202510", "closed", "it is what they owe"},
	} {
		must[*ent.BillEvent](w)(w.client.BillEvent.Create().SetID(i + 1).SetInvoiceNumber(event.invoice).SetRevision(1).SetKind(event.kind).
			SetReason(event.reason).SetDoneBy("ann").SetDoneAt(At(20 + i)).SetLeafIndex(int64(2000 + i)).Save(w.ctx))
	}
}

// manyBills are a bill of each of n companies with perCompany lines, of which each other was reopened, and
// the next revision of those.
func (w writer) manyBills(n, perCompany int) error {
	var bills []*ent.SnapshotCreate
	var lines []*ent.SnapshotItemCreate
	var contents []*ent.SnapshotContentCreate
	var events []*ent.BillEventCreate
	for c := range n {
		revisions := 1 + c%2
		for revision := 1; revision <= revisions; revision++ {
			id := 2*c + revision
			invoice := string(manyAccount(c)) + "-202510"
			bills = append(bills, w.client.Snapshot.Create().SetID(id).SetInvoiceNumber(invoice).SetRevision(revision).
				SetCompanyAccountNumber(manyAccount(c)).SetCompanyName("x").SetBillingYear(2025).SetBillingMonth(10).SetInvoiceDate(codex.DayOf(At(31))).
				SetTotalAmountCents(codex.Cents(id)).SetTotalUserChargesCents(0).SetTotalAssetChargesCents(0).SetTotalBackupChargesCents(0).
				SetTotalTicketChargesCents(0).SetTotalLineItemChargesCents(0).SetUserCount(0).SetAssetCount(0).SetBillableHoursE4(0).
				SetOrigin("posted").SetArchivedAt(At(2)).SetAcceptedBy("x").SetRuns(fmt.Sprintf(`{"freshservice":"many","datto":"gone-%d"}`, c)).
				SetMarks("[]").SetLeafIndex(int64(id)))
			contents = append(contents, w.client.SnapshotContent.Create().SetID(10*id+1).SetSnapshotID(id).SetName("billing_data").
				SetSalt("00").SetContent("{}"))
			for position := 1; position <= perCompany; position++ {
				lines = append(lines, w.client.SnapshotItem.Create().SetID(100_000*id+position).SetSnapshotID(id).SetPosition(position).
					SetLineType("asset").SetItemName(fmt.Sprintf("PC-%d", position)).SetQuantityE4(1_0000).SetRateE4(1_0000).SetAmountCents(1_00))
			}
		}
		if revisions > 1 {
			events = append(events, w.client.BillEvent.Create().SetID(c+1).SetInvoiceNumber(string(manyAccount(c))+"-202510").SetRevision(1).
				SetKind("reopened").SetReason("x").SetDoneBy("x").SetDoneAt(At(3)).SetLeafIndex(int64(100_000+c)))
		}
	}
	return errors.Join(
		w.client.Snapshot.CreateBulk(bills...).Exec(w.ctx),
		w.client.SnapshotContent.CreateBulk(contents...).Exec(w.ctx),
		inBatches(lines, func(batch []*ent.SnapshotItemCreate) error {
			return w.client.SnapshotItem.CreateBulk(batch...).Exec(w.ctx)
		}),
		w.client.BillEvent.CreateBulk(events...).Exec(w.ctx))
}

// inBatches hands fn as many rows at once as a statement takes.
func inBatches[T any](rows []T, fn func([]T) error) error {
	for len(rows) > 0 {
		n := min(len(rows), 500)
		if err := fn(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
