package syncers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// everything is all tables but those that any run writes.
func (h *hub) everything() string {
	h.t.Helper()
	var all strings.Builder
	for _, table := range append(dataTables(), "sync_issues", "sync_checkpoints", "upstreams", "revisions WHERE entity <> 'sync_runs'", "tokens") {
		fmt.Fprintf(&all, "## %s\n%s\n", table, h.dump("SELECT * FROM "+table))
	}
	return all.String()
}

func TestADryRunWritesNothingButItsRun(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		dry := func() map[codex.Feed][]syncers.EntityCounts {
			counts := make(map[codex.Feed][]syncers.EntityCounts)
			before := h.everything()
			for _, feed := range codex.Feeds() {
				run := h.run(syncers.Request{Feed: feed, DryRun: true})
				h.expect(run, codex.RunSucceeded)
				counts[feed] = h.counts(run)
			}
			if h.everything() != before {
				t.Error("a dry run wrote")
			}
			return counts
		}
		for _, c := range dry()[codex.FeedFreshservice] {
			if c.Created == 0 {
				t.Errorf("over an empty hub: %+v", c)
			}
		}
		h.sync()
		h.pass(time.Hour)
		h.world.Evolve(3)
		planned := dry()
		for _, feed := range codex.Feeds() {
			run := h.run(syncers.Request{Feed: feed})
			h.expect(run, codex.RunSucceeded)
			// Datto's dry run planned over the people who were there before freshservice ran.
			if got := h.counts(run); feed != codex.FeedDatto && !slices.Equal(got, planned[feed]) {
				t.Errorf("%s did %+v\nplanned  %+v", feed, got, planned[feed])
			}
		}
	})
}

func TestAnotherAccountIsRefused(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync()
		before := h.everything()
		h.settings.FreshserviceIdentity = "sandbox.freshservice.com"
		h.restart()
		rewrite := simulator.Fault{Kind: simulator.FaultRewrite, Rewrite: func(body []byte) []byte {
			return []byte(strings.ReplaceAll(string(body), h.world.Truth().AccountUID, "another"))
		}}
		h.fault(simulator.Datto, "/api/v2/system/request_rate", rewrite)
		for _, feed := range codex.Feeds() {
			for _, dry := range []bool{false, true} {
				run := h.run(syncers.Request{Feed: feed, DryRun: dry})
				if run.State != codex.RunFailed || run.Error == nil || !strings.Contains(*run.Error, "--new-upstream") {
					t.Errorf("%s, dry %t: the run is %s (%v)", feed, dry, run.State, run.Error)
				}
			}
		}
		if h.everything() != before {
			t.Error("rows changed")
		}
		h.settings.NewUpstream = true
		h.restart()
		h.sync()
		h.is("SELECT name, identity FROM upstreams", "name=datto identity=another", "name=freshservice identity=sandbox.freshservice.com")
	})
}

// start asks an engine for a run.
func (h *hub) start(engine *syncers.Engine, request syncers.Request) *ent.SyncRun {
	h.t.Helper()
	request.Trigger, request.By = codex.TriggerCLI, "test"
	run, _, err := engine.Start(h.t.Context(), request)
	h.must(err)
	return run
}

// wait is the end of a run, by an engine that need not be the one that works on it.
func (h *hub) wait(engine *syncers.Engine, id codex.RunID) *ent.SyncRun {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	run, err := engine.Wait(ctx, id)
	h.must(err)
	return run
}

func TestOneRunAFeedAtATimeInTheWholeInstallation(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		other := h.process()
		working, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		h.watch("/api/v2/departments", func(int, *http.Request) {
			once.Do(func() { close(working) })
			<-goOn
		})
		tickets := syncers.Request{Feed: codex.FeedTickets}
		first := h.start(h.engine, tickets)
		<-working
		for name, engine := range map[string]*syncers.Engine{"the same process": h.engine, "another process": other} {
			if joined := h.start(engine, tickets); joined.ID != first.ID || joined.State != codex.RunRunning {
				t.Errorf("%s does not join: %s, %s", name, joined.ID, joined.State)
			}
		}
		full := h.start(other, syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		dry := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets, DryRun: true})
		if ids := []codex.RunID{first.ID, full.ID, dry.ID}; ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] {
			t.Errorf("runs of other kinds were joined: %v", ids)
		}
		if again := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}); again.ID != full.ID {
			t.Error("one that waits is not joined")
		}
		h.is("SELECT state, count(*) AS n FROM sync_runs WHERE feed = 'tickets' GROUP BY state", "state=queued n=2", "state=running n=1")
		close(goOn)
		for _, id := range []codex.RunID{first.ID, full.ID, dry.ID} {
			if run := h.wait(other, id); run.State != codex.RunSucceeded || run.Requests == 0 || run.StartedAt == nil || run.EndedAt == nil || run.Output == "" {
				t.Errorf("%+v", run)
			}
		}
	})
}

