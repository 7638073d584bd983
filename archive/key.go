package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logkey"
	"github.com/hivematrix/codex/store"
)

// keyring is the log's key in this process. There is one for all replicas: the database keeps its
// origin and public half, from when the first of them made it, and a process with another one, or
// with none, appends nothing.
type keyring struct {
	file      string // its path
	origin    string // what the log must be called; empty: whatever the key says
	newOrigin string // what a log without origin is called when its key is made
	random    io.Reader
	logger    *slog.Logger

	mu    sync.Mutex
	known *proof.SigningKey // as it was read last
}

// maxKeyBytes is more than any key file has.
const maxKeyBytes = 4096

// within gives the log's key in a write transaction that holds the revision of [Entity], so that of
// processes which begin at once one makes the key and the others see that it did. A log without a key
// takes that of the key file, or a new one. A process that dies behind the file and before the commit
// leaves a key which the next start takes.
//
// log_keys has the key from the first leaf on (appends), with that leaf's time: so the leaf shows when it
// was, and nobody can say another time later. Before that there is nothing to prove, and the key
// stands among what else this database takes from one place alone ([announcedAs]).
//
// The error is a [*StoppedError] where this process has not the log's key.
func (k *keyring) within(ctx context.Context, tx *store.Tx, appends bool) (*proof.SigningKey, error) {
	recorded, err := recordedKey(ctx, tx.Ent())
	if err != nil {
		return nil, err
	}
	known := recorded
	if known == nil {
		if known, err = announcedKey(ctx, tx.Ent()); err != nil {
			return nil, err
		}
	}
	var key *proof.SigningKey
	if known != nil {
		key, err = k.matching(ctx, *known)
	} else {
		key, err = k.first(ctx, tx)
	}
	if err != nil || recorded != nil {
		return key, err
	}
	at := tx.Now()
	first, err := tx.Ent().LogHead.Get(ctx, 1)
	switch {
	case err == nil: // the log is older than its key
		at = first.AppendedAt
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("reading the first head of the log: %w", err)
	case !appends:
		return key, nil
	}
	err = tx.Ent().LogKey.Create().SetID(1).SetOrigin(key.VerifierKey().Origin()).
		SetVerifierKey(key.VerifierKey().String()).SetRecordedAt(at).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("recording the log's key: %w", err)
	}
	return key, nil
}

// announcedAs is under what name the key of a log without leaves stands in the table upstreams.
const announcedAs = "archive log"

// first takes the key of the key file for a log that has none, or makes one, and announces it.
func (k *keyring) first(ctx context.Context, tx *store.Tx) (*proof.SigningKey, error) {
	key, err := k.read(ctx)
	if err == nil && key == nil {
		key, err = k.make(ctx)
	}
	if err == nil {
		err = k.named(key)
	}
	if err != nil {
		return nil, err
	}
	err = tx.RememberUpstream(ctx, announcedAs, key.VerifierKey().String(), false)
	if codex.CodeOf(err) == codex.CodeConflict { // its words are about a sync
		return nil, codex.Errorf(codex.CodeUnavailable, "another process gave the log a key at the same moment; try again")
	}
	return key, err
}

// matching gives the key of this process if it is the one that was recorded.
func (k *keyring) matching(ctx context.Context, recorded proof.VerifierKey) (*proof.SigningKey, error) {
	k.mu.Lock()
	known := k.known
	k.mu.Unlock()
	if known == nil || known.VerifierKey() != recorded {
		var err error
		if known, err = k.read(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case known == nil:
		return nil, stopped(StopKeyMissing, nil, "the log's key is not there: put a copy of the key file of %s, whose verifier key is %s, at %s",
			recorded.Origin(), recorded, k.file)
	case known.VerifierKey() != recorded:
		return nil, stopped(StopKeyOther, nil, "%s holds the key %s, the log's is %s: put a copy of the log's own key file there",
			k.file, known, recorded)
	}
	if err := k.named(known); err != nil {
		return nil, err
	}
	k.mu.Lock()
	k.known = known
	k.mu.Unlock()
	return known, nil
}

// named makes sure that the key is that of the log which was configured.
func (k *keyring) named(key *proof.SigningKey) error {
	if origin := key.VerifierKey().Origin(); k.origin != "" && k.origin != origin {
		return stopped(StopOrigin, nil, "[archive] log_origin is %s, and the log is called %s for ever, as its key says: "+
			"set it back, or leave it out", k.origin, origin)
	}
	return nil
}

// read reads the key file: nil where there is none.
func (k *keyring) read(ctx context.Context) (*proof.SigningKey, error) {
	file, err := os.Open(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, stopped(StopKeyBroken, err, "the log's key file %s cannot be opened", k.file)
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxKeyBytes))
	if err != nil {
		return nil, stopped(StopKeyBroken, err, "the log's key file %s cannot be read", k.file)
	}
	key, err := proof.ParseSigningKey(codex.Secret(text))
	if err != nil {
		return nil, stopped(StopKeyBroken, err, "%s is not the key file of a log: put a copy of it there", k.file)
	}
	if info, err := file.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		k.logger.WarnContext(ctx, "others than its owner may read the log's key", slog.String("path", k.file))
	}
	return key, nil
}

