package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/rest/openapitest"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

// whole is an answer with its headers.
type whole struct {
	answer
	header http.Header
}

func askWhole(t *testing.T, method, url, body string, header ...string) whole {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return whole{answer{response.StatusCode, string(text)}, response.Header}
}

// keeper is a client that keeps each answer with data under its tag.
type keeper struct {
	s     *served
	token string
	kept  map[string]whole // by path
}

// ask asks for what is kept, and tells how many answers changed: whoever is told that an answer is
// unchanged has the one that others are sent.
func (k *keeper) ask(t *testing.T, after string, paths []string) (changed int) {
	t.Helper()
	bearer := []string{"Authorization", "Bearer " + k.token}
	for _, path := range paths {
		url := k.s.url + path
		before, there := k.kept[path]
		if !there {
			k.kept[path] = askWhole(t, "GET", url, "", bearer...)
			continue
		}
		condition := append(slices.Clone(bearer), "If-None-Match", before.header.Get("ETag"))
		again := askWhole(t, "GET", url, "", condition...)
		now := askWhole(t, "GET", url, "", bearer...)
		if again.status == http.StatusNotModified && now.answer != before.answer {
			// A write may have come between the two, after which the condition fails.
			if third := askWhole(t, "GET", url, "", condition...); third.status == http.StatusNotModified {
				t.Errorf("after %s %s is told to be unchanged:\n%s\nis\n%s", after, path, before.body, now.body)
			}
		}
		if again.status != http.StatusNotModified {
			changed++
		}
		k.kept[path] = now
	}
	return changed
}

// Every way that data is written raises the revisions by which callers keep answers: syncs, re-reads,
// what people change.
func TestWhoKeepsAnswersIsNeverLeftWithAnOldOne(t *testing.T) {
	const secret = "hunter2-webhook-secret"
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			i.env["CODEX_FRESHSERVICE_WEBHOOK_SECRET"] = secret
			i.must("sync", "all")
			s, token := i.serve(), i.token("admin")
			paths := restPaths(t, s, token)
			k := &keeper{s: s, token: token, kept: map[string]whole{}}
			k.ask(t, "nothing", paths)
			if changed := k.ask(t, "nothing", paths); changed > 3 { // those of errors alone
				t.Errorf("%d answers changed by themselves", changed)
			}
			seed := uint64(0)
			for _, step := range []struct {
				name string
				do   func()
			}{
				{"a day and a sync of everything", func() { seed++; i.upstream.Evolve(seed); i.must("sync", "all") }},
				{"a day and a sync of Datto", func() { seed++; i.upstream.Evolve(seed); i.must("sync", "datto") }},
				{"a sync of tickets", func() { i.must("sync", "tickets") }},
				{"a sync of Freshservice", func() { i.must("sync", "freshservice") }},
				{"a re-read ticket", func() { rereadTicket(t, s, secret) }},
				{"a renamed company", func() { i.must("company", "rename", accountOfNth(t, s, token, 1), "NEW-1") }},
				{"a company's local field", func() { i.must("company", "update", "NEW-1", "--phone-system", "another") }},
				{"a contact's local field", func() { i.must("contact", "update", contactOf(t, s, token), "--employment-type", "Another") }},
				{"a contact's link", func() { i.must("contact", "link", contactOf(t, s, token), "NEW-1") }},
				{"its undoing", func() { i.must("contact", "unlink", contactOf(t, s, token), "NEW-1") }},
				{"an archived company", func() {
					account := accountOfNth(t, s, token, 2)
					for _, d := range i.upstream.Truth().Departments {
						if fmt.Sprint(d.CustomFields["account_number"]) == account {
							if err := i.upstream.RemoveDepartmentField(d.ID, "account_number"); err != nil {
								t.Fatal(err)
							}
						}
					}
					i.codex("sync", "freshservice")
					i.must("company", "archive", account)
				}},
			} {
				step.do()
				if changed := k.ask(t, step.name, paths); changed < 4 {
					t.Errorf("%s changed %d answers", step.name, changed)
				}
			}
		})
	}
}

