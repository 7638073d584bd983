package resolvers

import (
	"context"

	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

type (
	pastAssetConnectionResolver    struct{ *resolver }
	pastContactConnectionResolver  struct{ *resolver }
	pastLocationConnectionResolver struct{ *resolver }
	pastTicketConnectionResolver   struct{ *resolver }
)

func (r pastResolver) Assets(ctx context.Context, p *query.Past, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.PastAssetConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := p.Assets(ctx, asked, list, loaders.PageColumns(ctx, "PastAsset")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.PastAssetEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.PastAssetEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.PastAssetConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Past: p, List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r pastAssetConnectionResolver) TotalCount(ctx context.Context, c *model.PastAssetConnection) (int, error) {
	return c.Past.CountAssets(ctx, c.List.Filter)
}

func (r pastResolver) Contacts(ctx context.Context, p *query.Past, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.PastContactConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := p.Contacts(ctx, asked, list, loaders.PageColumns(ctx, "PastContact")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.PastContactEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.PastContactEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.PastContactConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Past: p, List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r pastContactConnectionResolver) TotalCount(ctx context.Context, c *model.PastContactConnection) (int, error) {
	return c.Past.CountContacts(ctx, c.List.Filter)
}

func (r pastResolver) Locations(ctx context.Context, p *query.Past, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.PastLocationConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := p.Locations(ctx, asked, list, loaders.PageColumns(ctx, "PastLocation")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.PastLocationEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.PastLocationEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.PastLocationConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Past: p, List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r pastLocationConnectionResolver) TotalCount(ctx context.Context, c *model.PastLocationConnection) (int, error) {
	return c.Past.CountLocations(ctx, c.List.Filter)
}

func (r pastResolver) Tickets(ctx context.Context, p *query.Past, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.PastTicketConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := p.Tickets(ctx, asked, list, loaders.PageColumns(ctx, "PastTicket")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.PastTicketEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.PastTicketEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.PastTicketConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Past: p, List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r pastTicketConnectionResolver) TotalCount(ctx context.Context, c *model.PastTicketConnection) (int, error) {
	return c.Past.CountTickets(ctx, c.List.Filter)
}
