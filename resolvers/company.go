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

func (r queryResolver) Company(ctx context.Context, accountNumber string) (*ent.Company, error) {
	found, err := r.reader.Company(ctx, codex.AccountNumber(accountNumber), loaders.Columns(ctx, "Company")...)
	return one(ctx, found, err)
}

func (r queryResolver) Companies(ctx context.Context, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.CompanyConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Companies(ctx, asked, list, loaders.PageColumns(ctx, "Company")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.CompanyEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.CompanyEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.CompanyConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r companyConnectionResolver) TotalCount(ctx context.Context, c *model.CompanyConnection) (int, error) {
	return r.reader.CountCompanies(ctx, c.List.Filter)
}

func (r companyResolver) Domains(_ context.Context, c *ent.Company) ([]string, error) {
	return query.Texts(c.Domains)
}

func (r companyResolver) Assets(ctx context.Context, c *ent.Company, filter map[string]any, orderBy []*query.Order, first *int) ([]*ent.Asset, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.AssetsOfCompany(ctx, c, wanted)
}

func (r companyResolver) AssetsTotal(ctx context.Context, c *ent.Company, filter map[string]any) (*query.AssetTotals, error) {
	return loaders.AssetTotalsOfCompany(ctx, c, filter)
}

func (r companyResolver) TicketsTotal(ctx context.Context, c *ent.Company, filter map[string]any) (*query.TicketTotals, error) {
	return loaders.TicketTotalsOfCompany(ctx, c, filter)
}

func (r companyResolver) Contacts(ctx context.Context, c *ent.Company, filter map[string]any, orderBy []*query.Order, first *int) ([]*ent.Contact, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.ContactsOfCompany(ctx, c, wanted)
}

func (r companyResolver) Locations(ctx context.Context, c *ent.Company, filter map[string]any, orderBy []*query.Order, first *int) ([]*ent.Location, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.LocationsOfCompany(ctx, c, wanted)
}

func (r companyResolver) Tickets(ctx context.Context, c *ent.Company, year *int, updatedFrom *time.Time, filter map[string]any, orderBy []*query.Order, first *int) ([]*ent.Ticket, error) {
	updated, err := ticketFilter(year, updatedFrom)
	if err != nil {
		return nil, err
	}
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.TicketsOfCompany(ctx, c, updated, wanted)
}

// ticketFilter is what the arguments year and updatedFrom ask for.
func ticketFilter(year *int, updatedFrom *time.Time) (query.TicketFilter, error) {
	filter := query.TicketFilter{UpdatedFrom: value(updatedFrom)}
	if year != nil {
		if *year < 1000 || *year > 9999 {
			return filter, codex.BadInput("year", "a year has four digits")
		}
		filter.Year = *year
	}
	return filter, nil
}

func (r companyResolver) DattoSites(ctx context.Context, c *ent.Company) ([]*ent.DattoSiteLink, error) {
	return loaders.SiteLinksOfCompany(ctx, c)
}

func (r mutationResolver) RenameCompany(ctx context.Context, accountNumber, to string) (*model.RenameCompanyPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	renamed, err := r.companies.RenameCompany(ctx, codex.AccountNumber(accountNumber), codex.AccountNumber(to), caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.RenameCompanyPayload{Company: renamed}, nil
}

func (r mutationResolver) ArchiveCompany(ctx context.Context, accountNumber string) (*model.ArchiveCompanyPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	archived, err := r.companies.ArchiveCompany(ctx, codex.AccountNumber(accountNumber), caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.ArchiveCompanyPayload{Company: archived}, nil
}
