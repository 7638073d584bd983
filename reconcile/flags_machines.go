package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Flags of machines.
const (
	FlagProbableDuplicate = "probable_duplicate" // two machines of one name at one site, both charged
	FlagReimaged          = "reimaged"           // a machine came back under a new UID and kept its id
	FlagTypeDiffers       = "type_differs"       // Datto says server or network device, the last bill said Workstation
	FlagUnseen            = "unseen"             // Datto has not seen it for long
)

// machines are the flags of a company's machines, machine by machine.
func (d *deciding) machines(c *CompanyFact) []*Flag {
	charged := make(map[place][]string) // the machines of a name at a site that would be charged, by UID
	for _, m := range c.Machines {
		if !decided(c.machineCost(m.ID)) {
			charged[m.place()] = append(charged[m.place()], string(m.UID))
		}
	}
	var flags []*Flag
	for i := range c.Machines {
		m := &c.Machines[i]
		for _, issue := range d.own[m.UID] {
			switch issue.Kind {
			case syncers.IssueProbableDuplicate:
				if twins := charged[m.place()]; len(twins) > 1 {
					flags = append(flags, d.duplicate(c, m, twins, issue))
				}
			case syncers.IssueReimaged:
				if d.since(c).Before(issue.Seen) {
					flags = append(flags, d.reimaged(c, m, issue))
				}
			}
		}
		if flag := d.typeDiffers(c, m); flag != nil {
			flags = append(flags, flag)
		}
		if flag := d.unseen(c, m); flag != nil {
			flags = append(flags, flag)
		}
	}
	return flags
}

// since is from when on the bill of the month is the first that has what happens: since the last bill was
// made, or the month began where there is none.
func (d *deciding) since(c *CompanyFact) time.Time {
	if c.Last == nil {
		return d.Period.Start().Add(-1)
	}
	return c.Last.MadeAt
}

// place is what two machines have in common that may be one.
type place struct{ site, hostname string }

func (m *MachineFact) place() place { return place{m.SiteUID, store.Fold(m.Hostname)} }

// flag begins a flag about the machine.
func (m *MachineFact) flag(c *CompanyFact, kind string, facts ...string) *Flag {
	flag := flagOf(c.Account, kind, Item{Entity: EntityAssets, ID: strconv.Itoa(m.ID), Name: m.Hostname}, facts...)
	flag.Link = m.Link
	return flag
}

// duplicate is about the machine and those that it may be one with: it is another one when they are.
func (d *deciding) duplicate(c *CompanyFact, m *MachineFact, twins []string, issue IssueFact) *Flag {
	flag := m.flag(c, FlagProbableDuplicate, slices.Sorted(slices.Values(twins))...)
	flag.Seen = issue.Reason
	flag.Do = "Delete the old one in Datto RMM and sync datto, or bill one of them as No Charge: both are billed."
	flag.Worth = c.machineCost(m.ID)
	return flag
}

func (d *deciding) reimaged(c *CompanyFact, m *MachineFact, issue IssueFact) *Flag {
	flag := m.flag(c, FlagReimaged, string(m.UID))
	flag.Seen = issue.Reason
	flag.Do = "If it is another machine, set its type in Ledger: it is billed as the one before it was."
	return flag
}

// typeDiffers is the flag of a machine that the last bill has as a workstation and that Datto calls
// something else. Cost 0 is decided.
func (d *deciding) typeDiffers(c *CompanyFact, m *MachineFact) *Flag {
	told := typeByDatto(m.Category, m.Class)
	if told == "" || c.Last == nil {
		return nil
	}
	billed, was := c.Last.Machines[m.ID]
	if !was || billed.Type != TypeWorkstation || billed.Cost == 0 {
		return nil
	}
	flag := m.flag(c, FlagTypeDiffers, billed.Type, told)
	flag.Seen = fmt.Sprintf("%s was billed as %s for %s, and Datto calls it %q.", m.Hostname, billed.Type, c.Last.Period, m.dattoWord())
	flag.Do = fmt.Sprintf("Set its type in Ledger to %s.", told)
	flag.Before, flag.Now = billed.Type, told
	if right := rate(c.Last.Rates, rateName(told)); right != nil {
		worth := *right - billed.Cost
		flag.Worth = &worth
	}
	return flag
}

// dattoWord is what Datto calls the machine.
func (m *MachineFact) dattoWord() string {
	if m.Category != "" {
		return m.Category
	}
	return m.Class
}

// unseen is the flag of a machine that Datto had not seen for long when the month ended, or has not if
// that is to come. Of one without a time nothing is known.
func (d *deciding) unseen(c *CompanyFact, m *MachineFact) *Flag {
	if m.LastSeen == nil || decided(c.machineCost(m.ID)) {
		return nil
	}
	at := d.Period.End()
	if d.Now.Before(at) {
		at = d.Now
	}
	if at.Sub(*m.LastSeen) <= time.Duration(d.rules.UnseenDays)*24*time.Hour {
		return nil
	}
	flag := m.flag(c, FlagUnseen, m.LastSeen.UTC().Format(time.RFC3339Nano))
	flag.Seen = fmt.Sprintf("%s was seen last at %s, more than %d days before %s.", m.Hostname, shownTime(*m.LastSeen), d.rules.UnseenDays, codex.DayOf(at))
	flag.Do = "Delete it in Datto RMM and sync datto if it is gone: it is billed."
	flag.Worth = c.machineCost(m.ID)
	return flag
}
