package syncers

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/wire"
)

// ticketRow is what deciding about a stored ticket takes: rows are many, and their bodies long.
type ticketRow struct {
	id         int
	account    codex.AccountNumber
	closed     bool
	statusCode int
	updatedAt  time.Time // upstream_updated_at
	closedAt   sql.Null[time.Time]
	timer      bool
	removed    bool

	requesterID sql.Null[int64]
	requester   requester
}

// ticketChoice decides which tickets a run reads. It is pure.
type ticketChoice struct {
	settings Settings
	guard    Guard
	full     bool                                     // re-read what has not changed too
	short    bool                                     // a listing came incomplete: what it lacks may be there
	since    time.Time                                // the listing shows what was updated from then on
	rows     map[int]ticketRow                        // what is stored
	listed   map[int]freshservice.Ticket              // what was listed or asked for, the newest state of each
	hidden   map[int]bool                             // listed as deleted or spam
	bad      map[int]bool                             // there, and could not be decoded
	done     map[int64]time.Time                      // done by the run that this one goes on for
	again    map[int]bool                             // could not be placed or read before: try again
	open     map[int]bool                             // has an open issue
	place    func(*int64) (codex.AccountNumber, bool) // the company of a department
	people   map[int64]requester                      // contacts as they are stored, by Freshservice's id
	archived map[codex.AccountNumber]bool             // companies that are served no more: nobody loses what leaves them
	held     map[int]bool                             // rows that stay where they are: too many would leave
}

// ticketWork is what a run has to do.
type ticketWork struct {
	read      []freshservice.Ticket // with their time entries and conversations, by id
	note      []freshservice.Ticket // stored ones that left the closed status: no need to read more
	suspects  []int                 // rows to ask for: absent from a full listing, or listed as deleted
	settled   []int                 // tickets with an issue that are not ours any more: open again, or deleted
	unchanged int
	statuses  map[int]int // tickets by status that is neither closed nor open
}

func (c ticketChoice) choose() ticketWork {
	work := ticketWork{statuses: make(map[int]int)}
	for _, id := range slices.Sorted(maps.Keys(c.listed)) {
		t := c.listed[id]
		row, stored := c.rows[id]
		if c.hidden[id] || t.Deleted || t.Spam {
			if !stored && c.open[id] {
				work.settled = append(work.settled, id)
			}
			continue
		}
		state := c.settings.stateOf(t.Status)
		if state == stateUnknown {
			work.statuses[t.Status]++
		}
		billed := state == stateClosed || state == stateUnknown && row.closed
		switch {
		case !billed && !stored: // never seen closed: not served
			if c.open[id] {
				work.settled = append(work.settled, id)
			}
		case !c.differs(row, stored, t, state):
			if !c.held[id] { // that counts as held
				work.unchanged++
			}
		case billed:
			work.read = append(work.read, t)
		default:
			work.note = append(work.note, t)
		}
	}
	work.suspects = slices.DeleteFunc(c.absent(), func(id int) bool { return c.held[id] })
	return work
}

// differs tells whether a ticket may be other than its row.
func (c ticketChoice) differs(row ticketRow, stored bool, t freshservice.Ticket, state ticketState) bool {
	if version, done := c.done[t.ID]; done && version.Equal(t.UpdatedAt) && !c.again[row.id] && !c.renamed(row) {
		return false
	}
	return !stored || c.full || c.again[row.id] || row.removed || row.runs() || row.statusCode != t.Status ||
		c.restated(row) || state == stateClosed && !row.closed || !row.updatedAt.Equal(t.UpdatedAt) || c.moved(row, t) || c.renamed(row)
}

// bills tells, before the listing that shows t has ended, that t is to be read with its hours.
func (c ticketChoice) bills(row ticketRow, stored bool, t freshservice.Ticket) bool {
	state := c.settings.stateOf(t.Status)
	billed := state == stateClosed || state == stateUnknown && row.closed
	return billed && !t.Deleted && !t.Spam && c.differs(row, stored, t, state)
}

// renamed tells that a row's requester has another name or address now: the ticket was read before the
// contact was.
func (c ticketChoice) renamed(row ticketRow) bool {
	now, known := c.people[row.requesterID.V]
	return row.requesterID.Valid && known && now != row.requester
}

