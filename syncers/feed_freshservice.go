package syncers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
	"github.com/hivematrix/codex/store"
)

// people is what was read from Freshservice: departments and requesters, completely.
type people struct {
	departments wire.Listing[freshservice.Department]
	requesters  wire.Listing[freshservice.Requester]
	agents      []freshservice.Agent // read where a contact is absent: it may have become one
	names       userNames

	from  time.Time                    // when reading began
	again map[UpstreamRecord]time.Time // what was asked for by itself since, with when
}

// peopleBase is what the hub holds of them.
type peopleBase struct {
	revisions map[string]int64
	companies []CompanyRecord
	locations []LocationRecord
	contacts  []ContactRecord
	links     []ContactLinkRecord
	rereads   map[UpstreamRecord]time.Time // what was re-read since the run began to read, with when
}

// syncFreshservice brings companies, their main offices and contacts to what Freshservice holds. It
// reads everything, or fails: people and departments refer to each other.
func (e *Engine) syncFreshservice(ctx context.Context, run *Run) (Outcome, error) {
	var outcome Outcome
	if err := e.checkUpstream(ctx, run, upstreamFreshservice, e.settings.FreshserviceIdentity); err != nil {
		return outcome, err
	}
	read, err := e.readPeople(ctx, run)
	if err != nil {
		return outcome, err
	}
	verdicts := make(map[int64]bool) // requesters that were asked for by id: gone or not
	agentsAsked := false
	plan, err := e.settle(ctx, run, func(ctx context.Context) (FeedPlan, error) {
		outcome = Outcome{}
		base, err := e.peopleBase(ctx, read.from)
		if err != nil {
			return FeedPlan{}, err
		}
		if err := e.askAnew(ctx, &read, base.rereads); err != nil {
			return FeedPlan{}, err
		}
		p := newPlanner(read, base, e.settings.guard(run))
		if len(p.missing()) > 0 && !agentsAsked {
			agentsAsked = true
			if read.agents, err = e.readAgents(ctx, run); err != nil {
				return FeedPlan{}, err
			}
			p = newPlanner(read, base, e.settings.guard(run))
		}
		suspects := slices.DeleteFunc(p.suspects(), func(c *ContactRecord) bool {
			_, asked := verdicts[c.FreshserviceID.V]
			return asked
		})
		answers, err := askEach(ctx, e.db.Now, suspects, func(ctx context.Context, c *ContactRecord) (gone bool, err error) {
			return e.requesterGone(ctx, c.FreshserviceID.V)
		})
		if err != nil {
			return FeedPlan{}, err
		}
		for i, c := range suspects {
			if err := answers[i].err; err != nil {
				outcome.Unread = append(outcome.Unread, fmt.Sprintf("Contact %d (%s) is absent, and could not be asked for: %s", c.ID, c.Email, reasonOf(err)))
				continue
			}
			verdicts[c.FreshserviceID.V] = answers[i].value
		}
		return p.plan(verdicts), nil
	})
	if err != nil {
		return outcome, err
	}
	outcome.add(run, plan.Steps...)
	for _, c := range outcome.Counts {
		outcome.held(c.Entity, c.Held, run.Request.DryRun)
	}
	return outcome, nil
}

func (e *Engine) readPeople(ctx context.Context, run *Run) (people, error) {
	read := people{from: e.db.Now(), again: make(map[UpstreamRecord]time.Time)}
	var err error
	run.Phase("reading departments")
	if read.departments, err = e.freshservice.Departments(ctx); err != nil {
		return read, err
	}
	run.Phase("reading requesters")
	if read.requesters, err = e.freshservice.Requesters(ctx); err != nil {
		return read, err
	}
	if err := whole("departments", read.departments.Seen(), read.departments.Complete); err != nil {
		return read, err
	}
	if err := whole("requesters", read.requesters.Seen(), read.requesters.Complete); err != nil {
		return read, err
	}
	read.names, err = e.readNames(ctx, run, read)
	return read, err
}

// readAgents lists the agents, as far as the key may see them: a requester turned agent is in no list
// of requesters any more, and stays a contact.
func (e *Engine) readAgents(ctx context.Context, run *Run) ([]freshservice.Agent, error) {
	agents, err := e.freshservice.Agents(ctx)
	if err != nil && !keyRefused(err) && ctx.Err() == nil {
		run.Say("agents could not be listed, so absent contacts are asked for one by one: %s", reasonOf(err))
		return nil, nil
	}
	return agents.Items, err
}

