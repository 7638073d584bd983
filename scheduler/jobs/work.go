package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// working is the work on one job, under the lease.
type working struct {
	*Jobs
	lease  *store.Lease
	id     codex.RunID
	logger *slog.Logger
	job    *ent.SnapshotJob // as it was when the work on it began
	cancel func()           // ends the work of a cancelled job
	held   context.Context  // ends with the lease: for calls that a cancelled job lets end
}

// errCancelled ends what a person stopped.
var errCancelled = errors.New("the job was cancelled")

// errOver says that somebody else ended the job before this process came to it.
var errOver = errors.New("the job has ended")

// step writes a step of the job, if this process still is the one at work on it.
func (w *working) step(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return w.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, w.lease); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// change is a step that changes where the job stands. One that somebody ended meanwhile is [errOver]:
// whoever ends a job that waits holds the same revision.
func (w *working) change(ctx context.Context, fn func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error) error {
	return w.step(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, jobsEntity); err != nil {
			return err
		}
		row, err := readJob(ctx, tx.Ent(), w.id)
		if err != nil {
			return err
		}
		if row.State.Final() {
			return errOver
		}
		return fn(ctx, tx, row)
	})
}

// work brings the job from where its row says that it stands to its end, or until it is blocked. Its
// error is one with which nothing could be written; then the row stays as it is, for the next process.
func (w *working) work(ctx context.Context) error {
	switch err := w.begin(ctx); {
	case errors.Is(err, errOver):
		return nil
	case err != nil:
		return err
	}
	w.held = ctx
	w.logger.InfoContext(ctx, "snapshot job is worked on", slog.String("state", string(w.job.State)), slog.String("month", periodOf(w.job).String()))
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w.cancel = func() { stop(errCancelled) }
	watched := w.watch(working, stop)
	err := w.proceed(working)
	cause := context.Cause(working)
	stop(nil)
	watched()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(cause, errCancelled):
		err = errCancelled
	case errors.Is(err, store.ErrLeaseLost), codex.CodeOf(err) == codex.CodeUnavailable:
		return err // the database or the leases: whoever can goes on
	}
	return w.finish(ctx, err)
}

// proceed does what is left of the job.
func (w *working) proceed(ctx context.Context) error {
	if w.job.CancelRequestedBy != nil {
		return errCancelled
	}
	if w.job.JobType != codex.JobScheduled || w.job.Round > 1 {
		return w.run(ctx, false)
	}
	if w.job.State == codex.JobQueued || w.job.State == codex.JobSyncing {
		if err := w.sync(ctx); err != nil {
			return err
		}
	}
	return w.o.Syncs.HoldFeeds(ctx, func(ctx context.Context) error { return w.run(ctx, true) })
}

// begin takes the job: from now on this process works on it.
func (w *working) begin(ctx context.Context) error {
	return w.change(ctx, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) (err error) {
		update := tx.Ent().SnapshotJob.UpdateOneID(w.id).SetWorker(w.process).SetHeartbeatAt(tx.Now())
		if row.BegunAt == nil {
			update.SetBegunAt(tx.Now())
		}
		w.job, err = update.Save(ctx)
		return err
	})
}

// become writes that the job has come to a state, and what is to be known.
func (w *working) become(ctx context.Context, state codex.JobState, notes ...string) error {
	return w.change(ctx, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		text := row.Notes
		for _, note := range notes {
			text = addNote(text, note)
		}
		return tx.Ent().SnapshotJob.UpdateOneID(w.id).SetState(state).SetStatus(state.Status()).SetNotes(text).
			ClearBlockedReason().ClearError().ClearSuccess().SetHeartbeatAt(tx.Now()).Exec(ctx)
	})
}

// watch gives signs of life, and ends the work when a person has cancelled it. What it returns waits for
// its end.
func (w *working) watch(ctx context.Context, stop context.CancelCauseFunc) (wait func()) {
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(w.o.Poll)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := w.step(ctx, func(ctx context.Context, tx *store.Tx) error {
				row, err := tx.Ent().SnapshotJob.UpdateOneID(w.id).SetHeartbeatAt(tx.Now()).Save(ctx)
				if err == nil && row.CancelRequestedBy != nil {
					stop(errCancelled)
				}
				return err
			})
			if err != nil && ctx.Err() == nil {
				w.logger.WarnContext(ctx, "a snapshot job's sign of life could not be written", slog.Any("err", err))
			}
		}
	})
	return done.Wait
}

// sync runs all feeds, one after the other. One that fails does not keep the others: whether the job may
// go on is decided by what has succeeded since the month ended.
func (w *working) sync(ctx context.Context) error {
	if err := w.become(ctx, codex.JobSyncing); err != nil {
		return err
	}
	for _, feed := range w.o.Syncs.Feeds() {
		run, _, err := w.o.Syncs.Start(ctx, syncers.Request{Feed: feed, Trigger: codex.TriggerJob, By: "snapshot job " + string(w.id)})
		if err == nil {
			run, err = w.o.Syncs.Wait(ctx, run.ID)
		}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		w.logger.InfoContext(ctx, "a feed of a snapshot job has ended", slog.String("feed", string(feed)), slog.String("state", string(run.State)))
	}
	return nil
}

