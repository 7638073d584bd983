package syncers_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// hooked has the world announce its changes to the hub's engine of the moment, over HTTP as
// Freshservice does. What takes webhooks in a served hub is package rest.
func (h *hub) hooked() {
	h.t.Helper()
	kinds := map[string]syncers.RecordKind{
		"ticket_id_numeric": syncers.RecordTicket, "requester_id": syncers.RecordRequester, "department_id": syncers.RecordDepartment,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		err := json.NewDecoder(r.Body).Decode(&body)
		for key, kind := range kinds {
			if text, named := body[key]; named && err == nil {
				var id int64
				if id, err = strconv.ParseInt(text, 10, 64); err == nil {
					err = h.engine.Announce(r.Context(), []syncers.UpstreamRecord{{Kind: kind, ID: id}})
				}
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	h.t.Cleanup(server.Close)
	h.must(h.world.SetWebhook(simulator.Webhook{URL: server.URL}))
}

// heard waits until the world has announced all that changed.
func (h *hub) heard() {
	h.t.Helper()
	h.must(h.world.FlushWebhooks(h.t.Context()))
	for _, d := range h.world.Webhooks() {
		if d.Status != http.StatusAccepted {
			h.t.Fatalf("the hub answered %d to %s %s", d.Status, d.Body, d.Error)
		}
	}
}

// drained waits until nothing waits to be re-read any more.
func (h *hub) drained() {
	h.t.Helper()
	h.heard()
	h.until("nothing waits", "SELECT count(*) FROM sync_rereads WHERE due_at IS NOT NULL", "0")
}

// until waits for a value.
func (h *hub) until(what, query, want string, args ...any) {
	h.t.Helper()
	got := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got = h.value(query, args...); got == want {
			return
		}
	}
	h.t.Fatalf("%s: %s is %s, want %s\n%s", what, query, got, want, h.dump("SELECT * FROM sync_rereads"))
}

func ticketRecord(id int64) syncers.UpstreamRecord {
	return syncers.UpstreamRecord{Kind: syncers.RecordTicket, ID: id}
}

func (h *hub) announce(engine *syncers.Engine, records ...syncers.UpstreamRecord) {
	h.t.Helper()
	h.must(engine.Announce(h.t.Context(), records))
}

func (h *hub) seconds(ticket int64) string {
	h.t.Helper()
	return h.dump("SELECT spent_seconds AS s, closed FROM tickets WHERE removed_at IS NULL AND ticket_id = $1", ticket)
}

func TestATicketThatIsClosedAndAnnouncedHasItsHoursWithoutARun(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		runs := h.value("SELECT count(*) FROM sync_runs")
		h.engine.ServeRereads()
		h.hooked()
		h.pass(time.Minute)
		home := h.customers()[1]
		id := h.world.AddTicket(simulator.Ticket{Subject: new("Test"), Status: simulator.StatusOpen, RequesterID: h.world.Truth().Requesters[0].ID, DepartmentID: &home.ID})
		h.drained()
		if got := h.seconds(id); got != "" {
			t.Errorf("one that is open is none of ours: %s", got)
		}
		h.is("SELECT count(*) AS n FROM sync_runs", "n="+runs)
		_, err := h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:30"), Billable: true}, true)
		h.must(err, h.world.CloseTicket(id))
		h.drained()
		if got := h.seconds(id); got != "s=5400 closed=1" {
			t.Errorf("after closing: %s", got)
		}
		h.is("SELECT feed, mode, trigger, requested_by AS by, state, output, dry_run AS dry FROM sync_runs WHERE mode = 'reread'",
			fmt.Sprintf("feed=tickets mode=reread trigger=webhook by=webhook state=succeeded output=re-read ticket %d dry=0", id))
		h.is(fmt.Sprintf("SELECT count(*) AS n FROM tickets_history v JOIN sync_runs r ON v.run_id = r.id WHERE v.ticket_id = %d AND r.mode = 'reread'", id), "n=1")

		// Announced again without a change it writes no run.
		h.must(h.world.Announce(simulator.EntityTicket, id))
		h.drained()
		h.is("SELECT count(*) AS n FROM sync_runs WHERE mode = 'reread'", "n=1")

		// A time entry that did not touch the ticket.
		_, err = h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("00:30"), Billable: true}, false)
		h.must(err, h.world.Announce(simulator.EntityTicket, id))
		h.drained()
		if got := h.seconds(id); got != "s=7200 closed=1" {
			t.Errorf("with the late entry: %s", got)
		}
		// A hub that never heard a webhook has the same.
		h.checkTickets()
	})
}

