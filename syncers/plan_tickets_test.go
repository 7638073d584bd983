package syncers

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// storedTicket is the row of closedTicket(id, hour).
func storedTicket(id, hour int) ticketRow {
	return ticketRow{id: id, account: "A", closed: true, statusCode: 5, updatedAt: hours(hour)}
}

// atA places department 1 at company A, 2 at B, and no other.
func atA(department *int64) (codex.AccountNumber, bool) {
	if department == nil || *department > 2 {
		return "", false
	}
	return []codex.AccountNumber{"A", "B"}[*department-1], true
}

// choiceOf is the choice of an incremental run over rows and what was listed.
func choiceOf(rows []ticketRow, listed []freshservice.Ticket) ticketChoice {
	c := ticketChoice{
		guard: Guard{MaxPercent: 20}, since: hours(-1000), rows: make(map[int]ticketRow), listed: make(map[int]freshservice.Ticket),
		hidden: make(map[int]bool), bad: make(map[int]bool), again: make(map[int]bool), open: make(map[int]bool), place: atA,
	}
	for _, row := range rows {
		c.rows[row.id] = row
	}
	for _, t := range listed {
		c.listed[int(t.ID)] = t
	}
	return c
}

func idsOf(list []freshservice.Ticket) (ids []int) {
	for _, t := range list {
		ids = append(ids, int(t.ID))
	}
	return ids
}

func TestARunReadsTheTicketsThatMayBeOtherThanTheirRows(t *testing.T) {
	with := func(row ticketRow, change func(*ticketRow)) ticketRow { change(&row); return row }
	status := func(ticket freshservice.Ticket, status int) freshservice.Ticket {
		ticket.Status = status
		return ticket
	}
	tests := []struct {
		name      string
		rows      []ticketRow
		listed    []freshservice.Ticket
		change    func(*ticketChoice)
		read      []int
		note      []int
		suspects  []int
		unchanged int
		settled   []int
	}{
		{name: "a new closed one", listed: []freshservice.Ticket{closedTicket(1, 5)}, read: []int{1}},
		{name: "a new open one is not served", listed: []freshservice.Ticket{status(closedTicket(1, 5), 2)}},
		{name: "one of a status that nobody knows, never seen closed, neither", listed: []freshservice.Ticket{status(closedTicket(1, 5), 16)}},
		{name: "unchanged", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 5)}, unchanged: 1},
		{name: "unchanged, in a full run", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 5)},
			change: func(c *ticketChoice) { c.full = true }, read: []int{1}},
		{name: "unchanged, in a full run that did it before it died", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 5)},
			change: func(c *ticketChoice) { c.full, c.done = true, map[int64]time.Time{1: hours(5)} }, unchanged: 1},
		{name: "done, and updated since", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 6)},
			change: func(c *ticketChoice) { c.done = map[int64]time.Time{1: hours(5)} }, read: []int{1}},
		{name: "updated", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 6)}, read: []int{1}},
		{name: "a timer ran", rows: []ticketRow{with(storedTicket(1, 5), func(r *ticketRow) { r.timer = true })}, listed: []freshservice.Ticket{closedTicket(1, 5)}, read: []int{1}},
		{name: "it was removed, and is back", rows: []ticketRow{with(storedTicket(1, 5), func(r *ticketRow) { r.removed = true })}, listed: []freshservice.Ticket{closedTicket(1, 5)}, read: []int{1}},
		{name: "reopened", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{status(closedTicket(1, 6), 2)}, note: []int{1}},
		{name: "reclosed", rows: []ticketRow{with(storedTicket(1, 5), func(r *ticketRow) { r.closed, r.statusCode = false, 2 })}, listed: []freshservice.Ticket{closedTicket(1, 6)}, read: []int{1}},
		{name: "a custom status after it was closed: its hours follow", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{status(closedTicket(1, 6), 16)}, read: []int{1}},
		{name: "the same, named as open", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{status(closedTicket(1, 6), 16)},
			change: func(c *ticketChoice) { c.settings.OpenStatuses = []int{16} }, note: []int{1}},
		{name: "never seen closed, named as closed", listed: []freshservice.Ticket{status(closedTicket(1, 6), 16)},
			change: func(c *ticketChoice) { c.settings.ClosedStatuses = []int{16} }, read: []int{1}},
		{name: "its department is another company's now", rows: []ticketRow{storedTicket(1, 5)}, change: func(c *ticketChoice) {
			ticket := closedTicket(1, 5)
			ticket.DepartmentID = new(int64(2))
			c.listed[1] = ticket
		}, read: []int{1}},
		{name: "listed as deleted: asked for", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 6)},
			change: func(c *ticketChoice) { c.hidden[1] = true }, suspects: []int{1}},
		{name: "absent from a full listing: asked for", rows: []ticketRow{storedTicket(1, 5)}, change: func(c *ticketChoice) { c.full = true }, suspects: []int{1}},
		{name: "absent from a full listing that came short", rows: []ticketRow{storedTicket(1, 5)}, change: func(c *ticketChoice) { c.full, c.short = true, true }},
		{name: "absent from an incremental one", rows: []ticketRow{storedTicket(1, 5)}},
		{name: "older than the window", rows: []ticketRow{storedTicket(1, -2000)}, change: func(c *ticketChoice) { c.full = true }},
		{name: "there, and not decoded", rows: []ticketRow{storedTicket(1, 5)}, change: func(c *ticketChoice) { c.full, c.bad[1] = true, true }},
		{name: "could not be read before", rows: []ticketRow{storedTicket(1, 5)}, listed: []freshservice.Ticket{closedTicket(1, 5)}, change: func(c *ticketChoice) { c.again[1] = true }, read: []int{1}},
		{name: "with an issue, and open again", listed: []freshservice.Ticket{status(closedTicket(1, 5), 2)}, change: func(c *ticketChoice) { c.open[1] = true }, settled: []int{1}},
		{name: "with an issue, never stored, and deleted", listed: []freshservice.Ticket{closedTicket(1, 5)},
			change: func(c *ticketChoice) { c.open[1], c.hidden[1] = true, true }, settled: []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := choiceOf(test.rows, test.listed)
			if test.change != nil {
				test.change(&c)
			}
			work := c.choose()
			if !slices.Equal(idsOf(work.read), test.read) || !slices.Equal(idsOf(work.note), test.note) || !slices.Equal(work.suspects, test.suspects) ||
				work.unchanged != test.unchanged || !slices.Equal(work.settled, test.settled) {
				t.Errorf("read %v, note %v, suspects %v, unchanged %d, settled %v", idsOf(work.read), idsOf(work.note), work.suspects, work.unchanged, work.settled)
			}
		})
	}
}

