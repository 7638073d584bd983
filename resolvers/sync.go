package resolvers

import (
	"cmp"
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/syncers"
)

func (r queryResolver) SyncRun(ctx context.Context, id string) (*ent.SyncRun, error) {
	found, err := r.reader.Run(ctx, codex.RunID(id), loaders.Columns(ctx, "SyncRun")...)
	return one(ctx, found, err)
}

func (r queryResolver) SyncRuns(ctx context.Context, filter map[string]any, orderBy []*query.Order, feed *codex.Feed, state *codex.RunState, first *int, after *string) (*model.SyncRunConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	wanted := query.RunFilter{Feed: value(feed), State: value(state), List: query.List{Filter: filter, OrderBy: orderBy}}
	page, err := r.reader.Runs(ctx, asked, wanted, loaders.PageColumns(ctx, "SyncRun")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.SyncRunEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.SyncRunEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.SyncRunConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Filter: wanted}, nil
}

func (r syncRunConnectionResolver) TotalCount(ctx context.Context, c *model.SyncRunConnection) (int, error) {
	return r.reader.CountRuns(ctx, c.Filter)
}

func (r syncRunResolver) Counts(_ context.Context, run *ent.SyncRun) ([]*syncers.EntityCounts, error) {
	counts, err := syncers.ParseCounts(run.Counts)
	if err != nil {
		return nil, err
	}
	shown := make([]*syncers.EntityCounts, len(counts))
	for i := range counts {
		shown[i] = &counts[i]
	}
	return shown, nil
}

func (r syncRunResolver) ApprovalRun(ctx context.Context, run *ent.SyncRun) (*ent.SyncRun, error) {
	return loaders.ApprovalRunOf(ctx, run)
}

func (r syncRunResolver) Changes(ctx context.Context, run *ent.SyncRun, first *int, after *string) (*model.RunChangeConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	page, err := loaders.ChangesOfRun(ctx, run, asked)
	if err != nil {
		return nil, err
	}
	if page == nil { // the run is no more
		page = &query.PageOf[*query.RunChange]{}
	}
	edges := make([]*model.RunChangeEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.RunChangeEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.RunChangeConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Run: run}, nil
}

func (r runChangeConnectionResolver) TotalCount(ctx context.Context, c *model.RunChangeConnection) (int, error) {
	return loaders.CountChangesOfRun(ctx, c.Run)
}

func (r syncRunResolver) Held(ctx context.Context, run *ent.SyncRun) ([]*query.RunChange, error) {
	return loaders.HeldByRun(ctx, run)
}

func (r queryResolver) SyncIssues(ctx context.Context, filter map[string]any, orderBy []*query.Order, feed *codex.Feed, kind *string, open *bool, first *int, after *string) (*model.SyncIssueConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	wanted := query.IssueFilter{
		Feed: value(feed), Kind: value(kind), Open: open, List: query.List{Filter: filter, OrderBy: orderBy},
	}
	page, err := r.reader.Issues(ctx, asked, wanted)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.SyncIssueEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.SyncIssueEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.SyncIssueConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Filter: wanted}, nil
}

func (r syncIssueConnectionResolver) TotalCount(ctx context.Context, c *model.SyncIssueConnection) (int, error) {
	return r.reader.CountIssues(ctx, c.Filter)
}

func (r mutationResolver) SyncFreshservice(ctx context.Context, dryRun, force bool) (*model.SyncFreshservicePayload, error) {
	run, joined, err := r.start(ctx, syncers.Request{Feed: codex.FeedFreshservice, DryRun: dryRun, Force: force})
	if err != nil {
		return nil, err
	}
	return &model.SyncFreshservicePayload{Run: run, Joined: joined}, nil
}

func (r mutationResolver) SyncDatto(ctx context.Context, dryRun, force bool) (*model.SyncDattoPayload, error) {
	run, joined, err := r.start(ctx, syncers.Request{Feed: codex.FeedDatto, DryRun: dryRun, Force: force})
	if err != nil {
		return nil, err
	}
	return &model.SyncDattoPayload{Run: run, Joined: joined}, nil
}

func (r mutationResolver) SyncTickets(ctx context.Context, full, dryRun, force bool) (*model.SyncTicketsPayload, error) {
	mode := codex.ModeIncremental
	if full {
		mode = codex.ModeFull
	}
	run, joined, err := r.start(ctx, syncers.Request{Feed: codex.FeedTickets, Mode: mode, DryRun: dryRun, Force: force})
	if err != nil {
		return nil, err
	}
	return &model.SyncTicketsPayload{Run: run, Joined: joined}, nil
}

// start starts a run in the caller's name, or joins one.
func (r mutationResolver) start(ctx context.Context, request syncers.Request) (run *ent.SyncRun, joined bool, err error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	request.Trigger, request.By = cmp.Or(caller.Trigger, codex.TriggerAPI), caller.Name
	return r.sync.Start(ctx, request)
}

func (r mutationResolver) ApproveRemovals(ctx context.Context, run, reason string) (*model.ApproveRemovalsPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	approved, err := r.runs.Approve(ctx, codex.RunID(run), caller.Name, reason)
	if err != nil {
		return nil, err
	}
	return &model.ApproveRemovalsPayload{Run: approved}, nil
}

func (r mutationResolver) CancelSync(ctx context.Context, run string) (*model.CancelSyncPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	cancelled, err := r.runs.Cancel(ctx, codex.RunID(run), caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.CancelSyncPayload{Run: cancelled}, nil
}

func (r subscriptionResolver) SyncProgress(ctx context.Context, feed *codex.Feed) (<-chan *ent.SyncRun, error) {
	return r.progress.Watch(ctx, value(feed)), nil
}