// runs tells that a timer runs on a served ticket: it is read again until it stops.
func (row ticketRow) runs() bool { return row.timer && row.closed && !row.removed }

// looksAgain are the ages at which a closed ticket is read once more: time that is booked late need not
// touch the ticket, so that no list of changes shows it.
func looksAgain() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{time.Hour, 6 * time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
}

// dueAgain tells whether a closed ticket has come to such an age since the last run, which began at
// last. Nothing is due before the first run has ended: it reads everything.
func (row ticketRow) dueAgain(last, now time.Time) bool {
	if !row.closed || row.removed || last.IsZero() {
		return false
	}
	closed := row.updatedAt
	if row.closedAt.Valid {
		closed = row.closedAt.V
	}
	return slices.ContainsFunc(looksAgain(), func(age time.Duration) bool {
		at := closed.Add(age)
		return at.After(last) && !at.After(now)
	})
}

// restated tells that the configuration says of a row's status now what it did not say before.
func (c ticketChoice) restated(row ticketRow) bool {
	state := c.settings.stateOf(row.statusCode)
	return !row.removed && (state == stateOpen && row.closed || state == stateClosed && !row.closed)
}

// movesTo is the company that a stored ticket moves to; empty where it does not, or is gone.
func (c ticketChoice) movesTo(id int) codex.AccountNumber {
	t, listed := c.listed[id]
	if !listed || c.hidden[id] || t.Deleted || t.Spam || !c.moved(c.rows[id], t) {
		return ""
	}
	account, _ := c.place(t.DepartmentID)
	return account
}

// moved tells that a ticket belongs to another company than its row.
func (c ticketChoice) moved(row ticketRow, t freshservice.Ticket) bool {
	account, placed := c.place(t.DepartmentID)
	return placed && account != row.account
}

