package notify_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// The expectation is what `openssl dgst -sha256 -hmac` prints.
func TestASignatureIsTheHMACOfTimestampAndBody(t *testing.T) {
	got := notify.Signature("whsec-0123456789abcdef", time.Unix(1764028800, 999), []byte(`{"id":"x"}`))
	if want := "t=1764028800,v1=395ef51d9ea1987e14193be320662c763fe153212f9f1d686bfe9d74e3300a1d"; got != want {
		t.Errorf("it is %s", got)
	}
}

func TestWaitsDoubleUpToSixHoursForAboutThreeDays(t *testing.T) {
	var total time.Duration
	for n := 1; ; n++ {
		wait, giveUp := notify.After(n, 0.5)
		if giveUp {
			if n != notify.Most {
				t.Errorf("given up after %d", n)
			}
			break
		}
		want := 6 * time.Hour
		if n < 13 {
			want = min(want, 10*time.Second<<(n-1))
		}
		if wait != want {
			t.Errorf("after attempt %d: %s, want %s", n, wait, want)
		}
		total += wait
	}
	if total < 60*time.Hour || total > 84*time.Hour {
		t.Errorf("all waits are %s", total)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, share := rapid.IntRange(1, notify.Most-1).Draw(t, "n"), rapid.Float64Range(0, 1).Draw(t, "share")
		middle, _ := notify.After(n, 0.5)
		wait, _ := notify.After(n, share)
		if float64(wait) < 0.79*float64(middle) || float64(wait) > 1.21*float64(middle) {
			t.Errorf("%s is more than a fifth away from %s", wait, middle)
		}
	})
}

func TestWhatIsQueuedIsPostedOnceAndSigned(t *testing.T) {
	c := newClock()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t, nil)
		queue(t, db, 3)
		serve(t, open(t, db, r.URL+"/hook?key=1"))
		until(t, "all delivered", func() bool { return len(undelivered(t, db)) == 0 })
		got := r.deliveries()
		slices.SortFunc(got, func(a, b delivery) int { return strings.Compare(a.id, b.id) })
		want := []delivery{}
		for _, row := range rows(t, db) {
			want = append(want, delivery{"POST", "/hook?key=1", "sync.failed", row.ID, "application/json", row.Body})
			if row.Attempts != 1 || row.DeliveredAt == nil || row.NextAt != nil || row.LastError != nil {
				t.Errorf("the row is %+v", row)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("posted\n%+v\nwant\n%+v", got, want)
		}
	}, storetest.Now(c.now))
}

// undelivered are the notifications that nobody has.
func undelivered(t *testing.T, db *store.DB) []*ent.Notification {
	t.Helper()
	return slices.DeleteFunc(rows(t, db), func(row *ent.Notification) bool { return row.DeliveredAt != nil })
}

func TestTwoProcessesDeliverEachOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t, nil)
		queue(t, db, 40)
		for range 2 {
			serve(t, open(t, db, r.URL))
		}
		until(t, "all delivered", func() bool { return len(undelivered(t, db)) == 0 })
		if got := len(r.deliveries()); got != 40 {
			t.Errorf("%d posts", got)
		}
	})
}

func TestAReceiverThatDoesNotTakeItIsTriedAgain(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	status := func(code int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	for _, bad := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		says   string // PORT stands for the receiver's
	}{
		{"it fails", status(500, "a\n\tb \x00\xff"), "it answered 500: a b \uFFFD"},
		{"it refuses", status(403, ""), "it answered 403"},
		{"it says much", status(503, strings.Repeat("x", 1<<20)), "it answered 503: " + strings.Repeat("x", 200) + "…"},
		{"it sends elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, "it answered 307, a redirect, which is not followed"},
		{"it breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"it stalls", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
			}
		}, "it did not answer in time: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"},
		{"it answers 500 drop by drop", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			drip(w, r)
		}, "it answered 500 and not to the end: context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			c := newClock()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				c.set(newClock().now())
				r := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
					if n <= 2 {
						bad.answer(w, r)
					}
				})
				queue(t, db, 1)
				serve(t, open(t, db, r.URL, func(o *notify.Options) { o.Limit = 200 * time.Millisecond }))
				for attempt := 1; attempt <= 2; attempt++ {
					until(t, "an attempt", func() bool {
						row := rows(t, db)[0]
						return row.Attempts == attempt && row.LastError != nil && row.NextAt.Sub(c.now()) < notify.Claim
					})
					row := rows(t, db)[0]
					if wait, low := row.NextAt.Sub(c.now()), 8*time.Second*time.Duration(attempt); wait < low || wait > low*3/2 {
						t.Errorf("attempt %d: the next is in %s", attempt, wait)
					}
					if got := strings.ReplaceAll(*row.LastError, strings.TrimPrefix(r.URL, "http://"), "PORT"); got != bad.says {
						t.Errorf("attempt %d: it says %q, want %q", attempt, got, bad.says)
					}
					c.set(*row.NextAt)
				}
				until(t, "delivered", func() bool { return len(undelivered(t, db)) == 0 })
				got := r.deliveries()
				if len(got) != 3 || got[0] != got[1] || got[1] != got[2] {
					t.Errorf("the posts are %+v", got)
				}
				if row := rows(t, db)[0]; row.Attempts != 3 || row.LastError != nil {
					t.Errorf("the row is %+v", row)
				}
			}, storetest.Now(c.now))
		})
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// drip answers for ever.
func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(".")); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

