package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Compare makes the reconciliation of what was read. It does nothing else: the same facts give the same
// differences, in the same order.
func Compare(facts ReconcileFacts, acknowledged *Acknowledged) *Reconciliation {
	c := newComparing(facts)
	for _, company := range c.companies {
		c.bills(company)
		c.things(company, EntityAssets)
		c.things(company, EntityContacts)
		c.tickets(company)
		c.laterThings(company, EntityAssets)
		c.laterThings(company, EntityContacts)
		c.laterTickets(company)
	}
	c.unbilled()
	c.distinguish()
	subjects := make([]Subject, len(c.result.Differences))
	for i, d := range c.result.Differences {
		subjects[i] = d.Subject
	}
	for i, standing := range acknowledged.Standings(subjects) {
		c.result.Differences[i].Acknowledgement, c.result.Differences[i].Lapsed = standing.Holds, standing.Lapsed
	}
	c.sort()
	return c.result
}

// comparing is what one reconciliation is decided with.
type comparing struct {
	ReconcileFacts
	result    *Reconciliation
	companies []*billedCompany
	same      map[codex.AccountNumber]string // companies by their number: one that was renumbered is the same
	charges   map[thing][]charge
	there     map[string]map[string][]int         // machines, people and tickets that were ever with a company, by its key
	belonged  map[int][]codex.AccountNumber       // the companies with which a person ever was
	last      map[string]*LastBill                // of a company, by its key
	next      map[string]map[codex.Feed]time.Time // of a company, by its key
	// ticketCharges are the places on the month's bills where tickets stand.
	ticketCharges map[int][]ticketCharge
}

// billedCompany is a company with its bills of the month.
type billedCompany struct {
	account codex.AccountNumber // of the newest bill
	name    string              // as on the newest bill
	bills   []*BillFact
	charged map[string]map[int][]charge // where its bills charge for machines and people, by id
	unknown map[string][]charge         // where they charge for machines and people that nobody knows
	last    *LastBill
	rates   map[string]codex.Quantity // of the newest bill
	invoice string                    // of the newest bill
	// accepted is when the newest bill was accepted, seen when the runs ended that it was made from.
	accepted time.Time
	seen     map[codex.Feed]time.Time
}

// thing is a machine or a person.
type thing struct {
	entity string
	id     int
}

// charge is a place on a bill where a thing is charged for.
type charge struct {
	company *billedCompany
	bill    *BillFact
	line    ItemLine
}

func newComparing(facts ReconcileFacts) *comparing {
	c := &comparing{
		ReconcileFacts: facts, same: departments(facts.Companies), charges: make(map[thing][]charge),
		result: &Reconciliation{
			Period: facts.Period, At: facts.Now,
			Bills: []*BillCompared{}, Differences: []*Difference{}, Later: []*Later{}, Unbilled: []*Unbilled{},
		},
		last: make(map[string]*LastBill), next: make(map[string]map[codex.Feed]time.Time),
		there:    map[string]map[string][]int{EntityAssets: {}, EntityContacts: {}, EntityTickets: {}},
		belonged: make(map[int][]codex.AccountNumber), ticketCharges: make(map[int][]ticketCharge),
	}
	c.group()
	byKey := make(map[string]*billedCompany)
	for i := range facts.Bills {
		bill := &facts.Bills[i]
		company := byKey[c.key(bill.Account)]
		if company == nil {
			company = &billedCompany{
				last:    c.last[c.key(bill.Account)],
				charged: map[string]map[int][]charge{EntityAssets: {}, EntityContacts: {}},
				unknown: make(map[string][]charge),
			}
			byKey[c.key(bill.Account)] = company
			c.companies = append(c.companies, company)
		}
		company.bills = append(company.bills, bill)
		company.account, company.name, company.rates = bill.Account, bill.Name, bill.Rates
		company.invoice, company.accepted = bill.Invoice, bill.AcceptedAt
		company.seen = bill.Runs
	}
	slices.SortFunc(c.companies, func(a, b *billedCompany) int { return cmp.Compare(a.account, b.account) })
	for _, company := range c.companies {
		c.charge(company)
	}
	c.chargeTickets()
	return c
}

