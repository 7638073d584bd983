package simulator_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestFreshserviceRefusals(t *testing.T) {
	h := start(t, small())
	const (
		login     = `{"code":"invalid_credentials","message":"You have to be logged in to perform this action."}`
		positive  = `"It should be a/an Positive Integer"`
		atMost100 = `"It should be a/an Positive Integer less than or equal to 100"`
	)
	invalid := func(field, message, code string) string {
		return `{"description":"Validation failed","errors":[{"field":"` + field + `","message":` + message + `,"code":"` + code + `"}]}`
	}
	key := simulator.DefaultFreshserviceKey
	for _, c := range []struct {
		name, method, path, user, accept string
		status                           int
		body                             string
	}{
		{"no key", "GET", "/departments", "", "", 401, login},
		{"a wrong key", "GET", "/departments", "someone", "", 401, login},
		{"an unknown path", "GET", "/nothing", key, "", 404, ""},
		{"an unknown department", "GET", "/departments/1", key, "", 404, ""},
		{"an id that is no number", "GET", "/departments/x", key, "", 404, ""},
		{"an unknown ticket's entries", "GET", "/tickets/1/time_entries", key, "", 404, ""},
		{"another method", "PUT", "/departments", key, "", 405, `{"code":"method_not_allowed","message":"PUT method is not allowed. It should be one of these method(s): GET"}`},
		{"a form that is not there", "GET", "/departments", key, "text/html", 406, `{"code":"not_acceptable","message":"The requested format is not available; it is application/json."}`},
		{"more than 100 a page", "GET", "/departments?per_page=101", key, "", 400, invalid("per_page", atMost100, "invalid_value")},
		{"no records a page", "GET", "/departments?per_page=0", key, "", 400, invalid("per_page", positive, "invalid_value")},
		{"page 0", "GET", "/requesters?page=0", key, "", 400, invalid("page", positive, "invalid_value")},
		{"a page that is no number", "GET", "/agents?page=two", key, "", 400, invalid("page", positive, "invalid_value")},
		{"an unknown embed", "GET", "/tickets?include=stats,nonsense", key, "", 400, invalid("include", `"It should be one of these values: 'stats, requester, requested_for, tags, department'"`, "invalid_value")},
		{"conversations on a list", "GET", "/tickets?include=conversations", key, "", 400, invalid("include", `"It should be one of these values: 'stats, requester, requested_for, tags, department'"`, "invalid_value")},
		{"an embed on the filter", "GET", "/tickets/filter?query=%22status:5%22&include=stats", key, "", 400, invalid("include", `"It should be one of these values: ''"`, "invalid_value")},
		{"an unknown filter", "GET", "/tickets?filter=closed", key, "", 400, invalid("filter", `"It should be one of these values: 'new_and_my_open,watching,spam,deleted'"`, "invalid_value")},
		{"a date that is none", "GET", "/tickets?updated_since=yesterday", key, "", 400, invalid("updated_since", `"It should be in the 'combined date and time ISO8601' format"`, "invalid_date")},
		{"a query without quotes", "GET", "/tickets/filter?query=status:5", key, "", 400, invalid("query", `"the query is to stand in double quotes"`, "invalid_value")},
		{"a query with an unknown field", "GET", "/tickets/filter?query=%22closed_at:5%22", key, "", 400, invalid("query", `"Unexpected/invalid field in request: closed_at"`, "invalid_field")},
		{"page 41 of a search", "GET", "/requesters?query=%22first_name:'Ana'%22&page=41", key, "", 400, invalid("page", `"It should be less than or equal to 40"`, "invalid_value")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := h.request(c.method, h.freshservice+"/api/v2"+c.path)
			if c.user != "" {
				r.SetBasicAuth(c.user, "any dummy")
			}
			if c.accept != "" {
				r.Header.Set("Accept", c.accept)
			}
			if got := h.do(r); got.status != c.status || got.text != c.body {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.text, c.status, c.body)
			}
		})
	}
}