func TestA2xxIsEnoughHoweverItsBodyEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(202)
			drip(w, r)
		})
		queue(t, db, 1)
		serve(t, open(t, db, r.URL, func(o *notify.Options) { o.Limit = 200 * time.Millisecond }))
		until(t, "delivered", func() bool { return len(undelivered(t, db)) == 0 })
		if got := len(r.deliveries()); got != 1 {
			t.Errorf("%d posts", got)
		}
	})
}

func TestWhatNobodyTakesIsGivenUpAndCanBeRedelivered(t *testing.T) {
	c := newClock()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c.set(newClock().now())
		r := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n <= notify.Most {
				w.WriteHeader(500)
			}
		})
		queue(t, db, 1)
		n := open(t, db, r.URL)
		serve(t, n)
		until(t, "given up", func() bool { c.add(time.Hour); return rows(t, db)[0].GaveUpAt != nil })
		row := rows(t, db)[0]
		if row.Attempts != notify.Most || row.NextAt != nil || row.DeliveredAt != nil || *row.LastError != "it answered 500" || len(r.deliveries()) != notify.Most {
			t.Fatalf("after %d posts the row is %+v", len(r.deliveries()), row)
		}
		again, err := n.Redeliver(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		if again.Attempts != 0 || again.GaveUpAt != nil || again.LastError != nil || again.NextAt == nil {
			t.Errorf("queued again it is %+v", again)
		}
		until(t, "delivered", func() bool { return len(undelivered(t, db)) == 0 })
		if _, err := n.Redeliver(t.Context(), "none"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Error(err)
		}
	}, storetest.Now(c.now))
}

func TestWhatIsOldIsRemoved(t *testing.T) {
	c := newClock()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c.set(newClock().now())
		r := newReceiver(t, nil)
		queue(t, db, 2)
		stop := serve(t, open(t, db, r.URL))
		until(t, "delivered", func() bool { return len(undelivered(t, db)) == 0 })
		stop()
		c.add(notify.Kept)
		queue(t, db, 1)
		stop = serve(t, open(t, db, r.URL))
		until(t, "delivered", func() bool { return len(undelivered(t, db)) == 0 })
		stop()
		if got := len(rows(t, db)); got != 3 {
			t.Errorf("after just 90 days there are %d", got)
		}
		c.add(time.Second)
		serve(t, open(t, db, r.URL))
		until(t, "removed", func() bool { return len(rows(t, db)) == 1 })
	}, storetest.Now(c.now))
}

func TestATrySaysWhatCameBack(t *testing.T) {
	by := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader([]int{202, 401}[n-1])
			fmt.Fprint(w, "hello ", n)
		})
		n := open(t, db, r.URL)
		for _, want := range []notify.Tried{
			{Delivered: true, Status: 202, Message: "it answered 202: hello 1"},
			{Status: 401, Message: "it answered 401: hello 2"},
		} {
			got, err := n.Try(t.Context(), by)
			if err != nil {
				t.Fatal(err)
			}
			want.ID = got.ID
			if *got != want || got.ID == "" {
				t.Errorf("it says %+v, want %+v", *got, want)
			}
		}
		first := r.deliveries()[0]
		if first.kind != "test" || !strings.Contains(first.body, `"kind":"test","subject":"test","text":"ana tries the webhook. Nothing has happened."`) {
			t.Errorf("posted %+v", first)
		}
		r.Close()
		if got, err := n.Try(t.Context(), by); err != nil || got.Delivered || got.Status != 0 || !strings.Contains(got.Message, "refused") {
			t.Errorf("with nobody there: %+v, %v", got, err)
		}
		if len(rows(t, db)) != 0 {
			t.Error("a try is in the outbox")
		}
	})
}

func TestWithoutASectionNothingIsDelivered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		queue(t, db, 1) // of a time when there was one
		n := open(t, db, "")
		n.Serve(t.Context()) // returns
		_, tried := n.Try(t.Context(), codex.Caller{})
		_, again := n.Redeliver(t.Context(), rows(t, db)[0].ID)
		for _, err := range []error{tried, again} {
			if codex.CodeOf(err) != codex.CodeConflict {
				t.Error(err)
			}
		}
		if len(undelivered(t, db)) != 1 || n.Host() != "" {
			t.Error("it is gone")
		}
	})
}

func TestNeitherSecretNorAddressIsToldToAnybody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
		queue(t, db, 1)
		var said logs
		n := open(t, db, r.URL+"/hidden-place?key=hidden-key", func(o *notify.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		stop := serve(t, n)
		until(t, "an attempt", func() bool { row := rows(t, db)[0]; return row.LastError != nil })
		stop()
		r.Close()
		tried, err := n.Try(t.Context(), codex.Caller{Name: "ana"})
		if err != nil {
			t.Fatal(err)
		}
		_, bad := notify.New(notify.Options{DB: db, URL: "ftp://h.example/hidden-place", Secret: secret})
		if bad == nil {
			t.Error("ftp is taken")
		}
		all := said.String() + tried.Message + *rows(t, db)[0].LastError + fmt.Sprintf("%v %+v", errors.Join(bad), tried)
		for _, hidden := range []string{"hidden", secret.Reveal()} {
			if strings.Contains(all, hidden) {
				t.Errorf("%s is in %s", hidden, all)
			}
		}
		if !strings.Contains(said.String(), "attempt=1") {
			t.Error(said.String())
		}
	})
}
