package jobs

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/ent/snapshotjobcompany"
	"github.com/hivematrix/codex/store"
)

func noJob(id codex.RunID) error {
	return codex.Errorf(codex.CodeNotFound, "there is no snapshot job %s", id)
}

// Job is the row of a job; a [codex.CodeNotFound] error where there is none.
func (j *Jobs) Job(ctx context.Context, id codex.RunID) (*ent.SnapshotJob, error) {
	return readJob(ctx, j.o.DB.Ent(), id)
}

func readJob(ctx context.Context, client *ent.Client, id codex.RunID) (*ent.SnapshotJob, error) {
	row, err := client.SnapshotJob.Get(ctx, id)
	switch {
	case ent.IsNotFound(err):
		return nil, noJob(id)
	case err != nil:
		return nil, fmt.Errorf("reading the snapshot job %s: %w", id, err)
	}
	return row, nil
}

// List is a page of the jobs, newest first, and how many there are in all.
func (j *Jobs) List(ctx context.Context, limit, offset int) (rows []*ent.SnapshotJob, total int, err error) {
	err = j.o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		if total, err = tx.Ent().SnapshotJob.Query().Count(ctx); err != nil || limit == 0 { // which is no limit to ent
			return err
		}
		rows, err = tx.Ent().SnapshotJob.Query().
			Order(snapshotjob.ByStartedAt(sql.OrderDesc()), snapshotjob.ByID(sql.OrderDesc())).
			Limit(limit).Offset(offset).All(ctx)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("reading snapshot jobs: %w", err)
	}
	return rows, total, nil
}

// Companies are the companies of a job in the order in which they are asked for. There are none until the
// job has found out which they are.
func (j *Jobs) Companies(ctx context.Context, id codex.RunID) ([]*ent.SnapshotJobCompany, error) {
	return readCompanies(ctx, j.o.DB.Ent(), id)
}

func readCompanies(ctx context.Context, client *ent.Client, id codex.RunID) ([]*ent.SnapshotJobCompany, error) {
	rows, err := client.SnapshotJobCompany.Query().Where(snapshotjobcompany.JobID(id)).
		Order(snapshotjobcompany.ByPosition()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the companies of the snapshot job %s: %w", id, err)
	}
	return rows, nil
}

// Watch gives the row of a job as it stands and then whenever it changes, whichever process works on it;
// the row is read once a second meanwhile. The channel is closed behind the row of a job that has ended,
// and when ctx ends. A job that there is not is a [codex.CodeNotFound] error.
func (j *Jobs) Watch(ctx context.Context, id codex.RunID) (<-chan *ent.SnapshotJob, error) {
	row, err := j.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	rows := make(chan *ent.SnapshotJob)
	go func() {
		defer close(rows)
		j.hand(ctx, row, rows)
	}()
	return rows, nil
}

func (j *Jobs) hand(ctx context.Context, row *ent.SnapshotJob, rows chan<- *ent.SnapshotJob) {
	ticker := time.NewTicker(j.o.Poll)
	defer ticker.Stop()
	for told := ""; ; {
		if text := row.String(); text != told {
			select {
			case rows <- row:
				told = text
			case <-ctx.Done():
				return
			}
		}
		if row.State.Final() {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		// One that cannot be read now is read the next time.
		if now, err := j.Job(ctx, row.ID); err == nil {
			row = now
		}
	}
}
