package syncers

import (
	"context"
	"fmt"
	"strings"

	"github.com/hivematrix/codex/store"
)

// load reads the rows of e, removed ones too: a record may belong to one. where narrows them by a
// constant condition whose parameters are args; empty is all.
func load[R any](ctx context.Context, tx *store.Tx, e *Entity[R], where string, args ...any) ([]R, error) {
	names := make([]string, len(e.Columns))
	for i, c := range e.Columns {
		names[i] = c.Name
	}
	query := fmt.Sprintf("SELECT %s FROM %s", strings.Join(names, ", "), e.tableName())
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := tx.SQL().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Name, err)
	}
	defer func() { _ = rows.Close() }()
	var list []R
	targets := make([]any, len(e.Columns))
	for rows.Next() {
		var r R
		for i, c := range e.Columns {
			targets[i] = c.target(&r)
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("reading %s: %w", e.Name, err)
		}
		e.tidy(&r)
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Name, err)
	}
	return list, nil
}

// loadKeyed reads the rows of e whose column is one of keys.
func loadKeyed[R any](ctx context.Context, tx *store.Tx, e *Entity[R], column string, keys []int) ([]R, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	condition, arg := store.KeyArg(tx.Dialect(), column, "$1", keys)
	return load(ctx, tx, e, condition, arg)
}

// nextID is the first id of e that no row ever had: rows are never deleted, only marked removed.
func nextID[R any](e *Entity[R], rows []R) int {
	next := 1
	if e.ID != nil {
		for i := range rows {
			next = max(next, *e.ID(&rows[i])+1)
		}
	}
	return next
}
