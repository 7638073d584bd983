package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// Publisher takes signed log checkpoints to where others keep them. What is published is what an older
// backup, or a changed database, is held against.
type Publisher interface {
	// Publish hands over a signed note, which may be one that was handed over before.
	Publish(ctx context.Context, note []byte) error
	// Published gives back what was published last, nil where that is nothing or cannot be asked.
	Published(ctx context.Context) ([]byte, error)
}

// PublishFile publishes to a file, best one on another machine's disk: it always holds the newest log
// checkpoint, whole.
type PublishFile string

// Publish implements [Publisher].
func (f PublishFile) Publish(_ context.Context, note []byte) error {
	if there, err := os.ReadFile(string(f)); err == nil && bytes.Equal(there, note) {
		return nil
	}
	if err := writeBeside(string(f), note, 0o644, os.Rename); err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "the log checkpoint cannot be written to %s", string(f))
	}
	return nil
}

// Published implements [Publisher].
func (f PublishFile) Published(context.Context) ([]byte, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// Publish takes the newest signed log checkpoint to where [archive] publish says: daily, behind each
// snapshot job, and whenever somebody asks. Where nothing is configured it is [codex.CodeBadInput], and a
// log that is stopped is a [*StoppedError].
func (a *Archive) Publish(ctx context.Context) (*SignedCheckpoint, error) {
	if a.o.Publish == nil {
		return nil, codex.BadInput("publish", "[archive] publish names no place to publish at")
	}
	// Before what is there is written over.
	if err := a.learn(ctx); err != nil {
		return nil, err
	}
	signed, err := a.sign(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.o.Publish.Publish(ctx, []byte(signed.Note)); err != nil {
		return nil, fmt.Errorf("publishing the log checkpoint of %s: %w", leaves(signed.Size), err)
	}
	a.logger.InfoContext(ctx, "log checkpoint published", slog.Int("epoch", signed.Epoch), slog.Int64("size", signed.Size))
	return signed, nil
}

// learn takes what was published into the file of the newest checkpoint, if it is a later one: where
// that file came back from a backup with the database, what was published still tells.
func (a *Archive) learn(ctx context.Context) error {
	note, err := a.o.Publish.Published(ctx)
	if err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "what was published cannot be read")
	}
	if note == nil {
		return nil
	}
	key, err := a.VerifierKey(ctx)
	if err != nil {
		return err
	}
	opened, err := proof.OpenCheckpoint(note, key)
	if err != nil {
		return codex.Wrap(codex.CodeConflict, err, "where log checkpoints are published is one that is none of this log's: it is not written over")
	}
	if opened.Size == 0 {
		return nil
	}
	return a.outside.advance(&SignedCheckpoint{Checkpoint: opened, Note: string(note)}, key)
}

// Start compares the log with its key, with what is known outside the database, and with what was
// published last, before anything is archived: where the log must not go on, that is logged, and each
// append says so. The key of a new log is made now.
func (a *Archive) Start(ctx context.Context) {
	var err error
	if a.o.Publish != nil {
		err = a.learn(ctx)
	}
	_, examined := a.examine(ctx)
	if err := errors.Join(err, examined); err != nil {
		a.logger.ErrorContext(ctx, "the log of archived bills needs attention", slog.Any("err", err))
	}
}

// Every how long [Archive.Keep] looks, and how long it waits behind a failure to publish.
const (
	keepEvery    = time.Minute
	publishAgain = 15 * time.Minute
)

// Keep looks after the log until ctx ends: at once and then every minute a head is signed that is not
// signed yet, and what other processes signed is kept in this one's file outside the database, too; at
// once and then on each new day (UTC) the newest checkpoint is published. What fails is logged and
// tried again.
func (a *Archive) Keep(ctx context.Context) {
	every := a.o.Every
	if every == 0 {
		every = keepEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var k keeper
	for {
		k.look(ctx, a)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// keeper is what [Archive.Keep] remembers between two looks.
type keeper struct {
	told      string // the failure that was logged last: it is logged once
	published string // the day
	notBefore time.Time
}

func (k *keeper) look(ctx context.Context, a *Archive) {
	_, err := a.sign(ctx)
	now := a.db.Now()
	today := now.Format(time.DateOnly)
	if a.o.Publish != nil && k.published != today && !now.Before(k.notBefore) {
		if _, publishErr := a.Publish(ctx); publishErr == nil {
			k.published = today
		} else {
			k.notBefore = now.Add(publishAgain)
			err = errors.Join(err, publishErr)
		}
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		k.told = ""
	case err.Error() != k.told:
		k.told = err.Error()
		a.logger.ErrorContext(ctx, "the log of archived bills needs attention", slog.Any("err", err))
	}
}
