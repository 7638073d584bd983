package syncers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
)

func TestTicketsAreReadWhileTheirListingGoesOnAndNotTooManyOfThem(t *testing.T) {
	world := few()
	world.Tickets = 450
	each(t, world, func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		_, err := h.world.AddFault(simulator.FaultRule{
			Path: "/api/v2/tickets", Fault: simulator.Fault{Kind: simulator.FaultDelay, Delay: 300 * time.Millisecond},
		})
		h.must(err)
		h.world.ForgetRequests()
		h.sync(codex.FeedTickets)
		early, read := 0, map[string]int{}
		for _, r := range h.world.Requests() {
			switch {
			case r.Path == "/api/v2/tickets" && !strings.Contains(r.Query, "filter="):
				early = len(read)
			case strings.HasSuffix(r.Path, "/time_entries"):
				read[r.Path]++
			}
		}
		if early == 0 || early > 200 {
			t.Errorf("%d tickets were asked for before the last page of their listing, want some and at most 200", early)
		}
		for path, n := range read {
			if n > 1 {
				t.Errorf("%s was asked for %d times", path, n)
			}
		}
		h.checkTickets()
	})
}
