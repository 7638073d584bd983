package reconciletest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
)

// Year is a year of bills over a database.
type Year struct {
	*ledger
	random *rand.Rand
	month  month

	// Planted are the differences that a reconciliation of each month must find, and no other: a line each,
	// sorted, as [Line] writes them.
	Planted map[codex.Period][]string
	// Later are what changed after the bills of each month were made, in the same form.
	Later map[codex.Period][]string
	// Unbilled are the companies without a bill for each month, in the same form.
	Unbilled map[codex.Period][]string

	last    map[codex.AccountNumber]*sent            // the newest bill that stands
	sent    map[codex.Period]map[string]*sent        // those that stand, by invoice
	tickets map[int][]billedTicket                   // where tickets stand
	served  map[codex.Period]map[string]map[int]bool // machines and people by company, when a month's bills were made
	back    map[int]codex.Period                     // machines that came back under a new UID, and when
}

// sent is a bill that was accepted.
type sent struct {
	draft
	period codex.Period
	types  map[int]string // of machines
	free   map[int]bool
}

type billedTicket struct {
	period  codex.Period
	invoice string
	seconds int64
	rate    float64
}

// month is what is being planned for a month.
type month struct {
	period  codex.Period
	touched map[int]bool // machines with which something happens already
	wrong   map[codex.AccountNumber][]func(d *draft)
	skip    codex.AccountNumber            // gets no bill
	again   codex.AccountNumber            // gets a wrong bill that is corrected
	open    codex.AccountNumber            // gets a bill that is reopened, and no other
	drafts  map[codex.AccountNumber]*draft // what was served when the bills were begun
}

// first is the first month of the year, the one after the world is made.
func first() codex.Period {
	return codex.PeriodOf(codex.PeriodOf(simulator.StandingClock()).End())
}

func monthNumber(p codex.Period) int {
	f := first()
	return (p.Year-f.Year)*12 + int(p.Month) - int(f.Month)
}

// Periods are the months of a year.
func (y *Year) Periods() []codex.Period {
	return slices.SortedFunc(maps.Keys(y.Planted), comparePeriods)
}

func comparePeriods(a, b codex.Period) int { return a.Start().Compare(b.Start()) }

// Accounts are the account numbers of the companies, in order.
func (y *Year) Accounts() []codex.AccountNumber { return slices.Clone(y.companies) }

// Generate makes a year of so many months. The database must have the clock. before is called each month
// when all has been synced and no bill is made yet.
func Generate(t testing.TB, db *store.DB, clock *Clock, seed uint64, months int, before ...func(y *Year, period codex.Period)) *Year {
	t.Helper()
	h := newHub(t, db, clock, seed)
	h.sync()
	y := &Year{
		ledger: &ledger{hub: h, types: map[int]string{}, free: map[int]bool{}}, random: rand.New(rand.NewPCG(seed, 6)),
		Planted: map[codex.Period][]string{}, Later: map[codex.Period][]string{}, Unbilled: map[codex.Period][]string{},
		last: map[codex.AccountNumber]*sent{}, sent: map[codex.Period]map[string]*sent{},
		tickets: map[int][]billedTicket{}, served: map[codex.Period]map[string]map[int]bool{},
		back: map[int]codex.Period{},
	}
	companies, err := db.Ent().Company.Query().All(t.Context())
	h.must(err)
	for _, c := range companies {
		y.companies = append(y.companies, c.ID)
	}
	slices.Sort(y.companies)
	period := first()
	for range months {
		y.bill(period, before...)
		period = codex.PeriodOf(period.End())
	}
	y.after()
	for _, lists := range []map[codex.Period][]string{y.Planted, y.Later, y.Unbilled} {
		for _, list := range lists {
			slices.Sort(list)
		}
	}
	return y
}

// bill lets a month pass and bills it.
func (y *Year) bill(period codex.Period, before ...func(y *Year, period codex.Period)) {
	y.t.Helper()
	y.month = month{period: period, touched: map[int]bool{}, wrong: map[codex.AccountNumber][]func(*draft){}}
	y.Planted[period], y.Later[period], y.Unbilled[period] = nil, nil, nil
	y.sent[period] = map[string]*sent{}
	n := monthNumber(period)
	switch { // seldom enough that most months have a bill for all
	case n%4 == 2:
		y.month.skip = y.companies[n%len(y.companies)]
	case n%4 == 1:
		y.month.again = y.companies[n%len(y.companies)]
	case n%12 == 8:
		y.month.open = y.companies[(n+1)%len(y.companies)]
	}
	y.clock.Turn(period.Start().Add(9*24*time.Hour + time.Hour))
	y.changes()
	y.clock.Turn(period.End().Add(time.Hour))
	y.sync()
	y.plan()
	for _, look := range before {
		look(y, period)
	}
	y.served[period] = y.belonging()
	y.unbilled()
	y.month.drafts = map[codex.AccountNumber]*draft{}
	for _, account := range y.companies {
		y.month.drafts[account] = y.ledger.served(account, period)
	}
	y.meanwhile()
	for _, account := range y.companies {
		y.billCompany(account)
	}
	y.clock.Turn(period.End().Add(4 * 24 * time.Hour))
	y.lateHours()
	y.sync()
}

