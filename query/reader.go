package query

import (
	"context"
	"slices"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Rules are those settings that decide what a stored number means.
type Rules struct {
	// DefaultHours is what a ticket without time counts: 900 s unless [sync] default_hours says
	// otherwise. Old Codex counts 0.25 h, and Ledger's bills rely on it (docs/compatibility.md).
	DefaultHours codex.Seconds
	// BillNonBillable counts entries that are not billable too, as old Codex did: true unless
	// [freshservice] bill_non_billable says otherwise.
	BillNonBillable bool
}

// Reader answers questions from one source.
type Reader struct {
	client *ent.Client
	rules  Rules
}

// New makes a reader of client, which is the database's or a snapshot's.
func New(client *ent.Client, rules Rules) *Reader {
	return &Reader{client: client, rules: rules}
}

// TicketSeconds is the time that t is billed with: the sum of its entries (without those that are
// not billable, where the rules leave them out), or the default where that is 0. It reads the
// columns spent_seconds and unbillable_seconds.
func (r *Reader) TicketSeconds(t *ent.Ticket) codex.Seconds {
	return r.billed(t.SpentSeconds, t.UnbillableSeconds)
}

func (r *Reader) billed(spent, unbillable int64) codex.Seconds {
	if !r.rules.BillNonBillable {
		spent -= unbillable
	}
	if spent == 0 {
		return r.rules.DefaultHours
	}
	return codex.Seconds(spent)
}

// notFound is the error of a thing that is not there, or not served.
func notFound(what string, key any) error {
	return codex.Errorf(codex.CodeNotFound, "there is no %s %v", what, key)
}

// with is columns and those of needed that it lacks. No columns stay none, which means all.
func with(columns []string, needed ...string) []string {
	if len(columns) == 0 {
		return nil
	}
	all := slices.Clone(columns)
	for _, column := range needed {
		if !slices.Contains(all, column) {
			all = append(all, column)
		}
	}
	return all
}

// groupBy sorts rows into lists by their key and keeps their order.
func groupBy[K comparable, T any](rows []T, key func(T) K) map[K][]T {
	groups := make(map[K][]T)
	for _, row := range rows {
		k := key(row)
		groups[k] = append(groups[k], row)
	}
	return groups
}

// batches hands read one batch after another, in keyset order, until one is short.
func batches[T any](ctx context.Context, size int, read func(ctx context.Context, after *T) ([]T, error), fn func([]T) error) error {
	var after *T
	for {
		rows, err := read(ctx, after)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		if err := fn(rows); err != nil {
			return err
		}
		if len(rows) < size {
			return nil
		}
		after = &rows[len(rows)-1]
	}
}
