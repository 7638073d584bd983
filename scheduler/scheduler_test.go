package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestADayOfSchedules(t *testing.T) {
	hubs(t, "2026-01-31 20:30:00", func(t *testing.T, h *hub) {
		for m := at("2026-01-31 20:30:00"); m.Before(at("2026-02-01 05:00:00")); m = m.Add(time.Minute) {
			h.clock.set(m)
			h.look()
		}
		h.expect(
			"2026-01-31 22:00:00 tickets schedule",
			"2026-02-01 00:00:00 tickets schedule",
			"2026-02-01 02:00:00 bills of 2026-01 schedule",
			"2026-02-01 02:00:00 freshservice schedule",
			"2026-02-01 02:00:00 tickets schedule",
			"2026-02-01 03:00:00 datto schedule",
			"2026-02-01 04:00:00 tickets schedule",
		)
	})
}

func TestAfterDowntimeEachFeedRunsOnceAndTheNewestMonthIsMade(t *testing.T) {
	hubs(t, "2026-01-10 12:00:00", func(t *testing.T, h *hub) {
		h.at("2026-01-10 12:00:00")
		h.at("2026-01-11 02:00:00")
		h.at("2026-01-11 03:00:00") // all feeds have run
		h.at("2026-04-05 11:11:11") // nobody looked since
		h.at("2026-04-05 11:11:12")
		h.expect(
			"2026-01-11 02:00:00 freshservice schedule",
			"2026-01-11 02:00:00 tickets schedule",
			"2026-01-11 03:00:00 datto schedule",
			"2026-04-05 11:11:11 bills of 2026-03 catch-up",
			"2026-04-05 11:11:11 datto catch-up",
			"2026-04-05 11:11:11 freshservice catch-up",
			"2026-04-05 11:11:11 missed 2026-01",
			"2026-04-05 11:11:11 missed 2026-02",
			"2026-04-05 11:11:11 tickets catch-up",
		)
	})
}

func TestAMonthThatIsTooOldNeedsAPerson(t *testing.T) {
	hubs(t, "2026-01-10 12:00:00", func(t *testing.T, h *hub) {
		h.set.Enabled = false
		h.restart()
		h.at("2026-01-10 12:00:00")
		h.at("2026-02-08 02:00:01") // a second more than seven days
		h.expect("2026-02-08 02:00:01 missed 2026-01")
		months, err := h.MissedMonths(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		want := "Its bills were due on 2026-02-01 02:00:00 UTC, and nothing was there to make them. That was more than 7 days before " +
			"the hub came to it on 2026-02-08 02:00:01, and Ledger would make them from today's machines and people."
		if len(months) != 1 || months[0].Reason != want {
			t.Errorf("it says %v", months)
		}

		// A job of that month with another list of companies does not settle it; one with all does.
		job := func(accounts string) codex.RunID {
			id := codex.RunID(uuid.NewString())
			create := h.db.Ent().SnapshotJob.Create().SetID(id).SetJobType(codex.JobBulk).SetStatus("completed").
				SetState(codex.JobCompleted).SetSuccess(true).SetTargetYear(2026).SetTargetMonth(1).SetByPerson(true).
				SetStartedAt(h.clock.now()).SetTriggeredBy("ana").SetTrigger(codex.TriggerAPI)
			if accounts != "" {
				create.SetTargetAccountNumbers(accounts)
			}
			if err := create.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			return id
		}
		job(`["620547"]`)
		h.look()
		if months, _ := h.MissedMonths(t.Context(), false); len(months) != 1 {
			t.Error("a job of one company settled the month")
		}
		id := job("")
		h.look()
		if months, _ = h.MissedMonths(t.Context(), true); months[0].SettledJobID == nil || *months[0].SettledJobID != id {
			t.Errorf("the job %s did not settle %v", id, months[0])
		}
	})
}

func TestAPersonDismissesAMissedMonth(t *testing.T) {
	hubs(t, "2026-01-10 12:00:00", func(t *testing.T, h *hub) {
		h.at("2026-01-10 12:00:00")
		h.at("2026-02-20 12:00:00")
		ana := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
		january, february := codex.Period{Year: 2026, Month: 1}, codex.Period{Year: 2026, Month: 2}
		if _, err := h.DismissMissedMonth(t.Context(), january, " ", ana); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("without a note: %v", err)
		}
		if _, err := h.DismissMissedMonth(t.Context(), february, "x", ana); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("of a month that was not missed: %v", err)
		}
		row, err := h.DismissMissedMonth(t.Context(), january, "billed by hand", ana)
		if err != nil {
			t.Fatal(err)
		}
		if row.SettledAt == nil || *row.SettledBy != "ana" || *row.Note != "billed by hand" {
			t.Errorf("it is %v", row)
		}
		if _, err := h.DismissMissedMonth(t.Context(), january, "again", ana); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("twice: %v", err)
		}
		if open, err := h.MissedMonths(t.Context(), false); err != nil || len(open) != 0 {
			t.Errorf("still open: %v, %v", open, err)
		}
	})
}

