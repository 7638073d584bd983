package store_test

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestPostgresKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Subject{Dialect: dialect.Postgres, WritersSideBySide: true})
}

func openURL(t *testing.T, dsn string) (*store.DB, error) {
	t.Helper()
	return store.Open(t.Context(), store.Options{Dialect: dialect.Postgres, DSN: codex.Secret(dsn), Logger: slog.New(slog.DiscardHandler), Now: time.Now})
}

func TestOfSeveralHostsTheOneThatTakesWritesIsFound(t *testing.T) {
	u, err := url.Parse(storetest.Fresh(t, dialect.Postgres).Options().DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:1," + u.Host // nobody listens at the first
	u.RawQuery += "&target_session_attrs=read-write"
	db, err := openURL(t, u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.CheckUpstream(t.Context(), "datto", "x", false); err != nil {
		t.Error(err)
	}
}

func TestAServerThatCannotBeReachedIsUnavailableAndTellsNoPassword(t *testing.T) {
	for _, dsn := range []string{
		"postgres://codex:hunter2@127.0.0.1:1/codex?sslmode=disable",
		"postgres://codex:hunter2@127.0.0.1:port/codex",
	} {
		_, err := openURL(t, dsn)
		if err == nil {
			t.Fatal("it was opened")
		}
		if text := err.Error(); contains(text, "hunter2") {
			t.Errorf("told: %s", text)
		}
	}
	if _, err := openURL(t, "postgres://codex:hunter2@127.0.0.1:1/codex?sslmode=disable"); codex.CodeOf(err) != codex.CodeUnavailable {
		t.Errorf("err %v", err)
	}
}

// Else an index on it would not serve the bytewise order, and a plain ORDER BY would be another.
func TestEveryTextColumnOfPostgresIsOrderedByBytes(t *testing.T) {
	db := storetest.Open(t, dialect.Postgres)
	rows, err := db.SQL().QueryContext(t.Context(), `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns AS c
		JOIN information_schema.tables AS t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
			AND c.data_type IN ('text', 'character varying', 'character') AND c.collation_name IS DISTINCT FROM 'C'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is not", name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
