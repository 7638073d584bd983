package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

const hookSecret = "hunter2-hook-secret"

// hook is somebody's webhook: it takes what is signed with the secret, and fails the first time.
type hook struct {
	*httptest.Server
	mu  sync.Mutex
	got []string // kind, subject and how often it was seen
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	seen := map[string]int{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		at, err := strconv.ParseInt(r.Header.Get("Codex-Timestamp"), 10, 64)
		if want := notify.Signature(codex.Secret(hookSecret), time.Unix(at, 0), body); err != nil || r.Header.Get("Codex-Signature") != want {
			t.Errorf("the signature is %q, want %q (%v)", r.Header.Get("Codex-Signature"), want, err)
		}
		var event struct{ ID, Kind, Subject string }
		if err := json.Unmarshal(body, &event); err != nil || event.ID != r.Header.Get("Codex-Id") || event.Kind != r.Header.Get("Codex-Event") {
			t.Errorf("the body is %s, the headers %v: %v", body, r.Header, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		seen[event.ID]++
		h.got = append(h.got, event.Kind+" "+event.Subject+" "+strconv.Itoa(seen[event.ID]))
		if event.Kind == "sync.failed" && seen[event.ID] == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.got, ", ")
}

func TestASyncThatFailsIsToldToTheWebhookUntilThatTakesIt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			h := newHook(t)
			i := install(t, dialectName)
			i.configure(dialectName, "[notify]\nurl = "+h.URL+"/hook?key=hunter2-hook-key\nsecret = "+hookSecret)
			s := i.serve()
			admin := i.token("admin")
			fault(t, i.upstream, simulator.FaultRule{
				Upstream: simulator.Datto, Path: "/api/v2/account/sites", Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 403},
			})
			if o := i.codex("sync", "datto"); o.status != exitFailed {
				t.Fatalf("the sync ended with %d: %s", o.status, o.stderr)
			}
			until(t, h, "sync.failed feed/datto 1")
			const waits = `{"data":{"notifications":{"totalCount":1,"nodes":[{"kind":"sync.failed","attempts":1,"deliveredAt":null,"lastError":"it answered 503"}]}}}`
			const ask = `{ notifications { totalCount nodes { kind attempts deliveredAt lastError } } }`
			for deadline := time.Now().Add(patience); strings.TrimSpace(s.graphQL(admin, ask).body) != waits; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal(s.graphQL(admin, ask).body)
				}
			}
			until(t, h, "sync.failed feed/datto 1, sync.failed feed/datto 2")
			if got := i.must("notify", "test"); !strings.HasPrefix(got, "the webhook took the event ") || !strings.HasSuffix(got, ": it answered 200\n") {
				t.Error(got)
			}
			until(t, h, "sync.failed feed/datto 1, sync.failed feed/datto 2, test test 1")
		})
	}
}

func until(t *testing.T, h *hook, want string) {
	t.Helper()
	for deadline := time.Now().Add(patience); h.said() != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("told was %s, want %s", h.said(), want)
		}
	}
}

func TestAWebhookThatIsNotThereIsTriedInVain(t *testing.T) {
	i := install(t, storetest.Dialects()[0])
	if o := i.codex("notify", "test"); o.status != exitFailed || !strings.Contains(o.stderr, "section [notify] is missing") {
		t.Errorf("%d: %s", o.status, o.stderr)
	}
	h := newHook(t)
	h.Close()
	i.configure(storetest.Dialects()[0], "[notify]\nurl = "+h.URL+"\nsecret = "+hookSecret)
	if o := i.codex("notify", "test"); o.status != exitFailed || !strings.Contains(o.stderr, "the webhook did not take the event ") {
		t.Errorf("%d: %s", o.status, o.stderr)
	}
}
