package syncers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// dead is a run that a process left at work when it died.
func (h *hub) dead(id codex.RunID) {
	h.t.Helper()
	h.must(h.db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedTickets).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerAPI).
		SetRequestedBy("test").SetDryRun(false).SetForced(false).SetState(codex.RunRunning).
		SetQueuedAt(h.db.Now()).SetStartedAt(h.db.Now()).SetHeartbeatAt(h.db.Now()).Exec(h.t.Context()))
}

func TestARunThatDiedIsFoundThoughNobodyStartsItsFeed(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.dead("left")
		h.engine.FindDead()
		deadline := time.Now().Add(20 * time.Second)
		for h.value("SELECT state FROM sync_runs") != string(codex.RunInterrupted) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		h.is("SELECT state FROM sync_runs", "state=interrupted")
	})
}

func TestARunThatDiedIsNotCancelledButFound(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.dead("left")
		if _, err := h.engine.Cancel(t.Context(), "left", "ana"); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("got %v", err)
		}
		h.is("SELECT state FROM sync_runs", "state=interrupted")
	})
}

func TestAnApprovalDoesNotWaitForEver(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 20)
		h.sync(codex.FeedFreshservice)
		for _, r := range h.staff(h.customers()[1].ID)[:12] {
			h.must(h.world.RemoveRequester(r.ID))
		}
		held := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		h.expect(held, codex.RunHeld)
		h.approve(held)
		h.pass(7 * 24 * time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedFreshservice}), codex.RunHeld)
		h.is("SELECT count(*) AS n FROM contacts WHERE removed_at IS NOT NULL", "n=0")
	})
}

// A key that is refused while what is absent is asked for ends the run: who goes on is locked out.
func TestAKeyThatIsRefusedEndsTheQuestionsToo(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		_, pc := h.yard(h.customers()[1], 60)
		h.hire(h.customers()[1].ID, 60)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		before := h.data()
		for _, uid := range pc[:9] {
			h.must(h.world.RemoveDevice(uid))
		}
		for _, r := range h.staff(h.customers()[1].ID)[:9] {
			h.must(h.world.RemoveRequester(r.ID))
		}
		h.fault(simulator.Freshservice, "/api/v2/requesters/*", simulator.Refuse(401))
		h.fault(simulator.Datto, "/api/v2/device/*", simulator.Refuse(401))
		for _, feed := range []codex.Feed{codex.FeedFreshservice, codex.FeedDatto} {
			h.expect(h.run(syncers.Request{Feed: feed}), codex.RunFailed)
		}
		if h.data() != before {
			t.Error("rows changed")
		}
	})
}

// Our clock is an hour ahead: what a run asks for by its id, after a ticket was updated behind the
// listing, must not carry the cursor past that update.
func TestAnUpdateBehindTheListingIsSeenThoughOurClockIsAhead(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.must(h.world.Switch(func(s *simulator.Switches) { s.ClockSkew = -time.Hour }))
		h.sync(codex.FeedFreshservice)
		missed := h.closed(h.customers()[1].ID)
		h.pass(40 * 24 * time.Hour)
		asked := h.closed(h.customers()[1].ID)
		h.tick()
		h.closed(h.customers()[1].ID) // with which the cursor passes both
		h.tick()
		h.pass(24 * time.Hour) // so that one of them is due for another look
		looked := false
		fault := simulator.Fault{Kind: simulator.FaultChange, Change: func(s *simulator.Sim) {
			looked = true
			h.must(s.EditTicket(missed, func(t *simulator.Ticket) { t.Subject = new("Missed") }))
			h.pass(15 * time.Minute)
			h.must(s.EditTicket(asked, func(*simulator.Ticket) {}))
		}}
		_, err := h.world.AddFault(simulator.FaultRule{Path: fmt.Sprintf("/api/v2/tickets/%d", asked), Times: 1, Fault: fault})
		h.must(err)
		h.sync(codex.FeedTickets)
		if !looked {
			t.Fatal("the run did not ask for the ticket that was due")
		}
		h.pass(time.Minute)
		h.sync(codex.FeedTickets)
		h.is(fmt.Sprintf("SELECT subject FROM tickets WHERE ticket_id = %d", missed), "subject=Missed")
	})
}
