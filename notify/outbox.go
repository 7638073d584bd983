package notify

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/store"
)

// Daily is how often something that lasts is told again. Whoever has missed the first time learns of
// it within a day, and nobody is told ninety-six times that an upstream is down.
const Daily = 24 * time.Hour

// Outbox is where events are put. The zero value is that of a hub to which nobody listens: it takes
// them and writes nothing.
type Outbox struct{ open bool }

// NewOutbox is the outbox of a hub; listens tells whether there is a section [notify].
func NewOutbox(listens bool) Outbox { return Outbox{open: listens} }

// Listens tells whether anybody is told anything, for who would have to read what an event says.
func (o Outbox) Listens() bool { return o.open }

// Enqueue tells that e happened. It is written in tx, the transaction that writes what happened.
func (o Outbox) Enqueue(ctx context.Context, tx *store.Tx, e Event) error {
	if !o.open {
		return nil
	}
	id, err := uuid.NewV7() // in the order in which they are made, for events of the same moment
	if err != nil {
		return fmt.Errorf("queueing an event %s: %w", e.Kind, err)
	}
	body, err := e.body(id.String(), tx.Now())
	if err != nil {
		return err
	}
	err = tx.Ent().Notification.Create().SetID(id.String()).SetKind(string(e.Kind)).SetSubject(e.Subject).SetBody(body).
		SetCreatedAt(tx.Now()).SetNextAt(tx.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("queueing an event %s: %w", e.Kind, err)
	}
	return nil
}

// Standing tells that e is the state of its subject: when that is news, and once a day while it lasts.
func (o Outbox) Standing(ctx context.Context, tx *store.Tx, e Event) error {
	if !o.open {
		return nil
	}
	last, err := lastOf(ctx, tx, e.Subject)
	if err != nil || !isNews(last, e.Kind, tx.Now()) {
		return err
	}
	return o.Enqueue(ctx, tx, e)
}

// Settled tells that its subject is well again, where it was told otherwise.
func (o Outbox) Settled(ctx context.Context, tx *store.Tx, e Event) error {
	if !o.open {
		return nil
	}
	last, err := lastOf(ctx, tx, e.Subject)
	if err != nil || last == nil || Kind(last.Kind) == e.Kind {
		return err
	}
	return o.Enqueue(ctx, tx, e)
}

// isNews decides whether a state is told, of which last is what was told of the subject last.
func isNews(last *ent.Notification, kind Kind, now time.Time) bool {
	return last == nil || Kind(last.Kind) != kind || !now.Before(last.CreatedAt.Add(Daily))
}

// lastOf is the newest event about a subject; nil where there is none.
func lastOf(ctx context.Context, tx *store.Tx, subject string) (*ent.Notification, error) {
	rows, err := tx.Ent().Notification.Query().Where(notification.Subject(subject)).
		Select(notification.FieldKind, notification.FieldCreatedAt).
		Order(notification.ByCreatedAt(sql.OrderDesc()), notification.ByID(sql.OrderDesc())).Limit(1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what was told of %s: %w", subject, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return rows[0], nil
}
