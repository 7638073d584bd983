package reconcile_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/reconcile"
)

func TestACompanyThatNoPlanFitsIsFlaggedUntilThereIsOneOrItIsSaidToBeInOrder(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.synced()
		h.must(
			h.db.Ent().Company.Create().SetID("1").SetName("One").SetPlanSelected("Gold").SetContractTermLength("1 Year").Exec(h.t.Context()),
			h.db.Ent().Company.Create().SetID("2").SetName("Two").SetPlanSelected("Gold").Exec(h.t.Context()),
			h.db.Ent().Company.Create().SetID("3").SetName("Three").Exec(h.t.Context()),
		)
		kept := plans.New(plans.Options{DB: h.db, Logger: slog.New(slog.DiscardHandler)})
		flags := func() (lines []string) {
			h.t.Helper()
			review, err := h.reviews.Review(h.t.Context(), october())
			h.must(err)
			for _, f := range review.All() {
				lines = append(lines, fmt.Sprintf("%s %s %t: %s %s", f.Account, f.Kind, f.Acknowledgement != nil, f.Seen, f.Do))
			}
			return lines
		}
		is := func(what string, want ...string) {
			h.t.Helper()
			if got := flags(); fmt.Sprint(got) != fmt.Sprint(want) {
				h.t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
			}
		}
		const (
			add    = " Add the plan (codex plans import), or correct plan or contract in Freshservice and sync freshservice."
			choose = "3 no_plan %t: No billing plan is selected for it: Ledger cannot bill it. Select its plan in Freshservice, and sync freshservice."
		)
		is("a hub without plans")
		save := func(term string) {
			h.t.Helper()
			_, err := kept.Save(h.t.Context(), plans.Blank(plans.Key{Name: "Gold", Term: term}), "ana")
			h.must(err)
		}
		save("2 Year")
		is("a plan that fits nobody",
			"1 no_plan false: No plan fits Gold (1 Year): Ledger cannot bill it. There is one of that name for 2 Year."+add,
			"2 no_plan false: No plan fits Gold (Month to Month): Ledger cannot bill it. There is one of that name for 2 Year."+add,
			fmt.Sprintf(choose, false))
		save("1 Year")
		save(plans.MonthToMonth)
		_, err := h.reviews.Acknowledge(h.t.Context(), reconcile.NewAcknowledgement{
			Account: "3", Period: october(), Kind: reconcile.FlagNoPlan, Item: reconcile.Item{Entity: reconcile.EntityCompanies, ID: "3"}, Note: "it pays nothing",
		}, codex.Caller{Name: "ana", Role: codex.RoleBilling})
		h.must(err)
		is("plans for all who have one", fmt.Sprintf(choose, true))
	})
}
