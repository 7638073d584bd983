package archive_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logcheckpoint"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// storedCheckpoints are the rows of log_checkpoints, oldest first.
func storedCheckpoints(t testing.TB, db *store.DB) []*ent.LogCheckpoint {
	t.Helper()
	rows, err := db.Ent().LogCheckpoint.Query().Order(logcheckpoint.ByID()).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEachHeadIsSignedOutsideTheDatabaseAndInIt(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		a := open(t, db, folder(home))
		key, err := a.VerifierKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(key.String()) // as others' tools have it
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			accept(t, a, bill(t, invoice, fmt.Sprintf("bill-%d", i)))
			rows := storedCheckpoints(t, db)
			newest := rows[len(rows)-1]
			if len(rows) != i+1 || newest.Size != int64(i+1) || newest.Epoch != 1 || newest.Note != read(t, filepath.Join(home, "archive.checkpoint")) {
				t.Fatalf("%d rows, the last is %+v", len(rows), newest)
			}
			opened, err := note.Open([]byte(newest.Note), note.VerifierList(verifier))
			if err != nil {
				t.Fatal(err)
			}
			root := db.Ent().LogHead.GetX(t.Context(), newest.Size).Root
			if want := fmt.Sprintf("codex.example.com/archive\n%d\n%s\n", i+1, root); opened.Text != want {
				t.Errorf("it signs %q, want %q", opened.Text, want)
			}
			asked, err := a.Checkpoint(t.Context())
			if err != nil || asked.Note != newest.Note || asked.Root.String() != root {
				t.Errorf("%+v, %v", asked, err)
			}
		}
		if rows := storedCheckpoints(t, db); len(rows) != 3 {
			t.Errorf("who asks signs anew: %d rows", len(rows))
		}
	})
}

func TestAnEmptyLogHasACheckpointThatStandsNowhere(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		signed, err := open(t, db, folder(home)).Checkpoint(t.Context())
		if err != nil || signed.Size != 0 || !strings.HasPrefix(signed.Note, "codex.example.com/archive\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n") {
			t.Errorf("%+v, %v", signed, err)
		}
		if n := count(t, db, "log_checkpoints"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestOfManyAppendsTheLastHeadIsSigned(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home := t.TempDir()
			db := database.Open(t)
			archives := []*archive.Archive{open(t, db, folder(home))}
			if dialectName == "postgres" { // SQLite has one process that writes
				archives = append(archives, open(t, database.Open(t), folder(home)))
			}
			const bills = 40
			var group sync.WaitGroup
			for i := range bills {
				a := archives[i%len(archives)]
				submission := parse(t, bill(t, invoice, fmt.Sprintf("bill-%d", i)))
				group.Go(func() {
					if _, err := a.Accept(context.WithoutCancel(t.Context()), submission, ledger()); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			treeIsWhole(t, db, bills)
			rows := storedCheckpoints(t, db)
			for i, row := range rows[1:] {
				if row.Size <= rows[i].Size {
					t.Errorf("the checkpoint of %d leaves follows that of %d", row.Size, rows[i].Size)
				}
			}
			newest := rows[len(rows)-1]
			if newest.Size != bills || len(rows) >= bills || read(t, filepath.Join(home, "archive.checkpoint")) != newest.Note {
				t.Errorf("%d checkpoints, the last of %d leaves", len(rows), newest.Size)
			}
		})
	}
}

// What a process that died at one place or the other left behind is finished by the next, with the
// same bytes.
func TestAProcessThatDiesWhileItSignsIsFollowedByOneThatDoes(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))

		// Dead behind the commit: nothing outside can be written, and the bill is stored all the same.
		nowhere := open(t, db, folder(home), func(o *archive.Options) {
			o.CheckpointFile = filepath.Join(home, "no such folder", "archive.checkpoint")
		})
		accept(t, nowhere, bill(t, invoice, "second"))
		if rows := storedCheckpoints(t, db); len(rows) != 1 {
			t.Fatalf("%d checkpoints", len(rows))
		}
		signed, err := open(t, db, folder(home)).Checkpoint(t.Context())
		if rows := storedCheckpoints(t, db); err != nil || signed.Size != 2 || len(rows) != 2 {
			t.Fatalf("%+v, %v, %d checkpoints", signed, err, len(rows))
		}

		// Dead between the file and the database.
		repair := refuseCheckpoints(t, db)
		accept(t, open(t, db, folder(home)), bill(t, invoice, "third"))
		outside := read(t, filepath.Join(home, "archive.checkpoint"))
		if rows := storedCheckpoints(t, db); len(rows) != 2 || !strings.HasPrefix(outside, "codex.example.com/archive\n3\n") {
			t.Fatalf("%d checkpoints, outside %s", len(rows), outside)
		}
		repair()
		signed, err = open(t, db, folder(home)).Checkpoint(t.Context())
		if rows := storedCheckpoints(t, db); err != nil || signed.Note != outside || len(rows) != 3 || rows[2].Note != outside {
			t.Fatalf("%+v, %v, %d checkpoints", signed, err, len(rows))
		}
	})
}

