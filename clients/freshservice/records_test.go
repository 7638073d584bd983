package freshservice_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

func ptr[T any](value T) *T { return &value }

func at(text string) *time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return &t
}

func TestADepartmentIsTakenInEachForm(t *testing.T) {
	full := freshservice.Department{
		ID: 21000418006, Name: "Contoso", Description: ptr("Manufacturing"), HeadUserID: ptr(int64(21001099209)), HeadName: ptr("Ana Ruiz"),
		Domains: []string{"contoso.example"}, CreatedAt: at("2019-04-02T09:31:52Z"), UpdatedAt: at("2025-01-15T10:30:00Z"),
		CustomFields: freshservice.CustomFields{"account_number": ptr("620547"), "plan_selected": ptr("Gold"), "address": nil},
	}
	bare := freshservice.Department{ID: 1, Domains: []string{}, CustomFields: freshservice.CustomFields{}}
	for name, test := range map[string]struct {
		record string
		want   freshservice.Department
	}{
		"as documented": {`{"id":21000418006,"name":"Contoso","description":"Manufacturing","head_user_id":21001099209,"head_name":"Ana Ruiz",
			"prime_user_id":null,"prime_user_name":null,"domains":["contoso.example"],"custom_fields":{"account_number":620547,"plan_selected":"Gold","address":null},
			"workspace_id":2,"created_at":"2019-04-02T09:31:52.000Z","updated_at":"2025-01-15T10:30:00Z"}`, full},
		"numbers as text, dates in another form, fields that nobody knows": {`{"id":"21000418006","name":"Contoso","description":"Manufacturing",
			"head_user_id":"21001099209","head_name":"Ana Ruiz","domains":["contoso.example"],
			"custom_fields":{"account_number":"620547","plan_selected":"Gold","address":null,"tags":["a"],"nested":{"b":1}},
			"workspace_id":"2","created_at":"2019-04-02 09:31:52","updated_at":"2025-01-15T10:30:00+00:00","brand_new":{"x":[1]}}`, full},
		"everything missing": {`{"id":1}`, bare},
		"everything null":    {`{"id":1,"name":null,"description":null,"domains":null,"custom_fields":null,"updated_at":null}`, bare},
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			account.on("/departments", pages("departments", test.record))
			list, err := account.client().Departments(t.Context())
			want := wire.Listing[freshservice.Department]{Items: []freshservice.Department{test.want}, Complete: true, Began: began()}
			if err != nil || !reflect.DeepEqual(list, want) {
				t.Errorf("got  %+v, %v\nwant %+v", list, err, want)
			}
		})
	}
}

func TestACustomFieldThatIsNullDiffersFromOneThatIsNotTold(t *testing.T) {
	account := newAccount(t)
	account.on("/departments", pages("departments", `{"id":1,"custom_fields":{"plan_selected":null,"account_number":620547}}`))
	list, err := account.client().Departments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		value string
		told  bool
	}{"plan_selected": {"", true}, "account_number": {"620547", true}, "address": {"", false}} {
		if value, told := list.Items[0].CustomFields.Text(name); value != want.value || told != want.told {
			t.Errorf("%s: %q, told %v", name, value, told)
		}
	}
}

func TestARequesterIsTakenInEachForm(t *testing.T) {
	account := newAccount(t)
	account.on("/requesters", pages("requesters",
		`{"id":9007199254740993,"is_agent":false,"first_name":"Ana","last_name":null,"job_title":null,"primary_email":"ana@contoso.example",
			"secondary_emails":[],"work_phone_number":"3125550142","mobile_phone_number":null,"department_ids":[21000418006],"custom_fields":{},"active":true}`,
		`{"id":2,"first_name":"Bo","work_phone_number":3125550142,"primary_email":null,"department_ids":null,"secondary_emails":["bo@x.example"],"active":false}`,
		`{"id":3,"department_ids":"none"}`,
		`{"primary_email":"nobody@x.example"}`,
	))
	list, err := account.client().Requesters(t.Context())
	want := wire.Listing[freshservice.Requester]{
		Began: began(),
		Items: []freshservice.Requester{
			{ID: 9007199254740993, FirstName: "Ana", PrimaryEmail: ptr("ana@contoso.example"), SecondaryEmails: []string{},
				WorkPhoneNumber: ptr("3125550142"), DepartmentIDs: []int64{21000418006}, Active: ptr(true), CustomFields: freshservice.CustomFields{}},
			{ID: 2, FirstName: "Bo", SecondaryEmails: []string{"bo@x.example"}, WorkPhoneNumber: ptr("3125550142"),
				DepartmentIDs: []int64{}, Active: ptr(false), CustomFields: freshservice.CustomFields{}},
		},
		Bad: []wire.BadRecord{
			{ID: "3", Index: 0, Reason: "department_ids: no list of whole numbers"},
			{ID: "", Index: 1, Reason: "id: missing"},
		},
		Complete: true,
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got  %+v, %v\nwant %+v", list, err, want)
	}
}

