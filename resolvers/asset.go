package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

func (r queryResolver) Asset(ctx context.Context, id string) (*ent.Asset, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := r.reader.Asset(ctx, key, loaders.Columns(ctx, "Asset")...)
	return one(ctx, found, err)
}

func (r assetResolver) Backup(_ context.Context, a *ent.Asset) (*query.Backup, error) {
	return query.BackupOf(a), nil
}

func (r assetResolver) Company(ctx context.Context, a *ent.Asset) (*ent.Company, error) {
	return loaders.CompanyOfAsset(ctx, a)
}

func (r assetResolver) Contacts(ctx context.Context, a *ent.Asset) ([]*ent.Contact, error) {
	return loaders.ContactsOfAsset(ctx, a)
}

func (r queryResolver) Assets(ctx context.Context, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.AssetConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Assets(ctx, asked, list, loaders.PageColumns(ctx, "Asset")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.AssetEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.AssetEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.AssetConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r assetConnectionResolver) TotalCount(ctx context.Context, c *model.AssetConnection) (int, error) {
	return r.reader.CountAssets(ctx, c.List.Filter)
}
