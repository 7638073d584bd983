package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
)

// until is how far the quiet list of a feed goes: what comes after the runs of the next bill is that
// one's.
func (c *comparing) until(company *billedCompany, feed codex.Feed) time.Time {
	if next, there := c.next[c.key(company.account)][feed]; there && next.Before(c.Now) {
		return next
	}
	return c.Now
}

func (c *comparing) later(company *billedCompany, kind, entity, id, name string, at time.Time, seen string) *Later {
	l := &Later{
		Account: company.account, Company: company.name, Kind: kind, Item: Item{Entity: entity, ID: id, Name: cmp.Or(name, id)}, At: at, Seen: seen,
	}
	c.result.Later = append(c.result.Later, l)
	return l
}

// laterThings are the machines, or people, that came to a company or left it after the run that its bill
// was made from. A bill that was made, or made anew, from a later run than the next month's has no later
// ones: what came in between is on both.
func (c *comparing) laterThings(company *billedCompany, entity string) {
	seen, known := company.seen[feedOf(entity)]
	until := c.until(company, feedOf(entity))
	if !known || !until.After(seen) {
		return
	}
	for _, id := range c.idsOf(entity, company.account) {
		was := c.isWith(entity, id, company.account, seen)
		is := c.isWith(entity, id, company.account, until)
		key := strconv.Itoa(id)
		switch {
		case was == is:
		case is:
			c.later(company, LaterAdded, entity, key, c.nameOf(entity, id, until), c.turned(company, entity, id, seen, until), "It came to the company.")
		default:
			name, at := c.nameOf(entity, id, seen), c.turned(company, entity, id, seen, until)
			if homes := c.homes(entity, id, until); len(homes) > 0 {
				c.later(company, LaterMoved, entity, key, name, at, "It is with "+c.companyName(homes[0], until)+" now.")
				continue
			}
			c.later(company, LaterRemoved, entity, key, name, at, "It is gone.")
		}
	}
}

// turned is when a thing last came to a company, or left it, between two moments.
func (c *comparing) turned(company *billedCompany, entity string, id int, from, until time.Time) time.Time {
	var times []time.Time
	note := func(s Span) {
		times = append(times, s.From)
		if s.To != nil {
			times = append(times, *s.To)
		}
	}
	for _, m := range c.Machines[id] {
		if entity == EntityAssets {
			note(m.Span)
		}
	}
	if entity == EntityContacts {
		for _, p := range c.People[id] {
			note(p.Span)
		}
		for _, account := range c.belonged[id] {
			for _, link := range c.Links[PersonOf{account, id}] {
				note(link)
			}
		}
	}
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	is := c.isWith(entity, id, company.account, until)
	turned := from
	for _, at := range times { // from the newest back, as long as it stays as it is
		if at.After(until) {
			continue
		}
		if at.Before(from) || c.isWith(entity, id, company.account, at) != is {
			break
		}
		turned = at
	}
	return turned
}

// laterTickets are hours that came late, and tickets of the month that were closed late, unless a later
// bill has them.
func (c *comparing) laterTickets(company *billedCompany) {
	seen, known := company.seen[codex.FeedTickets]
	if !known {
		return
	}
	for _, bill := range company.bills {
		for _, line := range bill.Tickets {
			if line.ID != nil {
				c.laterHours(company, line, seen)
			}
		}
	}
	for _, id := range c.idsOf(EntityTickets, company.account) {
		t := seenAt(c.Tickets[id], c.Now)
		if len(c.ticketCharges[id]) > 0 || !c.ofMonth(company.account, id, c.Now) || len(c.Elsewhere[id]) > 0 || c.shouldBeBilled(company, id, seen) {
			continue
		}
		l := c.later(company, LaterTicket, EntityTickets, strconv.Itoa(id), t.Subject, t.From,
			fmt.Sprintf("It was closed in the month, has %s hours, and is on no bill.", t.Hours))
		l.UpTo = hoursWorth(company.rates, t.Hours)
	}
}

