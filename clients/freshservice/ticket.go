package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// The statuses that every account has; others are the account's own ([Client.TicketStatuses]).
const (
	StatusOpen     = 2
	StatusPending  = 3
	StatusResolved = 4
	StatusClosed   = 5
)

// Ticket is a ticket as listings and single reads have it.
type Ticket struct {
	ID              int64 // the number that people see
	Subject         *string
	Description     *string // untrusted HTML
	DescriptionText *string
	Status          int
	StatusName      *string // plain records carry none
	Priority        int     // 1 low, 2 medium, 3 high, 4 urgent
	PriorityName    *string // plain records carry none
	RequesterID     *int64
	DepartmentID    *int64
	Spam            bool
	Deleted         bool
	CustomFields    CustomFields
	CreatedAt       *time.Time
	UpdatedAt       time.Time
	Stats           *TicketStats     // nil where they were not embedded
	Requester       *TicketRequester // of single reads; nil where it was not embedded
}

// TicketStats are the times that Freshservice keeps of a ticket; nil is "not yet".
type TicketStats struct {
	ClosedAt *time.Time
}

// TicketRequester is the requester as a ticket embeds it, possibly with less than its record has.
type TicketRequester struct {
	ID    *int64
	Name  *string
	Email *string
}

func decodeTicket(raw json.RawMessage) (Ticket, error) {
	o := wire.Open(raw)
	ticket := Ticket{
		ID:              o.ID("id"),
		Subject:         o.OptText("subject"),
		Description:     o.OptText("description"),
		DescriptionText: o.OptText("description_text"),
		Status:          int(o.ID("status")),
		StatusName:      o.OptText("status_name"),
		Priority:        o.Int("priority"),
		PriorityName:    o.OptText("priority_name"),
		RequesterID:     o.OptID("requester_id"),
		DepartmentID:    o.OptID("department_id"),
		Spam:            o.Bool("spam"),
		Deleted:         o.Bool("deleted"),
		CustomFields:    customFields(o),
		CreatedAt:       o.Time("created_at"),
	}
	if updated := o.Time("updated_at"); updated != nil {
		ticket.UpdatedAt = *updated
	} else {
		o.Refuse("updated_at", "missing")
	}
	if stats := o.Object("stats"); stats != nil {
		ticket.Stats = &TicketStats{
			ClosedAt: stats.Time("closed_at"),
		}
	}
	if requester := o.Object("requester"); requester != nil {
		ticket.Requester = &TicketRequester{
			ID:    requester.OptID("id"),
			Name:  requester.OptText("name"),
			Email: requester.OptText("email"),
		}
	}
	return ticket, o.Err()
}

// TicketFilter chooses which tickets a listing shows. Freshservice hides deleted and spam tickets
// from every listing but their own.
type TicketFilter string

// The filters.
const (
	TicketsPlain   TicketFilter = ""
	TicketsDeleted TicketFilter = "deleted"
	TicketsSpam    TicketFilter = "spam"
)

// TicketQuery says which tickets to list.
type TicketQuery struct {
	// UpdatedSince is the earliest last update. Zero asks for all that Freshservice lists without
	// it, which is only tickets created in the past 30 days.
	UpdatedSince time.Time
	Filter       TicketFilter
	Stats        bool // embed [TicketStats]: two or three credits a page instead of one
	// Each, where set, is told each ticket as soon as its page was read, so that what belongs to it can
	// be asked for beside the pages that follow. One that shifts between pages is told again.
	Each func(Ticket)
}

// Tickets lists every ticket that query asks for, from all pages.
func (c *Client) Tickets(ctx context.Context, query TicketQuery) (wire.Listing[Ticket], error) {
	list, err := listAll(ctx, c, c.tickets(query))
	if err != nil {
		return list, fmt.Errorf("listing tickets: %w", err)
	}
	return list, nil
}

// tickets is the plan of a listing by /tickets, never by /tickets/filter: the latter reads a search
// index that is minutes late, cannot embed, and never shows deleted or spam tickets.
//
// The oldest come first: a ticket that is created or updated while the pages are read then shows up
// on a later page instead of pushing others there.
func (c *Client) tickets(query TicketQuery) resource[Ticket] {
	values := url.Values{"order_type": {"asc"}}
	if !query.UpdatedSince.IsZero() {
		values.Set("updated_since", query.UpdatedSince.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if query.Filter != TicketsPlain {
		values.Set("filter", string(query.Filter))
	}
	var include []string
	if query.Stats {
		include = []string{"stats"}
	}
	return resource[Ticket]{
		path: "/tickets", envelope: "tickets", bucket: bucketTickets, perWorkspace: true,
		query: values, include: include,
		decode: query.decode, key: func(t Ticket) int64 { return t.ID },
	}
}

func (q TicketQuery) decode(raw json.RawMessage) (Ticket, error) {
	t, err := decodeTicket(raw)
	if err == nil && q.Each != nil {
		q.Each(t)
	}
	return t, err
}

// Ticket reads one ticket with its stats and requester; [transport.IsNotFound] tells that there is
// none of that id. A deleted or spam ticket is read like any other, and says so.
func (c *Client) Ticket(ctx context.Context, id int64) (Ticket, error) {
	request := one{
		path: "/tickets/" + strconv.FormatInt(id, 10), endpoint: "/tickets/{id}",
		bucket: bucketTicket, include: []string{"stats", "requester"}, envelopes: []string{"ticket", "tickets"},
	}
	ticket, err := readOne(ctx, c, request, decodeTicket)
	if transport.StatusOf(err) == http.StatusBadRequest { // an account that refuses embeds
		request.include = nil
		ticket, err = readOne(ctx, c, request, decodeTicket)
	}
	if err != nil {
		return ticket, fmt.Errorf("reading ticket %d: %w", id, err)
	}
	return ticket, nil
}

// TicketURL is where a person finds the ticket, empty without web domain.
func (c *Client) TicketURL(id int64) string {
	if c.web == "" {
		return ""
	}
	return c.web + "/a/tickets/" + strconv.FormatInt(id, 10)
}
