package syncers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hivematrix/codex/store"
)

// heldChanges are the tickets that stay although they are gone or have moved: they are many, so
// nothing is read of them but what names them.
func (r *ticketRun) heldChanges(ctx context.Context, c ticketChoice) ([]change, error) {
	ids := slices.Sorted(maps.Keys(c.held))
	if len(ids) == 0 {
		return nil, nil
	}
	subjects := make(map[int]string, len(ids))
	err := r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		condition, arg := store.KeyArg(tx.Dialect(), "ticket_id", "$1", ids)
		rows, err := tx.SQL().QueryContext(ctx, "SELECT ticket_id, subject FROM tickets WHERE "+condition, arg)
		if err != nil {
			return fmt.Errorf("reading the subjects of held tickets: %w", err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id int
			var subject string
			if err := rows.Scan(&id, &subject); err != nil {
				return fmt.Errorf("reading the subjects of held tickets: %w", err)
			}
			subjects[id] = subject
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	list := make([]change, 0, len(ids))
	for _, id := range ids {
		row := c.rows[id]
		h := change{entity: tickets().Name, kind: changeHeld, record: strconv.Itoa(id), label: subjects[id], account: row.account}
		if to := c.movesTo(id); to != "" {
			h.fields = []fieldChange{{Field: accountColumn, Old: shownValue(row.account), New: shownValue(to)}}
		}
		list = append(list, h)
	}
	return list, nil
}
