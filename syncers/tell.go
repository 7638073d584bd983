package syncers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

// tellEnd tells how a run has ended, in the transaction that wrote its end, if that is for a person to
// know. A dry run is not: who asked for it reads it. stopping tells that its process was stopped, which
// somebody did who knows.
func (e *Engine) tellEnd(ctx context.Context, tx *store.Tx, id codex.RunID, stopping bool) error {
	if !e.notify.Listens() {
		return nil
	}
	run, err := tx.Ent().SyncRun.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("reading how a run ended: %w", err)
	}
	if run.DryRun || stopping && run.State == codex.RunInterrupted {
		return nil
	}
	event := notify.Event{Subject: notify.FeedSubject(run.Feed), Facts: factsOf(run)}
	switch run.State {
	case codex.RunSucceeded:
		event.Kind, event.Text = notify.SyncRecovered, fmt.Sprintf("The sync of %s has succeeded again.", run.Feed)
		return e.notify.Settled(ctx, tx, event)
	case codex.RunFailed:
		event.Kind, event.Text = notify.SyncFailed, fmt.Sprintf("The sync of %s failed.", run.Feed)
	case codex.RunPartial:
		event.Kind, event.Text = notify.SyncPartial, fmt.Sprintf("The sync of %s could not read everything.", run.Feed)
	case codex.RunHeld:
		event.Kind, event.Text = notify.SyncHeld, fmt.Sprintf("The sync of %s holds removals that an admin must approve.", run.Feed)
	case codex.RunInterrupted:
		event.Kind, event.Text = notify.SyncInterrupted, fmt.Sprintf("The sync of %s was interrupted.", run.Feed)
	default: // cancelled: somebody knows
		return nil
	}
	if run.Error != nil {
		event.Text += "\n" + *run.Error
	}
	return e.notify.Standing(ctx, tx, event)
}

// factsOf are what an event says of a run.
func factsOf(run *ent.SyncRun) map[string]any {
	return map[string]any{
		"run_id": run.ID, "feed": run.Feed, "mode": run.Mode, "state": run.State, "trigger": run.Trigger, "requested_by": run.RequestedBy,
		"queued_at": run.QueuedAt.UTC(), "started_at": utc(run.StartedAt), "ended_at": utc(run.EndedAt), "counts": json.RawMessage(run.Counts),
	}
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	moment := at.UTC()
	return &moment
}
