package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
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
