package query

import (
	"context"
	"fmt"

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

// Companies is a page of the companies by account number.
func (r *Reader) Companies(ctx context.Context, page Page, columns ...string) (*PageOf[*ent.Company], error) {
	limit, err := page.limit()
	if err != nil {
		return nil, err
	}
	q := r.companies().Limit(limit)
	if page.After != "" {
		keys, err := decodeCursor(page.After, byAccountNumber, 1)
		if err != nil {
			return nil, err
		}
		q.Where(companiesAfter(keys[0]))
	}
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading a page of companies: %w", err)
	}
	return cut(page, rows, func(c *ent.Company) string {
		return encodeCursor(byAccountNumber, string(c.ID))
	}), nil
}

// CountCompanies is how many companies there are.
func (r *Reader) CountCompanies(ctx context.Context) (int, error) {
	n, err := r.client.Company.Query().Where(company.ArchivedAtIsNil()).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting companies: %w", err)
	}
	return n, nil
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