func TestWhatNoListingShowsIsAskedForOneByOne(t *testing.T) {
	running, reopened, served := storedTicket(1, 5), storedTicket(2, 5), storedTicket(3, 5)
	running.timer = true
	reopened.timer, reopened.closed, reopened.statusCode = true, false, 2
	served.statusCode = 16
	c := choiceOf([]ticketRow{running, reopened, served, storedTicket(4, 5)}, []freshservice.Ticket{closedTicket(6, 5)})
	c.again[5], c.again[6], c.again[7], c.bad[7] = true, true, true, true
	if got := c.ask([]int{9}); !slices.Equal(got, []int{1, 5, 9}) {
		t.Errorf("asked for %v, want the running timer, the one to try again, and the suspect", got)
	}
	c.settings.OpenStatuses = []int{16}
	if got := c.ask(nil); !slices.Equal(got, []int{1, 3, 5}) {
		t.Errorf("asked for %v, want also the one whose status is open now", got)
	}
}

func TestTheGuardHoldsTicketsThatWouldBeTooManyToLoseOrMove(t *testing.T) {
	build := func(total, deleted, moved int) ticketChoice {
		c := choiceOf(nil, nil)
		for id := 1; id <= total; id++ {
			c.rows[id] = storedTicket(id, 5)
		}
		for id := 1; id <= deleted; id++ {
			c.listed[id], c.hidden[id] = closedTicket(int64(id), 6), true
		}
		for id := total; id > total-moved; id-- {
			ticket := closedTicket(int64(id), 6)
			ticket.DepartmentID = new(int64(2))
			c.listed[id] = ticket
		}
		return c
	}
	tests := []struct {
		name                  string
		total, deleted, moved int
		held                  int
	}{
		{"9 deleted", 9, 9, 0, 0}, {"10 of 50 deleted", 50, 10, 0, 0}, {"10 of 49 deleted", 49, 10, 0, 10}, {"6 deleted and 6 moved of 40", 40, 6, 6, 12},
		{"the same tickets moved and deleted leave once", 6, 6, 6, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := build(test.total, test.deleted, test.moved)
			c.held = c.hold()
			if held := slices.Collect(maps.Keys(c.held)); len(held) != test.held {
				t.Errorf("%d are held, want %d", len(held), test.held)
			}
			if suspects := c.choose().suspects; test.held > 0 && len(suspects) > 0 {
				t.Errorf("what is held is asked for all the same: %v", suspects)
			}
		})
	}
}

// A full listing shows the window alone: what is missing from it is a share of that, and not of years.
// An incremental one shows what has changed: its share is of all.
func TestTheShareOfTicketsThatLeaveIsOfWhatTheListingCouldShow(t *testing.T) {
	const before = -2000
	tests := []struct {
		name           string
		full           bool
		window, older  int // stored
		missing        int // of those in the window, from a full listing
		deleted, moved int // of the older ones, which were updated since
		held           int
	}{
		{"all that was closed this year is missing, among years of tickets", true, 40, 1000, 40, 0, 0, 40},
		{"a fifth is missing", true, 50, 1000, 10, 0, 0, 0},
		{"more than a fifth", true, 49, 1000, 10, 0, 0, 10},
		{"older ones that are listed count among what is listed", true, 30, 1000, 2, 5, 5, 12},
		{"the same, where the window is full", true, 100, 1000, 2, 5, 5, 0},
		{"nothing is missing from what shows changes alone", false, 40, 1000, 40, 0, 0, 0},
		{"and who was deleted or moved is a share of all", false, 12, 1000, 0, 6, 6, 0},
		{"as long as that is no fifth", false, 12, 40, 0, 6, 6, 12},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := choiceOf(nil, nil)
			c.full = test.full
			for id := 1; id <= test.window; id++ {
				c.rows[id] = storedTicket(id, 5)
				if id > test.missing && test.full {
					c.listed[id] = closedTicket(int64(id), 5)
				}
			}
			for id := test.window + 1; id <= test.window+test.older; id++ {
				c.rows[id] = storedTicket(id, before)
				ticket := closedTicket(int64(id), 6)
				switch n := id - test.window; {
				case n <= test.deleted:
					c.listed[id], c.hidden[id] = ticket, true
				case n <= test.deleted+test.moved:
					ticket.DepartmentID = new(int64(2))
					c.listed[id] = ticket
				}
			}
			if held := c.hold(); len(held) != test.held {
				t.Errorf("%d are held, want %d", len(held), test.held)
			}
		})
	}
}
