package syncers_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// gated holds the calls of one path, and lets all others through.
type gated struct {
	http.RoundTripper
	path          string
	once          sync.Once
	working, goOn chan struct{}
}

func (g *gated) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == g.path {
		g.once.Do(func() { close(g.working) })
		<-g.goOn
	}
	return g.RoundTripper.RoundTrip(r)
}

// gate holds the calls of a path from now on: working is closed by the first of them, and goOn lets
// them through when the test closes it.
func (h *hub) gate(path string) (working <-chan struct{}, goOn chan<- struct{}) {
	h.t.Helper()
	g := &gated{RoundTripper: h.wire.Transport, path: path, working: make(chan struct{}), goOn: make(chan struct{})}
	h.wire = &http.Client{Transport: g}
	h.restart()
	return g.working, g.goOn
}

// Of a ticket without company no hours are read: should its company come while the run is at work, it
// must not be billed without them.
func TestATicketWhoseCompanyComesWhileARunIsAtWorkWaitsForItsHours(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		late := h.world.AddDepartment(simulator.Department{Name: "Late"})
		placed, waiting := h.closed(h.customers()[1].ID), h.closed(late)
		h.pass(time.Hour)
		working, goOn := h.gate(fmt.Sprintf("/api/v2/tickets/%d/time_entries", placed))
		run := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets})
		<-working
		h.must(h.world.SetAccountNumber(late, "LATE-1"))
		h.sync(codex.FeedFreshservice)
		close(goOn)
		h.expect(h.wait(h.engine, run.ID), codex.RunSucceeded)
		h.is(fmt.Sprintf("SELECT ticket_id AS id FROM tickets WHERE ticket_id IN (%d, %d)", placed, waiting), fmt.Sprintf("id=%d", placed))
		h.is("SELECT kind, upstream_id AS id, company_account_number AS account FROM sync_issues WHERE closed_at IS NULL AND kind = 'ticket_without_company'",
			fmt.Sprintf("kind=ticket_without_company id=%d account=LATE-1", waiting))
		h.tick()
		h.is("SELECT ticket_id AS id, company_account_number AS account, spent_seconds AS seconds FROM tickets WHERE company_account_number = 'LATE-1'",
			fmt.Sprintf("id=%d account=LATE-1 seconds=3600", waiting))
		h.is("SELECT count(*) AS n FROM sync_issues WHERE closed_at IS NULL AND kind = 'ticket_without_company'", "n=0")
	})
}
