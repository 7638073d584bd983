package syncers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
)

// Whether a late time entry touches the ticket's updated_at nobody tells; the simulated one does not.
func TestTimeThatIsBookedLateIsFoundWithoutAFullSync(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		id := h.closed(h.customers()[1].ID)
		path := fmt.Sprintf("/api/v2/tickets/%d/time_entries", id)
		h.sync(codex.FeedTickets)
		spent := fmt.Sprintf("SELECT spent_seconds AS s FROM tickets WHERE ticket_id = %d", id)
		h.is(spent, "s=3600")
		h.world.ForgetRequests()
		h.pass(30 * time.Minute)
		h.sync(codex.FeedTickets)
		if n := h.world.CountRequests(simulator.Freshservice, path); n != 0 {
			t.Errorf("a ticket whose time has not come is read %d times", n)
		}
		for i, wait := range []time.Duration{time.Hour, 5 * time.Hour, 24 * time.Hour, 72 * time.Hour, 30 * 24 * time.Hour} {
			_, err := h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:00"), Billable: true}, false)
			h.must(err)
			h.pass(wait)
			h.sync(codex.FeedTickets)
			h.is(spent, fmt.Sprintf("s=%d", 3600*(i+2)))
			h.sync(codex.FeedTickets) // once is enough
			if n := h.world.CountRequests(simulator.Freshservice, path); n != i+1 {
				t.Errorf("after %v it was read %d times, want %d", wait, n, i+1)
			}
		}
	})
}
