package archive_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
		refused(t, err, codex.CodeBadInput, "[archive] publish names no place to publish at")

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
		if err := os.WriteFile(path, nil, 0o644); err != nil { // made by hand, for the hub to write to
			t.Fatal(err)
		}
		if signed, err := a.Publish(t.Context()); err != nil || read(t, path) != signed.Note {
			t.Errorf("%+v, %v", signed, err)
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

// Of two replicas that publish at once, the one with the earlier checkpoint comes last.
func TestALaterCheckpointThatIsPublishedIsNotWrittenOverByAnEarlierOne(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	a := open(t, db)
	path := filepath.Join(t.TempDir(), "codex.checkpoint")
	var notes []string
	for _, number := range []string{"first", "second"} {
		accept(t, a, bill(t, invoice, number))
		notes = append(notes, storedCheckpoints(t, db)[len(notes)].Note)
	}
	for _, i := range []int{1, 0} {
		if err := archive.PublishFile(path).Publish(t.Context(), []byte(notes[i])); err != nil || read(t, path) != notes[1] {
			t.Errorf("%v, published is %s", err, read(t, path))
		}
	}
}

// Database and instance folder came back from the same old backup while the place of publishing was not
// there, and the hub went on. What was published is the only thing that tells, so it stays.
func TestWhatWasPublishedIsNotWrittenOverByAnotherHistory(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			home, published := t.TempDir(), filepath.Join(t.TempDir(), "codex.checkpoint")
			publishing := func(o *archive.Options) { o.Publish = archive.PublishFile(published) }
			opened(t, database, func(db *store.DB) { accept(t, open(t, db, folder(home)), bill(t, invoice, "kept")) })
			outside := filepath.Join(home, "archive.checkpoint")
			old := read(t, outside)
			backup := database.Backup(t)
			opened(t, database, func(db *store.DB) {
				a := open(t, db, folder(home), publishing)
				accept(t, a, bill(t, invoice, "lost"))
				if _, err := a.Publish(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			before := read(t, published)
			put := func(path, text string) {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(outside, old)
			opened(t, backup, func(db *store.DB) {
				accept(t, open(t, db, folder(home)), bill(t, invoice, "elsewhere"))
				a := open(t, db, folder(home), publishing)
				for i := range 2 { // of the same length, and longer
					_, err := a.Publish(t.Context())
					if reasonOf(err) != archive.StopContradicts || read(t, published) != before ||
						!strings.Contains(err.Error(), "put what was published into the place of "+outside) {
						t.Errorf("%v, published is %s", err, read(t, published))
					}
					accept(t, a, bill(t, invoice, fmt.Sprintf("elsewhere-%d", i)))
				}
				put(outside, before) // as it says
				epoch, err := a.OpenEpoch(t.Context(), "the machine burnt", admin())
				if err != nil || epoch.LostCheckpoint != before {
					t.Fatalf("%+v, %v", epoch, err)
				}
				if signed, err := a.Publish(t.Context()); err != nil || signed.Epoch != 2 || read(t, published) != signed.Note {
					t.Errorf("%+v, %v", signed, err)
				}
			})
		})
	}
}

// logged is a logger that counts the lines at warning or above that have a text in them.
func logged(t *testing.T, a *archive.Options) func(text string) int {
	t.Helper()
	lines := &lines{}
	a.Logger = slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return lines.count
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func TestALogWithoutACheckpointOutsideSaysSoAtItsStart(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home := t.TempDir()
		var count func(string) int
		start := func() int {
			a := open(t, db, folder(home), func(o *archive.Options) { count = logged(t, o) })
			a.Start(t.Context())
			return count("there is no log checkpoint outside the database")
		}
		if n := start(); n != 0 {
			t.Errorf("an empty log warns: %d", n)
		}
		accept(t, open(t, db, folder(home)), bill(t))
		if n := start(); n != 0 {
			t.Errorf("a log with its checkpoint warns: %d", n)
		}
		if err := os.Remove(filepath.Join(home, "archive.checkpoint")); err != nil {
			t.Fatal(err)
		}
		if n := start(); n != 1 {
			t.Errorf("a log that lost its checkpoint warns %d times", n)
		}
	})
}

func TestWhatNeedsAttentionIsLoggedOnce(t *testing.T) {
	db := storetest.Open(t, "sqlite3", storetest.Now(now))
	home, published := t.TempDir(), filepath.Join(t.TempDir(), "codex.checkpoint")
	accept(t, open(t, db, folder(home)), bill(t))
	if err := os.WriteFile(published, []byte("another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var count func(string) int
	a := open(t, db, folder(home), func(o *archive.Options) {
		count = logged(t, o)
		o.Publish, o.Every = archive.PublishFile(published), time.Hour
	})
	a.Start(t.Context())
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Keep(ctx) }()
	time.Sleep(50 * time.Millisecond) // its first look
	end()
	<-ended
	if n := count("needs attention"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

// What another machine signed is kept in this one's file, too, within a minute.
func TestAServeKeepsWhatAnotherMachineSigned(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		home, other := t.TempDir(), t.TempDir()
		accept(t, open(t, db, folder(home)), bill(t))
		if err := os.WriteFile(filepath.Join(other, "archive.key"), []byte(read(t, filepath.Join(home, "archive.key"))), 0o600); err != nil {
			t.Fatal(err)
		}
		replica := open(t, db, folder(other), func(o *archive.Options) { o.Every = time.Millisecond })
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); replica.Keep(ctx) }()
		defer func() { end(); <-ended }()
		accept(t, open(t, db, folder(home)), bill(t, invoice, "second"))
		want := read(t, filepath.Join(home, "archive.checkpoint"))
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			kept, err := os.ReadFile(filepath.Join(other, "archive.checkpoint"))
			if err == nil && string(kept) == want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("its file has\n%s\nwant\n%s", kept, want)
			}
		}
	})
}

// What nobody signed is signed while a serve runs.
func TestAServeSignsWhatIsNotSigned(t *testing.T) {
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
