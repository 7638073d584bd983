package syncers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/store"
)

// machinePlanner plans the feed datto. It is pure: what must be asked goes in by plan's argument.
type machinePlanner struct {
	read     machines
	base     machineBase
	guard    Guard
	settings Settings

	siteRecords []SiteRecord
	placed      map[string]site // every site that is a customer's, by uid
	assets      []AssetRecord
	seen        map[string]bool // devices that are there although no record came of them
	issues      []Issue
	held        map[int]bool // assets that stay where they are
	archived    map[codex.AccountNumber]bool
}

// prepare maps what was read, and holds the machines that would be too many to lose.
func (p *machinePlanner) prepare() {
	p.archived = archivedAccounts(p.base.companies)
	p.siteRecords, p.placed, p.issues = placeSites(p.read.sites, servedAccounts(p.base.companies), p.settings.AccountVariable)
	for _, s := range p.read.sites {
		if s.Unread == nil && !p.read.devicesOf(s.UID) {
			p.issues = append(p.issues, siteUnread(s))
		}
	}
	p.seen = make(map[string]bool)
	for _, b := range p.read.bad {
		p.seen[b.ID] = true
		p.issues = append(p.issues, badRecord(b, "site or device", "assets"))
	}
	stands := make(map[string]string) // where the hub has a device, by its uid
	owners := make(map[string]codex.AccountNumber)
	for _, a := range p.base.assets {
		stands[a.UID.V] = a.SiteUID.V
		if !a.RemovedAt.Valid && !p.archived[a.Account] {
			owners[a.UID.V] = a.Account
		}
	}
	for _, d := range p.read.devices {
		s, listed := p.placed[d.SiteUID]
		switch {
		case tooLong(d.UID):
			p.issues = append(p.issues, deviceIssue(IssueBadRecord, d, s.Account, "A device has a UID that is too long: it is not served."))
		case d.Deleted || !listed && p.belongsNowhere(d.SiteUID):
			// "Deleted Devices" and deleted ones count as absent: their own GET decides.
		case !listed || s.Unread != nil:
			p.seen[d.UID] = true
		case s.Account == "":
			p.seen[d.UID] = stands[d.UID] == s.UID // a site that lost its number keeps its machines
		case !s.Placed:
			p.seen[d.UID] = stands[d.UID] == s.UID
			owner := owners[d.UID]
			if !p.seen[d.UID] {
				owner = ""
			}
			p.issues = append(p.issues, p.withoutCompany(d, s, owner))
		case d.Hostname == "":
			p.seen[d.UID] = true
			p.issues = append(p.issues, deviceIssue(IssueDeviceWithoutHostname, d, s.Account,
				"A device at the site %q has no hostname, so it is not served: give it one in Datto RMM.", s.Name))
		default:
			asset, issues := mapDevice(d, s, p.settings.udf())
			p.assets = append(p.assets, asset)
			p.issues = append(p.issues, issues...)
		}
	}
	p.held = p.hold()
}

// withoutCompany is the issue of a device at a site whose account number is that of no company; owner is
// the company that it stays with, since the hub had it at that site before.
func (p *machinePlanner) withoutCompany(d datto.Device, s site, owner codex.AccountNumber) Issue {
	whose := "which no company has"
	if p.archived[s.Account] {
		whose = "whose company is archived"
	}
	if owner != "" {
		return deviceIssue(IssueDeviceWithoutCompany, d, s.Account,
			"The device %q stays with the company %s, but its site %q has the account number %s, %s: correct the site's variable %s in Datto RMM.",
			d.Hostname, owner, s.Name, s.Account, whose, p.settings.AccountVariable)
	}
	return deviceIssue(IssueDeviceWithoutCompany, d, s.Account,
		"The device %q belongs to no company: its site %q has the account number %s, %s.", d.Hostname, s.Name, s.Account, whose)
}

// belongsNowhere tells whether a site is no customer's: a pseudo site, or one without account
// number. A site that could not be read, or that is not listed (it is new), may be somebody's.
func (p *machinePlanner) belongsNowhere(siteUID string) bool {
	if s, listed := p.placed[siteUID]; listed {
		return s.Unread == nil && !s.Placed
	}
	return pseudo(siteUID)
}

// scope is the assets whose site was read completely and is a customer's still: the others are
// left as they are.
func (p *machinePlanner) scope(v verdicts) Scope[AssetRecord] {
	return Scope[AssetRecord]{
		Complete: func(a *AssetRecord) bool {
			if !a.UID.Valid || p.seen[a.UID.V] {
				return false
			}
			s, listed := p.placed[a.SiteUID.V]
			if !listed { // the site itself has gone, unless it is there and could not be decoded
				return p.read.all || !p.seen[a.SiteUID.V]
			}
			return s.Placed && s.Unread == nil && p.read.devicesOf(s.UID)
		},
		Gone: func(a *AssetRecord) bool { return a.UID.Valid && v.devices[a.UID.V] },
		Held: func(a *AssetRecord) bool { return p.held[a.ID] },
		Stay: func(current, incoming AssetRecord) AssetRecord {
			incoming.Account, incoming.SiteUID, incoming.SiteName = current.Account, current.SiteUID, current.SiteName
			return incoming
		},
	}
}

