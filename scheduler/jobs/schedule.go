package jobs

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// scheduleID is the key of the one row of scheduled_snapshots.
const scheduleID = 1

// MakeSchedule gives a database that has none the schedule of its monthly bills, with the documented
// defaults (docs/compatibility.md, "Archive"), and gives the row. Nothing is owed for the time before it
// was made. Every start of a process that works on the database calls it.
func MakeSchedule(ctx context.Context, db *store.DB) (*ent.ScheduledSnapshot, error) {
	row, err := db.Ent().ScheduledSnapshot.Get(ctx, scheduleID)
	if err == nil {
		return row, nil
	}
	if !ent.IsNotFound(err) {
		return nil, fmt.Errorf("reading the schedule of the monthly bills: %w", err)
	}
	err = db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, jobsEntity); err != nil { // another process may be making it
			return err
		}
		if row, err = tx.Ent().ScheduledSnapshot.Get(ctx, scheduleID); err == nil || !ent.IsNotFound(err) {
			return err
		}
		row, err = tx.Ent().ScheduledSnapshot.Create().SetID(scheduleID).
			SetCreatedAt(tx.Now()).SetUpdatedAt(tx.Now()).SetOwedSince(tx.Now()).Save(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the schedule of the monthly bills: %w", err)
	}
	return row, nil
}
