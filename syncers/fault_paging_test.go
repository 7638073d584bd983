package syncers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// crowd is a world each of whose lists has three pages at least.
func crowd() simulator.Options {
	return simulator.Options{Companies: 16, Assets: 60, Contacts: 40, Tickets: 40, Plain: true}
}

// A list whose pages mislead: what it lacks stays, and how the run ends tells that something lacked,
// where the list itself gives that away.
func TestAListThatMisleadsTakesNothingAway(t *testing.T) {
	shake(t, crowd(), func(t *testing.T, h *shaken) {
		for i, test := range []struct {
			name  string
			path  string
			fault simulator.Fault
			when  []simulator.When
			full  bool
			state []codex.RunState
		}{
			{name: "departments, a page that repeats once", path: "/api/v2/departments", fault: simulator.RepeatPage(2), when: []simulator.When{simulator.Times(1)}, state: succeeds()},
			{name: "departments, a page that repeats", path: "/api/v2/departments", fault: simulator.RepeatPage(2), state: fails()},
			{name: "requesters, a page that repeats", path: "/api/v2/requesters", fault: simulator.RepeatPage(3), state: fails()},
			{name: "tickets, a page that repeats", path: "/api/v2/tickets", fault: simulator.RepeatPage(2), full: true, state: partial()},
			{name: "sites, a page that repeats", path: "/api/v2/account/sites", fault: simulator.RepeatPage(2), state: fails()},
			{name: "devices, a page that repeats", path: "/api/v2/account/devices", fault: simulator.RepeatPage(2), state: succeeds()},
			{name: "departments, the same page for ever", path: "/api/v2/departments", fault: simulator.SamePage(), state: succeeds()},
			{name: "sites, the same page for ever", path: "/api/v2/account/sites", fault: simulator.SamePage(), state: fails()},
			{name: "devices, the same page for ever", path: "/api/v2/account/devices", fault: simulator.SamePage(), state: succeeds()},
			{name: "requesters, a page that lost some", path: "/api/v2/requesters", fault: simulator.LoseRecords(3), when: []simulator.When{simulator.OnPage(2)}, state: succeeds()},
			{name: "departments, a page that lost some", path: "/api/v2/departments", fault: simulator.LoseRecords(3), when: []simulator.When{simulator.OnPage(2)}, state: succeeds()},
			{name: "tickets, a page that lost some", path: "/api/v2/tickets", fault: simulator.LoseRecords(3), when: []simulator.When{simulator.OnPage(2)}, full: true, state: succeeds()},
			{name: "sites, shorter than their total", path: "/api/v2/account/sites", fault: simulator.LoseRecords(2), when: []simulator.When{simulator.OnPage(1)}, state: fails()},
			{name: "devices, shorter than their total", path: "/api/v2/account/devices", fault: simulator.LoseRecords(2), when: []simulator.When{simulator.OnPage(1)}, state: succeeds()},
			{name: "devices, shorter than their total at each site too", path: "/api/v2/**/devices", fault: simulator.LoseRecords(2), state: partial()},
			{name: "sites, a total that is too large", path: "/api/v2/account/sites", fault: simulator.WrongTotal(5), state: fails()},
			{name: "devices, a total that is too large", path: "/api/v2/**/devices", fault: simulator.WrongTotal(5), state: partial()},
			{name: "devices, a total that is too small", path: "/api/v2/account/devices", fault: simulator.WrongTotal(-5), state: succeeds()},
			{name: "sites, a next page of another origin", path: "/api/v2/account/sites", fault: simulator.ForeignNextPage("https://elsewhere.example"), state: fails()},
			{name: "devices, a next page of another origin", path: "/api/v2/**/devices", fault: simulator.ForeignNextPage("https://elsewhere.example"), state: partial()},
			{name: "variables, a next page of another origin", path: "/api/v2/site/*/variables", fault: simulator.ForeignNextPage("https://elsewhere.example"), state: partial()},
			{name: "sites, empty beyond the first page", path: "/api/v2/account/sites", fault: simulator.EmptyList(), when: []simulator.When{simulator.OnPage(2)}, state: fails()},
			{name: "requesters, empty beyond the first page", path: "/api/v2/requesters", fault: simulator.EmptyList(), when: []simulator.When{simulator.OnPage(2)}, state: []codex.RunState{codex.RunHeld}},
		} {
			t.Logf("%d: %s", i, test.name)
			h.stir(i)
			served := h.census()
			h.breaks(test.path, test.fault, test.when...)
			request := syncers.Request{Feed: feedOf(test.path)}
			if test.full {
				request.Mode = codex.ModeFull
			}
			h.meets(request, test.state...)
			after := h.census()
			for entity := range served {
				if _, removed := served.changes(after, entity); removed > 0 {
					t.Errorf("%d %s were removed", removed, entity)
				}
			}
			h.world.ClearFaults()
			if i%6 == 5 {
				h.converges()
			}
			if t.Failed() {
				t.Fatal(test.name)
			}
		}
		h.converges()
	})
}

