package rest

import (
	"context"
	"net/http"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/contact"
)

// contactJSON is a person (docs/compatibility.md, "Contact").
type contactJSON struct {
	ID                int     `json:"id"`
	Name              string  `json:"name"`
	Email             string  `json:"email"`
	Title             *string `json:"title"`
	EmploymentType    string  `json:"employment_type"`
	Active            bool    `json:"active"`
	MobilePhoneNumber *string `json:"mobile_phone_number"`
	WorkPhoneNumber   *string `json:"work_phone_number"`
	SecondaryEmails   *string `json:"secondary_emails"` // a JSON array inside a string
}

// contactColumns are the columns that contactForm reads.
func contactColumns() []string {
	return []string{
		contact.FieldID, contact.FieldName, contact.FieldEmail, contact.FieldTitle,
		contact.FieldEmploymentType, contact.FieldActive, contact.FieldMobilePhoneNumber,
		contact.FieldWorkPhoneNumber, contact.FieldSecondaryEmails,
	}
}

func contactForm(c *ent.Contact) contactJSON {
	return contactJSON{
		ID:                c.ID,
		Name:              c.Name,
		Email:             c.Email,
		Title:             c.Title,
		EmploymentType:    c.EmploymentType,
		Active:            c.Active,
		MobilePhoneNumber: c.MobilePhoneNumber,
		WorkPhoneNumber:   c.WorkPhoneNumber,
		SecondaryEmails:   c.SecondaryEmails,
	}
}

func (s *service) contacts(w http.ResponseWriter, r *http.Request) error {
	return children[*ent.Contact, contactJSON]{
		about: subject{Kind: "contacts", Entities: []string{ofContacts, ofContactLinks}},
		read: func(ctx context.Context, v moment, accounts []codex.AccountNumber) (map[codex.AccountNumber][]*ent.Contact, error) {
			return v.ContactsByCompany(ctx, accounts, contactColumns()...)
		},
		form: func(_ moment, c *ent.Contact) contactJSON { return contactForm(c) },
	}.serve(s, w, r)
}