// whole refuses an empty or incomplete listing: an upstream that has nothing at all is one that
// lies.
func whole(what string, seen int, complete bool) error {
	switch {
	case seen == 0:
		return codex.Errorf(codex.CodeUnavailable, "the upstream lists no %s at all: nothing was changed", what)
	case !complete:
		return codex.Errorf(codex.CodeUnavailable, "the list of %s came incomplete: nothing was changed", what)
	}
	return nil
}

// readNames finds the names of the users whom departments name by id alone; agents are asked for one
// by one, since they are in no list that every key may read. Who cannot be read keeps the name that
// is stored.
func (e *Engine) readNames(ctx context.Context, run *Run, read people) (userNames, error) {
	names := make(userNames)
	for _, r := range read.requesters.Items {
		names[r.ID] = personName(r.FirstName, r.LastName, text(r.PrimaryEmail))
	}
	asked := make(map[int64]bool)
	for _, d := range read.departments.Items {
		for _, user := range []struct {
			name *string
			id   *int64
		}{{d.HeadName, d.HeadUserID}, {d.PrimeUserName, d.PrimeUserID}} {
			if _, unread := names.of(user.name, user.id); !unread || asked[*user.id] {
				continue
			}
			asked[*user.id] = true
			agent, err := e.freshservice.Agent(ctx, *user.id)
			switch {
			case keyRefused(err) || ctx.Err() != nil:
				return nil, err
			case err == nil:
				names[*user.id] = personName(agent.FirstName, agent.LastName, text(agent.Email))
			case transport.IsNotFound(err):
				names[*user.id] = ""
			default:
				run.Say("who the user %d of the department %q is could not be read: %s", *user.id, d.Name, reasonOf(err))
			}
		}
	}
	return names, nil
}

// requesterGone asks for a requester that no listing has: gone are only those whom Freshservice
// knows neither as requester nor as agent.
func (e *Engine) requesterGone(ctx context.Context, id int64) (bool, error) {
	_, err := e.freshservice.Requester(ctx, id)
	if !transport.IsNotFound(err) {
		return false, err
	}
	_, err = e.freshservice.Agent(ctx, id)
	if transport.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

func (e *Engine) peopleBase(ctx context.Context, readFrom time.Time) (peopleBase, error) {
	var base peopleBase
	err := e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if base.revisions, err = tx.Revisions(ctx, "companies", "locations", "contacts", "contact_links"); err != nil {
			return err
		}
		if base.rereads, err = peopleReread(ctx, tx, readFrom); err != nil {
			return err
		}
		if base.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		if base.locations, err = load(ctx, tx, locations(), ""); err != nil {
			return err
		}
		if base.contacts, err = load(ctx, tx, contacts(), ""); err != nil {
			return err
		}
		base.links, err = load(ctx, tx, contactLinks(), "")
		return err
	})
	return base, err
}

// planner plans the feed freshservice. It is pure: what must be asked goes in by plan's argument.
type planner struct {
	read  people
	base  peopleBase
	guard Guard

	departments departments
	contacts    []ContactRecord
	accounts    map[int64][]codex.AccountNumber // of each requester that is a contact, by its id
	seen        map[int64]bool                  // requesters that are there, contact or not
	unclear     map[int64]bool                  // requesters of a department that could not be decoded
	issues      []Issue
	heldContact map[string]bool
}

func newPlanner(read people, base peopleBase, guard Guard) *planner {
	p := &planner{read: read, base: base, guard: guard}
	p.prepare()
	return p
}

// prepare maps what was read, and holds contacts that would be too many to lose.
func (p *planner) prepare() {
	bad := make(map[int64]bool)
	for _, b := range p.read.departments.Bad {
		bad[numericID(b.ID)] = true
		p.issues = append(p.issues, badRecord(b, "department", "companies"))
	}
	p.departments = mapDepartments(p.read.departments.Items, bad, p.base.companies, p.read.names)
	p.issues = append(p.issues, p.departments.issues...)
	p.accounts = make(map[int64][]codex.AccountNumber)
	p.seen, p.unclear = make(map[int64]bool), make(map[int64]bool)
	for _, a := range p.read.agents {
		p.seen[a.ID] = true
	}
	for _, b := range p.read.requesters.Bad {
		p.seen[numericID(b.ID)] = true
		p.issues = append(p.issues, badRecord(b, "requester", "contacts"))
	}
	for _, r := range p.read.requesters.Items {
		p.seen[r.ID] = true
		contact, ok := mapRequester(r)
		if !ok {
			p.issues = append(p.issues, withoutEmail(r))
			continue
		}
		p.contacts = append(p.contacts, contact)
		p.accounts[r.ID] = []codex.AccountNumber{}
		for _, department := range r.DepartmentIDs {
			if account, ok := p.departments.accounts[department]; ok {
				p.accounts[r.ID] = append(p.accounts[r.ID], account)
			} else if p.departments.bad[department] {
				p.unclear[r.ID] = true
			}
		}
	}
	p.heldContact = p.holdContacts()
}

