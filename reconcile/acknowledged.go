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

// Of gives the newest acknowledgement that holds for what is so now; nil where there is none.
func (in *Acknowledged) Of(now Subject) *Acknowledgement {
	return in.newest(now.key(), func(a *Acknowledgement) bool { return a.Fingerprint == now.Fingerprint })
}

// newest is the newest acknowledgement of a subject, whatever its facts, that meets a condition.
func (in *Acknowledged) newest(of subjectKey, meets func(*Acknowledgement) bool) *Acknowledgement {
	if in == nil {
		return nil
	}
	var newest *Acknowledgement
	for _, a := range in.bySubject[of] {
		if meets(a) && (newest == nil || a.ID > newest.ID) {
			newest = a
		}
	}
	return newest
}

// Standing is what was acknowledged of a subject. At most one of the two is there.
type Standing struct {
	Holds  *Acknowledgement // the newest that holds
	Lapsed *Acknowledgement // else the newest that held until its facts changed
}

// Standings tells how subjects stand, in their order. They are all that there are in a month: what holds
// for one of them has not lapsed for another, which its facts alone tell from that.
func (in *Acknowledged) Standings(all []Subject) []Standing {
	type version struct {
		of          subjectKey
		fingerprint string
	}
	there := make(map[version]bool, len(all))
	for _, s := range all {
		there[version{s.key(), s.Fingerprint}] = true
	}
	standings := make([]Standing, len(all))
	for i, s := range all {
		if standings[i].Holds = in.Of(s); standings[i].Holds == nil {
			standings[i].Lapsed = in.newest(s.key(), func(a *Acknowledgement) bool { return !there[version{s.key(), a.Fingerprint}] })
		}
	}
	return standings
}
