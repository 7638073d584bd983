package syncers

// Tickets are Freshservice's closed tickets with their time entries and conversations
// (docs/compatibility.md, "Sync rules" and "Ticket").

import (
	"cmp"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/wire"
	"github.com/hivematrix/codex/query"
)

// TicketRecord is a row of tickets.
type TicketRecord struct {
	ID                int
	Account           codex.AccountNumber // the company of department_id
	Subject           string              // subject
	Closed            bool                // served and billed as closed
	Status            string              // the name of status
	StatusCode        int                 // status
	Priority          string              // priority in words
	RequesterID       sql.Null[int64]     // requester_id
	RequesterEmail    sql.Null[string]    // of the contact or agent of requester_id
	RequesterName     sql.Null[string]    // the same
	CreatedAt         time.Time           // created_at
	LastUpdatedAt     time.Time           // updated_at; decides the billing month
	ClosedAt          sql.Null[time.Time] // stats.closed_at
	SpentSeconds      int64               // sum of the time entries
	UnbillableSeconds int64               // the part of it that is not billable
	Description       string              // description: HTML
	DescriptionText   string              // the same as plain text
	Conversations     string              // public entries, a JSON array of query.TicketMessage
	Notes             string              // private entries, the same
	TimerRunning      bool                // a time entry's timer runs
	UpstreamUpdatedAt time.Time           // updated_at, whatever the status
	RemovedAt         sql.Null[time.Time]

	// Not columns: what this run did not read, so that what is stored stays.
	hoursUnread, bodiesUnread bool
	// Not a column: the status is not closed, so the month in which it was billed stays.
	monthKept bool
	// Not a column: nobody told the status's name, so that of the same status stays.
	statusUnnamed bool
}

func tickets() *Entity[TicketRecord] {
	e := &Entity[TicketRecord]{
		Name: "tickets", Label: func(r *TicketRecord) string { return r.Subject },
		Columns: []Column[TicketRecord]{
			column("ticket_id", primary, func(r *TicketRecord) *int { return &r.ID }),
			column("company_account_number", compared|kept, func(r *TicketRecord) *codex.AccountNumber { return &r.Account }),
			column("subject", compared|kept, func(r *TicketRecord) *string { return &r.Subject }),
			column("closed", compared|kept, func(r *TicketRecord) *bool { return &r.Closed }),
			column("status", compared|kept, func(r *TicketRecord) *string { return &r.Status }),
			column("status_code", compared|kept, func(r *TicketRecord) *int { return &r.StatusCode }),
			column("priority", compared|kept, func(r *TicketRecord) *string { return &r.Priority }),
			column("requester_id", compared|kept, func(r *TicketRecord) *sql.Null[int64] { return &r.RequesterID }),
			column("requester_email", compared|kept, func(r *TicketRecord) *sql.Null[string] { return &r.RequesterEmail }),
			column("requester_name", compared|kept, func(r *TicketRecord) *sql.Null[string] { return &r.RequesterName }),
			column("created_at", compared|kept, func(r *TicketRecord) *time.Time { return &r.CreatedAt }),
			column("last_updated_at", compared|kept, func(r *TicketRecord) *time.Time { return &r.LastUpdatedAt }),
			column("closed_at", compared|kept, func(r *TicketRecord) *sql.Null[time.Time] { return &r.ClosedAt }),
			column("spent_seconds", compared|kept, func(r *TicketRecord) *int64 { return &r.SpentSeconds }),
			column("unbillable_seconds", compared|kept, func(r *TicketRecord) *int64 { return &r.UnbillableSeconds }),
			column("description", compared, func(r *TicketRecord) *string { return &r.Description }),
			column("description_text", compared, func(r *TicketRecord) *string { return &r.DescriptionText }),
			column("conversations", compared, func(r *TicketRecord) *string { return &r.Conversations }),
			column("notes", compared, func(r *TicketRecord) *string { return &r.Notes }),
			column("timer_running", compared, func(r *TicketRecord) *bool { return &r.TimerRunning }),
			column("upstream_updated_at", compared, func(r *TicketRecord) *time.Time { return &r.UpstreamUpdatedAt }),
			column("removed_at", compared, func(r *TicketRecord) *sql.Null[time.Time] { return &r.RemovedAt }),
		},
		Keys:      []Key[TicketRecord]{{Of: func(r *TicketRecord) (string, bool) { return strconv.Itoa(r.ID), true }}},
		RemovedAt: func(r *TicketRecord) *sql.Null[time.Time] { return &r.RemovedAt },
		Merge:     mergeTicket,
	}
	e.History = e.historyOf("tickets_history", "ticket_id")
	return e
}

