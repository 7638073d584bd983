package query

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/notification"
)

// notifications are those that nobody has, or all.
func (r *Reader) notifications(delivered bool) *ent.NotificationQuery {
	query := r.client.Notification.Query()
	if !delivered {
		query.Where(notification.DeliveredAtIsNil())
	}
	return query
}

// Notifications are what was told or is to be told of what needs a person, newest first: those that wait
// or were given up, and, if delivered, the others too.
func (r *Reader) Notifications(ctx context.Context, p Page, delivered bool) (*PageOf[*ent.Notification], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	query := r.notifications(delivered)
	if p.After != "" {
		keys, err := decodeCursor(p.After, byNewestEvent, 2)
		if err != nil {
			return nil, err
		}
		at, err := timeKey(keys[0])
		if err != nil {
			return nil, codex.BadInput("after", noSuchCursor)
		}
		query.Where(notification.Or(
			notification.CreatedAtLT(at),
			notification.And(notification.CreatedAt(at), notification.IDLT(keys[1])),
		))
	}
	rows, err := query.Order(notification.ByCreatedAt(sql.OrderDesc()), notification.ByID(sql.OrderDesc())).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading notifications: %w", err)
	}
	return cut(p, rows, func(row *ent.Notification) string {
		return encodeCursor(byNewestEvent, row.CreatedAt.UTC().Format(time.RFC3339Nano), row.ID)
	}), nil
}

// CountNotifications is how many that list has.
func (r *Reader) CountNotifications(ctx context.Context, delivered bool) (int, error) {
	n, err := r.notifications(delivered).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting notifications: %w", err)
	}
	return n, nil
}
