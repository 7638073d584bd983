package simulator_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// hub is a simulator behind two test servers, asked over HTTP.
type hub struct {
	*simulator.Sim
	t                   *testing.T
	freshservice, datto string
	token               string
	clock               *clock
	slept               *sleeper
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// sleeper notes what would have been waited.
type sleeper struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (s *sleeper) sleep(_ context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > 0 {
		s.waits = append(s.waits, d)
	}
	return nil
}

// small is a world that is quickly made: with the fixtures and little else.
func small() simulator.Options {
	return simulator.Options{Companies: 6, Assets: 60, Contacts: 40, Tickets: 60}
}

func start(t *testing.T, opts simulator.Options) *hub {
	t.Helper()
	h := &hub{t: t, clock: &clock{at: simulator.StandingClock()}, slept: &sleeper{}}
	if opts.Now == nil {
		opts.Now = h.clock.now
	}
	opts.Sleep = h.slept.sleep
	sim, err := simulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Sim = sim
	freshservice, datto := httptest.NewServer(sim.FreshserviceHandler()), httptest.NewServer(sim.DattoHandler())
	t.Cleanup(freshservice.Close)
	t.Cleanup(datto.Close)
	h.freshservice, h.datto = freshservice.URL, datto.URL
	return h
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	text   string
}

func (h *hub) do(r *http.Request) reply {
	h.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

func (h *hub) request(method, address string) *http.Request {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, address, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// fs asks Freshservice with the right key; path begins behind /api/v2.
func (h *hub) fs(path string) reply {
	h.t.Helper()
	r := h.request(http.MethodGet, h.freshservice+"/api/v2"+path)
	r.SetBasicAuth(simulator.DefaultFreshserviceKey, "X")
	return h.do(r)
}

// rmm asks Datto RMM with a good token; path begins behind /api.
func (h *hub) rmm(path string) reply {
	h.t.Helper()
	return h.rmmAddress(h.datto + "/api" + path)
}

func (h *hub) rmmAddress(address string) reply {
	h.t.Helper()
	if h.token == "" {
		h.token = h.login()
	}
	r := h.request(http.MethodGet, address)
	r.Header.Set("Authorization", "Bearer "+h.token)
	return h.do(r)
}

func (h *hub) login() string {
	h.t.Helper()
	answer := h.grant("public-client", "public", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"password"}, "username": {simulator.DefaultDattoPublicKey}, "password": {simulator.DefaultDattoSecretKey},
	})
	if answer.status != http.StatusOK {
		h.t.Fatalf("no token: %d %s", answer.status, answer.text)
	}
	return decode[struct {
		AccessToken string `json:"access_token"`
	}](h.t, answer).AccessToken
}

func (h *hub) grant(client, secret, contentType string, form url.Values) reply {
	h.t.Helper()
	r := h.request(http.MethodPost, h.datto+"/auth/oauth/token")
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	r.SetBasicAuth(client, secret)
	r.Header.Set("Content-Type", contentType)
	return h.do(r)
}

func decode[T any](t *testing.T, r reply) T {
	t.Helper()
	var into T
	if err := json.Unmarshal([]byte(r.text), &into); err != nil {
		t.Fatalf("read %d %q: %v", r.status, r.text, err)
	}
	return into
}

// record is an id with a creation time, all that most tests of lists look at.
type record struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// all walks a Freshservice list by its links.
func all[T any](h *hub, path, envelope string) []T {
	h.t.Helper()
	var list []T
	for address := h.freshservice + "/api/v2" + path; address != ""; {
		r := h.request(http.MethodGet, address)
		r.SetBasicAuth(simulator.DefaultFreshserviceKey, "X")
		answer := h.do(r)
		if answer.status != http.StatusOK {
			h.t.Fatalf("%s: %d %s", address, answer.status, answer.text)
		}
		list = append(list, decode[map[string][]T](h.t, answer)[envelope]...)
		address = ""
		if link := answer.header.Get("Link"); link != "" {
			address = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		}
	}
	return list
}

// everything walks a Datto list by nextPageUrl.
func everything[T any](h *hub, path, envelope string) []T {
	h.t.Helper()
	var list []T
	for address := h.datto + "/api" + path; address != ""; {
		answer := h.rmmAddress(address)
		if answer.status != http.StatusOK {
			h.t.Fatalf("%s: %d %s", address, answer.status, answer.text)
		}
		page := decode[map[string]json.RawMessage](h.t, answer)
		var records []T
		var details struct{ NextPageURL *string }
		if err := json.Unmarshal(page[envelope], &records); err != nil {
			h.t.Fatal(err)
		}
		if err := json.Unmarshal(page["pageDetails"], &details); err != nil {
			h.t.Fatal(err)
		}
		list = append(list, records...)
		address = ""
		if details.NextPageURL != nil {
			address = *details.NextPageURL
		}
	}
	return list
}

func ids(records []record) []int64 {
	list := []int64{}
	for _, r := range records {
		list = append(list, r.ID)
	}
	return list
}
