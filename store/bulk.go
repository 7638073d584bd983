package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// Kind says how the values of a column travel to the database.
type Kind int

// The kinds, with the values that they take beside nil (NULL). Named types of these, pointers to
// them and sql.Null of them are taken too.
const (
	Text Kind = iota + 1 // string
	Int                  // any integer that fits into int64
	Bool                 // bool
	Time                 // time.Time
)

// Column is a column of a bulk statement.
type Column struct {
	Name string
	Kind Kind
}

// Table is what a bulk statement writes: Columns are those that it sets, key columns included; Key
// names the columns of a unique key.
type Table struct {
	Name    string
	Key     []string
	Columns []Column
}

// Assignment sets a column to one value.
type Assignment struct {
	Column Column
	Value  any
}

// bulkRows is how many rows travel in one statement to PostgreSQL: beyond some thousands nothing
// is gained, and memory is what a statement holds.
const bulkRows = 5000

// Upsert writes rows, a value for each of t.Columns in their order: a row whose key is there has
// all other columns set, another is inserted. No key may come twice. 20,000 rows take well under a
// second on either database.
func (tx *Tx) Upsert(ctx context.Context, t Table, rows [][]any) error {
	if len(t.Key) == 0 {
		return fmt.Errorf("upserting into %s: the table has no key", t.Name)
	}
	var set []string
	for _, column := range t.Columns {
		if !slices.Contains(t.Key, column.Name) {
			set = append(set, quote(column.Name)+" = excluded."+quote(column.Name))
		}
	}
	action := "NOTHING"
	if len(set) > 0 {
		action = "UPDATE SET " + strings.Join(set, ", ")
	}
	conflict := " ON CONFLICT (" + quoteAll(t.Key) + ") DO " + action
	if err := tx.insert(ctx, t, conflict, rows); err != nil {
		return fmt.Errorf("upserting into %s: %w", t.Name, err)
	}
	return nil
}

// Insert writes rows, a value for each of t.Columns in their order. A unique key that is there
// already is [codex.CodeConflict].
func (tx *Tx) Insert(ctx context.Context, t Table, rows [][]any) error {
	if err := tx.insert(ctx, t, "", rows); err != nil {
		return fmt.Errorf("inserting into %s: %w", t.Name, err)
	}
	return nil
}

func (tx *Tx) insert(ctx context.Context, t Table, conflict string, rows [][]any) error {
	into := "INSERT INTO " + quote(t.Name) + " (" + quoteAll(names(t.Columns)) + ")"
	if tx.dialect == dialect.Postgres {
		query := into + " SELECT * FROM unnest(" + arrays(t.Columns) + ")" + conflict
		return tx.execArrays(ctx, query, t.Columns, rows)
	}
	query := into + " VALUES (" + placeholders(1, len(t.Columns)) + ")" + conflict
	return tx.execEach(ctx, query, t.Columns, rows)
}

// DeleteByKey deletes the rows with keys, a value for each of t.Key in their order. A key that is
// not there is no error.
func (tx *Tx) DeleteByKey(ctx context.Context, t Table, keys [][]any) error {
	columns := make([]Column, len(t.Key))
	for i, name := range t.Key {
		at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		if at < 0 {
			return fmt.Errorf("deleting from %s: its columns lack the key column %s", t.Name, name)
		}
		columns[i] = t.Columns[at]
	}
	if len(columns) == 0 {
		return fmt.Errorf("deleting from %s: the table has no key", t.Name)
	}
	if err := tx.deleteByKey(ctx, t.Name, columns, keys); err != nil {
		return fmt.Errorf("deleting from %s: %w", t.Name, err)
	}
	return nil
}

func (tx *Tx) deleteByKey(ctx context.Context, table string, columns []Column, keys [][]any) error {
	same := make([]string, len(columns))
	if tx.dialect == dialect.Postgres {
		for i, column := range columns {
			same[i] = "t." + quote(column.Name) + " = k." + quote(column.Name)
		}
		query := "DELETE FROM " + quote(table) + " AS t USING unnest(" + arrays(columns) + ") AS k (" +
			quoteAll(names(columns)) + ") WHERE " + strings.Join(same, " AND ")
		return tx.execArrays(ctx, query, columns, keys)
	}
	for i, column := range columns {
		same[i] = fmt.Sprintf("%s = $%d", quote(column.Name), i+1)
	}
	return tx.execEach(ctx, "DELETE FROM "+quote(table)+" WHERE "+strings.Join(same, " AND "), columns, keys)
}

