package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
)

// Flags of people, of tickets and of counts.
const (
	FlagInactiveBilled    = "inactive_billed"      // a person who is inactive, and would be charged
	FlagBilledTwice       = "person_billed_twice"  // a person for whom two companies would be charged
	FlagBilledBefore      = "ticket_billed_before" // a ticket of the month that stands in a bill of an earlier one
	FlagMachineCountMoved = "machine_count_moved"  // many more machines than on the last bill, or many fewer
	FlagPersonCountMoved  = "person_count_moved"   // many more people than on the last bill, or many fewer
)

// people are the flags of a company's people, person by person. Cost 0 on the last bill is decided.
func (d *deciding) people(c *CompanyFact) []*Flag {
	var flags []*Flag
	for _, p := range c.People {
		homes := d.homes[p.ID]
		if !slices.Contains(homes, c) {
			continue
		}
		item := Item{Entity: EntityContacts, ID: strconv.Itoa(p.ID), Name: p.Name}
		if !p.Active {
			flag := flagOf(c.Account, FlagInactiveBilled, item, "inactive")
			flag.Seen = fmt.Sprintf("%s (%s) is inactive in Freshservice, and is billed all the same.", p.Name, p.Email)
			flag.Do = "Delete the person in Freshservice and sync freshservice, or set the person to Free in Ledger."
			flag.Worth = c.personCost(p.ID)
			flags = append(flags, flag)
		}
		if len(homes) > 1 {
			var others, accounts []string
			for _, home := range homes {
				accounts = append(accounts, string(home.Account))
				if home != c {
					others = append(others, fmt.Sprintf("%s (%s)", home.Name, home.Account))
				}
			}
			flag := flagOf(c.Account, FlagBilledTwice, item, accounts...)
			flag.Seen = fmt.Sprintf("%s (%s) belongs to %s too, and each is billed for the person.", p.Name, p.Email, strings.Join(others, " and "))
			flag.Do = "Set the person to Free in Ledger for all companies but one, or correct the departments in Freshservice."
			flag.Worth = c.personCost(p.ID)
			flags = append(flags, flag)
		}
	}
	return flags
}

// tickets are the flags of tickets that were billed before. Ledger takes the month of a ticket's last
// update, and all its hours: a late "thanks" moves it into another month, with what was billed already.
func (d *deciding) tickets(c *CompanyFact) []*Flag {
	var flags []*Flag
	for _, t := range c.Tickets {
		if len(t.Earlier) == 0 {
			continue
		}
		var facts, where []string
		for _, b := range t.Earlier {
			facts = append(facts, b.Invoice, b.Hours.String())
			where = append(where, fmt.Sprintf("%s with %s h (%s)", b.Invoice, shownHours(b.Hours), b.Period))
		}
		now := t.Seconds.Quantity()
		item := Item{Entity: EntityTickets, ID: strconv.Itoa(t.ID), Name: t.Subject}
		flag := flagOf(c.Account, FlagBilledBefore, item, append(facts, now.String())...)
		flag.Before, flag.Now = shownHours(t.Earlier[len(t.Earlier)-1].Hours), shownHours(now)
		flag.Seen = fmt.Sprintf("Ticket %d stands already on %s; it has %s h now, and would be billed with all of them.", t.ID, strings.Join(where, " and on "), shownHours(now))
		flag.Do = "Take the hours that were billed already off the new bill, in Ledger."
		flag.Link = t.Link
		flags = append(flags, flag)
	}
	return flags
}

// shownHours are hours without zeros that say nothing: 1.5, 2.
func shownHours(hours codex.Quantity) string {
	return strings.TrimRight(strings.TrimRight(hours.String(), "0"), ".")
}

// counts are the flags of counts that moved since the last bill. What Ledger added to it by hand is not
// counted: it stays from bill to bill.
func (d *deciding) counts(c *CompanyFact) []*Flag {
	if c.Last == nil || !c.Last.Complete {
		return nil
	}
	var flags []*Flag
	for _, count := range []struct {
		kind, what  string
		before, now int
	}{
		{FlagMachineCountMoved, "machines", len(c.Last.Machines), len(c.Machines)},
		{FlagPersonCountMoved, "people", len(c.Last.People), len(c.People)},
	} {
		if !moved(count.before, count.now, d.rules.MovedPercent) {
			continue
		}
		before, now := strconv.Itoa(count.before), strconv.Itoa(count.now)
		flag := flagOf(c.Account, count.kind, Item{Entity: EntityCompanies, ID: string(c.Account), Name: c.Name}, before, now)
		flag.Before, flag.Now = before, now
		flag.Seen = fmt.Sprintf("%s has %s %s, and had %s on the bill for %s.", c.Name, now, count.what, before, c.Last.Period)
		flag.Do = "See whether they really came or went: what changed since is in the company's history."
		flags = append(flags, flag)
	}
	return flags
}

// moved tells whether a count moved by more than so many percent of what it was.
func moved(before, now, percent int) bool {
	by := now - before
	if by < 0 {
		by = -by
	}
	return by*100 > before*percent
}
