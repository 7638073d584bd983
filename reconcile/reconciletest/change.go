package reconciletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/simulator"
)

// changes is what happens in the world in a month.
func (y *Year) changes() {
	y.t.Helper()
	for i, account := range y.companies {
		y.machines(account)
		y.people(i, account)
		y.closeTickets(account)
	}
	y.lateThanks()
}

// machines are added, retired, moved, renamed and re-imaged.
func (y *Year) machines(account codex.AccountNumber) {
	y.t.Helper()
	if y.chance(60) {
		_, err := y.world.AddDevice(y.siteOf(account), fmt.Sprintf("NEW-%s-%02d", account, monthNumber(y.month.period)), nil)
		y.must(err)
	}
	for _, happens := range []func(m *ent.Asset){
		func(m *ent.Asset) { y.must(y.world.RenameDevice(string(*m.DattoUID), m.Hostname+"-R")) },
		func(m *ent.Asset) {
			_, err := y.world.ReimageDevice(string(*m.DattoUID))
			y.must(err)
			y.back[m.ID] = y.month.period
		},
		func(m *ent.Asset) { // retired, and billed or not
			y.must(y.world.RemoveDevice(string(*m.DattoUID)))
			if wrong := y.chance(60) && y.isBilled(account); wrong {
				y.plant(account, "billed_not_there", "assets", m.ID, -cents(y.rates(account).of(y.typeOf(m.ID))), lessBackup(machineRow(m), y.typeOf(m.ID)))
				y.mistake(account, func(d *draft) { d.assets = append(d.assets, machineRow(m)) })
			}
		},
		func(m *ent.Asset) { // moved, and billed at its old company or not
			to := y.otherThan(account)
			y.must(y.world.MoveDevice(string(*m.DattoUID), y.siteOf(to)))
			if wrong := y.chance(60) && y.isBilled(account); wrong {
				y.plant(account, "moved", "assets", m.ID, -cents(y.rates(account).of(y.typeOf(m.ID))), lessBackup(machineRow(m), y.typeOf(m.ID)))
				y.mistake(account, func(d *draft) { d.assets = append(d.assets, machineRow(m)) })
			}
		},
	} {
		if y.chance(45) {
			if m := y.take(account); m != nil {
				happens(m)
			}
		}
	}
}

// people come, go, are renamed, and belong to a second company for a month.
func (y *Year) people(i int, account codex.AccountNumber) {
	y.t.Helper()
	department := y.departmentOf(account)
	n := monthNumber(y.month.period)
	if y.chance(50) {
		y.world.AddRequester(simulator.Requester{
			FirstName: "New", LastName: new(fmt.Sprintf("Person %d %d", i, n)),
			PrimaryEmail: new(fmt.Sprintf("new.%d.%d@example.com", i, n)), DepartmentIDs: []int64{department}, Active: true,
		})
	}
	list := y.contactsOf(account)
	if len(list) < 5 {
		return
	}
	if y.chance(40) {
		p := list[y.random.IntN(2)]
		y.must(y.world.RenameRequester(*p.FreshserviceID, "Married", fmt.Sprintf("Name %d %d", i, n)))
	}
	if y.chance(35) {
		p := list[2]
		y.must(y.world.RemoveRequester(*p.FreshserviceID))
		if wrong := y.chance(60) && y.isBilled(account) && !y.free[p.ID]; wrong {
			y.plant(account, "billed_not_there", "contacts", p.ID, -cents(y.rates(account).user), nil)
			y.mistake(account, func(d *draft) { d.users = append(d.users, row{ID: p.ID, Name: p.Name}) })
		}
	}
	if p := list[3]; y.chance(30) && y.last[account] != nil && len(y.companiesOf(p.ID)) == 1 {
		y.must(y.world.SetRequesterDepartments(*p.FreshserviceID, department, y.departmentOf(y.otherThan(account))))
	}
}

// companiesOf are the companies to which a person belongs.
func (y *Year) companiesOf(person int) []codex.AccountNumber {
	y.t.Helper()
	links, err := y.db.Ent().ContactCompanyLink.Query().Where(contactcompanylink.ContactID(person)).All(y.t.Context())
	y.must(err)
	var accounts []codex.AccountNumber
	for _, link := range links {
		accounts = append(accounts, link.CompanyAccountNumber)
	}
	slices.Sort(accounts)
	return accounts
}