func TestARunThatIsInterruptedIsGoneOnWithBehindItsLastBatch(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		// Tickets are read in the order of their ids, ahead of what is written: not far into the second batch.
		for n := range 130 {
			id := h.closed(h.customers()[1].ID)
			if n < 75 {
				continue
			}
			_, err := h.world.AddFault(simulator.FaultRule{
				Path: fmt.Sprintf("/api/v2/tickets/%d/time_entries", id), Fault: simulator.Fault{Kind: simulator.FaultDelay, Delay: time.Minute},
			})
			h.must(err)
		}
		engine := h.engine
		h.pass(time.Hour)
		run := h.start(engine, syncers.Request{Feed: codex.FeedTickets})
		for h.value("SELECT count(*) FROM tickets") == "0" {
			time.Sleep(10 * time.Millisecond)
		}
		engine.Close()
		h.expect(h.wait(h.process(), run.ID), codex.RunInterrupted)
		if _, _, err := engine.Start(t.Context(), syncers.Request{Feed: codex.FeedTickets}); codex.CodeOf(err) != codex.CodeUnavailable {
			t.Errorf("an engine that is closed starts runs: %v", err)
		}
		if n := h.value("SELECT count(*) FROM tickets"); n != "50" {
			t.Fatalf("%s tickets are written, want the first batch", n)
		}
		done := strings.Split(h.dump("SELECT ticket_id AS id FROM tickets"), "\n")
		h.world.ClearFaults()
		h.world.ForgetRequests()
		h.restart()
		second := h.run(syncers.Request{Feed: codex.FeedTickets})
		h.expect(second, codex.RunSucceeded)
		if !second.Resumed {
			t.Error("the run does not say that it goes on for another")
		}
		for _, line := range done {
			if n := h.world.CountRequests(simulator.Freshservice, "/api/v2/tickets/"+strings.TrimPrefix(line, "id=")+"/time_entries"); n != 0 {
				t.Errorf("ticket %s is read again", line)
			}
		}
		h.checkTickets()
		h.is("SELECT done FROM sync_checkpoints WHERE feed = 'tickets'", "done={}")
		h.restart()
		if third := h.run(syncers.Request{Feed: codex.FeedTickets}); third.Resumed {
			t.Error("the run after it goes on for nobody")
		}
	})
}

func TestARunWhoseProcessDiedIsFound(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		// left is a run that a process left as running; its lease lives on for a while.
		left := func(id codex.RunID, feed codex.Feed, ttl time.Duration) {
			h.t.Helper()
			_, err := h.db.Acquire(t.Context(), "sync:"+string(feed), "dead/"+string(id), ttl)
			h.must(err, h.db.Ent().SyncRun.Create().SetID(id).SetFeed(feed).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerSchedule).SetRequestedBy("x").
				SetDryRun(false).SetForced(false).SetState(codex.RunRunning).SetQueuedAt(h.clock.now()).SetStartedAt(h.clock.now()).SetHeartbeatAt(h.clock.now()).Exec(t.Context()))
		}
		left("dead-1", codex.FeedFreshservice, time.Millisecond)
		time.Sleep(5 * time.Millisecond) // its lease expires by the database's own clock
		h.sync(codex.FeedFreshservice)
		h.is("SELECT id, state FROM sync_runs WHERE id = 'dead-1'", "id=dead-1 state=interrupted")

		left("dead-2", codex.FeedDatto, time.Second)
		joined := h.start(h.engine, syncers.Request{Feed: codex.FeedDatto})
		if joined.ID != "dead-2" {
			t.Fatalf("while its lease lives it is alive as far as anybody knows: joined %s", joined.ID)
		}
		if run := h.wait(h.engine, joined.ID); run.State != codex.RunInterrupted || run.Error == nil {
			t.Errorf("who waits for it learns %s", run.State)
		}
		h.sync(codex.FeedDatto)
	})
}