// holdContacts says which absent contacts are too many: of all, or of one company.
func (p *planner) holdContacts() map[string]bool {
	companiesOf := make(map[int][]codex.AccountNumber)
	archived := archivedAccounts(p.base.companies)
	for _, l := range p.base.links {
		if !archived[l.Account] {
			companiesOf[l.ContactID] = append(companiesOf[l.ContactID], l.Account)
		}
	}
	groups := func(c *ContactRecord) []string {
		list := []string{"all"}
		for _, account := range companiesOf[c.ID] {
			list = append(list, "company "+string(account))
		}
		return list
	}
	size := make(map[string]int)
	for i := range p.base.contacts {
		if c := &p.base.contacts[i]; !c.RemovedAt.Valid {
			for _, group := range groups(c) {
				size[group]++
			}
		}
	}
	var leaving []Leaver
	for _, c := range p.missing() {
		leaving = append(leaving, Leaver{Key: strconv.Itoa(c.ID), Groups: groups(c)})
	}
	return p.guard.Hold(contacts().Name, leaving, size)
}

// contactScope is all contacts that Freshservice knows: the list of requesters was read completely.
// One without e-mail address, or that could not be decoded, is there. Rows of an import that were
// never matched cannot be asked for, so they stay.
func (p *planner) contactScope(verdicts map[int64]bool) Scope[ContactRecord] {
	return Scope[ContactRecord]{
		Complete: func(c *ContactRecord) bool { return c.FreshserviceID.Valid && !p.seen[c.FreshserviceID.V] },
		Gone:     func(c *ContactRecord) bool { return c.FreshserviceID.Valid && verdicts[c.FreshserviceID.V] },
		Held:     func(c *ContactRecord) bool { return p.heldContact[strconv.Itoa(c.ID)] },
		Stay:     func(_, incoming ContactRecord) ContactRecord { return incoming },
	}
}

// firstCompany tells, for people, a company that each contact belongs to as it is stored: the first by
// account number.
func firstCompany(links []ContactLinkRecord) func(*ContactRecord) codex.AccountNumber {
	first := make(map[int]codex.AccountNumber, len(links))
	for _, l := range links {
		if known, ok := first[l.ContactID]; !ok || l.Account < known {
			first[l.ContactID] = l.Account
		}
	}
	return func(c *ContactRecord) codex.AccountNumber { return first[c.ID] }
}

// missing are the contacts that are in no list.
func (p *planner) missing() []*ContactRecord {
	return Missing(contacts(), p.base.contacts, p.contacts, p.contactScope(nil))
}

// suspects are the contacts to ask Freshservice for one by one.
func (p *planner) suspects() []*ContactRecord {
	return slices.DeleteFunc(p.missing(), p.contactScope(nil).held)
}

func (p *planner) plan(verdicts map[int64]bool) FeedPlan {
	companyPlan := Plan(companies(), p.base.companies, p.departments.companies, 0, Scope[CompanyRecord]{})
	officePlan := Plan(locations(), p.base.locations, p.departments.offices, nextID(locations(), p.base.locations), p.officeScope())
	contactPlan := Plan(contacts(), p.base.contacts, p.contacts, nextID(contacts(), p.base.contacts), p.contactScope(verdicts))
	links, linkScope := p.links(contactPlan)
	linkPlan := Plan(contactLinks(), p.base.links, links, 0, linkScope)
	about := p.about(companyPlan, officePlan, contactPlan, linkPlan)
	return FeedPlan{
		Base:  p.base.revisions,
		check: peopleRereadAsSeen(about, p.read.from, p.base.rereads),
		Steps: []Step{
			step[CompanyRecord]{entity: companies(), plan: companyPlan, issues: countIssues(p.issues, "companies")},
			step[LocationRecord]{entity: locations(), plan: officePlan},
			step[ContactRecord]{entity: contacts(), plan: contactPlan, issues: countIssues(p.issues, "contacts"), company: firstCompany(p.base.links)},
			step[ContactLinkRecord]{entity: contactLinks(), plan: linkPlan},
		},
		Issues: p.issues,
		Met:    func(IssueKind, string) bool { return true }, // everything was read
	}
}

