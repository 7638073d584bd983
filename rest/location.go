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
	read := func(ctx context.Context, accounts []codex.AccountNumber) (map[codex.AccountNumber][]*ent.Location, error) {
		return s.reader.LocationsByCompany(ctx, accounts)
	}
	return childrenOf(s, w, r, read, locationForm)
}
