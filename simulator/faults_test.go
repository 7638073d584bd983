package simulator_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func (h *hub) arm(rule simulator.FaultRule) (remove func()) {
	h.t.Helper()
	remove, err := h.AddFault(rule)
	if err != nil {
		h.t.Fatal(err)
	}
	return remove
}

func TestTheNthCallFailsAndTheOthersDoNot(t *testing.T) {
	h := start(t, small())
	h.arm(simulator.FaultRule{Path: "/api/v2/tickets/*/time_entries", After: 1, Times: 2,
		Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, Header: map[string]string{"Retry-After": "1"}, Body: `{"message":"slow"}`}})
	path := "/tickets/" + itoa(h.Fixtures().TicketWith35Entries) + "/time_entries"
	var got []int
	for range 5 {
		h.fs("/departments") // another path counts nowhere
		got = append(got, h.fs(path).status)
	}
	if want := []int{200, 429, 429, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	h.ClearFaults()
	h.arm(simulator.FaultRule{Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, Header: map[string]string{"Retry-After": "1"}, Body: `{"message":"slow"}`}})
	if refused := h.fs(path); refused.header.Get("Retry-After") != "1" || refused.text != `{"message":"slow"}` {
		t.Errorf("got %s, Retry-After %s", refused.text, refused.header.Get("Retry-After"))
	}
}

func TestOneSitesDevicesFail(t *testing.T) {
	h := start(t, small())
	broken, whole := h.Fixtures().SiteSecondOfContoso, h.Fixtures().SiteWithoutAccount
	remove := h.arm(simulator.FaultRule{Name: "warehouse", Upstream: simulator.Datto, Path: "/api/v2/site/" + broken + "/devices",
		Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 500, Body: `{"status":500}`}})
	if got := h.rmm("/v2/site/" + broken + "/devices"); got.status != 500 {
		t.Errorf("the broken site: %d", got.status)
	}
	if got := h.rmm("/v2/site/" + whole + "/devices"); got.status != 200 {
		t.Errorf("another site: %d", got.status)
	}
	remove()
	if got := h.rmm("/v2/site/" + broken + "/devices"); got.status != 200 {
		t.Errorf("the site after its fault: %d", got.status)
	}
	named := slices.DeleteFunc(h.Requests(), func(r simulator.Request) bool { return r.Fault != "warehouse" })
	if len(named) != 1 || named[0].Status != 500 {
		t.Errorf("the log names the fault in %+v", named)
	}
}

func TestKindsOfFaults(t *testing.T) {
	h := start(t, small())
	get := func() (*http.Response, []byte, error) {
		r := h.request(http.MethodGet, h.freshservice+"/api/v2/departments")
		r.SetBasicAuth(simulator.DefaultFreshserviceKey, "X")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response, body, err
	}
	_, whole, err := get()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		fault simulator.Fault
		check func(*testing.T, *http.Response, []byte, error)
	}{
		{"an HTML page", simulator.Fault{Kind: simulator.FaultHTML}, func(t *testing.T, r *http.Response, body []byte, err error) {
			if err != nil || r.StatusCode != 502 || r.Header.Get("Content-Type") != "text/html" || !bytes.HasPrefix(body, []byte("<html>")) {
				t.Errorf("%v %v %s", err, r, body)
			}
		}},
		{"HTML in place of JSON", simulator.Fault{Kind: simulator.FaultHTML, Status: 200}, func(t *testing.T, r *http.Response, body []byte, err error) {
			if err != nil || r.StatusCode != 200 || !bytes.HasPrefix(body, []byte("<html>")) {
				t.Errorf("%v %v %s", err, r, body)
			}
		}},
		{"a body that is cut", simulator.Fault{Kind: simulator.FaultCut}, func(t *testing.T, r *http.Response, body []byte, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(body, whole[:len(whole)/2]) {
				t.Errorf("%v, %d of %d bytes", err, len(body), len(whole))
			}
		}},
		{"a reset connection", simulator.Fault{Kind: simulator.FaultReset}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("got %v", err)
			}
		}},
		{"a delay", simulator.Fault{Kind: simulator.FaultDelay, Delay: 7 * time.Second}, func(t *testing.T, _ *http.Response, body []byte, err error) {
			if err != nil || !bytes.Equal(body, whole) || !slices.Contains(h.slept.waits, 7*time.Second) {
				t.Errorf("%v, waited %v", err, h.slept.waits)
			}
		}},
		{"another body", simulator.Fault{Kind: simulator.FaultRewrite, Rewrite: bytes.ToUpper}, func(t *testing.T, _ *http.Response, body []byte, err error) {
			if err != nil || !bytes.Equal(body, bytes.ToUpper(whole)) {
				t.Errorf("%v %s", err, body)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer h.arm(simulator.FaultRule{Fault: c.fault, Path: "/api/v2/**", Times: 2})() // the transport asks once more after a reset
			response, body, err := get()
			c.check(t, response, body, err)
		})
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	h := start(t, small())
	for _, rule := range []simulator.FaultRule{
		{}, {Fault: simulator.Fault{Kind: "nonsense"}}, {Fault: simulator.Fault{Kind: simulator.FaultStatus}},
		{Fault: simulator.Fault{Kind: simulator.FaultRewrite}}, {After: -1, Fault: simulator.Fault{Kind: simulator.FaultReset}},
	} {
		if _, err := h.AddFault(rule); err == nil {
			t.Errorf("%+v was accepted", rule)
		}
	}
	if n := len(h.Faults()); n != 0 {
		t.Errorf("%d rules are armed", n)
	}
}

func TestPatternsOfPaths(t *testing.T) {
	h := start(t, small())
	h.fs("/departments")
	h.fs("/tickets/1/time_entries")
	h.rmm("/v2/account/sites")
	for _, c := range []struct {
		upstream simulator.Upstream
		pattern  string
		want     int
	}{
		{"", "", 4}, // the token is a call too
		{simulator.Freshservice, "", 2},
		{simulator.Datto, "/auth/**", 1},
		{"", "/api/v2/tickets/*/time_entries", 1},
		{"", "/api/v2/*", 1},
		{"", "/api/**", 3},
		{"", "/api/v2/departments/", 0},
		{"", "/api/v2.departments", 0},
	} {
		if got := h.CountRequests(c.upstream, c.pattern); got != c.want {
			t.Errorf("%s %s: %d calls, want %d", c.upstream, c.pattern, got, c.want)
		}
	}
	h.ForgetRequests()
	if n := h.CountRequests("", ""); n != 0 {
		t.Errorf("%d calls after forgetting", n)
	}
}