// contactsOf are the people of a company alone.
func (y *Year) contactsOf(account codex.AccountNumber) []*ent.Contact {
	y.t.Helper()
	var list []*ent.Contact
	for _, p := range y.ledger.served(account, y.month.period).users {
		if len(y.companiesOf(p.ID)) == 1 {
			person, err := y.db.Ent().Contact.Query().Where(contact.ID(p.ID)).Only(y.t.Context())
			y.must(err)
			list = append(list, person)
		}
	}
	return list
}

func (y *Year) closeTickets(account codex.AccountNumber) {
	people := y.contactsOf(account)
	if len(people) < 2 {
		return
	}
	for i := range 1 + y.random.IntN(3) {
		at := y.clock.Now().Add(time.Duration(i) * time.Hour)
		department := y.departmentOf(account)
		t := simulator.Ticket{
			Subject: new(fmt.Sprintf("Ticket %d of %s", i, y.month.period)), RequesterID: *people[0].FreshserviceID, DepartmentID: &department,
			Status: simulator.StatusClosed, CreatedAt: at, UpdatedAt: at,
		}
		if y.chance(80) {
			t.TimeEntries = []simulator.TimeEntry{{TimeSpent: new(fmt.Sprintf("0%d:%02d", y.random.IntN(4), 5+y.random.IntN(55))), Billable: true}}
		}
		y.world.AddTicket(t)
	}
}

// lateThanks move tickets that were billed into this month: they are billed once more.
func (y *Year) lateThanks() {
	y.t.Helper()
	before := codex.PeriodOf(y.month.period.Start().Add(-time.Hour))
	for _, account := range y.companies {
		s := y.sent[before][invoiceOf(account, before)]
		if s == nil || len(s.tickets) == 0 || !y.isBilled(account) || !y.chance(40) {
			continue
		}
		y.must(y.world.EditTicket(int64(s.tickets[0].ID), func(*simulator.Ticket) {}))
	}
}

// lateHours are booked after the bill, and do not move the ticket.
func (y *Year) lateHours() {
	y.t.Helper()
	for _, account := range y.companies {
		s := y.sent[y.month.period][invoiceOf(account, y.month.period)]
		if s == nil || len(s.tickets) == 0 || !y.chance(50) {
			continue
		}
		_, err := y.world.AddTimeEntry(int64(s.tickets[len(s.tickets)-1].ID), simulator.TimeEntry{TimeSpent: new("01:10"), Billable: true}, false)
		y.must(err)
	}
}

// plan decides what the Ledger does wrong, knowing what is served.
func (y *Year) plan() {
	y.t.Helper()
	shared := map[int]bool{}
	for _, account := range y.companies {
		if !y.isBilled(account) {
			continue
		}
		y.planMachines(account)
		d := y.ledger.served(account, y.month.period)
		for _, p := range d.users {
			y.planPerson(account, p, shared)
		}
		if len(d.tickets) > 1 && y.chance(40) {
			// Not one that was billed before: then it would be put right twice.
			if t := d.tickets[len(d.tickets)-1]; len(y.tickets[t.ID]) == 0 {
				worth := hoursCents(t.e4(), d.rates)
				y.plant(account, "there_not_billed", "tickets", t.ID, none, &worth)
				y.mistake(account, func(d *draft) {
					d.tickets = slices.DeleteFunc(d.tickets, func(other ticketRow) bool { return other.ID == t.ID })
				})
			}
		}
		if y.chance(30) {
			number := nobodys + 10*monthNumber(y.month.period) + slices.Index(y.companies, account)
			worth := -hoursCents(1_2500, d.rates)
			y.plant(account, "billed_not_there", "tickets", number, none, &worth)
			y.mistake(account, func(d *draft) {
				d.tickets = append(d.tickets, ticketRow{ID: number, Subject: "Nobody's", Seconds: 4500})
			})
		}
	}
}

