package simulator

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// ticketListAge is how far back /tickets goes by created_at unless updated_since is given (D).
	ticketListAge = 30 * 24 * time.Hour

	// embeddedConversations is how many the view's embed has, the oldest (D).
	embeddedConversations = 10

	// primaryWorkspace is the only one that is seen without workspace_id (D).
	primaryWorkspace = 2
)

// listTickets serves /tickets: tickets created in the last 30 days, or updated since updated_since;
// deleted and spam ones only by their own filters.
func listTickets(c *call) answer {
	wanted, refusal := listedTickets(c)
	if refusal != nil {
		return *refusal
	}
	var tickets []*Ticket
	for _, t := range byID(c.world.tickets) {
		if wanted(t) {
			tickets = append(tickets, t)
		}
	}
	if refusal := orderTickets(c, tickets); refusal != nil {
		return *refusal
	}
	embeds := embedsOf(c.query)
	return paged(c, "tickets", tickets, func(t *Ticket) any { return c.showTicket(t, embeds) })
}

// listedTickets is the condition that the parameters of /tickets make. Parameters that do not exist
// there (a status, an upper date) change nothing.
func listedTickets(c *call) (func(*Ticket) bool, *answer) {
	conditions := []func(*Ticket) bool{inWorkspaces(c)}
	add := func(condition func(*Ticket) bool) { conditions = append(conditions, condition) }

	switch filter := c.query.Get("filter"); filter {
	case "deleted":
		add(func(t *Ticket) bool { return t.Deleted })
	case "spam":
		add(func(t *Ticket) bool { return t.Spam && !t.Deleted })
	case "", "new_and_my_open", "watching":
		add(func(t *Ticket) bool { return !t.Deleted && !t.Spam })
		switch filter {
		case "new_and_my_open":
			add(func(t *Ticket) bool {
				return t.Status == StatusOpen && (t.ResponderID == nil || *t.ResponderID == c.world.me)
			})
		case "watching": // the key's agent watches nothing
			add(func(*Ticket) bool { return false })
		}
	default:
		return nil, new(invalid("filter",
			"It should be one of these values: 'new_and_my_open,watching,spam,deleted'", "invalid_value"))
	}

	if since := c.query.Get("updated_since"); since != "" {
		at, _, ok := parseDate(since)
		if !ok {
			return nil, new(invalid("updated_since", "It should be in the 'combined date and time ISO8601' format",
				"invalid_date"))
		}
		add(func(t *Ticket) bool { return !t.UpdatedAt.Before(at) })
	} else {
		oldest := c.now.Add(-ticketListAge)
		add(func(t *Ticket) bool { return !t.CreatedAt.Before(oldest) })
	}

	if c.query.Has("requester_id") {
		id, err := strconv.ParseInt(c.query.Get("requester_id"), 10, 64)
		if err != nil {
			return nil, new(invalid("requester_id", "It should be a/an Positive Integer", "datatype_mismatch"))
		}
		add(func(t *Ticket) bool { return t.RequesterID == id })
	}
	if email := c.query.Get("email"); email != "" {
		add(func(t *Ticket) bool {
			of := c.world.person(t.RequesterID)
			return of != nil && of.Email != nil && strings.EqualFold(*of.Email, email)
		})
	}
	if kind := c.query.Get("type"); kind != "" {
		add(func(t *Ticket) bool { return t.Type == kind })
	}
	return func(t *Ticket) bool {
		return !slices.ContainsFunc(conditions, func(holds func(*Ticket) bool) bool { return !holds(t) })
	}, nil
}

// inWorkspaces is the condition that workspace_id makes: without it the primary one, 0 is all.
func inWorkspaces(c *call) func(*Ticket) bool {
	workspace := int64(primaryWorkspace)
	if id, err := strconv.ParseInt(c.query.Get("workspace_id"), 10, 64); err == nil {
		workspace = id
	}
	return func(t *Ticket) bool { return workspace == 0 || t.WorkspaceID == workspace }
}

