package syncers

// A location is a company's main office, from its department's custom field address.

import (
	"database/sql"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// mainOffice is the name of the one location that comes from Freshservice.
const mainOffice = "Main Office"

// LocationRecord is a row of locations.
type LocationRecord struct {
	ID        int
	Account   codex.AccountNumber
	Name      string           // Main Office
	Address   sql.Null[string] // custom_fields.address
	Phone     sql.Null[string] // custom_fields.company_main_number
	RemovedAt sql.Null[time.Time]
}

func locations() *Entity[LocationRecord] {
	e := &Entity[LocationRecord]{
		Name: "locations", Label: func(r *LocationRecord) string { return r.Name },
		Columns: []Column[LocationRecord]{
			column("id", primary, func(r *LocationRecord) *int { return &r.ID }),
			column("company_account_number", compared|kept, func(r *LocationRecord) *codex.AccountNumber { return &r.Account }),
			column("name", compared|kept, func(r *LocationRecord) *string { return &r.Name }),
			column("address", compared|kept, func(r *LocationRecord) *sql.Null[string] { return &r.Address }),
			column("phone_number", compared|kept, func(r *LocationRecord) *sql.Null[string] { return &r.Phone }),
			column("removed_at", compared, func(r *LocationRecord) *sql.Null[time.Time] { return &r.RemovedAt }),
		},
		Keys: []Key[LocationRecord]{
			{Of: func(r *LocationRecord) (string, bool) { return string(r.Account) + "\x00" + r.Name, true }},
		},
		ID:        func(r *LocationRecord) *int { return &r.ID },
		RemovedAt: func(r *LocationRecord) *sql.Null[time.Time] { return &r.RemovedAt },
	}
	e.History = e.historyOf("locations_history", "location_id")
	return e
}

func mapOffice(d freshservice.Department, account codex.AccountNumber) (LocationRecord, bool) {
	address, _ := d.CustomFields.Text("address")
	phone, _ := d.CustomFields.Text("company_main_number")
	if !filled(address).Valid {
		return LocationRecord{}, false
	}
	return LocationRecord{Account: account, Name: mainOffice, Address: filled(address), Phone: filled(phone)}, true
}