// A disk that is full, or a folder that went away, takes no proof away that there was.
func TestWhatWasSignedIsProvenWhileNothingCanBeWrittenOutside(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))
		signed := read(t, filepath.Join(home, "archive.checkpoint"))
		outside := filepath.Join(home, "no such folder", "archive.checkpoint")
		a := open(t, db, folder(home), func(o *archive.Options) { o.CheckpointFile = outside })
		accept(t, a, bill(t, invoice, "second"))
		if p, err := a.Prove(t.Context(), invoice, 0); err != nil || p.Checkpoint != signed {
			t.Errorf("%+v, %v", p, err)
		}
		if newest, err := a.Checkpoint(t.Context()); err != nil || newest.Note != signed {
			t.Errorf("%+v, %v", newest, err)
		}
		_, err := a.Prove(t.Context(), "second", 0)
		refused(t, err, codex.CodeUnavailable, "the log checkpoint with this bill is not signed yet; try again")
		stop, err := a.Stopped(t.Context())
		if err != nil || stop == nil || stop.Reason != archive.StopUnwritable || stop.Message != "what is archived now is not signed, so that its proofs "+
			"have to wait: the newest log checkpoint cannot be written to "+outside {
			t.Errorf("%+v, %v", stop, err)
		}
		if err := os.Mkdir(filepath.Dir(outside), 0o700); err != nil {
			t.Fatal(err)
		}
		replica := open(t, db, folder(home), func(o *archive.Options) { o.CheckpointFile = outside })
		if _, err := replica.Checkpoint(t.Context()); err != nil { // another process is the first that can
			t.Fatal(err)
		}
		if p, err := a.Prove(t.Context(), "second", 0); err != nil || p.Checkpoint != read(t, outside) {
			t.Errorf("%+v, %v", p, err)
		}
		if stop, err := a.Stopped(t.Context()); err != nil || stop != nil {
			t.Errorf("%+v, %v", stop, err)
		}
		if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o644 { // an auditor may read it
			t.Errorf("%v, %v", info, err)
		}
	})
}

