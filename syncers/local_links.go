package syncers

// Links made by hand: whose a contact is and who uses a machine, where an upstream does not say it or
// says it wrongly.
//
// A link has one row, whose source says who made it. A person's word outlasts an upstream's: linking
// where an upstream has the link makes it a person's, and it stays when the upstream has it no more.
// Unlinking takes the word back: where the upstream has the link still, its next sync makes it again, as
// its own. For the same reason nobody takes away a link that is an upstream's: it would be back.

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// ContactLink is who was linked to which company, or was.
type ContactLink struct {
	Contact *ent.Contact
	Company *ent.Company
	Changed bool // false where it was like that already
}

// AssetLink is which machine was linked to whom, or was.
type AssetLink struct {
	Asset   *ent.Asset
	Contact *ent.Contact
	Changed bool // false where it was like that already
}

// LinkContact makes a served contact one of a served company's people, whatever Freshservice says; by is
// the person who does it. The history of such links has them. Who is linked by hand already stays so.
//
// There being no such contact or company is [codex.CodeNotFound].
func (e *Engine) LinkContact(ctx context.Context, contactID int, account codex.AccountNumber, by string) (ContactLink, error) {
	return e.contactLink(ctx, "contact linked to company", contactID, account, by, linked[ContactLinkRecord])
}

// UnlinkContact takes back what [Engine.LinkContact] did; by is the person who does it. Where there is no
// such link nothing is done.
//
// There being no such contact or company is [codex.CodeNotFound], a link that comes from Freshservice
// [codex.CodeConflict].
func (e *Engine) UnlinkContact(ctx context.Context, contactID int, account codex.AccountNumber, by string) (ContactLink, error) {
	return e.contactLink(ctx, "contact unlinked from company", contactID, account, by, unlinked[ContactLinkRecord])
}

// LinkAsset says that a served contact uses a served machine, whoever Datto RMM saw on it last; by is the
// person who does it, which only the log keeps: these links have no past. Who is linked by hand already
// stays so. The contact may be of another company than the machine.
//
// There being no such machine or contact is [codex.CodeNotFound].
func (e *Engine) LinkAsset(ctx context.Context, assetID, contactID int, by string) (AssetLink, error) {
	return e.assetLink(ctx, "asset linked to contact", assetID, contactID, by, linked[AssetLinkRecord])
}

// UnlinkAsset takes back what [Engine.LinkAsset] did; by is the person who does it. Where there is no such
// link nothing is done.
//
// There being no such machine or contact is [codex.CodeNotFound], a link to the machine's last user
// [codex.CodeConflict].
func (e *Engine) UnlinkAsset(ctx context.Context, assetID, contactID int, by string) (AssetLink, error) {
	return e.assetLink(ctx, "asset unlinked from contact", assetID, contactID, by, unlinked[AssetLinkRecord])
}

// linking decides what becomes of a link, of which rows are those that are there (one or none), for a
// person who names by hand the link made. owned is what is told where the link is an upstream's.
type linking[R any] func(e *Entity[R], rows []R, made R, source func(*R) *string, owned error) (EntityPlan[R], error)

func linked[R any](e *Entity[R], rows []R, made R, _ func(*R) *string, _ error) (EntityPlan[R], error) {
	plan := EntityPlan[R]{Creates: []R{made}}
	if len(rows) > 0 {
		plan = EntityPlan[R]{}
		if fields, ofHistory := e.changed(&rows[0], &made); len(fields) > 0 {
			plan.Updates = []Update[R]{{Old: rows[0], New: made, Fields: fields, ofHistory: ofHistory}}
		}
	}
	return plan, nil
}

func unlinked[R any](_ *Entity[R], rows []R, _ R, source func(*R) *string, owned error) (EntityPlan[R], error) {
	for i := range rows {
		if *source(&rows[i]) != sourceManual {
			return EntityPlan[R]{}, owned
		}
	}
	return EntityPlan[R]{Removals: rows}, nil
}

