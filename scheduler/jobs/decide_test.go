package jobs

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/reconcile"
)

func october() codex.Period { return codex.Period{Year: 2025, Month: time.October} }

func day(month time.Month, day int) time.Time {
	return time.Date(2025, month, day, 0, 0, 0, 0, time.UTC)
}

func ptr[T any](v T) *T { return &v }

func TestEveryCompanyThatWasServedInTheMonthIsAskedForUnderItsNumberOfNow(t *testing.T) {
	since := func(account codex.AccountNumber, department int64, from time.Time) companySeen {
		return companySeen{account: account, department: ptr(department), from: from}
	}
	until := func(s companySeen, to time.Time) companySeen { s.to = &to; return s }
	now := func(department int64) companyNow { return companyNow{name: "N", department: ptr(department)} }
	for name, c := range map[string]struct {
		facts     companyFacts
		want      []target
		firstSeen bool
	}{
		"one that came before it and is there": {
			facts: companyFacts{seen: []companySeen{since("1", 1, day(time.June, 1))}, now: map[codex.AccountNumber]companyNow{"1": now(1)}},
			want:  []target{{account: "1", name: "N"}},
		},
		"one that came in it, but none that came after it": {
			facts: companyFacts{
				seen: []companySeen{since("1", 1, day(time.October, 31)), since("2", 2, day(time.November, 1))},
				now:  map[codex.AccountNumber]companyNow{"1": now(1), "2": now(2)},
			},
			want: []target{{account: "1", name: "N"}},
		},
		"one that was archived in it or later, but none that was archived before": {
			facts: companyFacts{
				seen: []companySeen{
					until(since("1", 1, day(time.June, 1)), day(time.October, 2)), until(since("2", 2, day(time.June, 1)), day(time.November, 2)),
					until(since("3", 3, day(time.June, 1)), day(time.October, 1)),
				},
				now: map[codex.AccountNumber]companyNow{"1": {name: "N", archived: true}, "2": {name: "N", archived: true}, "3": {name: "N", archived: true}},
			},
			want: []target{{account: "1", name: "N"}, {account: "2", name: "N"}},
		},
		"one that was renumbered, once": {
			facts: companyFacts{
				seen: []companySeen{until(since("1", 1, day(time.June, 1)), day(time.October, 9)), since("9", 1, day(time.October, 9))},
				now:  map[codex.AccountNumber]companyNow{"9": now(1)},
			},
			want: []target{{account: "9", name: "N", earlier: []codex.AccountNumber{"1"}}},
		},
		"one that was renumbered after it": {
			facts: companyFacts{
				seen: []companySeen{until(since("1", 1, day(time.June, 1)), day(time.November, 9)), since("9", 1, day(time.November, 9))},
				now:  map[codex.AccountNumber]companyNow{"9": now(1)},
			},
			want: []target{{account: "9", name: "N", earlier: []codex.AccountNumber{"1"}}},
		},
		"those of now, where the hub saw its first company later": {
			facts: companyFacts{
				seen: []companySeen{since("1", 1, day(time.November, 3)), since("2", 2, day(time.November, 3))},
				now:  map[codex.AccountNumber]companyNow{"1": now(1), "2": {archived: true}},
			},
			want: []target{{account: "1", name: "N"}}, firstSeen: true,
		},
		"none where there is none": {facts: companyFacts{}},
	} {
		got, firstSeen := c.facts.served(october())
		if !reflect.DeepEqual(got, c.want) || firstSeen != c.firstSeen {
			t.Errorf("%s: %+v, first seen %v; want %+v, %v", name, got, firstSeen, c.want, c.firstSeen)
		}
	}
}

func TestACompanyThatIsNamedAndNotKnownSaysSo(t *testing.T) {
	facts := companyFacts{
		seen: []companySeen{{account: "1", department: ptr(int64(1)), from: day(time.June, 1), to: ptr(day(time.July, 1))}, {account: "9", department: ptr(int64(1)), from: day(time.July, 1)}},
		now:  map[codex.AccountNumber]companyNow{"9": {name: "N", department: ptr(int64(1))}},
	}
	want := []target{
		{account: "9", name: "N", earlier: []codex.AccountNumber{"1"}},
		{account: "77", unknown: "there is no company 77"},
		{account: "1", unknown: "the company has the account number 9 now: ask for that"},
	}
	if got := facts.given([]codex.AccountNumber{"9", "77", "1"}); !reflect.DeepEqual(got, want) {
		t.Errorf("given: %+v\nwant   %+v", got, want)
	}
}

func TestAFeedIsFreshThatBeganToReadWhenTheMonthWasOver(t *testing.T) {
	asked := day(time.November, 3)
	for _, c := range []struct {
		name         string
		began, ended time.Time
		asked        time.Time
		want         bool
	}{
		{"began at the end of the month", day(time.November, 1), day(time.November, 2), asked, true},
		{"began before it and ended after it", day(time.November, 1).Add(-time.Second), day(time.November, 2), asked, false},
		{"ended before it", day(time.October, 1), day(time.October, 2), asked, false},
		{"of a month that is not over, ended after the job was asked for", day(time.October, 9), day(time.October, 11), day(time.October, 10), true},
		{"of a month that is not over, ended before", day(time.October, 8), day(time.October, 9), day(time.October, 10), false},
	} {
		if got := isFresh(c.began, c.ended, october(), c.asked); got != c.want {
			t.Errorf("a run that %s: fresh is %v", c.name, got)
		}
	}
}

