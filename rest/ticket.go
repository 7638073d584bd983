package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/ticket"
)

// ticketJSON is a ticket (docs/compatibility.md, "Ticket").
type ticketJSON struct {
	TicketID        int             `json:"ticket_id"`
	TicketNumber    string          `json:"ticket_number"`
	Subject         string          `json:"subject"`
	Description     string          `json:"description"`
	DescriptionText string          `json:"description_text"`
	Status          string          `json:"status"`
	Priority        string          `json:"priority"`
	RequesterEmail  *string         `json:"requester_email"`
	RequesterName   *string         `json:"requester_name"`
	CreatedAt       string          `json:"created_at"`
	LastUpdatedAt   string          `json:"last_updated_at"` // decides the month of the bill
	ClosedAt        *string         `json:"closed_at"`
	TotalHoursSpent hours           `json:"total_hours_spent"`
	Conversations   json.RawMessage `json:"conversations"`
	Notes           json.RawMessage `json:"notes"`
}

// ticketColumns are the columns that ticketForm reads.
func ticketColumns() []string {
	return []string{
		ticket.FieldID, ticket.FieldSubject, ticket.FieldDescription, ticket.FieldDescriptionText,
		ticket.FieldStatus, ticket.FieldPriority, ticket.FieldRequesterEmail,
		ticket.FieldRequesterName, ticket.FieldCreatedAt, ticket.FieldLastUpdatedAt,
		ticket.FieldClosedAt, ticket.FieldSpentSeconds, ticket.FieldUnbillableSeconds,
		ticket.FieldConversations, ticket.FieldNotes,
	}
}

// ticketForm takes the seconds apart from the row: the 0.25 h rule is package query's.
func ticketForm(t *ent.Ticket, spent codex.Seconds) ticketJSON {
	form := ticketJSON{
		TicketID:        t.ID,
		TicketNumber:    strconv.Itoa(t.ID),
		Subject:         t.Subject,
		Description:     t.Description,
		DescriptionText: t.DescriptionText,
		Status:          t.Status,
		Priority:        t.Priority,
		RequesterEmail:  t.RequesterEmail,
		RequesterName:   t.RequesterName,
		CreatedAt:       wholeSeconds(t.CreatedAt),
		LastUpdatedAt:   wholeSeconds(t.LastUpdatedAt),
		TotalHoursSpent: hours(spent.Hours()),
		Conversations:   storedArray(t.Conversations),
		Notes:           storedArray(t.Notes),
	}
	if t.ClosedAt != nil {
		closed := wholeSeconds(*t.ClosedAt)
		form.ClosedAt = &closed
	}
	return form
}

// hours is a float that is written with a decimal point always, as the old service did: for a
// caller who tells integers from floats, 1.0 hours shall not be 1.
type hours float64

// MarshalJSON writes the shortest text that is h.
func (h hours) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(h), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// wholeSeconds cuts a fraction off: for Ledger one in a month's last second would be in no month.
func wholeSeconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// storedArray is a column that holds a JSON array.
func storedArray(text string) json.RawMessage {
	if text == "" {
		text = "[]"
	}
	return json.RawMessage(text)
}

func (s *service) tickets(w http.ResponseWriter, r *http.Request) error {
	filter, err := s.ticketFilter(r)
	if err != nil {
		return err
	}
	return children[*ent.Ticket, ticketJSON]{
		about: subject{Kind: "tickets", Entities: []string{ofTickets}, Tickets: &filter},
		read: func(ctx context.Context, v moment, accounts []codex.AccountNumber) (map[codex.AccountNumber][]*ent.Ticket, error) {
			return v.TicketsByCompany(ctx, accounts, filter, ticketColumns()...)
		},
		form: func(v moment, t *ent.Ticket) ticketJSON { return ticketForm(t, v.TicketSeconds(t)) },
	}.serve(s, w, r)
}
