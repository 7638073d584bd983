package jobs_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
)

func transient() error {
	return &ledger.Error{Status: 500, Transient: true, Text: "Ledger answers 500"}
}

func refused() error { return &ledger.Error{Status: 400, Text: "it has no plan"} }

func TestAScheduledJobSyncsHoldsTheFeedsAndGetsEveryBill(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		var free []codex.AccountNumber
		h.ledger.during = func(account codex.AccountNumber) {
			if !h.syncs.isHeld() {
				free = append(free, account)
			}
		}
		j := h.process()
		id := h.start(j, scheduled())
		h.serve(j)
		ended := h.until(id, codex.JobCompleted)
		h.is("the companies", h.says(id), "100 made 100-202510\n200 made 200-202510\n300 made 300-202510")
		h.is("the job", row(ended), `completed success=true total=3 completed=3 failed=0 held=0 {"success_count":3,"failed_count":0,"errors":[]}`)
		if !reflect.DeepEqual(h.syncs.ran, codex.Feeds()) || free != nil {
			t.Errorf("it ran %v first, and asked for %v while feeds were free", h.syncs.ran, free)
		}
		schedule, err := jobs.MakeSchedule(t.Context(), h.db)
		h.must(err)
		if *schedule.LastRunStatus != "success" || *schedule.LastRunCount != 3 || schedule.LastRunAt == nil {
			t.Errorf("the schedule remembers %v", schedule)
		}
		h.is("what was told", h.told(), "")
		if again := h.start(j, scheduled()); again != id {
			t.Error("the same time of the schedule made another job")
		}
	})
}

func TestWhatBecomesOfEachCompany(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.company("400", 4, today().AddDate(0, -1, 0))
		h.company("500", 5, today().AddDate(0, -1, 0))
		h.ledger.made["200"] = 1 // there already, and archived
		h.must(h.ledger.send(t.Context(), "200", october()))
		h.ledger.made["500"] = 1 // there already, and not archived
		h.ledger.answers = map[codex.AccountNumber][]error{
			"100": {transient(), transient()}, // and then it is made
			"300": {transient(), transient(), transient()},
			"400": {refused()},
		}
		j := h.process()
		id := h.start(j, jobs.Request{Accounts: []codex.AccountNumber{"100", "200", "300", "999", "400", "500", "100"}})
		h.serve(j)
		ended := h.until(id, codex.JobCompleted)
		h.is("the companies", h.says(id), strings.Join([]string{
			"100 made 100-202510", "200 already 200-202510", "300 failed: Ledger answers 500", "999 failed: there is no company 999",
			"400 failed: it has no plan",
			"500 failed 500-202510: Ledger says it accepted the bill, but it is not in the archive (bill 500-202510: it has no such bill)",
		}, "\n"))
		h.is("the job", row(ended), `completed success=false total=6 completed=2 failed=4 held=0 {"success_count":2,"failed_count":4,"errors":[`+
			`"300: Ledger answers 500","999: there is no company 999","400: it has no plan",`+
			`"500: Ledger says it accepted the bill, but it is not in the archive (bill 500-202510: it has no such bill)"]}`)
		if want := map[codex.AccountNumber]int{"100": 3, "300": 3, "400": 1, "500": 1}; !reflect.DeepEqual(h.ledger.asked, want) {
			t.Errorf("Ledger was asked %v, want %v", h.ledger.asked, want)
		}
		if len(h.syncs.ran) != 0 || h.syncs.holds != 0 {
			t.Error("what a person starts synced or held feeds")
		}
		if !strings.HasPrefix(ended.Notes, "Made from old data: freshservice has not succeeded since 2025-10 ended (it never has)") {
			t.Errorf("its notes are %q", ended.Notes)
		}
		h.is("what was told", h.told(), "job.partial")

		// What is put right is got by a retry, and nothing else is asked for again.
		h.ledger.set(func() {
			h.ledger.asked, h.ledger.keeps = map[codex.AccountNumber]int{}, true
			h.ledger.kept["500-202510"] = "there"
		})
		_, err := j.Retry(t.Context(), id, codex.Caller{Name: "bea"}, "")
		h.must(err)
		ended = h.until(id, codex.JobCompleted)
		h.is("the companies after the retry", h.says(id), strings.Join([]string{
			"100 made 100-202510", "200 already 200-202510", "300 made 300-202510", "999 failed: there is no company 999",
			"400 made 400-202510", "500 already 500-202510",
		}, "\n"))
		if want := map[codex.AccountNumber]int{"300": 1, "400": 1, "500": 1}; !reflect.DeepEqual(h.ledger.asked, want) || ended.Round != 2 {
			t.Errorf("in round %d Ledger was asked %v, want %v", ended.Round, h.ledger.asked, want)
		}
	})
}

