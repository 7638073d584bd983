package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

func (r queryResolver) Contact(ctx context.Context, id string) (*ent.Contact, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := r.reader.Contact(ctx, key, loaders.Columns(ctx, "Contact")...)
	return one(ctx, found, err)
}

func (r contactResolver) SecondaryEmails(_ context.Context, c *ent.Contact) ([]string, error) {
	return query.Texts(c.SecondaryEmails)
}

func (r contactResolver) Companies(ctx context.Context, c *ent.Contact) ([]*ent.Company, error) {
	return loaders.CompaniesOfContact(ctx, c)
}

func (r contactResolver) Assets(ctx context.Context, c *ent.Contact) ([]*ent.Asset, error) {
	return loaders.AssetsOfContact(ctx, c)
}

func (r queryResolver) Contacts(ctx context.Context, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.ContactConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Contacts(ctx, asked, list, loaders.PageColumns(ctx, "Contact")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.ContactEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.ContactEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.ContactConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r contactConnectionResolver) TotalCount(ctx context.Context, c *model.ContactConnection) (int, error) {
	return r.reader.CountContacts(ctx, c.List.Filter)
}