func (y *Year) planMachines(account codex.AccountNumber) {
	prices := y.rates(account)
	if m := y.takeIf(35, account); m != nil { // left out
		kind := y.typeOf(m.ID)
		y.plant(account, "there_not_billed", "assets", m.ID, cents(prices.of(kind)), backupCents(machineRow(m), kind))
		y.mistake(account, func(d *draft) { d.assets = without(d.assets, m.ID) })
	}
	if m := y.takeIf(35, account); m != nil { // twice
		kind := y.typeOf(m.ID)
		y.plant(account, "billed_twice", "assets", m.ID, -cents(prices.of(kind)), lessBackup(machineRow(m), kind))
		y.mistake(account, func(d *draft) { d.assets = append(d.assets, machineRow(m)) })
	}
	if m := y.takeIf(25, account); m != nil { // once more by hand
		worth := -min(cents(prices.of(y.typeOf(m.ID))), cents(prices.workstation))
		y.plant(account, "billed_twice", "assets", m.ID, worth, nil)
		if y.typeOf(m.ID) == "Switch" { // what stays is the workstation, since that is dearer
			y.plant(account, "type_differs", "assets", m.ID, cents(prices.network)-cents(prices.workstation), nil)
		}
		y.mistake(account, func(d *draft) { d.manual = append(d.manual, row{Name: strings.ToLower(m.Hostname)}) })
	}
	if m := y.takeIf(20, account); m != nil { // once more by hand, and dearer than it is
		worth := -min(cents(prices.of(y.typeOf(m.ID))), cents(prices.server))
		y.plant(account, "billed_twice", "assets", m.ID, worth, nil)
		y.mistake(account, func(d *draft) { d.manual = append(d.manual, row{Name: m.Hostname, ByHand: "Server"}) })
	}
	if m := y.takeIf(25, account); m != nil { // at no cost from now on, and left out next month: decided
		y.types[m.ID] = "No Charge"
	}
	for id, kind := range y.last[account].typesOrNone() {
		if kind == "No Charge" && y.chance(50) {
			y.mistake(account, func(d *draft) { d.assets = without(d.assets, id) })
		}
	}
}

func (y *Year) takeIf(percent int, account codex.AccountNumber) *ent.Asset {
	if !y.chance(percent) {
		return nil
	}
	return y.take(account)
}

func (s *sent) typesOrNone() map[int]string {
	if s == nil {
		return nil
	}
	return s.types
}

func without(list []row, id int) []row {
	return slices.DeleteFunc(list, func(r row) bool { return r.ID == id })
}

// planPerson leaves people out, or makes them free, and tells who is billed by two companies.
func (y *Year) planPerson(account codex.AccountNumber, p row, shared map[int]bool) {
	homes := y.companiesOf(p.ID)
	if len(homes) > 1 {
		billed := slices.DeleteFunc(slices.Clone(homes), func(home codex.AccountNumber) bool { return !y.isBilled(home) })
		if y.free[p.ID] || shared[p.ID] || len(billed) < 2 {
			return
		}
		shared[p.ID] = true
		// The bills are sent in the order of the companies: whoever comes second charges once more.
		worth := -min(cents(y.rates(billed[0]).user), cents(y.rates(billed[1]).user))
		y.plant(billed[1], "billed_twice", "contacts", p.ID, worth, nil)
		return
	}
	switch {
	case y.free[p.ID] || y.last[account] == nil:
	case y.chance(4):
		y.free[p.ID] = true
	case y.chance(5):
		y.plant(account, "there_not_billed", "contacts", p.ID, cents(y.rates(account).user), nil)
		y.mistake(account, func(d *draft) { d.users = without(d.users, p.ID) })
	}
}

func (y *Year) isBilled(account codex.AccountNumber) bool {
	return account != y.month.skip && account != y.month.open
}

func (y *Year) rates(account codex.AccountNumber) rates {
	return ratesOf(slices.Index(y.companies, account), monthNumber(y.month.period))
}

func (y *Year) otherThan(account codex.AccountNumber) codex.AccountNumber {
	at := slices.Index(y.companies, account)
	return y.companies[(at+1+y.random.IntN(len(y.companies)-1))%len(y.companies)]
}

// siteOf is a site of a company.
func (y *Year) siteOf(account codex.AccountNumber) string {
	y.t.Helper()
	for _, m := range y.machinesOf(account) {
		if m.DattoSiteUID != nil {
			return *m.DattoSiteUID
		}
	}
	y.t.Fatalf("%s has no machine left", account)
	return ""
}

// departmentOf is the department of a company.
func (y *Year) departmentOf(account codex.AccountNumber) int64 {
	y.t.Helper()
	company, err := y.db.Ent().Company.Get(y.t.Context(), account)
	y.must(err)
	return *company.FreshserviceID
}
