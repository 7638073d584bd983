package syncers

import (
	"fmt"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/wire"
)

func siteUID(n int) string { return fmt.Sprintf("6f1c2f0e-5d7b-4a4e-9a53-%012d", n) }

// at is a site of company 1 or 2, by its account number.
func at(n int, account codex.AccountNumber) site {
	return site{Site: datto.Site{UID: siteUID(n), Name: fmt.Sprint("Site ", n)}, Account: account}
}

// stored are machines u<from> to u<to> of company 1 at site n.
func stored(from, to, n int) (list []AssetRecord) {
	for id := from; id <= to; id++ {
		list = append(list, machine(id, fmt.Sprint("u", id), siteUID(n), fmt.Sprint("PC-", id)))
	}
	return list
}

func machinesOf(read machines, rows []AssetRecord) *machinePlanner {
	p := &machinePlanner{
		read: read, guard: Guard{MaxPercent: 20}, settings: Settings{AccountVariable: "AccountNumber", BackupUDF: 6, AdministratorsUDF: 4, DeviceTypeUDF: 7},
		base: machineBase{companies: []CompanyRecord{company("1", 10), company("2", 20)}, assets: rows},
	}
	p.prepare()
	return p
}

func TestMachinesThatAreAbsentAreSuspectsOnlyWhereTheirSiteWasRead(t *testing.T) {
	unread := at(1, "1")
	unread.Unread = codex.Errorf(codex.CodeUnavailable, "x")
	tests := []struct {
		name     string
		read     machines
		suspects int
	}{
		{"all devices were listed", machines{sites: []site{at(1, "1")}, all: true}, 3},
		{"its site was read by itself", machines{sites: []site{at(1, "1")}, complete: map[string]bool{siteUID(1): true}}, 3},
		{"its site's devices came short", machines{sites: []site{at(1, "1"), at(2, "1")}, complete: map[string]bool{siteUID(2): true}}, 0},
		{"its site's variables failed", machines{sites: []site{unread}, all: true}, 0},
		{"its site lost its number", machines{sites: []site{at(1, "")}, all: true}, 0},
		{"its site's number is no company's", machines{sites: []site{at(1, "9")}, all: true}, 0},
		{"its site has vanished", machines{sites: []site{at(2, "1")}, complete: map[string]bool{siteUID(2): true}}, 3},
		{"its site is there, was not decoded, and so was not read", machines{sites: []site{at(2, "1")}, complete: map[string]bool{siteUID(2): true},
			bad: []wire.BadRecord{{ID: siteUID(1), Reason: "x"}}}, 0},
		{"the same, where all devices were listed", machines{sites: []site{at(2, "1")}, all: true, bad: []wire.BadRecord{{ID: siteUID(1), Reason: "x"}}}, 3},
		{"one of them was not decoded", machines{sites: []site{at(1, "1")}, all: true, bad: []wire.BadRecord{{ID: "u2", Reason: "x"}}}, 2},
		{"one of them is listed at a site that is new", machines{sites: []site{at(1, "1")}, all: true, devices: []datto.Device{{UID: "u2", Hostname: "PC-2", SiteUID: siteUID(7)}}}, 2},
		{"one of them is listed as deleted", machines{sites: []site{at(1, "1")}, all: true, devices: []datto.Device{{UID: "u2", Hostname: "PC-2", SiteUID: siteUID(1), Deleted: true}}}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := machinesOf(test.read, stored(1, 3, 1)).suspects(); len(got) != test.suspects {
				t.Errorf("%d suspects, want %d", len(got), test.suspects)
			}
		})
	}
}

func TestTheShareOfMachinesIsOfThoseThatAreServed(t *testing.T) {
	rows := stored(1, 12, 1)
	for id := 13; id <= 100; id++ { // long gone: they must not make the share look small
		rows = append(rows, removed(machine(id, fmt.Sprint("u", id), siteUID(1), fmt.Sprint("PC-", id))))
	}
	p := machinesOf(machines{sites: []site{at(1, "1")}, all: true}, rows)
	if len(p.suspects()) != 0 || len(p.plan(verdicts{}).Steps[1].(step[AssetRecord]).plan.Held) != 12 {
		t.Errorf("%d are asked for, want all 12 held", len(p.suspects()))
	}
}

