package reconcile_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/reconcile"
)

func TestAnAcknowledgementHoldsInItsMonthUntilItsFactsChange(t *testing.T) {
	now := subject("unseen", "12", "since August")
	september, november := codex.Period{Year: 2025, Month: time.September}, codex.Period{Year: 2025, Month: time.November}
	withdrawn := at(time.November, 2, 0)
	for _, c := range []struct {
		name   string
		made   reconcile.Acknowledgement
		holds  bool
		lapsed bool
	}{
		{"in its month, its facts unchanged", reconcile.Acknowledgement{Subject: now, Period: october()}, true, false},
		{"in its month, its facts changed", reconcile.Acknowledgement{Subject: subject("unseen", "12", "since July"), Period: october()}, false, true},
		{"of another item", reconcile.Acknowledgement{Subject: subject("unseen", "13", "since August"), Period: october()}, false, false},
		{"of another kind", reconcile.Acknowledgement{Subject: subject("reimaged", "12", "since August"), Period: october()}, false, false},
		{"of an earlier month", reconcile.Acknowledgement{Subject: now, Period: september}, false, false},
		{"of an earlier month, to stand", reconcile.Acknowledgement{Subject: now, Period: september, Standing: true}, true, false},
		{"of an earlier month, to stand, its facts changed", reconcile.Acknowledgement{Subject: subject("unseen", "12", ""), Period: september, Standing: true}, false, true},
		{"of a later month, to stand", reconcile.Acknowledgement{Subject: now, Period: november, Standing: true}, false, false},
		{"withdrawn", reconcile.Acknowledgement{Subject: now, Period: october(), WithdrawnAt: &withdrawn}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := standing(now, &c.made)
			if (is.Holds != nil) != c.holds || (is.Lapsed != nil) != c.lapsed {
				t.Errorf("%+v", is)
			}
		})
	}
}

func TestTheNewestAcknowledgementThatHoldsIsShown(t *testing.T) {
	now, before := subject("unseen", "12", "since August"), subject("unseen", "12", "since July")
	made := func(id int, s reconcile.Subject) *reconcile.Acknowledgement {
		return &reconcile.Acknowledgement{ID: id, Subject: s, Period: october()}
	}
	if is := standing(now, made(4, now), made(9, now), made(11, before), made(2, now)); is.Holds == nil || is.Holds.ID != 9 || is.Lapsed != nil {
		t.Errorf("%+v", is)
	}
	if is := standing(now, made(11, before), made(2, before)); is.Holds != nil || is.Lapsed == nil || is.Lapsed.ID != 11 {
		t.Errorf("%+v", is)
	}
}

// standing is how a subject stands that is the only one.
func standing(now reconcile.Subject, made ...*reconcile.Acknowledgement) reconcile.Standing {
	return reconcile.AcknowledgedIn(october(), made).Standings([]reconcile.Subject{now})[0]
}

