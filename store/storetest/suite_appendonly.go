package storetest

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

func evidence(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"every statement that would change a row of evidence is refused", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if err := db.CheckAppendOnly(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, table := range store.AppendOnlyTables() {
				if left := count(t, db, "SELECT count(*) FROM "+table); left != 0 {
					t.Errorf("trying left %d rows in %s", left, table)
				}
			}
		}},
		{"a trigger that was taken away is missed, whichever it is", func(t *testing.T) {
			db := Open(t, s.Dialect)
			for _, table := range store.AppendOnlyTables() {
				for trigger, word := range triggers(s.Dialect, table) {
					giveBack := takeAway(t, db, table, trigger)
					refused(t, db.CheckAppendOnly(t.Context()), codex.CodeConflict, table, word)
					giveBack()
				}
			}
			if err := db.CheckAppendOnly(t.Context()); err != nil {
				t.Error(err)
			}
		}},
		{"ent refuses before the database does", func(t *testing.T) {
			db := Open(t, s.Dialect)
			_, err := db.Ent().LogLeaf.Delete().Exec(t.Context())
			refused(t, err, codex.CodeConflict, "log_leaves")
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Ent().BillEvent.Delete().Exec(ctx)
				refused(t, err, codex.CodeConflict, "bill_events")
				return nil
			})
		}},
		{"a view of bills takes no writes", func(t *testing.T) {
			db := Open(t, s.Dialect)
			for _, statement := range []string{"UPDATE billing_snapshots SET company_name = 'x'", "DELETE FROM snapshot_line_items"} {
				if _, err := db.SQL().ExecContext(t.Context(), statement); err == nil {
					t.Errorf("%s is taken", statement)
				}
			}
		}},
	})
}

// triggers are those of a table, each with the word of what it refuses alone.
func triggers(dialectName, table string) map[string]string {
	if dialectName == dialect.Postgres {
		return map[string]string{"append_only": "UPDATE"}
	}
	name := table + "_append_only_"
	return map[string]string{name + "update": "UPDATE", name + "delete": "DELETE", name + "insert": "REPLACE"}
}

// takeAway does what somebody does who wants to change a bill.
func takeAway(t *testing.T, db *store.DB, table, trigger string) (giveBack func()) {
	t.Helper()
	run := func(statement string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if db.Dialect() == dialect.Postgres {
		run("ALTER TABLE " + table + " DISABLE TRIGGER " + trigger)
		return func() { run("ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER " + trigger) }
	}
	made := column(t, db, "SELECT sql FROM sqlite_master WHERE name = $1", trigger)
	run("DROP TRIGGER " + trigger)
	return func() { run(made[0]) }
}
