package freshservice_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/wire"
	"github.com/hivematrix/codex/simulator"
)

// The simulator is written from the contract, not from this client: they meet here.
func TestTheWholeOfASimulatedAccountIsRead(t *testing.T) {
	sim, err := simulator.Start(t.Context(), simulator.Options{Companies: 30, Contacts: 250, Assets: -1, Tickets: 300}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	options := freshservice.Options{
		BaseURL: sim.FreshserviceURL, APIKey: codex.Secret(sim.FreshserviceKey), Workspaces: []int64{2, 3},
		Now: time.Now, Logger: slog.New(slog.DiscardHandler), Tuning: quick,
	}
	client, err := freshservice.New(options)
	if err != nil {
		t.Fatal(err)
	}
	truth := sim.Truth()

	departments := listed(t, "departments", func(d freshservice.Department) int64 { return d.ID })(client.Departments(t.Context()))
	same(t, "departments", departments, truth.Departments, func(d simulator.Department) (int64, bool) { return d.ID, true })
	requesters := listed(t, "requesters", func(r freshservice.Requester) int64 { return r.ID })(client.Requesters(t.Context()))
	same(t, "requesters", requesters, truth.Requesters, func(r simulator.Requester) (int64, bool) { return r.ID, true })

	since := simulator.StandingClock().AddDate(-1, 0, 0)
	for filter, shows := range map[freshservice.TicketFilter]func(simulator.Ticket) bool{
		freshservice.TicketsPlain:   func(ticket simulator.Ticket) bool { return !ticket.Deleted && !ticket.Spam },
		freshservice.TicketsDeleted: func(ticket simulator.Ticket) bool { return ticket.Deleted },
		freshservice.TicketsSpam:    func(ticket simulator.Ticket) bool { return ticket.Spam && !ticket.Deleted },
	} {
		tickets := listed(t, "tickets "+string(filter), func(ticket freshservice.Ticket) int64 { return ticket.ID })(
			client.Tickets(t.Context(), freshservice.TicketQuery{UpdatedSince: since, Filter: filter, Stats: true}))
		same(t, "tickets "+string(filter), tickets, truth.Tickets, func(ticket simulator.Ticket) (int64, bool) {
			return ticket.ID, shows(ticket) && !ticket.UpdatedAt.Before(since)
		})
		for _, ticket := range tickets {
			if ticket.Stats == nil {
				t.Errorf("ticket %d came without its stats", ticket.ID)
			}
		}
	}

	options.Workspaces = nil
	plain, err := freshservice.New(options)
	if err != nil {
		t.Fatal(err)
	}
	primary := listed(t, "tickets of the primary workspace", func(ticket freshservice.Ticket) int64 { return ticket.ID })(
		plain.Tickets(t.Context(), freshservice.TicketQuery{UpdatedSince: since}))
	same(t, "tickets of the primary workspace", primary, truth.Tickets, func(ticket simulator.Ticket) (int64, bool) {
		return ticket.ID, ticket.WorkspaceID == 2 && !ticket.Deleted && !ticket.Spam && !ticket.UpdatedAt.Before(since)
	})

	options.Workspaces = []int64{0}
	whole, err := freshservice.New(options)
	if err != nil {
		t.Fatal(err)
	}
	all := listed(t, "tickets of all workspaces", func(ticket freshservice.Ticket) int64 { return ticket.ID })(
		whole.Tickets(t.Context(), freshservice.TicketQuery{UpdatedSince: since}))
	same(t, "tickets of all workspaces", all, truth.Tickets, func(ticket simulator.Ticket) (int64, bool) {
		return ticket.ID, !ticket.Deleted && !ticket.Spam && !ticket.UpdatedAt.Before(since)
	})
	elsewhere := sim.Fixtures().TicketInOtherWorkspace
	if _, found := primary[elsewhere]; found {
		t.Errorf("ticket %d of another workspace was read as one of the primary workspace", elsewhere)
	}
	if _, found := all[elsewhere]; !found {
		t.Errorf("ticket %d of another workspace is missing among those of all", elsewhere)
	}
	departments = listed(t, "departments beside all workspaces", func(d freshservice.Department) int64 { return d.ID })(whole.Departments(t.Context()))
	same(t, "departments beside all workspaces", departments, truth.Departments, func(d simulator.Department) (int64, bool) { return d.ID, true })
	requesters = listed(t, "requesters beside all workspaces", func(r freshservice.Requester) int64 { return r.ID })(whole.Requesters(t.Context()))
	same(t, "requesters beside all workspaces", requesters, truth.Requesters, func(r simulator.Requester) (int64, bool) { return r.ID, true })

	for _, ticket := range truth.Tickets {
		if len(ticket.TimeEntries) < 30 && len(ticket.Conversations) < 30 { // one page: nothing to learn
			continue
		}
		entries, err := client.TimeEntries(t.Context(), ticket.ID)
		if err != nil || len(entries.Items) != len(ticket.TimeEntries) {
			t.Errorf("ticket %d: %d time entries of %d, %v", ticket.ID, len(entries.Items), len(ticket.TimeEntries), err)
		}
		conversations, err := client.Conversations(t.Context(), ticket.ID)
		if err != nil || len(conversations.Items) != len(ticket.Conversations) {
			t.Errorf("ticket %d: %d conversations of %d, %v", ticket.ID, len(conversations.Items), len(ticket.Conversations), err)
		}
	}

	statuses, err := client.TicketStatuses(t.Context())
	if err != nil || statuses[freshservice.StatusClosed] != "Closed" {
		t.Errorf("statuses %v, %v", statuses, err)
	}
	if _, err := client.Me(t.Context()); err != nil {
		t.Error(err)
	}
}

// listed takes a listing that must have gone well, by id.
func listed[T any](t *testing.T, what string, id func(T) int64) func(wire.Listing[T], error) map[int64]T {
	return func(list wire.Listing[T], err error) map[int64]T {
		t.Helper()
		if err != nil || !list.Complete || len(list.Bad) > 0 {
			t.Fatalf("%s: complete %v, bad %v, %v", what, list.Complete, list.Bad, err)
		}
		byID := map[int64]T{}
		for _, item := range list.Items {
			byID[id(item)] = item
		}
		return byID
	}
}

// same makes sure that exactly those records were read that there are to be seen.
func same[T, U any](t *testing.T, what string, got map[int64]T, all []U, seen func(U) (id int64, shown bool)) {
	t.Helper()
	var want []int64
	for _, record := range all {
		if id, shown := seen(record); shown {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, want) || len(want) == 0 {
		t.Errorf("%s: %d were read, %d there are\ngot  %v\nwant %v", what, len(ids), len(want), ids, want)
	}
}
