package store_test

import (
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/migrations"
	"github.com/hivematrix/codex/store/storetest"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func TestBothDialectsHaveTheSameMigrations(t *testing.T) {
	var labels [2][]string
	for i, dialectName := range storetest.Dialects() {
		files, err := migrations.Files(dialectName)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			labels[i] = append(labels[i], file.Version+"_"+file.Name)
		}
	}
	if !slices.Equal(labels[0], labels[1]) {
		t.Errorf("%v\n%v", labels[0], labels[1])
	}
}

// older are rows as they were written when a migration was the newest, and what must be read of
// them when all are applied. A migration that changes a table gets rows here, written before it.
var older = map[string]struct{ writes, reads []string }{
	"0001": {
		writes: []string{
			`INSERT INTO companies (account_number, name, freshservice_id, compliance_level) VALUES ('620547', 'Ärzte & Söhne', 7, 'standard')`,
			`INSERT INTO contacts (id, name, email, employment_type, active) VALUES (3, 'Ada', 'ada@example.com', 'Full Time', true)`,
			`INSERT INTO contact_company_link (company_account_number, contact_id, source) VALUES ('620547', 3, 'freshservice')`,
			`INSERT INTO assets (id, company_account_number, hostname, suspended, backup_bytes) VALUES (12, '620547', 'HOST', false, 274877906944)`,
			`INSERT INTO tickets (ticket_id, company_account_number, subject, closed, status, status_code, priority, created_at, last_updated_at,
				spent_seconds, unbillable_seconds, description, description_text, conversations, notes, timer_running, upstream_updated_at)
			VALUES (99, '620547', 'S', true, 'Closed', 5, 'Low', '2025-01-01T00:00:00.000000Z', '2025-01-02T00:00:00.000000Z', 1800, 0, '', '', '[]', '[]', false, '2025-01-02T00:00:00.000000Z')`,
		},
		reads: []string{
			`SELECT name FROM companies WHERE account_number = '620547' AND freshservice_id = 7`, "Ärzte & Söhne",
			`SELECT c.name FROM contacts AS c JOIN contact_company_link AS l ON l.contact_id = c.id WHERE l.company_account_number = '620547'`, "Ada",
			`SELECT hostname FROM assets WHERE id = 12 AND backup_bytes = 274877906944`, "HOST",
			`SELECT last_updated_at FROM ticket_details WHERE ticket_id = 99 AND total_hours_spent = 0.5`, "2025-01-02T00:00:00Z",
		},
	},
	"0006": { // 0007 asks whose word a company's systems are: of what was there it is no person's
		writes: []string{`INSERT INTO companies (account_number, name, phone_system, compliance_level) VALUES ('900', 'Zebra', 'PBX', 'standard')`},
		reads:  []string{`SELECT phone_system FROM companies WHERE account_number = '900' AND NOT phone_system_local AND NOT email_system_local`, "PBX"},
	},
}

func TestEachMigrationKeepsWhatWasWrittenBeforeIt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			db := storetest.Empty(t, dialectName).Open(t)
			files, err := migrations.Files(dialectName)
			if err != nil {
				t.Fatal(err)
			}
			for i, file := range files {
				applied, err := db.MigrateFiles(t.Context(), files[:i+1])
				if err != nil || len(applied) != 1 || applied[0].Version != file.Version {
					t.Fatalf("%s: applied %v, %v", file.Version, applied, err)
				}
				if file.Version >= "0008" { // from when there are tables of evidence
					if err := db.CheckAppendOnly(t.Context()); err != nil {
						t.Errorf("behind %s: %v", file.Version, err)
					}
				}
				for _, statement := range older[file.Version].writes {
					if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
						t.Fatalf("%s: %s: %v", file.Version, statement, err)
					}
				}
			}
			for version, rows := range older {
				for read := range slices.Chunk(rows.reads, 2) {
					var got string
					if err := db.SQL().QueryRowContext(t.Context(), read[0]).Scan(&got); err != nil || got != read[1] {
						t.Errorf("%s: %s: got %q, %v", version, read[0], got, err)
					}
				}
			}
		})
	}
}

func TestAMigrationThatFailsLeavesNothingOfItself(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			db := storetest.Empty(t, dialectName).Open(t)
			good := migrations.File{Version: "0001", Name: "good", Hash: "1", Statements: []string{"CREATE TABLE one (id integer)"}}
			bad := migrations.File{Version: "0002", Name: "bad", Hash: "2", Statements: []string{"CREATE TABLE two (id integer)", "INSERT INTO one VALUES (1)", "ALTER TABLE none ADD COLUMN x integer"}}
			applied, err := db.MigrateFiles(t.Context(), []migrations.File{good, bad})
			if err == nil || !contains(err.Error(), "0002_bad") || len(applied) != 1 {
				t.Errorf("applied %v, %v", applied, err)
			}
			if tables := tablesOf(t, db); !slices.Equal(tables, []string{"leases", "one", "schema_migrations"}) {
				t.Errorf("tables %v", tables)
			}
			// Mended, it goes on from where it was, and the lease is free.
			bad.Statements = bad.Statements[:2]
			applied, err = db.MigrateFiles(t.Context(), []migrations.File{good, bad})
			if err != nil || len(applied) != 1 || applied[0].Name != "bad" {
				t.Errorf("again: %v, %v", applied, err)
			}
		})
	}
}

func tablesOf(t *testing.T, db *store.DB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
	if db.Dialect() == dialect.Postgres {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
	}
	rows, err := db.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}
