package resolvers

import (
	"context"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/scheduler/jobs"
)

// Jobs ask Ledger for bills. The token of the person who asks goes along where Ledger takes one.
type Jobs interface {
	Start(ctx context.Context, r jobs.Request) (*ent.SnapshotJob, error)
	Preview(ctx context.Context, r jobs.Request) (*jobs.Preview, error)
	Retry(ctx context.Context, id codex.RunID, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error)
	Force(ctx context.Context, id codex.RunID, reason string, by codex.Caller) (*ent.SnapshotJob, error)
	Cancel(ctx context.Context, id codex.RunID, by codex.Caller) (*ent.SnapshotJob, error)
	RequestBill(ctx context.Context, account codex.AccountNumber, period codex.Period, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error)
	// Watch gives the row of a job as it stands and whenever it changes, until it has ended or ctx ends.
	Watch(ctx context.Context, id codex.RunID) (<-chan *ent.SnapshotJob, error)
}

type (
	snapshotJobResolver            struct{ *resolver }
	snapshotJobCompanyResolver     struct{ *resolver }
	snapshotJobConnectionResolver  struct{ *resolver }
	staleFeedResolver              struct{ *resolver }
	snapshotPreviewResolver        struct{ *resolver }
	snapshotPreviewCompanyResolver struct{ *resolver }
)

func (r queryResolver) SnapshotJob(ctx context.Context, id string) (*ent.SnapshotJob, error) {
	found, err := r.reader.Job(ctx, codex.RunID(id))
	return one(ctx, found, err)
}

func (r queryResolver) SnapshotJobs(ctx context.Context, year, month *int, state *codex.JobState, first *int, after *string) (*model.SnapshotJobConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	wanted := query.JobFilter{Year: value(year), Month: value(month), State: value(state)}
	page, err := r.reader.Jobs(ctx, asked, wanted)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.SnapshotJobEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.SnapshotJobEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.SnapshotJobConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Filter: wanted},
		loaders.Announce(ctx, page.Rows...)
}

func (r snapshotJobConnectionResolver) TotalCount(ctx context.Context, c *model.SnapshotJobConnection) (int, error) {
	return r.reader.CountJobs(ctx, c.Filter)
}

func (r snapshotJobResolver) BillingMonth(_ context.Context, job *ent.SnapshotJob) (string, error) {
	return codex.Period{Year: job.TargetYear, Month: time.Month(job.TargetMonth)}.String(), nil
}

func (r snapshotJobResolver) AccountNumbers(_ context.Context, job *ent.SnapshotJob) ([]string, error) {
	return accountNumbers(job.TargetAccountNumbers)
}

// accountNumbers are those of a column that holds a JSON array, nil where it is null.
func accountNumbers(column *string) (numbers []string, err error) {
	list, err := codex.ParseAccountNumbers(column)
	for _, number := range list {
		numbers = append(numbers, string(number))
	}
	return numbers, err
}

func (r snapshotJobResolver) Notes(_ context.Context, job *ent.SnapshotJob) ([]string, error) {
	notes := []string{}
	for line := range strings.Lines(job.Notes) {
		notes = append(notes, strings.TrimSuffix(line, "\n"))
	}
	return notes, nil
}

func (r snapshotJobResolver) Companies(ctx context.Context, job *ent.SnapshotJob, states []codex.JobCompanyState) ([]*ent.SnapshotJobCompany, error) {
	return loaders.CompaniesOfJob(ctx, job, states)
}

func (r snapshotJobCompanyResolver) Company(ctx context.Context, c *ent.SnapshotJobCompany) (*ent.Company, error) {
	return loaders.CompanyOfJobCompany(ctx, c)
}

func (r snapshotJobCompanyResolver) Snapshot(ctx context.Context, c *ent.SnapshotJobCompany) (*ent.Snapshot, error) {
	return loaders.SnapshotOfJobCompany(ctx, c)
}

