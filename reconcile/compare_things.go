package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// things are the differences of a company's machines, or of its people.
func (c *comparing) things(company *billedCompany, entity string) {
	seen, known := company.seen[feedOf(entity)]
	if !known {
		return
	}
	mine := company.charged[entity]
	for _, id := range slices.Sorted(maps.Keys(mine)) {
		c.thing(company, thing{entity, id}, mine[id], seen)
	}
	byHand := c.byHand(company, entity)
	if !company.tellsAll() {
		return
	}
	for _, id := range c.idsOf(entity, company.account) {
		if _, billed := mine[id]; billed || !c.isWith(entity, id, company.account, seen) || !c.isWith(entity, id, company.account, company.accepted) {
			continue
		}
		if name := c.nameOf(entity, id, seen); byHand[store.Fold(name)] == nil {
			c.notBilled(company, thing{entity, id}, name, seen)
		}
	}
}

// byHand are what a company's bills charge for without telling what it is, and that no machine or person
// of the company is called like: what was added in Ledger by hand, which the hub cannot see. It tells
// those that are charged twice, and, where a bill tells its items by names alone, all that were not added
// by hand.
func (c *comparing) byHand(company *billedCompany, entity string) map[string][]charge {
	byHand, names := make(map[string][]charge), make(map[string][]charge)
	for _, bill := range company.bills {
		for _, line := range bill.Lines {
			if entityOf(line.Kind) == entity && line.Amount != 0 {
				name := store.Fold(line.Name)
				names[name] = append(names[name], charge{company, bill, line})
			}
		}
	}
	for _, at := range company.unknown[entity] {
		if at.line.Amount != 0 || at.line.Unread {
			name := store.Fold(at.line.Name)
			byHand[name] = append(byHand[name], at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byHand)) {
		at := byHand[name]
		switch {
		case unreadable(at):
		case at[0].line.ByName:
			for _, one := range at {
				d := c.differ(company, DiffBilledNotThere, entity, one.line.Name, one.line.Name)
				worth := -one.line.Amount
				d.Invoice, d.Worth = one.bill.Invoice, &worth
				d.Seen = fmt.Sprintf("%s is billed with %s, and the company had nothing of that name.", one.line.Name, one.line.Amount)
			}
		case len(names[name]) > 1:
			c.twice(company, entity, at[0].line.Name, at[0].line.Name, names[name])
		}
	}
	return byHand
}

// twice notes that a company is charged for one thing at several places: all but the dearest are too
// much, and so are up to all backups but the largest.
func (c *comparing) twice(company *billedCompany, entity, id, name string, at []charge) {
	var sum, backups, largest codex.Cents
	for _, one := range at {
		sum += one.line.Amount
		backup := valueOf(backupOf(company, one))
		backups += backup
		largest = max(largest, backup)
	}
	d := c.differ(company, DiffBilledTwice, entity, id, name, strconv.Itoa(len(at)))
	worth := dearestOf(at).line.Amount - sum
	d.Worth = &worth
	if more := largest - backups; more < 0 {
		d.UpTo = &more
	}
	d.Seen = fmt.Sprintf("%s is charged %d times, with %s in all.", name, len(at), sum)
}

// thing is what differs of a machine or person that a company's bills have.
func (c *comparing) thing(company *billedCompany, t thing, billed []charge, seen time.Time) {
	charged := slices.DeleteFunc(slices.Clone(billed), func(at charge) bool { return at.line.Amount == 0 })
	if len(charged) == 0 || unreadable(billed) { // cost 0 is decided, and of what cannot be read nothing is said
		return
	}
	dearest := dearestOf(charged) // what stays when all others are taken off
	id, name := strconv.Itoa(t.id), dearest.line.Name
	if len(charged) > 1 {
		c.twice(company, t.entity, id, name, charged)
	}
	if !c.isWith(t.entity, t.id, company.account, seen) && !c.isWith(t.entity, t.id, company.account, company.accepted) {
		c.notThere(company, t, dearest, seen)
		return
	}
	if other := c.chargedBefore(company, t); other != nil {
		d := c.differ(company, DiffBilledTwice, t.entity, id, name, string(other.company.account))
		worth := -min(dearest.line.Amount, other.line.Amount)
		d.Invoice, d.Worth = dearest.bill.Invoice, &worth
		d.UpTo = negative(backupOf(company, dearest))
		d.Before, d.Now = dearest.bill.Invoice, other.bill.Invoice
		d.Seen = fmt.Sprintf("%s is charged here with %s, and with %s on %s.", name, dearest.line.Amount, other.line.Amount, other.bill.Invoice)
	}
	if t.entity == EntityAssets {
		c.typeDiffers(company, t.id, dearest, seen)
	}
}

// backupOf is what the backup of a charged machine costs at most; nil where it has none.
func backupOf(company *billedCompany, at charge) *codex.Cents {
	return backupWorth(company.rates, at.line.Type, at.line.Backup)
}

// unreadable tells whether one of some charges could not be read.
func unreadable(charges []charge) bool {
	return slices.ContainsFunc(charges, func(at charge) bool { return at.line.Unread })
}

// notThere notes a machine or person that was not with the company that is charged for it.
func (c *comparing) notThere(company *billedCompany, t thing, billed charge, seen time.Time) {
	id, name := strconv.Itoa(t.id), billed.line.Name
	worth := -billed.line.Amount
	homes := c.homes(t.entity, t.id, seen)
	var d *Difference
	if len(homes) == 0 {
		d = c.differ(company, DiffBilledNotThere, t.entity, id, name)
		d.Seen = fmt.Sprintf("%s is billed with %s, and the hub had not seen it with the company.", name, billed.line.Amount)
	} else {
		d = c.differ(company, DiffMoved, t.entity, id, name, texts(homes)...)
		d.Before, d.Now = string(company.account), strings.Join(texts(homes), ", ")
		d.Seen = fmt.Sprintf("%s is billed with %s, and was with %s.", name, billed.line.Amount, c.companyName(homes[0], seen))
	}
	d.Invoice, d.Worth = billed.bill.Invoice, &worth
	d.UpTo = negative(backupOf(company, billed))
}

func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, text := range list {
		all[i] = string(text)
	}
	return all
}

