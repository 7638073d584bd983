package syncers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/store"
)

// requesterBase is what the hub holds of a requester, and what their contact needs.
type requesterBase struct {
	revisions map[string]int64
	contacts  []ContactRecord // with their id: one, or none
	links     []ContactLinkRecord
	companies []CompanyRecord
	nextID    int
	imported  []ContactRecord // those that no record of Freshservice has claimed yet
}

func (e *Engine) requesterBase(ctx context.Context, id int64) (requesterBase, error) {
	var base requesterBase
	err := e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if base.revisions, err = tx.Revisions(ctx, "companies", "contacts", "contact_links"); err != nil {
			return err
		}
		if base.contacts, err = load(ctx, tx, contacts(), "freshservice_id = $1", id); err != nil {
			return err
		}
		if base.imported, err = load(ctx, tx, contacts(), "freshservice_id IS NULL AND removed_at IS NULL"); err != nil {
			return err
		}
		if base.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		for _, c := range base.contacts {
			if base.links, err = loadKeyed(ctx, tx, contactLinks(), "contact_id", []int{c.ID}); err != nil {
				return err
			}
		}
		slices.SortFunc(base.links, func(a, b ContactLinkRecord) int { return strings.Compare(a.key(), b.key()) })
		base.nextID, err = freeID(ctx, tx, contacts())
		return err
	})
	return base, err
}

func (b requesterBase) equal(other requesterBase) bool {
	return slices.Equal(b.contacts, other.contacts) && slices.Equal(b.links, other.links)
}

// freeID is the first id of e that no row ever had: rows are never deleted, only marked removed.
func freeID[R any](ctx context.Context, tx *store.Tx, e *Entity[R]) (int, error) {
	var id int
	err := tx.SQL().QueryRowContext(ctx, "SELECT coalesce(max(id), 0) + 1 FROM "+e.tableName()).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", e.Name, store.Translate(err))
	}
	return id, nil
}

// rereadRequester reads a requester and brings the contact and its companies to what it says. Left to
// the runs are who is gone or an agent now, who has no e-mail address, and who may be a contact of an
// import: which one, only all requesters together tell.
func (e *Engine) rereadRequester(ctx context.Context, id int64) (finding, error) {
	from := e.db.Now()
	before, err := e.requesterBase(ctx, id)
	if err != nil {
		return finding{}, err
	}
	r, err := e.freshservice.Requester(ctx, id)
	if transport.IsNotFound(err) {
		return finding{}, nil
	}
	if err != nil {
		return finding{}, err
	}
	contact, billable := mapRequester(r)
	claimed := func(c ContactRecord) bool { return fold(c.Email) == fold(contact.Email) }
	if !billable || len(before.contacts) == 0 && slices.ContainsFunc(before.imported, claimed) {
		return finding{}, nil
	}
	accounts, err := e.accountsOf(ctx, r.DepartmentIDs, before.companies)
	if err != nil {
		return finding{}, err
	}
	stay, err := e.linksThatStay(ctx, before, accounts)
	if err != nil {
		return finding{}, err
	}
	return finding{from: from, feed: codex.FeedFreshservice, plan: func(ctx context.Context) (FeedPlan, error) {
		now, err := e.requesterBase(ctx, id)
		if err != nil {
			return FeedPlan{}, err
		}
		served := servedAccounts(now.companies)
		renamed := slices.ContainsFunc(accounts, func(account codex.AccountNumber) bool { return !served[account] })
		if renamed || !now.equal(before) {
			return FeedPlan{}, errOvertaken
		}
		return planRequester(contact, accounts, stay, now), nil
	}}, nil
}

// planRequester plans one contact and its links. stay are companies that it keeps though the requester
// does not name them.
func planRequester(contact ContactRecord, accounts []codex.AccountNumber, stay map[codex.AccountNumber]bool, base requesterBase) FeedPlan {
	contactPlan := Plan(contacts(), base.contacts, []ContactRecord{contact}, base.nextID, Scope[ContactRecord]{})
	id := base.nextID
	for _, c := range base.contacts {
		id = c.ID
	}
	var links []ContactLinkRecord
	for _, account := range accounts {
		links = append(links, ContactLinkRecord{Account: account, ContactID: id, Source: sourceFreshservice})
	}
	follows := func(l *ContactLinkRecord) bool { return l.Source == sourceFreshservice && !stay[l.Account] }
	linkPlan := Plan(contactLinks(), base.links, links, 0, Scope[ContactLinkRecord]{Complete: follows, Gone: follows})
	return FeedPlan{Base: base.revisions, Steps: []Step{
		step[ContactRecord]{entity: contacts(), plan: contactPlan},
		step[ContactLinkRecord]{entity: contactLinks(), plan: linkPlan},
	}}
}

