package reconcile

import (
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/syncers"
)

// ReviewFacts is all that a review is decided from. Lists come in the order of their keys.
type ReviewFacts struct {
	Period codex.Period
	Now    time.Time
	Feeds  []FeedFact // those that are on
	// Issues are the open ones, and all of re-imaged machines: the run after the one that saw such a
	// machine closes its issue.
	Issues    []IssueFact
	Companies []CompanyFact // those that are served
	// Plans are the keys of all billing plans, sorted. There are none where Ledger has plans of its own.
	Plans []plans.Key
}

// FeedFact is how a feed stands.
type FeedFact struct {
	Feed      codex.Feed
	Succeeded *RunFact // its newest run that succeeded; nil where none did
	Newest    *RunFact // its newest run; nil where there was none
}

// RunFact is a sync run.
type RunFact struct {
	ID        codex.RunID
	State     codex.RunState
	StartedAt time.Time // zero where it waits
	Error     string
}

// IssueFact is something that a sync could not place.
type IssueFact struct {
	Feed    codex.Feed
	Kind    syncers.IssueKind
	ID      string // at its upstream
	Reason  string
	Account codex.AccountNumber // empty where none is known; it need not be that of a company
	Seen    time.Time           // when it was met last
}

// CompanyFact is a company with what Ledger would bill it for.
type CompanyFact struct {
	Account  codex.AccountNumber
	Name     string
	Plan     string        // the name of the plan that was selected for it; empty where none was
	Term     string        // the length of contract that Ledger looks its plan up with
	Machines []MachineFact // those that are served
	People   []PersonFact  // those that are served, inactive ones too: Ledger bills them
	Tickets  []TicketFact  // those of the month
	Last     *LastBill     // nil where no earlier month was billed
	Billed   []string      // the invoices of the month that stand already
}

// MachineFact is a machine as it is now.
type MachineFact struct {
	ID       int
	UID      codex.DeviceUID
	Hostname string
	SiteUID  string
	Category string // Datto's deviceType.category
	Class    string // Datto's deviceClass
	LastSeen *time.Time
	Link     string // to it in Datto RMM
}

// PersonFact is a person as it is now.
type PersonFact struct {
	ID     int
	Name   string
	Email  string
	Active bool
}

// TicketFact is a closed ticket whose last update lies in the month.
type TicketFact struct {
	ID      int
	Subject string
	Seconds codex.Seconds // with which it will be billed
	Link    string
	Earlier []BilledTicket // where it stands already, in bills of earlier months, oldest first
}

// BilledTicket is a ticket as an archived bill has it.
type BilledTicket struct {
	Period  codex.Period
	Invoice string
	Hours   codex.Quantity
}

// LastBill is what a company's newest earlier month was billed for. Items are those that the hub knows
// by their ids: what Ledger added by hand is not among them.
type LastBill struct {
	Period   codex.Period
	MadeAt   time.Time                 // when the newest of them was archived
	Machines map[int]BilledItem        // by the hub's id
	People   map[int]BilledItem        // by the hub's id
	Rates    map[string]codex.Quantity // by Ledger's names
	// Complete: each of its machines and people is known by its id, at no cost too. Else some of them may
	// be missing, and nothing is said of what would follow from that.
	Complete bool
}

// BilledItem is a machine or person as an archived bill has it.
type BilledItem struct {
	Type string
	Cost codex.Cents
}

// The rates that a review asks for, by the names that Ledger gives them in effective_rates.
const (
	RateWorkstation = "per_workstation_cost"
	RateUser        = "per_user_cost"
)

// machineCost is what the company's next bill has for a machine unless somebody overrides it: what its
// last one had, or a workstation's rate (docs/compatibility.md, "How Ledger makes a bill"); nil where
// nothing says.
func (c *CompanyFact) machineCost(id int) *codex.Cents {
	if c.Last == nil {
		return nil
	}
	return c.Last.cost(c.Last.Machines, id, RateWorkstation)
}

// personCost is the same of a person.
func (c *CompanyFact) personCost(id int) *codex.Cents {
	if c.Last == nil {
		return nil
	}
	return c.Last.cost(c.Last.People, id, RateUser)
}

func (b *LastBill) cost(billed map[int]BilledItem, id int, name string) *codex.Cents {
	if item, was := billed[id]; was {
		return &item.Cost
	}
	if !b.Complete {
		return nil
	}
	return rate(b.Rates, name)
}

// decided tells whether a cost is 0: that a person decided, and it is nothing to look at.
func decided(cost *codex.Cents) bool { return cost != nil && *cost == 0 }
