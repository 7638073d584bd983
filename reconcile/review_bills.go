package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent/billeditem"
	"github.com/hivematrix/codex/ent/billedticket"
	"github.com/hivematrix/codex/ent/derivedbill"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/store"
)

// readLastBills reads the bills of each company's newest earlier month: what stands of them, and none
// that is open.
func readLastBills(ctx context.Context, tx *store.Tx, period codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	bills, err := tx.Ent().Snapshot.Query().Where(newestBefore(period)).Order(snapshot.ByID()).Select(
		snapshot.FieldInvoiceNumber, snapshot.FieldCompanyAccountNumber, snapshot.FieldBillingYear, snapshot.FieldBillingMonth,
		snapshot.FieldArchivedAt).All(ctx)
	if err != nil {
		return fmt.Errorf("reading last bills: %w", err)
	}
	last := make(map[int]*LastBill, len(bills))
	ids := make([]int, 0, len(bills))
	for _, bill := range bills {
		c := of[bill.CompanyAccountNumber]
		if c == nil {
			continue
		}
		if c.Last == nil {
			c.Last = &LastBill{
				Period: monthOf(bill.BillingYear, bill.BillingMonth), Complete: true,
				Machines: map[int]BilledItem{}, People: map[int]BilledItem{}, Rates: map[string]codex.Quantity{},
			}
		}
		if bill.ArchivedAt.After(c.Last.MadeAt) {
			c.Last.MadeAt = bill.ArchivedAt
		}
		last[bill.ID] = c.Last
		ids = append(ids, bill.ID)
	}
	if err := readDerived(ctx, tx, ids, last); err != nil {
		return err
	}
	return readItems(ctx, tx, ids, last)
}

// newestBefore tells the bills that stand of each account number's newest month before a period.
func newestBefore(period codex.Period) predicate.Snapshot {
	return func(s *sql.Selector) {
		bills := sql.Table(snapshot.Table)
		view := sql.Dialect(s.Dialect()).Select(bills.C(snapshot.FieldID)).From(bills)
		archive.Current(view)
		before(period)(view)
		view.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("RANK() OVER (PARTITION BY ").Ident(bills.C(snapshot.FieldCompanyAccountNumber)).
				WriteString(" ORDER BY ").Ident(bills.C(snapshot.FieldBillingYear)).
				WriteString(" DESC, ").Ident(bills.C(snapshot.FieldBillingMonth)).WriteString(" DESC)")
		}), "place")
		ranked := view.As(snapshot.Table) // by its own name, since conditions are written out behind this
		s.Where(sql.In(s.C(snapshot.FieldID),
			sql.Dialect(s.Dialect()).Select(ranked.C(snapshot.FieldID)).From(ranked).Where(sql.EQ(ranked.C("place"), 1))))
	}
}

// before tells the bills of months before a period.
func before(period codex.Period) func(*sql.Selector) {
	return func(s *sql.Selector) {
		year, month := s.C(snapshot.FieldBillingYear), s.C(snapshot.FieldBillingMonth)
		s.Where(sql.Or(sql.LT(year, period.Year), sql.And(sql.EQ(year, period.Year), sql.LT(month, int(period.Month)))))
	}
}

// readDerived reads the rates of bills, and whether all that they are for is known.
func readDerived(ctx context.Context, tx *store.Tx, ids []int, last map[int]*LastBill) error {
	rows, err := tx.Ent().DerivedBill.Query().Where(store.KeyIn(derivedbill.FieldID, ids)).Order(derivedbill.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("reading what bills are for: %w", err)
	}
	if len(rows) < len(ids) {
		return errUnread
	}
	for _, row := range rows {
		bill := last[row.ID]
		bill.Complete = bill.Complete && Source(row.Source) == SourceReceipt && row.Problem == nil
		rates, err := RatesOf(row)
		if err != nil {
			return err
		}
		for name, rate := range rates {
			bill.Rates[name] = rate
		}
	}
	return nil
}

