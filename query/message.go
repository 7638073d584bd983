package query

import (
	"encoding/json"
	"fmt"
	"time"
)

// TicketMessage is an entry of a ticket's conversations or notes. Its JSON is what is stored, and
// what REST serves (docs/compatibility.md, "Ticket").
type TicketMessage struct {
	ID           int64    `json:"id"`
	Body         string   `json:"body"`
	BodyHTML     string   `json:"body_html"`
	FromEmail    *string  `json:"from_email"`
	ToEmails     []string `json:"to_emails"`
	Created      *string  `json:"created_at"`
	Updated      *string  `json:"updated_at"`
	Incoming     bool     `json:"incoming"`
	Private      bool     `json:"private"`
	UserID       *int64   `json:"user_id"`
	SupportEmail *string  `json:"support_email"`
}

// CreatedAt is when it was written; nil where its upstream told no time.
func (m TicketMessage) CreatedAt() *time.Time { return moment(m.Created) }

// UpdatedAt is when it was last changed; nil where its upstream told no time.
func (m TicketMessage) UpdatedAt() *time.Time { return moment(m.Updated) }

// Messages reads the conversations or notes of a ticket as they are stored.
func Messages(stored string) ([]*TicketMessage, error) {
	var messages []*TicketMessage
	if stored == "" {
		return messages, nil
	}
	if err := json.Unmarshal([]byte(stored), &messages); err != nil {
		return nil, fmt.Errorf("reading what was written on a ticket: %w", err)
	}
	return messages, nil
}

// Texts reads a list of texts (domains, secondary e-mail addresses) as it is stored: a JSON array,
// or nil for none.
func Texts(stored *string) ([]string, error) {
	if stored == nil || *stored == "" {
		return []string{}, nil
	}
	texts := []string{}
	if err := json.Unmarshal([]byte(*stored), &texts); err != nil {
		return nil, fmt.Errorf("reading a list of texts: %w", err)
	}
	return texts, nil
}

func moment(text *string) *time.Time {
	if text == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return nil
	}
	t = t.UTC()
	return &t
}
