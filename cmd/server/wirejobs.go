package main

import (
	"context"

	"github.com/hivematrix/codex/scheduler/jobs"
)

// makeJobs makes what asks Ledger for the bills of a month. A new database gets its schedule now: what
// was due before is owed to nobody.
func (a *app) makeJobs(ctx context.Context, o appOptions) error {
	if _, err := jobs.MakeSchedule(ctx, a.db); err != nil {
		return err
	}
	c := o.config
	options := jobs.Options{
		DB: a.db, Bills: a.bills, Syncs: a.engine, Reviews: a.reviews,
		Outbox:      a.outbox,
		Concurrency: c.Scheduler.Concurrency, HoldFlagged: c.Scheduler.HoldFlagged,
		Logger: o.logger,
	}
	if a.ledger != nil {
		options.Ledger = a.ledger
	}
	if c.Archive.Publish != "" {
		options.Publish = func(ctx context.Context) error {
			_, err := a.bills.Publish(ctx)
			return err
		}
	}
	a.jobs = jobs.New(options)
	return nil
}