// officeScope: a company whose department was read and has no address has no main office any more.
// Too many at once are held: a custom field that was renamed looks the same.
func (p *planner) officeScope() Scope[LocationRecord] {
	read := func(l *LocationRecord) bool { return l.Name == mainOffice && p.departments.read[l.Account] }
	scope := Scope[LocationRecord]{Complete: read, Gone: read}
	size := make(map[string]int)
	for i := range p.base.locations {
		if !p.base.locations[i].RemovedAt.Valid {
			size["all"]++
		}
	}
	var leaving []Leaver
	for _, l := range Missing(locations(), p.base.locations, p.departments.offices, scope) {
		leaving = append(leaving, Leaver{Key: strconv.Itoa(l.ID), Groups: []string{"all"}})
	}
	held := p.guard.Hold(locations().Name, leaving, size)
	scope.Held = func(l *LocationRecord) bool { return held[strconv.Itoa(l.ID)] }
	return scope
}

// links are the companies of the contacts that were read. Links that came from Freshservice follow
// it; links made by hand stay, and so do those to a company none of whose departments is listed: it
// is leaving, and stays billed as it was. Too many that leave are held.
func (p *planner) links(plan EntityPlan[ContactRecord]) ([]ContactLinkRecord, Scope[ContactLinkRecord]) {
	ids := make(map[int64]int) // local id by Freshservice's
	for _, c := range p.base.contacts {
		if c.FreshserviceID.Valid {
			ids[c.FreshserviceID.V] = c.ID
		}
	}
	for _, u := range plan.Updates {
		ids[u.New.FreshserviceID.V] = u.New.ID
	}
	for _, c := range plan.Creates {
		ids[c.FreshserviceID.V] = c.ID
	}
	var links []ContactLinkRecord
	read := make(map[int]bool)
	for _, c := range p.contacts {
		id := ids[c.FreshserviceID.V]
		read[id] = !p.unclear[c.FreshserviceID.V]
		for _, account := range p.accounts[c.FreshserviceID.V] {
			links = append(links, ContactLinkRecord{Account: account, ContactID: id, Source: sourceFreshservice})
		}
	}
	follows := func(l *ContactLinkRecord) bool {
		return l.Source == sourceFreshservice && read[l.ContactID] && p.departments.present[l.Account]
	}
	scope := Scope[ContactLinkRecord]{Complete: follows, Gone: follows}
	groups := func(l *ContactLinkRecord) []string { return []string{"all", "company " + string(l.Account)} }
	size := make(map[string]int)
	archived := archivedAccounts(p.base.companies)
	for i := range p.base.links { // those of contacts that are gone would make the share look small
		if l := &p.base.links[i]; l.Source == sourceFreshservice && read[l.ContactID] && !archived[l.Account] {
			for _, group := range groups(l) {
				size[group]++
			}
		}
	}
	var leaving []Leaver
	for _, l := range Missing(contactLinks(), p.base.links, links, scope) {
		if !archived[l.Account] {
			leaving = append(leaving, Leaver{Key: contactLinks().recordID(l), Groups: groups(l)})
		}
	}
	held := p.guard.Hold(contactLinks().Name, leaving, size)
	scope.Held = func(l *ContactLinkRecord) bool { return held[contactLinks().recordID(l)] }
	scope.Stay = func(_, incoming ContactLinkRecord) ContactLinkRecord { return incoming }
	return links, scope
}

func badRecord(b wire.BadRecord, what, entity string) Issue {
	id := b.ID
	if id == "" {
		id = what + " without id"
	}
	return Issue{Kind: IssueBadRecord, ID: id, entity: entity,
		Reason: fmt.Sprintf("A %s could not be understood (%s): what is stored of it stays as it is.", what, b.Reason)}
}

// numericID is an id of Freshservice as a number; 0 for one that is none.
func numericID(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
