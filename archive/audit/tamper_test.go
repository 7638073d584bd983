package audit_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/store"
)

// tableOf is a table as the schema has it, so that no new column is forgotten.
func tableOf(t *testing.T, name string) *schema.Table {
	t.Helper()
	at := slices.IndexFunc(migrate.Tables, func(table *schema.Table) bool { return table.Name == name })
	if at < 0 {
		t.Fatalf("there is no table %s", name)
	}
	return migrate.Tables[at]
}

// keys are the primary keys of all rows of a table.
func (w *world) keys(t *testing.T, table *schema.Table) []int64 {
	t.Helper()
	key := table.PrimaryKey[0].Name
	rows, err := w.db.SQL().QueryContext(t.Context(), "SELECT "+key+" FROM "+table.Name+" ORDER BY "+key)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var keys []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, n)
	}
	if err := rows.Err(); err != nil || len(keys) == 0 {
		t.Fatalf("the fixture has no row of %s: %v", table.Name, err)
	}
	return keys
}

// some are the first, the last and one in the middle.
func some(keys []int64) []int64 {
	return slices.Compact([]int64{keys[0], keys[len(keys)/2], keys[len(keys)-1]})
}

// values are what a column of a row is changed to: another value of its kind, and NULL where it may be.
func (w *world) values(t *testing.T, table *schema.Table, column *schema.Column, key int64) []any {
	t.Helper()
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s = %d", column.Name, table.Name, table.PrimaryKey[0].Name, key)
	var stands any
	if err := w.db.SQL().QueryRowContext(t.Context(), query).Scan(&stands); err != nil {
		t.Fatal(err)
	}
	var values []any
	if column.Nullable && stands != nil {
		values = append(values, nil)
	}
	switch before := stands.(type) {
	case string:
		values = append(values, before+"x")
		if at := len(before) - 2; column.Name == "salt" || column.Name == "hash" || column.Name == "root" {
			values = append(values, before[:at]+map[bool]string{true: "0", false: "1"}[before[at] == '1']+before[at+1:])
		}
	case int64:
		values = append(values, before+1_000_003)
	case time.Time:
		values = append(values, before.Add(time.Microsecond))
	case nil:
		values = append(values, map[bool]any{true: "x", false: 3}[column.Type == field.TypeString])
	default:
		t.Fatalf("%s.%s is a %T", table.Name, column.Name, stands)
	}
	return values
}

// set changes a column of a row, and gives what changes it back.
func (w *world) set(t *testing.T, table *schema.Table, column string, key int64, value any) (back func()) {
	t.Helper()
	primary := table.PrimaryKey[0].Name
	var before any
	if err := w.db.SQL().QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s WHERE %s = %d", column, table.Name, primary, key)).Scan(&before); err != nil {
		t.Fatal(err)
	}
	statement := "UPDATE " + table.Name + " SET " + column + " = $1 WHERE " + primary + " = $2"
	w.exec(t, statement, value, key)
	return func() {
		if column == primary {
			w.exec(t, statement, before, value)
			return
		}
		w.exec(t, statement, before, key)
	}
}

// about is what a finding has to name.
type about struct {
	kinds      []audit.Kind
	table, row string
	column     string
}

func (a about) named(f audit.Finding) bool {
	return slices.Contains(a.kinds, f.Kind) && f.Table == a.table && (f.Row == a.row || strings.HasPrefix(f.Row, a.row+" to ") || strings.HasSuffix(f.Row, " to "+a.row)) &&
		(a.column == "" || slices.Contains(strings.Split(f.Column, ", "), a.column))
}

// names verifies, and has every finding be about one of what was done, and all of that be found.
func (w *world) names(t *testing.T, what string, o audit.Options, done ...about) {
	t.Helper()
	report := w.verify(t, o)
	found := make([]bool, len(done))
	lines := told(report)
	for _, f := range report.Findings {
		if f.Kind == audit.Unprotected {
			continue
		}
		at := slices.IndexFunc(done, func(a about) bool { return a.named(f) })
		if at < 0 {
			t.Errorf("%s: it says %s", what, f)
			continue
		}
		found[at] = true
	}
	if slices.Contains(found, false) || report.OK() {
		t.Errorf("%s: it says, OK %v,\n  %s", what, report.OK(), strings.Join(lines, "\n  "))
	}
}

func TestEveryColumnOfEveryTableIsVerified(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		for _, name := range store.AppendOnlyTables() {
			table := tableOf(t, name)
			for _, column := range table.Columns {
				for _, key := range some(w.keys(t, table)) {
					for _, value := range w.values(t, table, column, key) {
						shown := fmt.Sprint(value)
						what := fmt.Sprintf("%s.%s of %d is set to %s", name, column.Name, key, shown[:min(len(shown), 100)])
						newest := key == w.last(t, table)
						back := w.set(t, table, column.Name, key, value)
						row := strconv.FormatInt(key, 10)
						if column.Name == table.PrimaryKey[0].Name {
							row = shown
						}
						done := about{[]audit.Kind{audit.Altered}, name, row, column.Name}
						if name == "log_checkpoints" && column.Name == "id" && newest {
							// It may be that rows before it were taken away: the finding says both.
							done = about{[]audit.Kind{audit.Missing}, name, strconv.FormatInt(key, 10), "id"}
						}
						w.names(t, what, audit.Options{}, done)
						back()
					}
				}
			}
		}
		if report := w.verify(t, audit.Options{}); len(told(report)) > 0 {
			t.Errorf("when all was put right it says %v", told(report))
		}
	})
}