// mergeTicket keeps what this run did not read, and the month: a ticket that was closed keeps the
// last update that it had while closed when it gets a status that is neither closed nor open, so
// that no bill loses it and no second month gets it. Reopened ones are not served any more, and
// keep it too.
func mergeTicket(current, incoming TicketRecord) TicketRecord {
	if incoming.monthKept {
		incoming.LastUpdatedAt, incoming.ClosedAt = current.LastUpdatedAt, current.ClosedAt
	}
	if incoming.hoursUnread {
		incoming.SpentSeconds, incoming.UnbillableSeconds = current.SpentSeconds, current.UnbillableSeconds
		incoming.TimerRunning = current.TimerRunning
	}
	if incoming.bodiesUnread {
		incoming.Conversations, incoming.Notes = current.Conversations, current.Notes
	}
	if incoming.statusUnnamed && incoming.StatusCode == current.StatusCode {
		incoming.Status = current.Status
	}
	if incoming.RequesterID == current.RequesterID {
		if !incoming.RequesterEmail.Valid {
			incoming.RequesterEmail = current.RequesterEmail
		}
		if !incoming.RequesterName.Valid {
			incoming.RequesterName = current.RequesterName
		}
	}
	return incoming
}

// ticketState is what a status means for billing.
type ticketState int

const (
	stateUnknown ticketState = iota // the account's own status, of which nobody has said
	stateClosed
	stateOpen
)

// stateOf knows 5 as closed, 2, 3 and 4 as open, and the rest by configuration.
func (s Settings) stateOf(status int) ticketState {
	switch {
	case status == freshservice.StatusClosed || slices.Contains(s.ClosedStatuses, status):
		return stateClosed
	case status == freshservice.StatusOpen || status == freshservice.StatusPending ||
		status == freshservice.StatusResolved || slices.Contains(s.OpenStatuses, status):
		return stateOpen
	}
	return stateUnknown
}

// ticketParts is what a ticket's record is mapped from.
type ticketParts struct {
	ticket      freshservice.Ticket
	account     codex.AccountNumber
	statusNames map[int]string
	requester   requester
	entries     []freshservice.TimeEntry
	messages    []freshservice.Conversation
	badMessages []wire.BadRecord
	asked       requester // who requester_id is; goes before what the ticket embeds
	readFrom    time.Time // when they began to be read

	hoursUnread, bodiesUnread bool
	// wasClosed is whether the row at hand is served as closed: a status that is neither closed nor
	// open leaves it so.
	wasClosed bool
}

// requester is who a ticket is for.
type requester struct{ name, email sql.Null[string] }

func mapTicket(p ticketParts, s Settings) TicketRecord {
	t := p.ticket
	html, plain := text(t.Description), ""
	if plain = text(t.DescriptionText); plain == "" {
		plain = html
	}
	state := s.stateOf(t.Status)
	r := TicketRecord{
		ID: int(t.ID), Account: p.account, Subject: orDefault(text(t.Subject), "No Subject"),
		Closed: state == stateClosed || state == stateUnknown && p.wasClosed,
		Status: statusName(t, p.statusNames), StatusCode: t.Status, Priority: priorityName(t),
		RequesterID: told(t.RequesterID), RequesterEmail: p.requester.email, RequesterName: p.requester.name,
		CreatedAt: t.UpdatedAt, LastUpdatedAt: t.UpdatedAt, UpstreamUpdatedAt: t.UpdatedAt,
		Description: html, DescriptionText: plainText(plain),
		Conversations: messages(p.messages, false), Notes: messages(p.messages, true),
		hoursUnread: p.hoursUnread, bodiesUnread: p.bodiesUnread, monthKept: state != stateClosed,
		statusUnnamed: text(t.StatusName) == "" && p.statusNames[t.Status] == "",
	}
	if t.CreatedAt != nil {
		r.CreatedAt = *t.CreatedAt
	}
	r.ClosedAt = some(t.UpdatedAt)
	if t.Stats != nil && t.Stats.ClosedAt != nil {
		r.ClosedAt = some(*t.Stats.ClosedAt)
	}
	for _, e := range p.entries {
		r.SpentSeconds += int64(e.Spent)
		if e.Billable != nil && !*e.Billable {
			r.UnbillableSeconds += int64(e.Spent)
		}
		r.TimerRunning = r.TimerRunning || e.TimerRunning
	}
	return r
}

