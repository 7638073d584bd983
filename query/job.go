package query

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/ent/snapshotjobcompany"
)

// JobFilter says which snapshot jobs are wanted; its zero value: all.
type JobFilter struct {
	Year  int            // of the month that the bills are for; 0: any
	Month int            // of that year; 0: any
	State codex.JobState // empty: any
}

func (f JobFilter) predicates() []predicate.SnapshotJob {
	var all []predicate.SnapshotJob
	if f.Year != 0 {
		all = append(all, snapshotjob.TargetYear(f.Year))
	}
	if f.Month != 0 {
		all = append(all, snapshotjob.TargetMonth(f.Month))
	}
	if f.State != "" {
		all = append(all, snapshotjob.StateEQ(f.State))
	}
	return all
}

// Job is the snapshot job with that id; a [codex.CodeNotFound] error where there is none.
func (r *Reader) Job(ctx context.Context, id codex.RunID) (*ent.SnapshotJob, error) {
	found, err := r.client.SnapshotJob.Query().Where(snapshotjob.ID(id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("snapshot job", id)
	case err != nil:
		return nil, fmt.Errorf("reading the snapshot job %s: %w", id, err)
	}
	return found, nil
}

// Jobs is a page of the snapshot jobs that filter wants, newest first.
func (r *Reader) Jobs(ctx context.Context, p Page, filter JobFilter) (*PageOf[*ent.SnapshotJob], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	jobs := r.client.SnapshotJob.Query().Where(filter.predicates()...)
	if p.After != "" {
		keys, err := decodeCursor(p.After, byNewestJob, 2)
		if err != nil {
			return nil, err
		}
		started, err := timeKey(keys[0])
		if err != nil {
			return nil, err
		}
		jobs.Where(snapshotjob.Or(
			snapshotjob.StartedAtLT(started),
			snapshotjob.And(snapshotjob.StartedAt(started), bytesCompare(snapshotjob.FieldID, " < ", keys[1])),
		))
	}
	rows, err := jobs.Order(snapshotjob.ByStartedAt(sql.OrderDesc()), byBytes(snapshotjob.FieldID, " DESC")).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading snapshot jobs: %w", err)
	}
	return cut(p, rows, func(row *ent.SnapshotJob) string {
		return encodeCursor(byNewestJob, row.StartedAt.UTC().Format(time.RFC3339Nano), string(row.ID))
	}), nil
}

// CountJobs is how many snapshot jobs filter wants.
func (r *Reader) CountJobs(ctx context.Context, filter JobFilter) (int, error) {
	n, err := r.client.SnapshotJob.Query().Where(filter.predicates()...).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting snapshot jobs: %w", err)
	}
	return n, nil
}

// JobCompanies are the companies of each job, in the order in which they are asked for; those in one of
// states alone, unless it is nil.
func (r *Reader) JobCompanies(ctx context.Context, jobs []codex.RunID, states []codex.JobCompanyState) (map[codex.RunID][]*ent.SnapshotJobCompany, error) {
	companies := r.client.SnapshotJobCompany.Query().
		Where(keyIn[predicate.SnapshotJobCompany](snapshotjobcompany.FieldJobID, jobs)).
		Order(snapshotjobcompany.ByPosition())
	if states != nil {
		companies.Where(snapshotjobcompany.StateIn(states...))
	}
	rows, err := companies.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the companies of snapshot jobs: %w", err)
	}
	return groupBy(rows, func(c *ent.SnapshotJobCompany) codex.RunID { return c.JobID }), nil
}

// CurrentByInvoice are the bills with those invoice numbers, each in the revision that services are served.
// One that is not archived, or is reopened, is absent.
func (r *Reader) CurrentByInvoice(ctx context.Context, invoices []string, columns ...string) (map[string]*ent.Snapshot, error) {
	q := r.client.Snapshot.Query().Where(keyIn[predicate.Snapshot](snapshot.FieldInvoiceNumber, invoices), CurrentSnapshots)
	if columns := withBill(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading bills: %w", err)
	}
	found := make(map[string]*ent.Snapshot, len(rows))
	for _, row := range rows {
		found[row.InvoiceNumber] = row
	}
	return found, nil
}
