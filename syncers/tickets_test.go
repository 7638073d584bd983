package syncers

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/query"
)

func hours(n int) time.Time { return aMoment().Add(time.Duration(n) * time.Hour) }

// closedTicket was updated at hour and closed an hour before.
func closedTicket(id int64, hour int) freshservice.Ticket {
	return freshservice.Ticket{
		ID: id, Status: freshservice.StatusClosed, Priority: 2, DepartmentID: new(int64(1)), UpdatedAt: hours(hour), CreatedAt: new(hours(0)),
		Stats: &freshservice.TicketStats{ClosedAt: new(hours(hour - 1))},
	}
}

func spent(id int64, seconds codex.Seconds, billable *bool) freshservice.TimeEntry {
	return freshservice.TimeEntry{ID: id, Spent: seconds, Billable: billable}
}

func TestATicketIsMappedFieldByField(t *testing.T) {
	ticket := closedTicket(4711, 10)
	ticket.Subject, ticket.Description, ticket.DescriptionText = new("Printer"), new("<div>Hi&nbsp;there</div>"), new("Hi <b>there</b>")
	ticket.Priority, ticket.RequesterID = 4, new(int64(9))
	got := mapTicket(ticketParts{
		ticket: ticket, account: "620547", statusNames: map[int]string{5: "Closed"}, requester: requester{name: some("Ana"), email: some("ana@x")},
		entries: []freshservice.TimeEntry{spent(1, 3600, nil), spent(2, 900, new(false)), spent(3, 60, new(true))},
	}, Settings{})
	want := TicketRecord{
		ID: 4711, Account: "620547", Subject: "Printer", Closed: true, Status: "Closed", StatusCode: 5, Priority: "Urgent", RequesterID: some(int64(9)),
		RequesterEmail: some("ana@x"), RequesterName: some("Ana"), CreatedAt: hours(0), LastUpdatedAt: hours(10), ClosedAt: some(hours(9)), SpentSeconds: 4560,
		UnbillableSeconds: 900, Description: "<div>Hi&nbsp;there</div>", DescriptionText: "Hi there", Conversations: "[]", Notes: "[]", UpstreamUpdatedAt: hours(10),
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestWhatATicketDoesNotTellHasADefault(t *testing.T) {
	bare := freshservice.Ticket{ID: 1, Status: 5, UpdatedAt: hours(10), Description: new("<p>only</p> html")}
	got := mapTicket(ticketParts{ticket: bare, account: "A"}, Settings{})
	want := TicketRecord{
		ID: 1, Account: "A", Subject: "No Subject", Closed: true, Status: "Closed", StatusCode: 5, Priority: "Medium", CreatedAt: hours(10), LastUpdatedAt: hours(10),
		ClosedAt: some(hours(10)), Description: "<p>only</p> html", DescriptionText: "only html", Conversations: "[]", Notes: "[]", UpstreamUpdatedAt: hours(10), statusUnnamed: true,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestStatusesAndPrioritiesHaveNames(t *testing.T) {
	names := map[int]string{5: "Geschlossen", 16: "Billing Complete"}
	for _, test := range []struct {
		status int
		told   *string
		names  map[int]string
		want   string
	}{{5, nil, names, "Geschlossen"}, {5, nil, nil, "Closed"}, {16, nil, names, "Billing Complete"}, {16, nil, nil, "Status 16"}, {5, new("Done"), names, "Done"}} {
		if got := statusName(freshservice.Ticket{Status: test.status, StatusName: test.told}, test.names); got != test.want {
			t.Errorf("%d is %q, want %q", test.status, got, test.want)
		}
	}
	for priority, want := range map[int]string{0: "Medium", 1: "Low", 2: "Medium", 3: "High", 4: "Urgent", 9: "Medium"} {
		if got := priorityName(freshservice.Ticket{Priority: priority}); got != want {
			t.Errorf("%d is %q, want %q", priority, got, want)
		}
	}
	if got := priorityName(freshservice.Ticket{Priority: 1, PriorityName: new("Whenever")}); got != "Whenever" {
		t.Errorf("a name that was told is %q", got)
	}
}

// TestTheMonthOfATicketStaysWithItsBill follows one ticket through its statuses.
func TestTheMonthOfATicketStaysWithItsBill(t *testing.T) {
	first := mapTicket(ticketParts{ticket: closedTicket(1, 10), account: "A", entries: []freshservice.TimeEntry{spent(1, 3600, nil)}}, Settings{})
	tests := []struct {
		name      string
		settings  Settings
		status    int
		wasClosed bool
		closed    bool
		month     time.Time // last_updated_at afterwards
		seconds   int64
	}{
		{"closed and touched again: its last update", Settings{}, 5, true, true, hours(800), 7200},
		{"a status of the account's own: the one it had while closed, and its hours follow", Settings{}, 16, true, true, hours(10), 7200},
		{"the same, never seen closed: not served", Settings{}, 16, false, false, hours(10), 7200},
		{"the same, named as closed: like 5", Settings{ClosedStatuses: []int{16}}, 16, true, true, hours(800), 7200},
		{"the same, named as open: not served", Settings{OpenStatuses: []int{16}}, 16, true, false, hours(10), 7200},
		{"reopened: not served, and its month stays", Settings{}, 2, true, false, hours(10), 7200},
		{"resolved is open", Settings{}, 4, true, false, hours(10), 7200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			later := closedTicket(1, 800)
			later.Status = test.status
			incoming := mapTicket(ticketParts{ticket: later, account: "A", wasClosed: test.wasClosed, entries: []freshservice.TimeEntry{spent(1, 7200, nil)}}, test.settings)
			got := tickets().merged(first, incoming)
			if got.Closed != test.closed || !got.LastUpdatedAt.Equal(test.month) || got.SpentSeconds != test.seconds || !got.UpstreamUpdatedAt.Equal(hours(800)) {
				t.Errorf("closed %t, month %s, %d s, seen %s", got.Closed, got.LastUpdatedAt, got.SpentSeconds, got.UpstreamUpdatedAt)
			}
		})
	}
}

func TestWhatWasNotReadOfATicketStays(t *testing.T) {
	current := mapTicket(ticketParts{
		ticket: closedTicket(1, 10), account: "A", entries: []freshservice.TimeEntry{{ID: 1, Spent: 60, Billable: new(false), TimerRunning: true}},
		messages: []freshservice.Conversation{{ID: 1, BodyText: new("hello")}}, requester: requester{name: some("Ana"), email: some("ana@x")}, statusNames: map[int]string{5: "Zu"},
	}, Settings{})
	incoming := mapTicket(ticketParts{ticket: closedTicket(1, 20), account: "A", hoursUnread: true, bodiesUnread: true}, Settings{})
	got := tickets().merged(current, incoming)
	want := current
	want.LastUpdatedAt, want.UpstreamUpdatedAt, want.ClosedAt = hours(20), hours(20), some(hours(19))
	got.hoursUnread, got.bodiesUnread, got.statusUnnamed = false, false, false
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestMessagesAreSplitOrderedAndComplete(t *testing.T) {
	const far = int64(1) << 62 // ids whose difference does not fit
	list := []freshservice.Conversation{
		{ID: far, BodyText: new("last"), Private: true},
		{ID: -far, Body: new("<p>first</p>"), Private: true},
		{ID: 5, UserID: new(int64(7)), Body: new("<b>Done</b>"), BodyText: new("Done"), Incoming: true, FromEmail: new("a@x"), SupportEmail: new("s@x"), ToEmails: []string{"b@x"},
			CreatedAt: new(aMoment().In(time.FixedZone("", 3600))), UpdatedAt: new(aMoment())},
	}
	const public = `[{"id":5,"body":"Done","body_html":"<b>Done</b>","from_email":"a@x","to_emails":["b@x"],"created_at":"2026-03-01T08:00:00Z","updated_at":"2026-03-01T08:00:00Z",` +
		`"incoming":true,"private":false,"user_id":7,"support_email":"s@x"}]`
	if got := messages(list, false); got != public {
		t.Errorf("got  %s\nwant %s", got, public)
	}
	var notes []query.TicketMessage
	if err := json.Unmarshal([]byte(messages(list, true)), &notes); err != nil {
		t.Fatal(err)
	}
	if len(notes) != 2 || notes[0].Body != "first" || notes[0].ID != -far || notes[1].Body != "last" {
		t.Errorf("notes %+v", notes)
	}
	if got := messages(nil, true); got != "[]" {
		t.Errorf("no notes are %s", got)
	}
}

func TestATimeEntryIsBillableUnlessTold(t *testing.T) {
	for billable, want := range map[*bool]bool{nil: true, new(true): true, new(false): false} {
		got := mapTimeEntry(4711, freshservice.TimeEntry{ID: 3, AgentID: new(int64(8)), Spent: 90, Billable: billable, ExecutedAt: new(aMoment()), Note: new("n")})
		if want := (TimeEntryRecord{ID: 3, TicketID: 4711, AgentID: some(int64(8)), SpentSeconds: 90, Billable: want, ExecutedAt: some(aMoment()), Note: some("n")}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestADepartmentsCompanyIsFoundByItsIDThenByItsNumber(t *testing.T) {
	place := placer([]freshservice.Department{department(1, "A", "x"), department(2, "B", "renumbered"), department(3, "C", "unknown"), department(4, "", "internal")},
		[]CompanyRecord{company("A", 0), company("OLD", 2), company("GONE", 9)})
	for _, test := range []struct {
		department *int64
		account    codex.AccountNumber
		known      bool
	}{
		{new(int64(1)), "A", true}, {new(int64(2)), "OLD", true}, {new(int64(3)), "C", false}, {new(int64(4)), "", false},
		{new(int64(9)), "GONE", true}, // its department vanished: the company is leaving, and still served
		{new(int64(5)), "", false}, {nil, "", false},
	} {
		if account, known := place(test.department); account != test.account || known != test.known {
			t.Errorf("%v is %q, %t; want %q, %t", sql.Null[int64]{V: *orZero(test.department)}, account, known, test.account, test.known)
		}
	}
}

func orZero(id *int64) *int64 {
	if id == nil {
		return new(int64)
	}
	return id
}

func TestTheCursorIsTheNewestUpdateThatWasSeenForCertain(t *testing.T) {
	tests := []struct {
		name   string
		cursor time.Time
		newest time.Time
		stay   bool
		want   time.Time
	}{
		{"nothing was listed", hours(5), time.Time{}, false, hours(5)},
		{"the newest", hours(5), hours(9), false, hours(9)},
		{"not beyond the moment at which listing began", hours(5), hours(99), false, hours(50)},
		{"it never goes back", hours(5), hours(2), false, hours(5)},
		{"it stays while something is held or missing", hours(5), hours(9), true, hours(5)},
		{"the first run's", time.Time{}, hours(3), false, hours(3)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := nextCursor(Checkpoint{Cursor: test.cursor}, test.newest, test.stay, hours(50)); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if got := since(Checkpoint{Cursor: hours(5)}, false, hours(50)); !got.Equal(hours(5).Add(-10 * time.Minute)) {
		t.Errorf("an incremental run lists since %s", got)
	}
	if got := since(Checkpoint{Cursor: hours(5)}, true, hours(50)); !got.Equal(hours(50).AddDate(-1, 0, 0)) {
		t.Errorf("a full run lists since %s", got)
	}
}

func TestOneIssueAStatusAsksWhatItIs(t *testing.T) {
	names := map[int]string{16: "Billing Complete"}
	text := func(n, status int, name string) string {
		return fmt.Sprintf("%d tickets have the status %d (%s), which is neither closed nor open: name it in closed_statuses or open_statuses of [freshservice]. Until then one that was closed before stays served as it was, and others are not; after that, sync tickets in full once.", n, status, name)
	}
	tests := []struct {
		name  string
		full  bool
		asked map[string]string
		want  []string
	}{
		{"at first", false, nil, []string{text(3, 8, "without name"), text(2, 16, "Billing Complete")}},
		{"an incremental run sees a part, so what was counted stays", false, map[string]string{"16": "as it was"}, []string{text(3, 8, "without name"), "as it was"}},
		{"a full one counts anew", true, map[string]string{"16": "as it was"}, []string{text(3, 8, "without name"), text(2, 16, "Billing Complete")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			issues := statusIssues(map[int]int{16: 2, 8: 3}, names, test.full, test.asked)
			if len(issues) != 2 || issues[0].ID != "8" || issues[1].ID != "16" || issues[0].Reason != test.want[0] || issues[1].Reason != test.want[1] {
				t.Errorf("got %+v\nwant %v", issues, test.want)
			}
		})
	}
}
