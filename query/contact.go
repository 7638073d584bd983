package query

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/assetcontactlink"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/ent/predicate"
)

// Contact is the contact with that id; a [codex.CodeNotFound] error where there is none.
func (r *Reader) Contact(ctx context.Context, id int, columns ...string) (*ent.Contact, error) {
	q := r.client.Contact.Query().Where(contact.ID(id), contact.RemovedAtIsNil())
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("contact", id)
	case err != nil:
		return nil, fmt.Errorf("reading contact %d: %w", id, err)
	}
	return found, nil
}

// ContactsByCompany are the contacts that belong to each company.
func (r *Reader) ContactsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Contact, error) {
	rows, err := r.contacts(ctx, columns, linked[predicate.Contact](link{
		table: contactcompanylink.Table, child: contactcompanylink.FieldContactID,
		parent: contactcompanylink.FieldCompanyAccountNumber, key: contact.FieldID,
	}, accounts))
	if err != nil {
		return nil, fmt.Errorf("reading contacts by company: %w", err)
	}
	return groupByParent(rows, textKey[codex.AccountNumber])
}

// ContactsByAsset are the contacts who use each asset.
func (r *Reader) ContactsByAsset(ctx context.Context, assets []int, columns ...string) (map[int][]*ent.Contact, error) {
	rows, err := r.contacts(ctx, columns, linked[predicate.Contact](link{
		table: assetcontactlink.Table, child: assetcontactlink.FieldContactID,
		parent: assetcontactlink.FieldAssetID, key: contact.FieldID,
	}, assets))
	if err != nil {
		return nil, fmt.Errorf("reading contacts by asset: %w", err)
	}
	return groupByParent(rows, intKey)
}

func (r *Reader) contacts(ctx context.Context, columns []string, which predicate.Contact) ([]*ent.Contact, error) {
	q := r.client.Contact.Query().Where(contact.RemovedAtIsNil(), which).Order(contact.ByID())
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	return q.All(ctx)
}
