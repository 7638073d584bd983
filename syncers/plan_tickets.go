package syncers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// ticketRow is what deciding about a stored ticket takes: rows are many, and their bodies long.
type ticketRow struct {
	id         int
	account    codex.AccountNumber
	closed     bool
	statusCode int
	updatedAt  time.Time // upstream_updated_at
	timer      bool
	removed    bool
}

// ticketChoice decides which tickets a run reads. It is pure.
type ticketChoice struct {
	settings Settings
	guard    Guard
	full     bool                                     // re-read what has not changed too
	since    time.Time                                // the listing shows what was updated from then on
	rows     map[int]ticketRow                        // what is stored
	listed   map[int]freshservice.Ticket              // what was listed or asked for, the newest state of each
	hidden   map[int]bool                             // listed as deleted or spam
	done     map[int64]time.Time                      // done by the run that this one goes on for
	again    map[int]bool                             // could not be placed or read before: try again
	place    func(*int64) (codex.AccountNumber, bool) // the company of a department
}

// ticketWork is what a run has to do.
type ticketWork struct {
	read      []freshservice.Ticket // with their time entries and conversations, by id
	note      []freshservice.Ticket // stored ones that left the closed status: no need to read more
	suspects  []int                 // rows to ask for: absent from a full listing, or listed as deleted
	held      map[int]bool          // rows that stay as they are: too many would leave
	unchanged int
	statuses  map[int]int // tickets by status that is neither closed nor open
}

func (c ticketChoice) choose() ticketWork {
	work := ticketWork{statuses: make(map[int]int)}
	work.held = c.hold()
	for _, id := range slices.Sorted(maps.Keys(c.listed)) {
		t := c.listed[id]
		if c.hidden[id] || t.Deleted || t.Spam {
			continue
		}
		row, stored := c.rows[id]
		state := c.settings.stateOf(t.Status)
		if state == stateUnknown {
			work.statuses[t.Status]++
		}
		billed := state == stateClosed || state == stateUnknown && row.closed
		switch {
		case !billed && !stored:
			// Never seen closed: not served.
		case !c.differs(row, stored, t, state):
			work.unchanged++
		case billed:
			work.read = append(work.read, t)
		default:
			work.note = append(work.note, t)
		}
	}
	work.suspects = slices.DeleteFunc(c.absent(), func(id int) bool { return work.held[id] })
	return work
}

// differs tells whether a ticket may be other than its row.
func (c ticketChoice) differs(row ticketRow, stored bool, t freshservice.Ticket, state ticketState) bool {
	if version, done := c.done[t.ID]; done && version.Equal(t.UpdatedAt) {
		return false
	}
	return !stored || c.full || c.again[int(t.ID)] || row.removed || row.timer || row.statusCode != t.Status ||
		state == stateClosed && !row.closed || !row.updatedAt.Equal(t.UpdatedAt)
}

