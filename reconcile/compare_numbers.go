package reconcile

import (
	"maps"
	"slices"
	"strconv"

	"github.com/hivematrix/codex"
)

// departments tell companies under whichever of their numbers: those of one department are one company,
// which was renumbered. What never had a department is not among them.
func departments(seen map[codex.AccountNumber][]CompanySeen) map[codex.AccountNumber]string {
	same := make(map[codex.AccountNumber]string, len(seen))
	for account, versions := range seen {
		for _, version := range versions {
			if version.FreshserviceID != nil {
				same[account] = "department " + strconv.FormatInt(*version.FreshserviceID, 10)
			}
		}
	}
	return same
}

// key tells a company under whichever of its numbers: one that was renumbered is the same.
func (c *comparing) key(account codex.AccountNumber) string {
	if same := c.same[account]; same != "" {
		return same
	}
	return "account " + string(account)
}

// isSame tells whether two account numbers are those of one company.
func (c *comparing) isSame(a, b codex.AccountNumber) bool { return c.key(a) == c.key(b) }

// group sorts by company what is known by account number. Of several last bills of a company the newest
// counts.
func (c *comparing) group() {
	for id, versions := range c.Machines {
		for _, version := range versions {
			c.belongs(EntityAssets, version.Account, id)
		}
	}
	for id, versions := range c.Tickets {
		for _, version := range versions {
			c.belongs(EntityTickets, version.Account, id)
		}
	}
	for link := range c.Links {
		c.belongs(EntityContacts, link.Account, link.ID)
		c.belonged[link.ID] = append(c.belonged[link.ID], link.Account)
	}
	for _, of := range c.there {
		for key, ids := range of {
			slices.Sort(ids)
			of[key] = slices.Compact(ids)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(c.Last)) {
		key, last := c.key(account), c.Last[account]
		if known := c.last[key]; known == nil || last.Period.Start().After(known.Period.Start()) {
			c.last[key] = last
		}
	}
	for _, account := range slices.Sorted(maps.Keys(c.Next)) {
		c.next[c.key(account)] = c.Next[account]
	}
}

func (c *comparing) belongs(entity string, account codex.AccountNumber, id int) {
	of, key := c.there[entity], c.key(account)
	of[key] = append(of[key], id)
}

// idsOf are the machines, people or tickets that were ever with a company, in order.
func (c *comparing) idsOf(entity string, account codex.AccountNumber) []int {
	return c.there[entity][c.key(account)]
}