func TestAHeldMachineIsItsOldCompanysWithItsPeople(t *testing.T) {
	rows := stored(1, 12, 1)
	read := machines{sites: []site{at(1, "1"), at(2, "2")}, all: true}
	for _, r := range rows {
		read.devices = append(read.devices, datto.Device{UID: r.UID.V, Hostname: r.Hostname, SiteUID: siteUID(2), LastLoggedInUser: new("ana")})
	}
	p := machinesOf(read, rows)
	p.base.people = map[codex.AccountNumber][]person{"1": {{id: 1, emails: []string{"ana@one.example"}}}, "2": {{id: 2, emails: []string{"ana@two.example"}}}}
	plan := p.plan(verdicts{})
	for _, link := range plan.Steps[2].(step[AssetLinkRecord]).plan.Creates {
		if link.ContactID != 1 {
			t.Fatalf("asset %d stays with company 1 and is linked to contact %d of company 2", link.AssetID, link.ContactID)
		}
	}
	if held := plan.Steps[1].Counts().Held; held != 12 {
		t.Errorf("%d are held", held)
	}
}

// peopleOfOne is a planner of n contacts of company A, of whom the first gone are removed already, and
// whose requesters are all listed with the given departments.
func peopleOfOne(n, gone int, departments []int64) *planner {
	a := department(1, "A", "A")
	p := &planner{
		guard: Guard{MaxPercent: 20},
		read:  people{departments: wire.Listing[freshservice.Department]{Items: []freshservice.Department{a, department(2, "B", "B")}, Complete: true}},
		base:  peopleBase{companies: []CompanyRecord{company("A", 1), company("B", 2)}},
	}
	for id := 1; id <= n; id++ {
		row := ContactRecord{ID: id, Name: "x", Email: fmt.Sprintf("%d@x", id), FreshserviceID: some(int64(id)), Active: true, EmploymentType: "Full Time", Secondary: some("[]")}
		if id <= gone {
			row.RemovedAt = some(aMoment())
		} else {
			p.read.requesters.Items = append(p.read.requesters.Items, freshservice.Requester{ID: int64(id), FirstName: "x", PrimaryEmail: new(row.Email), DepartmentIDs: departments})
		}
		p.base.contacts = append(p.base.contacts, row)
		p.base.links = append(p.base.links, ContactLinkRecord{Account: "A", ContactID: id, Source: sourceFreshservice})
	}
	p.prepare()
	return p
}

func TestTheShareOfLinksIsOfThosePeopleWhoAreServed(t *testing.T) {
	tests := []struct {
		name          string
		n, gone       int
		departments   []int64
		removed, held int
	}{
		{"nobody moves", 20, 0, []int64{1}, 0, 0},
		{"nine move to another company", 9, 0, []int64{2}, 9, 0},
		{"twelve do", 12, 0, []int64{2}, 0, 12},
		{"twelve do, beside ninety who are gone", 102, 90, []int64{2}, 0, 12},
		{"twelve have no department any more", 12, 0, nil, 0, 12},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := peopleOfOne(test.n, test.gone, test.departments).plan(nil).Steps[3].Counts()
			if c.Removed != test.removed || c.Held != test.held {
				t.Errorf("%+v, want %d removed and %d held", c, test.removed, test.held)
			}
		})
	}
}

func TestAnImportedContactThatNobodyKnowsIsNoSuspect(t *testing.T) {
	p := peopleOfOne(3, 0, []int64{1})
	for id := 4; id <= 30; id++ {
		p.base.contacts = append(p.base.contacts, ContactRecord{ID: id, Name: "y", Email: fmt.Sprintf("%d@import", id)})
	}
	p.prepare()
	if c := p.plan(nil).Steps[2].Counts(); len(p.suspects()) != 0 || c.Held != 0 || c.Removed != 0 {
		t.Errorf("%d suspects, %+v", len(p.suspects()), c)
	}
}
