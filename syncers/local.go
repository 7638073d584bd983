package syncers

// What is local a person says, and no sync changes it: a company's telephone and e-mail system, its
// levels of support and compliance, how somebody is employed, and links made by hand (local_links.go).

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

const (
	// employed is how a contact is employed of whom nobody said how (docs/compatibility.md, "Contact").
	employed = "Full Time"
	// compliance is the level that is kept for a company of which nobody said which
	// (docs/compatibility.md, "Company").
	compliance = "standard"
	// maxLocal is how long a local text may be, in characters: as long as the old service's names.
	maxLocal = 150
)

// Edit is what a person makes of a local text. The zero value leaves it as it is.
type Edit struct {
	Given bool
	Text  *string // nil takes back what a person said before
}

// CompanyEdit is what a person makes of a company's local fields.
type CompanyEdit struct {
	// PhoneSystem and EmailSystem win over Freshservice's custom fields of these names. Taken back
	// they are null until the next sync of a custom field that has a value.
	PhoneSystem, EmailSystem Edit
	SupportLevel             Edit
	ComplianceLevel          Edit // taken back: "standard"
}

// ContactEdit is what a person makes of a contact's local fields.
type ContactEdit struct {
	EmploymentType Edit // taken back: "Full Time"
}

// UpdateCompany changes the local fields of a served company; by is the person who does it. Its version
// ends and another one begins where one of them is another than before; changed tells whether.
//
// There being no such company is [codex.CodeNotFound]; no edit at all, a blank text, one of more than
// 150 characters or with control characters is [codex.CodeBadInput].
func (e *Engine) UpdateCompany(ctx context.Context, account codex.AccountNumber, edit CompanyEdit, by string) (company *ent.Company, changed bool, err error) {
	account, err = accountNumber("accountNumber", account)
	if err != nil {
		return nil, false, err
	}
	phone, err := edit.PhoneSystem.said("phoneSystem")
	if err != nil {
		return nil, false, err
	}
	email, err := edit.EmailSystem.said("emailSystem")
	if err != nil {
		return nil, false, err
	}
	support, err := edit.SupportLevel.said("supportLevel")
	if err != nil {
		return nil, false, err
	}
	level, err := edit.ComplianceLevel.said("complianceLevel")
	if err != nil {
		return nil, false, err
	}
	if err := anyGiven(edit.PhoneSystem, edit.EmailSystem, edit.SupportLevel, edit.ComplianceLevel); err != nil {
		return nil, false, err
	}
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, companies().Name); err != nil { // from here on nobody else writes them
			return err
		}
		current, err := servedCompany(ctx, tx, account)
		if err != nil {
			return err
		}
		next := current
		if edit.PhoneSystem.Given {
			next.PhoneSystem, next.PhoneLocal = phone, phone.Valid
		}
		if edit.EmailSystem.Given {
			next.EmailSystem, next.EmailLocal = email, email.Valid
		}
		if edit.SupportLevel.Given {
			next.SupportLevel = support
		}
		if edit.ComplianceLevel.Given {
			next.Compliance = orDefault(level.V, compliance)
		}
		if changed, err = writeLocal(ctx, tx, companies(), current, next, by); err != nil {
			return err
		}
		company, err = tx.Ent().Company.Get(ctx, account)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("changing the company %s: %w", account, defect(err))
	}
	if changed {
		e.logger.InfoContext(ctx, "company changed", slog.String("account_number", string(account)), slog.String("by", by))
	}
	return company, changed, nil
}

// UpdateContact changes the local fields of a served contact; by is the person who does it. changed
// tells whether one of them is another than before.
//
// There being no such contact is [codex.CodeNotFound]; what is wrong with an edit is told as by
// [Engine.UpdateCompany].
func (e *Engine) UpdateContact(ctx context.Context, id int, edit ContactEdit, by string) (contact *ent.Contact, changed bool, err error) {
	employment, err := edit.EmploymentType.said("employmentType")
	if err != nil {
		return nil, false, err
	}
	if err := anyGiven(edit.EmploymentType); err != nil {
		return nil, false, err
	}
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, contacts().Name); err != nil {
			return err
		}
		current, err := servedContact(ctx, tx, "id", id)
		if err != nil {
			return err
		}
		next := current
		next.EmploymentType = orDefault(employment.V, employed)
		if changed, err = writeLocal(ctx, tx, contacts(), current, next, by); err != nil {
			return err
		}
		contact, err = tx.Ent().Contact.Get(ctx, id)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("changing the contact %d: %w", id, defect(err))
	}
	if changed {
		e.logger.InfoContext(ctx, "contact changed", slog.Int("contact_id", id), slog.String("by", by))
	}
	return contact, changed, nil
}

// said is the text that an edit of field gives, nothing where it takes one back or says nothing.
func (edit Edit) said(field string) (sql.Null[string], error) {
	if edit.Text == nil {
		return sql.Null[string]{}, nil
	}
	text := strings.TrimSpace(*edit.Text)
	switch {
	case text == "":
		return sql.Null[string]{}, codex.BadInput(field, "an empty text says nothing: null takes back what was said before")
	case utf8.RuneCountInString(text) > maxLocal:
		return sql.Null[string]{}, codex.BadInput(field, "this text has at most %d characters", maxLocal)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, breaksLine):
		return sql.Null[string]{}, codex.BadInput(field, "this text is one line without control characters, in UTF-8")
	}
	return some(text), nil
}

// breaksLine tells control characters and Unicode's own ends of lines and paragraphs.
func breaksLine(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

// anyGiven makes sure that there is something to do: who forgot what they wanted is told.
func anyGiven(edits ...Edit) error {
	for _, edit := range edits {
		if edit.Given {
			return nil
		}
	}
	return codex.BadInput("input", "say what to change")
}

// servedContact is the row of a contact that is served; field is the argument that names it.
func servedContact(ctx context.Context, tx *store.Tx, field string, id int) (ContactRecord, error) {
	rows, err := load(ctx, tx, contacts(), "id = $1 AND removed_at IS NULL", id)
	if err != nil {
		return ContactRecord{}, err
	}
	if len(rows) == 0 {
		return ContactRecord{}, &codex.Error{Code: codex.CodeNotFound, Field: field, Message: fmt.Sprintf("there is no contact %d", id)}
	}
	return rows[0], nil
}

// writeLocal makes a row of e what a person made of it. changed tells whether that is another.
func writeLocal[R any](ctx context.Context, tx *store.Tx, e *Entity[R], current, next R, by string) (changed bool, err error) {
	fields, ofHistory := e.changed(&current, &next)
	if len(fields) == 0 {
		return false, nil
	}
	return true, byHand(ctx, tx, e, EntityPlan[R]{Updates: []Update[R]{{Old: current, New: next, Fields: fields, ofHistory: ofHistory}}}, by)
}

// byHand writes what a person does to rows of e, with their history, and raises its revision: what a
// run has planned before is planned anew.
func byHand[R any](ctx context.Context, tx *store.Tx, e *Entity[R], plan EntityPlan[R], by string) error {
	if err := (step[R]{entity: e, plan: plan}).apply(ctx, tx, tx.Now(), history.Origin{By: by}); err != nil {
		return fmt.Errorf("writing %s: %w", e.Name, err)
	}
	return tx.Raise(ctx, e.Name)
}