// refuseCheckpoints makes the database refuse new checkpoints until repair is called.
func refuseCheckpoints(t *testing.T, db *store.DB) (repair func()) {
	t.Helper()
	faults, repairs := []string{"CREATE TRIGGER fault BEFORE INSERT ON log_checkpoints BEGIN SELECT RAISE(ABORT, 'fault'); END"},
		[]string{"DROP TRIGGER fault"}
	if db.Dialect() == "postgres" {
		faults = []string{
			"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''fault''; END'",
			"CREATE TRIGGER fault BEFORE INSERT ON log_checkpoints FOR EACH ROW EXECUTE FUNCTION fault()",
		}
		repairs = []string{"DROP FUNCTION fault CASCADE"}
	}
	run := func(statements []string) {
		for _, statement := range statements {
			if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(faults)
	return func() { run(repairs) }
}

func TestANewReplicaBeginsWithWhatTheDatabaseHas(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home, other := t.TempDir(), t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))
		if err := os.WriteFile(filepath.Join(other, "archive.key"), []byte(read(t, filepath.Join(home, "archive.key"))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, db, folder(other)).Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if theirs, ours := read(t, filepath.Join(home, "archive.checkpoint")), read(t, filepath.Join(other, "archive.checkpoint")); theirs != ours {
			t.Errorf("%s is not %s", ours, theirs)
		}
	})
}

func TestAFileOutsideThatIsNoCheckpointOfTheLogStopsIt(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		a := open(t, db, folder(home))
		accept(t, a, bill(t))
		path := filepath.Join(home, "archive.checkpoint")
		altered := strings.Replace(read(t, path), "\n1\n", "\n2\n", 1)
		if err := os.WriteFile(path, []byte(altered), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "second")), ledger())
		if reasonOf(err) != archive.StopOutside || read(t, path) != altered {
			t.Error(err)
		}
		if err := os.Remove(path); err != nil { // a person moved it away
			t.Fatal(err)
		}
		accept(t, a, bill(t, invoice, "second"))
	})
}

// A superuser takes the triggers away and rewrites the tree: what was signed stands against it.
func TestATreeThatWasRewrittenIsNeitherSignedNorContinued(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		a := open(t, db, folder(home))
		accept(t, a, bill(t))
		accept(t, a, bill(t, invoice, "second"))
		tamper(t, db, "log_hashes", "UPDATE log_hashes SET hash = (SELECT hash FROM log_hashes WHERE hash_index = 0) WHERE hash_index = 2")
		_, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "third")), ledger())
		if reasonOf(err) != archive.StopContradicts {
			t.Errorf("the hashes: %v", err)
		}
		if n := count(t, db, "log_leaves"); n != 2 {
			t.Errorf("%d leaves", n)
		}
		tamper(t, db, "log_heads", "UPDATE log_heads SET root = (SELECT root FROM log_heads WHERE size = 1) WHERE size = 2")
		_, err = a.Accept(t.Context(), parse(t, bill(t, invoice, "third")), ledger())
		if reasonOf(err) != archive.StopContradicts {
			t.Errorf("the heads: %v", err)
		}
		if stop, err := a.Stopped(t.Context()); err != nil || stop == nil || stop.Reason != archive.StopContradicts {
			t.Errorf("%v, %v", stop, err)
		}
	})
}

// tamper runs a statement as somebody who took the triggers of a table away, and makes them anew.
func tamper(t *testing.T, db *store.DB, table, statement string) {
	t.Helper()
	statements := []string{"DROP TRIGGER " + table + "_append_only_update", statement}
	if db.Dialect() == "postgres" {
		statements[0] = "DROP TRIGGER append_only ON " + table
	}
	for _, statement := range statements {
		if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.MakeAppendOnly(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestThatTheLogOnlyGrewIsProven(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		key, err := a.VerifierKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range 7 {
			accept(t, a, bill(t, invoice, fmt.Sprintf("bill-%d", i)))
		}
		for _, row := range storedCheckpoints(t, db) {
			p, err := a.ProveConsistency(t.Context(), row.Size)
			if err != nil {
				t.Fatal(err)
			}
			file, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			from, to, err := proof.VerifyConsistency([]byte(row.Note), file, key)
			if err != nil || from.Size != row.Size || to.Size != 7 {
				t.Errorf("from %d: %+v, %+v, %v", row.Size, from, to, err)
			}
		}
		_, err = a.ProveConsistency(t.Context(), 8)
		refused(t, err, codex.CodeBadInput, "from: the log has 7 leaves: it does not begin with 8")
	})
}
