package simulator_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func limited(tier simulator.Tier) simulator.Options {
	opts := small()
	opts.Tier = tier
	return opts
}

// ask repeats a call until it is refused, and counts the answers before.
func ask(call func() reply, most int) (answered int, last reply) {
	for range most {
		if last = call(); last.status == http.StatusTooManyRequests {
			return answered, last
		}
		answered++
	}
	return answered, last
}

func TestEachPlanHasItsLimitsAMinute(t *testing.T) {
	for _, c := range []struct {
		tier                simulator.Tier
		overall, list, view int
	}{
		{simulator.TierStarter, 100, 40, 50},
		{simulator.TierGrowth, 200, 70, 80},
		{simulator.TierPro, 400, 120, 140},
		{simulator.TierEnterprise, 500, 140, 160},
	} {
		t.Run(string(c.tier), func(t *testing.T) {
			for path, want := range map[string]int{
				"/departments": c.overall, "/tickets": c.list, "/requesters": c.list, "/agents": c.list,
				"/tickets/filter?query=%22status:5%22": c.list, "/tickets/4711": c.view, "/tickets/4711/time_entries": c.overall,
			} {
				h := start(t, limited(c.tier))
				answer := h.fs(path)
				if got := answer.header.Get("X-RateLimit-Total"); got != strconv.Itoa(want) {
					t.Errorf("%s tells a limit of %s, want %d", path, got, want)
				}
				if n, _ := ask(func() reply { return h.fs(path) }, 1000); n != want-1 {
					t.Errorf("%s was answered %d times in a minute, want %d", path, n+1, want)
				}
			}
		})
	}
}

func TestBucketsAreApartButShareTheAccountsLimit(t *testing.T) {
	h := start(t, limited(simulator.TierStarter)) // 100 in all, 40 a list
	for _, c := range []struct {
		path string
		want int
	}{{"/tickets", 40}, {"/requesters", 40}, {"/agents", 20}, {"/departments", 0}} {
		if n, _ := ask(func() reply { return h.fs(c.path) }, 200); n != c.want {
			t.Errorf("%s was answered %d times, want %d", c.path, n, c.want)
		}
	}
}

func TestA429TellsWhenTheMinuteIsOver(t *testing.T) {
	h := start(t, limited(simulator.TierStarter))
	h.clock.advance(18*time.Second + 400*time.Millisecond)
	_, refused := ask(func() reply { return h.fs("/agents") }, 200)
	want := `{"message":"The API rate limit allotted for your Freshservice domain has been exhausted"}`
	if refused.text != want || refused.header.Get("Retry-After") != "42" || refused.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("got %s, Retry-After %s, remaining %s", refused.text, refused.header.Get("Retry-After"), refused.header.Get("X-RateLimit-Remaining"))
	}
	h.clock.advance(42 * time.Second)
	if again := h.fs("/agents"); again.status != http.StatusOK || again.header.Get("X-RateLimit-Remaining") != "39" {
		t.Errorf("in the next minute: %d, remaining %s", again.status, again.header.Get("X-RateLimit-Remaining"))
	}
}

func TestEmbedsCostCreditsAndFailedCallsCount(t *testing.T) {
	h := start(t, limited(simulator.TierPro))
	first := h.fs("/tickets?updated_since=2020-01-01&per_page=1")
	ticket := decode[map[string][]record](t, first)["tickets"][0].ID
	remaining := 400 - 1
	for _, c := range []struct {
		name, path string
		used       int
	}{
		{"a plain list", "/tickets", 1},
		{"one embed on a list", "/tickets?include=stats", 3},
		{"two embeds on a list", "/tickets?include=stats,requester", 5},
		{"the same embed twice", "/tickets?include=stats,stats", 3},
		{"a plain view", "/tickets/" + itoa(ticket), 1},
		{"one embed on a view", "/tickets/" + itoa(ticket) + "?include=stats", 2},
		{"three embeds on a view", "/tickets/" + itoa(ticket) + "?include=stats,requester,conversations", 4},
		{"an unknown embed", "/tickets?include=nonsense", 1},
		{"a bad page", "/tickets?per_page=500", 1},
		{"an unknown path", "/nothing", 1},
	} {
		answer := h.fs(c.path)
		if got := answer.header.Get("X-RateLimit-Used-CurrentRequest"); got != strconv.Itoa(c.used) {
			t.Errorf("%s used %s, want %d", c.name, got, c.used)
		}
		remaining -= c.used
	}
	if got := h.fs("/departments").header.Get("X-RateLimit-Remaining"); got != strconv.Itoa(remaining-1) {
		t.Errorf("the account has %s left, want %d", got, remaining-1)
	}
}

