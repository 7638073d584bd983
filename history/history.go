package history

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Table is a table of versions: the key of the row that a version is of, and the columns kept.
type Table struct {
	Name string
	Key  []store.Column
	Kept []store.Column
}

// Origin says what brought or ended a version: a sync run, or a person.
type Origin struct {
	Run codex.RunID
	By  string // the person's name, where no run did it
}

// Open begins a version of each row at the moment at. A row's values are those of the table's key
// and kept columns, in their order.
func Open(ctx context.Context, tx *store.Tx, t Table, rows [][]any, at time.Time, origin Origin) error {
	if len(rows) == 0 {
		return nil
	}
	columns := append(append([]store.Column{}, t.Key...), t.Kept...)
	columns = append(columns,
		store.Column{Name: "seen_from", Kind: store.Time},
		store.Column{Name: "run_id", Kind: store.Text},
		store.Column{Name: "changed_by", Kind: store.Text})
	versions := make([][]any, len(rows))
	for i, row := range rows {
		version := make([]any, 0, len(columns))
		version = append(version, row...)
		versions[i] = append(version, at, orNull(string(origin.Run)), orNull(origin.By))
	}
	if err := tx.Insert(ctx, store.Table{Name: t.Name, Columns: columns}, versions); err != nil {
		return fmt.Errorf("opening versions in %s: %w", t.Name, err)
	}
	return nil
}

// Close ends the open version of each row at the moment at. keys are the values of the table's key
// columns; a row without an open version is passed over.
func Close(ctx context.Context, tx *store.Tx, t Table, keys [][]any, at time.Time, origin Origin) error {
	ending := []store.Assignment{
		{Column: store.Column{Name: "seen_to", Kind: store.Time}, Value: at},
		{Column: store.Column{Name: "ended_run_id", Kind: store.Text}, Value: orNull(string(origin.Run))},
		{Column: store.Column{Name: "ended_by", Kind: store.Text}, Value: orNull(origin.By)},
	}
	var err error
	switch {
	case len(keys) == 0:
	case len(t.Key) == 1:
		err = closeByKey(ctx, tx, t, keys, ending)
	default:
		err = closeOneByOne(ctx, tx, t, keys, ending)
	}
	if err != nil {
		return fmt.Errorf("closing versions in %s: %w", t.Name, err)
	}
	return nil
}

func closeByKey(ctx context.Context, tx *store.Tx, t Table, keys [][]any, ending []store.Assignment) error {
	flat := make([]any, len(keys))
	for i, key := range keys {
		flat[i] = key[0]
	}
	return tx.UpdateByKey(ctx, t.Name, t.Key[0], ending, flat, "seen_to IS NULL")
}

// closeOneByOne serves composite keys: those of links, few of which change in a run.
func closeOneByOne(ctx context.Context, tx *store.Tx, t Table, keys [][]any, ending []store.Assignment) error {
	var set, where []string
	var values []any
	for _, a := range ending {
		values = append(values, a.Value)
		set = append(set, fmt.Sprintf("%s = $%d", a.Column.Name, len(values)))
	}
	for i, c := range t.Key {
		where = append(where, fmt.Sprintf("%s = $%d", c.Name, len(values)+i+1))
	}
	query := fmt.Sprintf("UPDATE %s SET %s WHERE seen_to IS NULL AND %s", t.Name, strings.Join(set, ", "), strings.Join(where, " AND "))
	statement, err := tx.SQL().PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	for _, key := range keys {
		if _, err := statement.ExecContext(ctx, append(slices.Clone(values), key...)...); err != nil {
			return err
		}
	}
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