// absent are the rows that are listed as deleted or spam, or that a full listing should have.
func (c ticketChoice) absent() []int {
	var ids []int
	for id, row := range c.rows {
		t, listed := c.listed[id]
		gone := c.hidden[id] || listed && (t.Deleted || t.Spam)
		if !row.removed && (gone || c.full && !listed && !row.updatedAt.Before(c.since)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// hold says which tickets would be too many to lose, or to move to another company.
func (c ticketChoice) hold() map[int]bool {
	groups := func(row ticketRow) []string { return []string{"all", "company " + string(row.account)} }
	size := make(map[string]int)
	for _, row := range c.rows {
		if !row.removed {
			for _, group := range groups(row) {
				size[group]++
			}
		}
	}
	leaving := c.absent()
	for id, t := range c.listed {
		row, stored := c.rows[id]
		if account, placed := c.place(t.DepartmentID); stored && !row.removed && placed && account != row.account {
			leaving = append(leaving, id)
		}
	}
	leavers := make([]Leaver, len(leaving))
	for i, id := range leaving {
		leavers[i] = Leaver{Key: strconv.Itoa(id), Groups: groups(c.rows[id])}
	}
	keys := c.guard.Hold(leavers, size)
	held := make(map[int]bool)
	for _, id := range leaving {
		held[id] = keys[strconv.Itoa(id)]
	}
	return held
}

// overlap is how far an incremental run looks back behind the cursor: listings lag a little.
const overlap = 10 * time.Minute

// window is what a full sync, and the first one, reads.
const window = 365 * 24 * time.Hour

// since is from when on a run lists.
func since(c Checkpoint, full bool, now time.Time) time.Time {
	if full {
		return now.Add(-window)
	}
	return c.Cursor.Add(-overlap)
}

// nextCursor is what a finished run has read up to: the newest update that it saw, by Freshservice's
// own clock, but not beyond its own beginning, since a ticket that was updated while pages were read
// may have been missed. It never goes back.
func nextCursor(c Checkpoint, listed map[int]freshservice.Ticket, began time.Time) time.Time {
	var newest time.Time
	for _, t := range listed {
		if t.UpdatedAt.After(newest) {
			newest = t.UpdatedAt
		}
	}
	if newest.After(began) {
		newest = began
	}
	if newest.Before(c.Cursor) {
		return c.Cursor
	}
	return newest
}

// statusIssues ask about statuses that are neither closed nor open. An incremental listing shows
// only a part of the tickets, so the number of a status that is asked about already stays as it was
// counted.
func statusIssues(statuses map[int]int, names map[int]string, full bool, open map[string]string) []Issue {
	var issues []Issue
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		id := strconv.Itoa(status)
		reason, asked := open[id]
		if !asked || full {
			reason = fmt.Sprintf("%d tickets have the status %d (%s), which is neither closed nor open: name it in closed_statuses or open_statuses of [freshservice]. Until then one that was closed before stays served as it was, and others are not.",
				statuses[status], status, orDefault(names[status], "without name"))
		}
		issues = append(issues, Issue{Kind: IssueUnknownStatus, ID: id, Reason: reason, entity: "tickets"})
	}
	return issues
}

// placer finds the company of a department: the one that has its id, else the one of its account
// number. Known is false where there is no such company; the account number is told if there is one.
func placer(list []freshservice.Department, current []CompanyRecord) func(department *int64) (account codex.AccountNumber, known bool) {
	byID := make(map[int64]codex.AccountNumber)
	exists := make(map[codex.AccountNumber]bool)
	for _, d := range list {
		number, _ := d.CustomFields.Text("account_number")
		byID[d.ID] = codex.AccountNumber(strings.TrimSpace(number))
	}
	for _, c := range current {
		exists[c.Account] = true
		if c.FreshserviceID.Valid {
			byID[c.FreshserviceID.V] = c.Account
		}
	}
	return func(department *int64) (codex.AccountNumber, bool) {
		if department == nil {
			return "", false
		}
		account := byID[*department]
		return account, exists[account]
	}
}

func withoutCompany(t freshservice.Ticket, account codex.AccountNumber) Issue {
	reason := "The ticket has no department, so it belongs to no company: give it one in Freshservice."
	switch {
	case account != "":
		reason = fmt.Sprintf("The ticket's department has the account number %s, which no company has yet: sync freshservice.", account)
	case t.DepartmentID != nil:
		reason = fmt.Sprintf("The ticket's department %d has no account number: give it one in Freshservice if it is a customer.", *t.DepartmentID)
	}
	return Issue{Kind: IssueTicketWithoutCompany, ID: strconv.FormatInt(t.ID, 10), Account: account, Reason: reason, entity: "tickets"}
}

func unread(id int64, account codex.AccountNumber, err error) Issue {
	return Issue{Kind: IssueTicketUnread, ID: strconv.FormatInt(id, 10), Account: account, entity: "tickets",
		Reason: "The ticket's time entries or conversations could not be read, so they stay as they were: the next run tries again. " + reasonOf(err)}
}

// byID puts tickets in the order in which they are worked on.
func byID(list []freshservice.Ticket) []freshservice.Ticket {
	slices.SortFunc(list, func(a, b freshservice.Ticket) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