func TestWithoutAPlanNothingIsLimitedAndTheFiguresSaySo(t *testing.T) {
	h := start(t, small())
	if got := h.fs("/tickets").header.Get("X-RateLimit-Total"); got != strconv.Itoa(simulator.Unlimited) {
		t.Errorf("the limit is told as %s", got)
	}
	rate := decode[map[string]any](t, h.rmm("/v2/system/request_rate"))
	if rate["accountRateLimit"] != float64(simulator.Unlimited) || rate["accountCount"] != 1.0 {
		t.Errorf("the rate is told as %v", rate)
	}
}

func TestAnUnknownPlanIsRefused(t *testing.T) {
	if _, err := simulator.New(simulator.Options{Tier: "platinum"}); err == nil {
		t.Error("there is a tier platinum")
	}
}

func TestDattoCountsARollingMinute(t *testing.T) {
	opts := small()
	opts.DattoReadLimit = 20
	h := start(t, opts)
	for range 10 {
		h.rmm("/v2/account/sites?max=1")
	}
	h.clock.advance(40 * time.Second)
	if n, _ := ask(func() reply { return h.rmm("/v2/account/sites?max=1") }, 30); n != 10 {
		t.Errorf("%d more calls were answered, want 10", n)
	}
	h.clock.advance(21 * time.Second) // the first ten have left the window
	rate := decode[map[string]any](t, h.rmm("/v2/system/request_rate"))
	if rate["accountCount"] != 11.0 || rate["accountRateLimit"] != 20.0 {
		t.Errorf("the rate is %v", rate)
	}
}

func TestDattoSlowsDownAbove90PercentThenRefusesThenBlocks(t *testing.T) {
	opts := small()
	opts.DattoReadLimit = 20
	h := start(t, opts)
	call := func() reply { return h.rmm("/v2/system/pagination") }
	for range 18 {
		call()
	}
	if len(h.slept.waits) != 0 {
		t.Fatalf("slowed down at 90 %%: %v", h.slept.waits)
	}
	call()
	if len(h.slept.waits) != 1 || h.slept.waits[0] != time.Second {
		t.Fatalf("not slowed down by a second above 90 %%: %v", h.slept.waits)
	}
	call()
	refused := call()
	want := `{"timestamp":` + itoa(h.clock.now().UnixMilli()) + `,"status":429,"error":"Too Many Requests","path":"/v2/system/pagination"}`
	if refused.status != 429 || refused.text != want || refused.header.Get("Retry-After") != "" {
		t.Errorf("got %d %s, want %s and no Retry-After", refused.status, refused.text, want)
	}
	var last reply
	for range 60 {
		last = call()
	}
	if last.status != http.StatusForbidden {
		t.Errorf("who goes on is answered %d, want 403", last.status)
	}
	h.clock.advance(4 * time.Minute)
	if still := call(); still.status != http.StatusForbidden {
		t.Errorf("after four minutes %d, want 403", still.status)
	}
	h.clock.advance(2 * time.Minute)
	if again := call(); again.status != http.StatusOK {
		t.Errorf("after six minutes %d, want 200", again.status)
	}
}