func TestNothingIsOwedForTheTimeThatAScheduleWasOff(t *testing.T) {
	hubs(t, "2026-01-10 01:00:00", func(t *testing.T, h *hub) {
		h.at("2026-01-10 02:00:00") // before the database was made nothing is owed, then it is due
		off := h.set
		off.Enabled, off.NoBills = false, "no Ledger"
		h.set = off
		h.restart()
		h.expect()
		_ = h.db.Release(t.Context(), h.leaseOfAnybody())
		h.at("2026-01-10 03:00:00")
		h.at("2026-02-05 03:00:00")
		h.set = defaults()
		h.restart()
		_ = h.db.Release(t.Context(), h.leaseOfAnybody())
		h.at("2026-02-05 03:30:00")
		h.expect()
		h.at("2026-02-05 04:00:00")
		h.expect("2026-02-05 04:00:00 tickets schedule")
	})
}

// leaseOfAnybody is the lease as it is held now.
func (h *hub) leaseOfAnybody() *store.Lease {
	h.t.Helper()
	l := &store.Lease{Name: scheduler.LeaseName}
	err := h.db.SQL().QueryRowContext(h.t.Context(), "SELECT holder, epoch FROM leases WHERE name = $1", l.Name).Scan(&l.Holder, &l.Epoch)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func TestARunWhoseProcessDiedIsBegunAgainThreeTimesAtMost(t *testing.T) {
	hubs(t, "2026-01-10 23:00:00", func(t *testing.T, h *hub) {
		h.syncs.feeds, h.syncs.state = []codex.Feed{codex.FeedFreshservice}, codex.RunInterrupted
		h.at("2026-01-10 23:00:00")
		h.at("2026-01-11 02:00:00")
		h.expect(
			"2026-01-11 02:00:00 freshservice catch-up",
			"2026-01-11 02:00:00 freshservice catch-up",
			"2026-01-11 02:00:00 freshservice schedule",
		)
	})
}

func TestALeaderThatWasPausedPastItsLeaseWritesNothing(t *testing.T) {
	hubs(t, "2026-01-10 01:00:00", func(t *testing.T, h *hub) {
		h.at("2026-01-10 01:00:00")
		h.clock.set(at("2026-02-01 02:00:00"))
		stale := h.lease
		// It decided, and slept before its transaction: meanwhile another took the lease.
		h.syncs.before = func() {
			h.syncs.before = nil
			if err := h.db.Release(t.Context(), stale); err != nil {
				t.Error(err)
			}
			h.lead()
		}
		before := h.rows()
		err := h.Tick(t.Context(), stale)
		if !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("it ended with %v", err)
		}
		// And one that sleeps before it looks does not even decide.
		if err := h.Tick(t.Context(), stale); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("it ended with %v", err)
		}
		h.expect()
		if after := h.rows(); after != before {
			t.Errorf("it wrote\n%s\nwhere there was\n%s", after, before)
		}
	})
}

