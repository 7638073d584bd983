package freshservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// TimeEntry is time that an agent spent on a ticket.
type TimeEntry struct {
	ID           int64
	AgentID      *int64
	Spent        codex.Seconds
	Billable     *bool // nil where it is not told
	TimerRunning bool  // Spent is not final yet
	ExecutedAt   *time.Time
	Note         *string
	CreatedAt    *time.Time
	UpdatedAt    *time.Time
}

func decodeTimeEntry(raw json.RawMessage) (TimeEntry, error) {
	o := wire.Open(raw)
	entry := TimeEntry{
		ID:           o.ID("id"),
		AgentID:      o.OptID("agent_id"),
		Billable:     o.OptBool("billable"),
		TimerRunning: o.Bool("timer_running"),
		ExecutedAt:   o.Time("executed_at"),
		Note:         o.OptText("note"),
		CreatedAt:    o.Time("created_at"),
		UpdatedAt:    o.Time("updated_at"),
	}
	spent, err := ParseTimeSpent(o.Text("time_spent"))
	if err != nil {
		o.Refuse("time_spent", err.Error())
	}
	entry.Spent = spent
	return entry, o.Err()
}

// TimeEntries lists all time entries of a ticket. A ticket that Freshservice answers 404 for has
// none: that is how it shows the sub-lists of a deleted one.
func (c *Client) TimeEntries(ctx context.Context, ticketID int64) (wire.Listing[TimeEntry], error) {
	list, err := listAll(ctx, c, resource[TimeEntry]{
		path:     "/tickets/" + strconv.FormatInt(ticketID, 10) + "/time_entries",
		endpoint: "/tickets/{id}/time_entries", envelope: "time_entries",
		decode: decodeTimeEntry, key: func(e TimeEntry) int64 { return e.ID },
	})
	if transport.IsNotFound(err) {
		return wire.Listing[TimeEntry]{Items: []TimeEntry{}, Complete: true}, nil
	}
	if err != nil {
		return list, fmt.Errorf("listing time entries of ticket %d: %w", ticketID, err)
	}
	return list, nil
}

// maxSpentHours is more than a century: what is beyond is a defect, and would overflow sums.
const maxSpentHours = 1_000_000

// ParseTimeSpent takes Freshservice's time_spent: "hh:mm", or "hh:mm:ss", which is undocumented;
// hours may pass 24. Empty text is no time.
func ParseTimeSpent(text string) (codex.Seconds, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, errors.New("not in the form hh:mm")
	}
	total, unit := int64(0), int64(3600)
	for _, part := range parts {
		number, err := strconv.ParseUint(part, 10, 32)
		if err != nil || number > maxSpentHours {
			return 0, errors.New("not in the form hh:mm")
		}
		total += int64(number) * unit
		unit /= 60
	}
	return codex.Seconds(total), nil
}
