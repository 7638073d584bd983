package syncers

// A Datto site belongs to the company whose account number its variable holds
// (docs/compatibility.md, "Sync rules").

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
)

// SiteRecord is a row of datto_site_links.
type SiteRecord struct {
	ID        int
	Account   codex.AccountNumber // the value of the site's account variable
	UID       string              // uid
	Name      string              // name
	DattoID   sql.Null[int64]     // id, of web links
	RemovedAt sql.Null[time.Time]
}

func sites() *Entity[SiteRecord] {
	return &Entity[SiteRecord]{
		Name: "sites", Table: "datto_site_links", Label: func(r *SiteRecord) string { return r.Name },
		Columns: []Column[SiteRecord]{
			column("id", primary, func(r *SiteRecord) *int { return &r.ID }),
			column("company_account_number", compared, func(r *SiteRecord) *codex.AccountNumber { return &r.Account }),
			column("datto_site_uid", compared, func(r *SiteRecord) *string { return &r.UID }),
			column("name", compared, func(r *SiteRecord) *string { return &r.Name }),
			column("datto_id", compared, func(r *SiteRecord) *sql.Null[int64] { return &r.DattoID }),
			column("removed_at", compared, func(r *SiteRecord) *sql.Null[time.Time] { return &r.RemovedAt }),
		},
		Keys:      []Key[SiteRecord]{{Of: func(r *SiteRecord) (string, bool) { return r.UID, true }}},
		ID:        func(r *SiteRecord) *int { return &r.ID },
		RemovedAt: func(r *SiteRecord) *sql.Null[time.Time] { return &r.RemovedAt },
	}
}

// site is a site with what its variable says.
type site struct {
	datto.Site
	Account codex.AccountNumber // empty: none
	Unread  error               // its variables could not be read
	Placed  bool                // Account is a company's
}

// accountOf is the value of a site's account variable: empty where the site has none, a blank or a
// masked one. Names are compared as Datto shows them.
func accountOf(variables []datto.Variable, name string) codex.AccountNumber {
	for _, v := range variables {
		if v.Name == name && v.Value != nil && !v.Masked {
			return codex.AccountNumber(strings.TrimSpace(*v.Value))
		}
	}
	return ""
}

// placeSites says which company each site belongs to. A pseudo site ("Deleted Devices") is none.
func placeSites(list []site, known map[codex.AccountNumber]bool, variable string) (records []SiteRecord, placed map[string]site, issues []Issue) {
	placed = make(map[string]site, len(list))
	for _, s := range list {
		if s.Pseudo() {
			continue
		}
		s.Placed = known[s.Account]
		placed[s.UID] = s
		switch {
		case s.Unread != nil:
			issues = append(issues, siteUnread(s))
		case s.Account == "":
			issues = append(issues, Issue{Kind: IssueSiteWithoutAccount, ID: s.UID, entity: "sites",
				Reason: fmt.Sprintf("The site %q has no value in the variable %s: its machines belong to no company.", s.Name, variable)})
		case s.Placed:
			records = append(records, SiteRecord{Account: s.Account, UID: s.UID, Name: s.Name,
				DattoID: sql.Null[int64]{V: s.ID, Valid: s.ID != 0}})
		}
	}
	return records, placed, issues
}

func siteUnread(s site) Issue {
	return Issue{Kind: IssueSiteUnread, ID: s.UID, Account: s.Account, entity: "sites",
		Reason: fmt.Sprintf("The site %q could not be read, so its machines stay as they are: the next run tries again.", s.Name)}
}
