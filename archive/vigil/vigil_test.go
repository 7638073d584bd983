package vigil_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
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
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/archive/vigil"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logverification"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// hub is an archive of one bill on a clock that a test sets.
type hub struct {
	t  *testing.T
	db *store.DB

	mu    sync.Mutex
	at    time.Time
	trust func() (audit.Options, error)
}

func (h *hub) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hub) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func (h *hub) trusts(trust func() (audit.Options, error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trust = trust
}

func (h *hub) trusted() (audit.Options, error) {
	h.mu.Lock()
	trust := h.trust
	h.mu.Unlock()
	return trust()
}

// each runs fn on both databases. key signs, and own is what the hub trusts where nothing is wrong.
func each(t *testing.T, fn func(t *testing.T, h *hub, key *proof.SigningKey, own func() (audit.Options, error))) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			h := &hub{t: t, at: time.Date(2025, 11, 1, 2, 0, 3, 0, time.UTC)}
			h.db = storetest.Open(t, dialectName, storetest.Now(h.now))
			home := t.TempDir()
			body, err := os.ReadFile("../testdata/ledger.json")
			h.must(err)
			submission, err := archive.ParseSubmission(body)
			h.must(err)
			a := archive.New(archive.Options{
				DB: h.db, KeyFile: filepath.Join(home, "archive.key"), NewOrigin: "codex.example.com/archive", Random: rand.Reader,
				Logger: slog.New(slog.DiscardHandler),
			})
			_, err = a.Accept(t.Context(), submission, codex.Caller{Name: "service:ledger"})
			h.must(err)
			_, err = a.Checkpoint(t.Context())
			h.must(err)
			secret, err := os.ReadFile(filepath.Join(home, "archive.key"))
			h.must(err)
			key, err := proof.ParseSigningKey(codex.Secret(secret))
			h.must(err)
			own := func() (audit.Options, error) {
				against, err := os.ReadFile(filepath.Join(home, "archive.checkpoint"))
				return audit.Options{Key: key.VerifierKey(), Against: against, AgainstOwn: true}, err
			}
			h.trust = own
			fn(t, h, key, own)
		})
	}
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// serve has one more process verify until stop is called or the test ends.
func (h *hub) serve(every time.Duration) (stop func()) {
	h.t.Helper()
	v := vigil.New(vigil.Options{
		DB: h.db, Every: every, Trust: h.trusted, Notify: notify.NewOutbox(true), Look: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
	})
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.Serve(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	h.t.Cleanup(stop)
	return stop
}

func (h *hub) verifications() []*ent.LogVerification {
	h.t.Helper()
	rows, err := h.db.Ent().LogVerification.Query().Order(logverification.ByID()).All(h.t.Context())
	h.must(err)
	return rows
}

// until waits for the n-th verification, and sees that there is no other one at that time.
func (h *hub) until(n int) *ent.LogVerification {
	h.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for len(h.verifications()) < n {
		if time.Now().After(deadline) {
			h.t.Fatalf("there is no verification number %d", n)
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	rows := h.verifications()
	if len(rows) != n {
		h.t.Fatalf("there are %d verifications, want %d", len(rows), n)
	}
	return rows[n-1]
}

func (h *hub) told() (kinds []string, text string) {
	h.t.Helper()
	rows, err := h.db.Ent().Notification.Query().Order(notification.ByCreatedAt(), notification.ByID()).All(h.t.Context())
	h.must(err)
	for _, row := range rows {
		kinds = append(kinds, row.Kind)
		var body struct{ Text string }
		h.must(json.Unmarshal([]byte(row.Body), &body))
		text = body.Text
	}
	return kinds, text
}

func TestTheLogIsVerifiedDailyByOneOfAllReplicas(t *testing.T) {
	each(t, func(t *testing.T, h *hub, _ *proof.SigningKey, _ func() (audit.Options, error)) {
		for range 3 {
			h.serve(24 * time.Hour)
		}
		for day := 1; day <= 3; day++ {
			got := h.until(day)
			if !got.Ok || got.Failures != 0 || got.Findings != "[]" || got.Epoch != 1 || got.Size != 1 || got.Error != nil || !got.EndedAt.Equal(h.now()) {
				t.Errorf("day %d: %+v", day, got)
			}
			h.pass(24*time.Hour - time.Microsecond)
			h.until(day) // not yet
			h.pass(time.Microsecond)
		}
		if kinds, _ := h.told(); len(kinds) != 0 {
			t.Errorf("told was %q", kinds)
		}
	})
}

func TestALogThatDoesNotVerifyIsToldOnceADayAndThatItDoesAgain(t *testing.T) {
	each(t, func(t *testing.T, h *hub, key *proof.SigningKey, own func() (audit.Options, error)) {
		later, err := proof.SignCheckpoint(proof.Checkpoint{Origin: key.VerifierKey().Origin(), Epoch: 1, Size: 7, Root: proof.LeafHash([]byte("lost"))}, key)
		h.must(err)
		h.trusts(func() (audit.Options, error) { return audit.Options{Key: key.VerifierKey(), Against: later}, nil })
		h.serve(6 * time.Hour)
		for n := 1; n <= 5; n++ {
			got := h.until(n)
			var findings []string
			h.must(json.Unmarshal([]byte(got.Findings), &findings))
			if got.Ok || got.Failures != 1 || len(findings) != 1 || !strings.HasPrefix(findings[0], "behind: ") || got.Error != nil {
				t.Fatalf("number %d: %+v", n, got)
			}
			_, text := h.told()
			want := "Archived bills are not as they were logged. Keep the database as it is, and see codex archive verify, which names everything.\n" + findings[0]
			if text != want {
				t.Errorf("told was %q, want %q", text, want)
			}
			h.pass(6 * time.Hour)
		}
		if kinds, _ := h.told(); !slices.Equal(kinds, []string{"log.unverified", "log.unverified"}) {
			t.Errorf("within 24 hours and at their end told was %q", kinds)
		}
		h.trusts(own)
		h.pass(6 * time.Hour)
		for len(h.verifications()) < 7 || !h.verifications()[len(h.verifications())-1].Ok {
			h.pass(time.Hour)
			time.Sleep(5 * time.Millisecond)
		}
		if kinds, text := h.told(); kinds[len(kinds)-1] != "log.verified" || text != "The log of archived bills verifies again." {
			t.Errorf("told was %q, %s", kinds, text)
		}
	})
}

func TestWhatCouldNotBeFoundOutIsToldAndTriedAgainWithinAnHour(t *testing.T) {
	const checkpoint = "The log checkpoint that is kept outside the database is none of this log: "
	for _, c := range []struct {
		name  string
		trust func(key *proof.SigningKey) (audit.Options, error)
		says  func(said string) bool
	}{
		{"a checkpoint that is none", func(key *proof.SigningKey) (audit.Options, error) {
			return audit.Options{Key: key.VerifierKey(), Against: []byte("hello\n")}, nil
		}, func(said string) bool { return strings.HasPrefix(said, checkpoint) }},
		{"a file that cannot be read", func(*proof.SigningKey) (audit.Options, error) {
			return audit.Options{}, errors.New("hidden detail")
		}, func(said string) bool { return said == "It could not be found out; the hub's log says why." }},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *hub, key *proof.SigningKey, own func() (audit.Options, error)) {
				h.trusts(func() (audit.Options, error) { return c.trust(key) })
				h.serve(24 * time.Hour)
				got := h.until(1)
				if got.Ok || got.Error == nil || !c.says(*got.Error) || got.Epoch != 0 {
					t.Fatalf("%+v: %v", got, got.Error)
				}
				if kinds, text := h.told(); !slices.Equal(kinds, []string{"log.unverified"}) || text != "The log of archived bills could not be verified. "+*got.Error {
					t.Errorf("told was %q: %s", kinds, text)
				}
				h.trusts(own)
				h.pass(time.Hour)
				if again := h.until(2); !again.Ok {
					t.Errorf("%+v", again)
				}
			})
		})
	}
}

