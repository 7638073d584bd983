package reconcile_test

import (
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/reconcile/reconciletest"
	"github.com/hivematrix/codex/store/storetest"
)

// Machines come, go, move, are re-imaged and mistyped, people come, go and belong to two companies, and a
// late "thanks" moves tickets: each month the review says so before the bills are made, and nothing else.
func TestTheReviewsOfAYearFindWhatWasPlantedAndNothingElse(t *testing.T) {
	t.Parallel()
	for i, dialect := range storetest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			clock := reconciletest.NewClock()
			db := storetest.Open(t, dialect, storetest.Now(clock.Now))
			reviews := reconcile.NewReviewer(reconcile.ReviewOptions{
				DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true}, Feeds: codex.Feeds(),
				ReviewRules: reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20}, Now: clock.Now,
			})
			kinds := map[string]int{}
			reconciletest.Generate(t, db, clock, uint64(i+3), 12, func(y *reconciletest.Year, period codex.Period) {
				review, err := reviews.Review(t.Context(), period)
				if err != nil {
					t.Fatal(err)
				}
				var found []string
				for _, flag := range review.All() {
					found = append(found, reconciletest.Line(flag.Account, flag.Kind, flag.Item.Entity, flag.Item.ID, flag.Worth, nil))
					kinds[flag.Kind]++
				}
				same(t, period.String(), found, y.Flags())
			})
			t.Logf("flags: %v", kinds)
			for _, kind := range []string{
				"reimaged", "type_differs", "unseen", "person_billed_twice", "ticket_billed_before", "machine_count_moved",
			} {
				if kinds[kind] == 0 {
					t.Errorf("the year had no %s: it shows nothing of it: %v", kind, kinds)
				}
			}
		})
	}
}
