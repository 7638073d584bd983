package audit

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/store"
)

// cellKind is what a database holds, whatever the column says: SQLite puts every kind in every column.
type cellKind int

const (
	null cellKind = iota
	number
	text // a time too
	fraction
	bytes
)

func (k cellKind) String() string {
	return [...]string{"null", "an integer", "a text", "a fraction", "bytes"}[k]
}

// cell is a value of a row. Two are the same if they are in all, so the spelling of a time counts.
type cell struct {
	kind cellKind
	text string
}

func textCell[T ~string](t T) cell { return cell{text, string(t)} }

func textOrNull(t *string) cell {
	if t == nil {
		return cell{}
	}
	return textCell(*t)
}

func numberCell[T ~int | ~int64](n T) cell { return cell{number, strconv.FormatInt(int64(n), 10)} }

func numberOrNull[T ~int | ~int64](n *T) cell {
	if n == nil {
		return cell{}
	}
	return numberCell(*n)
}

// timeCell is a time as both databases are asked to write it.
func timeCell(t time.Time) cell { return cell{text, t.UTC().Format("2006-01-02T15:04:05.000000Z")} }

// integer is the number of a cell that is one.
func (c cell) integer() (int64, bool) {
	if c.kind != number {
		return 0, false
	}
	n, err := strconv.ParseInt(c.text, 10, 64)
	return n, err == nil
}

func cellOf(value any) cell {
	switch value := value.(type) {
	case nil:
		return cell{}
	case int64:
		return numberCell(value)
	case string:
		return textCell(value)
	case float64:
		return cell{fraction, strconv.FormatFloat(value, 'g', -1, 64)}
	case []byte:
		return cell{bytes, string(value)}
	}
	return cell{bytes, fmt.Sprintf("%T %v", value, value)}
}

// table is a table of evidence as the schema of this program has it.
type table struct {
	name    string
	key     string // its primary key
	columns []string
	at      map[string]int
	times   map[string]bool
	hidden  map[string]bool // columns that hold what a leaf commits to
}

// tables are all tables of evidence.
func tables() (map[string]*table, error) {
	hidden := map[string][]string{
		tableContents: {"salt", "content"},
		tableItems:    {"line_type", "item_name", "description"},
	}
	all := map[string]*table{}
	for _, name := range store.AppendOnlyTables() {
		at := slices.IndexFunc(migrate.Tables, func(t *schema.Table) bool { return t.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("the schema has no table %s", name)
		}
		t := &table{
			name: name, key: migrate.Tables[at].PrimaryKey[0].Name,
			at: map[string]int{}, times: map[string]bool{}, hidden: map[string]bool{},
		}
		for i, column := range migrate.Tables[at].Columns {
			t.columns = append(t.columns, column.Name)
			t.at[column.Name] = i
			t.times[column.Name] = column.Type == field.TypeTime
			t.hidden[column.Name] = slices.Contains(hidden[name], column.Name)
		}
		all[name] = t
	}
	return all, nil
}

// The tables.
const (
	tableSnapshots   = "snapshots"
	tableContents    = "snapshot_contents"
	tableItems       = "snapshot_items"
	tableEvents      = "bill_events"
	tableLeaves      = "log_leaves"
	tableHashes      = "log_hashes"
	tableHeads       = "log_heads"
	tableCheckpoints = "log_checkpoints"
	tableEpochs      = "log_epochs"
	tableKeys        = "log_keys"
)

// row is a row as it stands.
type row struct {
	table *table
	cells []cell
}

func (r row) get(column string) cell { return r.cells[r.table.at[column]] }

// keyText is the primary key as a finding names it.
func (r row) keyText() string { return r.get(r.table.key).text }

// read calls fn with each row of a table that the condition holds for. The numbers in a condition are
// this package's own, so it takes no parameters. Within fn no other statement may be run: a
// connection of PostgreSQL has one answer at a time.
func (v *verifier) read(ctx context.Context, name, condition string, fn func(row) error) (err error) {
	t := v.tables[name]
	selected := make([]string, len(t.columns))
	for i, column := range t.columns {
		quoted := `"` + column + `"`
		switch {
		case !t.times[column]:
			selected[i] = quoted
		case v.tx.Dialect() == dialect.Postgres:
			selected[i] = `to_char(` + quoted + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
		default:
			selected[i] = "+" + quoted // an expression: the driver must not take it for a time
		}
	}
	return v.scan(ctx, "SELECT "+strings.Join(selected, ", ")+" FROM "+name+" "+condition, len(t.columns),
		func(cells []cell) error { return fn(row{t, cells}) })
}

// scan calls fn with the cells of each row of a query.
func (v *verifier) scan(ctx context.Context, query string, columns int, fn func([]cell) error) (err error) {
	rows, err := v.tx.SQL().QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("%s: %w", firstWords(query), store.Translate(err))
	}
	defer func() { err = closed(rows, err) }()
	for rows.Next() {
		values, into := make([]any, columns), make([]any, columns)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("%s: %w", firstWords(query), err)
		}
		cells := make([]cell, columns)
		for i, value := range values {
			cells[i] = cellOf(value)
		}
		if err := fn(cells); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", firstWords(query), store.Translate(err))
	}
	return nil
}

func closed(rows *sql.Rows, err error) error {
	if failed := rows.Close(); err == nil && failed != nil {
		return fmt.Errorf("ending a query: %w", store.Translate(failed))
	}
	return err
}

func firstWords(query string) string {
	if len(query) > 200 {
		query = query[:200] + "…"
	}
	return query
}

// one is the first number of a query, and whether there is one.
func (v *verifier) one(ctx context.Context, query string) (n int64, there bool, err error) {
	err = v.scan(ctx, query, 1, func(cells []cell) error {
		n, there = cells[0].integer()
		return nil
	})
	return n, there, err
}

// in is a list of numbers for an IN of SQL, which is never empty.
func in(numbers []int64) string {
	if len(numbers) == 0 {
		return "(NULL)"
	}
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
