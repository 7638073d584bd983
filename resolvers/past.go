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
	pastResolver                  struct{ *resolver }
	coverageResolver              struct{ *resolver }
	pastCompanyResolver           struct{ *resolver }
	pastCompanyConnectionResolver struct{ *resolver }
	pastAssetResolver             struct{ *resolver }
	pastContactResolver           struct{ *resolver }
	pastLocationResolver          struct{ *resolver }
	pastTicketResolver            struct{ *resolver }
)

func (r queryResolver) AsOf(ctx context.Context, at time.Time) (*query.Past, error) {
	past, err := r.reader.AsOf(ctx, at, r.now())
	if err != nil {
		return nil, err
	}
	return past, loaders.Announce(ctx, past.Coverage...)
}

func (r coverageResolver) Run(ctx context.Context, c *query.Coverage) (*ent.SyncRun, error) {
	return loaders.RunOfCoverage(ctx, c)
}

func (r pastResolver) Company(ctx context.Context, p *query.Past, accountNumber string) (*query.PastCompany, error) {
	found, err := p.Company(ctx, codex.AccountNumber(accountNumber), loaders.Columns(ctx, "PastCompany")...)
	return one(ctx, found, err)
}

func (r pastResolver) Companies(ctx context.Context, p *query.Past, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.PastCompanyConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := p.Companies(ctx, asked, list, loaders.PageColumns(ctx, "PastCompany")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.PastCompanyEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.PastCompanyEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.PastCompanyConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Past: p, List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r pastCompanyConnectionResolver) TotalCount(ctx context.Context, c *model.PastCompanyConnection) (int, error) {
	return c.Past.CountCompanies(ctx, c.List.Filter)
}

func (r pastResolver) Asset(ctx context.Context, p *query.Past, id string) (*query.PastAsset, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := p.Asset(ctx, key, loaders.Columns(ctx, "PastAsset")...)
	return one(ctx, found, err)
}

func (r pastResolver) Contact(ctx context.Context, p *query.Past, id string) (*query.PastContact, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := p.Contact(ctx, key, loaders.Columns(ctx, "PastContact")...)
	return one(ctx, found, err)
}

func (r pastResolver) Location(ctx context.Context, p *query.Past, id string) (*query.PastLocation, error) {
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	found, err := p.Location(ctx, key, loaders.Columns(ctx, "PastLocation")...)
	return one(ctx, found, err)
}

func (r pastResolver) Ticket(ctx context.Context, p *query.Past, ticketID string) (*query.PastTicket, error) {
	key, err := intID("ticketId", ticketID)
	if err != nil {
		return nil, err
	}
	found, err := p.Ticket(ctx, key, loaders.Columns(ctx, "PastTicket")...)
	return one(ctx, found, err)
}

func (r pastCompanyResolver) Domains(_ context.Context, c *query.PastCompany) ([]string, error) {
	return query.Texts(c.Domains)
}

func (r pastCompanyResolver) Assets(ctx context.Context, c *query.PastCompany, filter map[string]any, orderBy []*query.Order, first *int) ([]*query.PastAsset, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.AssetsOfPastCompany(ctx, c, wanted)
}

func (r pastCompanyResolver) AssetsTotal(ctx context.Context, c *query.PastCompany, filter map[string]any) (*query.AssetTotals, error) {
	return loaders.AssetTotalsOfPastCompany(ctx, c, filter)
}

func (r pastCompanyResolver) TicketsTotal(ctx context.Context, c *query.PastCompany, filter map[string]any) (*query.TicketTotals, error) {
	return loaders.TicketTotalsOfPastCompany(ctx, c, filter)
}

func (r pastCompanyResolver) Contacts(ctx context.Context, c *query.PastCompany, filter map[string]any, orderBy []*query.Order, first *int) ([]*query.PastContact, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.ContactsOfPastCompany(ctx, c, wanted)
}

func (r pastCompanyResolver) Locations(ctx context.Context, c *query.PastCompany, filter map[string]any, orderBy []*query.Order, first *int) ([]*query.PastLocation, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.LocationsOfPastCompany(ctx, c, wanted)
}

func (r pastCompanyResolver) Tickets(ctx context.Context, c *query.PastCompany, year *int, updatedFrom *time.Time, filter map[string]any, orderBy []*query.Order, first *int) ([]*query.PastTicket, error) {
	updated, err := ticketFilter(year, updatedFrom)
	if err != nil {
		return nil, err
	}
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.TicketsOfPastCompany(ctx, c, updated, wanted)
}

func (r pastAssetResolver) Company(ctx context.Context, a *query.PastAsset) (*query.PastCompany, error) {
	return loaders.CompanyOfPastAsset(ctx, a)
}

func (r pastContactResolver) SecondaryEmails(_ context.Context, c *query.PastContact) ([]string, error) {
	return query.Texts(c.SecondaryEmails)
}

func (r pastContactResolver) Companies(ctx context.Context, c *query.PastContact) ([]*query.PastCompany, error) {
	return loaders.CompaniesOfPastContact(ctx, c)
}

func (r pastLocationResolver) Company(ctx context.Context, l *query.PastLocation) (*query.PastCompany, error) {
	return loaders.CompanyOfPastLocation(ctx, l)
}

func (r pastTicketResolver) BillingMonth(_ context.Context, t *query.PastTicket) (string, error) {
	return t.BillingMonth().String(), nil
}

func (r pastTicketResolver) Hours(_ context.Context, t *query.PastTicket) (float64, error) {
	return t.Seconds().Hours(), nil
}

func (r pastTicketResolver) Seconds(_ context.Context, t *query.PastTicket) (int, error) {
	return int(t.Seconds()), nil
}

func (r pastTicketResolver) Company(ctx context.Context, t *query.PastTicket) (*query.PastCompany, error) {
	return loaders.CompanyOfPastTicket(ctx, t)
}
