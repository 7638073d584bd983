package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/ent/snapshotjobcompany"
	"github.com/hivematrix/codex/store"
)

// Cancel stops a job, whichever process works on it: one that waits or is blocked at once, one at work
// between two companies; what is being asked for then is noted. The row is given as it is then. There
// being no such job is [codex.CodeNotFound], one that has ended [codex.CodeConflict].
func (j *Jobs) Cancel(ctx context.Context, id codex.RunID, by codex.Caller) (*ent.SnapshotJob, error) {
	row, err := j.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		update := tx.Ent().SnapshotJob.UpdateOneID(id).SetCancelRequestedBy(by.Name)
		switch row.State {
		case codex.JobQueued, codex.JobBlocked: // nobody works on it, or who is about to sees it first
			if err := update.Exec(ctx); err != nil {
				return err
			}
			row.CancelRequestedBy = &by.Name
			return j.end(ctx, tx, row, ending{state: codex.JobCancelled, err: cancelReason(by.Name)})
		case codex.JobSyncing, codex.JobRunning:
			return update.Exec(ctx)
		default:
			return codex.Errorf(codex.CodeConflict, "the job has ended already: it is %s", row.State)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cancelling the snapshot job %s: %w", id, err)
	}
	j.wake()
	return row, nil
}

func cancelReason(by string) string { return "Cancelled by " + by + "." }

// Force has a scheduled job go on although feeds are stale: one that is blocked at once, one that is
// before that when it comes to it. reason is kept. A job that does not wait for that is
// [codex.CodeConflict].
func (j *Jobs) Force(ctx context.Context, id codex.RunID, reason string, by codex.Caller) (*ent.SnapshotJob, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	row, err := j.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		switch {
		case row.JobType != codex.JobScheduled || row.Round > 1:
			return codex.Errorf(codex.CodeConflict, "what a person starts waits for no feed")
		case row.State != codex.JobQueued && row.State != codex.JobSyncing && row.State != codex.JobBlocked:
			return codex.Errorf(codex.CodeConflict, "the job waits for nothing: it is %s", row.State)
		case row.ForceReason != nil:
			return codex.Errorf(codex.CodeConflict, "%s forced it already", valueOf(row.ForcedBy))
		}
		return tx.Ent().SnapshotJob.UpdateOneID(id).SetForceReason(strings.TrimSpace(reason)).SetForcedBy(by.Name).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("forcing the snapshot job %s: %w", id, err)
	}
	j.wake()
	return row, nil
}

// Retry takes up those companies of a job that has ended that have no bill: what failed, what was held,
// and what was never come to. It is a new round of the same job: what has its bill is not asked for
// again. As all that a person starts it syncs nothing. A job that has not ended, or in which nothing is
// left to do, is [codex.CodeConflict].
func (j *Jobs) Retry(ctx context.Context, id codex.RunID, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error) {
	if err := j.CanAsk(); err != nil {
		return nil, err
	}
	if userToken != "" {
		j.keepToken(id, userToken)
	}
	row, err := j.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error {
		if !row.State.Final() {
			return codex.Errorf(codex.CodeConflict, "the job has not ended: it is %s", row.State)
		}
		left, err := tx.Ent().SnapshotJobCompany.Update().
			Where(snapshotjobcompany.JobID(id), snapshotjobcompany.StateIn(codex.CompanyFailed, codex.CompanyHeld)).
			SetState(codex.CompanyWaiting).ClearReason().ClearEndedAt().Save(ctx)
		if err != nil {
			return err
		}
		waiting, err := tx.Ent().SnapshotJobCompany.Query().
			Where(snapshotjobcompany.JobID(id), snapshotjobcompany.StateEQ(codex.CompanyWaiting)).Exist(ctx)
		if err != nil {
			return err
		}
		planned := row.TotalCompanies > 0 || row.State == codex.JobCompleted
		if left == 0 && !waiting && planned {
			return codex.Errorf(codex.CodeConflict, "nothing is left to do: every company of the job has its bill")
		}
		update := tx.Ent().SnapshotJob.UpdateOneID(id).
			SetState(codex.JobQueued).SetStatus(codex.JobQueued.Status()).AddRound(1).
			SetFailedCompanies(0).SetHeldCompanies(0).
			ClearSuccess().ClearCompletedAt().ClearOutput().ClearError().ClearCancelRequestedBy().
			SetByPerson(userToken != "").SetHeartbeatAt(tx.Now()).
			SetNotes(addNote(row.Notes, fmt.Sprintf("Retried by %s at %s.", by.Name, shownTime(tx.Now()))))
		if userToken != "" {
			update.SetWorker(j.process)
		} else {
			update.ClearWorker()
		}
		return update.Exec(ctx)
	})
	if err != nil {
		if row == nil {
			j.forgetTokenUnlessUsed(ctx, id)
		}
		return nil, fmt.Errorf("retrying the snapshot job %s: %w", id, err)
	}
	j.wake()
	return row, nil
}

// forgetTokenUnlessUsed forgets the token of a retry that was refused, but not that of a job at work.
func (j *Jobs) forgetTokenUnlessUsed(ctx context.Context, id codex.RunID) {
	row, err := j.Job(ctx, id)
	if err != nil || row.State.Final() {
		j.forgetToken(id)
	}
}

// change changes the row of a job in a transaction that is the only one at work on jobs, and gives it as
// it is then.
func (j *Jobs) change(ctx context.Context, id codex.RunID, fn func(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob) error) (*ent.SnapshotJob, error) {
	var changed *ent.SnapshotJob
	err := j.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, jobsEntity); err != nil {
			return err
		}
		row, err := readJob(ctx, tx.Ent(), id)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, row); err != nil {
			return err
		}
		changed, err = readJob(ctx, tx.Ent(), id)
		return err
	})
	if err != nil {
		return nil, err
	}
	j.o.Logger.InfoContext(ctx, "snapshot job changed", slog.String("run_id", string(id)), slog.String("state", string(changed.State)))
	return changed, nil
}

// unfinished are the jobs that have not ended.
func unfinished(client *ent.Client) *ent.SnapshotJobQuery {
	return client.SnapshotJob.Query().
		Where(snapshotjob.StateIn(codex.JobQueued, codex.JobSyncing, codex.JobBlocked, codex.JobRunning)).
		Order(snapshotjob.ByStartedAt(), snapshotjob.ByID())
}

func addNote(notes, note string) string {
	if notes == "" {
		return note
	}
	return notes + "\n" + note
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func shownTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }
