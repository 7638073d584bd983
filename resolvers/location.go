package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

func (r locationResolver) Company(ctx context.Context, l *ent.Location) (*ent.Company, error) {
	return loaders.CompanyOfLocation(ctx, l)
}

func (r dattoSiteLinkResolver) Company(ctx context.Context, s *ent.DattoSiteLink) (*ent.Company, error) {
	return loaders.CompanyOfSiteLink(ctx, s)
}

func (r queryResolver) Location(ctx context.Context, id string) (*ent.Location, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := r.reader.Location(ctx, key, loaders.Columns(ctx, "Location")...)
	return one(ctx, found, err)
}

func (r queryResolver) Locations(ctx context.Context, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.LocationConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Locations(ctx, asked, list, loaders.PageColumns(ctx, "Location")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.LocationEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.LocationEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.LocationConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r locationConnectionResolver) TotalCount(ctx context.Context, c *model.LocationConnection) (int, error) {
	return r.reader.CountLocations(ctx, c.List.Filter)
}
