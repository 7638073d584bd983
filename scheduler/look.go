package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/schedule"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// Snapshots is the name of the schedule of the monthly bills; the others have the names of feeds.
const Snapshots = "snapshots"

// Names are the schedules in their order.
func Names() []string {
	var names []string
	for _, feed := range codex.Feeds() {
		names = append(names, string(feed))
	}
	return append(names, Snapshots)
}

// view is what there is to decide from, all of one moment.
type view struct {
	now     time.Time
	rows    map[string]*ent.Schedule
	monthly *ent.ScheduledSnapshot
	facts   map[codex.Feed]Facts
}

// look reads a view. Where lease is given and lost it is [store.ErrLeaseLost].
func (s *Scheduler) look(ctx context.Context, lease *store.Lease) (*view, error) {
	if _, err := s.SnapshotSchedule(ctx); err != nil { // so that it is there
		return nil, err
	}
	v := &view{rows: make(map[string]*ent.Schedule), facts: make(map[codex.Feed]Facts)}
	err := s.o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if lease != nil {
			if err := tx.CheckLease(ctx, lease); err != nil {
				return err
			}
		}
		v.now = tx.Now()
		if v.monthly, err = tx.Ent().ScheduledSnapshot.Get(ctx, monthlyID); err != nil {
			return err
		}
		rows, err := tx.Ent().Schedule.Query().Where(schedule.IDIn(Names()...)).All(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			v.rows[row.ID] = row
		}
		for _, feed := range codex.Feeds() {
			if v.facts[feed], err = factsOf(ctx, tx.Ent(), feed, v.rows[string(feed)]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what is due: %w", err)
	}
	return v, nil
}

// factsOf tells what is known of a feed's runs. A dry run and a re-read of single records are none.
func factsOf(ctx context.Context, client *ent.Client, feed codex.Feed, row *ent.Schedule) (Facts, error) {
	if row == nil {
		return Facts{}, nil
	}
	if row.LastRunID == nil {
		ran, err := client.SyncRun.Query().
			Where(syncrun.FeedEQ(feed), syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread)).Exist(ctx)
		return Facts{Ran: ran}, err
	}
	interrupted, err := client.SyncRun.Query().
		Where(syncrun.ID(codex.RunID(*row.LastRunID)), syncrun.StateEQ(codex.RunInterrupted)).Exist(ctx)
	return Facts{Ran: true, Interrupted: interrupted}, err
}

// stateOf is a schedule's row as decisions take it; nil where there is none.
func stateOf(row *ent.Schedule) *State {
	if row == nil {
		return nil
	}
	state := &State{On: row.On, Rule: row.Rule, OwedSince: row.OwedSince, Attempts: row.Attempts}
	if row.LastDueAt != nil {
		state.LastDueAt = *row.LastDueAt
	}
	if row.LastPeriod != nil {
		if period, err := codex.ParsePeriod(*row.LastPeriod); err == nil {
			state.LastPeriod = period
		}
	}
	return state
}

// feed is what the configuration says of a feed, and why it is off where it is.
func (s *Scheduler) feed(feed codex.Feed) (setting Setting, off string) {
	switch {
	case !slices.Contains(s.o.Syncs.Feeds(), feed):
		off = "the feed is not configured"
	case !s.o.Settings.Enabled:
		off = "[scheduler] enabled is false"
	}
	return Setting{On: off == "", Rule: s.crons[feed]}, off
}

// monthly is what the configuration says of the monthly bills, and why they are off where they are.
func (s *Scheduler) monthly(row *ent.ScheduledSnapshot) (setting Setting, off string) {
	switch {
	case s.o.Settings.NoBills != "":
		off = s.o.Settings.NoBills
	case !row.Enabled:
		off = "it is switched off"
	}
	return Setting{
		On: off == "", Since: row.UpdatedAt, OwedSince: row.OwedSince, CatchUp: s.o.Settings.CatchUp,
		Rule: Monthly{Zone: s.o.Settings.Zone, Day: row.DayOfMonth, Hour: row.Hour, Previous: row.SnapshotPreviousMonth},
	}, off
}

// accountsOf are the companies whose bills are made; nil is all.
func accountsOf(row *ent.ScheduledSnapshot) ([]codex.AccountNumber, error) {
	if row.SnapshotAllCompanies {
		return nil, nil
	}
	return codex.ParseAccountNumbers(row.AccountNumbers)
}