// absent are the rows that are listed as deleted or spam, or that a full listing should have.
func (c ticketChoice) absent() []int {
	var ids []int
	for id, row := range c.rows {
		t, listed := c.listed[id]
		gone := c.hidden[id] || listed && (t.Deleted || t.Spam)
		missing := c.full && !c.short && !listed && !c.bad[id] && !row.updatedAt.Before(c.since)
		if !row.removed && (gone || missing) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ask are the tickets to ask for one by one: suspects, and those that no listing shows and that are
// to be looked at all the same.
func (c ticketChoice) ask(suspects []int) []int {
	ask := slices.Clone(suspects)
	wanted := func(id int) {
		if _, listed := c.listed[id]; !listed && !c.bad[id] {
			ask = append(ask, id)
		}
	}
	for id := range c.again {
		wanted(id)
	}
	for id, row := range c.rows {
		if row.runs() || c.restated(row) {
			wanted(id)
		}
	}
	for _, id := range c.guard.approved.ids(tickets().Name) {
		if row, stored := c.rows[id]; stored && !row.removed {
			wanted(id)
		}
	}
	slices.Sort(ask)
	return slices.Compact(ask)
}

// couldShow tells that a row counts where the share of those that leave is taken. A full listing shows
// the window alone, so that the share is of what it could have shown: years of older tickets would hide
// that half of it is missing. An incremental one shows what has changed, which says nothing of how much
// there is: its share is of all.
func (c ticketChoice) couldShow(row ticketRow) bool {
	_, listed := c.listed[row.id]
	return !c.full || listed || !row.updatedAt.Before(c.since)
}

// hold says which tickets would be too many to lose, or to move to another company.
func (c ticketChoice) hold() map[int]bool {
	groups := func(row ticketRow) []string { return []string{"all", "company " + string(row.account)} }
	size := make(map[string]int)
	for _, row := range c.rows {
		if !row.removed && !c.archived[row.account] && c.couldShow(row) {
			for _, group := range groups(row) {
				size[group]++
			}
		}
	}
	leaving := c.absent()
	for id, t := range c.listed {
		if row, stored := c.rows[id]; stored && !row.removed && c.moved(row, t) {
			leaving = append(leaving, id)
		}
	}
	leaving = slices.DeleteFunc(leaving, func(id int) bool { return c.archived[c.rows[id].account] })
	slices.Sort(leaving)
	leaving = slices.Compact(leaving) // one that moved and was deleted then leaves once
	leavers := make([]Leaver, len(leaving))
	for i, id := range leaving {
		leavers[i] = Leaver{Key: strconv.Itoa(id), To: c.movesTo(id), Groups: groups(c.rows[id])}
	}
	keys := c.guard.Hold(tickets().Name, leavers, size)
	held := make(map[int]bool)
	for _, id := range leaving {
		if keys[strconv.Itoa(id)] {
			held[id] = true
		}
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

// nextCursor is what a finished run has read up to: the newest update that a listing showed, but not
// beyond the moment at which listing began, both by Freshservice's own clock: a ticket that was updated
// while pages were read may have been missed, and what was asked for by its id later says nothing of the
// others. It never goes back. It stays where it was when a listing came short, and while tickets are
// held, since only a listing tells again that they are deleted or have moved.
func nextCursor(c Checkpoint, newest time.Time, stay bool, began time.Time) time.Time {
	if newest.After(began) {
		newest = began
	}
	if stay || newest.Before(c.Cursor) {
		return c.Cursor
	}
	return newest
}

// statusIssues ask about statuses that are neither closed nor open. An incremental listing shows
// only a part of the tickets, so the number of a status that is asked about already stays as it was
// counted.
func statusIssues(statuses map[int]int, names map[int]string, full bool, asked map[string]string) []Issue {
	var issues []Issue
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		id := strconv.Itoa(status)
		reason, known := asked[id]
		if !known || full {
			reason = fmt.Sprintf("%d tickets have the status %d (%s), which is neither closed nor open: name it in closed_statuses or open_statuses of [freshservice]. Until then one that was closed before stays served as it was, and others are not; after that, sync tickets in full once.",
				statuses[status], status, orDefault(names[status], "without name"))
		}
		issues = append(issues, Issue{Kind: IssueUnknownStatus, ID: id, Reason: reason, entity: "tickets"})
	}
	return issues
}

// placer finds the company of a department: the one that has its id, else the one of its account
// number. Known is false where there is no such company, or an admin archived it; the account number is
// told if there is one.
func placer(list []freshservice.Department, current []CompanyRecord) func(department *int64) (account codex.AccountNumber, known bool) {
	byID := make(map[int64]codex.AccountNumber)
	exists := servedAccounts(current)
	for _, d := range list {
		number, _ := d.CustomFields.Text("account_number")
		byID[d.ID] = codex.AccountNumber(strings.TrimSpace(number))
	}
	for _, c := range current {
		if c.FreshserviceID.Valid && !c.ArchivedAt.Valid {
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

// notListed is about a list that the key does not get: it stays so until somebody changes that.
func notListed(filter freshservice.TicketFilter, err error) Issue {
	return Issue{Kind: IssueTicketsNotListed, ID: string(filter), entity: "tickets",
		Reason: fmt.Sprintf("Tickets that are %s cannot be listed with this API key: only a full sync sees that a ticket has become so, and it asks for each by itself. Give the agent whose key it is the right to see them in Freshservice. %s", filter, reasonOf(err))}
}

func badMessage(ticketID int64, account codex.AccountNumber, bad wire.BadRecord) Issue {
	return Issue{Kind: IssueBadRecord, ID: strconv.FormatInt(ticketID, 10), Account: account, entity: "tickets",
		Reason: fmt.Sprintf("The conversation %s of the ticket could not be understood (%s): it is not served, or as it was before.", bad.ID, bad.Reason)}
}

func unreadTicket(id int64, account codex.AccountNumber, err error) Issue {
	return Issue{Kind: IssueTicketUnread, ID: strconv.FormatInt(id, 10), Account: account, entity: "tickets",
		Reason: "The ticket could not be read completely, so it stays as it was: the next run tries again. " + reasonOf(err)}
}

// byID puts tickets in the order in which they are worked on.
func byID(list []freshservice.Ticket) []freshservice.Ticket {
	slices.SortFunc(list, func(a, b freshservice.Ticket) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
