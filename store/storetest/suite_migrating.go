package storetest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/migrations"
)

// known are the migrations of this program, as 0001_name.
func known(t *testing.T, dialectName string) []string {
	t.Helper()
	files, err := migrations.Files(dialectName)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, file := range files {
		labels = append(labels, file.Version+"_"+file.Name)
	}
	return labels
}

func labels(applied []store.Applied) []string {
	var labels []string
	for _, one := range applied {
		labels = append(labels, one.Version+"_"+one.Name)
	}
	return labels
}

func migrating(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"an empty database gets them all, in order, and once", func(t *testing.T) {
			db := Empty(t, s.Dialect).Open(t)
			all := known(t, s.Dialect)
			before, err := db.MigrationStatus(t.Context())
			if err != nil || before.Applied != nil || !slices.Equal(before.Pending, all) {
				t.Errorf("before: %v, %v", before, err)
			}
			applied, err := db.Migrate(t.Context())
			if err != nil || !slices.Equal(labels(applied), all) {
				t.Fatalf("applied %v, %v", applied, err)
			}
			after, err := db.MigrationStatus(t.Context())
			if err != nil || !slices.Equal(labels(after.Applied), all) || after.Pending != nil {
				t.Errorf("after: %v, %v", after, err)
			}
			for i, one := range after.Applied {
				if !one.At.Equal(applied[i].At) || one.At.IsZero() {
					t.Errorf("%s was applied at %v, recorded as %v", one.Name, applied[i].At, one.At)
				}
			}
			if again, err := db.Migrate(t.Context()); err != nil || again != nil {
				t.Errorf("again: %v, %v", again, err)
			}
		}},
		{"looking at the status makes nothing", func(t *testing.T) {
			db := Empty(t, s.Dialect).Open(t)
			if _, err := db.MigrationStatus(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := db.SQL().ExecContext(t.Context(), "SELECT 1 FROM schema_migrations"); err == nil {
				t.Error("the table is there")
			}
		}},
		{"many who start at once do it once", func(t *testing.T) {
			database := Empty(t, s.Dialect)
			var started []<-chan []string
			for range 4 {
				db, done := database.Open(t), make(chan []string, 1)
				started = append(started, done)
				go func() {
					applied, err := db.Migrate(t.Context())
					if err != nil {
						t.Error(err)
					}
					done <- labels(applied)
				}()
			}
			var applied []string
			for _, done := range started {
				applied = append(applied, await(t, done)...)
			}
			if want := known(t, s.Dialect); !slices.Equal(applied, want) {
				t.Errorf("applied %v, want %v", applied, want)
			}
		}},
		{"a database of a newer program is refused and left alone", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if _, err := db.SQL().ExecContext(t.Context(), "INSERT INTO schema_migrations (version, name, hash, applied_at) VALUES ('9999', 'future', 'x', $1)", db.Now()); err != nil {
				t.Fatal(err)
			}
			_, err := db.Migrate(t.Context())
			refused(t, err, codex.CodeConflict, "9999_future")
			_, err = db.MigrationStatus(t.Context())
			refused(t, err, codex.CodeConflict, "9999_future")
		}},
		{"a database whose migrations were others is refused", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if _, err := db.SQL().ExecContext(t.Context(), "UPDATE schema_migrations SET hash = 'x' WHERE version = '0001'"); err != nil {
				t.Fatal(err)
			}
			_, err := db.Migrate(t.Context())
			refused(t, err, codex.CodeConflict, "0001_schema")
		}},
		{"a database with another program's tables is refused and left alone", func(t *testing.T) {
			db := Empty(t, s.Dialect).Open(t)
			if _, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE tickets (id integer)"); err != nil {
				t.Fatal(err)
			}
			_, err := db.Migrate(t.Context())
			refused(t, err, codex.CodeConflict, `"tickets"`)
			if _, err := db.SQL().ExecContext(t.Context(), "SELECT 1 FROM leases"); err == nil {
				t.Error("something was made in it")
			}
		}},
		{"ticket_details shows closed tickets as the old service kept them, and takes no writes", func(t *testing.T) { ticketDetails(t, s) }},
		{"rebuilding makes it empty and new", func(t *testing.T) {
			db := Open(t, s.Dialect)
			for _, statement := range []string{
				"CREATE TABLE leftover (id integer)", "CREATE VIEW left_view AS SELECT * FROM leftover", "CREATE INDEX left_index ON leftover (id)",
			} {
				if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "1", "One") })
			if err := db.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, "SELECT count(*) FROM companies"); n != 0 {
				t.Errorf("%d companies", n)
			}
			if _, err := db.SQL().ExecContext(t.Context(), "SELECT 1 FROM leftover"); err == nil {
				t.Error("a table was left")
			}
			if got, err := db.MigrationStatus(t.Context()); err != nil || !slices.Equal(labels(got.Applied), known(t, s.Dialect)) {
				t.Errorf("%v, %v", got, err)
			}
		}},
		{"rebuilding works on what an upgrade left half-way", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if _, err := db.SQL().ExecContext(t.Context(), "DROP VIEW ticket_details"); err != nil {
				t.Fatal(err)
			}
			if err := db.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, "SELECT count(*) FROM ticket_details"); n != 0 {
				t.Errorf("%d tickets", n)
			}
		}},
		{"rebuilding refuses while there are archived bills", func(t *testing.T) {
			db := Open(t, s.Dialect)
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "1", "One") })
			for id := range 2 {
				if err := archiveBill(t.Context(), db.Ent(), id+1); err != nil {
					t.Fatal(err)
				}
			}
			refused(t, db.Rebuild(t.Context()), codex.CodeConflict, "2 archived bills")
			if n := count(t, db, "SELECT count(*) FROM companies"); n != 1 {
				t.Error("it dropped the companies all the same")
			}
		}},
		{"rebuilding refuses while there are bills that an import left", func(t *testing.T) {
			db := Open(t, s.Dialect)
			for _, statement := range []string{
				"DROP VIEW snapshot_line_items", "DROP VIEW billing_snapshots",
				"CREATE TABLE billing_snapshots (id integer)", "INSERT INTO billing_snapshots (id) VALUES (1), (2)",
			} {
				if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			refused(t, db.Rebuild(t.Context()), codex.CodeConflict, "2 archived bills")
			if _, err := db.SQL().ExecContext(t.Context(), "DELETE FROM billing_snapshots"); err != nil {
				t.Fatal(err)
			}
			if err := db.Rebuild(t.Context()); err != nil {
				t.Errorf("without rows: %v", err)
			}
		}},
	})
}

