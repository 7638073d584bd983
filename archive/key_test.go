package archive_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// folder is an instance folder: two archives that have the same one are two processes of one hub.
func folder(path string) func(o *archive.Options) {
	return func(o *archive.Options) { o.KeyFile = filepath.Join(path, "archive.key") }
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keyOf makes the key file of another log.
func keyOf(t testing.TB, path, origin string) {
	t.Helper()
	secret, _, err := proof.GenerateKey(&salts{at: 99}, origin)
	if err == nil {
		err = os.WriteFile(path, []byte(secret.Reveal()+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// reasonOf is why an error stops the archive, empty where it does not.
func reasonOf(err error) archive.StopReason {
	if stop, ok := errors.AsType[*archive.StoppedError](err); ok && codex.CodeOf(err) == codex.CodeUnavailable {
		return stop.Reason
	}
	return ""
}

func TestTheKeyIsMadeOnceForItsOwnerAndRecordedWithTheFirstLeaf(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		first, err := open(t, db, folder(home)).VerifierKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(home, "archive.key")
		text := read(t, path)
		key, err := proof.ParseSigningKey(codex.Secret(text))
		if err != nil || key.VerifierKey() != first || first.Origin() != "codex.example.com/archive" {
			t.Errorf("%v, %v, %v", key, first, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if n := count(t, db, "log_keys"); n != 0 {
			t.Errorf("%d keys are recorded before there is a leaf", n)
		}
		again := open(t, db, folder(home)) // another start
		accept(t, again, bill(t))
		row := db.Ent().LogKey.Query().OnlyX(t.Context())
		if row.Origin != first.Origin() || row.VerifierKey != first.String() || !row.RecordedAt.Equal(now()) || read(t, path) != text {
			t.Errorf("%+v, the first start had %s", row, first)
		}
		left, err := os.ReadDir(home)
		if err != nil || len(left) != 3 { // and archive.checkpoint with its lock
			t.Errorf("%v, %v", left, err)
		}
	})
}

func TestOfProcessesThatStartAtOnceOneMakesTheKey(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		for _, c := range []struct {
			name    string
			folders int
		}{{"in one folder", 1}, {"on machines of their own", 4}} {
			t.Run(dialectName+"/"+c.name, func(t *testing.T) {
				db := storetest.Open(t, dialectName)
				homes := make([]string, c.folders)
				for i := range homes {
					homes[i] = t.TempDir()
				}
				var group sync.WaitGroup
				for i := range 8 {
					a := open(t, db, folder(homes[i%c.folders]))
					group.Go(func() {
						_, err := a.Checkpoint(context.WithoutCancel(t.Context()))
						if err != nil && reasonOf(err) != archive.StopKeyMissing {
							t.Error(err)
						}
					})
				}
				group.Wait()
				keys := 0
				for _, home := range homes {
					if _, err := os.Stat(filepath.Join(home, "archive.key")); err == nil {
						keys++
					}
				}
				if keys != 1 {
					t.Errorf("there are %d keys", keys)
				}
			})
		}
	}
}

func TestWithoutTheLogsOwnKeyBillsAreServedAndNothingIsAppended(t *testing.T) {
	for _, c := range []struct {
		name   string
		break_ func(t *testing.T, path string)
		reason archive.StopReason
	}{
		{"the file is gone", func(t *testing.T, path string) {
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
		}, archive.StopKeyMissing},
		{"another log's key", func(t *testing.T, path string) { keyOf(t, path, "other.example.com/archive") }, archive.StopKeyOther},
		{"another key of the same name", func(t *testing.T, path string) { keyOf(t, path, "codex.example.com/archive") }, archive.StopKeyOther},
		{"half a file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(read(t, path)[:60]), 0o600); err != nil {
				t.Fatal(err)
			}
		}, archive.StopKeyBroken},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				home := t.TempDir()
				path := filepath.Join(home, "archive.key")
				accept(t, open(t, db, folder(home)), bill(t))
				secret := read(t, path)
				c.break_(t, path)
				var log bytes.Buffer
				a := open(t, db, folder(home), func(o *archive.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })

				_, accepting := a.Accept(t.Context(), parse(t, bill(t, invoice, "another")), ledger())
				_, reopening := a.Reopen(t.Context(), invoice, "wrong", ledger())
				_, closing := a.Close(t.Context(), invoice, "right", ledger())
				_, beginning := a.OpenEpoch(t.Context(), "lost", ledger())
				for what, err := range map[string]error{"accept": accepting, "reopen": reopening, "open an epoch": beginning} {
					if reasonOf(err) != c.reason {
						t.Errorf("%s: %v, want %s", what, err, c.reason)
					}
					if strings.Contains(err.Error()+log.String(), secret[20:60]) || strings.Contains(err.Error(), "PRIVATE") && c.reason != archive.StopKeyBroken {
						t.Errorf("%s: it tells the key: %v", what, err)
					}
				}
				if codex.CodeOf(closing) != codex.CodeConflict { // it was never open
					t.Error(closing)
				}
				if stop, err := a.Stopped(t.Context()); err != nil || stop == nil || stop.Reason != c.reason {
					t.Errorf("%v, %v", stop, err)
				}
				if n := count(t, db, "log_leaves"); n != 1 {
					t.Errorf("%d leaves", n)
				}
				// What is there is served, with its proof, and who sends it again is told that it is.
				if found, err := a.Get(t.Context(), invoice, 0); err != nil || found.InvoiceNumber != invoice {
					t.Errorf("%v, %v", found, err)
				}
				if again := accept(t, a, bill(t)); !again.Existing {
					t.Errorf("%+v", again)
				}
				if proven, err := a.Prove(t.Context(), invoice, 0); err != nil || proven.LeafIndex != 0 {
					t.Errorf("%v, %v", proven, err)
				}
				// The key comes back while the process runs.
				if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
					t.Fatal(err)
				}
				accept(t, a, bill(t, invoice, "another"))
			})
		})
	}
}

func TestALogKeepsItsName(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))
		named := func(origin string) func(o *archive.Options) {
			return func(o *archive.Options) { o.Origin = origin }
		}
		_, err := open(t, db, folder(home), named("new.example.com/archive")).Reopen(t.Context(), invoice, "wrong", ledger())
		if reasonOf(err) != archive.StopOrigin {
			t.Error(err)
		}
		if _, err := open(t, db, folder(home), named("codex.example.com/archive")).Reopen(t.Context(), invoice, "wrong", ledger()); err != nil {
			t.Error(err)
		}
	})
}

func TestALogIsCalledAsItWasConfigured(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	key, err := open(t, db, func(o *archive.Options) { o.Origin = "bills.example.com/log" }).VerifierKey(t.Context())
	if err != nil || key.Origin() != "bills.example.com/log" {
		t.Errorf("%v, %v", key, err)
	}
}