var (
	announcements = flag.Int("announcements", 400, "how many webhooks the test of the queue sends")
	announced     = flag.Int("announced", 10, "for how many tickets")
)

func TestARecordIsReadOnceHoweverOftenItIsNamed(t *testing.T) {
	tickets, announcements := *announced, *announcements
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		var ids []int64
		for range tickets {
			ids = append(ids, h.closed(h.customers()[1].ID))
		}
		// The upstream answers nothing until all is announced.
		goOn := make(chan struct{})
		h.watch("/api/v2/tickets/*", func(int, *http.Request) { <-goOn })
		h.engine.ServeRereads()
		var wait sync.WaitGroup
		for part := range 8 {
			wait.Go(func() {
				for i := part; i < announcements; i += 8 {
					h.announce(h.engine, ticketRecord(ids[i%tickets]))
				}
			})
		}
		wait.Wait()
		h.is("SELECT sum(announcements) AS n, count(*) AS records FROM sync_rereads", fmt.Sprintf("n=%d records=%d", announcements, tickets))
		close(goOn)
		h.drained()
		reads := h.world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*")
		if reads < tickets || reads > 2*tickets {
			t.Errorf("%d announcements of %d tickets cost %d re-reads", announcements, tickets, reads)
		}
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Test' AND spent_seconds = 3600", fmt.Sprintf("n=%d", tickets))
	})
}

func TestAnAnnouncementDuringARereadCausesExactlyOneMore(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		id := h.closed(h.customers()[1].ID)
		h.watch("/api/v2/tickets/*/conversations", func(n int, _ *http.Request) { // its hours are read
			if n > 1 {
				return
			}
			_, err := h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("02:00"), Billable: true}, false)
			h.must(err)
			for range 5 {
				h.announce(h.engine, ticketRecord(id))
			}
		})
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(id))
		h.drained()
		if got := h.seconds(id); got != "s=10800 closed=1" {
			t.Errorf("what was announced during the re-read: %s", got)
		}
		if n := h.world.CountRequests(simulator.Freshservice, fmt.Sprintf("/api/v2/tickets/%d", id)); n != 2 {
			t.Errorf("it was read %d times", n)
		}
	})
}

func TestWhatIsAnnouncedSurvivesTheProcess(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		first, second := h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID)
		h.announce(h.engine, ticketRecord(first))
		stopped := make(chan struct{})
		engine := h.engine
		h.watch(fmt.Sprintf("/api/v2/tickets/%d/time_entries", second), func(n int, request *http.Request) {
			if n == 1 { // it stops in the middle of the second
				go func() { engine.Close(); close(stopped) }()
				<-request.Context().Done()
			}
		})
		engine.ServeRereads()
		h.announce(engine, ticketRecord(second))
		<-stopped
		if got := h.seconds(second); got != "" {
			t.Errorf("the second is there: %s", got)
		}
		h.restart()
		h.engine.ServeRereads()
		h.drained()
		for _, id := range []int64{first, second} {
			if got := h.seconds(id); got != "s=3600 closed=1" {
				t.Errorf("ticket %d: %s", id, got)
			}
		}
	})
}

func TestOneOfSeveralReplicasReadsAndAnotherTakesOver(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		other := h.process()
		h.engine.ServeRereads()
		other.ServeRereads()
		var ids []int64
		for range 20 {
			ids = append(ids, h.closed(h.customers()[1].ID))
		}
		for i, id := range ids {
			h.announce([]*syncers.Engine{h.engine, other}[i%2], ticketRecord(id))
		}
		h.drained()
		for _, id := range ids {
			if n := h.world.CountRequests(simulator.Freshservice, fmt.Sprintf("/api/v2/tickets/%d", id)); n != 1 {
				t.Errorf("ticket %d was read %d times", id, n)
			}
		}
		h.engine.Close()
		late := h.closed(h.customers()[1].ID)
		h.announce(other, ticketRecord(late))
		h.drained()
		if got := h.seconds(late); got != "s=3600 closed=1" {
			t.Errorf("after the other took over: %s", got)
		}
	})
}

