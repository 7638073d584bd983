package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// Conversation is a reply or a note on a ticket. The ticket's description is not among them.
type Conversation struct {
	ID           int64
	UserID       *int64
	Body         *string // untrusted HTML
	BodyText     *string
	Incoming     bool
	Private      bool
	Source       *int64 // 0 e-mail, 1 form, 2 note, 3 status, 6 forward, and others
	SupportEmail *string
	FromEmail    *string
	ToEmails     []string
	CreatedAt    *time.Time
	UpdatedAt    *time.Time
}

func decodeConversation(raw json.RawMessage) (Conversation, error) {
	o := wire.Open(raw)
	conversation := Conversation{
		ID:           o.ID("id"),
		UserID:       o.OptID("user_id"),
		Body:         o.OptText("body"),
		BodyText:     o.OptText("body_text"),
		Incoming:     o.Bool("incoming"),
		Private:      o.Bool("private"),
		Source:       o.OptID("source"),
		SupportEmail: o.OptText("support_email"),
		FromEmail:    o.OptText("from_email"),
		ToEmails:     o.Texts("to_emails"),
		CreatedAt:    o.Time("created_at"),
		UpdatedAt:    o.Time("updated_at"),
	}
	return conversation, o.Err()
}

// Conversations lists all replies and notes of a ticket, from all pages. A ticket that Freshservice
// answers 404 for has none: that is how it shows the sub-lists of a deleted one.
func (c *Client) Conversations(ctx context.Context, ticketID int64) (wire.Listing[Conversation], error) {
	list, err := listAll(ctx, c, resource[Conversation]{
		path:     "/tickets/" + strconv.FormatInt(ticketID, 10) + "/conversations",
		endpoint: "/tickets/{id}/conversations", envelope: "conversations",
		decode: decodeConversation, key: func(m Conversation) int64 { return m.ID },
	})
	if transport.IsNotFound(err) {
		return wire.Listing[Conversation]{Items: []Conversation{}, Complete: true}, nil
	}
	if err != nil {
		return list, fmt.Errorf("listing conversations of ticket %d: %w", ticketID, err)
	}
	return list, nil
}