func TestATicketComesWithWhatIsEmbedded(t *testing.T) {
	account := newAccount(t)
	account.on("/tickets", pages("tickets",
		`{"id":4711,"workspace_id":2,"subject":"Printer","description":"<div>Hi</div>","description_text":"Hi","type":"Incident","status":5,"priority":2,
			"requester_id":21001099209,"responder_id":21000777001,"department_id":21000418006,"spam":false,"deleted":false,"custom_fields":{},
			"to_emails":null,"created_at":"2025-01-14T10:30:00Z","updated_at":"2025-01-15T10:30:00Z",
			"stats":{"ticket_id":21003880128,"pending_since":null,"assigned_at":"2025-01-14T10:31:00Z","resolved_at":null,"closed_at":"2025-01-15T10:30:00Z"},
			"requester":{"id":21001099209,"name":"Ana Ruiz","email":"ana@contoso.example","phone":3125550142}}`,
		`{"id":4712,"status":16,"department_id":null,"stats":null,"updated_at":"2025-01-15T10:30:00Z"}`,
	))
	list, err := account.client().Tickets(t.Context(), freshservice.TicketQuery{
		UpdatedSince: time.Date(2025, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), Stats: true,
	})
	want := []freshservice.Ticket{
		{ID: 4711, Subject: ptr("Printer"), Description: ptr("<div>Hi</div>"), DescriptionText: ptr("Hi"),
			Status: freshservice.StatusClosed, Priority: 2, RequesterID: ptr(int64(21001099209)),
			DepartmentID: ptr(int64(21000418006)), CustomFields: freshservice.CustomFields{},
			CreatedAt: at("2025-01-14T10:30:00Z"), UpdatedAt: *at("2025-01-15T10:30:00Z"),
			Stats:     &freshservice.TicketStats{ClosedAt: at("2025-01-15T10:30:00Z")},
			Requester: &freshservice.TicketRequester{ID: ptr(int64(21001099209)), Name: ptr("Ana Ruiz"), Email: ptr("ana@contoso.example")}},
		{ID: 4712, Status: 16, CustomFields: freshservice.CustomFields{}, UpdatedAt: *at("2025-01-15T10:30:00Z")},
	}
	if err != nil || !reflect.DeepEqual(list.Items, want) {
		t.Errorf("got  %+v, %v\nwant %+v", list.Items, err, want)
	}
	asked := "/tickets?include=stats&order_type=asc&page=1&per_page=2&updated_since=2025-01-01T00%3A00%3A00Z"
	if got := account.requests()[0]; got != asked {
		t.Errorf("asked %s", got)
	}
}

