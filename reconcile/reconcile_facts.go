package reconcile

import (
	"time"

	"github.com/hivematrix/codex"
)

// ReconcileFacts is all that a reconciliation is decided from: what was billed, and what the hub saw from
// the earliest of the runs on that a bill was made from. Versions come in the order of their times.
type ReconcileFacts struct {
	Period codex.Period
	Now    time.Time
	// Bills are those of the month that stand, in the order in which they were accepted.
	Bills []BillFact
	Last  map[codex.AccountNumber]*LastBill // of the newest earlier month
	// Next are when the runs ended that the bill of the next month was made from; absent where there is none.
	Next map[codex.AccountNumber]map[codex.Feed]time.Time
	// Ended is when the first run of a feed ended that began after the month had ended, and succeeded.
	Ended     map[codex.Feed]time.Time
	Elsewhere map[int][]BilledTicket                // tickets of these bills in bills of other months, by ticket
	Companies map[codex.AccountNumber][]CompanySeen // all that they ever were
	Machines  map[int][]MachineSeen
	People    map[int][]PersonSeen
	Links     map[PersonOf][]Span
	Tickets   map[int][]TicketSeen
	Backups   map[int]codex.Bytes // of machines, the newest reading by the end of the month
}

// BillFact is a bill that stands.
type BillFact struct {
	ID         int
	Invoice    string
	Account    codex.AccountNumber
	Name       string // of the company, as on the bill
	AcceptedAt time.Time
	Runs       map[codex.Feed]time.Time // when those ended that it was made from
	Problem    string                   // what of it could not be read; empty where all could
	Items
}

// Span is how long the hub saw something so.
type Span struct {
	From time.Time
	To   *time.Time // nil: it still does
}

func (s Span) at(moment time.Time) bool {
	return !s.From.After(moment) && (s.To == nil || s.To.After(moment))
}

// CompanySeen is a company that was served.
type CompanySeen struct {
	Span
	Name           string
	FreshserviceID *int64
}

// MachineSeen is a machine that was served.
type MachineSeen struct {
	Span
	Account  codex.AccountNumber
	Hostname string
	Category string // Datto's deviceType.category
	Class    string // Datto's deviceClass, as it is now: that has no past
}

// PersonSeen is a person who was served.
type PersonSeen struct {
	Span
	Name string
}

// PersonOf is a person's belonging to a company.
type PersonOf struct {
	Account codex.AccountNumber
	ID      int
}

// TicketSeen is a ticket that was served as closed.
type TicketSeen struct {
	Span
	Account codex.AccountNumber
	Subject string
	Month   codex.Period // in which it is billed
	Hours   codex.Quantity
}

// spanned is a version.
type spanned interface{ at(moment time.Time) bool }

// seenAt is the version that held at a moment; nil where none did.
func seenAt[V spanned](versions []V, moment time.Time) *V {
	for i := range versions {
		if versions[i].at(moment) {
			return &versions[i]
		}
	}
	return nil
}