func succeeds() []codex.RunState { return []codex.RunState{codex.RunSucceeded} }
func fails() []codex.RunState    { return []codex.RunState{codex.RunFailed} }
func partial() []codex.RunState  { return []codex.RunState{codex.RunPartial} }

func feedOf(path string) codex.Feed {
	switch {
	case strings.Contains(path, "/tickets"):
		return codex.FeedTickets
	case strings.Contains(path, "/account/"), strings.Contains(path, "/site"), strings.Contains(path, "/devices"):
		return codex.FeedDatto
	}
	return codex.FeedFreshservice
}

// While a list is read, records come before what was read already, change their names and so their
// places, move to another company, and go: the page that follows repeats some, or skips some.
func TestAListThatShiftsWhileItIsReadTakesNothingAway(t *testing.T) {
	shifts := []struct {
		name   string
		path   string
		change func(h *shaken, n int)
	}{
		{"requesters: inserted in front", "/api/v2/requesters", func(h *shaken, n int) {
			for i := range 3 {
				h.world.AddRequester(simulator.Requester{FirstName: "Aaa", LastName: new(fmt.Sprint(n, i)), PrimaryEmail: new(fmt.Sprintf("aaa.%d.%d@x.example", n, i)),
					DepartmentIDs: []int64{h.customers()[0].ID}, Active: true})
			}
		}},
		{"requesters: the first one is last now", "/api/v2/requesters", func(h *shaken, n int) {
			for _, r := range h.first(2) {
				h.must(h.world.RenameRequester(r.ID, "Zzz", fmt.Sprint("Last ", n)))
			}
		}},
		{"requesters: the last one is first now", "/api/v2/requesters", func(h *shaken, n int) {
			all := h.first(1 << 20)
			h.must(h.world.RenameRequester(all[len(all)-1].ID, "Aaa", fmt.Sprint("First ", n)))
		}},
		{"requesters: the first ones are gone", "/api/v2/requesters", func(h *shaken, _ int) {
			for _, r := range h.first(2) {
				h.must(h.world.RemoveRequester(r.ID))
			}
		}},
		{"requesters: they move to another company", "/api/v2/requesters", func(h *shaken, _ int) {
			all := h.first(1 << 20)
			for _, r := range []simulator.Requester{all[0], all[len(all)-1]} {
				h.must(h.world.SetRequesterDepartments(r.ID, h.customers()[2].ID))
			}
		}},
		{"departments: one more, and the first renamed", "/api/v2/departments", func(h *shaken, n int) {
			h.world.AddDepartment(simulator.Department{Name: fmt.Sprint("New ", n), CustomFields: map[string]any{"account_number": fmt.Sprint("SHIFT-", n)}})
			h.must(h.world.RenameDepartment(h.customers()[0].ID, fmt.Sprint("Renamed ", n)))
		}},
		{"departments: one without number is gone, and all behind it shift", "/api/v2/departments", func(h *shaken, _ int) {
			for _, d := range h.world.Truth().Departments {
				if d.CustomFields["account_number"] == nil {
					h.must(h.world.RemoveDepartment(d.ID))
					return
				}
			}
		}},
		{"tickets: opened and closed, and the oldest updated", "/api/v2/tickets", func(h *shaken, _ int) {
			h.closed(h.customers()[0].ID)
			for _, ticket := range h.world.Truth().Tickets[:2] {
				h.must(h.world.EditTicket(ticket.ID, func(t *simulator.Ticket) { t.Subject = new(*t.Subject + "!") }))
			}
		}},
		{"tickets: one deleted, one moved", "/api/v2/tickets", func(h *shaken, _ int) {
			var closed []simulator.Ticket
			for _, t := range h.world.Truth().Tickets {
				if t.Status == simulator.StatusClosed && !t.Deleted && !t.Spam {
					closed = append(closed, t)
				}
			}
			h.must(h.world.DeleteTicket(closed[0].ID), h.world.MoveTicket(closed[len(closed)-1].ID, new(h.customers()[3].ID)))
		}},
		{"devices: removed, added and moved", "/api/v2/account/devices", func(h *shaken, n int) {
			sites, devices := h.customerSites(), h.world.Truth().Devices
			_, err := h.world.AddDevice(sites[0].UID, fmt.Sprint("SHIFTED-", n), nil)
			h.must(err, h.world.RemoveDevice(devices[0].UID), h.world.MoveDevice(devices[len(devices)-1].UID, sites[1].UID))
		}},
		{"sites: one more in front of the rest, one renamed", "/api/v2/account/sites", func(h *shaken, n int) {
			h.world.AddSite(fmt.Sprint("Shifted ", n), number(h.customers()[1]))
			h.must(h.world.RenameSite(h.customerSites()[0].UID, fmt.Sprint("Renamed ", n)))
		}},
	}
	shake(t, crowd(), func(t *testing.T, h *shaken) {
		for i, shift := range shifts {
			h.world.AddDepartment(simulator.Department{Name: "Internal"}) // one that may go
			for page := range 2 {
				h.stir(10*i + page)
				_, err := h.world.BetweenPages(shift.path, page+1, func(*simulator.Sim) { shift.change(h, 10*i+page) })
				h.must(err)
				request := syncers.Request{Feed: feedOf(shift.path)}
				if page == 1 {
					request.Mode = codex.ModeFull
				}
				// That a page skipped some can be told of Datto's lists alone, by their totals.
				h.meets(request, codex.RunSucceeded, codex.RunPartial, codex.RunFailed)
				h.world.ClearFaults()
			}
			h.converges()
			if t.Failed() {
				t.Fatal(shift.name)
			}
		}
	})
}

