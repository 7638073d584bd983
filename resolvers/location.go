package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/loaders"
)

func (r locationResolver) Company(ctx context.Context, l *ent.Location) (*ent.Company, error) {
	return loaders.CompanyOfLocation(ctx, l)
}

func (r dattoSiteLinkResolver) Company(ctx context.Context, s *ent.DattoSiteLink) (*ent.Company, error) {
	return loaders.CompanyOfSiteLink(ctx, s)
}
