package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/store"
)

const (
	// leaseName is the lease of the one process that works on a job.
	leaseName = "snapshots"
	// leaseTTL is how long jobs stand still after the process at work has died.
	leaseTTL = 8 * time.Second
	// patience is how many looks in a row the sign of life of a job may be the same, before its process is
	// taken for dead. Counting looks needs no clock, and those of processes may differ.
	patience = 20
	// beating is how many looks there are between two signs of life.
	beating = 5
)

// Serve works on jobs until ctx ends, those whose process died too. Of the processes of an installation
// one is at work at a time.
func (j *Jobs) Serve(ctx context.Context) {
	ticker := time.NewTicker(j.o.Poll)
	defer ticker.Stop()
	seen := make(sightings)
	failing := false
	for look := 0; ; look++ {
		worked, err := j.look(ctx, seen, look%beating == 0)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, store.ErrLeaseLost), errors.Is(err, store.ErrLeaseHeld): // another goes on
			j.o.Logger.WarnContext(ctx, "a snapshot job is left to another process", slog.Any("err", err))
		case err == nil:
			failing = false
		case !failing: // once for as long as it lasts
			failing = true
			j.o.Logger.ErrorContext(ctx, "snapshot jobs cannot be worked on", slog.Any("err", err))
		}
		if worked && err == nil {
			continue // there may be another
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-j.wakes:
		}
	}
}

// look works on the oldest job that there is to work on, and tells whether there was one.
func (j *Jobs) look(ctx context.Context, seen sightings, beat bool) (worked bool, err error) {
	rows, err := unfinished(j.o.DB.Ent()).All(ctx)
	if err != nil {
		return false, err
	}
	seen.forgetOthers(rows)
	if beat {
		if err := j.beat(ctx, rows); err != nil {
			return false, err
		}
	}
	for _, row := range rows {
		mine, err := j.mayWork(ctx, seen, row)
		if err != nil {
			return false, err
		}
		if !mine {
			continue
		}
		// Without writing: others are at work most of the time.
		if held, err := j.o.DB.LeaseHeld(ctx, leaseName); err != nil || held {
			return false, err
		}
		return true, j.workOn(ctx, row.ID)
	}
	return false, nil
}

// mayWork tells whether this process may work on a job now.
func (j *Jobs) mayWork(ctx context.Context, seen sightings, row *ent.SnapshotJob) (bool, error) {
	_, hasToken := j.token(row.ID)
	if row.ByPerson && !hasToken && valueOf(row.Worker) != j.process && !seen.dead(row) {
		return false, nil // whoever has the person's token works on it
	}
	if row.State != codex.JobBlocked || row.ForceReason != nil || row.CancelRequestedBy != nil {
		return true, nil
	}
	stale, err := staleFeeds(ctx, j.o.DB.Ent(), j.o.Syncs.Feeds(), periodOf(row), row.StartedAt)
	return len(stale) == 0, err
}

// beat gives signs of life of the jobs of persons that wait for this process. It is no step of a job, and
// touches none that another process has taken.
func (j *Jobs) beat(ctx context.Context, rows []*ent.SnapshotJob) error {
	for _, row := range rows {
		if _, hasToken := j.token(row.ID); !hasToken || row.State != codex.JobQueued || valueOf(row.Worker) != j.process {
			continue
		}
		err := j.o.DB.Ent().SnapshotJob.Update().
			Where(snapshotjob.ID(row.ID), snapshotjob.Worker(j.process), snapshotjob.StateEQ(codex.JobQueued)).
			SetHeartbeatAt(j.o.DB.Now()).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// sightings are the signs of life of jobs that others work on, and how often each was seen.
type sightings map[codex.RunID]*sighting

type sighting struct {
	beat  time.Time
	looks int
}

// dead tells whether a job has given no sign of life for long.
func (s sightings) dead(row *ent.SnapshotJob) bool {
	var beat time.Time
	if row.HeartbeatAt != nil {
		beat = row.HeartbeatAt.UTC()
	}
	before := s[row.ID]
	if before == nil || !before.beat.Equal(beat) {
		s[row.ID] = &sighting{beat: beat}
		return false
	}
	before.looks++
	return before.looks >= patience
}

func (s sightings) forgetOthers(rows []*ent.SnapshotJob) {
	there := make(map[codex.RunID]bool, len(rows))
	for _, row := range rows {
		there[row.ID] = true
	}
	for id := range s {
		if !there[id] {
			delete(s, id)
		}
	}
}

// workOn works on a job under the lease, until it ends, is blocked, or ctx ends.
func (j *Jobs) workOn(ctx context.Context, id codex.RunID) error {
	return j.o.DB.Hold(ctx, leaseName, j.process, leaseTTL, func(ctx context.Context, lease *store.Lease) error {
		w := &working{Jobs: j, lease: lease, id: id, logger: j.o.Logger.With(slog.String("run_id", string(id)))}
		return w.work(ctx)
	})
}