// first are the first requesters in the order of their list.
func (h *shaken) first(n int) []simulator.Requester {
	all := slices.DeleteFunc(h.world.Truth().Requesters, func(r simulator.Requester) bool { return r.PrimaryEmail == nil })
	slices.SortStableFunc(all, func(a, b simulator.Requester) int { return strings.Compare(a.FirstName, b.FirstName) })
	return all[:min(n, len(all))]
}

// customerSites are the sites of the customers, by id.
func (h *hub) customerSites() []simulator.Site {
	return slices.DeleteFunc(h.world.Truth().Sites, func(s simulator.Site) bool {
		return !slices.ContainsFunc(s.Variables, func(v simulator.Variable) bool { return v.Name == "AccountNumber" && v.Value != nil && !v.Masked })
	})
}

// Where there were thousands, a list comes empty and says that it is complete.
func TestAnEmptyListWhereThereWereThousandsTakesNothingAway(t *testing.T) {
	each(t, simulator.Options{Companies: 20, Assets: 1500, Contacts: 1000, Tickets: 100, Plain: true}, func(t *testing.T, hub *hub) {
		hub.sync()
		h := &shaken{hub: hub}
		h.pass(time.Hour)
		before := h.census()
		for _, test := range []struct {
			path  string
			full  bool
			state codex.RunState
		}{
			{"/api/v2/departments", false, codex.RunFailed},
			{"/api/v2/requesters", false, codex.RunFailed},
			{"/api/v2/account/sites", false, codex.RunFailed},
			{"/api/v2/account/devices", false, codex.RunHeld},
			{"/api/v2/tickets", true, codex.RunHeld},
			{"/api/v2/site/*/variables", false, codex.RunSucceeded}, // sites without number keep their machines
		} {
			h.breaks(test.path, simulator.EmptyList())
			request := syncers.Request{Feed: feedOf(test.path)}
			if test.full {
				request.Mode = codex.ModeFull
			}
			h.meets(request, test.state)
			h.world.ClearFaults()
			for entity, rows := range h.census() {
				for id, row := range rows {
					if row != before[entity][id] {
						t.Fatalf("%s: the row %s of %s is %+v, it was %+v", test.path, id, entity, row, before[entity][id])
					}
				}
			}
		}
		h.sync()
		h.check()
	})
}
