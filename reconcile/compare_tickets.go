package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
)

// ofMonth tells whether a ticket was one of a company's to be billed in the month, at a moment.
func (c *comparing) ofMonth(account codex.AccountNumber, id int, at time.Time) bool {
	t := seenAt(c.Tickets[id], at)
	return t != nil && t.Month == c.Period && c.isSame(account, t.Account)
}

// shouldBeBilled tells whether a ticket was one to be billed both at the run that a bill was made from and
// when that was accepted: what changed in between is held against neither side.
func (c *comparing) shouldBeBilled(company *billedCompany, id int, seen time.Time) bool {
	return c.ofMonth(company.account, id, seen) && c.ofMonth(company.account, id, company.accepted)
}

// tickets are the differences of a company's tickets. What hours are worth is not linear where a plan
// has some of them prepaid, so it is said how much it may be at most.
func (c *comparing) tickets(company *billedCompany) {
	seen, known := company.seen[codex.FeedTickets]
	if !known || company.bills[0].Source == SourceLines { // whose tickets nobody knows
		return
	}
	if perHour, told := company.rates["per_hour_ticket_cost"]; told && perHour == 0 { // decided
		return
	}
	billed := make(map[int]bool)
	for _, bill := range company.bills {
		for _, line := range bill.Tickets {
			c.ticket(company, bill, line, seen, billed)
		}
	}
	for _, id := range c.idsOf(EntityTickets, company.account) {
		if billed[id] || !c.shouldBeBilled(company, id, seen) {
			continue
		}
		t := seenAt(c.Tickets[id], seen)
		d := c.differ(company, DiffThereNotBilled, EntityTickets, strconv.Itoa(id), t.Subject, t.Hours.String())
		d.UpTo = hoursWorth(company.rates, t.Hours)
		d.Seen = fmt.Sprintf("The ticket was closed in the month with %s hours, and is not on the bill.", t.Hours)
	}
}

func (c *comparing) ticket(company *billedCompany, bill *BillFact, line TicketLine, seen time.Time, billed map[int]bool) {
	about := func(kind string, facts ...string) *Difference {
		d := c.differ(company, kind, EntityTickets, line.Number, line.Subject, facts...)
		d.Invoice = bill.Invoice
		d.UpTo = negative(hoursWorth(company.rates, line.Hours))
		return d
	}
	if line.ID == nil {
		about(DiffBilledNotThere).Seen = "The bill has a ticket whose number is none."
		return
	}
	if billed[*line.ID] {
		about(DiffBilledTwice, bill.Invoice).Seen = "The bill has the ticket twice."
		return
	}
	billed[*line.ID] = true
	if !c.ofMonth(company.account, *line.ID, seen) && !c.ofMonth(company.account, *line.ID, company.accepted) {
		t := seenAt(c.Tickets[*line.ID], seen)
		if t != nil && !c.isSame(company.account, t.Account) {
			d := about(DiffMoved, string(t.Account))
			d.Before, d.Now = string(company.account), string(t.Account)
			d.Seen = fmt.Sprintf("The ticket was one of %s.", c.companyName(t.Account, seen))
			return
		}
		about(DiffBilledNotThere, line.Hours.String()).Seen = "The ticket was none of the company's that were closed in the month."
		return
	}
	if earlier := c.billedBefore(company, *line.ID); earlier != nil {
		d := about(DiffBilledTwice, earlier.Invoice)
		d.Before, d.Now = bill.Invoice, earlier.Invoice
		d.UpTo = negative(hoursWorth(company.rates, min(earlier.Hours, line.Hours)))
		d.Seen = fmt.Sprintf("The ticket has %s hours here, and had %s on %s.", line.Hours, earlier.Hours, earlier.Invoice)
	}
}

// ticketCharge is a place on a bill where a ticket stands.
type ticketCharge struct {
	company *billedCompany
	bill    *BillFact
	line    TicketLine
}

// chargeTickets notes on which bills of the month tickets stand.
func (c *comparing) chargeTickets() {
	for _, company := range c.companies {
		for _, bill := range company.bills {
			for _, line := range bill.Tickets {
				if line.ID != nil {
					c.ticketCharges[*line.ID] = append(c.ticketCharges[*line.ID], ticketCharge{company, bill, line})
				}
			}
		}
	}
}

// billedBefore is where a ticket was billed with the most hours before a company's bill: in an earlier
// month, or, when it went from company to company, by another one of this month whose bill came first.
// nil where it was not.
func (c *comparing) billedBefore(company *billedCompany, id int) *BilledTicket {
	var before []BilledTicket
	for _, other := range c.Elsewhere[id] {
		if other.Period.Start().Before(c.Period.Start()) {
			before = append(before, other)
		}
	}
	first := make(map[*billedCompany]int)
	for _, at := range c.ticketCharges[id] {
		if bill, known := first[at.company]; !known || at.bill.ID < bill {
			first[at.company] = at.bill.ID
		}
	}
	for _, at := range c.ticketCharges[id] {
		seen, known := at.company.seen[codex.FeedTickets]
		if !known || first[at.company] >= first[company] {
			continue
		}
		if c.ofMonth(at.company.account, id, seen) || c.ofMonth(at.company.account, id, at.company.accepted) {
			before = append(before, BilledTicket{Period: c.Period, Invoice: at.bill.Invoice, Hours: at.line.Hours})
		}
	}
	if len(before) == 0 {
		return nil
	}
	most := slices.MaxFunc(before, func(a, b BilledTicket) int { return cmp.Compare(a.Hours, b.Hours) })
	return &most
}
