package query_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func eachWithJobs(t *testing.T, test func(t *testing.T, r *query.Reader)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		test(t, query.New(db.Ent(), rules()))
	})
}

func jobIDs(rows []*ent.SnapshotJob) string {
	ids := []string{}
	for _, row := range rows {
		ids = append(ids, string(row.ID))
	}
	return fmt.Sprint(ids)
}

func TestJobsComeNewestFirstInPagesThatJoin(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, r *query.Reader) {
		for size := 1; size <= 5; size++ {
			var all []*ent.SnapshotJob
			for page := (query.Page{First: size}); ; {
				got, err := r.Jobs(t.Context(), page, query.JobFilter{})
				if err != nil {
					t.Fatal(err)
				}
				if got.Before != (page.After != "") || len(got.Rows) != min(size, 4-len(all)) {
					t.Errorf("%d at once: %s, %v", size, jobIDs(got.Rows), got.Before)
				}
				all = append(all, got.Rows...)
				if !got.More {
					break
				}
				page.After = got.Cursors[len(got.Cursors)-1]
			}
			if got := jobIDs(all); got != "[j3 j2 j1 j0]" { // two of one second by their ids
				t.Errorf("%d at once: %s", size, got)
			}
		}
		for _, after := range []string{"x", "WyIxIiwic3RhcnRlZF9hdCBkZXNjIiwieCIsImoxIl0"} {
			if _, err := r.Jobs(t.Context(), query.Page{First: 1, After: after}, query.JobFilter{}); codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("after %q: %v", after, err)
			}
		}
	})
}

func TestJobsAreThoseOfTheMonthAndStateThatAreWanted(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			filter query.JobFilter
			want   string
		}{
			{query.JobFilter{}, "[j3 j2 j1 j0]"},
			{query.JobFilter{Year: 2025}, "[j3 j2 j1 j0]"},
			{query.JobFilter{Year: 2024}, "[]"},
			{query.JobFilter{Year: 2025, Month: 10}, "[j1 j0]"},
			{query.JobFilter{State: codex.JobBlocked}, "[j3]"},
			{query.JobFilter{Month: 10, State: codex.JobBlocked}, "[]"},
		} {
			page, err := r.Jobs(t.Context(), query.Page{First: 10}, tc.filter)
			if err != nil {
				t.Fatal(err)
			}
			n, err := r.CountJobs(t.Context(), tc.filter)
			if got := jobIDs(page.Rows); got != tc.want || n != len(page.Rows) || err != nil {
				t.Errorf("%+v: %s, counted %d, %v", tc.filter, got, n, err)
			}
		}
	})
}

func TestOneJobIsFoundByItsID(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, r *query.Reader) {
		if got, err := r.Job(t.Context(), "j1"); err != nil || got.TargetMonth != 10 {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := r.Job(t.Context(), "j9"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("one that there is not: %v", err)
		}
	})
}

func TestTheCompaniesOfJobsComeInTheirOrder(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			states []codex.JobCompanyState
			want   string
		}{
			{nil, "[620547 900 B-2 LEFT] [900 620547]"},
			{[]codex.JobCompanyState{codex.CompanyFailed, codex.CompanyHeld}, "[B-2 LEFT] []"},
			{[]codex.JobCompanyState{}, "[] []"},
		} {
			found, err := r.JobCompanies(t.Context(), []codex.RunID{"j2", "j1", "j9"}, tc.states)
			if err != nil {
				t.Fatal(err)
			}
			accounts := map[codex.RunID][]string{"j1": {}, "j2": {}}
			for job, companies := range found {
				for _, c := range companies {
					accounts[job] = append(accounts[job], string(c.AccountNumber))
				}
			}
			if got := fmt.Sprint(accounts["j1"], accounts["j2"]); got != tc.want {
				t.Errorf("%v: %s, want %s", tc.states, got, tc.want)
			}
		}
	})
}

func TestABillIsCurrentInItsNewestRevisionUnlessThatIsReopened(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, r *query.Reader) {
		found, err := r.CurrentByInvoice(t.Context(), []string{"620547-202509", "620547-202510", "900-202510", "9-209901", ""}, "id")
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for invoice, bill := range found {
			got = append(got, fmt.Sprintf("%s is %d", invoice, bill.ID))
		}
		slices.Sort(got)
		if want := "[620547-202509 is 1 620547-202510 is 3]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	})
}
