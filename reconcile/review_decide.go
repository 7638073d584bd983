package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/hivematrix/codex"
)

// Flag is something that a person should look at before the bill is made.
type Flag struct {
	Subject
	Seen string // what is seen, a sentence
	Do   string // what to do about it, a sentence
	// Before and Now are the two values that differ, where the flag is about that: hours, a type, a
	// count. Before is what a bill has.
	Before, Now string
	Link        string       // to the item at its upstream; empty where there is none
	Worth       *codex.Cents // what is at stake on the bill, exact; nil where that cannot be said exactly

	// Acknowledgement is the one that holds; nil where the flag is open.
	Acknowledgement *Acknowledgement
	// Lapsed is the newest one that held until what it was about changed.
	Lapsed *Acknowledgement
}

// Review is what should be looked at before the bills of a month are made.
type Review struct {
	Period codex.Period
	At     time.Time // when it was made
	// Flags are those that concern no company that is served: feeds, what could not be placed.
	Flags     []*Flag
	Companies []*CompanyReview // all that are served, by account number
}

// CompanyReview is what should be looked at before a company's bill is made.
type CompanyReview struct {
	Account codex.AccountNumber
	Name    string
	Last    *codex.Period // the newest earlier month that was billed
	Billed  []string      // the invoices of the month that stand already: afterwards it is reconciliation that tells
	Flags   []*Flag
}

// Open is how many of the company's flags nobody acknowledged.
func (c *CompanyReview) Open() int { return open(c.Flags) }

// OpenOfNone is how many of the flags that concern no company nobody acknowledged.
func (r *Review) OpenOfNone() int { return open(r.Flags) }

// Open is how many flags nobody acknowledged in all.
func (r *Review) Open() int {
	n := open(r.Flags)
	for _, c := range r.Companies {
		n += c.Open()
	}
	return n
}

// All are all flags: first those of no company, then company by company.
func (r *Review) All() []*Flag {
	all := slices.Clone(r.Flags)
	for _, c := range r.Companies {
		all = append(all, c.Flags...)
	}
	return all
}

func open(flags []*Flag) int {
	n := 0
	for _, f := range flags {
		if f.Acknowledgement == nil {
			n++
		}
	}
	return n
}

// ReviewRules are the settings of a review.
type ReviewRules struct {
	UnseenDays   int // a machine that was not seen for so many days is flagged
	MovedPercent int // a count that moved by more is flagged
}

// DecideReview makes the review of what was read. It does nothing else: the same facts give the same
// flags, in the same order.
func DecideReview(facts ReviewFacts, rules ReviewRules, acknowledged *Acknowledged) *Review {
	d := newDeciding(facts, rules)
	review := &Review{Period: facts.Period, At: facts.Now}
	review.Flags = append(d.feeds(), d.issuesOf("")...)
	for i := range facts.Companies {
		c := &facts.Companies[i]
		of := &CompanyReview{Account: c.Account, Name: c.Name, Billed: c.Billed}
		if c.Last != nil {
			of.Last = &c.Last.Period
		}
		of.Flags = slices.Concat(d.issuesOf(c.Account), d.plan(c), d.machines(c), d.people(c), d.tickets(c), d.counts(c))
		review.Companies = append(review.Companies, of)
	}
	flags := review.All()
	subjects := make([]Subject, len(flags))
	for i, flag := range flags {
		flag.Fingerprint = cmp.Or(flag.Fingerprint, Fingerprint(flag.Account, flag.Kind, flag.Item))
		subjects[i] = flag.Subject
	}
	for i, standing := range acknowledged.Standings(subjects) {
		flags[i].Acknowledgement, flags[i].Lapsed = standing.Holds, standing.Lapsed
	}
	return review
}

// deciding is what one review is decided with.
type deciding struct {
	ReviewFacts
	rules  ReviewRules
	issues map[codex.AccountNumber][]IssueFact // of those that have flags; "" are those of no company that is served
	own    map[codex.DeviceUID][]IssueFact     // those about a machine that is served, which has flags of its own
	homes  map[int][]*CompanyFact              // the companies that would be charged for a person
}

func newDeciding(facts ReviewFacts, rules ReviewRules) *deciding {
	d := &deciding{
		ReviewFacts: facts, rules: rules, issues: make(map[codex.AccountNumber][]IssueFact),
		own: make(map[codex.DeviceUID][]IssueFact), homes: make(map[int][]*CompanyFact),
	}
	served := make(map[codex.AccountNumber]bool, len(facts.Companies))
	for i := range facts.Companies {
		c := &facts.Companies[i]
		served[c.Account] = true
		for _, p := range c.People {
			if !decided(c.personCost(p.ID)) {
				d.homes[p.ID] = append(d.homes[p.ID], c)
			}
		}
	}
	for _, issue := range facts.Issues {
		if _, isOwn := machineIssues()[issue.Kind]; isOwn {
			uid := codex.DeviceUID(issue.ID)
			d.own[uid] = append(d.own[uid], issue)
			continue
		}
		account := issue.Account
		if !served[account] {
			account = ""
		}
		d.issues[account] = append(d.issues[account], issue)
	}
	return d
}

// flagOf begins a flag about an item of a company.
func flagOf(account codex.AccountNumber, kind string, item Item, facts ...string) *Flag {
	item.Name = cmp.Or(item.Name, item.ID)
	return &Flag{Subject: Subject{
		Account: account, Kind: kind, Item: item, Fingerprint: Fingerprint(account, kind, item, facts...),
	}}
}