// rereadTicket announces a ticket that was closed, and waits until it is served.
func rereadTicket(t *testing.T, s *served, secret string) {
	t.Helper()
	truth := s.upstream.Truth()
	department := truth.Departments[0].ID
	id := s.upstream.AddTicket(simulator.Ticket{Subject: new("Announced here"), Status: simulator.StatusOpen, RequesterID: truth.Requesters[0].ID, DepartmentID: &department})
	if err := s.upstream.CloseTicket(id); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"ticket_id":%d}`, id)
	if got := askWhole(t, "POST", s.url+"/webhooks/freshservice", body, "Content-Type", "application/json", "X-Webhook-Secret", secret); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	token := s.token("billing")
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(get(t, s.url+"/api/companies/bulk?include_tickets=true", token).body, "Announced here") {
			return
		}
	}
	t.Fatal("the ticket that was announced is not served")
}

// accountOfNth is the account number of the n-th company.
func accountOfNth(t *testing.T, s *served, token string, n int) string {
	t.Helper()
	nodes := into[struct {
		Data struct {
			Companies struct {
				Nodes []struct{ AccountNumber string }
			}
		}
	}](t, s.graphQL(token, `{ companies(first: 10) { nodes { accountNumber } } }`).body).Data.Companies.Nodes
	return nodes[n].AccountNumber
}

// contactOf is the id of a contact of the third company.
func contactOf(t *testing.T, s *served, token string) string {
	t.Helper()
	account := accountOfNth(t, s, token, 2)
	contacts := into[[]struct{ ID int }](t, get(t, s.url+"/api/companies/"+account+"/contacts", token).body)
	if len(contacts) == 0 {
		t.Fatalf("%s has no contacts", account)
	}
	return fmt.Sprint(contacts[0].ID)
}

// The description that a whole hub gives of itself holds of it, on both databases.
func TestAHubAnswersAsItsDescriptionHasIt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			i.must("sync", "all")
			s, token := i.serve(), i.token("admin")
			d := openapitest.Load(t)
			check := func(method, path, body string, header ...string) whole {
				t.Helper()
				if body != "" {
					header = append(header, "Content-Type", "application/json")
				}
				got := askWhole(t, method, s.url+path, body, header...)
				d.Check(t, method, strings.TrimPrefix(strings.TrimPrefix(path, "/codex"), "/archive"), got.status, got.header, got.body)
				return got
			}
			bearer := []string{"Authorization", "Bearer " + token}
			for _, path := range slices.Concat(restPaths(t, s, token), []string{"/sync/last/datto", "/sync/last/none", "/sync/status/none", "/health", "/openapi.json"}) {
				check("GET", path, "", bearer...)
				check("GET", path, "")
			}
			for _, feed := range []string{"freshservice", "datto", "tickets"} {
				check("POST", "/sync/"+feed+"?wait=true", "", bearer...)
				check("POST", "/sync/"+feed, "")
			}
			const question, wrong, mutation = `{"query":"{ companies(first: 2) { nodes { name } } }"}`, `{"query":"{ nothing }"}`, `{"query":"mutation { revokeToken(name: \"none\") { token { name } } }"}`
			for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream", "text/html"} {
				asking := append(slices.Clone(bearer), "Accept", accept)
				for _, body := range []string{question, wrong, mutation, `{}`, `[]`} {
					check("POST", "/graphql", body, asking...)
				}
				check("GET", "/graphql?query=%7Bcompanies(first:2)%7Bnodes%7Bname%7D%7D%7D", "", asking...)
				check("GET", "/graphql?query=mutation%7BsyncDatto%7Brun%7Bid%7D%7D%7D", "", asking...)
				check("GET", "/graphql", "", asking...)
			}
			check("POST", "/graphql", question)
			check("GET", "/graphql", "")
			check("POST", "/graphql", question, append(bearer, "Sec-Fetch-Site", "cross-site")...)
			reader := []string{"Authorization", "Bearer " + i.token("billing")}
			check("POST", "/graphql", mutation, append(reader, "Accept", "application/graphql-response+json")...)
			of := func(operation string) bool { return strings.HasSuffix(operation, " /graphql") }
			if unseen := d.Unseen(of); len(unseen) > 1 { // by GET nothing is forbidden to some readers alone
				t.Errorf("described, and never answered: %v", unseen)
			}
		})
	}
}
