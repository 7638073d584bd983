package reconciletest

import (
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/contact"
)

// Flags are what a review must say at this moment, before the month's bills are made, and nothing else: a
// line each, sorted, as [Line] writes them. They are told from what was done to the world, from the bills
// that were sent, and from the rows that are served.
func (y *Year) Flags() []string {
	y.t.Helper()
	var flags []string
	for _, account := range y.companies {
		last, d := y.last[account], y.ledger.served(account, y.month.period)
		flag := func(kind, entity, id string, worth *codex.Cents) {
			flags = append(flags, Line(account, kind, entity, id, worth, nil))
		}
		for _, m := range y.machinesOf(account) {
			y.machineFlags(m, last, func(kind string, worth *codex.Cents) { flag(kind, "assets", strconv.Itoa(m.ID), worth) })
		}
		for _, p := range d.users {
			y.personFlags(account, p.ID, func(kind string, worth *codex.Cents) { flag(kind, "contacts", strconv.Itoa(p.ID), worth) })
		}
		for _, t := range d.tickets {
			if len(y.tickets[t.ID]) > 0 {
				flag("ticket_billed_before", "tickets", strconv.Itoa(t.ID), nil)
			}
		}
		if last == nil {
			continue
		}
		if far(len(last.types), len(d.assets)) {
			flag("machine_count_moved", "companies", string(account), nil)
		}
		if far(len(last.free), len(d.users)) {
			flag("person_count_moved", "companies", string(account), nil)
		}
	}
	slices.Sort(flags)
	return flags
}

// far tells whether a count moved by more than a fifth.
func far(before, now int) bool { return 5*max(now-before, before-now) > before }

func (y *Year) machineFlags(m *ent.Asset, last *sent, flag func(kind string, worth *codex.Cents)) {
	var costs *codex.Cents
	if last != nil {
		kind, was := last.types[m.ID]
		if !was {
			kind = "Workstation"
		}
		costs = new(codex.Cents)
		*costs = cents(last.rates.of(kind))
		right := map[string]float64{"Server": last.rates.server, "ESXi Host": last.rates.server, "Network Switch": last.rates.network}
		if better, known := right[machineRow(m).Category]; known && was && kind == "Workstation" {
			worth := cents(better) - *costs
			flag("type_differs", &worth)
		}
	}
	if since, is := y.back[m.ID]; is && (last == nil || comparePeriods(last.period, since) < 0) {
		flag("reimaged", nil)
	}
	if m.LastSeen != nil && y.month.period.End().Sub(*m.LastSeen) > 60*24*time.Hour && (costs == nil || *costs > 0) {
		flag("unseen", costs)
	}
}

func (y *Year) personFlags(account codex.AccountNumber, id int, flag func(kind string, worth *codex.Cents)) {
	y.t.Helper()
	person, err := y.db.Ent().Contact.Query().Where(contact.ID(id)).Only(y.t.Context())
	y.must(err)
	var charging []codex.AccountNumber
	for _, home := range y.companiesOf(id) {
		if last := y.last[home]; last == nil || !last.free[id] {
			charging = append(charging, home)
		}
	}
	if !slices.Contains(charging, account) {
		return
	}
	var worth *codex.Cents
	if last := y.last[account]; last != nil {
		worth = new(codex.Cents)
		*worth = cents(last.rates.user)
	}
	if !person.Active {
		flag("inactive_billed", worth)
	}
	if len(charging) > 1 {
		flag("person_billed_twice", worth)
	}
}