// confirmed is scope once Datto was asked for what is absent: who could not be asked for is unsure.
func (p *machinePlanner) confirmed(v verdicts) Scope[AssetRecord] {
	scope := p.scope(v)
	scope.Unsure = func(a *AssetRecord) bool {
		_, asked := v.devices[a.UID.V]
		return !asked && !p.held[a.ID] && !a.RemovedAt.Valid && scope.Complete(a)
	}
	return scope
}

// hold says which machines are too many to lose: of all, of a site or of a company. One that is
// there under a new UID does not leave; one that moves to another company leaves the old one.
func (p *machinePlanner) hold() map[int]bool {
	size := make(map[string]int)
	for i := range p.base.assets {
		if a := &p.base.assets[i]; !a.RemovedAt.Valid && !p.archived[a.Account] {
			for _, group := range a.groups() {
				size[group]++
			}
		}
	}
	scope := p.scope(verdicts{})
	scope.Held, scope.Gone = nil, scope.Complete // as if all that is absent were gone
	leaving := Missing(assets(), p.base.assets, p.assets, scope)
	to := make(map[int]codex.AccountNumber)
	leaving = append(leaving, Moved(assets(), p.base.assets, p.assets, scope, func(current, incoming *AssetRecord) bool {
		to[current.ID] = incoming.Account
		return current.Account != incoming.Account
	})...)
	leaving = slices.DeleteFunc(leaving, func(a *AssetRecord) bool { return p.archived[a.Account] })
	leavers := make([]Leaver, len(leaving))
	for i, a := range leaving {
		leavers[i] = Leaver{Key: strconv.Itoa(a.ID), To: to[a.ID], Groups: a.groups()}
	}
	keys := p.guard.Hold(assets().Name, leavers, size)
	held := make(map[int]bool)
	for _, a := range leaving {
		held[a.ID] = keys[strconv.Itoa(a.ID)]
	}
	return held
}

func (r *AssetRecord) groups() []string {
	return []string{"all", "site " + r.SiteUID.V, "company " + string(r.Account)}
}

// suspects are the assets to ask Datto for one by one.
func (p *machinePlanner) suspects() []*AssetRecord {
	return slices.DeleteFunc(Missing(assets(), p.base.assets, p.assets, p.scope(verdicts{})),
		func(a *AssetRecord) bool { return p.held[a.ID] })
}

func (p *machinePlanner) siteScope(v verdicts) Scope[SiteRecord] {
	return Scope[SiteRecord]{
		Complete: func(s *SiteRecord) bool {
			_, listed := p.placed[s.UID]
			return !listed && !p.seen[s.UID]
		},
		Gone: func(s *SiteRecord) bool { return v.sites[s.UID] },
	}
}

func (p *machinePlanner) missingSites() []*SiteRecord {
	return Missing(sites(), p.base.sites, p.siteRecords, p.siteScope(verdicts{}))
}

func (p *machinePlanner) plan(v verdicts) FeedPlan {
	sitePlan := Plan(sites(), p.base.sites, p.siteRecords, nextID(sites(), p.base.sites), p.siteScope(v))
	assetPlan := Plan(assets(), p.base.assets, p.assets, nextID(assets(), p.base.assets), p.confirmed(v))
	ids := assetIDs(p.base.assets, assetPlan)
	links, linkScope := p.links(ids, assetPlan)
	linkPlan := Plan(assetLinks(), p.base.links, links, 0, linkScope)
	issues := append(slices.Clone(p.issues), identityIssues(p.assets, assetPlan, ids)...)
	return FeedPlan{
		Base: p.base.revisions,
		Steps: []Step{
			step[SiteRecord]{entity: sites(), plan: sitePlan, issues: countIssues(issues, "sites")},
			step[AssetRecord]{entity: assets(), plan: assetPlan, issues: countIssues(issues, "assets"), after: writeReadings},
			step[AssetLinkRecord]{entity: assetLinks(), plan: linkPlan},
		},
		Issues: issues,
		Met:    p.met(),
	}
}

// met tells which issues the run would have met again: not those of a site that was not read, nor of
// devices that stand at one.
func (p *machinePlanner) met() func(IssueKind, string) bool {
	stands := make(map[string]string, len(p.read.devices)) // site by device
	for _, d := range p.read.devices {
		stands[d.UID] = d.SiteUID
	}
	return func(kind IssueKind, id string) bool {
		if s, isSite := p.placed[id]; isSite {
			return s.Unread == nil
		}
		siteUID, listed := stands[id]
		if !listed { // gone, unless something that could hold it was not read
			return p.read.all
		}
		// A device that is listed was looked at; whether it has a twin, only where all are listed.
		return p.placed[siteUID].Unread == nil && (kind != IssueProbableDuplicate || p.read.devicesOf(siteUID))
	}
}