func (y *Year) billCompany(account codex.AccountNumber) {
	y.t.Helper()
	period := y.month.period
	if account == y.month.skip {
		return
	}
	d := y.month.drafts[account]
	y.decide(d.assets)
	if account == y.month.again || account == y.month.open { // a bill that nobody shall look at any more
		wrong := *d
		wrong.assets = wrong.assets[1:]
		y.send(&wrong, period)
		y.reopen(account, period)
		if account == y.month.open {
			return
		}
	}
	mistyped := map[int]string{}
	for _, mistake := range y.month.wrong[account] {
		mistake(d)
	}
	for _, m := range d.assets { // a machine whose type nobody set
		if y.types[m.ID] == "Server" && y.last[account] != nil && !y.month.touched[m.ID] && y.chance(8) {
			y.month.touched[m.ID] = true
			mistyped[m.ID] = "Server"
			delete(y.types, m.ID)
			y.plant(account, "type_differs", "assets", m.ID, cents(d.rates.server)-cents(d.rates.workstation), nil)
		}
	}
	y.send(d, period)
	y.keep(d)
	maps.Copy(y.types, mistyped)
}

// keep notes a bill that stands.
func (y *Year) keep(d *draft) {
	period := y.month.period
	s := &sent{draft: *d, period: period, types: map[int]string{}, free: map[int]bool{}}
	s.tickets = slices.DeleteFunc(slices.Clone(d.tickets), func(t ticketRow) bool { return t.ID >= nobodys })
	for _, m := range d.assets {
		s.types[m.ID] = y.typeOf(m.ID)
	}
	for _, p := range d.users {
		s.free[p.ID] = y.free[p.ID]
	}
	y.last[d.account], y.sent[period][invoiceOf(d.account, period)] = s, s
	for _, t := range s.tickets {
		var most codex.Quantity // of what was billed before
		for _, earlier := range y.tickets[t.ID] {
			most = max(most, codex.Seconds(earlier.seconds).Quantity())
		}
		if most > 0 {
			worth := -hoursCents(min(t.e4(), most), d.rates)
			y.plant(d.account, "billed_twice", "tickets", t.ID, none, &worth)
		}
		y.tickets[t.ID] = append(y.tickets[t.ID], billedTicket{period, invoiceOf(d.account, period), t.Seconds, d.rates.hour})
	}
}

// nobodys is the first of the numbers that no ticket has.
const nobodys = 900_000

// none is no exact worth.
const none = codex.Cents(1 << 60)

// Line is a difference as the lists of a year have it.
func Line(account codex.AccountNumber, kind, entity, id string, worth, upTo *codex.Cents) string {
	text := func(c *codex.Cents) string {
		if c == nil {
			return "-"
		}
		return c.String()
	}
	return fmt.Sprintf("%s %s %s:%s %s %s", account, kind, entity, id, text(worth), text(upTo))
}

func (y *Year) plant(account codex.AccountNumber, kind, entity string, id int, worth codex.Cents, upTo *codex.Cents) {
	exact := &worth
	if worth == none {
		exact = nil
	}
	y.Planted[y.month.period] = append(y.Planted[y.month.period], Line(account, kind, entity, strconv.Itoa(id), exact, upTo))
}

func (y *Year) chance(percent int) bool { return y.random.IntN(100) < percent }

func pick[T any](y *Year, list []T) T { return list[y.random.IntN(len(list))] }

// hoursCents is what hours cost at a rate, exactly.
func hoursCents(hours codex.Quantity, r rates) codex.Cents {
	perHour := int64(r.hour*10_000 + 0.5)
	return codex.Cents((int64(hours)*perHour + 500_000) / 1_000_000)
}

// backupCents is what a machine's backup adds at most; nil where it has none.
func backupCents(m row, billedType string) *codex.Cents {
	if m.Backup == 0 {
		return nil
	}
	base := map[string]int64{"Workstation": 15_00, "Server": 30_00}[billedType]
	worth := codex.Cents(base + (m.Backup*33_30+1<<39)/(1<<40))
	return &worth
}

// lessBackup is by how much a bill falls at most without a machine's backup; nil where it has none.
func lessBackup(m row, billedType string) *codex.Cents {
	worth := backupCents(m, billedType)
	if worth != nil {
		*worth = -*worth
	}
	return worth
}

// untouched are the machines of a company with which nothing happens this month and that its last bill
// had, at a cost, as what they are billed now.
func (y *Year) untouched(account codex.AccountNumber) []*ent.Asset {
	last := y.last[account]
	if last == nil {
		return nil
	}
	var list []*ent.Asset
	for _, m := range y.machinesOf(account) {
		if !y.month.touched[m.ID] && last.types[m.ID] == y.typeOf(m.ID) && last.rates.of(last.types[m.ID]) > 0 {
			list = append(list, m)
		}
	}
	return list
}

// take is a machine with which nothing happens yet; nil where there is none.
func (y *Year) take(account codex.AccountNumber) *ent.Asset {
	list := y.untouched(account)
	if len(list) < 3 { // a company keeps some
		return nil
	}
	m := pick(y, list)
	y.month.touched[m.ID] = true
	return m
}

func (y *Year) mistake(account codex.AccountNumber, change func(d *draft)) {
	y.month.wrong[account] = append(y.month.wrong[account], change)
}

// belonging is which machines and people each company has now.
func (y *Year) belonging() map[string]map[int]bool {
	all := map[string]map[int]bool{}
	for _, account := range y.companies {
		d := y.ledger.served(account, y.month.period)
		machines, people := map[int]bool{}, map[int]bool{}
		for _, m := range d.assets {
			machines[m.ID] = true
		}
		for _, p := range d.users {
			people[p.ID] = true
		}
		all[string(account)+" assets"], all[string(account)+" contacts"] = machines, people
	}
	return all
}
