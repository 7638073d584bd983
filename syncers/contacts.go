package syncers

// Contacts come from Freshservice's requesters, their companies from department_ids
// (docs/compatibility.md, "Sync rules").

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// ContactRecord is a row of contacts.
type ContactRecord struct {
	ID             int
	Name           string           // first_name and last_name
	Email          string           // primary_email
	FreshserviceID sql.Null[int64]  // id
	Title          sql.Null[string] // job_title
	EmploymentType string           // local
	Active         bool             // active
	Mobile         sql.Null[string] // mobile_phone_number
	Work           sql.Null[string] // work_phone_number
	Secondary      sql.Null[string] // secondary_emails, as a JSON array
	RemovedAt      sql.Null[time.Time]
}

func contacts() *Entity[ContactRecord] {
	e := &Entity[ContactRecord]{
		Name: "contacts", Label: func(r *ContactRecord) string { return r.Name + " <" + r.Email + ">" },
		Columns: []Column[ContactRecord]{
			column("id", primary, func(r *ContactRecord) *int { return &r.ID }),
			column("name", compared|kept, func(r *ContactRecord) *string { return &r.Name }),
			column("email", compared|kept, func(r *ContactRecord) *string { return &r.Email }),
			column("freshservice_id", compared|kept, func(r *ContactRecord) *sql.Null[int64] { return &r.FreshserviceID }),
			column("title", compared|kept, func(r *ContactRecord) *sql.Null[string] { return &r.Title }),
			column("employment_type", compared|kept, func(r *ContactRecord) *string { return &r.EmploymentType }),
			column("active", compared|kept, func(r *ContactRecord) *bool { return &r.Active }),
			column("mobile_phone_number", compared|kept, func(r *ContactRecord) *sql.Null[string] { return &r.Mobile }),
			column("work_phone_number", compared|kept, func(r *ContactRecord) *sql.Null[string] { return &r.Work }),
			column("secondary_emails", compared|kept, func(r *ContactRecord) *sql.Null[string] { return &r.Secondary }),
			column("removed_at", compared, func(r *ContactRecord) *sql.Null[time.Time] { return &r.RemovedAt }),
		},
		Keys: []Key[ContactRecord]{
			{Of: func(r *ContactRecord) (string, bool) { return idKey(r.FreshserviceID) }},
			{ // after an import, where no row has an upstream id yet
				Of:   func(r *ContactRecord) (string, bool) { return fold(r.Email), true },
				Free: func(r *ContactRecord, _ Scope[ContactRecord]) bool { return !r.FreshserviceID.Valid },
			},
		},
		ID:        func(r *ContactRecord) *int { return &r.ID },
		RemovedAt: func(r *ContactRecord) *sql.Null[time.Time] { return &r.RemovedAt },
		Merge: func(current, incoming ContactRecord) ContactRecord {
			incoming.EmploymentType = current.EmploymentType
			return incoming
		},
	}
	e.History = e.historyOf("contacts_history", "contact_id")
	return e
}

// mapRequester is the contact of a requester; false for one without e-mail address, which is an
// issue.
func mapRequester(r freshservice.Requester) (ContactRecord, bool) {
	email := filled(text(r.PrimaryEmail))
	if !email.Valid {
		return ContactRecord{}, false
	}
	return ContactRecord{
		Name: personName(r.FirstName, r.LastName, email.V), Email: email.V, FreshserviceID: some(r.ID),
		Title: told(r.JobTitle), EmploymentType: employed, Active: r.Active == nil || *r.Active,
		Mobile: told(r.MobilePhoneNumber), Work: told(r.WorkPhoneNumber), Secondary: textList(r.SecondaryEmails),
	}, true
}

// personName is first and last name. The old service wrote "None" for a part that is null; we leave
// it out, and take what stands before the @ where both are.
func personName(first, last, email string) string {
	if name := strings.Join(strings.Fields(first+" "+last), " "); name != "" {
		return name
	}
	before, _, _ := strings.Cut(email, "@")
	return before
}

func withoutEmail(r freshservice.Requester) Issue {
	name := personName(r.FirstName, r.LastName, "")
	return Issue{
		Kind: IssueContactWithoutEmail, ID: strconv.FormatInt(r.ID, 10), entity: "contacts",
		Reason: fmt.Sprintf("The requester %q has no primary e-mail address: give them one in Freshservice if they are to be billed.", name),
	}
}

// Who made a link.
const (
	sourceFreshservice = "freshservice" // a requester's department_ids
	sourceLastUser     = "last_user"    // a device's lastLoggedInUser
	sourceManual       = "manual"       // a person, see local_links.go
)

// ContactLinkRecord is a row of contact_company_link.
type ContactLinkRecord struct {
	Account   codex.AccountNumber
	ContactID int
	Source    string
}

func contactLinks() *Entity[ContactLinkRecord] {
	e := &Entity[ContactLinkRecord]{
		Name: "contact_links", Table: "contact_company_link",
		Columns: []Column[ContactLinkRecord]{
			column("contact_id", primary, func(r *ContactLinkRecord) *int { return &r.ContactID }),
			column("company_account_number", primary, func(r *ContactLinkRecord) *codex.AccountNumber { return &r.Account }),
			column("source", compared|kept, func(r *ContactLinkRecord) *string { return &r.Source }),
		},
		Keys:  []Key[ContactLinkRecord]{{Of: func(r *ContactLinkRecord) (string, bool) { return r.key(), true }}},
		Merge: keepManual[ContactLinkRecord](func(r *ContactLinkRecord) *string { return &r.Source }),
	}
	e.History = e.historyOf("contact_company_link_history", "contact_id", "company_account_number")
	return e
}

func (r *ContactLinkRecord) key() string {
	return strconv.Itoa(r.ContactID) + "\x00" + string(r.Account)
}

// keepManual leaves a link that a person made theirs, though an upstream has it too.
func keepManual[R any](source func(*R) *string) func(current, incoming R) R {
	return func(current, incoming R) R {
		*source(&incoming) = *source(&current)
		return incoming
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
