package query

import (
	"context"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
	"github.com/hivematrix/codex/ent/contactversion"
	"github.com/hivematrix/codex/ent/predicate"
)

// PastContact is a contact as the person was. Which machines the person used has no past.
type PastContact struct {
	*ent.ContactVersion
	Past *Past
}

// ID is the contact's id and the moment.
func (c *PastContact) ID() string { return c.Past.id(strconv.Itoa(c.ContactID)) }

// Contact is the contact with that id; a [codex.CodeNotFound] error where there was none.
func (p *Past) Contact(ctx context.Context, id int, columns ...string) (*PastContact, error) {
	found, err := p.contacts(columns).Where(contactversion.ContactID(id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("contact", id)
	case err != nil:
		return nil, fmt.Errorf("reading contact %d of the past: %w", id, err)
	}
	return &PastContact{found, p}, nil
}

// Contacts is a page of the contacts that list wants.
func (p *Past) Contacts(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*PastContact], error) {
	return pageOf(view{p}, view.contacts, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*PastContact, error) {
		rows, err := p.contacts(columns).Where(which).Order(sort).Limit(limit).All(ctx)
		return p.pastContacts(rows), err
	})
}

// CountContacts is how many contacts filter wants.
func (p *Past) CountContacts(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{p}, view.contacts, filter, func(which func(*sql.Selector)) (int, error) {
		return p.contacts(nil).Where(which).Count(ctx)
	})
}

// ContactsByCompany are those of the contacts that belonged to each company that edge wants.
func (p *Past) ContactsByCompany(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*PastContact, error) {
	v := view{p}
	links := link{
		table: contactcompanylinkversion.Table, child: contactcompanylinkversion.FieldContactID,
		parent: contactcompanylinkversion.FieldCompanyAccountNumber, key: contactversion.FieldContactID, which: seenAt[func(*sql.Selector)](p.At),
	}
	which, sort, err := edgeOf(v, v.contacts(), edge, "", &links, accounts, linked[func(*sql.Selector)](links, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := p.contacts(columns).Where(which).Order(sort).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading contacts of the past by company: %w", err)
	}
	return groupByParent(p.pastContacts(rows), textKey[codex.AccountNumber])
}

func (p *Past) contacts(columns []string) *ent.ContactVersionQuery {
	q := p.reader.client.ContactVersion.Query().Where(seenAt[predicate.ContactVersion](p.At))
	if columns := with(columns, contactversion.FieldContactID); columns != nil {
		q.Select(columns...)
	}
	return q
}

func (p *Past) pastContacts(rows []*ent.ContactVersion) []*PastContact {
	return wrapped(rows, func(row *ent.ContactVersion) *PastContact { return &PastContact{row, p} })
}
