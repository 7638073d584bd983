package notify_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

const secret codex.Secret = "whsec-0123456789abcdef"

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2025, 11, 1, 2, 0, 3, 250_000_000, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func failure() notify.Event {
	return notify.Event{Kind: notify.SyncFailed, Subject: notify.FeedSubject("datto"), Text: "Datto RMM answers 401.", Facts: map[string]any{"feed": "datto"}}
}

// queue puts n events into the outbox.
func queue(t *testing.T, db *store.DB, n int) {
	t.Helper()
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		for range n {
			if err := notify.NewOutbox(true).Enqueue(ctx, tx, failure()); err != nil {
				return err
			}
		}
		return nil
	})
}

// delivery is what a receiver got.
type delivery struct {
	method, path, kind, id, contentType string
	body                                string
}

// receiver takes events, and says by how it answers whether it has them. It fails the test where a
// signature is not the secret's.
type receiver struct {
	*httptest.Server
	answer func(n int, w http.ResponseWriter, r *http.Request) // to the n-th request, from 1; nil: 200

	mu  sync.Mutex
	got []delivery
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // who sent it was killed
		}
		if err := verify(request.Header, body); err != nil {
			t.Error(err)
		}
		h := request.Header
		r.mu.Lock()
		r.got = append(r.got, delivery{
			method: request.Method, path: request.URL.RequestURI(), kind: h.Get("Codex-Event"), id: h.Get("Codex-Id"),
			contentType: h.Get("Content-Type"), body: string(body),
		})
		n := len(r.got)
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(n, w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// verify is what a receiver does with what it gets.
func verify(header http.Header, body []byte) error {
	var at int64
	if _, err := fmt.Sscan(header.Get("Codex-Timestamp"), &at); err != nil {
		return err
	}
	if want := notify.Signature(secret, time.Unix(at, 0), body); header.Get("Codex-Signature") != want {
		return fmt.Errorf("the signature is %q, and must be %q", header.Get("Codex-Signature"), want)
	}
	return nil
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// logs collects what is logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func open(t *testing.T, db *store.DB, address string, change ...func(*notify.Options)) *notify.Notifier {
	t.Helper()
	o := notify.Options{
		DB: db, URL: address, Secret: secret, Every: 10 * time.Millisecond, Limit: 5 * time.Second,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, change := range change {
		change(&o)
	}
	n, err := notify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// serve has n work until the test or stop ends it.
func serve(t *testing.T, n *notify.Notifier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Serve(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// until waits until what is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
