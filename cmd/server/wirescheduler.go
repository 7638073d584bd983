package main

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
)

// makeSchedule makes what knows when syncs and bills are due.
func (a *app) makeSchedule(o appOptions) (err error) {
	c := o.config.Scheduler
	settings := scheduler.Settings{
		Enabled: c.Enabled, Zone: c.Timezone, CatchUp: time.Duration(c.CatchUpDays) * 24 * time.Hour,
		Crons: map[codex.Feed]string{
			codex.FeedFreshservice: string(c.Freshservice), codex.FeedDatto: string(c.Datto), codex.FeedTickets: string(c.Tickets),
		},
	}
	if err := a.jobs.CanAsk(); err != nil {
		settings.NoBills = err.Error()
	}
	a.scheduler, err = scheduler.New(scheduler.Options{
		DB: a.db, Syncs: a.engine, Jobs: dueJobs{a.jobs}, Settings: settings, Logger: o.logger,
	})
	return err
}

// dueJobs starts the jobs that are due.
type dueJobs struct{ jobs *jobs.Jobs }

// StartDue is [scheduler.Jobs].
func (d dueJobs) StartDue(ctx context.Context, due scheduler.DueJob, also func(ctx context.Context, tx *store.Tx, job *ent.SnapshotJob) error) (*ent.SnapshotJob, error) {
	return d.jobs.StartWith(ctx, jobs.Request{
		Period: due.Period, Accounts: due.Accounts, Type: codex.JobScheduled, Trigger: due.Trigger, DueAt: due.DueAt,
		By: codex.Caller{Name: scheduler.Caller, Role: codex.RoleAdmin, Trigger: due.Trigger},
	}, also)
}