// orderTickets sorts by created_at, newest first, unless order_by and order_type say otherwise.
func orderTickets(c *call, tickets []*Ticket) *answer {
	by := func(t *Ticket) time.Time { return t.CreatedAt }
	switch c.query.Get("order_by") {
	case "", "created_at":
	case "updated_at":
		by = func(t *Ticket) time.Time { return t.UpdatedAt }
	case "due_by":
		by = func(t *Ticket) time.Time { return t.DueBy }
	default:
		return new(invalid("order_by", "It should be one of these values: 'created_at,due_by,updated_at'", "invalid_value"))
	}
	direction := -1
	switch c.query.Get("order_type") {
	case "", "desc":
	case "asc":
		direction = 1
	default:
		return new(invalid("order_type", "It should be one of these values: 'asc,desc'", "invalid_value"))
	}
	slices.SortFunc(tickets, func(a, b *Ticket) int {
		return direction * cmp.Or(by(a).Compare(by(b)), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// filterTickets serves /tickets/filter?query=: never deleted or spam ones, the total beside them,
// no link, newest first (choice). A query that names no workspace sees the primary one.
func filterTickets(c *call) answer {
	condition, refusal := c.condition(ticketSearchFields())
	if refusal != nil {
		return *refusal
	}
	page, perPage, refusal := pageOf(c.documentedPages().query)
	if refusal != nil {
		return *refusal
	}
	if limit := c.switches.FilterPageCap; limit > 0 && page > limit {
		return invalid("page", fmt.Sprintf("You cannot access tickets beyond page %d. "+
			"Please provide a smaller filter criteria.", limit), "invalid_value")
	}
	inScope := inWorkspaces(c)
	if condition.names("workspace_id") {
		inScope = func(*Ticket) bool { return true }
	}
	var hits []*Ticket
	for _, t := range byID(c.indexedTickets()) {
		now := c.world.tickets[t.ID]
		if now != nil && !t.Deleted && !t.Spam && inScope(t) && condition.holds(c.world.searchValue(t)) {
			hits = append(hits, now)
		}
	}
	slices.SortFunc(hits, func(a, b *Ticket) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	shown := []any{}
	for _, t := range cut(hits, (page-1)*perPage, perPage) {
		shown = append(shown, c.showTicket(t, nil))
	}
	return answer{status: http.StatusOK, body: envelope{{"tickets", shown}, {"total", len(hits)}}}
}

// searchValue gives what a ticket has in a field of the filter.
func (w *world) searchValue(t *Ticket) func(field string) any {
	return func(field string) any {
		switch field {
		case "workspace_id":
			return t.WorkspaceID
		case "requester_id":
			return t.RequesterID
		case "email":
			if p := w.person(t.RequesterID); p != nil {
				return text(p.Email)
			}
			return nil
		case "agent_id":
			return number(t.ResponderID)
		case "group_id":
			return number(t.GroupID)
		case "department_id":
			return number(t.DepartmentID)
		case "priority":
			return int64(t.Priority)
		case "status":
			return int64(t.Status)
		case "impact":
			return int64(t.Impact)
		case "urgency":
			return int64(t.Urgency)
		case "tag":
			return t.Tags
		case "type":
			return t.Type
		case "category":
			return text(t.Category)
		case "due_by":
			return t.DueBy
		case "fr_due_by":
			return t.FRDueBy
		case "created_at":
			return t.CreatedAt
		case "updated_at":
			return t.UpdatedAt
		default:
			return t.CustomFields[field]
		}
	}
}

// number is a nullable id; nil for null.
func number(id *int64) any {
	if id == nil {
		return nil
	}
	return *id
}

// viewTicket serves /tickets/{id}, deleted and spam ones too (choice).
func viewTicket(c *call) answer {
	id, ok := c.id()
	t := c.world.tickets[id]
	if !ok || t == nil {
		return answer{status: http.StatusNotFound}
	}
	type viewed struct {
		ticketWithEmbeds
		Attachments []any  `json:"attachments"`
		SLAPolicyID *int64 `json:"sla_policy_id"`
	}
	embeds := embedsOf(c.query)
	return found("ticket", c.served(EntityTicket, key(t.ID), viewed{
		ticketWithEmbeds: c.withEmbeds(t, embeds), Attachments: []any{}, SLAPolicyID: new(int64(21000055021)),
	}))
}

// ticketWithEmbeds is a ticket with what include asked for; a nil embed was not asked for.
type ticketWithEmbeds struct {
	*Ticket
	StatsEmbed    *TicketStats `json:"stats,omitempty"`
	Requester     any          `json:"requester,omitempty"`
	RequestedFor  any          `json:"requested_for,omitempty"`
	TagsEmbed     any          `json:"tags,omitempty"`
	Department    any          `json:"department,omitempty"`
	Conversations any          `json:"conversations,omitempty"`
}

func (c *call) showTicket(t *Ticket, embeds []string) any {
	return c.served(EntityTicket, key(t.ID), c.withEmbeds(t, embeds))
}

func (c *call) withEmbeds(t *Ticket, embeds []string) ticketWithEmbeds {
	if c.query.Get("workspace_id") == "0" { // all workspaces: the fields that all of them have
		plain := *t
		plain.CustomFields = map[string]any{}
		t = &plain
	}
	out := ticketWithEmbeds{Ticket: t}
	for _, embed := range embeds {
		switch embed {
		case "stats":
			out.StatsEmbed = &t.Stats
		case "requester":
			out.Requester = orEmpty(c.world.person(t.RequesterID))
		case "requested_for":
			out.RequestedFor = orEmpty(c.world.person(t.RequestedForID))
		case "tags":
			out.TagsEmbed = append([]string{}, t.Tags...)
		case "department":
			out.Department = envelope{}
			if t.DepartmentID != nil && c.world.departments[*t.DepartmentID] != nil {
				d := c.world.departments[*t.DepartmentID]
				out.Department = envelope{{"id", d.ID}, {"name", d.Name}}
			}
		case "conversations":
			shown := []any{}
			for _, conversation := range cut(t.Conversations, 0, embeddedConversations) {
				shown = append(shown, c.served(EntityConversation, key(conversation.ID), conversation))
			}
			out.Conversations = shown
		}
	}
	return out
}

// orEmpty is the embed of a person who is gone: an object without anything in it.
func orEmpty(p *TicketPerson) any {
	if p == nil {
		return envelope{}
	}
	return p
}

// person is a requester or an agent as a ticket's embed has it; nil for neither.
func (w *world) person(id int64) *TicketPerson {
	name := func(first string, last *string) string {
		if last == nil {
			return first
		}
		return strings.TrimSpace(first + " " + *last)
	}
	if r := w.requesters[id]; r != nil {
		return &TicketPerson{ID: id, Name: name(r.FirstName, r.LastName), Email: r.PrimaryEmail,
			Mobile: r.MobilePhoneNumber, Phone: r.WorkPhoneNumber}
	}
	if a := w.agents[id]; a != nil {
		return &TicketPerson{ID: id, Name: name(a.FirstName, a.LastName), Email: new(a.Email),
			Mobile: a.MobilePhoneNumber, Phone: a.WorkPhoneNumber}
	}
	return nil
}

// listTimeEntries serves a ticket's time entries, 30 a page, by id (choice); a deleted ticket has
// none to show: 404.
func listTimeEntries(c *call) answer {
	id, ok := c.id()
	t := c.world.tickets[id]
	if !ok || t == nil || t.Deleted {
		return answer{status: http.StatusNotFound}
	}
	return paged(c.documentedPages(), "time_entries", t.TimeEntries, func(e TimeEntry) any {
		return c.served(EntityTimeEntry, key(e.ID), e)
	})
}

// listConversations serves a ticket's replies and notes, 30 a page, oldest first (choice).
func listConversations(c *call) answer {
	id, ok := c.id()
	t := c.world.tickets[id]
	if !ok || t == nil || t.Deleted {
		return answer{status: http.StatusNotFound}
	}
	return paged(c.documentedPages(), "conversations", t.Conversations, func(conversation Conversation) any {
		return c.served(EntityConversation, key(conversation.ID), conversation)
	})
}

// documentedPages is the call without per_page where the switch strict30 says so.
func (c *call) documentedPages() *call {
	if c.switches.Strict30 {
		c.query.Del("per_page")
	}
	return c
}

func listTicketFields(c *call) answer {
	return paged(c, "ticket_fields", c.world.ticketFields, func(f TicketField) any { return f })
}
