package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
)

// SignedCheckpoint is a log checkpoint with the signature of the log's key.
type SignedCheckpoint struct {
	proof.Checkpoint
	Note string // the signed note, verbatim: a C2SP tlog-checkpoint
	// SignedAt is when the last leaf that it signs was logged, as that leaf shows.
	SignedAt time.Time
}

// signTime bounds how long a caller whose bill is stored waits for the signature of the new head.
const signTime = 10 * time.Second

// Checkpoint gives the newest signed log checkpoint. Where the tree has grown since, the new head is
// signed first. A process that may not sign (see [StoppedError]), or cannot, gives the newest that there
// is, or says why there is none.
func (a *Archive) Checkpoint(ctx context.Context) (*SignedCheckpoint, error) {
	signed, err := a.sign(ctx)
	if err == nil || ctx.Err() != nil {
		return signed, err
	}
	key, keyErr := a.knownKey(ctx)
	if keyErr != nil {
		return nil, keyErr
	}
	if key == nil {
		return nil, err
	}
	stored, storedErr := newestStored(ctx, a.db.Ent(), *key)
	if storedErr != nil {
		return nil, storedErr
	}
	if stored == nil {
		return nil, err
	}
	if stop := (*StoppedError)(nil); !errors.As(err, &stop) { // which Keep logs, and logStop tells
		a.logger.WarnContext(ctx, "the head of the log could not be signed, an earlier log checkpoint is handed out", slog.Any("err", err))
	}
	return stored, nil
}

// sign signs the newest head of the tree, if it is not signed already.
//
// In this order: the head is looked at and compared with what was signed before; it is signed; the
// checkpoint is written down outside the database, then in it. So whoever reads one in the database
// can rely on its being outside, too. A process that dies in between signs the same bytes again.
func (a *Archive) sign(ctx context.Context) (*SignedCheckpoint, error) {
	if err := a.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer a.endTurn()
	return a.signInTurn(ctx)
}

func (a *Archive) takeTurn(ctx context.Context) error {
	select {
	case a.signing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to sign: %w", context.Cause(ctx))
	}
}

func (a *Archive) endTurn() { <-a.signing }

func (a *Archive) signInTurn(ctx context.Context) (signed *SignedCheckpoint, err error) {
	defer func() {
		if err != nil {
			a.signed.Store(0)
		} else {
			a.signed.Store(signed.Size)
			a.unwritable.Store(nil) // another process may have written it
		}
	}()
	l, err := a.examine(ctx)
	if err != nil {
		return nil, err
	}
	verifier := l.key.VerifierKey()
	if l.unkept != nil {
		if l.stored, err = a.keep(ctx, l.unkept, verifier); err != nil {
			return nil, err
		}
	}
	signed = l.stored
	if l.stored == nil || l.stored.Checkpoint != l.head {
		note, err := proof.SignCheckpoint(l.head, l.key)
		if err != nil {
			return nil, err
		}
		signed = &SignedCheckpoint{Checkpoint: l.head, Note: string(note), SignedAt: l.at}
	}
	if l.head.Size == 0 {
		return signed, nil // there is nothing yet that could be lost
	}
	if l.known == nil || l.known.Checkpoint != l.head {
		if err := a.advance(signed, verifier); err != nil {
			return nil, err
		}
	}
	if signed == l.stored {
		return signed, nil
	}
	return a.keep(ctx, signed, verifier)
}

// advance takes a checkpoint into the file outside the database, and remembers where it could not.
func (a *Archive) advance(signed *SignedCheckpoint, key proof.VerifierKey) error {
	err := a.outside.advance(signed, key)
	var stop *StoppedError
	if errors.As(err, &stop) && stop.Reason != StopUnwritable {
		stop = nil // who reads the file finds it again
	}
	a.unwritable.Store(stop)
	return err
}

// examined is a log that may be signed and appended to.
type examined struct {
	key    *proof.SigningKey
	known  *SignedCheckpoint // the newest that is outside the database, nil where there is none
	stored *SignedCheckpoint // the newest that is in it
	unkept *SignedCheckpoint // known, where a process died before it stored it
	head   proof.Checkpoint
	at     time.Time // when the last leaf under it was logged
}

// examine compares the log with its key, with what is known outside the database, and with what it
// signed last. The error is a [*StoppedError] where nothing may be signed nor appended.
func (a *Archive) examine(ctx context.Context) (l examined, err error) {
	if l.key, err = a.signingKey(ctx); err != nil {
		return l, err
	}
	verifier := l.key.VerifierKey()
	// Before the database is read: it is never ahead of what is committed.
	if l.known, err = a.outside.read(verifier); err != nil {
		return l, err
	}
	err = a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		if l.stored, err = newestStored(ctx, tx.Ent(), verifier); err != nil {
			return err
		}
		if l.head, l.at, err = signable(ctx, tx, verifier, l.known, l.stored); err != nil {
			return err
		}
		l.unkept, err = onlyOutside(ctx, tx, l.known, l.stored, l.head)
		return err
	})
	return l, err
}

