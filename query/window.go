package query

import (
	"context"
	"fmt"
	"time"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/ticket"
)

// OldestTicketSince is when that ticket was last updated which is the first to leave a window that
// began at from and moves on with the clock; nil where the window is empty. It counts every stored
// ticket, served or not: until one of them has left, the window has the same tickets, as long as nobody
// writes.
func (r *Reader) OldestTicketSince(ctx context.Context, from time.Time) (*time.Time, error) {
	oldest, err := r.client.Ticket.Query().Where(ticket.LastUpdatedAtGTE(from)).
		Order(ticket.ByLastUpdatedAt()).Select(ticket.FieldLastUpdatedAt).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the oldest ticket since %v: %w", from, err)
	}
	return &oldest.LastUpdatedAt, nil
}
