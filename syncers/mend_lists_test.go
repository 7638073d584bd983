package syncers_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// A key that may not list deleted tickets may not do so the next time either: that is no failure of a
// run, and somebody has to hear of it.
func TestAListThatTheKeyDoesNotGetIsAnIssueUntilItDoes(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		deleted := h.closed(h.customers()[1].ID)
		h.tick()
		refuse := func(filter string, status int) (clear func()) {
			remove, err := h.world.AddFault(simulator.FaultRule{
				Upstream: simulator.Freshservice, Path: "/api/v2/tickets", Fault: simulator.Refuse(status),
				Match: func(r *http.Request) bool { return r.URL.Query().Get("filter") == filter },
			})
			h.must(err)
			return remove
		}
		allowDeleted, allowSpam := refuse("deleted", 403), refuse("spam", 400)
		h.must(h.world.DeleteTicket(deleted))
		removed := "SELECT count(removed_at) AS n FROM tickets"
		for range 2 {
			if counts := h.tick(); counts["tickets"].Issues != 2 {
				t.Errorf("the run counts %+v", counts["tickets"])
			}
			h.is("SELECT kind, upstream_id AS id, count(*) AS n FROM sync_issues WHERE closed_at IS NULL GROUP BY kind, upstream_id",
				"kind=tickets_not_listed id=deleted n=1", "kind=tickets_not_listed id=spam n=1")
			h.is(removed, "n=0")
		}
		h.is("SELECT count(DISTINCT first_run_id) AS n FROM sync_issues", "n=1")
		allowSpam()
		h.tick()
		if got, want := h.issues(codex.FeedTickets), []string{"tickets_not_listed deleted"}; !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
		h.is(removed, "n=1") // as the issue says
		allowDeleted()
		h.tick()
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
	})
}

func TestATicketWithoutIDIsAnIssueUntilAWholeFullRun(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home := h.customers()[1]
		id := h.closed(home.ID)
		for range 2 {
			h.world.Distort(simulator.EntityTicket, strconv.FormatInt(id, 10), func(r map[string]any) { delete(r, "id") })
			h.tick()
			want := []string{"bad_record ticket without id"}
			if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
				t.Fatalf("issues %v, want %v", got, want)
			}
			h.world.Undistort(simulator.EntityTicket, strconv.FormatInt(id, 10))
			h.pass(72 * time.Hour)
			h.closed(home.ID)
			h.tick()
			h.tick() // it lists nothing of the old one
			if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
				t.Errorf("issues %v, want %v: no run has looked there since", got, want)
			}
			h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
			if got := h.issues(codex.FeedTickets); len(got) != 0 {
				t.Errorf("issues %v", got)
			}
			h.must(h.world.EditTicket(id, func(t *simulator.Ticket) { t.Subject = new("Again") }))
		}
	})
}

func TestAHeldTicketCountsOnceUnlessItChangesOtherwise(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home, other := h.customers()[1], h.customers()[2]
		var ids []int64
		for range 14 {
			ids = append(ids, h.closed(home.ID))
		}
		h.tick()
		for _, id := range ids[:4] {
			h.must(h.world.DeleteTicket(id))
		}
		for _, id := range ids[4:12] {
			h.must(h.world.MoveTicket(id, &other.ID))
		}
		counts := func(want syncers.EntityCounts) {
			t.Helper()
			h.pass(time.Hour)
			run := h.run(syncers.Request{Feed: codex.FeedTickets})
			h.expect(run, codex.RunHeld)
			if got := h.counts(run)[0]; got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		counts(syncers.EntityCounts{Entity: "tickets", Updated: 8, Unchanged: 2, Held: 12}) // their updated_at is new
		counts(syncers.EntityCounts{Entity: "tickets", Unchanged: 2, Held: 12})
		h.must(h.world.EditTicket(ids[5], func(t *simulator.Ticket) { t.Subject = new("Renamed") }))
		counts(syncers.EntityCounts{Entity: "tickets", Updated: 1, Unchanged: 2, Held: 12})
	})
}

// The guide's table of issues has a row for each kind, and for no other.
func TestTheGuideExplainsEveryKindOfIssue(t *testing.T) {
	source, err := os.ReadFile("issue.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../docs/sync.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(guide), "\n## Issues\n")
	section, _, _ = strings.Cut(section, "\n## ")
	words := func(pattern, text string) (list []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		slices.Sort(list)
		return list
	}
	kinds, explained := words(`IssueKind = "(\w+)"`, string(source)), words("(?m)^\\| `(\\w+)` \\|", section)
	if len(kinds) == 0 || !slices.Equal(kinds, explained) {
		t.Errorf("the kinds are %v, the guide explains %v", kinds, explained)
	}
}
