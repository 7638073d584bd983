package loaders

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
)

// AssetsOfPastCompany are those of the machines that c had that are wanted.
func AssetsOfPastCompany(ctx context.Context, c *query.PastCompany, wanted query.Edge) ([]*query.PastAsset, error) {
	return load(ctx, edge[*query.PastCompany, codex.AccountNumber, []*query.PastAsset]{
		object: "PastAsset", key: pastAccountNumber, noted: notedLists[*query.PastAsset],
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*query.PastAsset, error) {
			return c.Past.AssetsByCompany(ctx, keys, wanted, columns...)
		},
	}, c)
}

// AssetTotalsOfPastCompany are those of the machines that c had that filter wants, added up.
func AssetTotalsOfPastCompany(ctx context.Context, c *query.PastCompany, filter query.Filter) (*query.AssetTotals, error) {
	totals, err := load(ctx, edge[*query.PastCompany, codex.AccountNumber, query.AssetTotals]{
		key: pastAccountNumber,
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber]query.AssetTotals, error) {
			return c.Past.AssetTotalsByCompany(ctx, keys, filter)
		},
	}, c)
	return &totals, err
}

// TicketTotalsOfPastCompany are those of the closed tickets that c had that filter wants, added up.
func TicketTotalsOfPastCompany(ctx context.Context, c *query.PastCompany, filter query.Filter) (*query.TicketTotals, error) {
	totals, err := load(ctx, edge[*query.PastCompany, codex.AccountNumber, query.TicketTotals]{
		key: pastAccountNumber,
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber]query.TicketTotals, error) {
			return c.Past.TicketTotalsByCompany(ctx, keys, filter)
		},
	}, c)
	return &totals, err
}

// ContactsOfPastCompany are those of the people of c that are wanted.
func ContactsOfPastCompany(ctx context.Context, c *query.PastCompany, wanted query.Edge) ([]*query.PastContact, error) {
	return load(ctx, edge[*query.PastCompany, codex.AccountNumber, []*query.PastContact]{
		object: "PastContact", key: pastAccountNumber, noted: notedLists[*query.PastContact],
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*query.PastContact, error) {
			return c.Past.ContactsByCompany(ctx, keys, wanted, columns...)
		},
	}, c)
}

// LocationsOfPastCompany are those of the places of c that are wanted.
func LocationsOfPastCompany(ctx context.Context, c *query.PastCompany, wanted query.Edge) ([]*query.PastLocation, error) {
	return load(ctx, edge[*query.PastCompany, codex.AccountNumber, []*query.PastLocation]{
		object: "PastLocation", key: pastAccountNumber, noted: notedLists[*query.PastLocation],
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*query.PastLocation, error) {
			return c.Past.LocationsByCompany(ctx, keys, wanted, columns...)
		},
	}, c)
}

// TicketsOfPastCompany are those of the tickets of c that were closed that filter wants and that are
// wanted.
func TicketsOfPastCompany(ctx context.Context, c *query.PastCompany, filter query.TicketFilter, wanted query.Edge) ([]*query.PastTicket, error) {
	return load(ctx, edge[*query.PastCompany, codex.AccountNumber, []*query.PastTicket]{
		object: "PastTicket", key: pastAccountNumber, noted: notedLists[*query.PastTicket],
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*query.PastTicket, error) {
			return c.Past.TicketsByCompany(ctx, keys, filter, wanted, columns...)
		},
	}, c)
}

// CompaniesOfPastContact are the companies that c belonged to.
func CompaniesOfPastContact(ctx context.Context, c *query.PastContact) ([]*query.PastCompany, error) {
	return load(ctx, edge[*query.PastContact, int, []*query.PastCompany]{
		object: "PastCompany", noted: notedLists[*query.PastCompany],
		key: func(c *query.PastContact) int { return c.ContactID },
		fetch: func(ctx context.Context, _ *query.Reader, keys []int, columns []string) (map[int][]*query.PastCompany, error) {
			return c.Past.CompaniesByContact(ctx, keys, columns...)
		},
	}, c)
}

// CompanyOfPastAsset is whose a was.
func CompanyOfPastAsset(ctx context.Context, a *query.PastAsset) (*query.PastCompany, error) {
	return load(ctx, pastCompanyOf(a.Past, func(a *query.PastAsset) codex.AccountNumber { return a.CompanyAccountNumber }), a)
}

// CompanyOfPastLocation is whose l was.
func CompanyOfPastLocation(ctx context.Context, l *query.PastLocation) (*query.PastCompany, error) {
	return load(ctx, pastCompanyOf(l.Past, func(l *query.PastLocation) codex.AccountNumber { return l.CompanyAccountNumber }), l)
}

// CompanyOfPastTicket is whose t was.
func CompanyOfPastTicket(ctx context.Context, t *query.PastTicket) (*query.PastCompany, error) {
	return load(ctx, pastCompanyOf(t.Past, func(t *query.PastTicket) codex.AccountNumber { return t.CompanyAccountNumber }), t)
}

// CompanyOfPastAssetGroup is whose the assets of g were; nil where they are not grouped by that.
func CompanyOfPastAssetGroup(ctx context.Context, g *query.PastAssetGroup) (*query.PastCompany, error) {
	if g.Account == nil {
		return nil, nil
	}
	return load(ctx, pastCompanyOf(g.Past, func(g *query.PastAssetGroup) codex.AccountNumber { return *g.Account }), g)
}

// CompanyOfPastTicketGroup is whose the tickets of g were; nil where they are not grouped by that.
func CompanyOfPastTicketGroup(ctx context.Context, g *query.PastTicketGroup) (*query.PastCompany, error) {
	if g.Account == nil {
		return nil, nil
	}
	return load(ctx, pastCompanyOf(g.Past, func(g *query.PastTicketGroup) codex.AccountNumber { return *g.Account }), g)
}

// pastCompanyOf leads to the one company at p whose account number a P has. All rows of a place are
// of one moment: a place lies below one asOf.
func pastCompanyOf[P any](p *query.Past, key func(P) codex.AccountNumber) edge[P, codex.AccountNumber, *query.PastCompany] {
	return edge[P, codex.AccountNumber, *query.PastCompany]{
		object: "PastCompany", key: key, noted: notedOnes[query.PastCompany],
		fetch: func(ctx context.Context, _ *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber]*query.PastCompany, error) {
			return p.CompaniesByAccount(ctx, keys, columns...)
		},
	}
}

func pastAccountNumber(c *query.PastCompany) codex.AccountNumber { return c.AccountNumber }
