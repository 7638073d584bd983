package resolvers

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

type (
	changeResolver           struct{ *resolver }
	changeConnectionResolver struct{ *resolver }
	fieldChangeResolver      struct{ *resolver }
	recordVersionResolver    struct{ *resolver }
)

func (r queryResolver) Changes(ctx context.Context, company *string, entity *query.Entity, field, run *string, from, to *time.Time, first *int, after *string) (*model.ChangeConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	filter := query.ChangeFilter{
		Company: codex.AccountNumber(value(company)), Entity: value(entity), Run: codex.RunID(value(run)),
		From: value(from), To: value(to),
	}
	if field != nil {
		filter.Column = loaders.ColumnOf(*field)
	}
	page, err := r.reader.Changes(ctx, asked, filter)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.ChangeEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.ChangeEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.ChangeConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Filter: filter},
		loaders.Announce(ctx, page.Rows...)
}

func (r changeConnectionResolver) TotalCount(ctx context.Context, c *model.ChangeConnection) (int, error) {
	return r.reader.CountChanges(ctx, c.Filter)
}

func (r changeResolver) Run(ctx context.Context, c *query.Change) (*ent.SyncRun, error) {
	return loaders.RunOfChange(ctx, c)
}

func (r fieldChangeResolver) Field(_ context.Context, c *query.FieldChange) (string, error) {
	return loaders.FieldOf(c.Column), nil
}

func (r recordVersionResolver) Run(ctx context.Context, v *query.Version) (*ent.SyncRun, error) {
	return loaders.RunOfVersion(ctx, v)
}

func (r companyResolver) History(ctx context.Context, c *ent.Company) ([]*query.Version, error) {
	return loaders.HistoryOfCompany(ctx, c)
}

func (r contactResolver) History(ctx context.Context, c *ent.Contact) ([]*query.Version, error) {
	return loaders.HistoryOfContact(ctx, c)
}

func (r assetResolver) History(ctx context.Context, a *ent.Asset) ([]*query.Version, error) {
	return loaders.HistoryOfAsset(ctx, a)
}

func (r assetResolver) BackupHistory(ctx context.Context, a *ent.Asset, from, to *codex.Day) ([]*query.BackupReading, error) {
	return loaders.BackupHistoryOfAsset(ctx, a, query.DayFilter{From: from, To: to})
}

func (r locationResolver) History(ctx context.Context, l *ent.Location) ([]*query.Version, error) {
	return loaders.HistoryOfLocation(ctx, l)
}

func (r ticketResolver) History(ctx context.Context, t *ent.Ticket) ([]*query.Version, error) {
	return loaders.HistoryOfTicket(ctx, t)
}