func TestARunThatWasTakenForDeadWhileItWaitedDoesNotBegin(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		lease, err := h.db.Acquire(t.Context(), "sync:freshservice", "another", time.Minute)
		h.must(err)
		run := h.start(h.engine, syncers.Request{Feed: codex.FeedFreshservice})
		h.must(h.db.Ent().SyncRun.UpdateOneID(run.ID).SetState(codex.RunInterrupted).SetEndedAt(h.clock.now()).Exec(t.Context()))
		h.must(h.db.Release(t.Context(), lease))
		for h.value("SELECT count(*) FROM leases WHERE name = 'sync:freshservice' AND holder LIKE '%"+string(run.ID)+"'") != "1" {
			time.Sleep(10 * time.Millisecond) // until it has had the lease
		}
		h.engine.Close()
		h.is("SELECT state, phase FROM sync_runs", "state=interrupted phase=")
		h.is("SELECT count(*) AS n FROM companies", "n=0")
	})
}

func TestARowThatChangesBetweenPlanAndApplyIsPlannedAnew(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		team := h.staff(h.customers()[0].ID)
		gone, stays := team[0], team[1]
		h.must(h.world.RemoveRequester(gone.ID), h.world.RenameRequester(stays.ID, "New", "Name"))
		id := h.contactID(stays.ID)
		h.watch("/api/v2/requesters/*", func(n int, _ *http.Request) { // the run has read its rows, and asks for the one that is absent
			err := h.db.Write(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
				if _, err := tx.SQL().ExecContext(ctx, "UPDATE contacts SET employment_type = 'Contractor' WHERE id = "+id); err != nil {
					return err
				}
				return tx.Raise(ctx, "contacts")
			})
			if n != 1 || err != nil {
				t.Errorf("asked %d times (%v)", n, err)
			}
		})
		counts := h.sync(codex.FeedFreshservice)
		h.countOf(counts, "contacts", 0, 1, 1)
		h.is("SELECT name, employment_type AS e FROM contacts WHERE id = "+id, "name=New Name e=Contractor")
		h.is("SELECT name, employment_type AS e FROM contacts_history WHERE seen_to IS NULL AND contact_id = "+id, "name=New Name e=Contractor")
	})
}

func TestAFullSyncHasNoMomentInWhichTicketsAreMissing(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		for range 60 {
			h.closed(h.customers()[1].ID)
		}
		h.tick()
		served := "SELECT count(*) FROM tickets WHERE closed AND removed_at IS NULL"
		want := h.value(served)
		var looks int
		h.watch("/api/v2/tickets/*/time_entries", func(n int, _ *http.Request) {
			if n%20 == 0 {
				var got string
				if err := h.db.SQL().QueryRowContext(context.WithoutCancel(t.Context()), served).Scan(&got); err != nil || got != want {
					t.Errorf("%s tickets are served in the middle of it, want %s (%v)", got, want, err)
				}
				looks++
			}
		})
		h.pass(time.Hour)
		run := h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		h.expect(run, codex.RunSucceeded)
		if looks < 3 {
			t.Errorf("a full sync read too little: %d looks", looks)
		}
		for _, c := range h.counts(run) {
			if c.Created+c.Updated+c.Removed != 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestAListOfTicketsThatComesShortMovesNoCursorAndRemovesNothing(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		for range 110 {
			h.closed(h.customers()[1].ID)
		}
		h.tick()
		before, cursor := h.data(), h.dump("SELECT cursor FROM sync_checkpoints WHERE feed = 'tickets'")
		var first []byte
		repeat := func(page string, rewrite func([]byte) []byte) {
			_, err := h.world.AddFault(simulator.FaultRule{Path: "/api/v2/tickets", Fault: simulator.Fault{Kind: simulator.FaultRewrite, Rewrite: rewrite},
				Match: func(r *http.Request) bool {
					return r.URL.Query().Get("page") == page && r.URL.Query().Get("filter") == ""
				}})
			h.must(err)
		}
		repeat("1", func(body []byte) []byte { first = body; return body })
		repeat("2", func([]byte) []byte { return first })
		h.pass(72 * time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunPartial)
		if h.data() != before {
			t.Error("rows changed")
		}
		if got := h.dump("SELECT cursor FROM sync_checkpoints WHERE feed = 'tickets'"); got != cursor {
			t.Errorf("the cursor moved from %s to %s", cursor, got)
		}
		h.world.ClearFaults()
		h.sync(codex.FeedTickets)
		h.checkTickets()
	})
}

func TestAFeedWithoutItsSectionIsOff(t *testing.T) {
	engine := syncers.New(syncers.Options{})
	for _, feed := range append(codex.Feeds(), "nonsense") {
		if _, _, err := engine.Start(t.Context(), syncers.Request{Feed: feed}); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("%s: %v", feed, err)
		}
	}
	if on := engine.Feeds(); len(on) != 0 {
		t.Errorf("feeds are on: %v", on)
	}
}
