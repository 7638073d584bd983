package syncers

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Checkpoint is how far a feed has read. Its cursor moves at the end of a run alone; Done grows with
// each batch and is empty between runs, so that a run which goes on for a dead one fetches nothing
// twice.
type Checkpoint struct {
	Cursor time.Time // what was updated before it has been read; zero before the first run's end
	// ListedAt is when the last run began that has ended, by our clock: what came due since is read
	// again. Zero before.
	ListedAt time.Time
	Mode     codex.RunMode
	Done     map[int64]time.Time // the tickets of the unfinished run that are done, with the version read
}

// loadCheckpoint reads the feed's checkpoint; the zero one where there is none.
func loadCheckpoint(ctx context.Context, tx *store.Tx, feed codex.Feed) (Checkpoint, error) {
	row, err := tx.Ent().SyncCheckpoint.Get(ctx, feed)
	if ent.IsNotFound(err) {
		return Checkpoint{}, nil
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading the sync checkpoint: %w", err)
	}
	c := Checkpoint{Mode: codex.RunMode(row.RunMode)}
	if row.Cursor != nil {
		c.Cursor = row.Cursor.UTC()
	}
	if row.ListedAt != nil {
		c.ListedAt = row.ListedAt.UTC()
	}
	if err := json.Unmarshal([]byte(row.Done), &c.Done); err != nil {
		return Checkpoint{}, fmt.Errorf("reading the sync checkpoint of %s: %w", feed, err)
	}
	return c, nil
}

// checkpoints is the table sync_checkpoints, for bulk statements.
func checkpoints() store.Table {
	return store.Table{Name: "sync_checkpoints", Key: []string{"feed"}, Columns: []store.Column{
		{Name: "feed", Kind: store.Text}, {Name: "cursor", Kind: store.Time}, {Name: "run_id", Kind: store.Text},
		{Name: "run_mode", Kind: store.Text}, {Name: "done", Kind: store.Text}, {Name: "listed_at", Kind: store.Time},
	}}
}

func (c Checkpoint) save(ctx context.Context, tx *store.Tx, run codex.RunID, feed codex.Feed) error {
	done := c.Done
	if done == nil {
		done = map[int64]time.Time{}
	}
	row := []any{feed, orNone(c.Cursor), run, c.Mode, jsonText(done), orNone(c.ListedAt)}
	if err := tx.Upsert(ctx, checkpoints(), [][]any{row}); err != nil {
		return fmt.Errorf("writing the sync checkpoint: %w", err)
	}
	return nil
}

func orNone(t time.Time) sql.Null[time.Time] { return sql.Null[time.Time]{V: t, Valid: !t.IsZero()} }
