package rest

import (
	"context"
	"net/http"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// locationJSON is a place of a company (docs/compatibility.md, "Location").
type locationJSON struct {
	ID          int     `json:"id"`
	Name        string  `json:"name"`
	Address     *string `json:"address"`
	PhoneNumber *string `json:"phone_number"`
}

func locationForm(l *ent.Location) locationJSON {
	return locationJSON{ID: l.ID, Name: l.Name, Address: l.Address, PhoneNumber: l.PhoneNumber}
}

func (s *service) locations(w http.ResponseWriter, r *http.Request) error {
	return children[*ent.Location, locationJSON]{
		about: subject{Kind: "locations", Entities: []string{ofLocations}},
		read: func(ctx context.Context, v moment, accounts []codex.AccountNumber) (map[codex.AccountNumber][]*ent.Location, error) {
			return v.LocationsByCompany(ctx, accounts)
		},
		form: func(_ moment, l *ent.Location) locationJSON { return locationForm(l) },
	}.serve(s, w, r)
}
