package syncers_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// beside runs test with a hub whose engine only makes runs, and one of another process on the same
// database that re-reads. Each time that a run has looked what is stored, and before it writes,
// something happens: what is given to planning, until it is given nil.
func beside(t *testing.T, world simulator.Options, test func(t *testing.T, runs, rereads *hub, planning func(func(n int)))) {
	t.Helper()
	t.Parallel()
	// The last that each feed loads of its base, by columns that no other statement begins with.
	loads := regexp.MustCompile(`(?s)^SELECT .* FROM "?(time_entries|contact_company_link)"?`)
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			var turning clock
			var happens atomic.Pointer[func(int)]
			var times atomic.Int64
			database := storetest.Fresh(t, dialectName)
			planned := storetest.OnStatement(func(query string) {
				if what := happens.Load(); what != nil && loads.MatchString(strings.TrimSpace(query)) {
					(*what)(int(times.Add(1)))
				}
			})
			runs := newHub(t, database.Open(t, storetest.Now(turning.now), planned), world, &turning)
			other := *runs
			other.db = database.Open(t, storetest.Now(turning.now))
			other.engine = other.process()
			other.engine.ServeRereads()
			test(t, runs, &other, func(what func(n int)) {
				times.Store(0)
				happens.Store(nil)
				if what != nil {
					happens.Store(&what)
				}
			})
		})
	}
}

// waits announces records and has the other process re-read them, unless a run holds that off: then it
// is not waited for.
func (h *hub) waits(records ...syncers.UpstreamRecord) {
	h.t.Helper()
	h.pass(time.Second)
	h.announce(h.engine, records...)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		quiet, err := h.db.LeaseHeld(h.t.Context(), "rereads:quiet")
		h.must(err)
		if quiet || h.value("SELECT count(*) FROM sync_rereads WHERE due_at IS NOT NULL") == "0" {
			return
		}
	}
	h.t.Error("what was announced is not re-read")
}

func requesterRecord(id int64) syncers.UpstreamRecord {
	return syncers.UpstreamRecord{Kind: syncers.RecordRequester, ID: id}
}

func departmentRecord(id int64) syncers.UpstreamRecord {
	return syncers.UpstreamRecord{Kind: syncers.RecordDepartment, ID: id}
}

// Each plan of a run is overtaken by another process, which re-reads what has changed once more.
func TestARunOfEachFeedSucceedsWhileAnotherProcessRereadsWithoutAPause(t *testing.T) {
	beside(t, tiny(), func(t *testing.T, h, other *hub, planning func(func(int))) {
		h.sync()
		h.pass(time.Hour)
		home := h.customers()[1]
		person, ticket := h.staff(home.ID)[0], h.closed(home.ID)
		h.sync(codex.FeedTickets)
		for _, feed := range codex.Feeds() {
			var plans atomic.Int64
			planning(func(n int) {
				plans.Store(int64(n))
				h.must(
					h.world.RenameRequester(person.ID, "Renamed", fmt.Sprint(feed, n)),
					h.world.EditTicket(ticket, func(t *simulator.Ticket) { t.Subject = new(fmt.Sprint(feed, n)) }),
					h.world.RenameDepartment(home.ID, fmt.Sprint("Renamed ", feed, n)),
				)
				other.waits(requesterRecord(person.ID), ticketRecord(ticket), departmentRecord(home.ID))
			})
			run := h.run(syncers.Request{Feed: feed, Mode: codex.ModeFull})
			planning(nil)
			h.expect(run, codex.RunSucceeded)
			if plans.Load() < 2 {
				t.Errorf("%s: planned %d times: nothing overtook it", feed, plans.Load())
			}
			other.drained()
			h.is(fmt.Sprintf("SELECT name FROM contacts WHERE freshservice_id = %d", person.ID), fmt.Sprint("name=Renamed ", feed, plans.Load()))
			h.is(fmt.Sprintf("SELECT subject FROM tickets WHERE ticket_id = %d", ticket), fmt.Sprint("subject=", feed, plans.Load()))
			h.is(fmt.Sprintf("SELECT name FROM companies WHERE freshservice_id = %d", home.ID), fmt.Sprint("name=Renamed ", feed, plans.Load()))
		}
		if held, err := h.db.LeaseHeld(t.Context(), "rereads:quiet"); err != nil || held {
			t.Errorf("re-reads are held off when all runs are over: %t, %v", held, err)
		}
	})
}

// What is announced is re-read between a plan and its writing, and is as it is stored: only a plan that
// is about that very record has to be made again.
func TestOnlyAPlanAboutTheRecordIsStaleWhereARereadChangesNothing(t *testing.T) {
	beside(t, tiny(), func(t *testing.T, h, other *hub, planning func(func(int))) {
		home := h.customers()[1]
		h.hire(home.ID, 2)
		h.sync(codex.FeedFreshservice)
		person, colleague := h.staff(home.ID)[0], h.staff(home.ID)[1]
		changed, unchanged := h.closed(home.ID), h.closed(home.ID)
		h.sync(codex.FeedTickets)
		stored := h.value("SELECT name FROM contacts WHERE freshservice_id = $1", person.ID)
		rename := func(last string) { h.must(h.world.RenameRequester(person.ID, "Other", last)) }
		plansOf := func(feed codex.Feed, first func()) int {
			plans := 0
			planning(func(n int) {
				if plans = n; n == 1 {
					first()
				}
			})
			h.sync(feed)
			planning(nil)
			return plans
		}
		name := func() string { return h.value("SELECT name FROM contacts WHERE freshservice_id = $1", person.ID) }

		h.pass(time.Hour)
		rename("Name")
		if n := plansOf(codex.FeedFreshservice, func() { other.waits(requesterRecord(colleague.ID), ticketRecord(unchanged)) }); n != 1 || name() != "Other Name" {
			t.Errorf("others are re-read: planned %d times, the name is %q after %q", n, name(), stored)
		}
		h.pass(time.Hour)
		rename("Wrong")
		if n := plansOf(codex.FeedFreshservice, func() {
			rename("Name")
			other.waits(requesterRecord(person.ID))
		}); n != 2 || name() != "Other Name" {
			t.Errorf("the one that the run would write is re-read: planned %d times, the name is %q", n, name())
		}
		h.sync(codex.FeedTickets) // some are due for a second look
		h.pass(20 * time.Minute)
		h.must(h.world.EditTicket(changed, func(t *simulator.Ticket) { t.Subject = new("Changed") }))
		if n := plansOf(codex.FeedTickets, func() { other.waits(ticketRecord(unchanged), requesterRecord(person.ID)) }); n != 1 {
			t.Errorf("a ticket of no batch is re-read: planned %d times", n)
		}
		h.is(fmt.Sprintf("SELECT subject FROM tickets WHERE ticket_id = %d", changed), "subject=Changed")
		h.is("SELECT count(*) AS n FROM sync_rereads WHERE read_from IS NOT NULL", "n=3")
	})
}
