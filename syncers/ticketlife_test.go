package syncers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// few is a world with as few tickets as there can be.
func few() simulator.Options {
	return simulator.Options{Companies: 3, Assets: -1, Contacts: -1, Tickets: -1, Plain: true}
}

// closed adds a ticket of a department that was closed now, with an entry of an hour.
func (h *hub) closed(department int64, entries ...simulator.TimeEntry) int64 {
	if len(entries) == 0 {
		entries = []simulator.TimeEntry{{TimeSpent: new("01:00"), Billable: true}}
	}
	return h.world.AddTicket(simulator.Ticket{
		Subject: new("Test"), Status: simulator.StatusClosed, RequesterID: h.world.Truth().Requesters[0].ID, DepartmentID: &department, TimeEntries: entries,
	})
}

// ticket is what the hub holds of a ticket, times as hours since the world's beginning.
func (h *hub) ticket(id int64) string {
	h.t.Helper()
	line := h.dump(`SELECT company_account_number AS account, closed, status, status_code AS code, spent_seconds AS seconds,
		last_updated_at AS updated, removed_at IS NULL AS here FROM tickets WHERE ticket_id = $1`, id)
	before, after, found := strings.Cut(line, "updated=")
	if !found {
		return line
	}
	text, rest, _ := strings.Cut(after, " ")
	at, err := time.Parse(time.RFC3339Nano, text)
	h.must(err)
	return before + "updated=" + strconv.Itoa(int(at.Sub(simulator.StandingClock()).Hours())) + "h " + rest
}

func (h *hub) expectTicket(step string, id int64, want string) {
	h.t.Helper()
	if got := h.ticket(id); got != want {
		h.t.Errorf("%s:\ngot  %s\nwant %s", step, got, want)
	}
}

// tick syncs tickets an hour later.
func (h *hub) tick() map[string]syncers.EntityCounts {
	h.t.Helper()
	h.pass(time.Hour)
	return h.sync(codex.FeedTickets)
}

// TestATicketThroughItsStatuses follows tickets as people move them; each step is an hour.
func TestATicketThroughItsStatuses(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home, other := h.customers()[1], h.customers()[2]
		account, otherAccount := number(home), number(other)
		reopened, billing, moved, orphaned, deleted, spam, erased := h.closed(home.ID), h.closed(home.ID), h.closed(home.ID), h.closed(home.ID), h.closed(home.ID), h.closed(home.ID), h.closed(home.ID)
		unseen := h.world.AddTicket(simulator.Ticket{Status: simulator.StatusBillingComplete, DepartmentID: &home.ID, RequesterID: h.world.Truth().Requesters[0].ID})
		line := func(account string, closed int, status string, code, seconds, updated, here int) string {
			return fmt.Sprintf("account=%s closed=%d status=%s code=%d seconds=%d updated=%dh here=%d", account, closed, status, code, seconds, updated, here)
		}
		h.tick() // hour 1
		for _, id := range []int64{reopened, billing, moved, orphaned, deleted, spam, erased} {
			h.expectTicket("closed", id, line(account, 1, "Closed", 5, 3600, 0, 1))
		}
		h.expectTicket("never seen closed: not served", unseen, "")

		h.must(h.world.ReopenTicket(reopened), h.world.SetTicketStatus(billing, simulator.StatusBillingComplete), h.world.MoveTicket(moved, &other.ID), h.world.MoveTicket(orphaned, nil),
			h.world.DeleteTicket(deleted), h.world.MarkSpam(spam, true), h.world.RemoveTicket(erased))
		_, err := h.world.AddTimeEntry(billing, simulator.TimeEntry{TimeSpent: new("00:30"), Billable: true}, true)
		h.must(err)
		h.tick() // hour 2
		h.expectTicket("reopened: kept, not served", reopened, line(account, 0, "Open", 2, 3600, 0, 1))
		h.expectTicket("a custom status: served in its month, hours follow", billing, line(account, 1, "Billing Complete", 16, 5400, 0, 1))
		h.expectTicket("moved", moved, line(otherAccount, 1, "Closed", 5, 3600, 1, 1))
		h.expectTicket("without department: stays where it was", orphaned, line(account, 1, "Closed", 5, 3600, 1, 1))
		h.expectTicket("deleted", deleted, line(account, 1, "Closed", 5, 3600, 0, 0))
		h.expectTicket("spam", spam, line(account, 1, "Closed", 5, 3600, 0, 0))
		h.expectTicket("erased: an incremental run cannot see it", erased, line(account, 1, "Closed", 5, 3600, 0, 1))
		if got, want := h.issues(codex.FeedTickets), []string{fmt.Sprint("ticket_without_company ", orphaned), "unknown_status 16"}; !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}

		h.must(h.world.CloseTicket(reopened), h.world.RestoreTicket(deleted), h.world.MarkSpam(spam, false), h.world.MoveTicket(orphaned, &home.ID))
		h.tick() // hour 3
		h.expectTicket("reclosed: its month is the new one", reopened, line(account, 1, "Closed", 5, 3600, 2, 1))
		h.expectTicket("restored", deleted, line(account, 1, "Closed", 5, 3600, 2, 1))
		h.expectTicket("no spam after all", spam, line(account, 1, "Closed", 5, 3600, 2, 1))
		if got := h.issues(codex.FeedTickets); !slices.Equal(got, []string{"unknown_status 16"}) {
			t.Errorf("issues %v", got)
		}
		h.is(fmt.Sprintf("SELECT closed, seen_to IS NULL AS open FROM tickets_history WHERE ticket_id = %d", reopened), "closed=0 open=0", "closed=1 open=0", "closed=1 open=1")

		h.pass(time.Hour) // hour 4
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
		h.expectTicket("erased: a full run does", erased, line(account, 1, "Closed", 5, 3600, 0, 0))
		h.expectTicket("its month stays in a full run too", billing, line(account, 1, "Billing Complete", 16, 5400, 0, 1))

		h.settings.OpenStatuses = []int{16}
		h.restart()
		h.tick() // hour 5
		h.expectTicket("named as open: not served any more, without an update", billing, line(account, 0, "Billing Complete", 16, 5400, 0, 1))
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("the question is answered: %v", got)
		}
		h.settings.OpenStatuses, h.settings.ClosedStatuses = nil, []int{16}
		h.restart()
		h.tick() // hour 6
		h.expectTicket("named as closed: like 5", billing, line(account, 1, "Billing Complete", 16, 5400, 1, 1))
		h.pass(time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
		h.expectTicket("one that was never seen closed comes with a full run", unseen, line(account, 1, "Billing Complete", 16, 0, 0, 1))
	})
}

