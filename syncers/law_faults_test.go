package syncers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// fewChecks is how often a law is checked on each database where -rapid.checks does not say: each check
// makes databases and runs real syncs.
const fewChecks = 2

// law checks a law of the engine over small worlds of generated seeds, on both databases.
func law(t *testing.T, check func(r *rapid.T, h *shaken)) {
	t.Helper()
	t.Parallel()
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			asked := flag.Lookup("rapid.checks")
			var done atomic.Int64
			rapid.Check(t, func(r *rapid.T) {
				if done.Add(1) > fewChecks && asked.Value.String() == asked.DefValue && !t.Failed() {
					return
				}
				tb := &checked{TB: t, r: r}
				defer tb.over()
				var turning clock
				world := simulator.Options{Seed: rapid.Uint64Range(1, 1000).Draw(r, "world"), Companies: 5, Assets: 40, Contacts: 25, Tickets: 25, Plain: true}
				h := newHub(tb, storetest.Open(tb, dialectName, storetest.Now(turning.now)), world, &turning).beside(tb)
				h.sync()
				h.calm.sync()
				check(r, h)
			})
		})
	}
}

// checked is one check of a law: what it makes goes when it is over.
type checked struct {
	testing.TB
	r     *rapid.T
	after []func()
}

func (c *checked) Helper()                           {}
func (c *checked) Context() context.Context          { return c.TB.Context() }
func (c *checked) Cleanup(f func())                  { c.after = append(c.after, f) }
func (c *checked) Fatal(args ...any)                 { c.r.Fatal(args...) }
func (c *checked) Fatalf(format string, args ...any) { c.r.Fatalf(format, args...) }
func (c *checked) Error(args ...any)                 { c.r.Error(args...) }
func (c *checked) Errorf(format string, args ...any) { c.r.Errorf(format, args...) }
func (c *checked) Failed() bool                      { return c.r.Failed() }
func (c *checked) Output() io.Writer                 { return io.Discard }

func (c *checked) over() {
	for _, f := range slices.Backward(c.after) {
		f()
	}
}

// change is one change of the world, or a batch of them. Those that only a hub which saw what was before
// understands come right behind a sync that both hubs made.
func (h *shaken) change(r *rapid.T, n int, behindSync bool) {
	if !behindSync {
		h.stir(n)
		return
	}
	h.pass(time.Duration(rapid.IntRange(1, 72).Draw(r, "hours")) * time.Hour)
	h.world.Evolve(rapid.Uint64Range(1, 1<<20).Draw(r, "day"))
	for range rapid.IntRange(0, 3).Draw(r, "awkward") {
		h.awkward(rapid.SampledFrom(awkwardChanges()).Draw(r, "change"), n)
	}
	h.pass(time.Hour)
}

// awkwardChanges are those that Evolve does not make.
func awkwardChanges() []string {
	return []string{"site loses its number", "site has it back", "device without udf", "department is renumbered", "department vanishes", "ticket moves", "ticket is spam",
		"person moves", "person becomes an agent", "twin department", "twin person", "site vanishes", "late time entry", "machine of two names"}
}

func (h *shaken) awkward(what string, n int) {
	h.t.Helper()
	truth, all := h.world.Truth(), h.customers()
	department := all[1+n%(len(all)-1)]
	pick := func(count int) int { return n * 7 % max(count, 1) }
	sites := h.customerSites()
	people := slices.DeleteFunc(truth.Requesters, func(r simulator.Requester) bool { return r.PrimaryEmail == nil || len(r.DepartmentIDs) == 0 })
	tickets := slices.DeleteFunc(truth.Tickets, func(t simulator.Ticket) bool { return t.Status != simulator.StatusClosed || t.Deleted || t.Spam })
	if len(people) == 0 || len(tickets) == 0 || len(sites) < 3 {
		return
	}
	site, person, ticket, device := sites[pick(len(sites))], people[pick(len(people))], tickets[pick(len(tickets))], truth.Devices[pick(len(truth.Devices))]
	var err error
	switch what {
	case "site loses its number":
		err = h.world.RemoveVariable(site.UID, "AccountNumber")
	case "site has it back":
		for _, s := range truth.Sites {
			if len(s.Variables) == 0 && strings.Contains(s.Name, " ") && s.Name != "Deleted Devices" {
				err = h.world.SetVariable(s.UID, "AccountNumber", number(department), false)
			}
		}
	case "device without udf":
		err = h.world.EditDevice(device.UID, func(d *simulator.Device) { d.UDF = nil })
	case "department is renumbered":
		err = h.world.SetAccountNumber(department.ID, 700000+n)
	case "department vanishes":
		err = h.world.RemoveDepartment(department.ID)
	case "ticket moves":
		err = h.world.MoveTicket(ticket.ID, &department.ID)
	case "ticket is spam":
		err = h.world.MarkSpam(ticket.ID, true)
	case "person moves":
		err = h.world.SetRequesterDepartments(person.ID, department.ID)
	case "person becomes an agent":
		err = h.world.ConvertToAgent(person.ID)
	case "twin department":
		_, err = h.world.TwinDepartment(department.ID, fmt.Sprint("Twin ", n))
	case "twin person":
		_, err = h.world.TwinRequester(person.ID)
	case "site vanishes":
		err = h.world.RemoveSite(site.UID)
	case "late time entry":
		_, err = h.world.AddTimeEntry(ticket.ID, simulator.TimeEntry{TimeSpent: new("00:45")}, true)
	case "machine of two names":
		if device.SiteUID != nil && device.Hostname != nil {
			_, err = h.world.AddDevice(*device.SiteUID, strings.ToLower(*device.Hostname), nil)
		}
	}
	h.must(err)
}