// dearestOf is the dearest of several charges, of equal ones the first.
func dearestOf(charges []charge) charge {
	return slices.MaxFunc(charges, func(a, b charge) int { return cmp.Compare(a.line.Amount, b.line.Amount) })
}

// chargedBefore is where a thing is charged dearest among the companies that were charged for it earlier,
// and with which it was too; nil where there are none. The lesser of the two is too much: over all
// companies that comes to all but the dearest.
func (c *comparing) chargedBefore(company *billedCompany, t thing) *charge {
	first := make(map[*billedCompany]int)
	for _, at := range c.charges[t] {
		if id, known := first[at.company]; at.line.Amount != 0 && (!known || at.bill.ID < id) {
			first[at.company] = at.bill.ID
		}
	}
	var before []charge
	for _, other := range c.charges[t] {
		seen, known := other.company.seen[feedOf(t.entity)]
		if other.line.Amount == 0 || !known || first[other.company] >= first[company] {
			continue
		}
		if c.isWith(t.entity, t.id, other.company.account, seen) || c.isWith(t.entity, t.id, other.company.account, other.company.accepted) {
			before = append(before, other)
		}
	}
	if len(before) == 0 {
		return nil
	}
	dearest := dearestOf(before)
	return &dearest
}

// typeDiffers notes a machine that is billed as a workstation and that Datto calls something else.
func (c *comparing) typeDiffers(company *billedCompany, id int, billed charge, seen time.Time) {
	m := seenAt(c.Machines[id], seen)
	if m == nil || billed.line.Type != TypeWorkstation {
		return
	}
	told := typeByDatto(m.Category, m.Class)
	if told == "" {
		return
	}
	d := c.differ(company, DiffTypeDiffers, EntityAssets, strconv.Itoa(id), billed.line.Name, billed.line.Type, told)
	d.Invoice, d.Before, d.Now = billed.bill.Invoice, billed.line.Type, told
	d.Seen = fmt.Sprintf("%s is billed as %s, and Datto calls it %q.", billed.line.Name, billed.line.Type, cmp.Or(m.Category, m.Class))
	if right := rate(company.rates, rateName(told)); right != nil {
		worth := *right - billed.line.Amount
		d.Worth = &worth
	}
}

// notBilled notes a machine or person that was with a company and is on none of its bills. What the last
// bill had at no cost was decided, and so is what costs nothing.
func (c *comparing) notBilled(company *billedCompany, t thing, name string, seen time.Time) {
	kind, worth := c.expected(company.rates, company.last, t)
	if worth != nil && *worth == 0 {
		return
	}
	d := c.differ(company, DiffThereNotBilled, t.entity, strconv.Itoa(t.id), name)
	d.Worth = worth
	if t.entity == EntityAssets {
		d.UpTo = backupWorth(company.rates, kind, c.Backups[t.id])
	}
	d.Seen = fmt.Sprintf("%s was with the company, and is not on the bill.", name)
}

// expected is as what a machine or person would be billed, and what that costs: by the type of the last
// bill, else as a workstation, or as a paid person (docs/compatibility.md, "How Ledger makes a bill"). Where
// the last bill does not tell what costs nothing, nobody knows what it cost there.
func (c *comparing) expected(rates map[string]codex.Quantity, last *LastBill, t thing) (billedType string, cost *codex.Cents) {
	billedType, name := TypeWorkstation, RateWorkstation
	if t.entity == EntityContacts {
		billedType, name = "Paid", RateUser
	}
	if last != nil {
		items := last.Machines
		if t.entity == EntityContacts {
			items = last.People
		}
		if item, was := items[t.id]; was {
			billedType = item.Type
			if t.entity == EntityAssets {
				name = rateName(item.Type)
			}
			known := rate(rates, name)
			if item.Cost == 0 || known == nil {
				return billedType, &item.Cost
			}
			return billedType, known
		}
		if !last.Complete {
			return billedType, nil
		}
	}
	return billedType, rate(rates, name)
}
