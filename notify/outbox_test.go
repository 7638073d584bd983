package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// write runs fn in a write transaction.
func write(t *testing.T, db *store.DB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// rows are the notifications there are, oldest first.
func rows(t *testing.T, db *store.DB) []*ent.Notification {
	t.Helper()
	all, err := db.Ent().Notification.Query().Order(notification.ByCreatedAt(sql.OrderAsc()), notification.ByID()).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnEventIsARowWithTheBodyThatIsSent(t *testing.T) {
	c := newClock()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return notify.NewOutbox(true).Enqueue(ctx, tx, notify.Event{
				Kind: notify.SyncHeld, Subject: notify.FeedSubject("datto"), Text: "30 machines are gone.",
				Facts: map[string]any{"run_id": "r1", "held": 30},
			})
		})
		row := rows(t, db)[0]
		want := `{"id":"` + row.ID + `","kind":"sync.held","subject":"feed/datto","text":"30 machines are gone.",` +
			`"created_at":"2025-11-01T02:00:03.25Z","facts":{"held":30,"run_id":"r1"}}`
		if row.Body != want || row.Kind != "sync.held" || row.Subject != "feed/datto" || row.Attempts != 0 || row.NextAt == nil ||
			!row.NextAt.Equal(c.now()) || !row.CreatedAt.Equal(c.now()) || row.DeliveredAt != nil || row.GaveUpAt != nil || row.LastError != nil {
			t.Errorf("the row is %+v", row)
		}
	}, storetest.Now(c.now))
}

func TestAnEventIsThereWithWhatItTellsOfOrNeitherIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		failed := errors.New("what happened could not be written")
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if err := notify.NewOutbox(true).Enqueue(ctx, tx, failure()); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) || len(rows(t, db)) != 0 {
			t.Errorf("%v, and %d rows", err, len(rows(t, db)))
		}
	})
}

func TestWhereNobodyListensNothingIsWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			var nobody notify.Outbox
			return errors.Join(nobody.Enqueue(ctx, tx, failure()), nobody.Standing(ctx, tx, failure()), nobody.Settled(ctx, tx, failure()))
		})
		if len(rows(t, db)) != 0 {
			t.Error("there is a row")
		}
	})
}

func TestAnEventOfNoKindIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return notify.NewOutbox(true).Enqueue(ctx, tx, notify.Event{Kind: "sync.fialed"})
		})
		if err == nil {
			t.Error("it is taken")
		}
	})
}

func TestAnUpstreamsEndlessTextIsCut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return notify.NewOutbox(true).Enqueue(ctx, tx, notify.Event{Kind: notify.SyncFailed, Text: strings.Repeat("ä", 100_000)})
		})
		var body struct{ Text string }
		if err := json.Unmarshal([]byte(rows(t, db)[0].Body), &body); err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat("ä", 3999) + "…"; body.Text != want {
			t.Errorf("the text has %d bytes", len(body.Text))
		}
	})
}

// TestWhatLastsIsToldWhenItChangesAndDaily: the columns are when something is found, of which feed, and
// what; told says whether that is news.
func TestWhatLastsIsToldWhenItChangesAndDaily(t *testing.T) {
	const quarter = 15 * time.Minute
	steps := []struct {
		after time.Duration
		feed  string
		kind  notify.Kind
		told  bool
	}{
		{0, "datto", notify.SyncRecovered, false}, // nothing was wrong
		{quarter, "datto", notify.SyncFailed, true},
		{quarter, "datto", notify.SyncFailed, false},
		{quarter, "tickets", notify.SyncFailed, true}, // another feed is another matter
		{quarter, "datto", notify.SyncPartial, true},  // it changed
		{quarter, "datto", notify.SyncFailed, true},
		{24*time.Hour - time.Microsecond, "datto", notify.SyncFailed, false},
		{time.Microsecond, "datto", notify.SyncFailed, true}, // a day
		{quarter, "datto", notify.SyncFailed, false},
		{quarter, "datto", notify.SyncRecovered, true},
		{48 * time.Hour, "datto", notify.SyncRecovered, false}, // what is well is not repeated
		{quarter, "datto", notify.SyncFailed, true},            // again, so it is news
	}
	c := newClock()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c.set(newClock().now())
		outbox := notify.NewOutbox(true)
		for i, step := range steps {
			c.add(step.after)
			before := len(rows(t, db))
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				e := notify.Event{Kind: step.kind, Subject: "feed/" + step.feed}
				if step.kind == notify.SyncRecovered {
					return outbox.Settled(ctx, tx, e)
				}
				return outbox.Standing(ctx, tx, e)
			})
			if told := len(rows(t, db)) > before; told != step.told {
				t.Errorf("step %d, %s of %s: told %v", i+1, step.kind, step.feed, told)
			}
		}
	}, storetest.Now(c.now))
}

func TestKindsAreTheDocumentedWords(t *testing.T) {
	want := []notify.Kind{
		"sync.failed", "sync.partial", "sync.held", "sync.interrupted", "sync.recovered", "job.failed", "job.partial", "job.held",
		"job.blocked", "log.stopped", "log.resumed", "log.unverified", "log.verified", "test",
	}
	if !slices.Equal(notify.Kinds(), want) {
		t.Errorf("they are %q", notify.Kinds())
	}
}