func TestDeletedAndSpamTicketsAreListingsOfTheirOwn(t *testing.T) {
	account := newAccount(t)
	account.on("/tickets", pages("tickets"))
	for _, filter := range []freshservice.TicketFilter{freshservice.TicketsDeleted, freshservice.TicketsSpam} {
		if _, err := account.client().Tickets(t.Context(), freshservice.TicketQuery{Filter: filter}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"/tickets?filter=deleted&order_type=asc&page=1&per_page=2", "/tickets?filter=spam&order_type=asc&page=1&per_page=2"}
	if got := account.requests(); !reflect.DeepEqual(got, want) {
		t.Errorf("asked %v", got)
	}
}

func TestAllPagesOfASubListAreReadAndA404IsNone(t *testing.T) {
	account := newAccount(t)
	var entries, conversations []string
	for id := 1; id <= 35; id++ {
		entries = append(entries, fmt.Sprintf(`{"id":%d,"time_spent":"00:10","billable":true}`, id))
		conversations = append(conversations, fmt.Sprintf(`{"id":%d,"body_text":"Done","private":true}`, id))
	}
	entries[34] = `{"id":35,"agent_id":21000777001,"time_spent":"30:01","billable":null,"timer_running":true,"executed_at":"2025-01-15T10:30:00Z","note":"on site"}`
	conversations[34] = `{"id":21012345678,"user_id":21000777001,"body":"<div>Done</div>","body_text":"Done","incoming":true,"private":false,"source":0,` +
		`"support_email":null,"from_email":"ana@contoso.example","to_emails":["help@msp.example"],"bcc_emails":null}`
	account.on("/tickets/7/time_entries", pages("time_entries", entries...))
	account.on("/tickets/7/conversations", pages("conversations", conversations...))
	account.on("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })

	times, err := account.client().TimeEntries(t.Context(), 7)
	last := freshservice.TimeEntry{ID: 35, AgentID: ptr(int64(21000777001)), Spent: 30*3600 + 60, TimerRunning: true, ExecutedAt: at("2025-01-15T10:30:00Z"), Note: ptr("on site")}
	if err != nil || len(times.Items) != 35 || !reflect.DeepEqual(times.Items[34], last) {
		t.Errorf("%d time entries, %v", len(times.Items), err)
	}
	texts, err := account.client().Conversations(t.Context(), 7)
	reply := freshservice.Conversation{ID: 21012345678, UserID: ptr(int64(21000777001)), Body: ptr("<div>Done</div>"), BodyText: ptr("Done"),
		Incoming: true, Source: ptr(int64(0)), FromEmail: ptr("ana@contoso.example"), ToEmails: []string{"help@msp.example"}}
	if err != nil || len(texts.Items) != 35 || !reflect.DeepEqual(texts.Items[34], reply) {
		t.Errorf("%d conversations, %v", len(texts.Items), err)
	}
	if gone, err := account.client().TimeEntries(t.Context(), 8); err != nil || !gone.Complete || gone.Seen() != 0 {
		t.Errorf("time entries of a deleted ticket: %+v, %v", gone, err)
	}
	if gone, err := account.client().Conversations(t.Context(), 8); err != nil || !gone.Complete || gone.Seen() != 0 {
		t.Errorf("conversations of a deleted ticket: %+v, %v", gone, err)
	}
}

func TestTimeThatCannotBeReadIsABadRecordAndNeverNoTime(t *testing.T) {
	account := newAccount(t)
	account.on("/tickets/7/time_entries", pages("time_entries", `{"id":1,"time_spent":"ninety minutes"}`, `{"id":2,"time_spent":null}`))
	list, err := account.client().TimeEntries(t.Context(), 7)
	want := wire.Listing[freshservice.TimeEntry]{
		Began: began(),
		Items: []freshservice.TimeEntry{{ID: 2}}, Complete: true,
		Bad: []wire.BadRecord{{ID: "1", Reason: "time_spent: not in the form hh:mm"}},
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestWhoIsNoRequesterMayBeAnAgent(t *testing.T) {
	account := newAccount(t)
	account.on("/agents/5", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"agent":{"id":5,"first_name":"Ana","email":"ana@msp.example","active":true}}`)
	})
	account.on("/agents/me", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"agent":{"id":6,"email":"hub@msp.example"}}`)
	})
	account.on("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	client := account.client()
	if _, err := client.Requester(t.Context(), 5); !transport.IsNotFound(err) ||
		err.Error() != "reading requester 5: freshservice: /requesters/{id}: 404 Not Found" {
		t.Errorf("requester: %v", err)
	}
	agent, err := client.Agent(t.Context(), 5)
	want := freshservice.Agent{ID: 5, FirstName: "Ana", Email: ptr("ana@msp.example"), SecondaryEmails: []string{},
		DepartmentIDs: []int64{}, Active: ptr(true), CustomFields: freshservice.CustomFields{}}
	if err != nil || !reflect.DeepEqual(agent, want) {
		t.Errorf("agent: %+v, %v", agent, err)
	}
	if me, err := client.Me(t.Context()); err != nil || me.ID != 6 {
		t.Errorf("me: %+v, %v", me, err)
	}
	if _, err := client.Ticket(t.Context(), 5); !transport.IsNotFound(err) {
		t.Errorf("ticket: %v", err)
	}
}

func TestAWrongKeyIsToldAndTriedOnce(t *testing.T) {
	account := newAccount(t)
	_, err := account.client(func(o *freshservice.Options) { o.APIKey = "wrong" }).Me(t.Context())
	want := "reading the API key's own agent: freshservice: /agents/me: 401 Unauthorized: invalid_credentials: You have to be logged in to perform this action."
	if !transport.IsUnauthorized(err) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, err = freshservice.New(freshservice.Options{BaseURL: "https://acme.freshservice.com"})
	if codex.CodeOf(err) != codex.CodeBadInput {
		t.Errorf("without a key: %v", err)
	}
}

func TestStatusesAreNamedInEachShapeOfChoices(t *testing.T) {
	names := map[int]string{2: "Open", 5: "Closed", 16: "Billing Complete"}
	for name, test := range map[string]struct {
		choices string
		want    map[int]string
	}{
		"objects":             {`[{"id":2,"value":"Open"},{"id":5,"value":"Closed"},{"id":"16","value":"Billing Complete"}]`, names},
		"pairs":               {`[["Open",2],["Closed",5],["Billing Complete",16]]`, names},
		"labels by number":    {`{"2":["Open","Being processed"],"5":["Closed","Closed"],"16":"Billing Complete"}`, names},
		"numbers by label":    {`{"Open":2,"Closed":5,"Billing Complete":16}`, names},
		"names alone":         {`["Open","Closed"]`, map[int]string{}},
		"null":                {`null`, map[int]string{}},
		"something else":      {`"Open"`, map[int]string{}},
		"some that are wrong": {`[{"id":2,"value":"Open"},{"id":null},5,["x"],[1,2],{"id":"y","value":"z"}]`, map[int]string{2: "Open"}},
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			account.on("/ticket_form_fields", pages("ticket_fields",
				`{"id":1,"name":"subject"}`, `{"id":2,"name":"priority","choices":[{"id":1,"value":"Low"}]}`, `{"id":3,"name":"status","choices":`+test.choices+`}`))
			got, err := account.client().TicketStatuses(t.Context())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestTimeSpentIsHoursAndMinutes(t *testing.T) {
	for text, want := range map[string]codex.Seconds{
		"01:30": 5400, "00:00": 0, "1:5": 3900, "30:01": 108060, "100:00": 360000, "00:90": 5400, "01:30:15": 5415, " 00:15 ": 900, "": 0,
	} {
		if got, err := freshservice.ParseTimeSpent(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"90", "1.5", "-1:00", "01:-5", "a:b", ":", "01:", "1:2:3:4", "9999999:00", "+1:00", "0x1:00", "٣:00"} {
		if got, err := freshservice.ParseTimeSpent(text); err == nil {
			t.Errorf("%q was taken for %d seconds", text, got)
		}
	}
}

func TestLinksLeadToTheWebDomain(t *testing.T) {
	account := newAccount(t)
	for domain, want := range map[string]string{
		"":                       "",
		"support.msp.example":    "https://support.msp.example/a/tickets/7",
		"http://localhost:1234/": "http://localhost:1234/a/tickets/7",
	} {
		if got := account.client(func(o *freshservice.Options) { o.WebDomain = domain }).TicketURL(7); got != want {
			t.Errorf("%q: %s", domain, got)
		}
	}
}

func TestAnAddressMayNameTheAPIsPathAlready(t *testing.T) {
	account := newAccount(t)
	account.on("/agents/me", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"agent":{"id":6}}`) })
	for _, suffix := range []string{"", "/", "/api/v2", "/api/v2/"} {
		client := account.client(func(o *freshservice.Options) { o.BaseURL += suffix })
		if _, err := client.Me(t.Context()); err != nil {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}

func FuzzParseTimeSpent(f *testing.F) {
	for _, seed := range []string{"01:30", "30:00:59", "", ":", "1000000:1000000:1000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spent, err := freshservice.ParseTimeSpent(text)
		if err == nil && (spent < 0 || spent > 1_000_000*3700) {
			t.Errorf("%q is %d seconds", text, spent)
		}
		if err == nil && spent != 0 && !strings.Contains(text, ":") {
			t.Errorf("%q is %d seconds", text, spent)
		}
	})
}

func TestADepartmentIsReadByItsID(t *testing.T) {
	account := newAccount(t)
	account.on("/departments/7", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"department":{"id":7,"name":"Contoso","custom_fields":{"account_number":620547}}}`)
	})
	account.on("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	department, err := account.client().Department(t.Context(), 7)
	want := freshservice.Department{ID: 7, Name: "Contoso", Domains: []string{},
		CustomFields: freshservice.CustomFields{"account_number": ptr("620547")}}
	if err != nil || !reflect.DeepEqual(department, want) {
		t.Errorf("department: %+v, %v", department, err)
	}
	if _, err := account.client().Department(t.Context(), 8); !transport.IsNotFound(err) ||
		err.Error() != "reading department 8: freshservice: /departments/{id}: 404 Not Found" {
		t.Errorf("department that is not there: %v", err)
	}
}