func (e *Engine) contactLink(
	ctx context.Context, what string, contactID int, account codex.AccountNumber, by string, decide linking[ContactLinkRecord],
) (link ContactLink, err error) {
	if account, err = accountNumber("accountNumber", account); err != nil {
		return ContactLink{}, err
	}
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		// Neither goes while they are linked.
		if _, err := tx.Revisions(ctx, companies().Name, contacts().Name, contactLinks().Name); err != nil {
			return err
		}
		if _, err := servedContact(ctx, tx, "contactId", contactID); err != nil {
			return err
		}
		company, err := servedCompany(ctx, tx, account)
		if err != nil {
			return err
		}
		rows, err := load(ctx, tx, contactLinks(), "contact_id = $1 AND company_account_number = $2", contactID, account)
		if err != nil {
			return err
		}
		owned := codex.Errorf(codex.CodeConflict,
			"the contact %d belongs to %s because Freshservice says so: take the requester off the department %q there, and sync freshservice", contactID, account, company.Name)
		made := ContactLinkRecord{ContactID: contactID, Account: account, Source: sourceManual}
		plan, err := decide(contactLinks(), rows, made, func(r *ContactLinkRecord) *string { return &r.Source }, owned)
		if err != nil {
			return err
		}
		if link.Changed, err = writeLink(ctx, tx, contactLinks(), plan, by); err != nil {
			return err
		}
		if link.Contact, err = tx.Ent().Contact.Get(ctx, contactID); err != nil {
			return err
		}
		link.Company, err = tx.Ent().Company.Get(ctx, account)
		return err
	})
	if err != nil {
		return ContactLink{}, fmt.Errorf("the link of the contact %d to %s: %w", contactID, account, defect(err))
	}
	if link.Changed {
		e.logger.InfoContext(ctx, "link changed by hand", slog.String("change", what), slog.Int("contact_id", contactID), slog.String("account_number", string(account)), slog.String("by", by))
	}
	return link, nil
}

func (e *Engine) assetLink(ctx context.Context, what string, assetID, contactID int, by string, decide linking[AssetLinkRecord]) (link AssetLink, err error) {
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, companies().Name, assets().Name, contacts().Name, assetLinks().Name); err != nil {
			return err
		}
		if err := servedAsset(ctx, tx, "assetId", assetID); err != nil {
			return err
		}
		if _, err := servedContact(ctx, tx, "contactId", contactID); err != nil {
			return err
		}
		rows, err := load(ctx, tx, assetLinks(), "asset_id = $1 AND contact_id = $2", assetID, contactID)
		if err != nil {
			return err
		}
		owned := codex.Errorf(codex.CodeConflict,
			"the contact %d uses the asset %d because Datto RMM saw them log in last: the link goes with the next sync of datto after somebody else did", contactID, assetID)
		made := AssetLinkRecord{AssetID: assetID, ContactID: contactID, Source: sourceManual}
		plan, err := decide(assetLinks(), rows, made, func(r *AssetLinkRecord) *string { return &r.Source }, owned)
		if err != nil {
			return err
		}
		if link.Changed, err = writeLink(ctx, tx, assetLinks(), plan, by); err != nil {
			return err
		}
		if link.Asset, err = tx.Ent().Asset.Get(ctx, assetID); err != nil {
			return err
		}
		link.Contact, err = tx.Ent().Contact.Get(ctx, contactID)
		return err
	})
	if err != nil {
		return AssetLink{}, fmt.Errorf("the link of the asset %d to the contact %d: %w", assetID, contactID, defect(err))
	}
	if link.Changed {
		e.logger.InfoContext(ctx, "link changed by hand", slog.String("change", what), slog.Int("asset_id", assetID), slog.Int("contact_id", contactID), slog.String("by", by))
	}
	return link, nil
}

// writeLink writes what a person decided about a link. changed tells whether there was something to do.
func writeLink[R any](ctx context.Context, tx *store.Tx, e *Entity[R], plan EntityPlan[R], by string) (changed bool, err error) {
	if (step[R]{entity: e, plan: plan}).Empty() {
		return false, nil
	}
	return true, byHand(ctx, tx, e, plan, by)
}

// servedAsset makes sure that a machine and its company are served; field is the argument that names it.
func servedAsset(ctx context.Context, tx *store.Tx, field string, id int) error {
	const served = "id = $1 AND removed_at IS NULL AND company_account_number IN (SELECT account_number FROM companies WHERE archived_at IS NULL)"
	rows, err := load(ctx, tx, assets(), served, id)
	if err == nil && len(rows) == 0 {
		err = &codex.Error{Code: codex.CodeNotFound, Field: field, Message: fmt.Sprintf("there is no asset %d", id)}
	}
	return err
}
