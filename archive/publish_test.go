package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// fakePublisher keeps what it was given, and says each time.
type fakePublisher struct {
	mu   sync.Mutex
	fail bool
	got  chan string
	last string
}

func (f *fakePublisher) Publish(_ context.Context, note []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail {
		f.got <- "failed"
		return errors.New("nobody is there")
	}
	f.last = string(note)
	f.got <- strings.Split(f.last, "\n")[1] // its size
	return nil
}

func (f *fakePublisher) Published(context.Context) ([]byte, error) { return nil, nil }

func TestTheNewestCheckpointStandsInTheFileThatIsConfigured(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		_, err := open(t, db).Publish(t.Context())
		refused(t, err, codex.CodeBadInput, "publish: [archive] publish names no place to publish at")

		home, path := t.TempDir(), filepath.Join(t.TempDir(), "codex.checkpoint")
		a := open(t, db, folder(home), func(o *archive.Options) { o.Publish = archive.PublishFile(path) })
		for i, number := range []string{"first", "second"} {
			accept(t, a, bill(t, invoice, number))
			signed, err := a.Publish(t.Context())
			if err != nil || signed.Size != int64(i+1) || read(t, path) != signed.Note {
				t.Errorf("%+v, %v", signed, err)
			}
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o644 { // it is for everybody
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if err := os.WriteFile(path, []byte("another's\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Publish(t.Context()); codex.CodeOf(err) != codex.CodeConflict || read(t, path) != "another's\n" {
			t.Error(err)
		}
	})
}

// A serve publishes at its start and then once on each day, and what cannot be published now is
// published later.
func TestAServePublishesAtItsStartAndDaily(t *testing.T) {
	var mu sync.Mutex
	at := now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); at = at.Add(d) }
	db := storetest.Open(t, "sqlite3", storetest.Now(clock))
	publisher := &fakePublisher{got: make(chan string, 100)}
	a := open(t, db, func(o *archive.Options) { o.Publish, o.Every = publisher, time.Millisecond })
	accept(t, a, bill(t))
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Keep(ctx) }()
	published := []string{<-publisher.got}
	accept(t, a, bill(t, invoice, "second"))
	later(24 * time.Hour)
	published = append(published, <-publisher.got)
	publisher.mu.Lock()
	publisher.fail = true
	publisher.mu.Unlock()
	later(24 * time.Hour)
	published = append(published, <-publisher.got)
	publisher.mu.Lock()
	publisher.fail = false
	publisher.mu.Unlock()
	later(15 * time.Minute)
	published = append(published, <-publisher.got)
	time.Sleep(20 * time.Millisecond) // some looks later: the day's is published
	end()
	<-ended
	if want := []string{"1", "2", "failed", "2"}; !slices.Equal(published, want) || len(publisher.got) != 0 {
		t.Errorf("published %v and %d more, want %v", published, len(publisher.got), want)
	}
}

// What another process signed, and what nobody signed, is looked after while a serve runs.
func TestAServeSignsWhatIsNotSignedAndKeepsWhatOthersSigned(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		unsigned := open(t, db, folder(home), func(o *archive.Options) { o.CheckpointFile = filepath.Join(home, "nowhere", "archive.checkpoint") })
		accept(t, unsigned, bill(t))
		a := open(t, db, folder(home), func(o *archive.Options) { o.Every = time.Millisecond })
		a.Start(t.Context())
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); a.Keep(ctx) }()
		defer func() { end(); <-ended }()
		for len(storedCheckpoints(t, db)) == 0 {
			time.Sleep(time.Millisecond)
		}
		if outside := read(t, filepath.Join(home, "archive.checkpoint")); outside != storedCheckpoints(t, db)[0].Note {
			t.Error(outside)
		}
	})
}
