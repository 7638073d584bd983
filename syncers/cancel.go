package syncers

import (
	"context"
	"errors"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// cancelledError is the cause of a run's end that a person asked for.
type cancelledError struct{ by string }

func (e *cancelledError) Error() string { return "cancelled by " + e.by }

// errOver is the cause of a run's end whose row was ended by somebody else.
var errOver = errors.New("the run's row says that it has ended")

// Cancel stops a run, whichever process works on it: one that waits at once, one that works within
// seconds. What it has written stays, and nothing is half done: tickets go on behind the last batch.
// The row is returned as it is then; by is kept on it. Errors: [codex.CodeNotFound] where there is no
// such run, [codex.CodeConflict] where it has ended.
func (e *Engine) Cancel(ctx context.Context, id codex.RunID, by string) (*ent.SyncRun, error) {
	run, err := e.db.Ent().SyncRun.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no sync run %s", id)
	}
	if err == nil && !run.State.Final() { // nobody would heed it whose process died
		err = e.bury(ctx, run.Feed)
	}
	if err != nil {
		return nil, fmt.Errorf("cancelling run %s: %w", id, store.Translate(err))
	}
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		stopped, err := tx.Ent().SyncRun.Update().Where(syncrun.ID(id), syncrun.StateEQ(codex.RunQueued)).
			SetState(codex.RunCancelled).SetEndedAt(tx.Now()).SetCancelRequestedBy(by).
			SetError(cancelReason(by)).Save(ctx)
		if err != nil {
			return err
		}
		asked := 0
		if stopped == 0 {
			asked, err = tx.Ent().SyncRun.Update().Where(syncrun.ID(id), syncrun.StateEQ(codex.RunRunning)).
				SetCancelRequestedBy(by).Save(ctx)
			if err != nil {
				return err
			}
		}
		run, err = tx.Ent().SyncRun.Get(ctx, id)
		if err == nil && stopped+asked == 0 {
			return codex.Errorf(codex.CodeConflict, "the run has ended already: it is %s", run.State)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cancelling run %s: %w", id, err)
	}
	e.mu.Lock()
	stop := e.stops[id]
	e.mu.Unlock()
	if stop != nil {
		stop(&cancelledError{by})
	}
	return run, nil
}

func cancelReason(by string) string { return "Cancelled by " + by + "." }

// heed ends a run's work when its row says that it shall, or has: another process wrote that.
func (e *Engine) heed(ctx context.Context, id codex.RunID, stop context.CancelCauseFunc) error {
	row, err := e.db.Ent().SyncRun.Query().Where(syncrun.ID(id)).
		Select(syncrun.FieldState, syncrun.FieldCancelRequestedBy).Only(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("looking whether the run shall stop: %w", err)
	case row.CancelRequestedBy != nil:
		stop(&cancelledError{*row.CancelRequestedBy})
	case row.State.Final():
		stop(errOver)
	}
	return nil
}
