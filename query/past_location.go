package query

import (
	"context"
	"fmt"
	"strconv"

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

// LocationsByCompany are those of the places that each company had that edge wants.
func (p *Past) LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*PastLocation, error) {
	v := view{p}
	which, sort, err := edgeOf(v, v.locations(), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	q := p.reader.client.LocationVersion.Query().Where(seenAt[predicate.LocationVersion](p.At), which).Order(sort)
	if columns := with(columns, locationversion.FieldLocationID, locationversion.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading locations of the past by company: %w", err)
	}
	locations := wrapped(rows, func(row *ent.LocationVersion) *PastLocation { return &PastLocation{row, p} })
	return groupBy(locations, func(l *PastLocation) codex.AccountNumber { return l.CompanyAccountNumber }), nil
}