func TestAFeedThatIsStaleBlocksAScheduledJobUntilItSucceedsOrAnAdminForcesIt(t *testing.T) {
	for name, release := range map[string]func(h *hub, j *jobs.Jobs, id codex.RunID) string{
		"it succeeds": func(h *hub, _ *jobs.Jobs, _ codex.RunID) string {
			_, err := h.syncs.run(h.t.Context(), codex.FeedDatto, codex.RunSucceeded, today())
			h.must(err)
			return ""
		},
		"it is forced": func(h *hub, j *jobs.Jobs, id codex.RunID) string {
			_, err := j.Force(h.t.Context(), id, "Datto is down for the week", codex.Caller{Name: "bea"})
			h.must(err)
			return "Forced by bea (Datto is down for the week) although datto has not succeeded since 2025-10 ended (it never has; its newest run is partial: it went wrong)."
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *hub) {
				h.syncs.state[codex.FeedDatto] = codex.RunPartial
				j := h.process()
				id := h.start(j, scheduled())
				h.serve(j)
				blocked := h.until(id, codex.JobBlocked)
				const reason = "It waits, since its bills would be made from old data: datto has not succeeded since 2025-10 ended " +
					"(it never has; its newest run is partial: it went wrong). It goes on when that has succeeded, or when an admin forces it with a reason."
				h.is("the blocked job", row(blocked), "failed success=false total=0 completed=0 failed=0 held=0 "+reason)
				time.Sleep(50 * time.Millisecond)
				if held, err := h.db.LeaseHeld(t.Context(), jobs.LeaseName); err != nil || held || h.syncs.isHeld() {
					t.Errorf("a blocked job holds the lease: %v, %v", held, err)
				}
				notes := release(h, j, id)
				ended := h.until(id, codex.JobCompleted)
				h.is("the job", row(ended), `completed success=true total=3 completed=3 failed=0 held=0 {"success_count":3,"failed_count":0,"errors":[]}`)
				h.is("its notes", ended.Notes, notes)
				h.is("what was told", h.told(), "job.blocked")
			})
		})
	}
}

func TestACompanyThatIsFlaggedIsHeldUntilItsFlagsAreAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.hold = true
		h.flags.set("200", 2)
		j := h.process()
		id := h.start(j, scheduled())
		h.serve(j)
		ended := h.until(id, codex.JobCompleted)
		const reason = "2 flags of its bill review are not acknowledged: look at it, acknowledge or mend it, and retry the job ([scheduler] hold_flagged)"
		h.is("the companies", h.says(id), "100 made 100-202510\n200 held: "+reason+"\n300 made 300-202510")
		h.is("the job", row(ended), `completed success=false total=3 completed=2 failed=0 held=1 {"success_count":2,"failed_count":1,"errors":["200: held: `+reason+`"]}`)
		h.is("what was told", h.told(), "job.held")
		h.flags.set("200", 0)
		_, err := j.Retry(t.Context(), id, codex.Caller{Name: "bea"}, "")
		h.must(err)
		h.until(id, codex.JobCompleted)
		h.is("the companies after the retry", h.says(id), "100 made 100-202510\n200 made 200-202510\n300 made 300-202510")
	})
}

