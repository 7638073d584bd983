package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/derivedbill"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotcontent"
	"github.com/hivematrix/codex/ent/snapshotitem"
	"github.com/hivematrix/codex/store"
)

// DerivedEntity names the revision of the tables that are derived from bills.
const DerivedEntity = "billed_items"

// Reading numbers the way in which bills are read. A release that reads them otherwise has the next
// number, and reads all of them anew.
const Reading = 2

// atOnce is how many bills are read in a transaction.
const atOnce = 100

// positions is more than a bill can have items: its body has at most 16 MiB.
const positions = 10_000_000

// CatchUp reads the bills that were archived since the last time. Where there are none it only looks.
func CatchUp(ctx context.Context, db *store.DB) error { return deriveAll(ctx, db, unread) }

// deriveAll reads bills until there are no more that wait.
func deriveAll(ctx context.Context, db *store.DB, waiting func(context.Context, *ent.Client) ([]int, error)) error {
	for {
		bills, err := waiting(ctx, db.Ent())
		if err != nil {
			return fmt.Errorf("looking for bills that were not read: %w", err)
		}
		if len(bills) == 0 {
			return nil
		}
		err = db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Raise(ctx, DerivedEntity); err != nil {
				return err
			}
			bills, err := waiting(ctx, tx.Ent()) // others may have read some meanwhile
			if err != nil {
				return err
			}
			if err := forget(ctx, tx, bills); err != nil {
				return err
			}
			for _, id := range bills {
				if err := derive(ctx, tx, id); err != nil {
					return fmt.Errorf("bill %d: %w", id, err)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading archived bills: %w", err)
		}
	}
}

// errUnread: a bill is not among those that were read, since it was archived after [CatchUp], or somebody
// took away what was derived from it.
var errUnread = errors.New("a bill has come that was not read yet")

// readings is how often a reading of bills begins anew because one was archived meanwhile.
const readings = 5

// caughtUp reads what depends on all bills having been read. If errUnread says that one was not, it begins
// anew, with those too that are missing in the middle; where that goes on it is [codex.CodeUnavailable].
func caughtUp[T any](ctx context.Context, db *store.DB, read func(ctx context.Context) (T, error)) (T, error) {
	waiting := unread
	for range readings {
		if err := deriveAll(ctx, db, waiting); err != nil {
			return *new(T), err
		}
		if got, err := read(ctx); !errors.Is(err, errUnread) {
			return got, err
		}
		waiting = missing
	}
	return *new(T), codex.Errorf(codex.CodeUnavailable, "bills are being archived faster than they can be read: ask again in a moment")
}

// Rebuild forgets what was derived from bills and reads all of them anew. It gives how many there are.
func Rebuild(ctx context.Context, db *store.DB) (bills int, err error) {
	err = db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Raise(ctx, DerivedEntity); err != nil {
			return err
		}
		for _, table := range []string{"billed_items", "billed_tickets", "derived_bills"} {
			if _, err := tx.SQL().ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return store.Translate(err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting what was derived from bills: %w", err)
	}
	if err := CatchUp(ctx, db); err != nil {
		return 0, err
	}
	bills, err = db.Ent().DerivedBill.Query().Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting the bills that were read: %w", err)
	}
	return bills, nil
}

// unread are the next bills to read: those behind the last that was read, and those that were read in
// another way.
func unread(ctx context.Context, client *ent.Client) ([]int, error) {
	last, err := client.DerivedBill.Query().Order(derivedbill.ByID(sql.OrderDesc())).FirstID(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	ids, err := client.Snapshot.Query().Where(snapshot.IDGT(last)).Order(snapshot.ByID()).Limit(atOnce).IDs(ctx)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	return client.DerivedBill.Query().Where(derivedbill.Or(derivedbill.ReadingLT(Reading), derivedbill.ReadingGT(Reading))).
		Order(derivedbill.ByID()).Limit(atOnce).IDs(ctx)
}

// missing are bills of which nothing was derived, wherever they stand. It looks at all bills.
func missing(ctx context.Context, client *ent.Client) ([]int, error) {
	return client.Snapshot.Query().Where(func(s *sql.Selector) {
		derived := sql.Table(derivedbill.Table)
		s.Where(sql.NotIn(s.C(snapshot.FieldID), sql.Dialect(s.Dialect()).Select(derived.C(derivedbill.FieldID)).From(derived)))
	}).Order(snapshot.ByID()).Limit(atOnce).IDs(ctx)
}

// forget takes away what was derived from bills.
func forget(ctx context.Context, tx *store.Tx, bills []int) error {
	keys := make([][]any, len(bills))
	for i, id := range bills {
		keys[i] = []any{id}
	}
	for _, table := range []string{"billed_items", "billed_tickets", "derived_bills"} {
		of := store.Table{Name: table, Key: []string{"snapshot_id"}, Columns: []store.Column{{Name: "snapshot_id", Kind: store.Int}}}
		if err := tx.DeleteByKey(ctx, of, keys); err != nil {
			return err
		}
	}
	return nil
}

// derive reads one bill.
func derive(ctx context.Context, tx *store.Tx, bill int) error {
	billing, problem, err := billingOf(ctx, tx, bill)
	if err != nil {
		return err
	}
	lines, err := linesOfBill(ctx, tx, bill)
	if err != nil {
		return err
	}
	items, unreadable := DeriveItems(billing, lines)
	if unreadable != nil && problem == nil {
		text := unreadable.Error()
		problem = &text
	}
	rates := make(map[string]string, len(items.Rates))
	for name, rate := range items.Rates {
		rates[name] = rate.String()
	}
	ratesText, err := json.Marshal(rates)
	if err != nil {
		return err
	}
	if err := insertItems(ctx, tx, bill, items); err != nil {
		return err
	}
	return tx.Ent().DerivedBill.Create().SetID(bill).SetReading(Reading).SetSource(string(items.Source)).
		SetNillableProblem(problem).SetRates(string(ratesText)).Exec(ctx)
}

// billingOf is a bill's billing data. Of one that was erased there is none.
func billingOf(ctx context.Context, tx *store.Tx, bill int) (text string, problem *string, err error) {
	row, err := tx.Ent().SnapshotContent.Query().
		Where(snapshotcontent.SnapshotID(bill), snapshotcontent.Name(string(proof.BillingData))).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		erased := "its billing data is not in the archive"
		return "{}", &erased, nil
	case err != nil:
		return "", nil, fmt.Errorf("reading the billing data: %w", err)
	}
	return row.Content, nil, nil
}

func linesOfBill(ctx context.Context, tx *store.Tx, bill int) ([]proof.LineItem, error) {
	rows, err := tx.Ent().SnapshotItem.Query().Where(snapshotitem.SnapshotID(bill)).Order(snapshotitem.ByPosition()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the lines: %w", err)
	}
	lines := make([]proof.LineItem, len(rows))
	for i, row := range rows {
		lines[i] = proof.LineItem{
			LineType: row.LineType, ItemName: row.ItemName, Description: row.Description,
			Quantity: row.QuantityE4, Rate: row.RateE4, Amount: row.AmountCents,
		}
	}
	return lines, nil
}

func insertItems(ctx context.Context, tx *store.Tx, bill int, items Items) error {
	rows := make([][]any, len(items.Lines))
	for i, line := range items.Lines {
		rows[i] = []any{
			bill*positions + i + 1, bill, i + 1, line.Kind, orNull(line.ID), line.Name, line.Type,
			int64(line.Quantity), int64(line.Rate), int64(line.Amount), line.Unread, line.ByName, int64(line.Backup),
		}
	}
	err := tx.Insert(ctx, store.Table{Name: "billed_items", Columns: []store.Column{
		{Name: "id", Kind: store.Int}, {Name: "snapshot_id", Kind: store.Int}, {Name: "position", Kind: store.Int},
		{Name: "kind", Kind: store.Text}, {Name: "item_id", Kind: store.Int}, {Name: "name", Kind: store.Text},
		{Name: "billed_type", Kind: store.Text}, {Name: "quantity_e4", Kind: store.Int},
		{Name: "rate_e4", Kind: store.Int}, {Name: "amount_cents", Kind: store.Int},
		{Name: "unread", Kind: store.Bool}, {Name: "told_by_name", Kind: store.Bool}, {Name: "backup_bytes", Kind: store.Int},
	}}, rows)
	if err != nil {
		return fmt.Errorf("writing items: %w", err)
	}
	rows = make([][]any, len(items.Tickets))
	for i, ticket := range items.Tickets {
		rows[i] = []any{bill*positions + i + 1, bill, i + 1, orNull(ticket.ID), ticket.Number, ticket.Subject, int64(ticket.Hours)}
	}
	err = tx.Insert(ctx, store.Table{Name: "billed_tickets", Columns: []store.Column{
		{Name: "id", Kind: store.Int}, {Name: "snapshot_id", Kind: store.Int}, {Name: "position", Kind: store.Int},
		{Name: "ticket_id", Kind: store.Int}, {Name: "ticket_number", Kind: store.Text},
		{Name: "subject", Kind: store.Text}, {Name: "hours_e4", Kind: store.Int},
	}}, rows)
	if err != nil {
		return fmt.Errorf("writing tickets: %w", err)
	}
	return nil
}

func orNull(id *int) any {
	if id == nil {
		return nil
	}
	return *id
}

// RatesOf are the rates of a bill that was read.
func RatesOf(bill *ent.DerivedBill) (map[string]codex.Quantity, error) {
	var texts map[string]string
	if err := json.Unmarshal([]byte(bill.Rates), &texts); err != nil {
		return nil, fmt.Errorf("the rates of bill %d: %w", bill.ID, err)
	}
	rates := make(map[string]codex.Quantity, len(texts))
	for name, text := range texts {
		rate, err := codex.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("the rate %s of bill %d: %w", name, bill.ID, err)
		}
		rates[name] = rate
	}
	return rates, nil
}