// charge notes where a company's bills charge for machines and people. What a bill tells by its name is
// the first of that name that is not charged for yet, else one that is charged for again.
func (c *comparing) charge(company *billedCompany) {
	note := func(entity string, id int, at charge) {
		t := thing{entity, id}
		c.charges[t] = append(c.charges[t], at)
		company.charged[entity][id] = append(company.charged[entity][id], at)
	}
	var named []charge
	for _, bill := range company.bills {
		for _, line := range bill.Lines {
			switch entity, at := entityOf(line.Kind), (charge{company, bill, line}); {
			case entity == "":
			case line.ID != nil:
				note(entity, *line.ID, at)
			default:
				named = append(named, at)
			}
		}
	}
	for _, at := range named {
		entity := entityOf(at.line.Kind)
		ids := c.byName(company, at.bill, entity, at.line.Name)
		if len(ids) == 0 {
			company.unknown[entity] = append(company.unknown[entity], at)
			continue
		}
		free := slices.IndexFunc(ids, func(id int) bool { return len(company.charged[entity][id]) == 0 })
		note(entity, ids[max(free, 0)], at)
	}
}

// tellsAll tells whether its bills have what costs nothing too. Else nothing is said of what they lack.
func (b *billedCompany) tellsAll() bool {
	return !slices.ContainsFunc(b.bills, func(bill *BillFact) bool { return bill.Source == SourceLines })
}

func entityOf(kind string) string {
	switch kind {
	case KindAsset:
		return EntityAssets
	case KindUser:
		return EntityContacts
	}
	return ""
}

func feedOf(entity string) codex.Feed {
	switch entity {
	case EntityAssets:
		return codex.FeedDatto
	case EntityTickets:
		return codex.FeedTickets
	}
	return codex.FeedFreshservice
}

// byName are the machines or people of a company that have a name, as the hub had seen them.
func (c *comparing) byName(company *billedCompany, bill *BillFact, entity, name string) []int {
	run, known := bill.Runs[feedOf(entity)]
	if !known {
		return nil
	}
	var found []int
	for _, id := range c.idsOf(entity, company.account) {
		if c.isWith(entity, id, company.account, run) && store.Fold(c.nameOf(entity, id, run)) == store.Fold(name) {
			found = append(found, id)
		}
	}
	return found
}

// isWith tells whether a machine or person was with a company at a moment.
func (c *comparing) isWith(entity string, id int, account codex.AccountNumber, at time.Time) bool {
	return slices.ContainsFunc(c.homes(entity, id, at), func(home codex.AccountNumber) bool { return c.isSame(account, home) })
}

// homes are the companies with which a machine or person was at a moment, in order.
func (c *comparing) homes(entity string, id int, at time.Time) []codex.AccountNumber {
	if entity == EntityAssets {
		if m := seenAt(c.Machines[id], at); m != nil {
			return []codex.AccountNumber{m.Account}
		}
		return nil
	}
	if seenAt(c.People[id], at) == nil {
		return nil
	}
	var homes []codex.AccountNumber
	for _, account := range c.belonged[id] {
		if seenAt(c.Links[PersonOf{account, id}], at) != nil {
			homes = append(homes, account)
		}
	}
	slices.Sort(homes)
	return homes
}

// nameOf is what a machine or person was called at a moment.
func (c *comparing) nameOf(entity string, id int, at time.Time) string {
	if entity == EntityAssets {
		if m := seenAt(c.Machines[id], at); m != nil {
			return m.Hostname
		}
	} else if p := seenAt(c.People[id], at); p != nil {
		return p.Name
	}
	return strconv.Itoa(id)
}

func (c *comparing) companyName(account codex.AccountNumber, at time.Time) string {
	if company := seenAt(c.Companies[account], at); company != nil {
		return company.Name
	}
	return string(account)
}

func (c *comparing) bills(company *billedCompany) {
	for _, bill := range company.bills {
		compared := &BillCompared{
			ID: bill.ID, Invoice: bill.Invoice, Account: bill.Account, Company: bill.Name, Source: bill.Source, Problem: bill.Problem,
			NotCompared: []codex.Feed{},
		}
		for _, feed := range codex.Feeds() {
			if _, known := bill.Runs[feed]; !known {
				compared.NotCompared = append(compared.NotCompared, feed)
			}
		}
		c.result.Bills = append(c.result.Bills, compared)
	}
}

