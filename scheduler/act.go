package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// tick decides about each schedule and acts on it, under lease.
func (s *Scheduler) tick(ctx context.Context, lease *store.Lease) error {
	v, err := s.look(ctx, lease)
	if err != nil {
		return err
	}
	var failed []error
	for _, feed := range codex.Feeds() {
		if err := s.settleFeed(ctx, lease, v, feed); err != nil {
			failed = append(failed, fmt.Errorf("settling the schedule of %s: %w", feed, err))
		}
	}
	if err := s.settleMonthly(ctx, lease, v); err != nil {
		failed = append(failed, fmt.Errorf("settling the schedule of the monthly bills: %w", err))
	}
	if err := s.settleMissed(ctx, lease, v); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (s *Scheduler) settleFeed(ctx context.Context, lease *store.Lease, v *view, feed codex.Feed) error {
	row := v.rows[string(feed)]
	setting, _ := s.feed(feed)
	d := DecideFeed(v.now, stateOf(row), setting, v.facts[feed])
	switch {
	case !d.Changed:
		return nil
	case d.Run == nil:
		return s.write(ctx, lease, string(feed), d, nil)
	}
	request := syncers.Request{Feed: feed, Mode: codex.ModeIncremental, Trigger: d.Trigger, By: Caller}
	run, joined, err := s.o.Syncs.StartWith(ctx, request, func(ctx context.Context, tx *store.Tx, run *ent.SyncRun) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		return save(ctx, tx, string(feed), d, run.ID)
	})
	if err != nil {
		return err
	}
	s.o.Logger.InfoContext(ctx, "a sync was due", slog.String("feed", string(feed)), slog.Any("run_id", run.ID),
		slog.Time("due_at", d.Run.At), slog.String("trigger", string(d.Trigger)), slog.Bool("joined", joined))
	return nil
}

func (s *Scheduler) settleMonthly(ctx context.Context, lease *store.Lease, v *view) error {
	setting, _ := s.monthly(v.monthly)
	d := DecideMonthly(v.now, stateOf(v.rows[Snapshots]), setting)
	if !d.Changed {
		return nil
	}
	missed := missedOf(d, v.now, setting)
	if d.Run == nil {
		return s.write(ctx, lease, Snapshots, d, missed)
	}
	accounts, err := accountsOf(v.monthly)
	if err != nil {
		return err
	}
	due := DueJob{Period: d.Run.Period, Accounts: accounts, DueAt: d.Run.At, Trigger: d.Trigger}
	job, err := s.o.Jobs.StartDue(ctx, due, func(ctx context.Context, tx *store.Tx, job *ent.SnapshotJob) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		if err := s.miss(ctx, tx, missed); err != nil {
			return err
		}
		return save(ctx, tx, Snapshots, d, job.ID)
	})
	if codex.CodeOf(err) == codex.CodeBadInput {
		// It will be wrong the next second too: so it is a person's.
		missed = append(missed, missedMonth{*d.Run, "Its job could not be started: " + reason(err)})
		d.State.LastPeriod, d.State.Attempts = codex.Period{}, 0
		return s.write(ctx, lease, Snapshots, d, missed)
	}
	if err != nil {
		return err
	}
	s.o.Logger.InfoContext(ctx, "the monthly bills were due", slog.Any("run_id", job.ID), slog.String("period", d.Run.Period.String()),
		slog.Time("due_at", d.Run.At), slog.String("trigger", string(d.Trigger)))
	return nil
}

// reason is what err says to people.
func reason(err error) string {
	var coded *codex.Error
	if errors.As(err, &coded) {
		return coded.Message
	}
	return err.Error()
}

// write keeps what was decided where nothing is to begin.
func (s *Scheduler) write(ctx context.Context, lease *store.Lease, name string, d Decision, missed []missedMonth) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		if err := s.miss(ctx, tx, missed); err != nil {
			return err
		}
		return save(ctx, tx, name, d, "")
	})
}

// save writes a schedule's row as it is after d, which began run; empty for none.
func save(ctx context.Context, tx *store.Tx, name string, d Decision, run codex.RunID) error {
	there, err := tx.Ent().Schedule.Get(ctx, name)
	if ent.IsNotFound(err) {
		there, err = tx.Ent().Schedule.Create().SetID(name).SetOn(d.State.On).SetRule(d.State.Rule).
			SetOwedSince(d.State.OwedSince).SetUpdatedAt(tx.Now()).Save(ctx)
	}
	if err != nil {
		return fmt.Errorf("writing the schedule of %s: %w", name, err)
	}
	update := tx.Ent().Schedule.UpdateOne(there).SetOn(d.State.On).SetRule(d.State.Rule).
		SetOwedSince(store.UTC(d.State.OwedSince)).SetAttempts(d.State.Attempts).SetUpdatedAt(tx.Now())
	if d.State.LastDueAt.IsZero() {
		update.ClearLastDueAt()
	} else {
		update.SetLastDueAt(store.UTC(d.State.LastDueAt))
	}
	if d.State.LastPeriod == (codex.Period{}) {
		update.ClearLastPeriod()
	} else {
		update.SetLastPeriod(d.State.LastPeriod.String())
	}
	if run != "" {
		update.SetLastRunID(string(run))
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("writing the schedule of %s: %w", name, err)
	}
	return nil
}
