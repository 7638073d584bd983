package core_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/simulator"
)

// hive is a simulated Core with a client.
type hive struct {
	*simulator.Sim
	*core.Client
	url string
	mu  sync.Mutex
	at  time.Time
}

func (h *hive) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hive) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func newHive(t testing.TB, name string) *hive {
	h := &hive{at: time.Date(2025, time.October, 20, 9, 0, 0, 0, time.UTC)}
	var err error
	h.Sim, err = simulator.New(simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1, Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.CoreHandler())
	t.Cleanup(server.Close)
	h.url = server.URL
	h.Client, err = core.New(core.Options{BaseURL: server.URL + "/", ServiceName: name, Now: h.now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func (h *hive) fault(t testing.TB, path string, fault simulator.Fault) {
	t.Helper()
	if _, err := h.AddFault(simulator.FaultRule{Upstream: simulator.Core, Path: path, Fault: fault}); err != nil {
		t.Fatal(err)
	}
}

func options(base string) core.Options {
	return core.Options{BaseURL: base, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
}

func TestCoreIsKnownByItsKeys(t *testing.T) {
	const unusable = "reading Core's signing keys: core: /.well-known/jwks.json: an answer that is not what was asked for: "
	for name, test := range map[string]struct {
		status int
		body   string
		err    string
	}{
		"no keys":         {200, `{"keys":[]}`, unusable + "there is no key for RS256"},
		"a secret":        {200, `{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}`, unusable + "there is no key for RS256"},
		"a key too small": {200, `{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}`, unusable + "there is no key for RS256"},
		"another service": {200, `{"status":"ok"}`, unusable + `no list "keys"`},
		"nothing there":   {404, `<html>`, "reading Core's signing keys: core: /.well-known/jwks.json: 404 Not Found: an HTML page"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/.well-known/jwks.json" || r.Header.Get("Authorization") != "" {
					t.Errorf("asked %s with %q", r.URL, r.Header.Get("Authorization"))
				}
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			keys, err := core.CheckKeys(t.Context(), options(server.URL+"/"))
			if keys != 0 || err == nil || err.Error() != test.err {
				t.Errorf("%d keys, %v", keys, err)
			}
		})
	}
	h := newHive(t, "codex")
	if keys, err := core.CheckKeys(t.Context(), options(h.url)); keys != 1 || err != nil {
		t.Errorf("Core: %d keys, %v", keys, err)
	}
	if keys, err := h.Keys(t.Context()); err != nil || len(keys) != 1 || keys[0].ID != simulator.CoreKeyID || keys[0].Public.N.BitLen() != 2048 {
		t.Errorf("%+v, %v", keys, err)
	}
}

func TestCoreIsAskedWhetherASessionGoesOn(t *testing.T) {
	h := newHive(t, "codex")
	token := codex.Secret(h.UserToken(simulator.CoreUser{}))
	if goes, err := h.Validate(t.Context(), token); !goes || err != nil {
		t.Errorf("while it does: %v, %v", goes, err)
	}
	for name, fault := range map[string]simulator.Fault{
		"down":     simulator.Refuse(500),
		"nonsense": {Kind: simulator.FaultStatus, Status: 200, Body: `{"ok":true}`},
		"forbids":  simulator.Refuse(403),
	} {
		h.fault(t, "/api/token/validate", fault)
		if goes, err := h.Validate(t.Context(), token); goes || err == nil {
			t.Errorf("%s: %v, %v", name, goes, err)
		}
		h.ClearFaults()
	}
	h.EndCoreSessions()
	if goes, err := h.Validate(t.Context(), token); goes || err != nil {
		t.Errorf("once it was ended: %v, %v", goes, err)
	}
}

func TestAServiceTokenIsKeptUntilAMinuteBeforeItsEnd(t *testing.T) {
	const path = "/service-token"
	h := newHive(t, "codex")
	ledger := h.For("ledger")
	header := func(from transport.Authorizer) codex.Secret {
		t.Helper()
		value, err := from.Authorization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	asked := func(what string, want int) {
		t.Helper()
		if n := h.CountRequests(simulator.Core, path); n != want {
			t.Errorf("%s: Core was asked %d times, not %d", what, n, want)
		}
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := h.For("ledger").Authorization(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	asked("twenty calls at once", 1)
	first := header(ledger)
	if want := codex.Secret("Bearer " + h.ServiceToken("codex", "ledger")); first != want {
		t.Error("it is not the token that Core gives")
	}
	header(h.For("beacon"))
	asked("another service", 2)

	h.pass(4*time.Minute - time.Second)
	if header(ledger) != first {
		t.Error("it was given up too early")
	}
	h.pass(2 * time.Second)
	second := header(ledger)
	if second == first {
		t.Error("it was kept into its last minute")
	}
	asked("in the last minute", 3)

	// While Core is down, what is left of a token is used.
	h.pass(4*time.Minute + 30*time.Second)
	h.fault(t, path, simulator.Refuse(500))
	if header(ledger) != second {
		t.Error("a token that is still good is not used")
	}
	h.pass(31 * time.Second)
	if value, err := ledger.Authorization(t.Context()); err == nil || value != "" {
		t.Error("a token is used that has ended")
	}
	h.ClearFaults()

	third := header(ledger)
	before := h.CountRequests(simulator.Core, path)
	ledger.Refused(second) // by a call that began with it
	if header(ledger) != third {
		t.Error("a refusal of the token before takes the present one")
	}
	asked("after a refusal of the token before", before)
	if !ledger.Refused(third) {
		t.Error("a token that was refused is not worth another try")
	}
	header(ledger)
	asked("after a refusal", before+1)
}

func TestWhatIsNoTokenIsNotUsed(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":       `{}`,
		"a word":        `{"token":"secret-word"}`,
		"one of HS256":  `{"token":"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.AAAA"}`,
		"without end":   `{"token":"eyJhbGciOiJSUzI1NiJ9.e30.AAAA"}`,
		"ended already": `{"token":"eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.AAAA"}`,
		"a list":        `[]`,
		"no JSON":       `token`,
	} {
		h := newHive(t, "codex")
		h.fault(t, "/service-token", simulator.Fault{Kind: simulator.FaultStatus, Status: 200, Body: body})
		if value, err := h.For("ledger").Authorization(t.Context()); err == nil || value != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	unknown := newHive(t, "nobody")
	if _, err := unknown.For("ledger").Authorization(t.Context()); transport.StatusOf(err) != http.StatusBadRequest {
		t.Errorf("a service that Core does not know: %v", err)
	}
}

func TestAnAccessTokenIsExchanged(t *testing.T) {
	h := newHive(t, "codex")
	token, err := h.Exchange(t.Context(), "demo-billing")
	if err != nil {
		t.Fatal(err)
	}
	if goes, err := h.Validate(t.Context(), token); !goes || err != nil {
		t.Errorf("its session: %v, %v", goes, err)
	}
	if _, err := h.Exchange(t.Context(), "somebody's"); transport.StatusOf(err) != http.StatusUnauthorized {
		t.Errorf("one that Keycloak did not give: %v", err)
	}
}

func TestAUsersTokenIsKeptUntilAMinuteBeforeItsEnd(t *testing.T) {
	h := newHive(t, "codex")
	logins, refused := 0, error(nil)
	account := h.ForUser(func(context.Context) (codex.Secret, error) {
		logins++
		return "demo-billing", refused
	})
	header := func() codex.Secret {
		t.Helper()
		value, err := account.Authorization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	first := header()
	h.pass(59*time.Minute - time.Second)
	if header() != first || logins != 1 {
		t.Errorf("it is given up too early: %d logins", logins)
	}
	h.pass(2 * time.Second)
	if header() == first || logins != 2 {
		t.Errorf("it is kept into its last minute: %d logins", logins)
	}
	h.pass(time.Hour)
	refused = errors.New("wrong password")
	if value, err := account.Authorization(t.Context()); value != "" || fmt.Sprint(err) != "asking Core for a user's token: wrong password" {
		t.Error(err)
	}
	refused = nil
	if value := header(); !account.Refused(value) || header() == "" || logins != 5 {
		t.Errorf("one that was refused is kept: %d logins", logins)
	}
}

func ExampleCheckKeys() {
	sim, err := simulator.New(simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(sim.CoreHandler())
	defer server.Close()
	keys, err := core.CheckKeys(context.Background(), core.Options{BaseURL: server.URL, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	fmt.Println(keys, err)
	// Output: 1 <nil>
}
