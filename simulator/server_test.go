package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func serve(t *testing.T) *simulator.Server {
	t.Helper()
	opts := small()
	server, err := simulator.Start(t.Context(), opts, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// control calls the control face and returns what it says.
func control(t *testing.T, s *simulator.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.FreshserviceURL+"/_simulator/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestTheControlFaceChangesTheWorld(t *testing.T) {
	s := serve(t)
	f := s.Fixtures()
	contoso, _ := s.DepartmentNamed("Contoso")
	for _, c := range []struct {
		name, path, body string
		status           int
		answer           string
	}{
		{"a rename", "change/rename_department", `{"id":` + itoa(contoso.ID) + `,"name":"Contoso Ltd"}`, 200, `{"done":true}`},
		{"an account number", "change/set_account_number", `{"id":` + itoa(contoso.ID) + `,"value":620548}`, 200, `{"done":true}`},
		{"a new ticket", "change/add_ticket", `{"requester_id":1,"department_id":` + itoa(contoso.ID) + `,"name":"New","status":5}`, 200, `{"id":4771}`},
		{"a time entry", "change/add_time_entry", `{"id":4771,"time_spent":"01:00"}`, 200, `{"id":` + itoa(nextEntry(s)) + `}`},
		{"a record that is not there", "change/close_ticket", `{"id":1}`, 404, `{"error":"ticket 1: there is no such record"}`},
		{"an argument that is not there", "change/close_ticket", `{"number":1}`, 400, `{"error":"read the body: json: unknown field \"number\""}`},
		{"a bad number of steps", "evolve?steps=0", ``, 400, `{"error":"steps is to be a number from 1 to 1000"}`},
		{"a kind of fault that is not there", "faults", `{"fault":{"kind":"nonsense"}}`, 400, `{"error":"there is no kind of fault \"nonsense\""}`},
		{"a fault", "faults", `{"path":"/api/v2/agents","times":1,"fault":{"kind":"status","status":503}}`, 200, `{"faults":[{"path":"/api/v2/agents","times":1,"fault":{"kind":"status","status":503}}]}`},
		{"a fault of a page", "faults", `{"path":"/api/v2/agents","fault":{"kind":"trickle","page":2,"chunk_bytes":10,"pause_ns":1000}}`, 200, `{"faults":[{"path":"/api/v2/agents","times":1,"fault":{"kind":"status","status":503}},{"path":"/api/v2/agents","fault":{"kind":"trickle","page":2,"chunk_bytes":10,"pause_ns":1000}}]}`},
		{"a fault that needs a function", "faults", `{"fault":{"kind":"change"}}`, 400, `{"error":"a fault of kind change needs a function"}`},
		{"an id far off", "change/set_next_id", `{"name":"requester","id":9007199254740993}`, 200, `{"done":true}`},
		{"a twin", "change/twin_requester", `{"id":` + itoa(f.RequesterInTwoDepartments) + `}`, 200, `{"id":9007199254740993}`},
		{"a device's end", "change/delete_device", `{"uid":"` + f.DeviceMoved + `"}`, 200, `{"done":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, text := control(t, s, http.MethodPost, c.path, c.body); status != c.status || text != c.answer {
				t.Errorf("got %d %s\nwant %d %s", status, text, c.status, c.answer)
			}
		})
	}
	renamed, _ := s.Department(contoso.ID)
	ticket, _ := s.Ticket(4771)
	if renamed.Name != "Contoso Ltd" || renamed.CustomFields["account_number"] != int64(620548) ||
		ticket.Status != 5 || len(ticket.TimeEntries) != 1 || !ticket.TimeEntries[0].Billable {
		t.Errorf("the world has %+v and %+v", renamed, ticket)
	}
	if status, text := control(t, s, http.MethodPost, "change/nonsense", "{}"); status != 400 || !strings.HasPrefix(text, `{"error":"there is no change \"nonsense\"; there are [add_device `) {
		t.Errorf("an unknown change: %d %s", status, text)
	}
}

// nextEntry is the id that the next time entry gets.
func nextEntry(s *simulator.Server) int64 {
	var last int64
	for _, ticket := range s.Truth().Tickets {
		for _, e := range ticket.TimeEntries {
			last = max(last, e.ID)
		}
	}
	return last + 1
}

func TestTheControlFaceListsAndForgetsCalls(t *testing.T) {
	s := serve(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.FreshserviceURL+"/api/v2/agents/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(s.FreshserviceKey, "X")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	_, text := control(t, s, http.MethodGet, "requests?upstream=freshservice&path=/api/**&last=5", "")
	var got struct {
		Total    int
		Requests []simulator.Request
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 1 || got.Requests[0].Path != "/api/v2/agents/me" || got.Requests[0].Status != 200 || strings.Contains(text, s.FreshserviceKey) {
		t.Errorf("got %s", text)
	}
	control(t, s, http.MethodDelete, "requests", "")
	if _, text := control(t, s, http.MethodGet, "requests", ""); text != `{"total":0,"requests":[]}` {
		t.Errorf("after forgetting: %s", text)
	}
}

func TestTheControlFaceTurnsSwitches(t *testing.T) {
	s := serve(t)
	const off = `{"strict30":false,"date_only":false,"filter_page_cap":0,"index_lag_ns":0,"list_include_400":false,"burst_429":false,` +
		`"msp_shapes":false,"missing_keys":false,"number_phones":false,"v2_without_udf":false,"without_total_count":false,"last_page":"","clock_skew_ns":0}`
	for _, c := range []struct {
		name, method, body string
		status             int
		answer             string
	}{
		{"all are off", http.MethodGet, "", 200, off},
		{"one is turned on", http.MethodPost, `{"number_phones":true}`, 200, strings.Replace(off, `"number_phones":false`, `"number_phones":true`, 1)},
		{"another one too, and the first stays", http.MethodPost, `{"filter_page_cap":10}`, 200,
			strings.NewReplacer(`"number_phones":false`, `"number_phones":true`, `"filter_page_cap":0`, `"filter_page_cap":10`).Replace(off)},
		{"one that is not there", http.MethodPost, `{"strict31":true}`, 400, `{"error":"read the body: json: unknown field \"strict31\""}`},
		{"a value that makes no sense", http.MethodPost, `{"filter_page_cap":-1}`, 400, `{"error":"switch the simulator: filter_page_cap is no negative number"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, text := control(t, s, c.method, "switches", c.body); status != c.status || text != c.answer {
				t.Errorf("got  %d %s\nwant %d %s", status, text, c.status, c.answer)
			}
		})
	}
	if got, want := s.Switches(), (simulator.Switches{NumberPhones: true, FilterPageCap: 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTheControlFaceSetsTheWebhookAndKeepsItsSecret(t *testing.T) {
	s := serve(t)
	at := listen(t, http.StatusAccepted)
	if status, text := control(t, s, http.MethodPost, "webhooks", `{"url":"`+at.URL+`","secret":"s3cret"}`); status != 200 || text != `{"url":"`+at.URL+`"}` {
		t.Fatalf("got %d %s", status, text)
	}
	control(t, s, http.MethodPost, "change/close_ticket", `{"id":`+itoa(s.Fixtures().TicketReopened)+`}`)
	if err := s.FlushWebhooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, text := control(t, s, http.MethodGet, "webhooks", "")
	if !strings.Contains(text, `"event":"ticket_updated"`) || strings.Contains(text, "s3cret") || len(at.got()) != 1 {
		t.Errorf("got %s", text)
	}
	if status, _ := control(t, s, http.MethodPost, "webhooks", `{"url":"nowhere"}`); status != 400 {
		t.Errorf("an address that is none: %d", status)
	}
}

func TestTheControlFaceEvolvesByTheSeedItIsGiven(t *testing.T) {
	one, two := serve(t), serve(t)
	_, first := control(t, one, http.MethodPost, "evolve?seed=3&steps=2", "")
	_, second := control(t, two, http.MethodPost, "evolve?seed=3&steps=2", "")
	if first != second || !strings.HasPrefix(first, `{"seed":3,"changes":["`) {
		t.Errorf("got %s\nand %s", first, second)
	}
	if a, b := one.Truth(), two.Truth(); len(a.Tickets) != 66 || len(b.Tickets) != 66 {
		t.Errorf("%d and %d tickets", len(a.Tickets), len(b.Tickets))
	}
}

func TestTheControlFaceAnswersThisMachineOnly(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		name, remote, host string
		status             int
	}{
		{"this machine", "127.0.0.1:1234", "127.0.0.1:8080", 200},
		{"this machine by IPv6", "[::1]:1234", "[::1]:8080", 200},
		{"this machine by name", "127.0.0.1:1234", "localhost:8080", 200},
		{"another machine", "192.0.2.7:1234", "127.0.0.1:8080", 403},
		{"a page that rebinds a name to this machine", "127.0.0.1:1234", "evil.example", 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/_simulator/faults", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.Host = c.remote, c.host
		w := newWriter()
		s.ControlHandler().ServeHTTP(w, r)
		if w.status != c.status {
			t.Errorf("%s: %d, want %d", c.name, w.status, c.status)
		}
	}
}

// writer is a response that is kept.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newWriter() *writer { return &writer{header: http.Header{}} }

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) WriteHeader(status int)      { w.status = status }
func (w *writer) Write(b []byte) (int, error) { return w.body.Write(b) }

func TestTheServerStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := simulator.Start(ctx, small(), simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	deadline := time.After(10 * time.Second)
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.DattoURL+"/api/v2/system/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return
		}
		response.Body.Close()
		select {
		case <-deadline:
			t.Fatal("the server still answers")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	first := serve(t)
	taken := strings.TrimPrefix(first.DattoURL, "http://")
	if second, err := simulator.Start(t.Context(), small(), simulator.Addresses{Datto: taken}); err == nil {
		t.Errorf("two servers at %s", second.DattoURL)
	}
}
