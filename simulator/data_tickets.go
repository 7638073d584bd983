package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// makeTickets makes tickets of the past year; Contoso's are closed ones, one every 25 days. They get
// their numbers in keepTickets, in the order of their creation.
func (g *generator) makeTickets() {
	minimum := contosoTickets
	if !g.opts.Plain {
		minimum += fixtureTickets
	}
	for i := range max(g.opts.Tickets, minimum) {
		c := g.companyOf(i, contosoTickets)
		created := g.daysAgo(364, 0)
		status := g.someStatus(created)
		if i < contosoTickets {
			created = g.now.Add(-time.Duration(355-25*i)*24*time.Hour - time.Duration(g.rand.IntN(8*3600))*time.Second)
			status = StatusClosed
		}
		t := g.newTicket(c, created, status)
		if i >= contosoTickets+fixtureTickets && g.chance(1) {
			t.Deleted = true
		}
		g.ticketList = append(g.ticketList, t)
	}
}

func (g *generator) someStatus(created time.Time) int {
	closed := 86
	if g.now.Sub(created) < 5*24*time.Hour {
		closed = 30
	}
	switch n := g.rand.IntN(100); {
	case n < closed:
		return StatusClosed
	case n < closed+3:
		return StatusBillingComplete
	case n < closed+6:
		return StatusResolved
	case n < closed+9:
		return StatusPending
	default:
		return StatusOpen
	}
}

// newTicket makes a ticket with its entries and conversations; it has no number yet.
func (g *generator) newTicket(c *company, created time.Time, status int) *Ticket {
	subject := pick(g, subjects())
	requester := g.requesterList[0].ID
	if len(c.contacts) > 0 {
		requester = pick(g, c.contacts).ID
	}
	agent := pick(g, g.agentIDs)
	t := &Ticket{
		WorkspaceID: primaryWorkspace, Subject: new(subject),
		Description:     "<div>Hello,<br>" + subject + " &amp; we need it soon.&nbsp;Thanks</div>",
		DescriptionText: "Hello, " + subject + " & we need it soon. Thanks",
		Type:            "Incident", Status: status, Priority: 1 + g.rand.IntN(4), Urgency: 1 + g.rand.IntN(3),
		Impact: 1 + g.rand.IntN(3), Source: 1 + g.rand.IntN(3),
		Category:    new(pick(g, []string{"Hardware", "Software", "Network", "Access"})),
		RequesterID: requester, RequestedForID: requester, ResponderID: new(agent),
		DepartmentID: new(c.department.ID), CCEmails: []string{}, FwdEmails: []string{}, ReplyCCEmails: []string{},
		DueBy: created.Add(72 * time.Hour), FRDueBy: created.Add(8 * time.Hour),
		CustomFields: map[string]any{"on_site": g.chance(20), "purchase_order": nil, "mileage": nil},
		CreatedAt:    created, UpdatedAt: created,
	}
	if g.chance(25) {
		t.Type = "Service Request"
	}
	if g.chance(10) {
		t.Tags = []string{"project"}
	}

	worked := min(time.Duration(1+g.rand.IntN(60))*time.Hour, g.now.Sub(created))
	end := created.Add(worked.Truncate(time.Second))
	first := created.Add((worked / 10).Truncate(time.Second))
	t.Stats = TicketStats{
		TicketID: take(&g.ids.ticketInternal), AssignedAt: new(first), FirstRespondedAt: new(first),
		AgentRespondedAt: new(first), StatusUpdatedAt: new(created), InboundCount: 1, OutboundCount: 1,
		FirstRespTimeInSecs: new(int64(first.Sub(created).Seconds())),
	}
	t.UpdatedAt = first
	switch status {
	case StatusClosed, StatusBillingComplete, StatusResolved:
		t.UpdatedAt = end
		t.Stats.StatusUpdatedAt, t.Stats.ResolvedAt = new(end), new(end)
		t.Stats.ResolutionTimeInSecs = new(int64(end.Sub(created).Seconds()))
		if status != StatusResolved {
			t.Stats.ClosedAt = new(end)
		}
	case StatusPending:
		t.Stats.PendingSince, t.Stats.StatusUpdatedAt = new(first), new(first)
	}
	for range g.rand.IntN(4) {
		g.addEntry(t, fmt.Sprintf("%02d:%02d", g.rand.IntN(4), 5*(1+g.rand.IntN(11))), !g.chance(8))
	}
	for i := range g.rand.IntN(6) {
		g.addConversation(t, i)
	}
	return t
}

func (g *generator) addEntry(t *Ticket, spent string, billable bool) {
	at := t.CreatedAt.Add(time.Duration(g.rand.Int64N(int64(t.UpdatedAt.Sub(t.CreatedAt)) + 1))).Truncate(time.Second)
	t.TimeEntries = append(t.TimeEntries, TimeEntry{
		AgentID: *t.ResponderID, TimeSpent: new(spent), Billable: billable, StartTime: at, ExecutedAt: at,
		WorkspaceID: t.WorkspaceID, Note: pick(g, []string{"on site", "remote session", "phone", "follow-up"}),
		CustomFields: map[string]any{}, CreatedAt: at, UpdatedAt: at,
	})
}

// addConversation adds the i-th conversation: every third is a private note, the others go to and fro.
func (g *generator) addConversation(t *Ticket, i int) {
	at := t.CreatedAt.Add(time.Duration(i+1) * time.Minute)
	c := Conversation{
		UserID: *t.ResponderID, Source: 0, ToEmails: []string{}, CCEmails: []string{}, Attachments: []any{},
		SupportEmail: new("support@msp.example"), CreatedAt: at, UpdatedAt: at,
	}
	from := "support@msp.example"
	if p := g.person(t.RequesterID); p != nil && p.Email != nil && i%3 == 0 {
		c.Incoming, c.UserID, from = true, t.RequesterID, *p.Email
	}
	c.BodyText = fmt.Sprintf("Message %d: we looked at it & will come back.", i+1)
	c.Body = fmt.Sprintf("<div>Message <b>%d</b>: we looked at it &amp; will come back.</div>", i+1)
	c.FromEmail = new(from)
	if i%3 == 2 {
		c.Private, c.Source, c.FromEmail, c.SupportEmail = true, 2, nil, nil
		c.BodyText, c.Body = "Note: checked with the vendor.", "<div>Note: checked with the vendor.</div>"
	}
	t.Conversations = append(t.Conversations, c)
}

// keepTickets numbers the tickets, their entries and their conversations in the order of creation,
// as a service that lives with its customers would.
func (g *generator) keepTickets() {
	slices.SortStableFunc(g.ticketList, func(a, b *Ticket) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Stats.TicketID, b.Stats.TicketID))
	})
	for _, t := range g.ticketList {
		t.ID = take(&g.ids.ticket)
		g.tickets[t.ID] = t
		slices.SortStableFunc(t.TimeEntries, func(a, b TimeEntry) int { return a.CreatedAt.Compare(b.CreatedAt) })
		for i := range t.TimeEntries {
			t.TimeEntries[i].ID = take(&g.ids.timeEntry)
		}
		for i := range t.Conversations {
			t.Conversations[i].ID, t.Conversations[i].TicketID = take(&g.ids.conversation), t.ID
		}
	}
}