func TestNeverIsNever(t *testing.T) {
	each(t, func(t *testing.T, h *hub, _ *proof.SigningKey, _ func() (audit.Options, error)) {
		vigil.New(vigil.Options{DB: h.db, Trust: h.trusted, Look: time.Millisecond, Logger: slog.New(slog.DiscardHandler)}).Serve(t.Context()) // returns
		if n := len(h.verifications()); n != 0 {
			t.Errorf("there are %d", n)
		}
	})
}

// TestOneWhoseLeaseWasTakenWritesNothing: a process that was presumed dead wakes up while it verifies.
func TestOneWhoseLeaseWasTakenWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hub, _ *proof.SigningKey, own func() (audit.Options, error)) {
		var once sync.Once
		taken := make(chan struct{})
		h.trusts(func() (audit.Options, error) {
			once.Do(func() {
				_, err := h.db.SQL().ExecContext(t.Context(), "UPDATE leases SET expires = 0 WHERE name = 'log-verification'")
				h.must(err)
				_, err = h.db.Acquire(t.Context(), "log-verification", "another", time.Hour)
				h.must(err)
				close(taken)
			})
			return own()
		})
		stop := h.serve(24 * time.Hour)
		<-taken
		time.Sleep(300 * time.Millisecond) // more than it takes
		stop()
		if n := len(h.verifications()); n != 0 {
			t.Errorf("it wrote %d", n)
		}
	})
}
