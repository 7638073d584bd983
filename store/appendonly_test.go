package store_test

import (
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/migrations"
	"github.com/hivematrix/codex/store/storetest"
)

// remake are the statements by which a migration makes a table anew, which takes its triggers away.
func remake(t *testing.T, db *store.DB, table string) []string {
	t.Helper()
	if db.Dialect() == dialect.Postgres {
		return []string{
			fmt.Sprintf("CREATE TABLE new_%s (LIKE %s INCLUDING ALL)", table, table),
			fmt.Sprintf("INSERT INTO new_%s SELECT * FROM %s", table, table),
			fmt.Sprintf("DROP TABLE %s CASCADE", table), // the views with it
			fmt.Sprintf("ALTER TABLE new_%s RENAME TO %s", table, table),
		}
	}
	rows, err := db.SQL().QueryContext(t.Context(), "SELECT sql FROM sqlite_master WHERE tbl_name = $1 AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var made []string
	for rows.Next() {
		var sql string
		if err := rows.Scan(&sql); err != nil {
			t.Fatal(err)
		}
		made = append(made, sql)
	}
	if err := rows.Err(); err != nil || len(made) == 0 {
		t.Fatalf("%s: %v, %v", table, made, err)
	}
	statements := []string{
		strings.Replace(made[0], "`"+table+"`", "`new_"+table+"`", 1),
		fmt.Sprintf("INSERT INTO new_%s SELECT * FROM %s", table, table),
		"DROP TABLE " + table,
		fmt.Sprintf("ALTER TABLE new_%s RENAME TO %s", table, table),
	}
	return append(statements, made[1:]...)
}

func TestAMigrationThatMakesTablesOfEvidenceAnewLeavesThemProtected(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			db := storetest.Open(t, dialectName)
			files, err := migrations.Files(dialectName)
			if err != nil {
				t.Fatal(err)
			}
			var statements []string
			for _, table := range store.AppendOnlyTables() {
				statements = append(statements, remake(t, db, table)...)
			}
			// By themselves they leave nothing that refuses.
			tx, err := db.SQL().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(t.Context(), strings.Join(remake(t, db, "log_keys"), ";\n")); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := db.CheckAppendOnly(t.Context()); err == nil || !contains(err.Error(), "log_keys") {
				t.Errorf("without the migration's end: %v", err)
			}
			files = append(files, migrations.File{Version: "9000", Name: "anew", Hash: "x", Statements: statements})
			if _, err := db.MigrateFiles(t.Context(), files); err != nil {
				t.Fatal(err)
			}
			if err := db.CheckAppendOnly(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