func TestWhatFailsIsTriedAgainLaterAndLaterUntilItIsLeftToTheRuns(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		id, other := h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID)
		refuse := simulator.Fault{Kind: simulator.FaultStatus, Status: 403}
		clear := h.fault(simulator.Freshservice, fmt.Sprintf("/api/v2/tickets/%d", id), refuse)
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(id), ticketRecord(other))
		h.until("the other is settled", "SELECT count(*) FROM sync_rereads WHERE due_at IS NULL", "1")
		var waits []string
		for attempt := 1; attempt <= 20; attempt++ {
			h.until("it fails", fmt.Sprintf("SELECT attempts FROM sync_rereads WHERE upstream_id = %d", id), fmt.Sprint(attempt))
			row, err := h.db.Ent().SyncReread.Query().All(t.Context())
			h.must(err)
			for _, r := range row {
				if r.UpstreamID != id {
					continue
				}
				if r.Error == nil || !strings.Contains(*r.Error, "403") {
					t.Fatalf("its error is %v", r.Error)
				}
				if r.DueAt == nil {
					waits = append(waits, "never")
					continue
				}
				wait := r.DueAt.Sub(h.clock.now())
				waits = append(waits, wait.String())
				h.pass(wait)
			}
			h.announce(h.engine, ticketRecord(other)) // wakes the queue
		}
		want := strings.Fields("5s 10s 20s 40s 1m20s 2m40s 5m20s" + strings.Repeat(" 10m0s", 12) + " never")
		if !slices.Equal(waits, want) {
			t.Errorf("it waits %v\nwant     %v", waits, want)
		}
		h.announce(h.engine, ticketRecord(id)) // begins anew
		h.until("it fails anew", fmt.Sprintf("SELECT attempts FROM sync_rereads WHERE upstream_id = %d", id), "1")
		clear()
		h.announce(h.engine, ticketRecord(id)) // is due at once
		h.drained()
		if got := h.seconds(id); got != "s=3600 closed=1" {
			t.Errorf("at last: %s", got)
		}
		h.is("SELECT count(*) AS n FROM sync_rereads WHERE error IS NULL AND attempts = 0", "n=2")
	})
}

func TestARefusedKeyStopsTheQueueAndCostsNoRecordAnAttempt(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		var records []syncers.UpstreamRecord
		for range 12 {
			records = append(records, ticketRecord(h.closed(h.customers()[1].ID)))
		}
		asked := make(chan struct{})
		var once sync.Once
		h.watch("/api/v2/**", func(int, *http.Request) { once.Do(func() { close(asked) }) })
		clear := h.fault(simulator.Freshservice, "/api/v2/**", simulator.Fault{Kind: simulator.FaultRefuse, Status: 401})
		h.world.ForgetRequests()
		h.announce(h.engine, records...)
		h.engine.ServeRereads()
		<-asked
		h.announce(h.engine, records[0])
		time.Sleep(1500 * time.Millisecond) // longer than the queue is looked at
		if n := h.world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*"); n == 0 || n > 8 {
			t.Errorf("a key that is refused is used %d times, want those that were begun together", n)
		}
		h.is("SELECT attempts, count(*) AS n FROM sync_rereads WHERE due_at IS NOT NULL GROUP BY attempts", "attempts=0 n=12")
		clear()
		h.pass(5 * time.Second)
		h.drained()
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Test'", "n=12")
	})
}

