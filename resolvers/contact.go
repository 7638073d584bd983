package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
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