// A ticket that stands twice on a bill and once on an earlier one is two differences of one kind and item.
func TestOfTwoWhichTheirFactsAloneTellApartEachIsAcknowledgedByItself(t *testing.T) {
	first, second, gone := subject("billed_twice", "7", "on this bill"), subject("billed_twice", "7", "in August"), subject("billed_twice", "7", "in July")
	made := func(id int, s reconcile.Subject) *reconcile.Acknowledgement {
		return &reconcile.Acknowledgement{ID: id, Subject: s, Period: october()}
	}
	of := func(made ...*reconcile.Acknowledgement) []reconcile.Standing {
		return reconcile.AcknowledgedIn(october(), made).Standings([]reconcile.Subject{first, second})
	}
	a, b, old := made(1, first), made(2, second), made(3, gone)
	for name, c := range map[string]struct{ got, want []reconcile.Standing }{
		"neither":             {of(), []reconcile.Standing{{}, {}}},
		"the first":           {of(a), []reconcile.Standing{{Holds: a}, {}}},
		"the second":          {of(b), []reconcile.Standing{{}, {Holds: b}}},
		"both":                {of(a, b), []reconcile.Standing{{Holds: a}, {Holds: b}}},
		"one that is no more": {of(a, old), []reconcile.Standing{{Holds: a}, {Lapsed: old}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
}

func TestAnAcknowledgedFlagIsNotOpen(t *testing.T) {
	facts := world()
	facts.Companies[0].People[0].Active = false
	rules := reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20}
	review := reconcile.DecideReview(facts, rules, nil)
	if review.Open() != 1 || review.OpenOfNone() != 0 || review.Companies[0].Open() != 1 {
		t.Fatalf("before, %d are open", review.Open())
	}
	list := []*reconcile.Acknowledgement{{Subject: review.All()[0].Subject, Period: october(), Note: "on leave"}}
	review = reconcile.DecideReview(facts, rules, reconcile.AcknowledgedIn(october(), list))
	if review.Open() != 0 || review.All()[0].Acknowledgement.Note != "on leave" {
		t.Errorf("afterwards, %d are open", review.Open())
	}
}

// What the fingerprint of a flag holds: what a change of is a reason to look again.
func TestAFlagIsAnotherOneWhenWhatItIsAboutChanges(t *testing.T) {
	rules := reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20}
	unseen := func(f *reconcile.ReviewFacts) { f.Companies[0].Machines[0].LastSeen = ptr(at(time.August, 1, 0)) }
	for _, c := range []struct {
		name          string
		before, after func(f *reconcile.ReviewFacts)
		same          bool
	}{
		{"another month", unseen, func(f *reconcile.ReviewFacts) {
			unseen(f)
			f.Period, f.Now = codex.Period{Year: 2025, Month: time.November}, at(time.November, 1, 7)
		}, true},
		{"another price", unseen, func(f *reconcile.ReviewFacts) {
			unseen(f)
			f.Companies[0].Last.Machines[12] = reconcile.BilledItem{Type: "Workstation", Cost: 3500}
		}, true},
		{"seen since, and unseen again", unseen, func(f *reconcile.ReviewFacts) {
			f.Companies[0].Machines[0].LastSeen = ptr(at(time.August, 2, 0))
		}, false},
		{"another hostname", unseen, func(f *reconcile.ReviewFacts) {
			unseen(f)
			f.Companies[0].Machines[0].Hostname = "PC-9"
		}, true},
		{"more hours", billedBefore(5400), billedBefore(7200), false},
		{"the same twin", twins, twins, true},
		{"another twin", twins, func(f *reconcile.ReviewFacts) {
			twins(f)
			f.Companies[0].Machines[0].UID = "uid-14"
		}, false},
		{"a third company", second, func(f *reconcile.ReviewFacts) {
			second(f)
			f.Companies = append(f.Companies, reconcile.CompanyFact{Account: "620549", Name: "Gamma", People: f.Companies[0].People})
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			print := func(change func(f *reconcile.ReviewFacts)) string {
				facts := world()
				change(&facts)
				flags := reconcile.DecideReview(facts, rules, nil).Companies[0].Flags
				if len(flags) != 1 {
					t.Fatalf("there are %d flags", len(flags))
				}
				return flags[0].Fingerprint
			}
			if same := print(c.before) == print(c.after); same != c.same {
				t.Errorf("the fingerprint is the same: %v", same)
			}
		})
	}
}

func billedBefore(seconds codex.Seconds) func(f *reconcile.ReviewFacts) {
	return func(f *reconcile.ReviewFacts) {
		f.Companies[0].Tickets[0].Seconds = seconds
		f.Companies[0].Tickets[0].Earlier = []reconcile.BilledTicket{{Period: codex.Period{Year: 2025, Month: time.September}, Invoice: "620547-202509", Hours: 10000}}
	}
}

func TestAnItemIsWrittenAsItIsTaken(t *testing.T) {
	for _, text := range []string{"assets:12", "sites:a:b", "feeds:datto"} {
		if item, err := reconcile.ParseItem(text); err != nil || item.String() != text {
			t.Errorf("%s is %v, %v", text, item, err)
		}
	}
	for _, text := range []string{"", "assets", "assets:", ":12"} {
		if item, err := reconcile.ParseItem(text); err == nil {
			t.Errorf("%q is taken as %v", text, item)
		}
	}
}

func subject(kind, id, fact string) reconcile.Subject {
	item := reconcile.Item{Entity: reconcile.EntityAssets, ID: id}
	return reconcile.Subject{Account: "620547", Kind: kind, Item: item, Fingerprint: reconcile.Fingerprint("620547", kind, item, fact)}
}
