package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
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
// checkpoint, whole. A later one of the same log, which another process wrote there meanwhile, stays.
type PublishFile string

// Publish implements [Publisher].
func (f PublishFile) Publish(_ context.Context, note []byte) error {
	// Not all file systems of other machines have locks. Without one, what another process writes within
	// the same moment may be written over by an earlier checkpoint, until that process publishes again.
	if unlock, err := lockBeside(string(f)); err == nil {
		defer unlock()
	}
	if there, err := os.ReadFile(string(f)); err == nil && (bytes.Equal(there, note) || laterThan(there, note)) {
		return nil
	}
	if err := writeBeside(string(f), note, 0o644, os.Rename); err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "the log checkpoint cannot be written to %s", string(f))
	}
	return nil
}

// laterThan tells whether what is there is a later checkpoint of the same log.
func laterThan(there, note []byte) bool {
	a, err := proof.ReadCheckpoint(there)
	if err != nil {
		return false
	}
	b, err := proof.ReadCheckpoint(note)
	return err == nil && a.Origin == b.Origin && newer(a, b)
}

// Published implements [Publisher].
func (f PublishFile) Published(context.Context) ([]byte, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// Publish takes the newest signed log checkpoint to where [archive] publish says: daily, and whenever
// somebody asks. Where nothing is configured it is [codex.CodeBadInput], and a
// log that is stopped is a [*StoppedError].
func (a *Archive) Publish(ctx context.Context) (*SignedCheckpoint, error) {
	if a.o.Publish == nil {
		return nil, codex.Errorf(codex.CodeBadInput, "[archive] publish names no place to publish at")
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
// that file came back from a backup with the database, what was published still tells. The error is a
// [*StoppedError] where the log has not grown from it: it is evidence, and not written over.
func (a *Archive) learn(ctx context.Context) error {
	note, err := a.o.Publish.Published(ctx)
	if err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "what was published cannot be read")
	}
	if len(note) == 0 { // a file that was made for us is nothing yet
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
	published := &SignedCheckpoint{Checkpoint: opened, Note: string(note)}
	if err := a.advance(published, key); err != nil {
		return err
	}
	err = a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, _, err := signable(ctx, tx, key, published)
		return err
	})
	var stop *StoppedError
	if !errors.As(err, &stop) {
		return err
	}
	if outside, readErr := a.outside.read(key); readErr != nil || outside == nil || outside.Checkpoint == published.Checkpoint {
		return err // appending is stopped by the same
	}
	// The database agrees with the file outside, and goes on: no epoch can be opened before they disagree.
	told := *stop
	told.Message = fmt.Sprintf("nothing is published now, and what is archived may be a second history: the published log checkpoint of epoch %d with %s is none that "+
		"this log has grown from, as where database and instance folder came back from the same older backup; put what was published into the place of %s "+
		"and have an admin open a new epoch (codex archive new-epoch; docs/archive.md, \"An older backup\")", opened.Epoch, leaves(opened.Size), a.o.CheckpointFile)
	return &told
}

// Start compares the log with its key, with what is known outside the database, and with what was
// published last, before anything is archived: where the log must not go on, that is logged, and each
// append says so. The key of a new log is made now. That nothing is known outside the database of a log
// with leaves is a warning: a new replica is so, and one whose file was lost.
func (a *Archive) Start(ctx context.Context) {
	var published error
	if a.o.Publish != nil {
		published = a.learn(ctx)
	}
	l, err := a.examine(ctx)
	if err == nil && l.head.Size > 0 && l.known == nil {
		a.logger.WarnContext(ctx, "there is no log checkpoint outside the database, so an older backup of it is not recognised: "+
			"put the newest there that was published or copied, before bills are archived", slog.String("path", a.o.CheckpointFile))
	}
	a.attention.tell(ctx, a.logger, err, published)
}

// attention is what of the log needs a person, logged once as long as it is the same.
type attention struct {
	mu   sync.Mutex
	told string
}

func (t *attention) tell(ctx context.Context, logger *slog.Logger, log, published error) {
	err := log
	if log == nil || published != nil && published.Error() != log.Error() {
		err = errors.Join(log, published)
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	t.mu.Lock()
	same := t.told == text
	t.told = text
	t.mu.Unlock()
	if err != nil && !same {
		logger.ErrorContext(ctx, "the log of archived bills needs attention", slog.Any("err", err))
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
	published string // the day
	notBefore time.Time
	refused   error // why the last try to publish failed; nil where it did not
	// quiet tells that this process has found the log well, and has told so if it was told otherwise. Where
	// another replica has another key file it is not this one's to say that all is well, but once.
	quiet bool
}

func (k *keeper) look(ctx context.Context, a *Archive) {
	_, err := a.sign(ctx)
	var unpublished error
	now := a.db.Now()
	today := now.Format(time.DateOnly)
	if a.o.Publish != nil && k.published != today && !now.Before(k.notBefore) {
		if _, unpublished = a.Publish(ctx); unpublished == nil {
			k.published = today
		} else {
			k.notBefore = now.Add(publishAgain)
		}
		k.refused = unpublished
	}
	if ctx.Err() == nil {
		a.attention.tell(ctx, a.logger, err, unpublished)
		if err := k.notify(ctx, a, err); err != nil && ctx.Err() == nil {
			a.logger.WarnContext(ctx, "that the log of archived bills stopped, or goes on, is told later", slog.Any("err", err))
		}
	}
}

// notify tells that the log is stopped, daily while it lasts, and that it goes on.
func (k *keeper) notify(ctx context.Context, a *Archive, log error) error {
	if !a.o.Notify.Listens() {
		return nil
	}
	for _, err := range []error{log, k.refused} {
		if needsPerson(err) {
			k.quiet = false
			return a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				return a.o.Notify.Standing(ctx, tx, stopEvent(err))
			})
		}
	}
	if k.quiet || log != nil || k.refused != nil {
		return nil
	}
	err := a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return a.o.Notify.Settled(ctx, tx, notify.Event{
			Kind: notify.LogResumed, Subject: notify.LogSubject, Text: "Bills are archived and signed again.", Facts: map[string]any{},
		})
	})
	k.quiet = err == nil
	return err
}

// needsPerson tells whether err does not pass by itself, as that of a receiver or a database that does not
// answer does.
func needsPerson(err error) bool {
	var stop *StoppedError
	return errors.As(err, &stop) || err != nil && codex.CodeOf(err) == codex.CodeConflict
}

func stopEvent(err error) notify.Event {
	e := notify.Event{
		Kind: notify.LogStopped, Subject: notify.LogSubject, Facts: map[string]any{"reason": nil},
		Text: "The log of archived bills needs a person; the hub's log says why.",
	}
	var stop *StoppedError
	var coded *codex.Error
	switch {
	case errors.As(err, &stop):
		e.Text, e.Facts["reason"] = "The log of archived bills needs a person: "+stop.Message+".", stop.Reason
	case errors.As(err, &coded):
		e.Text = "The log of archived bills needs a person: " + coded.Message + "."
	}
	return e
}
