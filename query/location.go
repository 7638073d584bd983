package query

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/dattositelink"
	"github.com/hivematrix/codex/ent/location"
	"github.com/hivematrix/codex/ent/predicate"
)

// LocationsByCompany are the places of each company.
func (r *Reader) LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Location, error) {
	q := r.client.Location.Query().
		Where(location.RemovedAtIsNil(), keyIn[predicate.Location](location.FieldCompanyAccountNumber, accounts)).
		Order(location.ByID())
	if columns := with(columns, location.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading locations by company: %w", err)
	}
	return groupBy(rows, func(l *ent.Location) codex.AccountNumber { return l.CompanyAccountNumber }), nil
}

// SiteLinksByCompany are the Datto RMM sites of each company.
func (r *Reader) SiteLinksByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.DattoSiteLink, error) {
	q := r.client.DattoSiteLink.Query().
		Where(dattositelink.RemovedAtIsNil(), keyIn[predicate.DattoSiteLink](dattositelink.FieldCompanyAccountNumber, accounts)).
		Order(dattositelink.ByID())
	if columns := with(columns, dattositelink.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading Datto sites by company: %w", err)
	}
	return groupBy(rows, func(l *ent.DattoSiteLink) codex.AccountNumber { return l.CompanyAccountNumber }), nil
}
