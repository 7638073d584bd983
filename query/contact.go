package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

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

// Contacts is a page of the contacts that list wants.
func (r *Reader) Contacts(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*ent.Contact], error) {
	return pageOf(view{}, view.contacts, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*ent.Contact, error) {
		q := r.client.Contact.Query().Where(contact.RemovedAtIsNil(), which).Order(sort).Limit(limit)
		if columns := with(columns); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountContacts is how many contacts filter wants.
func (r *Reader) CountContacts(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{}, view.contacts, filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.Contact.Query().Where(contact.RemovedAtIsNil(), which).Count(ctx)
	})
}

// ContactsByCompany are the contacts that belong to each company.
func (r *Reader) ContactsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Contact, error) {
	return r.ContactsByCompanyWhere(ctx, accounts, Edge{}, columns...)
}

// ContactsByCompanyWhere are those of each company that edge wants.
func (r *Reader) ContactsByCompanyWhere(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*ent.Contact, error) {
	links := link{
		table: contactcompanylink.Table, child: contactcompanylink.FieldContactID,
		parent: contactcompanylink.FieldCompanyAccountNumber, key: contact.FieldID,
	}
	which, sort, err := edgeOf(view{}, view{}.contacts(), edge, "", &links, accounts, linked[func(*sql.Selector)](links, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := r.contacts(ctx, columns, sort, which)
	if err != nil {
		return nil, fmt.Errorf("reading contacts by company: %w", err)
	}
	return groupByParent(rows, textKey[codex.AccountNumber])
}

// ContactsByAsset are the contacts who use each asset.
func (r *Reader) ContactsByAsset(ctx context.Context, assets []int, columns ...string) (map[int][]*ent.Contact, error) {
	rows, err := r.contacts(ctx, columns, contact.ByID(), linked[predicate.Contact](link{
		table: assetcontactlink.Table, child: assetcontactlink.FieldContactID,
		parent: assetcontactlink.FieldAssetID, key: contact.FieldID,
	}, assets))
	if err != nil {
		return nil, fmt.Errorf("reading contacts by asset: %w", err)
	}
	return groupByParent(rows, intKey)
}

func (r *Reader) contacts(ctx context.Context, columns []string, sort contact.OrderOption, which predicate.Contact) ([]*ent.Contact, error) {
	q := r.client.Contact.Query().Where(contact.RemovedAtIsNil(), which).Order(sort)
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	return q.All(ctx)
}
