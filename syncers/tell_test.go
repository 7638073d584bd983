package syncers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// listened is h with somebody who listens.
func listened(h *hub) {
	h.outbox = notify.NewOutbox(true)
	h.restart()
}

// told is what was told since it was asked last, a line an event.
func (h *hub) told() string {
	h.t.Helper()
	rows, err := h.db.Ent().Notification.Query().Order(notification.ByCreatedAt(), notification.ByID()).All(h.t.Context())
	h.must(err)
	var lines []string
	for _, row := range rows {
		lines = append(lines, row.Kind+" "+row.Subject)
	}
	before := h.toldOf
	h.toldOf = len(lines)
	return strings.Join(lines[before:], ", ")
}

func (h *hub) tells(want string) {
	h.t.Helper()
	if got := h.told(); got != want {
		h.t.Errorf("told was %q, want %q", got, want)
	}
}

func TestAFeedThatFailsIsToldOnceADayAndWhenItRecovers(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		listened(h)
		h.sync()
		h.tells("")
		clear := h.fault(simulator.Datto, "/api/v2/account/sites", failing())
		failed := h.run(syncers.Request{Feed: codex.FeedDatto})
		h.expect(failed, codex.RunFailed)
		h.tells("sync.failed feed/datto")
		for range 3 {
			h.pass(2 * time.Hour)
			h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunFailed)
		}
		h.tells("")
		h.pass(18 * time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunFailed)
		h.tells("sync.failed feed/datto")
		h.sync(codex.FeedFreshservice)
		h.tells("") // another feed
		clear()
		h.pass(time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto, DryRun: true}), codex.RunSucceeded)
		h.tells("")
		h.sync(codex.FeedDatto)
		h.tells("sync.recovered feed/datto")
		h.sync(codex.FeedDatto)
		h.tells("")

		row, err := h.db.Ent().Notification.Query().Order(notification.ByCreatedAt()).First(t.Context())
		h.must(err)
		var body struct {
			ID, Kind, Subject, Text string
			Facts                   map[string]any
		}
		h.must(json.Unmarshal([]byte(row.Body), &body))
		if want := "The sync of datto failed.\n" + *failed.Error; body.Text != want {
			t.Errorf("the text is %q, want %q", body.Text, want)
		}
		facts := map[string]any{
			"run_id": string(failed.ID), "feed": "datto", "mode": "incremental", "state": "failed", "trigger": "cli", "requested_by": "test",
			"queued_at": moment(failed.QueuedAt), "started_at": moment(*failed.StartedAt), "ended_at": moment(*failed.EndedAt), "counts": []any{},
		}
		if got, want := fmt.Sprint(body.Facts), fmt.Sprint(facts); got != want {
			t.Errorf("the facts are\n%s\nwant\n%s", got, want)
		}
	})
}

func moment(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func TestARunThatHoldsRemovalsIsToldAndSoIsOneThatIsPartial(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		_, pc := h.yard(h.customers()[1], 40)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		listened(h)
		for _, uid := range pc[:12] {
			h.must(h.world.RemoveDevice(uid))
		}
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunHeld)
		h.tells("sync.held feed/datto")
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunHeld)
		h.tells("")
		h.fault(simulator.Datto, "/api/v2/site/*/variables", failing())
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunPartial)
		h.tells("sync.partial feed/datto")
	})
}

func TestARunWhoseProcessDiedIsToldAndOneThatWasStoppedOrCancelledIsNot(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		listened(h)
		h.dead("left")
		h.sync(codex.FeedTickets)
		h.tells("sync.interrupted feed/tickets, sync.recovered feed/tickets")

		lease, err := h.db.Acquire(t.Context(), "sync:datto", "another", time.Minute)
		h.must(err)
		run := h.start(h.engine, syncers.Request{Feed: codex.FeedDatto})
		_, err = h.engine.Cancel(t.Context(), run.ID, "ana")
		h.must(err)
		h.wait(h.engine, run.ID)
		h.start(h.engine, syncers.Request{Feed: codex.FeedDatto})
		h.engine.Close()
		h.must(h.db.Release(t.Context(), lease))
		h.is("SELECT state FROM sync_runs WHERE feed = 'datto' ORDER BY state", "state=cancelled", "state=interrupted")
		h.tells("")
	})
}
