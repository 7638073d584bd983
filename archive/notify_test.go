package archive_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

// said is what was told, oldest first: the kinds, and the newest text.
func said(t *testing.T, db *store.DB) (kinds []string, text string) {
	t.Helper()
	rows, err := db.Ent().Notification.Query().Order(notification.ByCreatedAt(), notification.ByID()).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		kinds = append(kinds, row.Kind+" "+row.Subject)
		var body struct{ Text string }
		if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
			t.Fatal(err)
		}
		text = body.Text
	}
	return kinds, text
}

// keep has a look after its log until stop is called.
func keep(t *testing.T, a *archive.Archive) (stop func()) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Keep(ctx) }()
	return func() { end(); <-ended }
}

func TestALogThatStopsIsToldOnceAndWhenItGoesOn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		listened := func(o *archive.Options) { o.Notify, o.Every = notify.NewOutbox(true), time.Millisecond }
		accept(t, open(t, db, folder(home)), bill(t))
		until := func(want ...string) string {
			t.Helper()
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
				kinds, text := said(t, db)
				if slices.Equal(kinds, want) {
					return text
				}
				if time.Now().After(deadline) {
					t.Fatalf("told was %q, want %q", kinds, want)
				}
			}
		}
		key := filepath.Join(home, "archive.key")
		if err := os.Rename(key, key+".away"); err != nil {
			t.Fatal(err)
		}
		deaf := keep(t, open(t, db, folder(home), func(o *archive.Options) { o.Every = time.Millisecond }))
		time.Sleep(50 * time.Millisecond)
		deaf()
		until() // nobody listens
		a := open(t, db, folder(home), listened)
		stop := keep(t, a)
		text := until("log.stopped log")
		stopped, err := a.Stopped(t.Context())
		if err != nil || stopped == nil || stopped.Reason != archive.StopKeyMissing || text != "The log of archived bills needs a person: "+stopped.Message+"." {
			t.Errorf("told was %q, and the log is stopped by %+v, %v", text, stopped, err)
		}
		time.Sleep(50 * time.Millisecond) // many looks
		stop()
		stop = keep(t, open(t, db, folder(home), listened)) // another process finds the same
		time.Sleep(50 * time.Millisecond)
		stop()
		until("log.stopped log")
		if err := os.Rename(key+".away", key); err != nil {
			t.Fatal(err)
		}
		defer keep(t, open(t, db, folder(home), listened))()
		until("log.stopped log", "log.resumed log")
		time.Sleep(50 * time.Millisecond)
		until("log.stopped log", "log.resumed log")
	})
}

func TestAReceiverOfCheckpointsThatIsDownIsNotForAPerson(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))
		stop := keep(t, open(t, db, folder(home), func(o *archive.Options) {
			o.Notify, o.Every = notify.NewOutbox(true), time.Millisecond
			o.Publish = archive.PublishFile(filepath.Join(home, "nowhere", "codex.checkpoint"))
		}))
		time.Sleep(50 * time.Millisecond)
		stop()
		if kinds, _ := said(t, db); len(kinds) != 0 {
			t.Errorf("told was %q", kinds)
		}
	})
}
