package syncers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// meanwhile has something happen when a path is asked for the n-th time, before it is answered, and in
// the course of it everything that is announced is re-read; the clock passes a minute before and after,
// and then more may happen.
func (h *hub) meanwhile(path string, n int, happens func(), then ...func()) {
	h.t.Helper()
	h.hooked()
	fault := simulator.Fault{Kind: simulator.FaultChange, Change: func(*simulator.Sim) {
		h.pass(time.Minute)
		happens()
		h.drained()
		h.pass(time.Minute)
		for _, more := range then {
			more()
		}
	}}
	_, err := h.world.AddFault(simulator.FaultRule{Path: path, After: n - 1, Times: 1, Fault: fault})
	h.must(err)
}

func TestARunDoesNotWriteWhatItReadBeforeARecordWasReread(t *testing.T) {
	entry := func(h *hub, id int64, touch bool) {
		_, err := h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:00"), Billable: true}, touch)
		h.must(err, h.world.Announce(simulator.EntityTicket, id))
	}
	const listed, hoursRead = "/api/v2/tickets", "/api/v2/tickets/*/conversations"
	tests := []struct {
		name    string
		path    string // where the run stands when the change is made and re-read
		nth     int
		happens func(h *hub, id int64)
		added   string // what becomes of a ticket that is new to the hub
		stored  string // and of one that it had
	}{
		{"it is reopened after it was listed", listed, 2,
			func(h *hub, id int64) { h.must(h.world.ReopenTicket(id)) }, "", "s=3600 closed=0"},
		{"hours that touch it are added after it was listed", listed, 2,
			func(h *hub, id int64) { entry(h, id, true) }, "s=7200 closed=1", "s=7200 closed=1"},
		{"hours that do not touch it are added after its hours were read", hoursRead, 1,
			func(h *hub, id int64) { entry(h, id, false) }, "s=7200 closed=1", "s=7200 closed=1"},
		{"it is reopened after its hours were read", hoursRead, 1,
			func(h *hub, id int64) { h.must(h.world.ReopenTicket(id)) }, "", "s=3600 closed=0"},
		{"it is only announced", hoursRead, 1,
			func(h *hub, id int64) { h.must(h.world.Announce(simulator.EntityTicket, id)) }, "s=3600 closed=1", "s=3600 closed=1"},
	}
	for _, test := range tests {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stored %t", test.name, stored), func(t *testing.T) {
				each(t, few(), func(t *testing.T, h *hub) {
					h.sync(codex.FeedFreshservice, codex.FeedTickets)
					h.pass(time.Hour)
					want := test.added
					id := h.closed(h.customers()[1].ID)
					if stored {
						want = test.stored
						h.tick()
						h.pass(time.Hour)
					}
					h.engine.ServeRereads()
					h.meanwhile(test.path, test.nth, func() { test.happens(h, id) })
					run := h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
					h.expect(run, codex.RunSucceeded)
					if got := h.seconds(id); got != want {
						t.Errorf("after the run %q, want %q", got, want)
					}
					h.world.ClearFaults()
					h.tick()
					h.checkTickets()
				})
			})
		}
	}
}

func TestARunTakesTheHoursThatItReadAfterATicketWasReread(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice, codex.FeedTickets)
		h.pass(time.Hour)
		home := h.customers()[1]
		first, id := h.closed(home.ID), h.closed(home.ID)
		h.engine.ServeRereads()
		// When the run begins to list it is renamed, announced and re-read; then, untold, an hour is added.
		h.meanwhile("/api/v2/tickets", 1, func() {
			h.must(h.world.EditTicket(id, func(t *simulator.Ticket) { t.Subject = new("Renamed") }))
		}, func() {
			h.must(h.world.SetWebhook(simulator.Webhook{}))
			_, err := h.world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:00"), Billable: true}, false)
			h.must(err)
		})
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
		h.is(fmt.Sprintf("SELECT subject, spent_seconds AS s FROM tickets WHERE ticket_id = %d", id), "subject=Renamed s=7200")
		if got := h.seconds(first); got != "s=3600 closed=1" {
			t.Errorf("the others are the run's: %s", got)
		}
	})
}

