package reconcile

import (
	"slices"
	"time"

	"github.com/hivematrix/codex"
)

// What a difference is (docs/reconciliation.md).
const (
	DiffBilledNotThere = "billed_not_there" // it is on the bill, and was not with the company
	DiffThereNotBilled = "there_not_billed" // it was with the company, and is not on the bill
	DiffBilledTwice    = "billed_twice"     // it is charged more than once
	DiffMoved          = "moved"            // it is on the bill, and was with another company
	DiffTypeDiffers    = FlagTypeDiffers    // Datto says server or network device, the bill says Workstation
)

// What changed after the runs that a bill was made from.
const (
	LaterAdded   = "added"       // it came to the company
	LaterRemoved = "removed"     // it left the company and is gone
	LaterMoved   = "moved"       // it went to another company
	LaterHours   = "late_hours"  // a ticket has more hours than it was billed with
	LaterTicket  = "late_ticket" // a ticket of the month is closed by now and is on no bill
)

// Reconciliation is what was billed for a month beside what the hub had seen in the very runs that the
// bills were made from. What changed after the end of those runs is no difference, whether a bill has it
// or not: it stands in the quiet list.
type Reconciliation struct {
	Period codex.Period
	At     time.Time // when it was made
	Bills  []*BillCompared
	// Differences are the largest first; those whose worth nobody can say come last.
	Differences []*Difference
	Later       []*Later
	Unbilled    []*Unbilled // companies without a bill, the largest first
}

// BillCompared is a bill that stands, and how far it could be compared.
type BillCompared struct {
	ID          int
	Invoice     string
	Account     codex.AccountNumber
	Company     string // as on the bill
	Source      Source
	Problem     string       // what of it could not be read, and is not compared; empty where all could
	NotCompared []codex.Feed // no run of them had succeeded when it was accepted: what they bring was not compared
}

// Difference is something that was billed in another way than the hub had seen.
type Difference struct {
	Subject
	Company string // as on the bill
	Invoice string // the bill that it is about
	Seen    string // what is seen, a sentence
	// Before and Now are the two values that differ, where it is about that: a type, a company. Before is
	// what the bill has.
	Before, Now string
	// Worth is by how much the bill would change if it were put right, exact: negative where the customer
	// pays too much. nil where that cannot be said exactly.
	Worth *codex.Cents
	// UpTo bounds what backup or hours add to that: their price is not linear. nil where they do not count
	// or nobody can say.
	UpTo *codex.Cents

	Acknowledgement *Acknowledgement // the one that holds; nil where the difference is open
	Lapsed          *Acknowledgement // the newest that held until what it was about changed
}

// Later is what changed after the runs that a bill was made from: nothing is wrong with that bill.
type Later struct {
	Account codex.AccountNumber
	Company string // as on the bill
	Kind    string
	Item    Item
	At      time.Time // when the hub saw it so
	Seen    string
	UpTo    *codex.Cents // what hours are worth at most
}

// Unbilled is a company that was served when the month ended, and has no bill for it.
type Unbilled struct {
	Account  codex.AccountNumber
	Company  string
	Last     *codex.Period // the newest earlier month that was billed
	Machines int
	People   int
	Hours    codex.Quantity // of tickets
	Worth    *codex.Cents   // of machines and people, by the types and rates of the last bill; nil where nothing says
	UpTo     *codex.Cents   // what backup and hours add at most
}

// Open is how many differences nobody acknowledged.
func (r *Reconciliation) Open() int {
	n := 0
	for _, d := range r.Differences {
		if d.Acknowledgement == nil {
			n++
		}
	}
	return n
}

// Of is the part of a reconciliation that is about some account numbers. One that nothing is known of
// has none.
func (r *Reconciliation) Of(accounts []codex.AccountNumber) *Reconciliation {
	of := *r
	of.Bills = only(r.Bills, accounts, func(b *BillCompared) codex.AccountNumber { return b.Account })
	of.Differences = only(r.Differences, accounts, func(d *Difference) codex.AccountNumber { return d.Account })
	of.Later = only(r.Later, accounts, func(l *Later) codex.AccountNumber { return l.Account })
	of.Unbilled = only(r.Unbilled, accounts, func(u *Unbilled) codex.AccountNumber { return u.Account })
	return &of
}

func only[T any](list []T, accounts []codex.AccountNumber, of func(T) codex.AccountNumber) []T {
	kept := []T{}
	for _, entry := range list {
		if slices.Contains(accounts, of(entry)) {
			kept = append(kept, entry)
		}
	}
	return kept
}
