package syncers_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// listing is a list that a feed reads, and how a run ends that cannot read it at all.
type listing struct {
	feed  codex.Feed
	path  string
	state codex.RunState
}

func listings() []listing {
	return []listing{
		{codex.FeedFreshservice, "/api/v2/departments", codex.RunFailed},
		{codex.FeedFreshservice, "/api/v2/requesters", codex.RunFailed},
		{codex.FeedTickets, "/api/v2/tickets", codex.RunFailed},
		{codex.FeedTickets, "/api/v2/tickets/*/time_entries", codex.RunPartial},
		{codex.FeedTickets, "/api/v2/tickets/*/conversations", codex.RunPartial},
		{codex.FeedDatto, "/api/v2/account/sites", codex.RunFailed},
		{codex.FeedDatto, "/api/v2/site/*/variables", codex.RunPartial},
		{codex.FeedDatto, "/api/v2/account/devices", codex.RunSucceeded}, // it is read site by site then
		{codex.FeedDatto, "/api/v2/**/devices", codex.RunPartial},
	}
}

// noAnswers are what comes in place of an answer, or is none although it says 200.
func noAnswers() map[string]simulator.Fault {
	return map[string]simulator.Fault{
		"429 without Retry-After":         simulator.RateLimited(0),
		"429 until a date":                simulator.RateLimitedUntil(simulator.StandingClock()),
		"500":                             simulator.Refuse(500),
		"502, a page of a proxy":          simulator.Refuse(502),
		"503":                             simulator.Refuse(503),
		"504":                             simulator.Refuse(504),
		"a connection that is reset":      simulator.Reset(),
		"a connection that is closed":     simulator.Drop(),
		"a body that breaks off":          simulator.Cut(0),
		"a body that is reset in its mid": simulator.ResetAt(0),
		"a body that ends too early":      simulator.Truncate(40),
		"a body that is malformed":        simulator.Malformed(),
		"HTML that says 200":              simulator.HTMLPage(200),
		"a sentence that says 200":        simulator.ErrorText(),
		"an error that says 200":          simulator.ErrorObject(),
		"200 without a body":              simulator.NoBody(),
		"200 without its envelope":        simulator.WithoutEnvelope(),
		"records without anything around": simulator.BareRecords(),
	}
}

// A burst is over before a request is given up: whatever it was, the run succeeds as if nothing had
// been.
func TestABurstOfFaultsCostsARunNothing(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		for i, name := range slices.Sorted(maps.Keys(noAnswers())) {
			h.pass(24 * time.Hour)
			h.world.Evolve(uint64(i))
			h.pass(time.Hour)
			for _, l := range listings() {
				h.breaks(l.path, noAnswers()[name], simulator.Times(2))
			}
			for _, feed := range codex.Feeds() {
				h.meets(syncers.Request{Feed: feed}, codex.RunSucceeded)
			}
			h.calm.sync()
			h.isAsTheCalmOne()
			if t.Failed() {
				t.Fatalf("after %s", name)
			}
		}
		h.converges()
	})
}

// What does not end fails the list, or leaves its part unread: nothing is taken for empty or gone.
func TestAFaultThatDoesNotEndChangesNothingThatWasNotRead(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		for i, name := range slices.Sorted(maps.Keys(noAnswers())) {
			if i%3 == 0 { // right behind a sync that both hubs made
				h.pass(24 * time.Hour)
				h.world.Evolve(uint64(i))
			}
			for j, l := range listings() {
				if *soak == 1 && (i+j)%3 != 0 {
					continue
				}
				h.stir(100*i + j)
				h.breaks(l.path, noAnswers()[name])
				h.meets(syncers.Request{Feed: l.feed}, l.state)
				h.world.ClearFaults()
				if t.Failed() {
					t.Fatalf("%s on %s", name, l.path)
				}
			}
			if i%3 == 2 {
				h.converges()
			}
			if t.Failed() {
				t.Fatalf("after %s", name)
			}
		}
		h.converges()
	})
}
