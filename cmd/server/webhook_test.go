package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

func TestAClosedTicketThatIsAnnouncedIsServedWithItsHours(t *testing.T) {
	const secret = "hunter2-webhook-secret"
	i := install(t, dialect.SQLite)
	i.env["CODEX_FRESHSERVICE_WEBHOOK_SECRET"] = secret
	i.env["CODEX_LOG_LEVEL"] = "debug"
	i.must("sync", "freshservice")
	i.must("sync", "tickets")
	s, token := i.serve(), i.token("admin")

	hook := func(url, secret string) answer {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"ticket_id":"INC-1"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Webhook-Secret", secret)
		return do(t, request)
	}
	for _, base := range []string{s.url, s.url + "/codex", s.archive, s.archive + "/archive"} {
		for _, path := range []string{"/webhooks/freshservice", "/webhooks/freshservice/ticket"} {
			if got := hook(base+path, secret); got.status != http.StatusAccepted || got.body != `{"accepted":true,"records":["ticket 1"]}`+"\n" {
				t.Errorf("%s%s: %d %s", base, path, got.status, got.body)
			}
			if got := hook(base+path, "another"); got.status != http.StatusUnauthorized {
				t.Errorf("%s%s with another secret: %d", base, path, got.status)
			}
			if got := get(t, base+path, token); got.status != http.StatusMethodNotAllowed {
				t.Errorf("GET %s%s: %d", base, path, got.status)
			}
			if got := send(t, http.MethodPost, base+path, token, `{"ticket_id":"INC-1"}`); got.status != http.StatusUnauthorized {
				t.Errorf("%s%s with a token: %d", base, path, got.status)
			}
		}
		// The secret opens nothing else.
		for _, path := range []string{"/api/companies", "/graphql", "/sync/tickets"} {
			if got := hook(base+path, secret); got.status != http.StatusUnauthorized {
				t.Errorf("%s%s with the secret of webhooks: %d", base, path, got.status)
			}
			if got := send(t, http.MethodPost, base+path, secret, "{}"); got.status != http.StatusUnauthorized {
				t.Errorf("%s%s with it in a token's place: %d", base, path, got.status)
			}
		}
	}

	if err := i.upstream.SetWebhook(simulator.Webhook{URL: s.url + "/codex/webhooks/freshservice", Secret: secret, Simple: true}); err != nil {
		t.Fatal(err)
	}
	truth := i.upstream.Truth()
	var contoso int64
	for _, d := range truth.Departments {
		if d.CustomFields["account_number"] != nil {
			contoso = d.ID
			break
		}
	}
	id := i.upstream.AddTicket(simulator.Ticket{Subject: new("Announced"), Status: simulator.StatusOpen, RequesterID: truth.Requesters[0].ID, DepartmentID: &contoso})
	if _, err := i.upstream.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("01:30"), Billable: true}, true); err != nil {
		t.Fatal(err)
	}
	if err := i.upstream.CloseTicket(id); err != nil {
		t.Fatal(err)
	}
	const query = `{ tickets: companies(first: 100) { nodes { tickets(year: 2026) { subject hours } } } }`
	got := answer{}
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if got = s.graphQL(token, query); strings.Contains(got.body, "Announced") {
			break
		}
	}
	if !strings.Contains(got.body, `{"subject":"Announced","hours":"1.5"}`) && !strings.Contains(got.body, `{"subject":"Announced","hours":1.5}`) {
		t.Errorf("the ticket is not there: %.300s", got.body)
	}
	ended := s.stop()
	if text := ended.stdout + ended.stderr; strings.Contains(text, secret) || !strings.Contains(text, "/webhooks/freshservice") {
		t.Errorf("the log tells the secret, or nothing of webhooks:\n%s", text)
	}
}

func TestWithoutASecretThereAreNoWebhooks(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	got := send(t, http.MethodPost, s.url+"/codex/webhooks/freshservice", "", `{"ticket_id":"INC-1"}`)
	if got.status != http.StatusNotFound || got.body != `{"error":"Not found"}`+"\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func do(t *testing.T, request *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(body)}
}
