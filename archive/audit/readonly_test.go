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