// laterHours are what a ticket has now beyond what it was billed with and beyond what the hub had seen
// then. Fewer hours on the bill than were seen are not late, and neither are those that other rules make
// of the same work: what was seen is reckoned as it is now.
func (c *comparing) laterHours(company *billedCompany, line TicketLine, seen time.Time) {
	t := seenAt(c.Tickets[*line.ID], c.Now)
	if t == nil || slices.ContainsFunc(c.Elsewhere[*line.ID], func(other BilledTicket) bool {
		return other.Period.Start().After(c.Period.Start())
	}) {
		return
	}
	if slices.ContainsFunc(c.ticketCharges[*line.ID], func(at ticketCharge) bool { // another's bill, on which they stand
		return at.company != company && at.bill.ID > company.bills[0].ID
	}) {
		return
	}
	had := line.Hours
	if then := seenAt(c.Tickets[*line.ID], seen); then != nil {
		had = max(had, then.Hours)
	}
	if t.Hours <= had {
		return
	}
	l := c.later(company, LaterHours, EntityTickets, line.Number, line.Subject, t.From,
		fmt.Sprintf("It was billed with %s hours and has %s now.", line.Hours, t.Hours))
	l.UpTo = hoursWorth(company.rates, t.Hours-had)
}

// ended is when the hub had first seen what the month ended with: what came after that is the next
// month's.
func (c *comparing) ended(feed codex.Feed) time.Time {
	at, known := c.Ended[feed]
	if !known {
		at = c.Period.End()
	}
	if c.Now.Before(at) {
		return c.Now
	}
	return at
}

// unbilled are the companies that have no bill for the month, and were served when it had ended; or are
// now, if it has not. When bills were made does not count: one that is corrected weeks later would bring
// what came since.
func (c *comparing) unbilled() {
	at := c.ended(codex.FeedFreshservice)
	for _, account := range slices.Sorted(maps.Keys(c.Companies)) {
		company := seenAt(c.Companies[account], at)
		if company == nil || slices.ContainsFunc(c.companies, func(b *billedCompany) bool { return c.isSame(b.account, account) }) {
			continue
		}
		last := c.last[c.key(account)]
		u := &Unbilled{Account: account, Company: company.Name}
		var rates map[string]codex.Quantity
		if last != nil {
			u.Last, rates = &last.Period, last.Rates
			u.Worth = new(codex.Cents)
		}
		for _, entity := range []string{EntityAssets, EntityContacts} {
			for _, id := range c.idsOf(entity, account) {
				if c.isWith(entity, id, account, c.ended(feedOf(entity))) {
					c.wouldHold(u, rates, last, thing{entity, id})
				}
			}
		}
		for _, id := range c.idsOf(EntityTickets, account) {
			if tickets := c.ended(codex.FeedTickets); c.ofMonth(account, id, tickets) {
				u.Hours += seenAt(c.Tickets[id], tickets).Hours
			}
		}
		if hours := hoursWorth(rates, u.Hours); hours != nil {
			u.UpTo = plus(u.UpTo, hours)
		}
		if u.Machines+u.People > 0 || u.Hours > 0 || last != nil {
			c.result.Unbilled = append(c.result.Unbilled, u)
		}
	}
}

// wouldHold adds a machine or person to what a bill would hold.
func (c *comparing) wouldHold(u *Unbilled, rates map[string]codex.Quantity, last *LastBill, t thing) {
	kind, worth := c.expected(rates, last, t)
	u.Worth = plusExact(u.Worth, worth)
	if t.entity == EntityContacts {
		u.People++
		return
	}
	u.Machines++
	if backup := backupWorth(rates, kind, c.Backups[t.id]); backup != nil {
		u.UpTo = plus(u.UpTo, backup)
	}
}

// plus adds where there is something to add to.
func plus(a, b *codex.Cents) *codex.Cents {
	sum := valueOf(a) + valueOf(b)
	return &sum
}

// plusExact adds what is exact: with a part that nobody knows there is no sum.
func plusExact(a, b *codex.Cents) *codex.Cents {
	if a == nil || b == nil {
		return nil
	}
	return plus(a, b)
}