// last is the greatest primary key that a table has.
func (w *world) last(t *testing.T, table *schema.Table) int64 {
	t.Helper()
	keys := w.keys(t, table)
	return keys[len(keys)-1]
}

// copyRow inserts a copy of a row, with some columns changed.
func (w *world) copyRow(t *testing.T, table *schema.Table, key int64, change map[string]any) {
	t.Helper()
	var columns, selected []string
	var args []any
	for _, column := range table.Columns {
		columns = append(columns, column.Name)
		if value, there := change[column.Name]; there {
			args = append(args, value)
			kind := map[bool]string{true: "text", false: "bigint"}[column.Type == field.TypeString]
			selected = append(selected, fmt.Sprintf("CAST($%d AS %s)", len(args), kind))
			continue
		}
		selected = append(selected, column.Name)
	}
	w.exec(t, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s = %d", table.Name, strings.Join(columns, ", "),
		strings.Join(selected, ", "), table.Name, table.PrimaryKey[0].Name, key), args...)
}

func TestEveryRowThatIsTakenAwayIsMissed(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		for _, name := range store.AppendOnlyTables() {
			table := tableOf(t, name)
			primary := table.PrimaryKey[0].Name
			// A copy of the table, from which rows are put back.
			w.exec(t, "CREATE TABLE kept AS SELECT * FROM "+name)
			for _, key := range w.keys(t, table) {
				row := strconv.FormatInt(key, 10)
				done, o := about{[]audit.Kind{audit.Missing}, name, row, ""}, audit.Options{}
				if name == "log_checkpoints" && key == w.last(t, table) {
					// Behind the newest no number is missing: who got it knows that it is gone.
					done.row, o = "", audit.Options{Against: w.signed[9]}
				}
				w.exec(t, fmt.Sprintf("DELETE FROM %s WHERE %s = %d", name, primary, key))
				w.names(t, fmt.Sprintf("%s has no row %d", name, key), o, done)
				w.exec(t, fmt.Sprintf("INSERT INTO %s SELECT * FROM kept WHERE %s = %d", name, primary, key))
			}
			w.exec(t, "DROP TABLE kept")
		}
	})
}

func TestEveryRowThatIsPutInIsNamed(t *testing.T) {
	// What a copy of a row is given so that its table takes it.
	changes := map[string]map[string]any{
		"snapshots":         {"id": 77, "invoice_number": "forged", "leaf_index": 77},
		"snapshot_contents": {"id": 777, "name": "more"},
		"snapshot_items":    {"id": 7_700_001, "position": 77},
		"bill_events":       {"id": 77, "leaf_index": 77},
		"log_leaves":        {"leaf_index": 77},
		"log_hashes":        {"hash_index": 77},
		"log_heads":         {"size": 77},
		"log_checkpoints":   {"id": 77, "size": 77},
		"log_epochs":        {"epoch": 77, "leaf_index": 77},
		"log_keys":          {"id": 77},
	}
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		for _, name := range store.AppendOnlyTables() {
			table := tableOf(t, name)
			primary := table.PrimaryKey[0].Name
			for _, key := range some(w.keys(t, table)) {
				w.copyRow(t, table, key, changes[name])
				row := fmt.Sprint(changes[name][primary])
				done := about{[]audit.Kind{audit.Added}, name, row, ""}
				if name == "log_checkpoints" {
					done = about{[]audit.Kind{audit.Altered}, name, row, "note"} // which stands in another row, too
				}
				w.names(t, fmt.Sprintf("a copy of row %d of %s", key, name), audit.Options{}, done)
				w.exec(t, fmt.Sprintf("DELETE FROM %s WHERE %s = %v", name, primary, changes[name][primary]))
			}
		}
	})
}

func TestRowsThatAreExchangedAreNamed(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		for _, name := range store.AppendOnlyTables() {
			table := tableOf(t, name)
			primary := table.PrimaryKey[0].Name
			keys := w.keys(t, table)
			if len(keys) == 1 {
				continue // the log's key, and the one epoch
			}
			a, b := keys[0], keys[len(keys)-1]
			exchange := func() {
				for _, step := range [][2]int64{{a, -7}, {b, a}, {-7, b}} {
					w.exec(t, fmt.Sprintf("UPDATE %s SET %s = %d WHERE %s = %d", name, primary, step[1], primary, step[0]))
				}
			}
			exchange()
			altered := []audit.Kind{audit.Altered}
			w.names(t, fmt.Sprintf("rows %d and %d of %s are exchanged", a, b, name), audit.Options{},
				about{altered, name, strconv.FormatInt(a, 10), ""}, about{altered, name, strconv.FormatInt(b, 10), ""})
			exchange()
		}
	})
}
