package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// target is what a workflow automator calls.
type target struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	heads  []string // method, path, type and secret of each call
}

func listen(t *testing.T, status int) *target {
	t.Helper()
	at := &target{}
	at.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		at.mu.Lock()
		defer at.mu.Unlock()
		at.bodies = append(at.bodies, string(body))
		at.heads = append(at.heads, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("X-Webhook-Secret")}, " "))
		w.WriteHeader(status)
	}))
	t.Cleanup(at.Close)
	return at
}

func (at *target) got() []string {
	at.mu.Lock()
	defer at.mu.Unlock()
	return slices.Clone(at.bodies)
}

func (h *hub) flush() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	if err := h.FlushWebhooks(ctx); err != nil {
		h.t.Fatal(err)
	}
}

// TestChangesAreAnnouncedToTheWebhook makes one change after another and has every body that they send.
func TestChangesAreAnnouncedToTheWebhook(t *testing.T) {
	at := listen(t, http.StatusAccepted)
	opts := small()
	opts.Webhook = simulator.Webhook{URL: at.URL + "/webhooks/freshservice", Secret: "s3cret"}
	h := start(t, opts)
	f := h.Fixtures()
	contoso, _ := h.DepartmentNamed("Contoso")
	id := h.Fixtures().TicketUnbillable
	ticket, _ := h.Ticket(id)
	number := "INC-" + itoa(id)
	if ticket.Type == "Service Request" {
		number = "SR-" + itoa(id)
	}
	ticketBody := func(action string) string {
		return `{"event":"ticket_` + action + `","ticket_id":"` + number + `","ticket_id_numeric":"` + itoa(id) + `"}`
	}
	person := func(action string, id int64) string {
		return `{"event":"requester_` + action + `","requester_id":"` + itoa(id) + `"}`
	}
	department := func(action string, id int64) string {
		return `{"event":"department_` + action + `","department_id":"` + itoa(id) + `"}`
	}
	done := func(do func(int64) error, id int64) func() error { return func() error { return do(id) } }
	hired := int64(0)
	for _, c := range []struct {
		name   string
		change func() error
		want   []string
	}{
		{"a closed ticket", done(h.CloseTicket, id), []string{ticketBody("updated")}},
		{"time on it", func() error {
			_, err := h.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:00")}, false)
			return err
		}, []string{ticketBody("updated")}},
		{"a reply", func() error { _, err := h.AddConversation(id, simulator.Conversation{}); return err }, []string{ticketBody("updated")}},
		{"a deleted ticket", done(h.DeleteTicket, id), []string{ticketBody("deleted")}},
		{"a restored one", done(h.RestoreTicket, id), []string{ticketBody("updated")}},
		{"one that is erased", done(h.RemoveTicket, id), []string{ticketBody("deleted")}},
		{"one that is not there", func() error {
			if err := h.CloseTicket(id); !errors.Is(err, simulator.ErrNoRecord) {
				return err
			}
			return nil
		}, nil},
		{"a new requester", func() error { hired = h.AddRequester(simulator.Requester{FirstName: "Zoe"}); return nil }, []string{person("created", 0)}},
		{"a requester who left", done(h.DeactivateRequester, f.RequesterInactive), []string{person("updated", f.RequesterInactive)}},
		{"a requester turned agent", done(h.ConvertToAgent, f.RequesterInTwoDepartments), []string{person("deleted", f.RequesterInTwoDepartments)}},
		{"a renamed department, not its people", func() error { return h.RenameDepartment(contoso.ID, "Contoso Ltd") }, []string{department("updated", contoso.ID)}},
		{"a removed department", done(h.RemoveDepartment, f.DepartmentNoAccount), []string{department("deleted", f.DepartmentNoAccount)}},
		{"a machine, which is none of Freshservice's", func() error { return h.RenameDevice(f.DeviceMoved, "OTHER") }, nil},
		{"an announcement without a change", func() error { return h.Announce(simulator.EntityDepartment, contoso.ID) }, []string{department("updated", contoso.ID)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(at.got())
			must(t, c.change())
			h.flush()
			for i := range c.want {
				c.want[i] = strings.Replace(c.want[i], `"requester_id":"0"`, `"requester_id":"`+itoa(hired)+`"`, 1)
			}
			if got := at.got()[before:]; !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
	for _, head := range at.heads {
		if want := "POST /webhooks/freshservice application/json s3cret"; head != want {
			t.Errorf("got %q, want %q", head, want)
		}
	}
	if err := h.Announce(simulator.EntityTicket, id); !errors.Is(err, simulator.ErrNoRecord) {
		t.Errorf("an erased ticket was announced: %v", err)
	}
}

func TestTheSimpleContentNamesTheRecordAlone(t *testing.T) {
	at := listen(t, http.StatusOK)
	h := start(t, small())
	must(t, h.SetWebhook(simulator.Webhook{URL: at.URL, Simple: true}))
	id := h.AddTicket(simulator.Ticket{RequesterID: h.Truth().Requesters[0].ID})
	request := h.AddTicket(simulator.Ticket{RequesterID: h.Truth().Requesters[0].ID, Type: "Service Request"})
	h.flush()
	want := []string{`{"freshdesk_webhook":{"ticket_id":"INC-` + itoa(id) + `"}}`, `{"freshdesk_webhook":{"ticket_id":"SR-` + itoa(request) + `"}}`}
	if got := at.got(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNothingIsAnnouncedUnlessThereIsAWebhook(t *testing.T) {
	at := listen(t, http.StatusOK)
	h := start(t, small())
	h.Evolve(1)
	h.flush()
	must(t, h.SetWebhook(simulator.Webhook{URL: at.URL}))
	h.Evolve(2)
	h.flush()
	announced := len(at.got())
	must(t, h.SetWebhook(simulator.Webhook{}))
	h.Evolve(3)
	h.flush()
	if got := len(at.got()); announced == 0 || got != announced || len(h.Webhooks()) != announced {
		t.Errorf("%d announcements with a webhook, %d in all, %d remembered", announced, got, len(h.Webhooks()))
	}
}

func TestAnAnnouncementIsTriedOnceWhateverTheAnswer(t *testing.T) {
	failing := listen(t, http.StatusInternalServerError)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	h := start(t, small())
	for _, address := range []string{failing.URL, gone.URL} {
		must(t, h.SetWebhook(simulator.Webhook{URL: address, Secret: "s3cret"}))
		must(t, h.CloseTicket(h.Fixtures().TicketReopened))
	}
	h.flush()
	got := h.Webhooks()
	if len(got) != 2 || got[0].Status != 500 || got[0].Error != "" || got[1].Status != 0 || got[1].Error == "" || got[0].Event != "ticket_updated" {
		t.Errorf("got %+v", got)
	}
	for _, d := range got {
		if strings.Contains(asJSON(t, d), "s3cret") {
			t.Errorf("a delivery tells the secret: %+v", d)
		}
	}
	if len(failing.got()) != 1 {
		t.Errorf("tried %d times", len(failing.got()))
	}
}

func TestAFlushEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	h := start(t, small())
	must(t, h.SetWebhook(simulator.Webhook{URL: slow.URL}))
	must(t, h.CloseTicket(h.Fixtures().TicketReopened)) // returns while the announcement is under way
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := h.FlushWebhooks(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	h.flush()
}

func TestAWebhookThatIsNoAddressIsRefused(t *testing.T) {
	for _, address := range []string{"hub", "ftp://hub", "http://", "http://[::1"} {
		opts := small()
		opts.Webhook.URL = address
		if _, err := simulator.New(opts); err == nil {
			t.Errorf("%s was accepted", address)
		}
	}
}
