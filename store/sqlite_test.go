package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/migrations"
	"github.com/hivematrix/codex/store/storetest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Subject{Dialect: dialect.SQLite, OneServe: true})
}

func openFile(t *testing.T, path string) (*store.DB, error) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dialect: dialect.SQLite, Path: path, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err == nil {
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return db, err
}

func TestASQLiteFileIsTheOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder with 100% odd?name#", "x.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := openFile(t, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal"} { // -shm holds numbers of pages alone
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

func TestWhatIsNoSQLiteFileIsNotOpened(t *testing.T) {
	folder := t.TempDir()
	noise := filepath.Join(folder, "noise")
	if err := os.WriteFile(noise, []byte("this is a letter, and long enough for a header of a hundred bytes, if one goes on about nothing for a while"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, code := range map[string]codex.Code{
		noise:                                 codex.CodeInternal,
		folder:                                codex.CodeUnavailable,
		filepath.Join(folder, "none", "x.db"): codex.CodeUnavailable,
	} {
		if _, err := openFile(t, path); err == nil || codex.CodeOf(err) != code {
			t.Errorf("%s: %v has the code %q, want %s", path, err, codex.CodeOf(err), code)
		}
	}
}

// A column that SQLite cannot alter makes its table anew: rows that refer to it, views over it and
// foreign keys must come through, and a row that refers to nothing must not.
func TestATableThatIsMadeAnewKeepsWhatRefersToIt(t *testing.T) {
	db := storetest.Empty(t, dialect.SQLite).Open(t)
	first := migrations.File{Version: "0001", Name: "first", Hash: "1", Statements: []string{
		"CREATE TABLE parents (id integer PRIMARY KEY, name text)",
		"CREATE TABLE children (id integer PRIMARY KEY, parent integer NOT NULL REFERENCES parents (id) ON DELETE CASCADE)",
		"CREATE VIEW named AS SELECT name FROM parents",
		"INSERT INTO parents VALUES (1, 'one')", "INSERT INTO children VALUES (10, 1)",
	}}
	anew := migrations.File{Version: "0002", Name: "anew", Hash: "2", Statements: []string{
		"PRAGMA foreign_keys = off",
		"CREATE TABLE new_parents (id integer PRIMARY KEY, name text NOT NULL DEFAULT '')",
		"INSERT INTO new_parents SELECT id, name FROM parents", "DROP TABLE parents", "ALTER TABLE new_parents RENAME TO parents",
		"PRAGMA foreign_keys = on",
	}}
	losing := migrations.File{Version: "0003", Name: "losing", Hash: "3", Statements: []string{"DELETE FROM parents"}}
	if _, err := db.MigrateFiles(t.Context(), []migrations.File{first, anew}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.MigrateFiles(t.Context(), []migrations.File{first, anew, losing}); err == nil {
		t.Error("a migration left children without their parent")
	}
	var children, names int
	if err := db.SQL().QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM children), (SELECT count(*) FROM named)").Scan(&children, &names); err != nil || children != 1 || names != 1 {
		t.Errorf("%d children, %d names, %v", children, names, err)
	}
	// Foreign keys are on again, on whatever connection.
	for range 10 {
		if _, err := db.SQL().ExecContext(t.Context(), "INSERT INTO children VALUES (11, 2)"); codex.CodeOf(store.Translate(err)) != codex.CodeConflict {
			t.Fatalf("a child of no parent: %v", err)
		}
	}
}