// differ notes a difference about an item of a company. Facts are what an acknowledgement holds by.
func (c *comparing) differ(company *billedCompany, kind, entity, id, name string, facts ...string) *Difference {
	item := Item{Entity: entity, ID: id, Name: cmp.Or(name, id)}
	d := &Difference{
		Subject: Subject{
			Account: company.account, Kind: kind, Item: item,
			Fingerprint: Fingerprint(company.account, kind, item, facts...),
		},
		Company: company.name, Invoice: company.invoice,
	}
	c.result.Differences = append(c.result.Differences, d)
	return d
}

// distinguish gives each of several differences that are alike in all their facts a fingerprint of its own, by
// its place among them: so each is acknowledged by itself.
func (c *comparing) distinguish() {
	alike := make(map[string]int)
	for _, d := range c.result.Differences {
		first := d.Fingerprint // which holds company, kind and item
		alike[first]++
		if alike[first] > 1 {
			d.Fingerprint = Fingerprint(d.Account, d.Kind, d.Item, first, strconv.Itoa(alike[first]))
		}
	}
}

// rate is a rate in cents; nil where the bill has none of that name.
func rate(rates map[string]codex.Quantity, name string) *codex.Cents {
	q, known := rates[name]
	if !known {
		return nil
	}
	cents := inCents(int64(q), 100)
	return &cents
}

// inCents divides by a scale, half away from zero.
func inCents(n, scale int64) codex.Cents {
	if n < 0 {
		return -inCents(-n, scale)
	}
	return codex.Cents((n + scale/2) / scale)
}

// rateName is what effective_rates calls the rate of a type (docs/compatibility.md, "How Ledger makes a
// bill").
func rateName(billedType string) string { return "per_" + strings.ToLower(billedType) + "_cost" }

// hoursWorth is what hours cost at most; nil where the rates do not say.
func hoursWorth(rates map[string]codex.Quantity, hours codex.Quantity) *codex.Cents {
	perHour, known := rates["per_hour_ticket_cost"]
	if !known {
		return nil
	}
	cents := inCents(int64(hours)*int64(perHour), 1_000_000)
	return &cents
}

// backupWorth is what a machine's backup costs at most: its base fee, and all of its size beyond what is
// included; nil where it has none or the rates do not say.
func backupWorth(rates map[string]codex.Quantity, billedType string, size codex.Bytes) *codex.Cents {
	base := rate(rates, "backup_base_fee_"+strings.ToLower(billedType))
	perTB := rate(rates, "backup_per_tb_fee")
	if size == 0 || base == nil && perTB == nil {
		return nil
	}
	cents := valueOf(base)
	if perTB != nil {
		const kibi = 1 << 10 // whole KiB are enough for cents, and do not overflow
		cents += inCents(int64(size)/kibi*int64(*perTB), 1<<30)
	}
	return &cents
}

func negative(cents *codex.Cents) *codex.Cents {
	if cents == nil {
		return nil
	}
	n := -*cents
	return &n
}

// sort puts the largest first, and what is of one size in the order of company, kind and item.
func (c *comparing) sort() {
	slices.SortStableFunc(c.result.Differences, func(a, b *Difference) int {
		return cmp.Or(
			cmp.Compare(size(b.Worth, b.UpTo), size(a.Worth, a.UpTo)), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item.Entity, b.Item.Entity), compareIDs(a.Item.ID, b.Item.ID),
		)
	})
	slices.SortStableFunc(c.result.Later, func(a, b *Later) int {
		return cmp.Or(
			cmp.Compare(a.Account, b.Account), a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Item.Entity, b.Item.Entity), compareIDs(a.Item.ID, b.Item.ID),
		)
	})
	slices.SortStableFunc(c.result.Unbilled, func(a, b *Unbilled) int {
		return cmp.Or(cmp.Compare(size(b.Worth, b.UpTo), size(a.Worth, a.UpTo)), cmp.Compare(a.Account, b.Account))
	})
}

// size is how large a difference is; -1 where nobody can say.
func size(worth, upTo *codex.Cents) codex.Cents {
	if worth == nil && upTo == nil {
		return -1
	}
	return max(valueOf(worth), -valueOf(worth)) + max(valueOf(upTo), -valueOf(upTo))
}

// compareIDs compares numbers by their size.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