func (r mutationResolver) RunSnapshotJob(ctx context.Context, year, month int, numbers []string, dryRun bool, force *string) (*model.RunSnapshotJobPayload, error) {
	period, err := periodOf(year, month)
	if err != nil {
		return nil, err
	}
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	request := jobs.Request{
		Period: period, Type: codex.JobBulk, Trigger: caller.Trigger, By: caller,
		UserToken: codex.PersonTokenFrom(ctx), Force: value(force),
	}
	if numbers != nil {
		request.Accounts = accountsOf(numbers)
	}
	if dryRun {
		preview, err := r.jobs.Preview(ctx, request)
		if err != nil {
			return nil, err
		}
		companies := make([]*jobs.PreviewCompany, len(preview.Companies))
		for i := range preview.Companies {
			companies[i] = &preview.Companies[i]
		}
		return &model.RunSnapshotJobPayload{Preview: preview}, loaders.Announce(ctx, companies...)
	}
	job, err := r.jobs.Start(ctx, request)
	if err != nil {
		return nil, err
	}
	return &model.RunSnapshotJobPayload{Job: job}, nil
}

// accountsOf are ids as account numbers.
func accountsOf(ids []string) []codex.AccountNumber {
	accounts := make([]codex.AccountNumber, len(ids))
	for i, id := range ids {
		accounts[i] = codex.AccountNumber(id)
	}
	return accounts
}

func (r snapshotPreviewResolver) Month(_ context.Context, p *jobs.Preview) (string, error) {
	return p.Period.String(), nil
}

func (r staleFeedResolver) Newest(_ context.Context, s *jobs.StaleFeed) (*codex.RunState, error) {
	return filled(s.Newest), nil
}

func (r staleFeedResolver) Reason(_ context.Context, s *jobs.StaleFeed) (*string, error) {
	return filled(s.Reason), nil
}

func (r snapshotPreviewCompanyResolver) Name(_ context.Context, c *jobs.PreviewCompany) (*string, error) {
	return filled(c.Name), nil
}

func (r snapshotPreviewCompanyResolver) Reason(_ context.Context, c *jobs.PreviewCompany) (*string, error) {
	return filled(c.Reason), nil
}

func (r snapshotPreviewCompanyResolver) InvoiceNumber(_ context.Context, c *jobs.PreviewCompany) (*string, error) {
	return filled(c.Invoice), nil
}

func (r snapshotPreviewCompanyResolver) Snapshot(ctx context.Context, c *jobs.PreviewCompany) (*ent.Snapshot, error) {
	return loaders.CurrentBill(ctx, c, func(c *jobs.PreviewCompany) string { return c.Invoice })
}

func (r mutationResolver) ForceSnapshotJob(ctx context.Context, id, reason string) (*model.ForceSnapshotJobPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	job, err := r.jobs.Force(ctx, codex.RunID(id), reason, caller)
	if err != nil {
		return nil, err
	}
	return &model.ForceSnapshotJobPayload{Job: job}, nil
}

func (r mutationResolver) RetrySnapshotJob(ctx context.Context, id string) (*model.RetrySnapshotJobPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	job, err := r.jobs.Retry(ctx, codex.RunID(id), caller, codex.PersonTokenFrom(ctx))
	if err != nil {
		return nil, err
	}
	return &model.RetrySnapshotJobPayload{Job: job}, nil
}

func (r mutationResolver) CancelSnapshotJob(ctx context.Context, id string) (*model.CancelSnapshotJobPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	job, err := r.jobs.Cancel(ctx, codex.RunID(id), caller)
	if err != nil {
		return nil, err
	}
	return &model.CancelSnapshotJobPayload{Job: job}, nil
}

func (r mutationResolver) RequestBill(ctx context.Context, accountNumber string, year, month int) (*model.RequestBillPayload, error) {
	period, err := periodOf(year, month)
	if err != nil {
		return nil, err
	}
	caller, _ := codex.CallerFrom(ctx)
	job, err := r.jobs.RequestBill(ctx, codex.AccountNumber(accountNumber), period, caller, codex.PersonTokenFrom(ctx))
	if err != nil {
		return nil, err
	}
	return &model.RequestBillPayload{Job: job}, nil
}

func (r subscriptionResolver) SnapshotJobProgress(ctx context.Context, id string) (<-chan *ent.SnapshotJob, error) {
	return r.jobs.Watch(ctx, codex.RunID(id))
}
