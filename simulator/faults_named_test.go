package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// breaks arms a fault until the test ends, or until it is taken off.
func (h *hub) breaks(path string, fault simulator.Fault, when ...simulator.When) (remove func()) {
	h.t.Helper()
	remove, err := h.Break(path, fault, when...)
	if err != nil {
		h.t.Fatal(err)
	}
	return remove
}

// try asks Freshservice on a connection of its own and keeps what arrived before an error. (A
// connection that is used again would have a failed call asked once more.)
func (h *hub) try(path string) (reply, error) {
	h.t.Helper()
	r := h.request(http.MethodGet, h.freshservice+"/api/v2"+path)
	r.SetBasicAuth(simulator.DefaultFreshserviceKey, "X")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body)}, err
}

func TestBreakSaysWhichCallsAreMet(t *testing.T) {
	h := start(t, small())
	statuses := func(call func() reply, n int) (list []int) {
		for range n {
			list = append(list, call().status)
		}
		return list
	}
	page := func(n string) func() reply {
		return func() reply { return h.fs("/requesters?per_page=10&page=" + n) }
	}
	for _, c := range []struct {
		name string
		when []simulator.When
		call func() reply
		want []int
	}{
		{"every call", nil, page("1"), []int{503, 503, 503}},
		{"the first two", []simulator.When{simulator.Times(2)}, page("1"), []int{503, 503, 200}},
		{"the third", []simulator.When{simulator.After(2), simulator.Times(1)}, page("1"), []int{200, 200, 503, 200}},
		{"another page", []simulator.When{simulator.OnPage(2)}, page("1"), []int{200}},
		{"that page", []simulator.When{simulator.OnPage(2)}, page("2"), []int{503}},
		{"the first page, which nobody names", []simulator.When{simulator.OnPage(1)}, func() reply { return h.fs("/requesters") }, []int{503}},
		{"another upstream", []simulator.When{simulator.From(simulator.Datto)}, page("1"), []int{200}},
		{"Datto RMM's first page is its page 0", []simulator.When{simulator.OnPage(1)}, func() reply { return h.rmm("/v2/account/sites?page=0") }, []int{503}},
		{"Datto RMM's page 1 is its second", []simulator.When{simulator.OnPage(1)}, func() reply { return h.rmm("/v2/account/sites?page=1") }, []int{200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.rmm("/v2/system/pagination") // the token is not to be met
			defer h.breaks("/api/v2/**", simulator.Refuse(503), c.when...)()
			if got := statuses(c.call, len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	h.breaks("/api/v2/agents", simulator.Drop(), simulator.Named("the agents' outage"))
	if _, err := h.try("/agents"); err == nil {
		t.Error("an answer to a call that was dropped")
	}
	if last := h.Requests()[len(h.Requests())-1]; last.Fault != "the agents' outage" || last.Status != 0 {
		t.Errorf("the log has %+v", last)
	}
}

// TestAnswersInPlaceOfTheReal has the whole answer of each fault that needs none of the real one.
func TestAnswersInPlaceOfTheReal(t *testing.T) {
	h := start(t, small())
	date := h.clock.now().Add(90 * time.Second)
	datto := func(status int) string {
		return fmt.Sprintf(`{"timestamp":%d,"status":%d,"error":%q,"path":"/v2/account/sites"}`,
			h.clock.now().UnixMilli(), status, http.StatusText(status))
	}
	const exhausted = `{"message":"The API rate limit allotted for your Freshservice domain has been exhausted"}`
	page := func(status string) string {
		return "<html>\n<head><title>" + status + "</title></head>\n<body><center><h1>" + status + "</h1></center><hr><center>nginx</center></body>\n</html>\n"
	}
	for _, c := range []struct {
		name              string
		datto             bool
		fault             simulator.Fault
		status            int
		retryAfter, media string
		body              string
	}{
		{"429 with seconds", false, simulator.RateLimited(7 * time.Second), 429, "7", "application/json; charset=utf-8", exhausted},
		{"429 with part of a second, rounded up", false, simulator.RateLimited(200 * time.Millisecond), 429, "1", "application/json; charset=utf-8", exhausted},
		{"429 without Retry-After", false, simulator.RateLimited(0), 429, "", "application/json; charset=utf-8", exhausted},
		{"429 with a date", false, simulator.RateLimitedUntil(date), 429, date.Format(http.TimeFormat), "application/json; charset=utf-8", exhausted},
		{"Datto RMM's 429", true, simulator.RateLimited(0), 429, "", "application/json; charset=utf-8", datto(429)},
		{"wrong credentials", false, simulator.Refuse(401), 401, "", "application/json; charset=utf-8", `{"code":"invalid_credentials","message":"You have to be logged in to perform this action."}`},
		{"Datto RMM's wrong token", true, simulator.Refuse(401), 401, "", "application/json; charset=utf-8", datto(401)},
		{"no right", false, simulator.Refuse(403), 403, "", "application/json; charset=utf-8", `{"code":"access_denied","message":"You are not authorized to perform this action."}`},
		{"a wrong domain", false, simulator.Refuse(404), 404, "", "", ``},
		{"a 500", false, simulator.Refuse(500), 500, "", "application/json; charset=utf-8", `{"code":"internal_error","message":"We're sorry, but something went wrong."}`},
		{"Datto RMM's 500", true, simulator.Refuse(500), 500, "", "application/json; charset=utf-8", datto(500)},
		{"a 409", false, simulator.Refuse(409), 409, "", "application/json; charset=utf-8", `{"code":"conflict","message":"Conflict"}`},
		{"a 503 of the proxy", true, simulator.Refuse(503), 503, "", "text/html", page("503 Service Unavailable")},
		{"HTML with 200", false, simulator.HTMLPage(200), 200, "", "text/html", page("200 OK")},
		{"HTML with no status said", false, simulator.HTMLPage(0), 502, "", "text/html", page("502 Bad Gateway")},
		{"a sentence with 200", false, simulator.ErrorText(), 200, "", "text/plain; charset=utf-8", `We're sorry, but something went wrong.`},
		{"an error with 200", true, simulator.ErrorObject(), 200, "", "application/json; charset=utf-8", `{"code":"internal_error","message":"We're sorry, but something went wrong."}`},
		{"nothing with 200", false, simulator.NoBody(), 200, "", "", ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.rmm("/v2/system/pagination")
			defer h.breaks("/api/v2/**", c.fault)()
			ask := func() reply { return h.fs("/departments") }
			if c.datto {
				ask = func() reply { return h.rmm("/v2/account/sites") }
			}
			got := ask()
			if got.status != c.status || got.text != c.body || got.header.Get("Retry-After") != c.retryAfter || got.header.Get("Content-Type") != c.media {
				t.Errorf("got  %d %q %q %s\nwant %d %q %q %s", got.status, got.header.Get("Retry-After"), got.header.Get("Content-Type"), got.text,
					c.status, c.retryAfter, c.media, c.body)
			}
		})
	}
}

func TestTheTokenEndpointRefusesInItsOwnForm(t *testing.T) {
	h := start(t, small())
	form := map[string][]string{"grant_type": {"password"}, "username": {simulator.DefaultDattoPublicKey}, "password": {simulator.DefaultDattoSecretKey}}
	for status, want := range map[int]string{
		400: `{"error":"invalid_grant","error_description":"Bad credentials"}`,
		401: `{"error":"unauthorized","error_description":"Full authentication is required to access this resource"}`,
	} {
		remove := h.breaks("/auth/**", simulator.Refuse(status))
		if got := h.grant("public-client", "public", "application/x-www-form-urlencoded", form); got.status != status || got.text != want {
			t.Errorf("got %d %s", got.status, got.text)
		}
		remove()
	}
}

// TestBodiesThatArriveOtherwise compares with the whole body what each fault lets through.
func TestBodiesThatArriveOtherwise(t *testing.T) {
	h := start(t, small())
	const path = "/departments?per_page=2"
	whole := h.fs(path).text
	for _, c := range []struct {
		name  string
		fault simulator.Fault
		body  string
		errs  []error // one of which is the error; none: no error
	}{
		{"cut at a byte", simulator.Cut(40), whole[:40], []error{io.ErrUnexpectedEOF}},
		{"cut behind its end", simulator.Cut(1 << 20), whole[:len(whole)-1], []error{io.ErrUnexpectedEOF}},
		{"cut in half", simulator.Cut(0), whole[:len(whole)/2], []error{io.ErrUnexpectedEOF}},
		{"truncated, but complete to HTTP", simulator.Truncate(40), whole[:40], nil},
		{"truncated behind its end", simulator.Truncate(1 << 20), whole, nil},
		{"malformed at its last byte", simulator.Malformed(), whole[:len(whole)-1] + ";", nil},
		{"a few bytes at a time", simulator.Trickle(100, time.Second), whole, nil},
		{"without its envelope", simulator.WithoutEnvelope(), `{}`, nil},
		{"the records alone", simulator.BareRecords(), strings.TrimSuffix(strings.TrimPrefix(whole, `{"departments":`), "}"), nil},
		{"reset at a byte", simulator.ResetAt(40), whole[:40], []error{syscall.ECONNRESET}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer h.breaks("/api/v2/departments", c.fault)()
			got, err := h.try(path)
			if !slices.ContainsFunc(c.errs, func(want error) bool { return errors.Is(err, want) }) && (err != nil || c.errs != nil) {
				t.Errorf("error %v, want one of %v", err, c.errs)
			}
			if got.text != c.body {
				t.Errorf("got  %s\nwant %s", got.text, c.body)
			}
		})
	}
	if n := len(h.slept.waits); n != (len(whole)+99)/100 {
		t.Errorf("the trickle paused %d times for %d bytes", n, len(whole))
	}
	for name, fault := range map[string]simulator.Fault{"reset": simulator.Reset(), "dropped": simulator.Drop()} {
		remove := h.breaks("/api/v2/departments", fault)
		if got, err := h.try(path); err == nil || got.status != 0 {
			t.Errorf("%s: answered %d", name, got.status)
		}
		remove()
	}
}

func TestAHugeBodyIsJSONOfItsSizeThatNobodyHolds(t *testing.T) {
	h := start(t, small())
	const size = 200 << 20
	h.breaks("/api/v2/departments", simulator.Huge(size))
	r := h.request(http.MethodGet, h.freshservice+"/api/v2/departments?per_page=1")
	r.SetBasicAuth(simulator.DefaultFreshserviceKey, "X")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); n != size || err != nil || response.ContentLength != -1 {
		t.Errorf("%d bytes of an announced %d: %v", n, response.ContentLength, err)
	}
	h.ClearFaults()
	h.breaks("/api/v2/departments", simulator.Huge(100<<10))
	got := decode[struct {
		Departments []record
		Padding     string
	}](t, h.fs("/departments?per_page=1"))
	if len(got.Departments) != 1 || strings.Trim(got.Padding, "x") != "" {
		t.Errorf("the small one has %d departments", len(got.Departments))
	}
}

// onDatto is the answer of a page of 10 devices under a fault, with its records apart.
func (h *hub) onDatto(page int) (details string, uids []string) {
	h.t.Helper()
	type device struct{ UID string }
	answer := decode[struct {
		PageDetails json.RawMessage
		Devices     []device
	}](h.t, h.rmm(fmt.Sprintf("/v2/account/devices?max=10&page=%d", page)))
	for _, d := range answer.Devices {
		uids = append(uids, d.UID)
	}
	return string(answer.PageDetails), uids
}

func TestListsThatMislead(t *testing.T) {
	h := start(t, small()) // 62 devices
	address := func(page int) string {
		return fmt.Sprintf("%s/api/v2/account/devices?max=10&page=%d", h.datto, page)
	}
	pages := map[int][]string{}
	for page := range 7 {
		_, pages[page] = h.onDatto(page)
	}
	details := func(count, total int, previous, next string) string {
		return fmt.Sprintf(`{"count":%d,"totalCount":%d,"prevPageUrl":%s,"nextPageUrl":%s}`, count, total, previous, next)
	}
	quoted := func(s string) string { return `"` + s + `"` }
	for _, c := range []struct {
		name    string
		fault   simulator.Fault
		page    int
		details string
		uids    []string
	}{
		{"the second page repeats the first", simulator.RepeatPage(2), 1, details(10, 62, quoted(address(0)), quoted(address(2))), pages[0]},
		{"the page behind it does not", simulator.RepeatPage(2), 2, details(10, 62, quoted(address(1)), quoted(address(3))), pages[2]},
		{"the last page repeats too", simulator.RepeatPage(7), 6, details(10, 62, quoted(address(5)), `""`), pages[5]},
		{"the next page is this one", simulator.SamePage(), 1, details(10, 62, quoted(address(0)), quoted(address(1))), pages[1]},
		{"an empty list", simulator.EmptyList(), 0, details(0, 0, `null`, `null`), nil},
		{"records are lost", simulator.LoseRecords(3), 0, details(7, 62, `null`, quoted(address(1))), pages[0][:7]},
		{"more are lost than there are", simulator.LoseRecords(30), 0, details(0, 62, `null`, quoted(address(1))), nil},
		{"the total is too high", simulator.WrongTotal(5), 0, details(10, 67, `null`, quoted(address(1))), pages[0]},
		{"the total is too low", simulator.WrongTotal(-5), 0, details(10, 57, `null`, quoted(address(1))), pages[0]},
		{"the next page is elsewhere", simulator.ForeignNextPage("https://elsewhere.example"), 0, details(10, 62, `null`, `"https://elsewhere.example/api/v2/account/devices?max=10&page=1"`), pages[0]},
		{"the page behind the last is elsewhere", simulator.ForeignNextPage("https://elsewhere.example"), 6, details(2, 62, quoted(address(5)), `"https://elsewhere.example/api/v2/account/devices?max=10&page=7"`), pages[6]},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer h.breaks("/api/v2/account/devices", c.fault)()
			if got, uids := h.onDatto(c.page); got != c.details || !slices.Equal(uids, c.uids) {
				t.Errorf("got  %s %v\nwant %s %v", got, uids, c.details, c.uids)
			}
		})
	}
	h.breaks("/api/v2/account/devices", simulator.WithoutEnvelope())
	if got, want := h.rmm("/v2/account/devices?max=10").text, `{"pageDetails":`+details(10, 62, `null`, quoted(address(1)))+`}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFreshservicesListsMisleadByTheirLink(t *testing.T) {
	h := start(t, small()) // 40 requesters
	link := func(origin, query string) string {
		return "<" + origin + "/api/v2/requesters?" + query + `>; rel="next"`
	}
	first, second := h.fs("/requesters?per_page=10"), h.fs("/requesters?page=2&per_page=10")
	last := h.fs("/requesters?page=4&per_page=10")
	for _, c := range []struct {
		name  string
		fault simulator.Fault
		query string
		body  string
		link  string
	}{
		{"the second page repeats the first", simulator.RepeatPage(2), "page=2&per_page=10", first.text, link(h.freshservice, "page=3&per_page=10")},
		{"the next page is this one", simulator.SamePage(), "page=2&per_page=10", second.text, link(h.freshservice, "page=2&per_page=10")},
		{"an empty list", simulator.EmptyList(), "per_page=10", `{"requesters":[]}`, ""},
		{"a list has no total that could be wrong", simulator.WrongTotal(9), "per_page=10", first.text, link(h.freshservice, "page=2&per_page=10")},
		{"the next page is elsewhere", simulator.ForeignNextPage("https://elsewhere.example"), "per_page=10", first.text, link("https://elsewhere.example", "page=2&per_page=10")},
		{"the page behind the last is elsewhere", simulator.ForeignNextPage("https://elsewhere.example"), "page=4&per_page=10", last.text, link("https://elsewhere.example", "page=5&per_page=10")},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer h.breaks("/api/v2/requesters", c.fault)()
			if got := h.fs("/requesters?" + c.query); got.text != c.body || got.header.Get("Link") != c.link {
				t.Errorf("got  %s %s\nwant %s %s", got.header.Get("Link"), got.text, c.link, c.body)
			}
		})
	}
	h.breaks("/api/v2/tickets/filter", simulator.WrongTotal(7))
	if _, list, total := h.filtered(`"status:5"`, "&per_page=100"); total != len(list)+7 {
		t.Errorf("the filter has %d tickets and a total of %d", len(list), total)
	}
}

// TestAListShiftsBetweenItsPages walks the requesters, by first name and 10 a page, while somebody
// changes them behind page 1.
func TestAListShiftsBetweenItsPages(t *testing.T) {
	walk := func(h *hub) []int64 { return ids(all[record](h, "/requesters?per_page=10", "requesters")) }
	before := walk(start(t, small()))
	for _, c := range []struct {
		name   string
		change func(*simulator.Sim) error
		want   func([]int64) []int64
	}{
		{"an insertion in front shows a record twice", func(s *simulator.Sim) error {
			s.AddRequester(simulator.Requester{FirstName: "Aaaron"})
			return nil
		}, func(list []int64) []int64 { return slices.Insert(list, 10, list[9]) }},
		{"a deletion in front hides one", func(s *simulator.Sim) error { return s.RemoveRequester(before[3]) },
			func(list []int64) []int64 { return slices.Delete(list, 10, 11) }},
		{"one that is renamed to the end is shown twice, and hides another", func(s *simulator.Sim) error {
			return s.RenameRequester(before[3], "Zzz", "Z")
		}, func(list []int64) []int64 { return append(slices.Delete(list, 10, 11), list[3]) }},
		{"one that is renamed to the front is not shown, and shows another twice", func(s *simulator.Sim) error {
			return s.RenameRequester(before[25], "Aaa", "A")
		}, func(list []int64) []int64 { return slices.Insert(slices.Delete(list, 25, 26), 10, list[9]) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := start(t, small())
			if _, err := h.BetweenPages("/api/v2/requesters", 1, func(s *simulator.Sim) {
				if err := c.change(s); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			if got, want := walk(h), c.want(slices.Clone(before)); !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			again := walk(h)
			slices.Sort(again)
			if len(again) != len(slices.Compact(again)) {
				t.Error("the change was made again")
			}
		})
	}
}

func TestTokensExpireInTheMiddleOfAListing(t *testing.T) {
	h := start(t, small())
	h.breaks("/api/v2/account/devices", simulator.ExpireTokens(), simulator.OnPage(2), simulator.Times(1))
	var got []int
	for _, page := range []string{"0", "1", "2"} {
		got = append(got, h.rmm("/v2/account/devices?max=10&page="+page).status)
	}
	h.token = ""
	got = append(got, h.rmm("/v2/account/devices?max=10&page=2").status)
	if want := []int{200, 200, 401, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNamedFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	h := start(t, small())
	for name, fault := range map[string]simulator.Fault{
		"no status":           simulator.Refuse(0),
		"nothing left":        simulator.Truncate(0),
		"no pause":            simulator.Trickle(1, 0),
		"no chunk":            simulator.Trickle(0, time.Second),
		"no size":             simulator.Huge(0),
		"nothing before it":   simulator.RepeatPage(1),
		"a right total":       simulator.WrongTotal(0),
		"nothing lost":        simulator.LoseRecords(0),
		"no origin":           simulator.ForeignNextPage("elsewhere"),
		"no change":           simulator.Change(nil),
		"less than no bytes":  simulator.Cut(-1),
		"a page that is none": {Kind: simulator.FaultDrop, Page: -1},
	} {
		if _, err := h.Break("/api/**", fault); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if n := len(h.Faults()); n != 0 {
		t.Errorf("%d rules are armed", n)
	}
}