func TestListsHave30RecordsAPageAndALinkUntilTheLast(t *testing.T) {
	h := start(t, simulator.Options{Companies: 70, Assets: -1, Contacts: -1, Tickets: -1, Plain: true})
	for _, c := range []struct {
		query, link string // of the page's query; of the link's query
		count       int
	}{
		{"", "page=2", 30},
		{"?page=2", "page=3", 30},
		{"?page=3", "", 10},
		{"?page=4", "", 0},
		{"?per_page=70", "", 70},
		{"?per_page=40&page=1", "page=2&per_page=40", 40},
	} {
		got := h.fs("/departments" + c.query)
		want := ""
		if c.link != "" {
			want = "<" + h.freshservice + "/api/v2/departments?" + c.link + `>; rel="next"`
		}
		if n := len(decode[map[string][]record](t, got)["departments"]); n != c.count || got.header.Get("Link") != want {
			t.Errorf("%q: %d records, link %s; want %d, %s", c.query, n, got.header.Get("Link"), c.count, want)
		}
	}
	if empty := h.fs("/departments?page=4"); empty.status != 200 || empty.text != `{"departments":[]}` {
		t.Errorf("past the end: %d %s", empty.status, empty.text)
	}
}

func TestRequestersAreSortedByFirstNameAndHaveNoAgents(t *testing.T) {
	h := start(t, small())
	type person struct {
		ID        int64  `json:"id"`
		FirstName string `json:"first_name"`
		IsAgent   bool   `json:"is_agent"`
		Active    bool   `json:"active"`
	}
	people := all[person](h, "/requesters?per_page=7", "requesters")
	if !slices.IsSortedFunc(people, func(a, b person) int { return strings.Compare(a.FirstName, b.FirstName) }) {
		t.Error("the requesters are not sorted by first name")
	}
	if len(people) != 40 || slices.ContainsFunc(people, func(p person) bool { return p.IsAgent }) {
		t.Errorf("%d people, agents among them", len(people))
	}
	if !slices.ContainsFunc(people, func(p person) bool { return p.ID == h.Fixtures().RequesterInactive && !p.Active }) {
		t.Error("the inactive requester is not listed")
	}
	if with := all[person](h, "/requesters?include_agents=true&per_page=100", "requesters"); len(with) != 40+7 {
		t.Errorf("%d people with agents", len(with))
	}
}

func TestTheRequesterSearchIsNewestFirst(t *testing.T) {
	h := start(t, simulator.Options{Companies: 1, Assets: -1, Contacts: 45, Tickets: -1, Plain: true})
	answer := h.fs("/requesters?per_page=100&query=" + url.QueryEscape(`"created_at:>'2000-01-01'"`))
	found := decode[map[string][]record](t, answer)["requesters"]
	if len(found) != 30 || !slices.IsSortedFunc(found, func(a, b record) int { return b.CreatedAt.Compare(a.CreatedAt) }) {
		t.Errorf("%d requesters, not the 30 newest in order", len(found))
	}
	one := decode[map[string][]record](t, h.fs("/requesters?query="+url.QueryEscape(`"primary_email:'ana@contoso.example'"`)))["requesters"]
	if len(one) != 1 {
		t.Errorf("%d requesters with Ana's address", len(one))
	}
}

func TestDepartmentsAreSearchedByName(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	got := decode[map[string][]record](t, h.fs("/departments?query="+url.QueryEscape(`"name:'contoso'"`)))["departments"]
	if !slices.Equal(ids(got), []int64{contoso.ID}) {
		t.Errorf("found %v", got)
	}
}