func TestHoursAreNeverGuessed(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home := h.customers()[1]
		stored := h.closed(home.ID)
		timer := h.closed(home.ID, simulator.TimeEntry{TimeSpent: new("00:05"), TimerRunning: true, Billable: true})
		h.tick()
		seconds := func(id int64) string {
			return h.dump("SELECT spent_seconds AS s, unbillable_seconds AS u, timer_running AS timer FROM tickets WHERE ticket_id = $1", id)
		}
		if seconds(stored) != "s=3600 u=0 timer=0" || seconds(timer) != "s=300 u=0 timer=1" {
			t.Fatalf("%s, %s", seconds(stored), seconds(timer))
		}

		// The calls for entries fail: what is stored stays, what is not stored is not there yet.
		added := h.closed(home.ID)
		_, err := h.world.AddTimeEntry(stored, simulator.TimeEntry{TimeSpent: new("02:00")}, true)
		h.must(err)
		h.pass(time.Hour)
		newer := h.closed(home.ID) // with which the cursor passes the others
		clear := h.fault(simulator.Freshservice, "/api/v2/tickets/*/time_entries", failing())
		h.pass(time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets}), codex.RunPartial)
		if seconds(stored) != "s=3600 u=0 timer=0" || seconds(added) != "" {
			t.Errorf("after the failure %s, %s", seconds(stored), seconds(added))
		}
		want := []string{fmt.Sprint("ticket_unread ", stored), fmt.Sprint("ticket_unread ", timer), fmt.Sprint("ticket_unread ", added), fmt.Sprint("ticket_unread ", newer)}
		slices.Sort(want)
		if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		clear()
		h.pass(48 * time.Hour) // only the issues bring them back
		h.sync(codex.FeedTickets)
		if seconds(stored) != "s=10800 u=7200 timer=0" || seconds(added) != "s=3600 u=0 timer=0" {
			t.Errorf("tried again %s, %s", seconds(stored), seconds(added))
		}
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}

		// A running timer is read again until it stops, whatever the ticket's updated_at.
		ticket, _ := h.world.Ticket(timer)
		h.must(h.world.EditTimeEntry(timer, ticket.TimeEntries[0].ID, false, func(e *simulator.TimeEntry) { e.TimeSpent = new("00:20") }))
		h.tick()
		if seconds(timer) != "s=1200 u=0 timer=1" {
			t.Errorf("while it runs: %s", seconds(timer))
		}
		h.must(h.world.EditTimeEntry(timer, ticket.TimeEntries[0].ID, false, func(e *simulator.TimeEntry) { e.TimeSpent, e.TimerRunning = new("00:25"), false }))
		h.tick()
		if seconds(timer) != "s=1500 u=0 timer=0" {
			t.Errorf("when it stopped: %s", seconds(timer))
		}
		h.world.ForgetRequests()
		h.tick()
		if n := h.world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*"+"/time_entries"); n != 0 {
			t.Errorf("nothing changed, and entries were read %d times", n)
		}
		h.is(fmt.Sprintf("SELECT count(*) AS n, sum(spent_seconds) AS s FROM time_entries WHERE ticket_id = %d", stored), "n=2 s=10800")
		ticket, _ = h.world.Ticket(stored)
		h.must(h.world.RemoveTimeEntry(stored, ticket.TimeEntries[0].ID, true))
		h.tick()
		h.is(fmt.Sprintf("SELECT count(*) AS n, sum(spent_seconds) AS s FROM time_entries WHERE ticket_id = %d", stored), "n=1 s=7200")
	})
}

