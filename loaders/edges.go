package loaders

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// AssetsOfCompany are those of the machines of c that are wanted.
func AssetsOfCompany(ctx context.Context, c *ent.Company, wanted query.Edge) ([]*ent.Asset, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.Asset]{
		object: "Asset", key: accountNumber, noted: notedLists[*ent.Asset],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.Asset, error) {
			return r.AssetsByCompanyWhere(ctx, keys, wanted, columns...)
		},
	}, c)
}

// AssetTotalsOfCompany are those of the machines of c that filter wants, added up.
func AssetTotalsOfCompany(ctx context.Context, c *ent.Company, filter query.Filter) (*query.AssetTotals, error) {
	totals, err := load(ctx, edge[*ent.Company, codex.AccountNumber, query.AssetTotals]{
		key: accountNumber,
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber]query.AssetTotals, error) {
			return r.AssetTotalsByCompany(ctx, keys, filter)
		},
	}, c)
	return &totals, err
}

// TicketTotalsOfCompany are those of the closed tickets of c that filter wants, added up.
func TicketTotalsOfCompany(ctx context.Context, c *ent.Company, filter query.Filter) (*query.TicketTotals, error) {
	totals, err := load(ctx, edge[*ent.Company, codex.AccountNumber, query.TicketTotals]{
		key: accountNumber,
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber]query.TicketTotals, error) {
			return r.TicketTotalsByCompany(ctx, keys, filter)
		},
	}, c)
	return &totals, err
}

// ContactsOfCompany are those of the people of c that are wanted.
func ContactsOfCompany(ctx context.Context, c *ent.Company, wanted query.Edge) ([]*ent.Contact, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.Contact]{
		object: "Contact", key: accountNumber, noted: notedLists[*ent.Contact],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.Contact, error) {
			return r.ContactsByCompanyWhere(ctx, keys, wanted, columns...)
		},
	}, c)
}

// LocationsOfCompany are those of the places of c that are wanted.
func LocationsOfCompany(ctx context.Context, c *ent.Company, wanted query.Edge) ([]*ent.Location, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.Location]{
		object: "Location", key: accountNumber, noted: notedLists[*ent.Location],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.Location, error) {
			return r.LocationsByCompanyWhere(ctx, keys, wanted, columns...)
		},
	}, c)
}

// TicketsOfCompany are those of the closed tickets of c that filter wants and that are wanted.
func TicketsOfCompany(ctx context.Context, c *ent.Company, filter query.TicketFilter, wanted query.Edge) ([]*ent.Ticket, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.Ticket]{
		object: "Ticket", key: accountNumber, noted: notedLists[*ent.Ticket],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.Ticket, error) {
			return r.TicketsByCompanyWhere(ctx, keys, filter, wanted, columns...)
		},
	}, c)
}

// SiteLinksOfCompany are the Datto RMM sites of c.
func SiteLinksOfCompany(ctx context.Context, c *ent.Company) ([]*ent.DattoSiteLink, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.DattoSiteLink]{
		object: "DattoSiteLink", key: accountNumber, noted: notedLists[*ent.DattoSiteLink],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.DattoSiteLink, error) {
			return r.SiteLinksByCompany(ctx, keys, columns...)
		},
	}, c)
}

// ContactsOfAsset are those who use a.
func ContactsOfAsset(ctx context.Context, a *ent.Asset) ([]*ent.Contact, error) {
	return load(ctx, edge[*ent.Asset, int, []*ent.Contact]{
		object: "Contact", noted: notedLists[*ent.Contact],
		key: func(a *ent.Asset) int { return a.ID },
		fetch: func(ctx context.Context, r *query.Reader, keys []int, columns []string) (map[int][]*ent.Contact, error) {
			return r.ContactsByAsset(ctx, keys, columns...)
		},
	}, a)
}

