package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql/schema"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/store"
)

// uniqueKeys are the columns by each of which rows of a table are told apart.
func uniqueKeys(table *schema.Table) [][]string {
	names := func(columns []*schema.Column) (names []string) {
		for _, column := range columns {
			names = append(names, column.Name)
		}
		return names
	}
	keys := [][]string{names(table.PrimaryKey)}
	for _, index := range table.Indexes {
		if index.Unique {
			keys = append(keys, names(index.Columns))
		}
	}
	for _, column := range table.Columns {
		if column.Unique {
			keys = append(keys, []string{column.Name})
		}
	}
	return keys
}

// changes are statements that would each change rows of a table which has some.
func changes(table *schema.Table, dialectName string) []string {
	name, key := table.Name, table.PrimaryKey[0].Name
	var columns []string
	for _, column := range table.Columns {
		columns = append(columns, column.Name)
	}
	all := strings.Join(columns, ", ")
	statements := []string{
		"DELETE FROM " + name,
		fmt.Sprintf("DELETE FROM %s WHERE %s = (SELECT MAX(%s) FROM %s)", name, key, key, name),
		fmt.Sprintf("WITH newest AS (SELECT MAX(%s) AS n FROM %s) UPDATE %s SET %s = %s + 1000 WHERE %s IN (SELECT n FROM newest)", key, name, name, key, key, key),
	}
	for _, column := range columns {
		statements = append(statements, fmt.Sprintf("UPDATE %s SET %s = %s", name, column, column))
	}
	for _, unique := range uniqueKeys(table) {
		upsert := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE true ON CONFLICT (%s) DO UPDATE SET %s = excluded.%s",
			name, all, all, name, strings.Join(unique, ", "), columns[1], columns[1])
		statements = append(statements, upsert)
	}
	if dialectName == "postgres" {
		merge := fmt.Sprintf("MERGE INTO %s AS t USING %s AS s ON t.%s = s.%s WHEN MATCHED THEN ", name, name, key, key)
		return append(statements, "TRUNCATE "+name, "TRUNCATE ONLY "+name+" RESTART IDENTITY CASCADE",
			merge+"DELETE", merge+fmt.Sprintf("UPDATE SET %s = s.%s", columns[1], columns[1]),
			fmt.Sprintf("WITH gone AS (DELETE FROM %s RETURNING *) SELECT COUNT(*) FROM gone", name))
	}
	return append(statements,
		fmt.Sprintf("REPLACE INTO %s (%s) SELECT %s FROM %s", name, all, all, name),
		fmt.Sprintf("INSERT OR REPLACE INTO %s (%s) SELECT %s FROM %s", name, all, all, name),
		fmt.Sprintf("UPDATE OR REPLACE %s SET %s = %s", name, key, key),
		fmt.Sprintf("UPDATE OR IGNORE %s SET %s = %s", name, columns[1], columns[1]),
		fmt.Sprintf("DELETE FROM %s RETURNING *", name),
	)
}

func TestEveryStatementThatWouldChangeARowOfEvidenceIsRefused(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		refused := func(statement, in string) {
			t.Helper()
			conn, err := w.db.SQL().Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}()
			if in != "" {
				if _, err := conn.ExecContext(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			_, err = conn.ExecContext(t.Context(), statement)
			var coded *codex.Error
			if !errors.As(store.Translate(err), &coded) || coded.Code != codex.CodeConflict || coded.Message != "what was written there is never changed" {
				t.Errorf("%s %s: %v", in, statement, err)
			}
			if in != "" {
				if _, err := conn.ExecContext(t.Context(), "RESET session_replication_role"); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, name := range store.AppendOnlyTables() {
			for _, statement := range changes(tableOf(t, name), dialectName) {
				refused(statement, "")
				if dialectName == "postgres" {
					refused(statement, "SET session_replication_role = replica") // which goes past other triggers
				}
			}
		}
		report := w.verify(t, audit.Options{Against: w.signed[9], Key: w.key})
		if !report.OK() {
			t.Errorf("something was changed all the same: %v", report.Findings)
		}
	})
}