// Planning after applying is empty, for every feed and mode, whatever came before.
func TestLawPlanningAfterApplyingIsEmpty(t *testing.T) {
	law(t, func(r *rapid.T, h *shaken) {
		for n := range rapid.IntRange(1, 3).Draw(r, "syncs") {
			h.change(r, n, true)
			mode := rapid.SampledFrom([]codex.RunMode{codex.ModeIncremental, codex.ModeFull}).Draw(r, "mode") // of tickets, some are seen by a full sync alone
			for _, feed := range codex.Feeds() {
				h.meets(syncers.Request{Feed: feed, Mode: mode, Force: rapid.Bool().Draw(r, "forced")}, codex.RunSucceeded, codex.RunHeld)
			}
			for _, feed := range codex.Feeds() {
				run := h.run(syncers.Request{Feed: feed, Mode: mode, DryRun: true})
				if c := syncers.Total(h.counts(run)); c.Created+c.Updated+c.Removed != 0 {
					h.t.Fatalf("planning %s again, %s: %+v", feed, mode, h.counts(run))
				}
			}
		}
	})
}

// Any interleaving of changes, faults and syncs, followed by one clean sync, leaves what a hub holds that
// never met the faults and saw the same upstream at the same clean syncs.
func TestLawFaultsLeaveNothingBehind(t *testing.T) {
	law(t, func(r *rapid.T, h *shaken) {
		n := 0
		for range rapid.IntRange(1, 2).Draw(r, "clean syncs") {
			h.change(r, n, true)
			for range rapid.IntRange(1, 4).Draw(r, "faulty syncs") {
				if n++; rapid.Bool().Draw(r, "changes meanwhile") {
					h.change(r, n, false)
				}
				for range rapid.IntRange(1, 2).Draw(r, "faults") {
					h.strike(r)
				}
				request := syncers.Request{
					Feed: rapid.SampledFrom(codex.Feeds()).Draw(r, "feed"),
					Mode: rapid.SampledFrom([]codex.RunMode{codex.ModeIncremental, codex.ModeFull}).Draw(r, "mode"),
				}
				if rapid.IntRange(0, 3).Draw(r, "interrupted") == 0 {
					h.interrupted(request, rapid.IntRange(1, 20).Draw(r, "at"))
				} else {
					h.meets(request, codex.RunSucceeded, codex.RunPartial, codex.RunHeld, codex.RunFailed)
				}
				if rapid.Bool().Draw(r, "over") {
					h.world.ClearFaults()
				}
			}
			h.convergesForced()
		}
	})
}

// strike arms a fault that rapid chose.
func (h *shaken) strike(r *rapid.T) {
	faults := noAnswers()
	for name, fault := range map[string]simulator.Fault{
		"pages repeat": simulator.RepeatPage(2), "the same page": simulator.SamePage(), "records lack": simulator.LoseRecords(2), "nothing": simulator.EmptyList(),
		"a wrong total": simulator.WrongTotal(3), "too low a total": simulator.WrongTotal(-3), "a foreign page": simulator.ForeignNextPage("https://elsewhere.example"),
		"tokens expire": simulator.ExpireTokens(), "a key without rights": simulator.Refuse(403), "a key that is refused": simulator.Refuse(401),
	} {
		faults[name] = fault
	}
	var names, paths []string
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, l := range listings() {
		paths = append(paths, l.path)
	}
	paths = append(paths, "/api/v2/**", "/api/v2/requesters/*", "/api/v2/agents/*", "/api/v2/tickets/*", "/api/v2/device/*", "/api/v2/site/*", "/api/v2/system/request_rate", "/auth/oauth/token")
	h.breaks(rapid.SampledFrom(paths).Draw(r, "path"), faults[rapid.SampledFrom(names).Draw(r, "fault")],
		simulator.After(rapid.IntRange(0, 6).Draw(r, "after")), simulator.Times(rapid.IntRange(0, 12).Draw(r, "times")))
}