func TestTicketsOfTheLast30DaysUnlessUpdatedSince(t *testing.T) {
	h := start(t, small())
	now := h.clock.now()
	want := func(listed func(simulator.Ticket) bool) []int64 {
		list := []int64{}
		for _, ticket := range h.Truth().Tickets {
			if listed(ticket) && ticket.WorkspaceID == 2 {
				list = append(list, ticket.ID)
			}
		}
		slices.Reverse(list) // ids follow creation, the newest is listed first
		return list
	}
	plain := func(t simulator.Ticket) bool { return !t.Deleted && !t.Spam }
	since := now.AddDate(0, 0, -100)
	for _, c := range []struct {
		name, query string
		listed      func(simulator.Ticket) bool
	}{
		{"nothing said", "", func(t simulator.Ticket) bool { return plain(t) && !t.CreatedAt.Before(now.AddDate(0, 0, -30)) }},
		{"updated since", "updated_since=" + since.Format(time.RFC3339), func(t simulator.Ticket) bool { return plain(t) && !t.UpdatedAt.Before(since) }},
		{"updated since a day", "updated_since=2025-12-24", func(t simulator.Ticket) bool {
			return plain(t) && !t.UpdatedAt.Before(time.Date(2025, 12, 24, 0, 0, 0, 0, time.UTC))
		}},
		{"deleted ones", "filter=deleted&updated_since=2020-01-01", func(t simulator.Ticket) bool { return t.Deleted }},
		{"deleted ones of the last 30 days", "filter=deleted", func(t simulator.Ticket) bool {
			return t.Deleted && !t.CreatedAt.Before(now.AddDate(0, 0, -30))
		}},
		{"spam", "filter=spam&updated_since=2020-01-01", func(t simulator.Ticket) bool { return t.Spam }},
		{"a status, which is no parameter here", "status=5&updated_since=2020-01-01", plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ids(all[record](h, "/tickets?"+c.query, "tickets"))
			if !slices.Equal(got, want(c.listed)) {
				t.Errorf("got %v\nwant %v", got, want(c.listed))
			}
		})
	}
	up := ids(all[record](h, "/tickets?updated_since=2020-01-01&order_type=asc", "tickets"))
	if slices.Reverse(up); !slices.Equal(up, want(plain)) {
		t.Error("order_type=asc is not the reverse")
	}
}

func TestWithoutWorkspaceOnlyThePrimaryOneIsSeen(t *testing.T) {
	h := start(t, small())
	other := h.Fixtures().TicketInOtherWorkspace
	for query, want := range map[string]bool{"": false, "&workspace_id=2": false, "&workspace_id=3": true, "&workspace_id=0": true} {
		if got := slices.Contains(ids(all[record](h, "/tickets?updated_since=2020-01-01"+query, "tickets")), other); got != want {
			t.Errorf("%q lists the ticket of the other workspace: %v, want %v", query, got, want)
		}
	}
	custom := decode[map[string][]struct {
		CustomFields map[string]any `json:"custom_fields"`
	}](t, h.fs("/tickets?updated_since=2020-01-01&workspace_id=0"))["tickets"]
	if len(custom[0].CustomFields) != 0 {
		t.Errorf("all workspaces show custom fields: %v", custom[0].CustomFields)
	}
}

func TestPlainTicketsCarryNoStatsAndNoRequester(t *testing.T) {
	h := start(t, small())
	plain := decode[map[string][]map[string]any](t, h.fs("/tickets?updated_since=2020-01-01&per_page=1"))["tickets"][0]
	for _, key := range []string{"stats", "requester", "requested_for", "closed_at", "status_name", "priority_name", "conversations", "attachments"} {
		if _, sent := plain[key]; sent {
			t.Errorf("a plain ticket has %s", key)
		}
	}
	f := h.Fixtures()
	truth, _ := h.Ticket(f.TicketUnbillable)
	person, _ := h.Requester(truth.RequesterID)
	rich := decode[map[string]struct {
		Stats     simulator.TicketStats  `json:"stats"`
		Requester simulator.TicketPerson `json:"requester"`
	}](t, h.fs("/tickets/"+itoa(truth.ID)+"?include=stats,requester"))["ticket"]
	if !rich.Stats.ClosedAt.Equal(*truth.Stats.ClosedAt) || rich.Stats.TicketID == truth.ID || rich.Requester.ID != person.ID || *rich.Requester.Email != *person.PrimaryEmail {
		t.Errorf("stats %+v, requester %+v", rich.Stats, rich.Requester)
	}
}