func TestWhatIsAnnouncedGoesBeforeAFullSyncAtTheRateLimit(t *testing.T) {
	world := few()
	world.Tier = simulator.TierPro
	each(t, world, func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Hour)
		for range 60 {
			h.closed(h.customers()[1].ID)
		}
		ending, live := make(chan struct{}), sync.WaitGroup{}
		live.Go(func() { // from here on the clock runs, so that limits recover
			for ticker := time.NewTicker(5 * time.Millisecond); ; h.pass(5 * time.Millisecond) {
				select {
				case <-ticker.C:
				case <-ending:
					return
				}
			}
		})
		t.Cleanup(func() { close(ending); live.Wait() })
		h.engine.ServeRereads()
		run := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		for h.world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*/time_entries") < 5 {
			time.Sleep(5 * time.Millisecond)
		}
		id := h.closed(h.customers()[1].ID)
		before := len(h.world.Requests())
		h.announce(h.engine, ticketRecord(id))
		h.drained()
		if got := h.seconds(id); got != "s=3600 closed=1" {
			t.Errorf("the announced ticket: %s", got)
		}
		if row, err := h.db.Ent().SyncRun.Get(t.Context(), run.ID); err != nil || row.State.Final() {
			t.Fatalf("the full sync had ended before: %v, %v", row, err)
		}
		own, others := 0, 0
		for _, r := range h.world.Requests()[before:] {
			if strings.HasPrefix(r.Path, fmt.Sprintf("/api/v2/tickets/%d", id)) {
				own++
			} else if own > 0 && own < 3 {
				others++
			}
		}
		// Between two of its calls the run may have one that was sent while the answer was on its way.
		if own != 3 || others > 4 {
			t.Errorf("%d calls for the ticket, and %d of the run in between", own, others)
		}
		h.engine.Close()
	})
}

func TestRowsOfRereadsAreForgottenOnceTheyAreOld(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		old, young := h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID)
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(old))
		h.drained()
		h.pass(31 * 24 * time.Hour)
		h.announce(h.engine, ticketRecord(young))
		h.until("the old one is forgotten", "SELECT count(*) FROM sync_rereads WHERE upstream_id = $1", "0", old)
		h.until("the young one is not", "SELECT count(*) FROM sync_rereads WHERE upstream_id = $1 AND due_at IS NULL", "1", young)
	})
}

func TestAnotherAccountsRecordsAreNotReread(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		id := h.closed(h.customers()[1].ID)
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(id))
		h.drained() // no run has taken an account yet: the first one reads everything
		h.is("SELECT count(*) AS n FROM tickets", "n=0")
		h.sync(codex.FeedFreshservice)
		h.settings.FreshserviceIdentity = "sandbox.freshservice.com"
		h.restart()
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(id))
		h.until("it fails", "SELECT attempts FROM sync_rereads", "1")
		h.is("SELECT error FROM sync_rereads", "error=the hub's data comes from acme.freshservice.com, and sandbox.freshservice.com is another account")
		h.is("SELECT count(*) AS n FROM tickets", "n=0")
	})
}

func TestATicketWhoseConversationsCannotBeReadHasItsHours(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Minute)
		id := h.closed(h.customers()[1].ID)
		unplaced := h.world.AddTicket(simulator.Ticket{Status: simulator.StatusClosed, RequesterID: h.world.Truth().Requesters[0].ID})
		refuse := simulator.Fault{Kind: simulator.FaultStatus, Status: 403}
		clear := h.fault(simulator.Freshservice, "/api/v2/tickets/*/conversations", refuse)
		h.engine.ServeRereads()
		h.announce(h.engine, ticketRecord(id), ticketRecord(unplaced))
		h.until("it is tried again", "SELECT attempts FROM sync_rereads WHERE upstream_id = $1", "1", id)
		if got := h.seconds(id); got != "s=3600 closed=1" {
			t.Errorf("its hours: %s", got)
		}
		h.until("the other is settled", "SELECT count(*) FROM sync_rereads WHERE due_at IS NULL", "1")
		want := []string{fmt.Sprint("ticket_unread ", id), fmt.Sprint("ticket_without_company ", unplaced)}
		slices.Sort(want)
		if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		h.is(fmt.Sprintf("SELECT state, output FROM sync_runs WHERE mode = 'reread' AND output LIKE '%%%d'", id), fmt.Sprintf("state=partial output=re-read ticket %d", id))
		clear()
		home := h.customers()[1].ID
		h.must(h.world.MoveTicket(unplaced, &home))
		h.pass(5 * time.Second)
		h.announce(h.engine, ticketRecord(unplaced))
		h.drained()
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
		h.is(fmt.Sprintf("SELECT count(*) AS n FROM tickets WHERE ticket_id = %d", unplaced), "n=1")
	})
}
