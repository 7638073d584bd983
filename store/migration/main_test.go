package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ariga.io/atlas/sql/migrate"

	"github.com/hivematrix/codex/store/storetest"
)

// If this fails, ent/schema has changed and `make migration name=…` has not been run.
func TestTheMigrationsMakeTheSchemaOfPackageEnt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			db := storetest.Open(t, dialectName)
			dir := new(migrate.MemDir)
			formatter, err := formatterOf("0001_difference")
			if err != nil {
				t.Fatal(err)
			}
			different, err := writeDiff(t.Context(), db, dir, formatter)
			if err != nil {
				t.Fatal(err)
			}
			if different {
				files, err := dir.Files()
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range files {
					t.Errorf("they lack:\n%s", file.Bytes())
				}
			}
		})
	}
}

func TestADifferenceIsWrittenForBothDialectsAndSealed(t *testing.T) {
	server := os.Getenv("CODEX_TEST_POSTGRES")
	for _, dialectName := range storetest.Dialects() {
		db := storetest.Open(t, dialectName)
		if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE locations DROP COLUMN phone_number"); err != nil {
			t.Fatal(err)
		}
		dir := new(migrate.MemDir)
		formatter, err := formatterOf("0001_phone")
		if err != nil {
			t.Fatal(err)
		}
		if different, err := writeDiff(t.Context(), db, dir, formatter); err != nil || !different {
			t.Fatalf("%s: different: %v, %v", dialectName, different, err)
		}
		files, err := dir.Files()
		if err != nil || len(files) != 1 || files[0].Name() != "0001_phone.sql" || !bytes.Contains(files[0].Bytes(), []byte("phone_number")) {
			t.Errorf("%s: %v, %v", dialectName, files, err)
		}
		if err := migrate.Validate(dir); err != nil {
			t.Errorf("%s: %v", dialectName, err)
		}
	}
	// Nothing has changed in the real ones: it says so and writes nothing.
	root := copied(t)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-dir", root, "-name", "nothing"}, server, &out, &errs); code != 1 || out.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, out.String(), errs.String())
	}
	want := "migration: the schema has nothing that the migrations lack (a view or trigger is written -by-hand)\n"
	if errs.String() != want {
		t.Errorf("said %q, want %q", errs.String(), want)
	}
}

func TestFilesToFillByHandArePairsAndGetASeal(t *testing.T) {
	root := copied(t)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-dir", root, "-by-hand", "-name", "some_view"}, "", &out, &errs); code != 0 {
		t.Fatalf("exit %d, %s", code, errs.String())
	}
	for _, dialectName := range dialects() {
		files, err := filepath.Glob(filepath.Join(folder(root, dialectName), "*_some_view.sql"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if err := os.WriteFile(files[0], []byte("CREATE VIEW some_view AS SELECT 1;\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := valid(root, dialectName); err == nil {
			t.Error("a changed file fits the seal")
		}
	}
	if code := run(t.Context(), []string{"-dir", root, "-seal"}, "", &out, &errs); code != 0 {
		t.Fatalf("exit %d, %s", code, errs.String())
	}
	for _, dialectName := range dialects() {
		if err := valid(root, dialectName); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNoNameIsAUsageError(t *testing.T) {
	for _, args := range [][]string{nil, {"-name", ""}, {"-name", "Add Column"}, {"-name", "../x"}, {"-nonsense"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, "", &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-name", "x"}, "", &out, &errs); code != 1 || !slices.Equal(errs.Bytes(), []byte("migration: CODEX_TEST_POSTGRES is not set: run it by make migration, or by scripts/with-postgres\n")) {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

func valid(root, dialectName string) error {
	dir, err := migrate.NewLocalDir(folder(root, dialectName))
	if err != nil {
		return err
	}
	return migrate.Validate(dir)
}

// copied is a copy of the real migrations, to be written to.
func copied(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join("..", "migrations"))); err != nil {
		t.Fatal(err)
	}
	return root
}
