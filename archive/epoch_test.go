package archive_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// opened opens a database for as long as fn runs: it can be copied afterwards.
func opened(t *testing.T, database *storetest.Database, fn func(db *store.DB)) {
	t.Helper()
	o := database.Options()
	o.Logger, o.Now = slog.New(slog.NewTextHandler(t.Output(), nil)), now
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	fn(db)
}

func TestAnOlderBackupIsContinuedInAnEpochOfItsOwnThatNamesWhatWasLost(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home := t.TempDir()
			var key proof.VerifierKey
			var kept, lost *archive.Proof
			opened(t, database, func(db *store.DB) {
				a := open(t, db, folder(home))
				for i := range 3 {
					accept(t, a, bill(t, invoice, fmt.Sprintf("kept-%d", i)))
				}
				kept = prove(t, a, "kept-1")
				_, err := a.OpenEpoch(t.Context(), "for fun", admin())
				refused(t, err, codex.CodeConflict, "the database has all that was signed: nothing is lost, and no new epoch begins")
				if key, err = a.VerifierKey(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) {
				a := open(t, db, folder(home))
				accept(t, a, bill(t, invoice, "lost-0"))
				accept(t, a, bill(t, invoice, "lost-1"))
				lost = prove(t, a, "lost-1")
			})

			opened(t, backup, func(db *store.DB) { // the database broke, and this is what there is
				a := open(t, db, folder(home))
				_, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "next")), ledger())
				if reasonOf(err) != archive.StopBehind || !strings.Contains(err.Error(), "has 3 leaves, and a log checkpoint of 5 leaves was signed") {
					t.Errorf("it goes on: %v", err)
				}
				if _, err := a.Reopen(t.Context(), "kept-1", "wrong", ledger()); reasonOf(err) != archive.StopBehind {
					t.Errorf("it goes on: %v", err)
				}
				if found, err := a.Get(t.Context(), "kept-1", 0); err != nil || found.InvoiceNumber != "kept-1" {
					t.Errorf("%v, %v", found, err)
				}
				_, err = a.OpenEpoch(t.Context(), "  ", admin())
				refused(t, err, codex.CodeBadInput, "reason: say why: it stands in the log for ever")

				epoch, err := a.OpenEpoch(t.Context(), "the disk broke", admin())
				if err != nil || epoch.ID != 2 || epoch.LeafIndex != 3 || epoch.LostCheckpoint != lost.Checkpoint || epoch.OpenedBy != "ana" ||
					epoch.Reason != "the disk broke" || !epoch.OpenedAt.Equal(now()) {
					t.Fatalf("%+v, %v", epoch, err)
				}
				leaf, err := proof.DecodeLeaf([]byte(db.Ent().LogLeaf.GetX(t.Context(), 3).Leaf))
				if want := (proof.NewEpoch{Epoch: 2, LostCheckpoint: lost.Checkpoint, Reason: "the disk broke", By: "ana", LoggedAt: now()}); err != nil || leaf != want {
					t.Errorf("%+v, %v", leaf, err)
				}
				accept(t, a, bill(t, invoice, "next"))
				for range 3 { // and on, longer than what was lost
					accept(t, a, bill(t, invoice, fmt.Sprintf("next-%d", count(t, db, "log_leaves"))))
				}
				_, err = a.OpenEpoch(t.Context(), "again", admin())
				refused(t, err, codex.CodeConflict, "the database has all that was signed: nothing is lost, and no new epoch begins")

				newest, err := a.Checkpoint(t.Context())
				if err != nil || newest.Epoch != 2 || newest.Size != 8 || !strings.HasPrefix(newest.Note, "codex.example.com/archive/epoch-2\n8\n") ||
					read(t, filepath.Join(home, "archive.checkpoint")) != newest.Note {
					t.Errorf("%+v, %v", newest, err)
				}
				// The proofs from before are good, and the newer log contains what they prove ...
				for _, file := range [][]byte{kept.File, prove(t, a, "kept-1").File, prove(t, a, "next").File} {
					if _, err := proof.VerifyProof(file, key, nil); err != nil {
						t.Error(err)
					}
				}
				grown := consistency(t, a, 3)
				if _, _, err := proof.VerifyConsistency([]byte(kept.Checkpoint), grown, key); err != nil {
					t.Error(err)
				}
				// ... those of the lost ones still show what was signed, which the log no longer has.
				if _, err := proof.VerifyProof(lost.File, key, nil); err != nil {
					t.Error(err)
				}
				_, _, err = proof.VerifyConsistency([]byte(lost.Checkpoint), consistency(t, a, 5), key)
				if err == nil {
					t.Error("the lost checkpoint is one that the log has grown from")
				}
				epochs, err := a.Epochs(t.Context())
				if err != nil || len(epochs) != 1 || epochs[0].LostCheckpoint != lost.Checkpoint {
					t.Errorf("%v, %v", epochs, err)
				}
			})
		})
	}
}