// UpdateByKey sets columns of the rows whose key is one of keys to one value each. where narrows
// the rows further: a constant SQL condition such as "seen_to IS NULL", or empty. It takes one
// statement, however many keys there are.
func (tx *Tx) UpdateByKey(ctx context.Context, table string, key Column, set []Assignment, keys []any, where string) error {
	if len(keys) == 0 || len(set) == 0 {
		return nil
	}
	assignments := make([]string, len(set))
	args := make([]any, 0, len(set)+1)
	for i, assignment := range set {
		value, err := plain(assignment.Column, assignment.Value)
		if err != nil {
			return fmt.Errorf("updating %s: %w", table, err)
		}
		args = append(args, value)
		assignments[i] = fmt.Sprintf("%s = $%d", quote(assignment.Column.Name), i+1)
		if tx.dialect == dialect.Postgres {
			assignments[i] += "::" + postgresType(assignment.Column.Kind)
		}
	}
	query := "UPDATE " + quote(table) + " SET " + strings.Join(assignments, ", ") + " WHERE " + quote(key.Name)
	var list any
	var err error
	if tx.dialect == dialect.Postgres {
		query += fmt.Sprintf(" = ANY ($%d::%s[])", len(args)+1, postgresType(key.Kind))
		list, err = array(key, len(keys), slices.Values(keys))
	} else {
		query += fmt.Sprintf(" IN (SELECT value FROM json_each($%d))", len(args)+1)
		list, err = jsonList(key, keys)
	}
	if err != nil {
		return fmt.Errorf("updating %s: %w", table, err)
	}
	if where != "" {
		query += " AND (" + where + ")"
	}
	if _, err := tx.sql.ExecContext(ctx, query, append(args, list)...); err != nil {
		return fmt.Errorf("updating %s: %w", table, Translate(err))
	}
	return nil
}

// execEach runs query once a row: SQLite's fastest way, since it has no round trips.
func (tx *Tx) execEach(ctx context.Context, query string, columns []Column, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := tx.sql.PrepareContext(ctx, query)
	if err != nil {
		return Translate(err)
	}
	defer stmt.Close()
	args := make([]any, len(columns))
	for _, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("a row has %d values for %d columns", len(row), len(columns))
		}
		for i, column := range columns {
			if args[i], err = plain(column, row[i]); err != nil {
				return err
			}
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return Translate(err)
		}
	}
	return nil
}

// execArrays runs query with an array a column, some thousands of rows at a time: one round trip
// and one plan for all of them.
func (tx *Tx) execArrays(ctx context.Context, query string, columns []Column, rows [][]any) error {
	args := make([]any, len(columns))
	for chunk := range slices.Chunk(rows, bulkRows) {
		for _, row := range chunk {
			if len(row) != len(columns) {
				return fmt.Errorf("a row has %d values for %d columns", len(row), len(columns))
			}
		}
		for i, c := range columns {
			var err error
			if args[i], err = array(c, len(chunk), func(yield func(any) bool) {
				for _, row := range chunk {
					if !yield(row[i]) {
						return
					}
				}
			}); err != nil {
				return err
			}
		}
		if _, err := tx.sql.ExecContext(ctx, query, args...); err != nil {
			return Translate(err)
		}
	}
	return nil
}

func names(columns []Column) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return names
}

// arrays are the parameters of unnest: $1::text[], $2::bigint[] …
func arrays(columns []Column) string {
	parts := make([]string, len(columns))
	for i, column := range columns {
		parts[i] = fmt.Sprintf("$%d::%s[]", i+1, postgresType(column.Kind))
	}
	return strings.Join(parts, ", ")
}

func placeholders(from, count int) string {
	parts := make([]string, count)
	for i := range parts {
		parts[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(parts, ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}