// assetIDs are the local ids of all devices, by uid, as they will be after the plan.
func assetIDs(current []AssetRecord, plan EntityPlan[AssetRecord]) map[string]int {
	ids := make(map[string]int, len(current))
	for _, a := range current {
		if a.UID.Valid {
			ids[a.UID.V] = a.ID
		}
	}
	for _, u := range plan.Updates {
		ids[u.New.UID.V] = u.New.ID
	}
	for _, a := range plan.Creates {
		ids[a.UID.V] = a.ID
	}
	return ids
}

// links say which contact uses which asset: the one of its company whom its last user names.
func (p *machinePlanner) links(ids map[string]int, plan EntityPlan[AssetRecord]) ([]AssetLinkRecord, Scope[AssetLinkRecord]) {
	stay := make(map[int]codex.AccountNumber, len(plan.Held)) // the companies of those that do not leave
	for _, held := range plan.Held {
		stay[held.Row.ID] = held.Row.Account
	}
	var links []AssetLinkRecord
	read := make(map[int]bool)
	for _, a := range p.assets {
		id, known := ids[a.UID.V]
		if !known { // it waits for the next run
			continue
		}
		read[id] = true
		account, held := stay[id]
		if !held {
			account = a.Account
		}
		if contact, ok := namedBy(a.LastUser.V, p.base.people[account]); ok {
			links = append(links, AssetLinkRecord{AssetID: id, ContactID: contact, Source: sourceLastUser})
		}
	}
	follows := func(l *AssetLinkRecord) bool { return l.Source == sourceLastUser && read[l.AssetID] }
	return links, Scope[AssetLinkRecord]{Complete: follows, Gone: follows}
}

// peopleOf are the contacts of each company, as last users may name them.
func peopleOf(contacts []ContactRecord, links []ContactLinkRecord) map[codex.AccountNumber][]person {
	byID := make(map[int]person, len(contacts))
	for _, c := range contacts {
		p := person{id: c.ID, emails: []string{fold(c.Email)}}
		for _, email := range listOf(c.Secondary) {
			p.emails = append(p.emails, fold(email))
		}
		byID[c.ID] = p
	}
	people := make(map[codex.AccountNumber][]person)
	for _, l := range links {
		if p, ok := byID[l.ContactID]; ok {
			people[l.Account] = append(people[l.Account], p)
		}
	}
	return people
}

// identityIssues name the machines that came back under a new UID, and those that stand twice.
func identityIssues(listed []AssetRecord, plan EntityPlan[AssetRecord], ids map[string]int) []Issue {
	var issues []Issue
	for _, u := range plan.Updates {
		if u.Old.UID.Valid && u.Old.UID != u.New.UID {
			issues = append(issues, Issue{Kind: IssueReimaged, ID: u.New.UID.V, Account: u.New.Account, entity: "assets",
				Reason: fmt.Sprintf("%q came back under a new device UID (before: %s) and keeps the id %d: look whether it is the same machine.", u.New.Hostname, u.Old.UID.V, u.New.ID)})
		}
	}
	listed = slices.DeleteFunc(slices.Clone(listed), func(a AssetRecord) bool { return ids[a.UID.V] == 0 })
	slices.SortFunc(listed, func(a, b AssetRecord) int { return cmp.Compare(ids[a.UID.V], ids[b.UID.V]) })
	first := make(map[string]AssetRecord)
	for _, a := range listed {
		other, twice := first[a.place()]
		if !twice {
			first[a.place()] = a
			continue
		}
		issues = append(issues, Issue{Kind: IssueProbableDuplicate, ID: a.UID.V, Account: a.Account, entity: "assets",
			Reason: fmt.Sprintf("Two devices at the site %q are called %q (assets %d and %d): if they are one machine, delete the old one in Datto RMM.", a.SiteName.V, a.Hostname, ids[other.UID.V], ids[a.UID.V])})
	}
	return issues
}

// readings is the table backup_readings, for bulk statements.
func readings() store.Table {
	return store.Table{Name: "backup_readings", Key: []string{"asset_id", "day"}, Columns: []store.Column{
		{Name: "asset_id", Kind: store.Int}, {Name: "day", Kind: store.Int}, {Name: "bytes", Kind: store.Int},
	}}
}

// writeReadings keeps the backup sizes that differ from the ones before: the past of backup_bytes.
func writeReadings(ctx context.Context, tx *store.Tx, at time.Time, plan EntityPlan[AssetRecord]) error {
	day := int(at.Unix() / (24 * 60 * 60))
	var rows [][]any
	for _, a := range plan.Creates {
		if a.BackupBytes.Valid {
			rows = append(rows, []any{a.ID, day, a.BackupBytes})
		}
	}
	for _, u := range plan.Updates {
		if u.Old.BackupBytes != u.New.BackupBytes {
			rows = append(rows, []any{u.New.ID, day, u.New.BackupBytes})
		}
	}
	return tx.Upsert(ctx, readings(), rows)
}

// pseudo tells that a site is none of a customer's by its uid alone ("Deleted Devices").
func pseudo(siteUID string) bool { return datto.Site{UID: siteUID}.Pseudo() }
