package reconcile

import (
	"time"

	"github.com/hivematrix/codex"
)

// Acknowledgement says that a person looked at something, and what they found. It belongs to a company,
// a month, an item and a kind, and holds until the facts change that it is about, or somebody withdraws
// it. It is kept for ever.
type Acknowledgement struct {
	ID            int
	Subject       // as it was
	Period        codex.Period
	Standing      bool // it holds for later months too
	Note          string
	By            string
	At            time.Time
	WithdrawnBy   *string
	WithdrawnAt   *time.Time // nil while it stands
	WithdrawnNote *string
}

// Acknowledged are the acknowledgements that may hold in a month.
type Acknowledged struct {
	bySubject map[subjectKey][]*Acknowledgement
}

// subjectKey is a subject whatever its facts.
type subjectKey struct {
	account          codex.AccountNumber
	kind, entity, id string
}

func (s Subject) key() subjectKey { return subjectKey{s.Account, s.Kind, s.Item.Entity, s.Item.ID} }

// AcknowledgedIn are those of list that may hold in a month: that were made in it, or in an earlier one
// to stand, and were not withdrawn.
func AcknowledgedIn(period codex.Period, list []*Acknowledgement) *Acknowledged {
	in := &Acknowledged{bySubject: make(map[subjectKey][]*Acknowledgement, len(list))}
	for _, a := range list {
		if a.HoldsIn(period) {
			in.bySubject[a.key()] = append(in.bySubject[a.key()], a)
		}
	}
	return in
}

// HoldsIn tells whether it may hold in a month, as long as its facts stay.
func (a *Acknowledgement) HoldsIn(period codex.Period) bool {
	return a.WithdrawnAt == nil &&
		(a.Period == period || a.Standing && a.Period.Start().Before(period.Start()))
}

// Of gives the newest acknowledgement that holds for what is so now, and else the newest that held until
// its facts changed. Either may be nil.
func (in *Acknowledged) Of(now Subject) (holds, lapsed *Acknowledgement) {
	if in == nil {
		return nil, nil
	}
	for _, a := range in.bySubject[now.key()] {
		newest := &lapsed
		if a.Fingerprint == now.Fingerprint {
			newest = &holds
		}
		if *newest == nil || a.ID > (*newest).ID {
			*newest = a
		}
	}
	if holds != nil {
		lapsed = nil
	}
	return holds, lapsed
}