// archiveBill writes the row of a bill alone.
func archiveBill(ctx context.Context, client *ent.Client, id int) error {
	return client.Snapshot.Create().SetID(id).SetInvoiceNumber(itoa(id)).SetRevision(1).
		SetCompanyAccountNumber("1").SetCompanyName("One").SetBillingYear(2025).SetBillingMonth(10).SetInvoiceDate(20_000).
		SetTotalAmountCents(245_001).SetTotalUserChargesCents(0).SetTotalAssetChargesCents(0).SetTotalBackupChargesCents(0).
		SetTotalTicketChargesCents(0).SetTotalLineItemChargesCents(-1).SetUserCount(1).SetAssetCount(2).SetBillableHoursE4(17_167).
		SetOrigin("posted").SetArchivedAt(time.Date(2025, 11, 1, 2, 0, 3, 250_000_000, time.UTC)).SetAcceptedBy("ledger").
		SetRuns("{}").SetMarks("[]").SetLeafIndex(int64(id - 1)).Exec(ctx)
}

// refused makes sure that err has the code and says the words.
func refused(t *testing.T, err error, code codex.Code, words ...string) {
	t.Helper()
	if codex.CodeOf(err) != code {
		t.Errorf("%v has the code %q, want %s", err, codex.CodeOf(err), code)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %s", err, word)
		}
	}
}