func readItems(ctx context.Context, tx *store.Tx, ids []int, last map[int]*LastBill) error {
	rows, err := tx.Ent().BilledItem.Query().Where(
		store.KeyIn(billeditem.FieldSnapshotID, ids), billeditem.KindIn(KindAsset, KindUser), billeditem.ItemIDNotNil(),
		billeditem.Unread(false),
	).Order(billeditem.ByID()).Select(billeditem.FieldSnapshotID, billeditem.FieldKind, billeditem.FieldItemID,
		billeditem.FieldBilledType, billeditem.FieldAmountCents).All(ctx)
	if err != nil {
		return fmt.Errorf("reading what was billed: %w", err)
	}
	for _, row := range rows {
		items := last[row.SnapshotID].Machines
		if row.Kind == KindUser {
			items = last[row.SnapshotID].People
		}
		if _, twice := items[*row.ItemID]; !twice { // that is for the reconciliation to say
			items[*row.ItemID] = BilledItem{Type: row.BilledType, Cost: row.AmountCents}
		}
	}
	return nil
}

// readBilled reads which bills of the month stand already, and where its tickets stand in earlier ones.
func readBilled(ctx context.Context, tx *store.Tx, period codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	bills, err := tx.Ent().Snapshot.Query().Where(archive.Current,
		snapshot.BillingYear(period.Year), snapshot.BillingMonth(int(period.Month))).Order(snapshot.ByID()).
		Select(snapshot.FieldInvoiceNumber, snapshot.FieldCompanyAccountNumber).All(ctx)
	if err != nil {
		return fmt.Errorf("reading the bills of the month: %w", err)
	}
	for _, bill := range bills {
		if c := of[bill.CompanyAccountNumber]; c != nil {
			c.Billed = append(c.Billed, bill.InvoiceNumber)
		}
	}
	tickets := make(map[int]*TicketFact)
	var ids []int
	for _, c := range of {
		for i := range c.Tickets {
			tickets[c.Tickets[i].ID] = &c.Tickets[i]
			ids = append(ids, c.Tickets[i].ID)
		}
	}
	slices.Sort(ids)
	earlier, err := readTicketBills(ctx, tx, ids, before(period))
	if err != nil {
		return err
	}
	for id, t := range tickets {
		t.Earlier = earlier[id]
	}
	return nil
}

// readTicketBills reads where tickets stand in bills of the months that which tells, of whichever company,
// by ticket; the earliest month first.
func readTicketBills(ctx context.Context, tx *store.Tx, ids []int, which func(*sql.Selector)) (map[int][]BilledTicket, error) {
	rows, err := tx.Ent().BilledTicket.Query().Where(store.KeyIn(billedticket.FieldTicketID, ids)).
		Order(billedticket.ByID()).
		Select(billedticket.FieldSnapshotID, billedticket.FieldTicketID, billedticket.FieldHoursE4).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tickets that were billed: %w", err)
	}
	in := make([]int, len(rows))
	for i, row := range rows {
		in[i] = row.SnapshotID
	}
	bills, err := tx.Ent().Snapshot.Query().Where(archive.Current, which, store.KeyIn(snapshot.FieldID, in)).
		Select(snapshot.FieldInvoiceNumber, snapshot.FieldBillingYear, snapshot.FieldBillingMonth).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the bills of tickets: %w", err)
	}
	of := make(map[int]BilledTicket, len(bills))
	for _, bill := range bills {
		of[bill.ID] = BilledTicket{Period: monthOf(bill.BillingYear, bill.BillingMonth), Invoice: bill.InvoiceNumber}
	}
	billed := make(map[int][]BilledTicket)
	for _, row := range rows {
		if at, stands := of[row.SnapshotID]; stands {
			at.Hours = row.HoursE4
			billed[*row.TicketID] = append(billed[*row.TicketID], at)
		}
	}
	for _, at := range billed {
		slices.SortStableFunc(at, func(a, b BilledTicket) int { return a.Period.Start().Compare(b.Period.Start()) })
	}
	return billed, nil
}

// monthOf is a billing month as rows have it.
func monthOf(year, month int) codex.Period { return codex.Period{Year: year, Month: time.Month(month)} }