func TestATicketThatCameBackBetweenTheQuestionAndItsRemovalStays(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		id, later := h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID)
		h.tick()
		h.engine.ServeRereads()
		h.pass(time.Hour)
		h.must(h.world.DeleteTicket(id))
		_, err := h.world.AddTimeEntry(later, simulator.TimeEntry{TimeSpent: new("01:00"), Billable: true}, true)
		h.must(err)
		// The run has asked for the deleted one, and reads the other.
		h.meanwhile(fmt.Sprintf("/api/v2/tickets/%d/conversations", later), 1, func() { h.must(h.world.RestoreTicket(id)) })
		h.sync(codex.FeedTickets)
		if got := h.seconds(id); got != "s=3600 closed=1" {
			t.Errorf("restored and re-read: %s", got)
		}
		h.world.ClearFaults()
		h.tick()
		h.checkTickets()
	})
}

func TestWhatIsGoneStaysUntilARunHasLooked(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		deleted, spam, purged := h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID), h.closed(h.customers()[1].ID)
		h.tick()
		h.engine.ServeRereads()
		h.hooked()
		h.pass(time.Minute)
		h.must(h.world.DeleteTicket(deleted), h.world.MarkSpam(spam, true), h.world.RemoveTicket(purged))
		h.announce(h.engine, ticketRecord(purged))
		h.drained()
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Test' AND removed_at IS NULL", "n=3")
		h.is("SELECT count(*) AS n, count(read_from) AS heeded, count(error) AS failed FROM sync_rereads", "n=3 heeded=0 failed=0")
		h.pass(time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}), codex.RunSucceeded)
		h.is("SELECT count(*) AS n FROM tickets WHERE subject = 'Test' AND removed_at IS NULL", "n=0")
	})
}

func TestPeopleAndCompaniesFollowWhatIsAnnounced(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.engine.ServeRereads()
		h.hooked()
		h.pass(time.Hour)
		home, other := h.customers()[0], h.customers()[1]
		team := h.staff(home.ID)
		renamed, moved, gone, agent := team[0], team[1], team[2], team[3]
		id := map[int64]string{}
		for _, r := range []int64{renamed.ID, moved.ID, gone.ID, agent.ID} {
			id[r] = h.contactID(r)
		}
		hired := h.world.AddRequester(simulator.Requester{FirstName: "New", PrimaryEmail: new("new@x.example"), DepartmentIDs: []int64{home.ID}, Active: true})
		h.must(
			h.world.RenameRequester(renamed.ID, "Other", "Name"), h.world.SetRequesterDepartments(moved.ID, other.ID),
			h.world.RemoveRequester(gone.ID), h.world.ConvertToAgent(agent.ID),
			h.world.RenameDepartment(home.ID, "Renamed"), h.world.SetDepartmentField(home.ID, "address", "1 New Street"),
		)
		fresh := h.world.AddDepartment(simulator.Department{Name: "Fresh", CustomFields: map[string]any{"account_number": "FRESH-1", "address": "2 New Street"}})
		second := h.world.AddDepartment(simulator.Department{Name: "Twin", CustomFields: map[string]any{"account_number": number(other)}})
		internal := h.world.AddDepartment(simulator.Department{Name: "Internal"})
		h.drained()
		h.is("SELECT name FROM contacts WHERE id = "+id[renamed.ID], "name=Other Name")
		links := "SELECT company_account_number AS a FROM contact_company_link WHERE contact_id = "
		h.is(links+id[moved.ID], "a="+number(other))
		h.is(links+h.contactID(hired), "a="+number(home))
		for _, r := range []int64{gone.ID, agent.ID} {
			h.is("SELECT removed_at FROM contacts WHERE id = "+id[r], "removed_at=null")
			h.is(links+id[r], "a="+number(home))
		}
		h.is("SELECT name FROM companies WHERE account_number = '"+number(home)+"'", "name=Renamed")
		h.is("SELECT address FROM locations WHERE company_account_number = '"+number(home)+"'", "address=1 New Street")
		h.is("SELECT name, freshservice_id AS f FROM companies WHERE account_number = 'FRESH-1'", fmt.Sprint("name=Fresh f=", fresh))
		h.is("SELECT address FROM locations WHERE company_account_number = 'FRESH-1'", "address=2 New Street")
		h.is("SELECT count(*) AS n FROM companies WHERE name IN ('Twin', 'Internal')", "n=0")
		h.is("SELECT count(*) AS n FROM sync_issues WHERE feed = 'freshservice'", "n=0")
		before := h.data()

		// The next run finds what was left to it, and nothing else to do.
		h.pass(time.Hour)
		counts := h.sync(codex.FeedFreshservice)
		h.countOf(counts, "companies", 0, 0, 0)
		h.countOf(counts, "locations", 0, 0, 0)
		h.countOf(counts, "contacts", 0, 0, 1)
		if h.data() == before {
			t.Error("nobody was removed")
		}
		want := []string{fmt.Sprint("duplicate_account_number ", second), fmt.Sprint("no_account_number ", internal)}
		slices.Sort(want)
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
	})
}