func TestReplicasThatWereBehindGoOnInTheNewEpochAndABackupFromBeforeItDoesNot(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home, other := t.TempDir(), t.TempDir()
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) {
				accept(t, open(t, db, folder(home)), bill(t, invoice, "lost-0"))
				accept(t, open(t, db, folder(home)), bill(t, invoice, "lost-1"))
			})
			for _, name := range []string{"archive.key", "archive.checkpoint"} { // the other replica knew it all
				if err := os.WriteFile(filepath.Join(other, name), []byte(read(t, filepath.Join(home, name))), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			restored := backup.Backup(t) // the same backup, to be restored once more
			opened(t, backup, func(db *store.DB) {
				if _, err := open(t, db, folder(other)).Accept(t.Context(), parse(t, bill(t, invoice, "next")), ledger()); reasonOf(err) != archive.StopBehind {
					t.Errorf("it goes on: %v", err)
				}
				if _, err := open(t, db, folder(home)).OpenEpoch(t.Context(), "the disk broke", admin()); err != nil {
					t.Fatal(err)
				}
				accept(t, open(t, db, folder(other)), bill(t, invoice, "next")) // whose file has what was lost
				if outside := read(t, filepath.Join(other, "archive.checkpoint")); !strings.HasPrefix(outside, "codex.example.com/archive/epoch-2\n3\n") {
					t.Error(outside)
				}
			})
			opened(t, restored, func(db *store.DB) {
				a := open(t, db, folder(other))
				if _, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "next")), ledger()); reasonOf(err) != archive.StopBehind {
					t.Errorf("it goes on: %v", err)
				}
				epoch, err := a.OpenEpoch(t.Context(), "it broke again", admin())
				if err != nil || epoch.ID != 3 || epoch.LeafIndex != 1 {
					t.Fatalf("%+v, %v", epoch, err)
				}
				accept(t, a, bill(t, invoice, "next"))
				if _, err := open(t, db, folder(home)).Checkpoint(t.Context()); err != nil { // it was of epoch 2
					t.Error(err)
				}
				report, err := audit.Verify(t.Context(), db, audit.Options{Against: []byte(read(t, filepath.Join(other, "archive.checkpoint"))), AgainstOwn: true})
				if err != nil || !report.OK() || report.Epoch != 3 {
					t.Errorf("%+v, %v", report, err)
				}
			})
		})
	}
}

// An older backup was gone on from elsewhere, where nothing outside told of what was lost, until it was as
// long as that, or longer. Once an epoch names what was lost, all go on, and the verifier finds that the
// log tells of it.
func TestABackupThatWasContinuedGoesOnInAnEpochThatNamesWhatItContradicts(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		for _, more := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, continued by %d", dialectName, more), func(t *testing.T) {
				database := storetest.Fresh(t, dialectName)
				home, other := t.TempDir(), t.TempDir()
				copied := func(name string) {
					if err := os.WriteFile(filepath.Join(other, name), []byte(read(t, filepath.Join(home, name))), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
				copied("archive.key")
				copied("archive.checkpoint")
				backup := database.Backup(t)
				opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "lost")) })
				lost := read(t, filepath.Join(home, "archive.checkpoint"))

				opened(t, backup, func(db *store.DB) {
					for i := range more {
						accept(t, open(t, db, folder(other)), bill(t, invoice, fmt.Sprintf("elsewhere-%d", i)))
					}
					a := open(t, db, folder(home))
					_, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "next")), ledger())
					if reasonOf(err) != archive.StopContradicts {
						t.Errorf("it goes on: %v", err)
					}
					epoch, err := a.OpenEpoch(t.Context(), "continued elsewhere", admin())
					if err != nil || epoch.ID != 2 || epoch.LeafIndex != int64(1+more) || epoch.LostCheckpoint != lost {
						t.Fatalf("%+v, %v", epoch, err)
					}
					accept(t, a, bill(t, invoice, "next"))
					for _, folderOf := range []string{home, other} { // after a restart, and on the other
						accept(t, open(t, db, folder(folderOf)), bill(t, invoice, "next-"+filepath.Base(folderOf)))
					}
					_, err = a.OpenEpoch(t.Context(), "again", admin())
					refused(t, err, codex.CodeConflict, "the database has all that was signed: nothing is lost, and no new epoch begins")

					key, err := a.VerifierKey(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, c := range []struct {
						against string
						own     bool
						want    []string
					}{
						{read(t, filepath.Join(home, "archive.checkpoint")), true, nil},
						{lost, false, []string{fmt.Sprintf("missing: log_leaves 0 to 1: the tree of 2 leaves is not the one that was signed then: it is lost, as leaf %d says, "+
							"which begins epoch 2", 1+more)}},
					} {
						report, err := audit.Verify(t.Context(), db, audit.Options{Key: key, Against: []byte(c.against), AgainstOwn: c.own})
						if err != nil {
							t.Fatal(err)
						}
						var found []string
						for _, f := range report.Findings {
							found = append(found, f.String())
						}
						if !slices.Equal(found, c.want) {
							t.Errorf("it finds %q, want %q", found, c.want)
						}
					}
				})
			})
		}
	}
}

