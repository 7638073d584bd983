package query

import (
	"context"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/locationversion"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// PastLocation is a location as it was.
type PastLocation struct {
	*ent.LocationVersion
	Past *Past
}

// ID is the location's id and the moment.
func (l *PastLocation) ID() string { return l.Past.id(strconv.Itoa(l.LocationID)) }

// Location is the location with that id; a [codex.CodeNotFound] error where there was none, or its
// company was archived.
func (p *Past) Location(ctx context.Context, id int, columns ...string) (*PastLocation, error) {
	found, err := p.locations(columns).
		Where(locationversion.LocationID(id), ofServedCompany[predicate.LocationVersion](p.At)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("location", id)
	case err != nil:
		return nil, fmt.Errorf("reading location %d of the past: %w", id, err)
	}
	return &PastLocation{found, p}, nil
}

// Locations is a page of the locations that list wants.
func (p *Past) Locations(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*PastLocation], error) {
	v := view{p}
	return pageOf(v, view.locations, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*PastLocation, error) {
		rows, err := p.locations(columns).Where(v.ofServed, which).Order(sort).Limit(limit).All(ctx)
		return p.pastLocations(rows), err
	})
}

// CountLocations is how many locations filter wants.
func (p *Past) CountLocations(ctx context.Context, filter Filter) (int, error) {
	v := view{p}
	return countOf(v, view.locations, filter, func(which func(*sql.Selector)) (int, error) {
		return p.locations(nil).Where(v.ofServed, which).Count(ctx)
	})
}

// LocationsByCompany are those of the places that each company had that edge wants.
func (p *Past) LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*PastLocation, error) {
	v := view{p}
	which, sort, err := edgeOf(v, v.locations(), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := p.locations(columns).Where(which).Order(sort).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading locations of the past by company: %w", err)
	}
	return groupBy(p.pastLocations(rows), func(l *PastLocation) codex.AccountNumber { return l.CompanyAccountNumber }), nil
}

func (p *Past) locations(columns []string) *ent.LocationVersionQuery {
	q := p.reader.client.LocationVersion.Query().Where(seenAt[predicate.LocationVersion](p.At))
	if columns := with(columns, locationversion.FieldLocationID, locationversion.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return q
}

func (p *Past) pastLocations(rows []*ent.LocationVersion) []*PastLocation {
	return wrapped(rows, func(row *ent.LocationVersion) *PastLocation { return &PastLocation{row, p} })
}
