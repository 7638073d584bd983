package store

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/ent/revision"
)

var revisions = Table{ //nolint:gochecknoglobals // a constant, but for the language
	Name: revision.Table, Key: []string{revision.FieldID},
	Columns: []Column{{Name: revision.FieldID, Kind: Text}, {Name: revision.FieldValue, Kind: Int}},
}

// Revisions gives the revisions of entities, 0 for one that was never written. In a write
// transaction it also locks them, in one order, until the end: nobody else moves them or gets past
// this call for the same entity meanwhile, so a plan whose base they are can be applied. In a
// snapshot they are what they were at its first read.
func (tx *Tx) Revisions(ctx context.Context, entities ...string) (map[string]int64, error) {
	entities = slices.Compact(slices.Sorted(slices.Values(entities)))
	lock := tx.write && tx.dialect == dialect.Postgres // on SQLite the transaction is the only one
	if lock {
		// A row that is not there cannot be locked.
		const make = "INSERT INTO revisions (entity, value) SELECT entity, 0 FROM unnest($1::text[]) AS e (entity) ORDER BY entity ON CONFLICT DO NOTHING"
		if _, err := tx.sql.ExecContext(ctx, make, entities); err != nil {
			return nil, fmt.Errorf("locking revisions: %w", Translate(err))
		}
	}
	query := tx.ent.Revision.Query().Where(KeyIn(revision.FieldID, entities)).Order(revision.ByID())
	if lock {
		query.ForUpdate()
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading revisions: %w", err)
	}
	if lock && tx.clock != nil {
		tx.now, tx.clock = tx.clock(), nil
	}
	values := make(map[string]int64, len(entities))
	for _, entity := range entities {
		values[entity] = 0
	}
	for _, row := range rows {
		values[row.ID] = row.Value
	}
	return values, nil
}

// Raise raises the revisions of entities: it belongs into every transaction that writes to their
// tables. It locks them as [Tx.Revisions] does.
//
// A revision is the transaction's time in microseconds, or one more than the one before where that is
// later. A count would come to the same numbers again in a database that was restored or made anew, and
// who kept an answer under one of them (ETags) would be told that it is good.
func (tx *Tx) Raise(ctx context.Context, entities ...string) error {
	values, err := tx.Revisions(ctx, entities...)
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(values))
	for entity, value := range values {
		rows = append(rows, []any{entity, max(value+1, tx.now.UnixMicro())})
	}
	return tx.Upsert(ctx, revisions, rows)
}