// onlyOutside is the checkpoint outside the database if it is not in it, which a process left that died
// in between: whoever holds it may ask for its row. Nil: there is no such thing. It bears the time of
// the last leaf that it signs.
func onlyOutside(ctx context.Context, tx *store.Tx, known, stored *SignedCheckpoint, head proof.Checkpoint) (*SignedCheckpoint, error) {
	if known == nil || known.Checkpoint == head || known.Epoch != head.Epoch || stored != nil && !newer(known.Checkpoint, stored.Checkpoint) {
		return nil, nil
	}
	row, err := tx.Ent().LogHead.Get(ctx, known.Size)
	if err != nil {
		return nil, fmt.Errorf("reading the head of %s: %w", leaves(known.Size), err)
	}
	return &SignedCheckpoint{Checkpoint: known.Checkpoint, Note: known.Note, SignedAt: row.AppendedAt}, nil
}

// Stopped says why nothing is archived now, or with [StopUnwritable] why this process could not sign what
// it archived last; nil where all is well.
func (a *Archive) Stopped(ctx context.Context) (*StoppedError, error) {
	_, err := a.examine(ctx)
	var stop *StoppedError
	if errors.As(err, &stop) {
		return stop, nil
	}
	if err != nil {
		return nil, err
	}
	return a.unwritable.Load(), nil
}

// signable is the tree's head, which begins with all that was signed before: else nothing is signed.
// With it comes when its last leaf was logged.
func signable(ctx context.Context, tx *store.Tx, key proof.VerifierKey, before ...*SignedCheckpoint) (proof.Checkpoint, time.Time, error) {
	s, err := readStanding(ctx, tx, key)
	if err != nil {
		return proof.Checkpoint{}, time.Time{}, err
	}
	for _, signed := range before {
		if signed == nil {
			continue
		}
		if err := s.compare(ctx, tx, signed.Checkpoint); err != nil {
			return proof.Checkpoint{}, time.Time{}, err
		}
		if err := s.extends(ctx, tx, signed.Checkpoint, s.head); err != nil {
			return proof.Checkpoint{}, time.Time{}, err
		}
	}
	return s.head, s.at, nil
}

// keep stores a signed checkpoint, and gives the newest one that is stored then. Another process may
// have stored the same: signatures of one text by one key are the same bytes. Where it has stored a
// later one meanwhile, this one is dropped: rows are numbered in the order in which the log grew.
func (a *Archive) keep(ctx context.Context, signed *SignedCheckpoint, key proof.VerifierKey) (*SignedCheckpoint, error) {
	kept := signed
	err := a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, Entity); err != nil { // who writes to these tables, queues there
			return err
		}
		stored, err := newestStored(ctx, tx.Ent(), key)
		if err != nil {
			return err
		}
		if stored != nil && !newer(signed.Checkpoint, stored.Checkpoint) {
			kept = stored
			return nil
		}
		kept = signed
		id, err := nextID(ctx, tx, "log_checkpoints")
		if err != nil {
			return err
		}
		return tx.Ent().LogCheckpoint.Create().SetID(id).SetEpoch(signed.Epoch).SetSize(signed.Size).
			SetNote(signed.Note).SetSignedAt(signed.SignedAt).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("storing the log checkpoint of %s: %w", leaves(signed.Size), err)
	}
	return kept, nil
}

// signAppended signs the head behind an append that was committed, whose leaf is at index. Whoever comes
// while another signs waits, and mostly finds its own leaf signed then: many appends take few
// signatures. What fails now is done at the next append, by [Archive.Keep], or when somebody asks for a
// checkpoint: the bill is stored all the same.
func (a *Archive) signAppended(ctx context.Context, index int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signTime)
	defer cancel()
	err := a.takeTurn(ctx)
	if err == nil {
		if a.signed.Load() <= index {
			_, err = a.signInTurn(ctx)
		}
		a.endTurn()
	}
	if err != nil {
		a.logger.WarnContext(ctx, "the head of the log could not be signed yet", slog.Any("err", err))
	}
}

// ProveConsistency proves that the tree of the newest log checkpoint begins with that of older
// leaves, for whoever holds the checkpoint of those. It reads O(log n) hashes.
func (a *Archive) ProveConsistency(ctx context.Context, older int64) (*proof.Consistency, error) {
	newest, err := a.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if older < 0 || older > newest.Size {
		return nil, codex.BadInput("from", "the log has %s: it does not begin with %d", leaves(newest.Size), older)
	}
	p := &proof.Consistency{Older: older, Checkpoint: []byte(newest.Note)}
	err = a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		p.Hashes, err = proof.ProveConsistency(ctx, storedHashes{tx}, older, newest.Size)
		return err
	})
	if errors.Is(err, errAltered) {
		err = codex.Wrap(codex.CodeConflict, err, "that the log only grew cannot be proven: the database was altered (codex archive verify tells where)")
	}
	if err != nil {
		return nil, fmt.Errorf("proving that the log only grew: %w", err)
	}
	return p, nil
}