func TestABillThatIsReopenedIsAskedForAndOneUnderAnEarlierNumberIsNot(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.must(h.ledger.send(t.Context(), "100", october()))
		_, err := h.bills.Reopen(t.Context(), "100-202510", "hours were wrong", codex.Caller{Name: "bea"})
		h.must(err)
		h.must(h.ledger.send(t.Context(), "20", october())) // 200 was 20 when its bill was made
		h.must(h.db.Ent().CompanyVersion.Create().SetAccountNumber("20").SetName("Company").SetFreshserviceID(2).
			SetSeenFrom(today().AddDate(-1, 0, 0)).SetSeenTo(today().AddDate(0, -4, 0)).Exec(t.Context()))
		j := h.process()
		id := h.start(j, jobs.Request{})
		h.serve(j)
		h.until(id, codex.JobCompleted)
		h.is("the companies", h.says(id), "100 made 100-202510\n200 already 20-202510\n300 made 300-202510")
		bill, err := h.bills.Get(t.Context(), "100-202510", 0)
		h.must(err)
		if bill.Revision != 2 {
			t.Errorf("the reopened bill has revision %d", bill.Revision)
		}
	})
}

func TestAJobStopsBetweenCompaniesWhenItIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.atOnce = 1
		j := h.process()
		id := h.start(j, jobs.Request{})
		h.ledger.during = func(codex.AccountNumber) {
			h.ledger.during = nil
			_, err := j.Cancel(context.WithoutCancel(t.Context()), id, codex.Caller{Name: "bea"})
			if err != nil {
				t.Error(err)
			}
			time.Sleep(50 * time.Millisecond) // the work ends meanwhile, and this bill is kept
		}
		h.serve(j)
		ended := h.until(id, codex.JobCancelled)
		h.is("the companies", h.says(id), "100 made 100-202510\n200 waiting\n300 waiting")
		h.is("the job", row(ended), `failed success=false total=3 completed=1 failed=0 held=0 {"success_count":1,"failed_count":0,"errors":[]} Cancelled by bea.`)
		if _, err := j.Cancel(t.Context(), id, codex.Caller{Name: "bea"}); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("cancelling it again: %v", err)
		}
		_, err := j.Retry(t.Context(), id, codex.Caller{Name: "bea"}, "")
		h.must(err)
		h.until(id, codex.JobCompleted)
		h.is("the companies after the retry", h.says(id), "100 made 100-202510\n200 made 200-202510\n300 made 300-202510")
		if _, err := j.Retry(t.Context(), id, codex.Caller{Name: "bea"}, ""); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("retrying what has all: %v", err)
		}
	})
}

func TestAJobThatWaitsIsCancelledAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		j := h.process() // which does not serve
		id := h.start(j, jobs.Request{})
		ended, err := j.Cancel(t.Context(), id, codex.Caller{Name: "bea"})
		h.must(err)
		h.is("the job", row(ended), "failed success=false total=0 completed=0 failed=0 held=0 Cancelled by bea.")
		h.serve(j)
		time.Sleep(50 * time.Millisecond)
		if len(h.ledger.asked) > 0 {
			t.Error("a cancelled job asked Ledger")
		}
	})
}

func TestTheTokenOfWhoAskedIsShownToLedgerAndLostWithTheirProcess(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.ledger.persons, h.atOnce = true, 1
		first := h.process()
		id := h.start(first, jobs.Request{UserToken: "ana's", Accounts: []codex.AccountNumber{"100", "200"}})
		served := make(chan struct{})
		var stop func()
		h.ledger.during = func(account codex.AccountNumber) {
			if account == "200" && h.ledger.asked["200"] == 1 {
				close(served)
				time.Sleep(50 * time.Millisecond) // while its process dies
			}
		}
		h.ledger.answers["200"] = []error{context.Canceled}
		stop = h.serve(first)
		<-served
		stop()
		other := h.process()
		h.serve(other)
		ended := h.until(id, codex.JobCompleted)
		h.is("the companies", h.says(id), "100 made 100-202510\n200 failed: start it again as a person: the token of who asked was lost with the process that they asked (users only)")
		if ended.Success == nil || *ended.Success {
			t.Errorf("the job says %v", ended)
		}
		_, err := other.Retry(t.Context(), id, codex.Caller{Name: "ana"}, "ana's other")
		h.must(err)
		h.until(id, codex.JobCompleted)
		h.is("the companies after the retry", h.says(id), "100 made 100-202510\n200 made 200-202510")
	})
}

func TestALedgerThatTakesNobodyIsAskedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.ledger.persons = true
		j := h.process()
		id := h.start(j, scheduled())
		h.serve(j)
		h.until(id, codex.JobCompleted)
		h.is("the companies", h.says(id), "100 failed: users only\n200 failed: users only\n300 failed: users only")
		if n := len(h.ledger.tokens); n > 2 {
			t.Errorf("Ledger was asked %d times", n)
		}
		h.is("what was told", h.told(), "job.failed")
	})
}

func TestTwoProcessesWorkAJobOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		a, b := h.process(), h.process()
		h.serve(a)
		h.serve(b)
		first, second := h.start(a, scheduled()), h.start(b, scheduled())
		if first != second {
			t.Fatal("two processes made two jobs of one time")
		}
		h.until(first, codex.JobCompleted)
		if want := map[codex.AccountNumber]int{"100": 1, "200": 1, "300": 1}; !reflect.DeepEqual(h.ledger.asked, want) {
			t.Errorf("Ledger was asked %v, want %v", h.ledger.asked, want)
		}
	})
}

func TestWhoeverWatchesIsToldUntilTheEnd(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		j := h.process()
		id := h.start(j, jobs.Request{})
		rows, err := j.Watch(t.Context(), id)
		h.must(err)
		first := <-rows
		h.serve(j)
		var last *ent.SnapshotJob
		for row := range rows {
			last = row
		}
		if first.State != codex.JobQueued || last == nil || last.State != codex.JobCompleted {
			t.Errorf("it was told of %v and at last of %v", first, last)
		}
		if _, err := j.Watch(t.Context(), "none"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("watching what is not there: %v", err)
		}
	})
}

func TestAPreviewTellsWhatWouldBeDoneAndDoesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.hold = true
		h.flags.set("300", 1)
		h.must(h.ledger.send(t.Context(), "100", october()))
		preview, err := h.process().Preview(t.Context(), jobs.Request{Period: october()})
		h.must(err)
		var got []string
		for _, c := range preview.Companies {
			got = append(got, string(c.Account)+" "+string(c.Action)+" "+c.Invoice)
		}
		h.is("the preview", strings.Join(got, "\n"), "100 already 100-202510\n200 ask \n300 hold ")
		if n, err := h.db.Ent().SnapshotJob.Query().Count(t.Context()); err != nil || n != 0 || len(preview.Stale) != 3 {
			t.Errorf("it made %d jobs (%v), and says of %d feeds that they are stale", n, err, len(preview.Stale))
		}
	})
}

func TestWhatIsWrongWithARequestIsToldByItsField(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		for field, r := range map[string]jobs.Request{
			"year":           {Period: codex.Period{Year: 25, Month: 10}},
			"month":          {Period: codex.Period{Year: 2025, Month: 12}},
			"accountNumbers": {Period: october(), Accounts: []codex.AccountNumber{}},
			"type":           {Period: october(), Type: "x"},
			"dueAt":          {Period: october(), Type: codex.JobScheduled},
			"reason":         {Period: october(), Force: " "},
		} {
			_, err := h.process().Start(t.Context(), r)
			coded, ok := err.(*codex.Error) //nolint:errorlint // it is not wrapped: its message is for the caller
			if !ok || coded.Code != codex.CodeBadInput || coded.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		off := jobs.New(jobs.Options{DB: h.db})
		if _, err := off.Start(t.Context(), jobs.Request{Period: october()}); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("without a Ledger: %v", err)
		}
	})
}

func TestTheScheduleIsMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		first, err := jobs.MakeSchedule(t.Context(), h.db)
		h.must(err)
		if !first.Enabled || first.DayOfMonth != 1 || first.Hour != 2 || !first.SnapshotPreviousMonth || !first.SnapshotAllCompanies || !first.OwedSince.Equal(today()) {
			t.Errorf("it is made as %v", first)
		}
		h.must(h.db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent().ScheduledSnapshot.Update().SetHour(5).Exec(ctx)
		}))
		again, err := jobs.MakeSchedule(t.Context(), h.db)
		h.must(err)
		if again.Hour != 5 {
			t.Error("it was made again")
		}
	})
}
