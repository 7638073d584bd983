package syncers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// A key may lack a right to one thing: that is the thing's own failure, and the rest goes on.
func TestWhatTheKeyMayNotSeeIsUnreadAndTheRestGoesOn(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home := h.customers()[1]
		secret, open := h.closed(home.ID), h.closed(home.ID)
		clear := h.fault(simulator.Freshservice, fmt.Sprintf("/api/v2/tickets/%d/time_entries", secret), simulator.Refuse(403))
		run := h.run(syncers.Request{Feed: codex.FeedTickets})
		h.expect(run, codex.RunPartial)
		h.is("SELECT ticket_id AS id FROM tickets WHERE subject = 'Test'", fmt.Sprint("id=", open))
		if got, want := h.issues(codex.FeedTickets), []string{fmt.Sprint("ticket_unread ", secret)}; !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		clear()
		h.tick()
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Test'", "n=2")

		site := h.world.Truth().Sites[0]
		h.fault(simulator.Datto, "/api/v2/site/"+site.UID+"/variables", simulator.Refuse(403))
		run = h.run(syncers.Request{Feed: codex.FeedDatto})
		h.expect(run, codex.RunPartial)
		if got, want := h.issues(codex.FeedDatto), []string{"site_unread " + site.UID}; !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
	})
}

func TestAConversationThatCannotBeUnderstoodIsAnIssueAndWhatIsStoredStays(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		id := h.closed(h.customers()[1].ID)
		said, err := h.world.AddConversation(id, simulator.Conversation{BodyText: "We looked at it", Body: "We looked at it"})
		h.must(err)
		h.tick()
		stored := fmt.Sprintf("SELECT conversations FROM tickets WHERE ticket_id = %d", id)
		before := h.dump(stored)
		if !strings.Contains(before, "We looked at it") {
			t.Fatalf("the conversation is not there: %s", before)
		}
		h.world.Distort(simulator.EntityConversation, strconv.FormatInt(said, 10), func(r map[string]any) { r["incoming"] = "perhaps" })
		h.must(h.world.EditTicket(id, func(t *simulator.Ticket) { t.Subject = new("Renamed") }))
		h.tick()
		if after := h.dump(stored); after != before {
			t.Errorf("it was %s, it is %s", before, after)
		}
		h.is(fmt.Sprintf("SELECT subject FROM tickets WHERE ticket_id = %d", id), "subject=Renamed")
		if got, want := h.issues(codex.FeedTickets), []string{fmt.Sprint("bad_record ", id)}; !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		h.world.Undistort(simulator.EntityConversation, strconv.FormatInt(said, 10))
		h.tick()
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
	})
}

// A custom field that was renamed at Freshservice looks like addresses that are gone.
func TestMainOfficesThatGoInNumbersAreHeld(t *testing.T) {
	each(t, simulator.Options{Companies: 14, Assets: -1, Contacts: -1, Tickets: -1, Plain: true}, func(t *testing.T, h *hub) {
		for _, d := range h.customers() {
			h.must(h.world.SetDepartmentField(d.ID, "address", "1 Main Street"))
		}
		h.sync(codex.FeedFreshservice)
		offices := "SELECT count(*) AS n, count(removed_at) AS gone FROM locations"
		before := h.dump(offices)
		for _, d := range h.customers() {
			h.must(h.world.RemoveDepartmentField(d.ID, "address"))
		}
		run := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		h.expect(run, codex.RunHeld)
		h.is(offices, before)
		h.expect(h.run(syncers.Request{Feed: codex.FeedFreshservice, Force: true}), codex.RunSucceeded)
		h.is("SELECT count(*) AS n FROM locations WHERE removed_at IS NULL", "n=0")
	})
}

func TestAnotherAccountsTicketsAreReadFromTheBeginning(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.tick()
		h.settings.FreshserviceIdentity, h.settings.NewUpstream = "other.freshservice.com", true
		h.restart()
		h.sync(codex.FeedFreshservice)
		h.is("SELECT count(*) AS n FROM sync_checkpoints WHERE feed = 'tickets'", "n=0")
		h.sync(codex.FeedTickets)
		h.sync(codex.FeedFreshservice) // the same account again: the cursor stays
		h.is("SELECT count(*) AS n FROM sync_checkpoints WHERE feed = 'tickets'", "n=1")
	})
}
