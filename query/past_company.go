package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/companyversion"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
	"github.com/hivematrix/codex/ent/predicate"
)

// PastCompany is a company as it was.
type PastCompany struct {
	*ent.CompanyVersion
	Past *Past
}

// ID is its account number and the moment.
func (c *PastCompany) ID() string { return c.Past.id(string(c.AccountNumber)) }

// Company is the company with that account number; a [codex.CodeNotFound] error where there was
// none.
func (p *Past) Company(ctx context.Context, account codex.AccountNumber, columns ...string) (*PastCompany, error) {
	found, err := p.companies(columns).Where(companyversion.AccountNumber(account)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("company", account)
	case err != nil:
		return nil, fmt.Errorf("reading company %s of the past: %w", account, err)
	}
	return &PastCompany{found, p}, nil
}

// Companies is a page of the companies that list wants.
func (p *Past) Companies(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*PastCompany], error) {
	return pageOf(view{p}, view.companies, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*PastCompany, error) {
		rows, err := p.companies(columns).Where(which).Order(sort).Limit(limit).All(ctx)
		return p.pastCompanies(rows), err
	})
}

// CountCompanies is how many companies filter wants.
func (p *Past) CountCompanies(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{p}, view.companies, filter, func(which func(*sql.Selector)) (int, error) {
		return p.companies(nil).Where(which).Count(ctx)
	})
}

// CompaniesByAccount are the companies with those account numbers.
func (p *Past) CompaniesByAccount(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber]*PastCompany, error) {
	rows, err := p.companies(columns).
		Where(keyIn[predicate.CompanyVersion](companyversion.FieldAccountNumber, accounts)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading companies of the past by account number: %w", err)
	}
	found := make(map[codex.AccountNumber]*PastCompany, len(rows))
	for _, row := range p.pastCompanies(rows) {
		found[row.AccountNumber] = row
	}
	return found, nil
}

// CompaniesByContact are the companies that each contact belonged to, by account number.
func (p *Past) CompaniesByContact(ctx context.Context, contacts []int, columns ...string) (map[int][]*PastCompany, error) {
	rows, err := p.companies(columns).
		Order(byBytes(companyversion.FieldAccountNumber, "")).
		Where(linked[predicate.CompanyVersion](link{
			table: contactcompanylinkversion.Table, child: contactcompanylinkversion.FieldCompanyAccountNumber,
			parent: contactcompanylinkversion.FieldContactID, key: companyversion.FieldAccountNumber, which: seenAt[func(*sql.Selector)](p.At),
		}, contacts)).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading companies of the past by contact: %w", err)
	}
	return groupByParent(p.pastCompanies(rows), intKey)
}

// companies are those that were served.
func (p *Past) companies(columns []string) *ent.CompanyVersionQuery {
	q := p.reader.client.CompanyVersion.Query().Where(seenAt[predicate.CompanyVersion](p.At))
	if columns := with(columns, companyversion.FieldAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return q
}

func (p *Past) pastCompanies(rows []*ent.CompanyVersion) []*PastCompany {
	return wrapped(rows, func(row *ent.CompanyVersion) *PastCompany { return &PastCompany{row, p} })
}

// wrapped are rows, each made something else.
func wrapped[R, T any](rows []R, wrap func(R) T) []T {
	all := make([]T, len(rows))
	for i, row := range rows {
		all[i] = wrap(row)
	}
	return all
}