// rows are the schedules as they are in the database.
func (h *hub) rows() string {
	h.t.Helper()
	rows, err := h.db.Ent().Schedule.Query().All(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprint(rows)
}

func TestAKillBetweenTheRunAndItsRecordNeitherLosesNorDoublesIt(t *testing.T) {
	boom := errors.New("killed")
	hubs(t, "2026-01-31 23:00:00", func(t *testing.T, h *hub) {
		h.at("2026-01-31 23:00:00")
		h.clock.set(at("2026-02-01 02:00:00"))
		// Before the commit: neither the run nor its record is there.
		h.syncs.broken = func() error { return boom }
		h.jobs.fail = boom
		if err := h.Tick(t.Context(), h.lease); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		h.expect()
		// After it: both are, whatever the leader heard of it.
		h.syncs.broken, h.syncs.lost = nil, boom
		h.jobs.fail, h.jobs.lost = nil, boom
		if err := h.Tick(t.Context(), h.lease); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		h.syncs.lost, h.jobs.lost = nil, nil
		h.look()
		h.expect(
			"2026-02-01 02:00:00 bills of 2026-01 schedule",
			"2026-02-01 02:00:00 freshservice schedule",
			"2026-02-01 02:00:00 tickets schedule",
		)
	})
}

func TestAJobThatIsRefusedIsAPersons(t *testing.T) {
	hubs(t, "2026-01-31 23:00:00", func(t *testing.T, h *hub) {
		h.syncs.feeds = nil
		h.at("2026-01-31 23:00:00")
		h.jobs.fail = codex.BadInput("accountNumbers", "no such thing")
		h.at("2026-02-01 02:00:00")
		h.jobs.fail = nil
		h.at("2026-02-01 02:00:01")
		h.expect("2026-02-01 02:00:00 missed 2026-01")
		months, err := h.MissedMonths(t.Context(), false)
		if err != nil || months[0].Reason != "Its job could not be started: no such thing" {
			t.Errorf("%v, %v", months, err)
		}
	})
}

func TestARunThatIsUnderWayIsJoined(t *testing.T) {
	hubs(t, "2026-01-10 01:00:00", func(t *testing.T, h *hub) {
		h.syncs.feeds, h.syncs.state = []codex.Feed{codex.FeedFreshservice}, codex.RunRunning
		h.at("2026-01-10 01:00:00")
		h.at("2026-01-10 02:00:00")
		h.at("2026-01-11 02:00:00")
		h.expect("2026-01-10 02:00:00 freshservice schedule")
		all, err := h.Schedules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if all[0].LastRun == nil || !all[0].LastDueAt.Equal(at("2026-01-11 02:00:00")) {
			t.Errorf("%+v", all[0])
		}
	})
}

func TestTheSchedulesOfAHub(t *testing.T) {
	hubs(t, "2026-01-31 23:00:00", func(t *testing.T, h *hub) {
		h.syncs.feeds = []codex.Feed{codex.FeedFreshservice, codex.FeedTickets}
		berlin := zoneOf(t, "Europe/Berlin")
		h.set.Zone = berlin
		h.restart()
		list := func() string {
			all, err := h.Schedules(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, s := range all {
				fmt.Fprintf(&b, "%s: %s", s.Name, s.Rule)
				if s.WhyOff != "" {
					fmt.Fprintf(&b, "; off: %s", s.WhyOff)
				}
				if s.NextDueAt != nil {
					fmt.Fprintf(&b, "; next %s", s.NextDueAt.Format(time.DateTime))
				}
				if s.NextPeriod != nil {
					fmt.Fprintf(&b, " for %s", s.NextPeriod)
				}
				if s.LastDueAt != nil {
					fmt.Fprintf(&b, "; last %s", s.LastDueAt.Format(time.DateTime))
				}
				if s.LastPeriod != nil {
					fmt.Fprintf(&b, " for %s", s.LastPeriod)
				}
				if s.LastRun != nil {
					fmt.Fprintf(&b, ", a run that %s", s.LastRun.State)
				}
				if s.LastJob != nil {
					fmt.Fprintf(&b, ", a job that is %s", s.LastJob.State)
				}
				b.WriteString("\n")
			}
			return b.String()
		}
		h.look()
		if got, want := list(), `freshservice: 0 2 * * * (Europe/Berlin); next 2026-02-01 01:00:00
datto: 0 3 * * * (Europe/Berlin); off: the feed is not configured
tickets: 0 */2 * * * (Europe/Berlin); next 2026-02-01 01:00:00
snapshots: day 1 of each month at 02:00 (Europe/Berlin), for the previous month; next 2026-02-01 01:00:00 for 2026-01
`; got != want {
			t.Errorf("it says\n%s", got)
		}
		h.at("2026-02-01 01:00:00")
		if got, want := list(), `freshservice: 0 2 * * * (Europe/Berlin); next 2026-02-02 01:00:00; last 2026-02-01 01:00:00, a run that succeeded
datto: 0 3 * * * (Europe/Berlin); off: the feed is not configured
tickets: 0 */2 * * * (Europe/Berlin); next 2026-02-01 03:00:00; last 2026-02-01 01:00:00, a run that succeeded
snapshots: day 1 of each month at 02:00 (Europe/Berlin), for the previous month; next 2026-03-01 01:00:00 for 2026-02; last 2026-02-01 01:00:00 for 2026-01, a job that is queued
`; got != want {
			t.Errorf("it says\n%s", got)
		}
	})
}

func TestThreeSchedulersSettleEachDueTimeOnce(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			c := &clock{t: at("2026-01-30 01:30:00")}
			fresh := storetest.Fresh(t, dialectName)
			first := fresh.Open(t, storetest.Now(c.now))
			h := &hub{t: t, db: first, clock: c, syncs: &syncs{db: first, feeds: codex.Feeds(), state: codex.RunSucceeded}, jobs: &jobs{db: first}, set: defaults()}
			h.restart()
			serve := func() (stop func()) {
				db := first
				if dialectName == dialect.Postgres {
					db = fresh.Open(t, storetest.Now(c.now)) // a process of its own
				}
				s := newScheduler(t, db, &syncs{db: db, feeds: codex.Feeds(), state: codex.RunSucceeded}, &jobs{db: db}, defaults())
				ctx, cancel := context.WithCancel(t.Context())
				var done sync.WaitGroup
				done.Go(func() { s.Serve(ctx) })
				return func() { cancel(); done.Wait() }
			}
			stops := []func(){serve(), serve(), serve()}
			wait := func(what string, there func() bool) {
				t.Helper()
				for end := time.Now().Add(30 * time.Second); !there(); time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s: it did\n%s", what, textOf(h.did()))
					}
				}
			}
			rows := func() bool { n, err := first.Ent().Schedule.Query().Count(t.Context()); return err == nil && n == 4 }
			wait("nobody leads", rows)
			var want []string
			for hour := at("2026-01-30 02:00:00"); hour.Before(at("2026-02-02 00:00:00")); hour = hour.Add(time.Hour) {
				c.set(hour)
				text := hour.Format(time.DateTime)
				if hour.Day() == 1 && hour.Hour() == 2 {
					want = append(want, text+" bills of 2026-01 schedule")
				}
				if hour.Hour() == 3 {
					want = append(want, text+" datto schedule")
				}
				if hour.Hour() == 2 {
					want = append(want, text+" freshservice schedule")
				}
				if hour.Hour()%2 == 0 {
					want = append(want, text+" tickets schedule")
				}
				wait(text, func() bool { return len(h.did()) >= len(want) })
				if hour.Hour() == 12 { // whoever leads goes, with its lease or without
					stops[0]()
					stops = append(stops[1:], serve())
				}
			}
			for _, stop := range stops {
				stop()
			}
			h.expect(want...)
		})
	}
}

func TestALeaderThatWasKilledIsReplacedWithinTenSeconds(t *testing.T) {
	hubs(t, "2026-01-10 01:00:00", func(t *testing.T, h *hub) {
		// A process that was killed gives nothing up: its lease lasts to its end.
		if _, err := h.db.Acquire(t.Context(), scheduler.LeaseName, "killed", scheduler.LeaseTTL); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var done sync.WaitGroup
		done.Go(func() { h.Serve(ctx) })
		for n := 0; n < 4; time.Sleep(50 * time.Millisecond) {
			var err error
			if n, err = h.db.Ent().Schedule.Query().Count(t.Context()); err != nil || ctx.Err() != nil {
				t.Fatalf("after %s nobody leads: %v", time.Since(killed), err)
			}
		}
		t.Logf("taken over after %s", time.Since(killed))
		cancel()
		done.Wait()
	})
}