// The database fell back by less than the other replica looks around in: that one knows what was lost
// because both have one file outside.
func TestReplicasThatShareTheFileOutsideAllSeeAnOlderBackup(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home, other := t.TempDir(), t.TempDir()
			shared := func(o *archive.Options) { o.CheckpointFile = filepath.Join(home, "archive.checkpoint") }
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
			if err := os.WriteFile(filepath.Join(other, "archive.key"), []byte(read(t, filepath.Join(home, "archive.key"))), 0o600); err != nil {
				t.Fatal(err)
			}
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "lost")) })
			opened(t, backup, func(db *store.DB) {
				replica := open(t, db, folder(other), shared)
				_, err := replica.Accept(t.Context(), parse(t, bill(t, invoice, "fork")), ledger())
				if reasonOf(err) != archive.StopBehind {
					t.Errorf("it goes on: %v", err)
				}
			})
		})
	}
}

func TestAProcessThatDiesBehindOpeningAnEpochIsFollowedByOneThatGoesOn(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home := t.TempDir()
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "lost")) })
			outside := read(t, filepath.Join(home, "archive.checkpoint"))
			opened(t, backup, func(db *store.DB) {
				if _, err := open(t, db, folder(home)).OpenEpoch(t.Context(), "the disk broke", admin()); err != nil {
					t.Fatal(err)
				}
				// As if it had died before it wrote the file.
				if err := os.WriteFile(filepath.Join(home, "archive.checkpoint"), []byte(outside), 0o600); err != nil {
					t.Fatal(err)
				}
				a := open(t, db, folder(home))
				_, err := a.OpenEpoch(t.Context(), "once more", admin())
				refused(t, err, codex.CodeConflict, "the database has all that was signed: nothing is lost, and no new epoch begins")
				accept(t, a, bill(t, invoice, "next"))
			})
		})
	}
}

// The folder came back from the backup together with the database: what was published still tells.
func TestWhatWasPublishedTellsAnOlderBackupOfEverything(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home, published := t.TempDir(), filepath.Join(t.TempDir(), "codex.checkpoint")
			publishing := func(o *archive.Options) { o.Publish = archive.PublishFile(published) }
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
			outside := read(t, filepath.Join(home, "archive.checkpoint"))
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) {
				a := open(t, db, folder(home), publishing)
				accept(t, a, bill(t, invoice, "lost"))
				if signed, err := a.Publish(t.Context()); err != nil || read(t, published) != signed.Note {
					t.Fatalf("%v, %v", signed, err)
				}
			})
			if err := os.WriteFile(filepath.Join(home, "archive.checkpoint"), []byte(outside), 0o600); err != nil {
				t.Fatal(err)
			}
			opened(t, backup, func(db *store.DB) {
				a := open(t, db, folder(home), publishing)
				before := read(t, published)
				if _, err := a.Publish(t.Context()); reasonOf(err) != archive.StopBehind || read(t, published) != before {
					t.Errorf("%v, published is %s", err, read(t, published))
				}
				if _, err := a.Accept(t.Context(), parse(t, bill(t, invoice, "next")), ledger()); reasonOf(err) != archive.StopBehind {
					t.Errorf("it goes on: %v", err)
				}
				if epoch, err := a.OpenEpoch(t.Context(), "the machine burnt", admin()); err != nil || epoch.LostCheckpoint != before {
					t.Fatalf("%v, %v", epoch, err)
				}
				accept(t, a, bill(t, invoice, "next"))
			})
		})
	}
}

func admin() codex.Caller { return codex.Caller{Name: "ana", Role: codex.RoleAdmin} }

func prove(t testing.TB, a *archive.Archive, number string) *archive.Proof {
	t.Helper()
	p, err := a.Prove(t.Context(), number, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func consistency(t testing.TB, a *archive.Archive, older int64) []byte {
	t.Helper()
	p, err := a.ProveConsistency(t.Context(), older)
	if err != nil {
		t.Fatal(err)
	}
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