// interrupted is a run whose process stops at its n-th request.
func (h *shaken) interrupted(request syncers.Request, n int) {
	h.t.Helper()
	before := h.census()
	stopped, began := make(chan struct{}), make(chan struct{})
	h.wire = &http.Client{Transport: &nth{RoundTripper: h.wire.Transport, n: int64(n), do: func() { close(began) }}}
	h.restart()
	engine := h.engine
	go func() {
		defer close(stopped)
		<-began
		engine.Close()
	}()
	run := h.start(engine, request)
	ended := h.wait(h.process(), run.ID)
	select {
	case <-began:
	default:
		close(began) // it made fewer requests
	}
	<-stopped
	h.wire = &http.Client{Transport: h.wire.Transport.(*nth).RoundTripper}
	h.restart()
	if !ended.State.Final() {
		h.t.Fatalf("it is %s", ended.State)
	}
	h.follows(before, h.census())
	h.sound()
}

// nth does something at its n-th request.
type nth struct {
	http.RoundTripper
	n    int64
	seen atomic.Int64
	do   func()
}

func (c *nth) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.seen.Add(1) == c.n {
		c.do()
	}
	return c.RoundTripper.RoundTrip(r)
}

// convergesForced is converges, where so much may have changed at once that a person has to say that it
// is true.
func (h *shaken) convergesForced() {
	h.t.Helper()
	h.world.ClearFaults()
	h.pass(time.Hour)
	for _, hub := range []*hub{h.hub, h.calm} {
		for _, feed := range codex.Feeds() {
			hub.expect(hub.run(syncers.Request{Feed: feed, Force: true}), codex.RunSucceeded)
		}
	}
	h.sound()
	h.isAsTheCalmOne()
}

// The order in which an upstream lists its records, and how it cuts them into pages, do not matter: even
// the local ids are the same.
func TestLawTheOrderOfPagesDoesNotMatter(t *testing.T) {
	law(t, func(r *rapid.T, h *shaken) {
		h.wire = &http.Client{Transport: &shuffledLists{RoundTripper: h.wire.Transport.(smallPages).RoundTripper, seed: rapid.Uint64().Draw(r, "order")}}
		h.restart()
		for n := range rapid.IntRange(1, 2).Draw(r, "syncs") {
			h.change(r, n, true)
			for _, hub := range []*hub{h.hub, h.calm} {
				for _, feed := range codex.Feeds() {
					hub.expect(hub.run(syncers.Request{Feed: feed, Force: true}), codex.RunSucceeded)
				}
			}
			h.same("the hub that read another order, and the one that did not", h.data(), h.calm.data())
		}
	})
}

// shuffledLists serves the lists of an upstream in another order, cut into pages of other sizes.
type shuffledLists struct {
	http.RoundTripper
	seed uint64
}

func (s *shuffledLists) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.Query()
	page, err := strconv.Atoi(query.Get("page"))
	if err != nil { // no list
		return s.RoundTripper.RoundTrip(r)
	}
	first := 1
	if query.Has("max") {
		first = 0
	}
	var answer map[string]json.RawMessage
	var key string
	var records []json.RawMessage
	for at := first; ; at++ {
		one, status, err := s.page(r, at)
		if err != nil || status != nil {
			return status, err
		}
		var list []json.RawMessage
		for name, raw := range one {
			if json.Unmarshal(raw, &list) == nil && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
				key = name
				break
			}
		}
		answer, records = one, append(records, list...)
		if len(list) == 0 {
			break
		}
	}
	random := rand.New(rand.NewPCG(s.seed, 1))
	random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	size := 3 + random.IntN(9)
	from := min((page-first)*size, len(records))
	to := min(from+size, len(records))
	header := http.Header{"Content-Type": {"application/json"}}
	next := *r.URL
	query.Set("page", strconv.Itoa(page+1))
	next.RawQuery = query.Encode()
	answer[key] = encoded(append([]json.RawMessage{}, records[from:to]...))
	switch {
	case first == 1 && to < len(records):
		header.Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next.String()))
	case first == 0:
		details := map[string]any{"count": to - from, "totalCount": len(records), "nextPageUrl": nil}
		if to < len(records) {
			details["nextPageUrl"] = next.String()
		}
		answer["pageDetails"] = encoded(details)
	}
	body := encoded(answer)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// page reads a page of the upstream's own; status is an answer that is no list.
func (s *shuffledLists) page(r *http.Request, at int) (list map[string]json.RawMessage, status *http.Response, err error) {
	query := r.URL.Query()
	query.Set("page", strconv.Itoa(at))
	asked := r.Clone(r.Context())
	asked.URL.RawQuery = query.Encode()
	response, err := s.RoundTripper.RoundTrip(asked)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, response, err
	}
	defer func() { _ = response.Body.Close() }()
	err = json.NewDecoder(response.Body).Decode(&list)
	return list, nil, err
}

func encoded(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