// accountsOf are the companies of departments: by the companies that are stored, else by what
// Freshservice says of a department. One that is no company yet is left out: the next run finds it.
func (e *Engine) accountsOf(ctx context.Context, departments []int64, stored []CompanyRecord) ([]codex.AccountNumber, error) {
	var accounts []codex.AccountNumber
	for _, id := range departments {
		place := placer(nil, stored)
		account, known := place(&id)
		if !known {
			d, err := e.freshservice.Department(ctx, id)
			if hidden(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			account, known = placer([]freshservice.Department{d}, stored)(&id)
		}
		if known {
			accounts = append(accounts, account)
		}
	}
	slices.Sort(accounts)
	return slices.Compact(accounts), nil
}

// linksThatStay are the companies that a contact keeps although its requester names no department of
// theirs any more: those whose department is gone. Freshservice takes the department off its people
// then, and they stay billed until an admin has decided, as in a run.
func (e *Engine) linksThatStay(ctx context.Context, base requesterBase, accounts []codex.AccountNumber) (map[codex.AccountNumber]bool, error) {
	department := make(map[codex.AccountNumber]int64)
	for _, c := range base.companies {
		if !c.ArchivedAt.Valid { // what was billed of an archived one is no business of ours
			department[c.Account] = c.FreshserviceID.V
		}
	}
	stay := make(map[codex.AccountNumber]bool)
	for _, l := range base.links {
		if l.Source != sourceFreshservice || slices.Contains(accounts, l.Account) {
			continue
		}
		if department[l.Account] == 0 {
			stay[l.Account] = true
			continue
		}
		_, err := e.freshservice.Department(ctx, department[l.Account])
		if err != nil && !hidden(err) {
			return nil, err
		}
		stay[l.Account] = err != nil
	}
	return stay, nil
}

// departmentBase is what the hub holds of companies: of all, since no number must be given twice.
type departmentBase struct {
	revisions map[string]int64
	companies []CompanyRecord
	offices   []LocationRecord
	nextID    int
}

func (e *Engine) departmentBase(ctx context.Context) (departmentBase, error) {
	var base departmentBase
	err := e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if base.revisions, err = tx.Revisions(ctx, "companies", "locations"); err != nil {
			return err
		}
		if base.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		if base.offices, err = load(ctx, tx, locations(), "name = $1", mainOffice); err != nil {
			return err
		}
		base.nextID, err = freeID(ctx, tx, locations())
		return err
	})
	return base, err
}

// of are the companies that have the department or the number, and the main offices of that number.
func (b departmentBase) of(id int64, account codex.AccountNumber) (rows []CompanyRecord, offices []LocationRecord) {
	for _, c := range b.companies {
		if c.Account == account || c.FreshserviceID == some(id) {
			rows = append(rows, c)
		}
	}
	for _, l := range b.offices {
		if l.Account == account {
			offices = append(offices, l)
		}
	}
	slices.SortFunc(rows, func(a, b CompanyRecord) int { return strings.Compare(string(a.Account), string(b.Account)) })
	return rows, offices
}

// rereadDepartment reads a department and brings its company's fields and main office to what it says,
// or makes the company. Left to the runs is what they ask a person about: a department that is gone,
// has no number, another one than its company, or one that another department's company has.
func (e *Engine) rereadDepartment(ctx context.Context, id int64) (finding, error) {
	from := e.db.Now()
	before, err := e.departmentBase(ctx)
	if err != nil {
		return finding{}, err
	}
	d, err := e.freshservice.Department(ctx, id)
	if transport.IsNotFound(err) {
		return finding{}, nil
	}
	if err != nil {
		return finding{}, err
	}
	number, _ := d.CustomFields.Text("account_number")
	number = strings.TrimSpace(number)
	account := codex.AccountNumber(number)
	rows, offices := before.of(d.ID, account)
	another := slices.ContainsFunc(rows, func(c CompanyRecord) bool { return c.Account != account || c.FreshserviceID != some(d.ID) })
	if number == "" || tooLong(number) || another {
		return finding{}, nil
	}
	names, err := e.namesOf(ctx, d)
	if err != nil {
		return finding{}, err
	}
	return finding{from: from, feed: codex.FeedFreshservice, plan: func(ctx context.Context) (FeedPlan, error) {
		now, err := e.departmentBase(ctx)
		if err != nil {
			return FeedPlan{}, err
		}
		rowsNow, officesNow := now.of(d.ID, account)
		if !slices.Equal(rowsNow, rows) || !slices.Equal(officesNow, offices) {
			return FeedPlan{}, errOvertaken
		}
		return planDepartment(mapDepartment(d, account, names), rows, d, offices, now), nil
	}}, nil
}

// planDepartment plans one company and its main office, which a re-read does not remove.
func planDepartment(company CompanyRecord, rows []CompanyRecord, d freshservice.Department, offices []LocationRecord, base departmentBase) FeedPlan {
	var office []LocationRecord
	if l, ok := mapOffice(d, company.Account); ok {
		office = append(office, l)
	}
	return FeedPlan{Base: base.revisions, Steps: []Step{
		step[CompanyRecord]{entity: companies(), plan: Plan(companies(), rows, []CompanyRecord{company}, 0, Scope[CompanyRecord]{})},
		step[LocationRecord]{entity: locations(), plan: Plan(locations(), offices, office, base.nextID, Scope[LocationRecord]{})},
	}}
}

// namesOf finds the names of the users whom a department names by id alone: a contact's, else an
// agent's or a requester's. Who cannot be read keeps the name that is stored.
func (e *Engine) namesOf(ctx context.Context, d freshservice.Department) (userNames, error) {
	names := make(userNames)
	for _, user := range []struct {
		name *string
		id   *int64
	}{{d.HeadName, d.HeadUserID}, {d.PrimeUserName, d.PrimeUserID}} {
		if _, unread := names.of(user.name, user.id); !unread {
			continue
		}
		r := ticketRun{Engine: e, people: make(map[int64]requester)}
		if err := r.findRequester(ctx, user.id); err != nil {
			return nil, err
		}
		who, err := r.who(ctx, user.id)
		switch {
		case err == nil:
			names[*user.id] = who.name.V
		case ctx.Err() != nil || keyRefused(err):
			return nil, err
		}
	}
	return names, nil
}