func TestWhoLosesTheirDepartmentStaysWithACompanyThatIsLeaving(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.engine.ServeRereads()
		h.hooked()
		h.pass(time.Hour)
		leaving := h.customers()[1]
		person := h.staff(leaving.ID)[0]
		h.must(h.world.RemoveDepartment(leaving.ID), h.world.SetRequesterDepartments(person.ID))
		h.drained()
		h.is("SELECT company_account_number AS a FROM contact_company_link WHERE contact_id = "+h.contactID(person.ID), "a="+number(leaving))
		h.is("SELECT count(*) AS n FROM companies WHERE account_number = '"+number(leaving)+"'", "n=1")
	})
}

func TestARunOfPeopleDoesNotWriteWhatItReadBeforeARecordWasReread(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.engine.ServeRereads()
		h.pass(time.Hour)
		home, other := h.customers()[0], h.customers()[1]
		team := h.staff(home.ID)
		renamed, moved, absent := team[0], team[1], team[2]
		h.must(h.world.RemoveRequester(absent.ID)) // whom the run asks for, when it has listed everything
		var hired, fresh int64
		h.meanwhile(fmt.Sprintf("/api/v2/requesters/%d", absent.ID), 1, func() {
			h.must(h.world.RenameRequester(renamed.ID, "Other", "Name"), h.world.SetRequesterDepartments(moved.ID, other.ID), h.world.RenameDepartment(home.ID, "Renamed"))
			fresh = h.world.AddDepartment(simulator.Department{Name: "Fresh", CustomFields: map[string]any{"account_number": "FRESH-1"}})
			hired = h.world.AddRequester(simulator.Requester{FirstName: "New", PrimaryEmail: new("new@x.example"), DepartmentIDs: []int64{fresh}, Active: true})
		})
		h.sync(codex.FeedFreshservice)
		look := func() {
			h.t.Helper()
			h.is("SELECT name FROM contacts WHERE freshservice_id = "+fmt.Sprint(renamed.ID), "name=Other Name")
			links := "SELECT company_account_number AS a FROM contact_company_link WHERE contact_id = "
			h.is(links+h.contactID(moved.ID), "a="+number(other))
			h.is("SELECT removed_at IS NULL AS here FROM contacts WHERE freshservice_id = "+fmt.Sprint(hired), "here=1")
			h.is(links+h.contactID(hired), "a=FRESH-1")
			h.is("SELECT name FROM companies WHERE freshservice_id = "+fmt.Sprint(home.ID), "name=Renamed")
			h.is("SELECT name FROM companies WHERE freshservice_id = "+fmt.Sprint(fresh), "name=Fresh")
			h.is("SELECT removed_at IS NULL AS here FROM contacts WHERE freshservice_id = "+fmt.Sprint(absent.ID), "here=0")
		}
		look()
		if got := h.issues(codex.FeedFreshservice); len(got) != 0 {
			t.Errorf("issues %v", got)
		}
		h.world.ClearFaults()
		h.pass(time.Hour)
		h.sync(codex.FeedFreshservice)
		look()
	})
}