// run asks for the bills, one company after the other. Where the job waits for feeds, nobody syncs
// meanwhile.
func (w *working) run(ctx context.Context, waits bool) error {
	period := periodOf(w.job)
	stale, err := staleFeeds(ctx, w.o.DB.Ent(), w.o.Syncs.Feeds(), period, w.job.StartedAt)
	if err != nil {
		return err
	}
	var notes []string
	if says := saysAll(stale, period); says != "" {
		row, err := w.Job(ctx, w.id) // it may have been forced meanwhile
		if err != nil {
			return err
		}
		switch {
		case waits && row.ForceReason == nil:
			return w.block(ctx, "It waits, since its bills would be made from old data: "+says+
				". It goes on when that has succeeded, or when an admin forces it with a reason.")
		case waits:
			notes = append(notes, fmt.Sprintf("Forced by %s (%s) although %s.", valueOf(row.ForcedBy), valueOf(row.ForceReason), says))
		default:
			notes = append(notes, "Made from old data: "+says+".")
		}
	}
	if w.job.State == codex.JobRunning { // it was said before the process died
		notes = nil
	}
	if err := w.become(ctx, codex.JobRunning, notes...); err != nil {
		return err
	}
	list, err := w.plan(ctx)
	if err != nil {
		if context.Cause(ctx) == nil && codex.CodeOf(err) != codex.CodeUnavailable {
			err = &unlisted{err}
		}
		return err
	}
	return w.askAll(ctx, list)
}

// unlisted says that the companies could not be found out.
type unlisted struct{ err error }

func (e *unlisted) Error() string {
	return "the companies of the month could not be listed: " + e.err.Error()
}
func (e *unlisted) Unwrap() error { return e.err }

// errBlocked ends the work on a job that waits.
var errBlocked = errors.New("the job is blocked")

// block writes that the job waits, and why. It is told once.
func (w *working) block(ctx context.Context, reason string) error {
	err := w.change(ctx, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		if row.ForceReason != nil || row.CancelRequestedBy != nil { // since it was read
			return nil
		}
		err := tx.Ent().SnapshotJob.UpdateOneID(w.id).SetState(codex.JobBlocked).SetStatus(codex.JobBlocked.Status()).
			SetSuccess(false).SetBlockedReason(reason).SetError(reason).SetHeartbeatAt(tx.Now()).Exec(ctx)
		if err != nil || row.State == codex.JobBlocked {
			return err
		}
		return w.o.Outbox.Enqueue(ctx, tx, notify.Event{
			Kind: notify.JobBlocked, Subject: notify.JobSubject(w.id),
			Text:  fmt.Sprintf("The bills of %s: %s", periodOf(row), reason),
			Facts: map[string]any{"job_id": w.id, "job_type": row.JobType, "year": row.TargetYear, "month": row.TargetMonth, "reason": reason},
		})
	})
	if err != nil {
		return err
	}
	w.logger.WarnContext(ctx, "snapshot job is blocked", slog.String("reason", reason))
	return errBlocked
}

// finish writes how the job ended: err is why, where it did not come to its end.
func (w *working) finish(ctx context.Context, err error) error {
	e := ending{state: codex.JobCompleted}
	switch {
	case errors.Is(err, errBlocked), errors.Is(err, errOver):
		return nil
	case errors.Is(err, errCancelled):
		e = ending{state: codex.JobCancelled}
	case err != nil:
		w.logger.ErrorContext(ctx, "snapshot job failed", slog.Any("err", err))
		e = ending{state: codex.JobFailed, err: "It failed: " + reasonOf(err) + "."}
	}
	err = w.change(ctx, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		if e.state == codex.JobCancelled {
			companies, err := readCompanies(ctx, tx.Ent(), w.id)
			if err != nil {
				return err
			}
			e.err = cancelReason(valueOf(row.CancelRequestedBy))
			if len(companies) > 0 && tallyOf(companies).waiting == 0 { // too late: everything was asked for
				e = ending{state: codex.JobCompleted}
			}
		}
		return w.end(ctx, tx, row, e)
	})
	if err != nil {
		return err
	}
	w.forgetToken(w.id)
	w.logger.InfoContext(ctx, "snapshot job ended", slog.String("state", string(e.state)))
	if w.o.Publish != nil {
		if err := w.o.Publish(ctx); err != nil {
			w.logger.WarnContext(ctx, "the log checkpoint could not be published after a snapshot job", slog.Any("err", err))
		}
	}
	return nil
}

// reasonOf is why something failed, for people: the cause behind a message is for the log.
func reasonOf(err error) string {
	var coded *codex.Error
	if errors.As(err, &coded) {
		return coded.Message
	}
	return "an error of the hub's own, which its log tells"
}
