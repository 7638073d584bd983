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

// until is how far the quiet list goes: what comes after the next bill is that one's.
func (c *comparing) until(company *billedCompany) time.Time {
	if next, there := c.Next[company.account]; there && next.Before(c.Now) {
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

// laterThings are the machines, or people, that came to a company or left it after its bill was made.
func (c *comparing) laterThings(company *billedCompany, entity string) {
	if _, known := company.seen[feedOf(entity)]; !known {
		return
	}
	until := c.until(company)
	for _, id := range c.idsOf(entity, company.account) {
		was := c.isWith(entity, id, company.account, company.accepted)
		is := c.isWith(entity, id, company.account, until)
		key := strconv.Itoa(id)
		switch {
		case was == is:
		case is:
			c.later(company, LaterAdded, entity, key, c.nameOf(entity, id, until), c.turned(company, entity, id, until), "It came to the company.")
		default:
			name, at := c.nameOf(entity, id, company.accepted), c.turned(company, entity, id, until)
			if homes := c.homes(entity, id, until); len(homes) > 0 {
				c.later(company, LaterMoved, entity, key, name, at, "It is with "+c.companyName(homes[0], until)+" now.")
				continue
			}
			c.later(company, LaterRemoved, entity, key, name, at, "It is gone.")
		}
	}
}

// turned is when a thing last came to a company, or left it, by a moment.
func (c *comparing) turned(company *billedCompany, entity string, id int, until time.Time) time.Time {
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
	turned := company.accepted
	for _, at := range times { // from the newest back, as long as it stays as it is
		if at.After(until) {
			continue
		}
		if at.Before(company.accepted) || c.isWith(entity, id, company.account, at) != is {
			break
		}
		turned = at
	}
	return turned
}

// laterTickets are hours that came late, and tickets of the month that were closed late, unless a later
// bill has them.
func (c *comparing) laterTickets(company *billedCompany) {
	if _, known := company.seen[codex.FeedTickets]; !known {
		return
	}
	billed := make(map[int]bool)
	for _, bill := range company.bills {
		for _, line := range bill.Tickets {
			if line.ID != nil {
				billed[*line.ID] = true
				c.laterHours(company, line)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Tickets)) {
		t := seenAt(c.Tickets[id], c.Now)
		if billed[id] || !c.ofMonth(company.account, id, c.Now) || len(c.Elsewhere[id]) > 0 || c.ofMonth(company.account, id, company.accepted) {
			continue
		}
		l := c.later(company, LaterTicket, EntityTickets, strconv.Itoa(id), t.Subject, t.From,
			fmt.Sprintf("It was closed in the month, has %s hours, and is on no bill.", t.Hours))
		l.UpTo = hoursWorth(company.rates, t.Hours)
	}
}

func (c *comparing) laterHours(company *billedCompany, line TicketLine) {
	t := seenAt(c.Tickets[*line.ID], c.Now)
	if t == nil || t.Hours <= line.Hours || slices.ContainsFunc(c.Elsewhere[*line.ID], func(other BilledTicket) bool {
		return other.Period.Start().After(c.Period.Start())
	}) {
		return
	}
	l := c.later(company, LaterHours, EntityTickets, line.Number, line.Subject, t.From,
		fmt.Sprintf("It was billed with %s hours and has %s now.", line.Hours, t.Hours))
	l.UpTo = hoursWorth(company.rates, t.Hours-line.Hours)
}

// unbilled are the companies that have no bill for the month, and were served when it had ended and the
// last of its bills was made; or are now, if it has not.
func (c *comparing) unbilled() {
	at := c.Period.End()
	for _, bill := range c.Bills {
		if bill.AcceptedAt.After(at) {
			at = bill.AcceptedAt
		}
	}
	if c.Now.Before(at) {
		at = c.Now
	}
	for _, account := range slices.Sorted(maps.Keys(c.Companies)) {
		company := seenAt(c.Companies[account], at)
		if company == nil || slices.ContainsFunc(c.companies, func(b *billedCompany) bool { return c.isSame(b.account, account) }) {
			continue
		}
		last := c.Last[account]
		u := &Unbilled{Account: account, Company: company.Name}
		var rates map[string]codex.Quantity
		if last != nil {
			u.Last, rates = &last.Period, last.Rates
			u.Worth = new(codex.Cents)
		}
		for _, entity := range []string{EntityAssets, EntityContacts} {
			for _, id := range c.idsOf(entity, account) {
				if c.isWith(entity, id, account, at) {
					c.wouldHold(u, rates, last, thing{entity, id})
				}
			}
		}
		for id := range c.Tickets {
			if c.ofMonth(account, id, at) {
				u.Hours += seenAt(c.Tickets[id], at).Hours
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