func statusName(t freshservice.Ticket, names map[int]string) string {
	if name := text(t.StatusName); name != "" {
		return name
	}
	if t.Status == freshservice.StatusClosed {
		return orDefault(names[t.Status], "Closed")
	}
	return orDefault(names[t.Status], "Status "+strconv.Itoa(t.Status))
}

func priorityName(t freshservice.Ticket) string {
	if name := text(t.PriorityName); name != "" {
		return name
	}
	switch t.Priority {
	case 1:
		return "Low"
	case 3:
		return "High"
	case 4:
		return "Urgent"
	}
	return "Medium"
}

// messages are the private or the public ones of a ticket, as JSON.
func messages(list []freshservice.Conversation, private bool) string {
	entries := []query.TicketMessage{}
	for _, c := range list {
		if c.Private != private {
			continue
		}
		plain := text(c.BodyText)
		if plain == "" {
			plain = plainText(text(c.Body))
		}
		to := c.ToEmails
		if to == nil {
			to = []string{}
		}
		entries = append(entries, query.TicketMessage{
			ID: c.ID, Body: plain, BodyHTML: text(c.Body), FromEmail: c.FromEmail, ToEmails: to,
			Created: isoTime(c.CreatedAt), Updated: isoTime(c.UpdatedAt),
			Incoming: c.Incoming, Private: c.Private, UserID: c.UserID, SupportEmail: c.SupportEmail,
		})
	}
	slices.SortFunc(entries, func(a, b query.TicketMessage) int { return cmp.Compare(a.ID, b.ID) })
	return jsonText(entries)
}

// isoTime is a time as Freshservice writes it: whole seconds of UTC.
func isoTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05Z")
	return &s
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TimeEntryRecord is a row of time_entries.
type TimeEntryRecord struct {
	ID           int
	TicketID     int
	AgentID      sql.Null[int64]     // agent_id
	SpentSeconds int64               // time_spent
	Billable     bool                // billable; true where it is not told
	TimerRunning bool                // timer_running
	ExecutedAt   sql.Null[time.Time] // executed_at
	Note         sql.Null[string]    // note
}

func timeEntries() *Entity[TimeEntryRecord] {
	return &Entity[TimeEntryRecord]{
		Name: "time_entries",
		Columns: []Column[TimeEntryRecord]{
			column("id", primary, func(r *TimeEntryRecord) *int { return &r.ID }),
			column("ticket_id", compared, func(r *TimeEntryRecord) *int { return &r.TicketID }),
			column("agent_id", compared, func(r *TimeEntryRecord) *sql.Null[int64] { return &r.AgentID }),
			column("spent_seconds", compared, func(r *TimeEntryRecord) *int64 { return &r.SpentSeconds }),
			column("billable", compared, func(r *TimeEntryRecord) *bool { return &r.Billable }),
			column("timer_running", compared, func(r *TimeEntryRecord) *bool { return &r.TimerRunning }),
			column("executed_at", compared, func(r *TimeEntryRecord) *sql.Null[time.Time] { return &r.ExecutedAt }),
			column("note", compared, func(r *TimeEntryRecord) *sql.Null[string] { return &r.Note }),
		},
		Keys: []Key[TimeEntryRecord]{{Of: func(r *TimeEntryRecord) (string, bool) { return strconv.Itoa(r.ID), true }}},
	}
}

func mapTimeEntry(ticketID int64, e freshservice.TimeEntry) TimeEntryRecord {
	return TimeEntryRecord{
		ID: int(e.ID), TicketID: int(ticketID), AgentID: told(e.AgentID), SpentSeconds: int64(e.Spent),
		Billable: e.Billable == nil || *e.Billable, TimerRunning: e.TimerRunning,
		ExecutedAt: told(e.ExecutedAt), Note: told(e.Note),
	}
}