// make makes the key of a new log and writes it down, for its owner alone. One that somebody else
// wrote there meanwhile is taken instead, and never written over.
func (k *keyring) make(ctx context.Context) (*proof.SigningKey, error) {
	origin := k.origin
	if origin == "" {
		origin = k.newOrigin
	}
	secret, verifier, err := proof.GenerateKey(k.random, origin)
	if err != nil {
		return nil, err
	}
	err = writeOnce(k.file, []byte(secret.Reveal()+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, codex.Wrap(codex.CodeUnavailable, err, "the log's key file %s cannot be written", k.file)
	}
	key, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("the key file %s went away as soon as it was there", k.file)
	}
	if key.VerifierKey() == verifier {
		k.logger.InfoContext(ctx, "the log's key was made: keep a copy of it in another place than the database's",
			slog.String("path", k.file), slog.String("verifier_key", verifier.String()))
	}
	return key, nil
}

// announcedKey is the key of a log that has no leaf yet; nil before the first start.
func announcedKey(ctx context.Context, client *ent.Client) (*proof.VerifierKey, error) {
	row, err := client.Upstream.Get(ctx, announcedAs)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the log's key: %w", err)
	}
	key, err := proof.ParseVerifierKey(row.Identity)
	if err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "the log's key in the database is none: the database was altered")
	}
	return &key, nil
}

// recordedKey is the log's key as the database has it from the first leaf on; nil before.
func recordedKey(ctx context.Context, client *ent.Client) (*proof.VerifierKey, error) {
	row, err := client.LogKey.Query().Order(logkey.ByID()).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the log's key: %w", err)
	}
	key, err := proof.ParseVerifierKey(row.VerifierKey)
	if err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "the log's key in the database is none: the database was altered")
	}
	return &key, nil
}

// knownKey is the log's key as the database has it, with or without leaves; nil before the first start.
func (a *Archive) knownKey(ctx context.Context) (*proof.VerifierKey, error) {
	key, err := recordedKey(ctx, a.db.Ent())
	if err != nil || key != nil {
		return key, err
	}
	return announcedKey(ctx, a.db.Ent())
}

// signingKey gives the log's key outside of a transaction, and makes it where there is none.
func (a *Archive) signingKey(ctx context.Context) (*proof.SigningKey, error) {
	known, err := a.knownKey(ctx)
	if err != nil {
		return nil, err
	}
	if known != nil {
		return a.keys.matching(ctx, *known)
	}
	var key *proof.SigningKey
	err = a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, Entity); err != nil { // who appends, queues there
			return err
		}
		key, err = a.keys.within(ctx, tx, false)
		return err
	})
	return key, err
}

// VerifierKey is what the log's checkpoints are verified with. A log that has no key yet gets one.
func (a *Archive) VerifierKey(ctx context.Context) (proof.VerifierKey, error) {
	known, err := a.knownKey(ctx)
	if err == nil && known == nil {
		var key *proof.SigningKey
		if key, err = a.signingKey(ctx); err == nil {
			return key.VerifierKey(), nil
		}
	}
	if err != nil {
		return proof.VerifierKey{}, fmt.Errorf("finding the log's verifier key: %w", err)
	}
	return *known, nil
}

// writeOnce writes a file for its owner alone, wholly or not at all, and never over another: then
// the error is [fs.ErrExist].
func writeOnce(path string, text []byte) error {
	return writeBeside(path, text, 0o600, os.Link)
}

// writeBeside writes a file beside path, makes sure that it is there to stay, and has place give it
// its name.
func writeBeside(path string, text []byte, mode fs.FileMode, place func(from, to string) error) (err error) {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+"-*") // made with 0600
	if err != nil {
		return err
	}
	defer func() {
		// Gone already where place renamed it.
		if gone := os.Remove(file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = file.Write(text)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := place(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the names in a folder stay.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
