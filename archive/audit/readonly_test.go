package audit_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestATableThatTakesChangesIsNamed(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := begin(t, dialectName)
		w.accept(t, bare(second))
		statement := "DROP TRIGGER snapshots_append_only_delete"
		want := []string{"unprotected: snapshots: the database does not refuse DELETE: somebody took the triggers away that keep archived bills"}
		if dialectName == "postgres" {
			statement = "DROP TRIGGER append_only ON snapshots"
			want = nil
			for _, word := range []string{"UPDATE", "DELETE", "TRUNCATE"} {
				want = append(want, "unprotected: snapshots: the database does not refuse "+word+": somebody took the triggers away that keep archived bills")
			}
		}
		w.exec(t, statement)
		report := w.verify(t, audit.Options{})
		var got []string
		for _, f := range report.Findings {
			got = append(got, f.String())
		}
		equalLines(t, statement, got, want)
		if report.OK() {
			t.Error("that is fine, it says")
		}
	})
}

func TestTriggersThatLetOneChangePassAreNamed(t *testing.T) {
	want := []string{"unprotected: snapshots: its triggers are not those that this program makes, so they may let changes pass (codex migrate makes them anew)"}
	for _, c := range []struct {
		name, dialect string
		statements    []string
	}{
		{"all rows but one are refused", "sqlite3", []string{"DROP TRIGGER snapshots_append_only_update",
			"CREATE TRIGGER snapshots_append_only_update BEFORE UPDATE ON snapshots WHEN OLD.id <> 5 BEGIN SELECT RAISE(ABORT, 'x'); END"}},
		{"another trigger drops what is archived", "sqlite3", []string{
			"CREATE TRIGGER quiet BEFORE INSERT ON snapshots WHEN NEW.id > 5 BEGIN SELECT RAISE(IGNORE); END"}},
		{"no column but the id is refused", "postgres", []string{"DROP TRIGGER append_only ON snapshots",
			"CREATE TRIGGER append_only BEFORE UPDATE OF id OR DELETE OR TRUNCATE ON snapshots FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
			"ALTER TABLE snapshots ENABLE ALWAYS TRIGGER append_only"}},
		{"another function is run", "postgres", []string{
			"CREATE FUNCTION lax() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF current_user = 'x' THEN RETURN NULL; END IF; RAISE EXCEPTION 'x' USING ERRCODE = 'restrict_violation'; END $$",
			"DROP TRIGGER append_only ON snapshots",
			"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON snapshots FOR EACH STATEMENT EXECUTE FUNCTION lax()",
			"ALTER TABLE snapshots ENABLE ALWAYS TRIGGER append_only"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := begin(t, c.dialect)
			for _, statement := range c.statements {
				w.exec(t, statement)
			}
			var got []string
			for _, f := range w.verify(t, audit.Options{}).Findings {
				got = append(got, f.String())
			}
			equalLines(t, c.name, got, want)
			if err := w.db.MakeAppendOnly(t.Context()); err != nil {
				t.Fatal(err)
			}
			report := w.verify(t, audit.Options{})
			if mended := c.name != "another trigger drops what is archived"; report.OK() != mended { // that one is no trigger of ours
				t.Errorf("made anew: %v", report.Findings)
			}
		})
	}
}

func TestADatabaseThatCanOnlyBeReadIsVerified(t *testing.T) {
	o := storetest.Fresh(t, "postgres").Options()
	o.Logger, o.Now = slog.New(slog.DiscardHandler), clock()
	with := "?"
	if strings.Contains(o.DSN.Reveal(), "?") {
		with = "&"
	}
	o.DSN = codex.Secret(o.DSN.Reveal() + with + "default_transaction_read_only=on")
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	report, err := audit.Verify(t.Context(), db, audit.Options{})
	if err != nil || !report.OK() || report.Untried != "the database can only be read by this connection" {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAReportListsNoMoreThanWasAskedFor(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		w.exec(t, "UPDATE snapshots SET company_name = 'x'")
		report := w.verify(t, audit.Options{Most: 32}) // thirty are about triggers
		if lines := told(report); len(lines) != 2 || report.Unlisted != 2 || report.Failures() != 34 || report.OK() {
			t.Errorf("%v, %d more", lines, report.Unlisted)
		}
	})
}

func TestAnEmptyArchiveIsFine(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := begin(t, dialectName)
		report := w.verify(t, audit.Options{})
		if !report.OK() || report.Size != 0 || report.Root != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" || report.Key != "" {
			t.Errorf("%+v", report)
		}
	})
}

// SQLite puts any value in any column: what no program here could read is named all the same.
func TestValuesOfAnotherKindAreNamed(t *testing.T) {
	w := filled(t, "sqlite3")
	w.unprotect(t)
	altered := []audit.Kind{audit.Altered}
	for _, c := range []struct {
		statement, back string
		want            about
	}{
		{"UPDATE snapshots SET total_amount_cents = 'much' WHERE id = 1", "UPDATE snapshots SET total_amount_cents = 27358 WHERE id = 1",
			about{altered, "snapshots", "1", "total_amount_cents"}},
		{"UPDATE snapshots SET total_amount_cents = 27358.5 WHERE id = 1", "UPDATE snapshots SET total_amount_cents = 27358 WHERE id = 1",
			about{altered, "snapshots", "1", "total_amount_cents"}},
		{"UPDATE snapshots SET company_name = CAST(company_name AS BLOB) WHERE id = 1", "UPDATE snapshots SET company_name = CAST(company_name AS TEXT) WHERE id = 1",
			about{altered, "snapshots", "1", "company_name"}},
		{"UPDATE snapshots SET archived_at = replace(archived_at, 'T', ' ') WHERE id = 1", "UPDATE snapshots SET archived_at = replace(archived_at, ' ', 'T') WHERE id = 1",
			about{altered, "snapshots", "1", "archived_at"}},
		{"UPDATE snapshot_items SET rate_e4 = 'x' WHERE id = 100001", "UPDATE snapshot_items SET rate_e4 = 590000 WHERE id = 100001",
			about{altered, "snapshot_items", "100001", "rate_e4"}},
		{"UPDATE snapshot_contents SET content = CAST(content AS BLOB) WHERE id = 13", "UPDATE snapshot_contents SET content = CAST(content AS TEXT) WHERE id = 13",
			about{altered, "snapshot_contents", "13", "content"}},
		{"UPDATE log_leaves SET leaf = CAST(leaf AS BLOB) WHERE leaf_index = 1", "UPDATE log_leaves SET leaf = CAST(leaf AS TEXT) WHERE leaf_index = 1",
			about{altered, "log_leaves", "1", "leaf"}},
	} {
		w.exec(t, c.statement)
		w.names(t, c.statement, audit.Options{}, c.want)
		w.exec(t, c.back)
	}
	equalLines(t, "put right", told(w.verify(t, audit.Options{})), nil)
}
