// Package storetest gives tests databases: a fresh one each, on SQLite and on PostgreSQL.
//
//	storetest.Each(t, func(t *testing.T, db *store.DB) { … })
//
// PostgreSQL is the server whose URL CODEX_TEST_POSTGRES holds, of a superuser or of one who may
// create databases; `make test` and scripts/with-postgres start a throw-away one. Where it is
// missing a test fails: it never skips. A fresh database there is a copy of a migrated template,
// which the first test of a schema makes, and is dropped when the test ends; it takes about 0.3 s,
// so tests that do not disturb each other share one.
//
// [Run] is the contract of package store, which both databases keep.
package storetest

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Option changes with what a test's database is opened.
type Option = func(*store.Options)

// OnStatement has fn called for each statement: see [store.Options].
func OnStatement(fn func(query string)) Option {
	return func(o *store.Options) { o.OnStatement = statementFunc(fn) }
}

// Now gives the database a clock.
func Now(now func() time.Time) Option {
	return func(o *store.Options) { o.Now = now }
}

// Dialects are those that tests run on.
func Dialects() []string { return []string{dialect.SQLite, dialect.Postgres} }

// Each runs fn as a subtest on a fresh, migrated database of each dialect.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB), options ...Option) {
	t.Helper()
	for _, dialectName := range Dialects() {
		t.Run(dialectName, func(t *testing.T) { fn(t, Open(t, dialectName, options...)) })
	}
}

// Open opens a fresh, migrated database, which goes away when the test ends.
func Open(t testing.TB, dialectName string, options ...Option) *store.DB {
	t.Helper()
	return Fresh(t, dialectName).Open(t, options...)
}

// Database is a database of a test, which can be opened more than once.
type Database struct {
	Dialect string
	dsn     codex.Secret
	path    string
}

// Fresh is a migrated database without rows.
func Fresh(t testing.TB, dialectName string) *Database {
	t.Helper()
	if dialectName == dialect.Postgres {
		return postgres(t, true)
	}
	d := Empty(t, dialectName)
	db := d.Open(t)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

// Empty is a database in which nothing was ever made.
func Empty(t testing.TB, dialectName string) *Database {
	t.Helper()
	switch dialectName {
	case dialect.Postgres:
		return postgres(t, false)
	case dialect.SQLite:
		return &Database{Dialect: dialectName, path: filepath.Join(t.TempDir(), "codex.db")}
	}
	t.Fatalf("there is no dialect %q", dialectName)
	return nil
}

// Options are what opens d: for a test that starts a program or opens d by itself.
func (d *Database) Options() store.Options {
	return store.Options{Dialect: d.Dialect, DSN: d.dsn, Path: d.path}
}

// Backup is a copy of d as it is, to be restored from: it is opened in d's place. Nobody may have d
// open meanwhile.
func (d *Database) Backup(t testing.TB) *Database {
	t.Helper()
	if d.Dialect == dialect.Postgres {
		return postgresCopy(t, d)
	}
	text, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.path + "-wal"); err == nil {
		t.Fatal("the database is still open: what stands in its WAL would be missing")
	}
	backup := &Database{Dialect: d.Dialect, path: filepath.Join(t.TempDir(), "codex.db")}
	if err := os.WriteFile(backup.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return backup
}

// Open opens d once more, until the test ends.
func (d *Database) Open(t testing.TB, options ...Option) *store.DB {
	t.Helper()
	o := d.Options()
	o.Logger, o.Now = slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now //nolint:forbidigo // a test's clock is the real one unless it sets another
	for _, option := range options {
		option(&o)
	}
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// serverURL is the URL of the PostgreSQL that the tests run on.
func serverURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv("CODEX_TEST_POSTGRES")
	if url == "" {
		t.Fatal("this test needs a PostgreSQL in CODEX_TEST_POSTGRES: run it by make test, or scripts/with-postgres go test ./...")
	}
	return url
}
