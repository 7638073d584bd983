package notify

import (
	"context"
	"fmt"
	"net/url"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Tried is what came back of a test event.
type Tried struct {
	ID        string // of the event that was sent
	Delivered bool   // the receiver answered 2xx
	Status    int    // what it answered; 0 where nothing came back
	Message   string // what came back, or why nothing did, for people
}

// nobody is the error of what takes a webhook where there is none.
func nobody() error {
	return codex.Errorf(codex.CodeConflict, "nobody is told anything: section [notify] is missing in the configuration (docs/notifications.md)")
}

// Try sends a test event at once, past the outbox, and tells what came back. A receiver that does not
// take it is no error; that there is none is a [codex.CodeConflict] one.
func (n *Notifier) Try(ctx context.Context, by codex.Caller) (*Tried, error) {
	if n.sender == nil {
		return nil, nobody()
	}
	id := uuid.NewString()
	body, err := Event{
		Kind: Test, Subject: "test", Text: by.Name + " tries the webhook. Nothing has happened.",
		Facts: map[string]any{"requested_by": by.Name},
	}.body(id, n.db.Now())
	if err != nil {
		return nil, err
	}
	got, err := n.sender.post(ctx, id, Test, []byte(body))
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("trying the webhook: %w", context.Cause(ctx))
		}
		return &Tried{ID: id, Message: err.Error()}, nil
	}
	return &Tried{ID: id, Delivered: got.taken(), Status: got.status, Message: got.String()}, nil
}

// Host is where events go, as far as it may be shown; empty where nobody listens.
func (n *Notifier) Host() string {
	if n.sender == nil {
		return ""
	}
	u, err := url.Parse(n.sender.address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Redeliver queues a notification again, whether it was delivered, given up or waits: it is tried at
// once, and as often as a new one. Errors: [codex.CodeNotFound] where there is none of that id,
// [codex.CodeConflict] where nobody listens.
func (n *Notifier) Redeliver(ctx context.Context, id string) (row *ent.Notification, err error) {
	if n.sender == nil {
		return nil, nobody()
	}
	err = n.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err = tx.Ent().Notification.UpdateOneID(id).
			SetNextAt(tx.Now()).SetAttempts(0).ClearDeliveredAt().ClearGaveUpAt().ClearLastError().Save(ctx)
		if ent.IsNotFound(err) {
			return codex.Errorf(codex.CodeNotFound, "there is no notification %s", id)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("delivering a notification again: %w", err)
	}
	return row, nil
}