func TestWhatAnAnswerOfLedgersMeans(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		want   meaning
		reason string
	}{
		"made, or there":         {nil, meansThere, ""},
		"500, no connection":     {&ledger.Error{Status: 500, Transient: true, Text: "it is down"}, meansAgain, "it is down"},
		"400":                    {&ledger.Error{Status: 400, Text: "no plan"}, meansFailed, "no plan"},
		"it takes persons alone": {&ledger.Error{Status: 403, NeedsUser: true, UsersOnly: true, Text: "users only"}, meansNoPerson, "users only"},
		"something else":         {errors.New("secret"), meansFailed, "an error of the hub's own, which its log tells"},
	} {
		if got, reason := judge(c.err); got != c.want || reason != c.reason {
			t.Errorf("%s: %v %q, want %v %q", name, got, reason, c.want, c.reason)
		}
	}
}

func TestHowAJobEndsIsToldWhereAPersonIsNeeded(t *testing.T) {
	completed := ending{state: codex.JobCompleted}
	for name, c := range map[string]struct {
		ending  ending
		tally   tally
		success bool
		kind    notify.Kind
	}{
		"every bill made or there": {completed, tally{made: 2, already: 1}, true, ""},
		"no company at all":        {completed, tally{}, true, ""},
		"one failed":               {completed, tally{made: 2, failed: 1}, false, notify.JobPartial},
		"one failed, one held":     {completed, tally{made: 2, failed: 1, held: 1}, false, notify.JobPartial},
		"all failed":               {completed, tally{failed: 3}, false, notify.JobFailed},
		"one held":                 {completed, tally{made: 2, held: 1}, false, notify.JobHeld},
		"the list failed":          {ending{state: codex.JobFailed, err: "x"}, tally{}, false, notify.JobFailed},
		"cancelled":                {ending{state: codex.JobCancelled}, tally{made: 1, waiting: 2}, false, ""},
	} {
		kind, _ := c.ending.news(c.tally)
		if got := c.ending.success(c.tally); got != c.success || kind != c.kind {
			t.Errorf("%s: success %v, told %q; want %v, %q", name, got, kind, c.success, c.kind)
		}
	}
}

func TestWhatIsDoneAboutACompany(t *testing.T) {
	flagged := &reconcile.CompanyReview{Flags: []*reconcile.Flag{{}, {}}}
	for name, c := range map[string]struct {
		target  target
		bill    standing
		review  *reconcile.CompanyReview
		holding bool
		want    Action
	}{
		"it has no bill":                     {want: ActionAsk},
		"its bill is archived":               {bill: standing{invoice: "1-202510"}, want: ActionAlready},
		"its bill is reopened":               {bill: standing{reopened: "1-202510"}, want: ActionAsk},
		"of two bills one is reopened":       {bill: standing{invoice: "x", reopened: "1-202510"}, want: ActionAsk},
		"it is flagged, and those are held":  {review: flagged, holding: true, want: ActionHold},
		"it is flagged, and nothing is held": {review: flagged, want: ActionAsk},
		"it is flagged, and archived":        {review: flagged, holding: true, bill: standing{invoice: "1-202510"}, want: ActionAlready},
		"it is unknown":                      {target: target{unknown: "no"}, want: ActionUnknown},
		"it is unknown, and has a bill":      {target: target{unknown: "no"}, bill: standing{invoice: "1-202510"}, want: ActionUnknown},
		"its review has no flags":            {review: &reconcile.CompanyReview{}, holding: true, want: ActionAsk},
	} {
		if got := previewOf(c.target, c.bill, c.review, c.holding); got.Action != c.want {
			t.Errorf("%s: %s, want %s", name, got.Action, c.want)
		}
	}
}

func TestABillUnderAnEarlierNumberIsTheCompanys(t *testing.T) {
	all := standings{"1": {invoice: "1-202510"}, "5": {invoice: "5-202510"}}
	if got := all.of(target{account: "9", earlier: []codex.AccountNumber{"1"}}); got.invoice != "1-202510" {
		t.Errorf("of a renumbered company: %+v", got)
	}
	if got := all.of(target{account: "9"}); got != (standing{}) {
		t.Errorf("of another company: %+v", got)
	}
}

func TestAProcessIsDeadWhoseSignOfLifeStaysTheSame(t *testing.T) {
	seen := make(sightings)
	row := &ent.SnapshotJob{ID: "a", HeartbeatAt: ptr(day(time.November, 1))}
	for look := range patience {
		if seen.dead(row) {
			t.Fatalf("it is dead at look %d", look)
		}
	}
	if !seen.dead(row) {
		t.Fatal("it lives after all looks")
	}
	row.HeartbeatAt = ptr(day(time.November, 2))
	if seen.dead(row) {
		t.Fatal("it is dead though it gave a sign of life")
	}
	seen.forgetOthers(nil)
	if len(seen) != 0 {
		t.Error("what has ended is remembered")
	}
}