func TestConversationsThatFailCostNoHours(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.tick()
		id := h.closed(h.customers()[1].ID)
		_, err := h.world.AddConversation(id, simulator.Conversation{Body: "<p>hello</p>", BodyText: "hello"})
		h.must(err)
		h.pass(time.Hour)
		h.closed(h.customers()[1].ID) // with which the cursor passes the other
		clear := h.fault(simulator.Freshservice, "/api/v2/tickets/*/conversations", failing())
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets}), codex.RunPartial)
		look := fmt.Sprintf("SELECT spent_seconds AS s, conversations LIKE '%%hello%%' AS hello FROM tickets WHERE ticket_id = %d", id)
		h.is(look, "s=3600 hello=0")
		clear()
		h.pass(48 * time.Hour)
		h.sync(codex.FeedTickets)
		h.is(look, "s=3600 hello=1")
	})
}

func TestATicketIsServedOnceItsCompanyExists(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		numbered := h.world.AddDepartment(simulator.Department{Name: "Soon", CustomFields: map[string]any{"account_number": "SOON-1"}})
		unnumbered := h.world.AddDepartment(simulator.Department{Name: "Later"})
		first, second := h.closed(numbered), h.closed(unnumbered)
		h.pass(time.Hour)
		h.closed(h.customers()[0].ID) // with which the cursor passes the others
		counts := h.tick()
		if counts["tickets"].Issues != 2 {
			t.Errorf("%+v", counts["tickets"])
		}
		if n := h.world.CountRequests(simulator.Freshservice, fmt.Sprintf("/api/v2/tickets/%d/*", first)); n != 0 {
			t.Errorf("what cannot be placed was read all the same: %d calls", n)
		}
		h.pass(48 * time.Hour)
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.is(fmt.Sprintf("SELECT company_account_number AS a, spent_seconds AS s FROM tickets WHERE ticket_id = %d", first), "a=SOON-1 s=3600")
		h.world.ForgetRequests()
		h.tick()
		if n := h.world.CountRequests(simulator.Freshservice, fmt.Sprint("/api/v2/tickets/", second)); n != 0 {
			t.Errorf("one whose company does not exist is asked for in each run: %d calls", n)
		}
		h.must(h.world.SetAccountNumber(unnumbered, 777))
		h.pass(48 * time.Hour)
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.is(fmt.Sprintf("SELECT company_account_number AS a, spent_seconds AS s FROM tickets WHERE ticket_id = %d", second), "a=777 s=3600")
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
	})
}

func TestTicketsThatGoOrMoveInNumbersAreHeldAndSeenAgain(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home, other := h.customers()[1], h.customers()[2]
		var ids []int64
		for range 14 {
			ids = append(ids, h.closed(home.ID))
		}
		h.tick()
		for _, id := range ids[:6] {
			h.must(h.world.DeleteTicket(id))
		}
		for _, id := range ids[6:12] {
			h.must(h.world.MoveTicket(id, &other.ID))
		}
		h.must(h.world.EditTicket(ids[13], func(t *simulator.Ticket) { t.Subject = new("Renamed") }))
		const look = "SELECT company_account_number AS a, count(*) AS n, count(removed_at) AS gone FROM tickets WHERE subject = 'Test' GROUP BY company_account_number"
		for _, wait := range []time.Duration{time.Hour, 72 * time.Hour} {
			h.pass(wait)
			h.must(h.world.EditTicket(ids[13], func(*simulator.Ticket) {})) // something newer than what is held
			run := h.run(syncers.Request{Feed: codex.FeedTickets})
			h.expect(run, codex.RunHeld)
			if counts := h.counts(run); counts[0].Entity != "tickets" || counts[0].Held != 12 {
				t.Errorf("counts %+v, want 12 tickets held", counts)
			}
			h.is(look, "a="+number(home)+" n=13 gone=0")
		}
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Renamed'", "n=1")
		h.pass(72 * time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Force: true}), codex.RunSucceeded)
		h.is(look, slices.Sorted(slices.Values([]string{"a=" + number(home) + " n=7 gone=6", "a=" + number(other) + " n=6 gone=0"}))...)
	})
}

func TestATicketThatCannotBeDecodedIsTriedAgain(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.tick()
		id := h.closed(h.customers()[1].ID)
		h.world.Distort(simulator.EntityTicket, strconv.FormatInt(id, 10), func(r map[string]any) { r["status"] = "closed" })
		h.pass(time.Hour)
		h.closed(h.customers()[1].ID) // with which the cursor passes the other
		h.tick()                      // issues alone do not make a run partial
		want := []string{fmt.Sprint("bad_record ", id)}
		if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		h.pass(48 * time.Hour)
		h.sync(codex.FeedTickets)
		if got := h.issues(codex.FeedTickets); !slices.Equal(got, want) {
			t.Errorf("two days later %v, want %v", got, want)
		}
		h.world.Undistort(simulator.EntityTicket, strconv.FormatInt(id, 10))
		h.tick()
		h.is(fmt.Sprintf("SELECT spent_seconds AS s FROM tickets WHERE ticket_id = %d", id), "s=3600")
		if got := h.issues(codex.FeedTickets); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
	})
}
