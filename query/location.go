package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/dattositelink"
	"github.com/hivematrix/codex/ent/location"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// Location is the location with that id; a [codex.CodeNotFound] error where there is none, or its
// company is archived.
func (r *Reader) Location(ctx context.Context, id int, columns ...string) (*ent.Location, error) {
	q := r.client.Location.Query().
		Where(location.ID(id), location.RemovedAtIsNil(), location.HasCompanyWith(company.ArchivedAtIsNil()))
	if columns := with(columns, location.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("location", id)
	case err != nil:
		return nil, fmt.Errorf("reading location %d: %w", id, err)
	}
	return found, nil
}

// Locations is a page of the locations that list wants.
func (r *Reader) Locations(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*ent.Location], error) {
	return pageOf(view{}, view.locations, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*ent.Location, error) {
		q := r.client.Location.Query().Where(location.RemovedAtIsNil(), view{}.ofServed, which).Order(sort).Limit(limit)
		if columns := with(columns, location.FieldCompanyAccountNumber); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountLocations is how many locations filter wants.
func (r *Reader) CountLocations(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{}, view.locations, filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.Location.Query().Where(location.RemovedAtIsNil(), view{}.ofServed, which).Count(ctx)
	})
}

// LocationsByCompany are the places of each company.
func (r *Reader) LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Location, error) {
	return r.LocationsByCompanyWhere(ctx, accounts, Edge{}, columns...)
}

// LocationsByCompanyWhere are those of each company that edge wants.
func (r *Reader) LocationsByCompanyWhere(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*ent.Location, error) {
	which, sort, err := edgeOf(view{}, view{}.locations(), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	q := r.client.Location.Query().Where(location.RemovedAtIsNil(), which).Order(sort)
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
