package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/ent/predicate"
)

// Company is the company with that account number; a [codex.CodeNotFound] error where there is
// none, or it is archived.
func (r *Reader) Company(ctx context.Context, account codex.AccountNumber, columns ...string) (*ent.Company, error) {
	q := r.client.Company.Query().Where(company.ID(account), company.ArchivedAtIsNil())
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("company", account)
	case err != nil:
		return nil, fmt.Errorf("reading company %s: %w", account, err)
	}
	return found, nil
}

// EachCompany hands fn all companies by account number, in batches of at most batch. It stops at
// the first error, its own or fn's.
func (r *Reader) EachCompany(ctx context.Context, batch int, fn func([]*ent.Company) error) error {
	read := func(ctx context.Context, after **ent.Company) ([]*ent.Company, error) {
		q := r.companies().Limit(batch)
		if after != nil {
			q.Where(companiesAfter(string((*after).ID)))
		}
		rows, err := q.All(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading companies: %w", err)
		}
		return rows, nil
	}
	return batches(ctx, batch, read, fn)
}

// Companies is a page of the companies that list wants.
func (r *Reader) Companies(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*ent.Company], error) {
	return pageOf(view{}, view.companies, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*ent.Company, error) {
		q := r.client.Company.Query().Where(company.ArchivedAtIsNil(), which).Order(sort).Limit(limit)
		if columns := with(columns); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountCompanies is how many companies filter wants.
func (r *Reader) CountCompanies(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{}, view.companies, filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.Company.Query().Where(company.ArchivedAtIsNil(), which).Count(ctx)
	})
}

// CompaniesByAccount are the companies with those account numbers.
func (r *Reader) CompaniesByAccount(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber]*ent.Company, error) {
	q := r.client.Company.Query().
		Where(company.ArchivedAtIsNil(), keyIn[predicate.Company](company.FieldID, accounts))
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading companies by account number: %w", err)
	}
	found := make(map[codex.AccountNumber]*ent.Company, len(rows))
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

// CompaniesByContact are the companies that each contact belongs to, by account number.
func (r *Reader) CompaniesByContact(ctx context.Context, contacts []int, columns ...string) (map[int][]*ent.Company, error) {
	q := r.companies().Where(linked[predicate.Company](link{
		table: contactcompanylink.Table, child: contactcompanylink.FieldCompanyAccountNumber,
		parent: contactcompanylink.FieldContactID, key: company.FieldID,
	}, contacts))
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading companies by contact: %w", err)
	}
	return groupByParent(rows, intKey)
}

// companies are those that are served, by account number.
func (r *Reader) companies() *ent.CompanyQuery {
	return r.client.Company.Query().Where(company.ArchivedAtIsNil()).Order(byBytes(company.FieldID, ""))
}

func companiesAfter(account string) predicate.Company {
	return bytesCompare(company.FieldID, " > ", account)
}