func TestTheFilterHasATotalAndNoLink(t *testing.T) {
	h := start(t, small())
	var want []int64
	for _, ticket := range h.Truth().Tickets {
		if ticket.Status == 5 && !ticket.Deleted && !ticket.Spam && ticket.WorkspaceID == 2 {
			want = append(want, ticket.ID)
		}
	}
	slices.Reverse(want)
	var got []int64
	for page := 1; ; page++ {
		answer := h.fs("/tickets/filter?per_page=20&page=" + strconv.Itoa(page) + "&query=" + url.QueryEscape(`"status:5"`))
		if answer.header.Get("Link") != "" {
			t.Fatal("the filter has a link")
		}
		found := decode[struct {
			Tickets []record
			Total   int
		}](t, answer)
		if found.Total != len(want) {
			t.Fatalf("total %d, want %d", found.Total, len(want))
		}
		if len(found.Tickets) == 0 {
			break
		}
		got = append(got, ids(found.Tickets)...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestSubListsOfTicketsHave30APage(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	for _, c := range []struct {
		name, list string
		ticket     int64
		count      int
	}{
		{"35 entries", "time_entries", f.TicketWith35Entries, 35},
		{"no entries", "time_entries", f.TicketWithoutEntries, 0},
		{"120 conversations", "conversations", f.TicketWith120Messages, 120},
	} {
		path := "/tickets/" + itoa(c.ticket) + "/" + c.list
		if first := decode[map[string][]record](t, h.fs(path))[c.list]; len(first) != min(c.count, 30) {
			t.Errorf("%s: the first page has %d", c.name, len(first))
		}
		if got := all[record](h, path, c.list); len(got) != c.count || !slices.IsSorted(ids(got)) {
			t.Errorf("%s: %d in all, want %d by id", c.name, len(got), c.count)
		}
	}
	view := decode[map[string]map[string][]record](t, reply{text: onlyKey(t, h.fs("/tickets/"+itoa(f.TicketWith120Messages)+"?include=conversations"), "conversations")})
	if got := view["ticket"]["conversations"]; len(got) != 10 || !slices.IsSorted(ids(got)) {
		t.Errorf("the view embeds %d conversations", len(got))
	}
}

// onlyKey keeps one key of the view of a ticket.
func onlyKey(t *testing.T, r reply, key string) string {
	t.Helper()
	ticket := decode[map[string]map[string]any](t, r)["ticket"]
	return asJSON(t, map[string]any{"ticket": map[string]any{key: ticket[key]}})
}

func TestADeletedTicketIsShownByItsIDButHasNoSubLists(t *testing.T) {
	h := start(t, small())
	path := "/tickets/" + itoa(h.Fixtures().TicketDeleted)
	deleted := decode[map[string]struct{ Deleted bool }](t, h.fs(path))["ticket"].Deleted
	entries, conversations := h.fs(path+"/time_entries"), h.fs(path+"/conversations")
	if !deleted || entries.status != http.StatusNotFound || conversations.status != http.StatusNotFound {
		t.Errorf("deleted %v, entries %d, conversations %d", deleted, entries.status, conversations.status)
	}
}

func TestTheCustomStatusesAreToldByTheForm(t *testing.T) {
	h := start(t, small())
	fields := all[simulator.TicketField](h, "/ticket_form_fields", "ticket_fields")
	at := slices.IndexFunc(fields, func(f simulator.TicketField) bool { return f.Name == "status" })
	if at < 0 || !slices.Contains(fields[at].Choices, simulator.Choice{ID: 16, Value: "Billing Complete"}) {
		t.Errorf("the status field is %+v", fields)
	}
}