// AssetsOfContact are the machines that c uses.
func AssetsOfContact(ctx context.Context, c *ent.Contact) ([]*ent.Asset, error) {
	return load(ctx, edge[*ent.Contact, int, []*ent.Asset]{
		object: "Asset", noted: notedLists[*ent.Asset],
		key: func(c *ent.Contact) int { return c.ID },
		fetch: func(ctx context.Context, r *query.Reader, keys []int, columns []string) (map[int][]*ent.Asset, error) {
			return r.AssetsByContact(ctx, keys, columns...)
		},
	}, c)
}

// CompaniesOfContact are the companies that c belongs to.
func CompaniesOfContact(ctx context.Context, c *ent.Contact) ([]*ent.Company, error) {
	return load(ctx, edge[*ent.Contact, int, []*ent.Company]{
		object: "Company", noted: notedLists[*ent.Company],
		key: func(c *ent.Contact) int { return c.ID },
		fetch: func(ctx context.Context, r *query.Reader, keys []int, columns []string) (map[int][]*ent.Company, error) {
			return r.CompaniesByContact(ctx, keys, columns...)
		},
	}, c)
}

// TimeEntriesOfTicket is the time that was booked on t.
func TimeEntriesOfTicket(ctx context.Context, t *ent.Ticket) ([]*ent.TimeEntry, error) {
	return load(ctx, edge[*ent.Ticket, int, []*ent.TimeEntry]{
		object: "TimeEntry", noted: notedLists[*ent.TimeEntry],
		key: func(t *ent.Ticket) int { return t.ID },
		fetch: func(ctx context.Context, r *query.Reader, keys []int, columns []string) (map[int][]*ent.TimeEntry, error) {
			return r.TimeEntriesByTicket(ctx, keys, columns...)
		},
	}, t)
}

// CompanyOfAsset is whose a is.
func CompanyOfAsset(ctx context.Context, a *ent.Asset) (*ent.Company, error) {
	return load(ctx, companyOf(func(a *ent.Asset) codex.AccountNumber { return a.CompanyAccountNumber }), a)
}

// CompanyOfTicket is whose t is.
func CompanyOfTicket(ctx context.Context, t *ent.Ticket) (*ent.Company, error) {
	return load(ctx, companyOf(func(t *ent.Ticket) codex.AccountNumber { return t.CompanyAccountNumber }), t)
}

// CompanyOfLocation is whose l is.
func CompanyOfLocation(ctx context.Context, l *ent.Location) (*ent.Company, error) {
	return load(ctx, companyOf(func(l *ent.Location) codex.AccountNumber { return l.CompanyAccountNumber }), l)
}

// CompanyOfSiteLink is whose s is.
func CompanyOfSiteLink(ctx context.Context, s *ent.DattoSiteLink) (*ent.Company, error) {
	return load(ctx, companyOf(func(s *ent.DattoSiteLink) codex.AccountNumber { return s.CompanyAccountNumber }), s)
}

// CompanyOfAssetGroup is whose the assets of g are; nil where they are not grouped by that.
func CompanyOfAssetGroup(ctx context.Context, g *query.AssetGroup) (*ent.Company, error) {
	if g.Account == nil {
		return nil, nil
	}
	return load(ctx, companyOf(func(g *query.AssetGroup) codex.AccountNumber { return *g.Account }), g)
}

// CompanyOfTicketGroup is whose the tickets of g are; nil where they are not grouped by that.
func CompanyOfTicketGroup(ctx context.Context, g *query.TicketGroup) (*ent.Company, error) {
	if g.Account == nil {
		return nil, nil
	}
	return load(ctx, companyOf(func(g *query.TicketGroup) codex.AccountNumber { return *g.Account }), g)
}

// companyOf leads to the one company whose account number a P has.
func companyOf[P any](key func(P) codex.AccountNumber) edge[P, codex.AccountNumber, *ent.Company] {
	return edge[P, codex.AccountNumber, *ent.Company]{
		object: "Company", key: key, noted: notedOnes[ent.Company],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber]*ent.Company, error) {
			return r.CompaniesByAccount(ctx, keys, columns...)
		},
	}
}

func accountNumber(c *ent.Company) codex.AccountNumber { return c.ID }