func ticketDetails(t *testing.T, s Subject) {
	db := Open(t, s.Dialect)
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		if err := errors.Join(putCompany(ctx, tx, "1", "One"), putCompany(ctx, tx, "2", "Archived")); err != nil {
			return err
		}
		for _, statement := range []string{
			"UPDATE companies SET archived_at = '2025-02-01T00:00:00.000000Z' WHERE account_number = '2'",
			strings.Replace(ticket(5, "true", "NULL", 1), "'1'", "'2'", 1),
			ticket(1, "true", "NULL", 5400), ticket(2, "true", "NULL", 0), ticket(3, "false", "NULL", 1), ticket(4, "true", "'2025-02-01T00:00:00.000000Z'", 1),
		} {
			if _, err := tx.SQL().ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	rows, err := db.SQL().QueryContext(t.Context(), "SELECT * FROM ticket_details ORDER BY ticket_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ticket_id", "company_account_number", "ticket_number", "subject", "description", "description_text", "status", "priority",
		"requester_email", "requester_name", "created_at", "last_updated_at", "closed_at", "total_hours_spent", "conversations", "notes"}
	if !slices.Equal(columns, want) {
		t.Errorf("columns %v\nwant    %v", columns, want)
	}
	type detail struct {
		id                                                         int
		account, number, subject, html, text, status, priority     string
		email, name, created, updated, closed, conversations, note string
		hours                                                      float64
	}
	var got []detail
	for rows.Next() {
		var d detail
		if err := rows.Scan(&d.id, &d.account, &d.number, &d.subject, &d.html, &d.text, &d.status, &d.priority,
			&d.email, &d.name, &d.created, &d.updated, &d.closed, &d.hours, &d.conversations, &d.note); err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	one := detail{id: 1, account: "1", number: "1", subject: "S", html: "<p>", text: "p", status: "Closed", priority: "Low", email: "e@x", name: "E",
		created: "2025-01-01T01:02:03Z", updated: "2025-01-02T00:00:00Z", closed: "2025-01-03T00:00:00Z", conversations: "[]", note: "[1]", hours: 1.5}
	two := one
	two.id, two.number, two.hours = 2, "2", 0.25
	if !slices.Equal(got, []detail{one, two}) {
		t.Errorf("got  %+v\nwant %+v", got, []detail{one, two})
	}
	if _, err := db.SQL().ExecContext(t.Context(), "UPDATE ticket_details SET subject = 'x'"); err == nil {
		t.Error("the view takes writes")
	}
}

// ticket is a statement that inserts a ticket: what a migration finds is not written by today's ent.
func ticket(id int, closed, removedAt string, seconds int) string {
	return strings.NewReplacer("ID", itoa(id), "CLOSED", closed, "REMOVED", removedAt, "SECONDS", itoa(seconds)).Replace(
		`INSERT INTO tickets (ticket_id, company_account_number, subject, closed, status, status_code, priority, requester_email, requester_name,
		created_at, last_updated_at, closed_at, spent_seconds, unbillable_seconds, description, description_text, conversations, notes,
		timer_running, upstream_updated_at, removed_at)
	VALUES (ID, '1', 'S', CLOSED, 'Closed', 5, 'Low', 'e@x', 'E', '2025-01-01T01:02:03.900000Z', '2025-01-02T00:00:00.000000Z',
		'2025-01-03T00:00:00.000000Z', SECONDS, 0, '<p>', 'p', '[]', '[1]', false, '2025-01-02T00:00:00.000000Z', REMOVED)`)
}

func identityAndSafety(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"an upstream's account is remembered, another one is refused until it is wanted", func(t *testing.T) {
			db := Open(t, s.Dialect)
			for _, step := range []struct {
				identity string
				allowNew bool
				refused  bool
			}{
				{"acme.freshservice.com", false, false},
				{"acme.freshservice.com", false, false},
				{"sandbox.freshservice.com", false, true},
				{"acme.freshservice.com", false, false},
				{"sandbox.freshservice.com", true, false},
				{"acme.freshservice.com", false, true},
			} {
				err := db.CheckUpstream(t.Context(), "freshservice", step.identity, step.allowNew)
				if step.refused {
					refused(t, err, codex.CodeConflict, "acme.freshservice.com", "sandbox.freshservice.com", "--new-upstream")
				} else if err != nil {
					t.Errorf("%+v: %v", step, err)
				}
			}
			if err := db.CheckUpstream(t.Context(), "datto", "some-uid", false); err != nil {
				t.Errorf("another upstream: %v", err)
			}
			if err := db.CheckUpstream(t.Context(), "datto", "", true); err == nil {
				t.Error("an empty identity was remembered")
			}
		}},
		{"two who meet an upstream first agree on it", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			var results []<-chan error
			for _, identity := range []string{"a", "b"} {
				db := database.Open(t)
				results = append(results, background(func() error { return db.CheckUpstream(t.Context(), "datto", identity, false) }))
			}
			one, two := await(t, results[0]), await(t, results[1])
			if (one == nil) == (two == nil) || codex.CodeOf(errors.Join(one, two)) != codex.CodeConflict {
				t.Errorf("%v and %v", one, two)
			}
		}},
		{"one serve to a file, any number to a server", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			one, two := database.Open(t), database.Open(t)
			release, err := one.LockServe()
			if err != nil {
				t.Fatal(err)
			}
			second, err := two.LockServe()
			if !s.OneServe {
				if err != nil {
					t.Fatal(err)
				}
				second()
				return
			}
			refused(t, err, codex.CodeConflict, "process "+itoa(os.Getpid()))
			release()
			again, err := two.LockServe()
			if err != nil {
				t.Fatal(err)
			}
			again()
		}},
		{"it has a name that a person can type", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if name := db.Name(); name == "" || strings.ContainsAny(name, "/ :@") {
				t.Errorf("name %q", name)
			}
			if db.Dialect() != s.Dialect {
				t.Errorf("dialect %q", db.Dialect())
			}
		}},
	})
}
