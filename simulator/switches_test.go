package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// turn changes the switches.
func (h *hub) turn(change func(*simulator.Switches)) {
	h.t.Helper()
	if err := h.Switch(change); err != nil {
		h.t.Fatal(err)
	}
}

// filtered are the tickets of one page of the filter, and its total.
func (h *hub) filtered(query, more string) (reply, []int64, int) {
	h.t.Helper()
	answer := h.fs("/tickets/filter?query=" + url.QueryEscape(query) + more)
	if answer.status != http.StatusOK {
		return answer, nil, 0
	}
	found := decode[struct {
		Tickets []record
		Total   int
	}](h.t, answer)
	return answer, ids(found.Tickets), found.Total
}

func TestSwitchesAreOffUnlessOptionsTurnThemOn(t *testing.T) {
	if got := start(t, small()).Switches(); got != (simulator.Switches{}) {
		t.Errorf("switches of a new simulator: %+v", got)
	}
	opts := small()
	opts.Strict30, opts.FilterPageCap = true, simulator.FilterPages
	if got, want := start(t, opts).Switches(), (simulator.Switches{Strict30: true, FilterPageCap: 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSwitchesThatMakeNoSenseAreRefusedAndChangeNothing(t *testing.T) {
	h := start(t, small())
	for name, change := range map[string]func(*simulator.Switches){
		"a negative page cap":         func(sw *simulator.Switches) { sw.FilterPageCap = -1 },
		"a negative lag":              func(sw *simulator.Switches) { sw.IndexLag = -time.Second },
		"a lag of more than an hour":  func(sw *simulator.Switches) { sw.IndexLag = time.Hour + 1 },
		"a last page that nobody has": func(sw *simulator.Switches) { sw.LastPage = "zero" },
	} {
		bad := small()
		change(&bad.Switches)
		if _, err := simulator.New(bad); err == nil {
			t.Errorf("%s was accepted in Options", name)
		}
		if err := h.Switch(change); err == nil || h.Switches() != (simulator.Switches{}) {
			t.Errorf("%s: %v, %+v", name, err, h.Switches())
		}
	}
}

func TestStrict30KeepsTheDocumentedPagesWhateverIsAskedFor(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	for _, c := range []struct {
		path, key   string
		off, strict int
	}{
		{"/tickets/" + itoa(f.TicketWith35Entries) + "/time_entries", "time_entries", 35, 30},
		{"/tickets/" + itoa(f.TicketWith120Messages) + "/conversations", "conversations", 100, 30},
		{"/tickets/filter?query=%22status:5%22", "tickets", 49, 30},
		{"/requesters", "requesters", 40, 40}, // their documents allow 100
	} {
		separator := "?"
		if strings.Contains(c.path, "?") {
			separator = "&"
		}
		for strict, want := range map[bool]int{false: c.off, true: c.strict} {
			h.turn(func(sw *simulator.Switches) { sw.Strict30 = strict })
			var list []json.RawMessage
			page := decode[map[string]json.RawMessage](t, h.fs(c.path+separator+"per_page=100"))
			if err := json.Unmarshal(page[c.key], &list); err != nil || len(list) != want {
				t.Errorf("%s, strict %v: %d records, want %d: %v", c.path, strict, len(list), want, err)
			}
		}
	}
	h.turn(func(sw *simulator.Switches) { sw.Strict30 = true })
	path := "/tickets/" + itoa(f.TicketWith120Messages) + "/conversations?per_page=100"
	if n := len(all[record](h, path, "conversations")); n != 120 {
		t.Errorf("walked %d conversations of 120", n)
	}
}

func TestDateOnlyCutsTheTimesOfAQueryToTheirDay(t *testing.T) {
	h := start(t, small())
	ticket, _ := h.Ticket(h.Fixtures().TicketUnbillable)
	later := ticket.UpdatedAt.Add(time.Second).Format(time.RFC3339)
	query := `"updated_at:>'` + later + `' AND status:5"`
	found := func() bool {
		_, list, _ := h.filtered(query, "&per_page=100")
		return slices.Contains(list, ticket.ID)
	}
	if found() {
		t.Error("a ticket is found by a time behind its own")
	}
	h.turn(func(sw *simulator.Switches) { sw.DateOnly = true })
	if !found() {
		t.Error("a ticket of the day is not found")
	}
}

func TestTheFilterRefusesPagesBeyondItsCap(t *testing.T) {
	h := start(t, small())
	h.turn(func(sw *simulator.Switches) { sw.FilterPageCap = 10 })
	status := func(page int) int {
		answer, _, _ := h.filtered(`"status:5"`, "&per_page=1&page="+strconv.Itoa(page))
		return answer.status
	}
	if last, beyond := status(10), status(11); last != 200 || beyond != 400 {
		t.Errorf("page 10: %d, page 11: %d", last, beyond)
	}
	answer, _, _ := h.filtered(`"status:5"`, "&page=11")
	want := `{"description":"Validation failed","errors":[{"field":"page","message":"You cannot access tickets beyond page 10. Please provide a smaller filter criteria.","code":"invalid_value"}]}`
	if answer.text != want {
		t.Errorf("got %s\nwant %s", answer.text, want)
	}
	if list := h.fs("/tickets?per_page=1&page=11"); list.status != 200 {
		t.Errorf("the list itself: %d", list.status)
	}
}

func TestALateIndexFindsRecordsByWhatTheyWere(t *testing.T) {
	h := start(t, small())
	h.turn(func(sw *simulator.Switches) { sw.IndexLag = 3 * time.Minute })
	reopened, gone := h.Fixtures().TicketUnbillable, h.Fixtures().TicketOverADay
	must(t, h.ReopenTicket(reopened))
	must(t, h.RemoveTicket(gone))
	fresh := h.AddTicket(simulator.Ticket{RequesterID: h.Truth().Requesters[0].ID, Status: 5})
	hired := h.AddRequester(simulator.Requester{FirstName: "Zoe", Active: true})

	expect := func(when string, reopenedIsClosed, freshIsThere bool) {
		t.Helper()
		_, list, total := h.filtered(`"status:5"`, "&per_page=100")
		if slices.Contains(list, reopened) != reopenedIsClosed || slices.Contains(list, fresh) != freshIsThere ||
			slices.Contains(list, gone) || total != len(list) {
			t.Errorf("%s the filter finds %v (total %d)", when, list, total)
		}
		people := decode[map[string][]record](t, h.fs("/requesters?query="+url.QueryEscape(`"first_name:'Zoe'"`)))["requesters"]
		if slices.Contains(ids(people), hired) != freshIsThere {
			t.Errorf("%s the search finds %v", when, people)
		}
	}
	expect("at once", true, false)
	shown := decode[struct{ Tickets []struct{ ID, Status int64 } }](t, h.fs("/tickets/filter?per_page=100&query=%22status:5%22"))
	for _, ticket := range shown.Tickets {
		if ticket.ID == reopened && ticket.Status != 2 {
			t.Errorf("the reopened ticket is shown with status %d", ticket.Status)
		}
	}
	if live := ids(all[record](h, "/tickets?updated_since=2020-01-01&per_page=100", "tickets")); !slices.Contains(live, fresh) {
		t.Error("the list is late too")
	}
	h.clock.advance(3*time.Minute - time.Second)
	expect("before the lag is over", true, false)
	h.clock.advance(time.Second)
	expect("after it", false, true)
}

func TestAListMayRefuseEveryEmbed(t *testing.T) {
	h := start(t, small())
	h.turn(func(sw *simulator.Switches) { sw.ListInclude400 = true })
	refused := h.fs("/tickets?include=stats")
	want := `{"description":"Validation failed","errors":[{"field":"include","message":"Unexpected/invalid field in request","code":"invalid_field"}]}`
	if refused.status != 400 || refused.text != want {
		t.Errorf("got %d %s", refused.status, refused.text)
	}
	plain, view := h.fs("/tickets"), h.fs("/tickets/"+itoa(h.Fixtures().TicketUnbillable)+"?include=stats")
	if plain.status != 200 || view.status != 200 {
		t.Errorf("without an embed %d, of one ticket %d", plain.status, view.status)
	}
}

func TestBurstsAreRefusedWhileTheFiguresLeaveRoom(t *testing.T) {
	opts := limited(simulator.TierPro)
	opts.Burst429 = true
	h := start(t, opts)
	var got []int
	for range 4 {
		got = append(got, h.fs("/departments").status)
	}
	h.clock.advance(550 * time.Millisecond)
	got = append(got, h.fs("/departments").status)
	h.clock.advance(450 * time.Millisecond)
	got = append(got, h.fs("/departments").status, h.fs("/departments").status)
	if want := []int{200, 200, 429, 429, 429, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	refused := h.fs("/departments")
	if refused.header.Get("Retry-After") != "1" || refused.header.Get("X-RateLimit-Remaining") != "396" {
		t.Errorf("Retry-After %s, remaining %s", refused.header.Get("Retry-After"), refused.header.Get("X-RateLimit-Remaining"))
	}
	h.clock.advance(time.Second)
	for range 20 { // one queue, 550 ms apart
		h.clock.advance(550 * time.Millisecond)
		if answer := h.fs("/departments"); answer.status != 200 {
			t.Fatalf("550 ms apart: %d", answer.status)
		}
	}
}

func TestMSPShapes(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	other := h.AddDepartment(simulator.Department{Name: "Elsewhere", WorkspaceID: 3})
	h.turn(func(sw *simulator.Switches) { sw.MSPShapes = true })

	view := decode[map[string]map[string]json.RawMessage](t, h.fs("/departments/"+itoa(contoso.ID)))["departments"]
	if string(view["id"]) != `"`+itoa(contoso.ID)+`"` || string(view["name"]) != `"Contoso"` {
		t.Errorf("the view is %s", asJSON(t, view))
	}
	for _, key := range []string{"head_user_id", "head_name", "prime_user_id", "prime_user_name", "domains"} {
		if _, sent := view[key]; sent {
			t.Errorf("a client has %s", key)
		}
	}
	listed := ids(all[record](h, "/departments?per_page=100", "departments"))
	elsewhere := ids(all[record](h, "/departments?per_page=100&workspace_id=3", "departments"))
	if slices.Contains(listed, other) || !slices.Contains(listed, contoso.ID) || !slices.Equal(elsewhere, []int64{other}) {
		t.Errorf("workspace 2 has %v, workspace 3 has %v", listed, elsewhere)
	}
	if refused := h.fs("/departments?workspace_id=1"); refused.status != 400 {
		t.Errorf("workspace 1: %d", refused.status)
	}
	people := all[record](h, "/requesters?per_page=100", "requester")
	if len(people) != 40 {
		t.Errorf("%d requesters under their key", len(people))
	}
	if none := h.fs("/requesters?belongs_to_workspace_ids=3"); none.text != `{"requester":[]}` {
		t.Errorf("of another workspace: %s", none.text)
	}
	entry := decode[map[string][]map[string]any](t, h.fs("/tickets/"+itoa(h.Fixtures().TicketUnbillable)+"/time_entries"))["time_entries"][0]
	if _, sent := entry["work_type"]; !sent || entry["end_time"] == nil {
		t.Errorf("the time entry is %v", entry)
	}
}

func TestMissingKeysAndNullArrays(t *testing.T) {
	h := start(t, small())
	person := h.Fixtures().RequesterWithoutEmail
	before := decode[map[string]map[string]any](t, h.fs("/requesters/"+itoa(person)))["requester"]
	h.turn(func(sw *simulator.Switches) { sw.MissingKeys = true })
	after := decode[map[string]map[string]any](t, h.fs("/requesters/"+itoa(person)))["requester"]
	for key, value := range before {
		got, sent := after[key]
		switch list, isList := value.([]any); {
		case value == nil && sent:
			t.Errorf("%s was null and is sent as %v", key, got)
		case isList && len(list) == 0 && (!sent || got != nil):
			t.Errorf("%s was an empty array and is %v", key, got)
		case value != nil && !sent:
			t.Errorf("%s is not sent any more", key)
		}
	}
	if _, sent := after["primary_email"]; sent {
		t.Error("the e-mail that is not there is sent")
	}
	ticket := decode[map[string]map[string]map[string]any](t, reply{
		text: onlyKey(t, h.fs("/tickets/"+itoa(h.Fixtures().TicketUnbillable)+"?include=stats"), "stats")})["ticket"]["stats"]
	if _, sent := ticket["pending_since"]; sent || ticket["closed_at"] == nil {
		t.Errorf("the stats are %v", ticket)
	}
	if empty := h.fs("/departments?page=9"); empty.text != `{"departments":[]}` {
		t.Errorf("an empty page: %s", empty.text)
	}
	if device := text(t, h, h.Fixtures().DeviceNulls, "antivirus"); device != "null" {
		t.Errorf("Datto RMM's records changed too: %q", device)
	}
}

func TestNumberPhones(t *testing.T) {
	h := start(t, small())
	id := h.AddRequester(simulator.Requester{FirstName: "Pat", WorkPhoneNumber: new("3125550142"), MobilePhoneNumber: new("+1 312 555 0143")})
	zero := h.AddRequester(simulator.Requester{FirstName: "Sam", WorkPhoneNumber: new("0205550142")})
	ticket := h.AddTicket(simulator.Ticket{RequesterID: id})
	h.turn(func(sw *simulator.Switches) { sw.NumberPhones = true })
	phones := func(path, envelope string) string {
		r := decode[map[string]map[string]json.RawMessage](t, h.fs(path))[envelope]
		return string(r["work_phone_number"]) + " " + string(r["mobile_phone_number"])
	}
	for path, want := range map[string]string{
		"/requesters/" + itoa(id):   `3125550142 "+1 312 555 0143"`,
		"/requesters/" + itoa(zero): `"0205550142" null`,
	} {
		if got := phones(path, "requester"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := h.fs("/tickets/" + itoa(ticket) + "?include=requester").text; !strings.Contains(got, `"phone":3125550142`) {
		t.Errorf("the embed is %s", got)
	}
}

func TestEveryEndOfADattoListing(t *testing.T) {
	h := start(t, small())
	variables := "/v2/site/" + h.Fixtures().SiteWithoutAccount + "/variables"
	for _, c := range []struct {
		name     string
		switches simulator.Switches
		want     string
	}{
		{"as it is by itself", simulator.Switches{}, `{"pageDetails":{"count":0,"totalCount":0,"prevPageUrl":null,"nextPageUrl":""},"variables":[]}`},
		{"null", simulator.Switches{LastPage: simulator.LastPageNull}, `{"pageDetails":{"count":0,"totalCount":0,"prevPageUrl":null,"nextPageUrl":null},"variables":[]}`},
		{"blank", simulator.Switches{LastPage: simulator.LastPageBlank}, `{"pageDetails":{"count":0,"totalCount":0,"prevPageUrl":null,"nextPageUrl":""},"variables":[]}`},
		{"absent", simulator.Switches{LastPage: simulator.LastPageAbsent}, `{"pageDetails":{"count":0,"totalCount":0,"prevPageUrl":null},"variables":[]}`},
		{"without a total", simulator.Switches{WithoutTotalCount: true}, `{"pageDetails":{"count":0,"prevPageUrl":null,"nextPageUrl":""},"variables":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.turn(func(sw *simulator.Switches) { *sw = c.switches })
			if got := h.rmm(variables); got.text != c.want {
				t.Errorf("got  %s\nwant %s", got.text, c.want)
			}
		})
	}
	h.turn(func(sw *simulator.Switches) { *sw = simulator.Switches{LastPage: simulator.LastPageAbsent} })
	if n := len(everything[record](h, "/v2/account/devices?max=7", "devices")); n != len(h.Truth().Devices) {
		t.Errorf("walked %d devices", n)
	}
}

func TestAnotherClockOnTheUpstreamsSide(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		opts := limited(simulator.TierStarter)
		opts.ClockSkew = skew
		h := start(t, opts)
		at := h.clock.now().Add(skew)
		id := h.AddTicket(simulator.Ticket{RequesterID: h.Truth().Requesters[0].ID})
		ticket, _ := h.Ticket(id)
		if !ticket.CreatedAt.Equal(at) {
			t.Errorf("%v: a new ticket is of %v, want %v", skew, ticket.CreatedAt, at)
		}
		_, refused := ask(func() reply { return h.fs("/agents") }, 200)
		if got, want := refused.header.Get("Date"), at.Format(http.TimeFormat); got != want {
			t.Errorf("%v: Date is %s, want %s", skew, got, want)
		}
		h.turn(func(sw *simulator.Switches) { sw.ClockSkew = 0 })
		if got, want := h.fs("/departments").header.Get("Date"), h.clock.now().Format(http.TimeFormat); got != want {
			t.Errorf("after the clock was set: Date is %s, want %s", got, want)
		}
	}
}
