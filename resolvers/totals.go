package resolvers

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

type (
	assetGroupResolver      struct{ *resolver }
	ticketGroupResolver     struct{ *resolver }
	pastAssetGroupResolver  struct{ *resolver }
	pastTicketGroupResolver struct{ *resolver }
)

func (r *resolver) AssetGroup() exec.AssetGroupResolver         { return assetGroupResolver{r} }
func (r *resolver) TicketGroup() exec.TicketGroupResolver       { return ticketGroupResolver{r} }
func (r *resolver) PastAssetGroup() exec.PastAssetGroupResolver { return pastAssetGroupResolver{r} }
func (r *resolver) PastTicketGroup() exec.PastTicketGroupResolver {
	return pastTicketGroupResolver{r}
}

func (r queryResolver) AssetTotals(ctx context.Context, filter map[string]any, groupBy []query.GroupBy) ([]*query.AssetGroup, error) {
	groups, err := r.reader.AssetTotals(ctx, filter, groupBy)
	return groupsOf(ctx, groups, err)
}

func (r queryResolver) TicketTotals(ctx context.Context, filter map[string]any, groupBy []query.GroupBy) ([]*query.TicketGroup, error) {
	groups, err := r.reader.TicketTotals(ctx, filter, groupBy)
	return groupsOf(ctx, groups, err)
}

func (r pastResolver) AssetTotals(ctx context.Context, p *query.Past, filter map[string]any, groupBy []query.GroupBy) ([]*query.PastAssetGroup, error) {
	groups, err := p.AssetTotals(ctx, filter, groupBy)
	return groupsOf(ctx, groups, err)
}

func (r pastResolver) TicketTotals(ctx context.Context, p *query.Past, filter map[string]any, groupBy []query.GroupBy) ([]*query.PastTicketGroup, error) {
	groups, err := p.TicketTotals(ctx, filter, groupBy)
	return groupsOf(ctx, groups, err)
}

// groupsOf are groups whose companies may be asked for.
func groupsOf[G any](ctx context.Context, groups []*G, err error) ([]*G, error) {
	if err != nil {
		return nil, err
	}
	return groups, loaders.Announce(ctx, groups...)
}

func (r assetGroupResolver) Company(ctx context.Context, g *query.AssetGroup) (*ent.Company, error) {
	return loaders.CompanyOfAssetGroup(ctx, g)
}

func (r ticketGroupResolver) Company(ctx context.Context, g *query.TicketGroup) (*ent.Company, error) {
	return loaders.CompanyOfTicketGroup(ctx, g)
}

func (r pastAssetGroupResolver) Company(ctx context.Context, g *query.PastAssetGroup) (*query.PastCompany, error) {
	return loaders.CompanyOfPastAssetGroup(ctx, g)
}

func (r pastTicketGroupResolver) Company(ctx context.Context, g *query.PastTicketGroup) (*query.PastCompany, error) {
	return loaders.CompanyOfPastTicketGroup(ctx, g)
}
