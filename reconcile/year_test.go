package reconcile_test

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/reconcile/reconciletest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// years is how many years are made on each database, each from a seed of its own.
var years = flag.Int("years", 1, "how many `years` of bills are made on each database")

func TestAReconciliationOfAYearFindsWhatWasPlantedAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, dialect := range storetest.Dialects() {
		for seed := uint64(1); seed <= uint64(*years); seed++ {
			t.Run(fmt.Sprintf("%s, seed %d", dialect, seed), func(t *testing.T) {
				clock := reconciletest.NewClock()
				reconcileYear(t, storetest.Open(t, dialect, storetest.Now(clock.Now)), clock, seed)
			})
		}
	}
}

func reconcileYear(t *testing.T, db *store.DB, clock *reconciletest.Clock, seed uint64) {
	year := reconciletest.Generate(t, db, clock, seed, 12)
	r := reconcile.NewReconciler(reconcile.ReconcileOptions{
		DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true}, Now: clock.Now,
	})
	kinds := map[string]int{}
	for _, period := range year.Periods() {
		got, err := r.Reconcile(t.Context(), period)
		if err != nil {
			t.Fatal(err)
		}
		var differences, later, unbilled []string
		for _, d := range got.Differences {
			differences = append(differences, reconciletest.Line(d.Account, d.Kind, d.Item.Entity, d.Item.ID, d.Worth, d.UpTo))
			kinds[d.Kind+" "+d.Item.Entity]++
		}
		for _, l := range got.Later {
			later = append(later, reconciletest.Line(l.Account, l.Kind, l.Item.Entity, l.Item.ID, nil, l.UpTo))
			kinds[l.Kind+" "+l.Item.Entity]++
		}
		for _, u := range got.Unbilled {
			unbilled = append(unbilled, reconciletest.Line(u.Account, "unbilled",
				strconv.Itoa(u.Machines)+" "+strconv.Itoa(u.People), u.Hours.String(), u.Worth, u.UpTo))
			kinds["unbilled"]++
		}
		same(t, period.String()+": differences", differences, year.Planted[period])
		same(t, period.String()+": later", later, year.Later[period])
		same(t, period.String()+": without a bill", unbilled, year.Unbilled[period])
	}
	for _, kind := range []string{ // of each seed
		"billed_not_there assets", "billed_not_there contacts", "billed_not_there tickets", "there_not_billed assets",
		"there_not_billed contacts", "there_not_billed tickets", "billed_twice assets", "billed_twice contacts", "billed_twice tickets",
		"moved assets", "type_differs assets", "late_hours tickets", "late_ticket tickets", "added assets", "removed assets", "unbilled",
	} {
		if kinds[kind] == 0 {
			t.Errorf("the year had no %s: it shows nothing of it", kind)
		}
	}
}

// same compares lists whatever their order, and names what one has and the other has not.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got = slices.Clone(got)
	slices.Sort(got)
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: found, not planted:\n\t%s\nplanted, not found:\n\t%s", what,
		strings.Join(less(got, want), "\n\t"), strings.Join(less(want, got), "\n\t"))
}

func less(list, other []string) []string {
	other = slices.Clone(other)
	var rest []string
	for _, line := range list {
		if at := slices.Index(other, line); at >= 0 {
			other = slices.Delete(other, at, at+1)
			continue
		}
		rest = append(rest, line)
	}
	return rest
}

func TestADifferenceIsAcknowledgedAsAFlagIs(t *testing.T) {
	clock := reconciletest.NewClock()
	db := storetest.Open(t, "sqlite3", storetest.Now(clock.Now))
	year := reconciletest.Generate(t, db, clock, 1, 3)
	rules := query.Rules{DefaultHours: 900, BillNonBillable: true}
	reviews := reconcile.NewReviewer(reconcile.ReviewOptions{DB: db, Rules: rules, Now: clock.Now})
	r := reconcile.NewReconciler(reconcile.ReconcileOptions{DB: db, Rules: rules, Now: clock.Now})
	period := year.Periods()[1]
	before, err := r.Reconcile(t.Context(), period)
	if err != nil || before.Open() == 0 {
		t.Fatalf("there is nothing to acknowledge, %v", err)
	}
	d := before.Differences[0]
	made, err := reviews.Acknowledge(t.Context(), reconcile.NewAcknowledgement{
		Account: d.Account, Period: period, Kind: d.Kind, Item: d.Item, Note: "agreed with the customer", Fingerprint: d.Fingerprint,
	}, codex.Caller{Name: "ana", Role: codex.RoleBilling})
	if err != nil {
		t.Fatal(err)
	}
	after, err := r.Reconcile(t.Context(), period)
	if err != nil {
		t.Fatal(err)
	}
	if holds := after.Differences[0].Acknowledgement; holds == nil || holds.ID != made.ID || after.Open() != before.Open()-1 {
		t.Errorf("%d are open, and the first is acknowledged by %+v", after.Open(), holds)
	}
	ahead := codex.PeriodOf(clock.Now().AddDate(1, 0, 0))
	if _, err := r.Reconcile(t.Context(), ahead); codex.CodeOf(err) != codex.CodeBadInput {
		t.Errorf("a month that lies ahead: %v", err)
	}
}
