package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Schedule is one thing that runs by itself, for people.
type Schedule struct {
	Name    string // a feed's name, or [Snapshots]
	Enabled bool
	WhyOff  string // why it is not Enabled
	Rule    string // when it runs, in words: 0 2 * * * (Europe/Berlin)
	Zone    string // of the rule
	// NextDueAt is when it runs next; nil while it is off. NextPeriod is the month whose bills are made then.
	NextDueAt  *time.Time
	NextPeriod *codex.Period
	// LastDueAt is the newest due time that is settled; nil while there is none. LastPeriod is the month
	// whose job began for it; nil for feeds, and where none did.
	LastDueAt  *time.Time
	LastPeriod *codex.Period
	OwedSince  *time.Time // what was due before is not made up for; nil while nothing has looked at it
	// LastRun is the sync that it started or joined last, LastJob the job; nil while there is none.
	LastRun *ent.SyncRun
	LastJob *ent.SnapshotJob
}

// Schedules are the schedules of all feeds and of the monthly bills, in the order of [Names].
func (s *Scheduler) Schedules(ctx context.Context) ([]Schedule, error) {
	v, err := s.look(ctx, nil)
	if err != nil {
		return nil, err
	}
	var all []Schedule
	for _, name := range Names() {
		setting, off := s.monthly(v.monthly)
		if name != Snapshots {
			setting, off = s.feed(codex.Feed(name))
		}
		listed := describe(name, v.now, stateOf(v.rows[name]), setting, off)
		if listed.LastRun, listed.LastJob, err = s.last(ctx, name, v.rows[name]); err != nil {
			return nil, fmt.Errorf("reading the last run of the schedule of %s: %w", name, err)
		}
		all = append(all, listed)
	}
	return all, nil
}

func describe(name string, now time.Time, state *State, setting Setting, off string) Schedule {
	listed := Schedule{Name: name, Enabled: setting.On, WhyOff: off, Rule: setting.Rule.Words(), Zone: setting.Rule.zoneName()}
	if setting.On {
		if due := next(now, state, setting); !due.At.IsZero() {
			listed.NextDueAt, listed.NextPeriod = &due.At, periodOrNil(due.Period)
		}
	}
	if state == nil {
		return listed
	}
	listed.OwedSince, listed.LastPeriod = &state.OwedSince, periodOrNil(state.LastPeriod)
	if !state.LastDueAt.IsZero() {
		listed.LastDueAt = &state.LastDueAt
	}
	return listed
}

func periodOrNil(period codex.Period) *codex.Period {
	if period == (codex.Period{}) {
		return nil
	}
	return &period
}

// last are the sync or the job that a schedule started last; both nil where there is none any more.
func (s *Scheduler) last(ctx context.Context, name string, row *ent.Schedule) (run *ent.SyncRun, job *ent.SnapshotJob, err error) {
	switch {
	case row == nil || row.LastRunID == nil:
		return nil, nil, nil
	case name == Snapshots:
		job, err = s.o.DB.Ent().SnapshotJob.Get(ctx, codex.RunID(*row.LastRunID))
	default:
		run, err = s.o.DB.Ent().SyncRun.Get(ctx, codex.RunID(*row.LastRunID))
	}
	if ent.IsNotFound(err) {
		return nil, nil, nil
	}
	return run, job, err
}
