package resolvers_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// The protocol is graphql-sse's, distinct connections mode: a result is an event next, the end an
// event complete, and what is wrong with an operation is a result too.
func TestGraphQLOverServerSentEvents(t *testing.T) {
	server := onWorld(t, func(o *resolvers.Options) { o.Limits.Cost = 200 }).serve()
	result := func(data string) string { return ":\n\nevent: next\ndata: " + data + "\n\nevent: complete\ndata:\n\n" }
	refused := func(code, message string) string {
		return result(`{"errors":[{"message":"` + message + `","extensions":{"code":"` + code + `"}}]}`)
	}
	get := func(text string) string { return "/graphql?query=" + url.QueryEscape(text) }
	const (
		events = "text/event-stream; charset=utf-8"
		asJSON = "application/json; charset=utf-8"
	)
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		media, want                string
	}{
		{"a query by POST", "POST", "/graphql", `{"query":"{ me { name } }"}`, 200, events, result(`{"data":{"me":{"name":"the admin"}}}`)},
		{"a query by GET", "GET", get("{ me { role } }"), "", 200, events, result(`{"data":{"me":{"role":"ADMIN"}}}`)},
		{"a mutation by POST", "POST", "/graphql", `{"query":"mutation { syncDatto { run { id } } }"}`, 200, events, result(`{"data":{"syncDatto":{"run":{"id":"r2"}}}}`)},
		{"a result with an error", "POST", "/graphql", `{"query":"{ asset(id: \"x\") { id } }"}`, 200, events,
			result(`{"errors":[{"message":"this id is a string of digits","path":["asset"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"id"}}],"data":{"asset":null}}`)},
		{"no GraphQL", "POST", "/graphql", `{"query":"{"}`, 200, events,
			result(`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`)},
		{"beyond the cost limit", "POST", "/graphql", `{"query":"subscription { syncProgress { held { recordId kind label entity } } }"}`, 200, events,
			refused("COST_LIMIT", "the query may have 202 values in its answer, 200 are allowed (max_cost): ask for fewer rows (first) or fields at once")},
		{"no field of a subscription", "POST", "/graphql", `{"query":"subscription { syncProgress @skip(if: true) { id } }"}`, 200, events,
			refused("BAD_USER_INPUT", "a subscription asks for one field of Subscription")},
		{"a field of the schema itself", "POST", "/graphql", `{"query":"subscription { __typename }"}`, 200, events,
			result(`{"errors":[{"message":"Anonymous Subscription must not select an introspection top level field.","locations":[{"line":1,"column":16}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)},
		{"no feed", "POST", "/graphql", `{"query":"subscription { syncProgress(feed: ALL) { id } }"}`, 200, events,
			result(`{"errors":[{"message":"Value \"ALL\" does not exist in \"Feed\" enum.","locations":[{"line":1,"column":35}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)},
		{"a mutation by GET", "GET", get("mutation { syncDatto { run { id } } }"), "", 405, asJSON,
			`{"errors":[{"message":"GET takes no mutations: send this by POST","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n"},
		{"no query", "POST", "/graphql", `{}`, 400, asJSON,
			`{"errors":[{"message":"the body has no \"query\"","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n"},
		{"a reservation, which is the protocol's other mode", "PUT", "/graphql", "", 405, asJSON,
			`{"errors":[{"message":"GraphQL takes GET and POST","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := streamOf(t, server, "admin", tc.method, tc.target, tc.body)
			body, err := io.ReadAll(got.lines)
			if err != nil {
				t.Fatal(err)
			}
			if r := got.response; r.StatusCode != tc.status || r.Header.Get("Content-Type") != tc.media || string(body) != tc.want {
				t.Errorf("got %d %q %s\nwant %d %q %s", r.StatusCode, r.Header.Get("Content-Type"), body, tc.status, tc.media, tc.want)
			}
		})
	}
}

func TestASubscriptionIsAnsweredByAStreamAlone(t *testing.T) {
	g := onWorld(t)
	got := g.ask(as(codex.RoleAdmin), "subscription { syncProgress { id } }", nil)
	want := `{"errors":[{"message":"a subscription is answered by a stream: ask with Accept: text/event-stream","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
}

func TestWhoWatchesHearsOfTheRunsThatAreNotOverThenOfEachChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		server := newGraph(t, db).serve()
		tickets, _ := streamOf(t, server, "technician", http.MethodGet,
			"/graphql?query="+url.QueryEscape("subscription { run: syncProgress(feed: TICKETS) { id state phase progressDone } }"), "")
		every, _ := stream(t, server, "service", "subscription { syncProgress { id feed state endedAt held { recordId } approvalRun { id } } }")
		expect := func(from *eventsOf, want string) {
			t.Helper()
			if got := from.must(t); got != (event{"next", want}) {
				t.Fatalf("got %v, want %s", got, want)
			}
		}
		expect(tickets, `{"data":{"run":{"id":"r5","state":"QUEUED","phase":"","progressDone":0}}}`)
		expect(every, `{"data":{"syncProgress":{"id":"r5","feed":"TICKETS","state":"QUEUED","endedAt":null,"held":[],"approvalRun":null}}}`)

		change := func(fn func(*ent.SyncRunUpdateOne) *ent.SyncRunUpdateOne) {
			t.Helper()
			fn(db.Ent().SyncRun.UpdateOneID("r5")).ExecX(t.Context())
		}
		change(func(u *ent.SyncRunUpdateOne) *ent.SyncRunUpdateOne {
			return u.SetState(codex.RunRunning).SetPhase("reading tickets").SetProgressDone(7)
		})
		expect(tickets, `{"data":{"run":{"id":"r5","state":"RUNNING","phase":"reading tickets","progressDone":7}}}`)
		expect(every, `{"data":{"syncProgress":{"id":"r5","feed":"TICKETS","state":"RUNNING","endedAt":null,"held":[],"approvalRun":null}}}`)

		// Another process starts a run of another feed, and this one ends.
		db.Ent().SyncRun.Create().SetID("r6").SetFeed(codex.FeedDatto).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerAPI).
			SetRequestedBy("ann").SetDryRun(false).SetForced(false).SetState(codex.RunRunning).SetQueuedAt(querytest.At(15)).ExecX(t.Context())
		expect(every, `{"data":{"syncProgress":{"id":"r6","feed":"DATTO","state":"RUNNING","endedAt":null,"held":[],"approvalRun":null}}}`)
		db.Ent().SyncChange.Create().SetRunID("r5").SetOrdinal(1).SetEntity("tickets").SetKind("held").SetRecordID("1001").
			SetLabel("printer").SetFields("[]").ExecX(t.Context())
		change(func(u *ent.SyncRunUpdateOne) *ent.SyncRunUpdateOne {
			return u.SetState(codex.RunHeld).SetEndedAt(querytest.At(15)).SetApprovalRunID("r1")
		})
		expect(tickets, `{"data":{"run":{"id":"r5","state":"HELD","phase":"reading tickets","progressDone":7}}}`)
		expect(every, `{"data":{"syncProgress":{"id":"r5","feed":"TICKETS","state":"HELD","endedAt":"2025-10-15T12:00:00Z","held":[{"recordId":"1001"}],"approvalRun":{"id":"r1"}}}}`)
	})
}

func TestAnErrorInAnEventNamesItsPlaceAndEndsNoStream(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	server := newGraph(t, db).serve()
	events, _ := stream(t, server, "billing", "subscription { it: syncProgress { id changes(first: 0) { totalCount } } }")
	const want = `{"errors":[{"message":"a page has 1 to 1000 rows, not 0","path":["it","changes"],"locations":[{"line":1,"column":38}],"extensions":{"code":"BAD_USER_INPUT","field":"first"}}],"data":null}`
	if got := events.must(t); got != (event{"next", want}) {
		t.Errorf("got %v", got)
	}
	db.Ent().SyncRun.UpdateOneID("r5").SetPhase("reading").ExecX(t.Context())
	if got := events.must(t); got != (event{"next", want}) {
		t.Errorf("then %v", got)
	}
}

func TestAStreamGivesSignsOfLifeWhileNothingHappens(t *testing.T) {
	server := onWorld(t, func(o *resolvers.Options) { o.Ping = 20 * time.Millisecond }).serve()
	events, _ := stream(t, server, "admin", "subscription { syncProgress(feed: DATTO) { id } }")
	for range 3 {
		if got, err := events.next(); err != nil || got.name != "" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
}

func TestACallerHasSoManyStreamsAndAnotherHasOnesOfTheirOwn(t *testing.T) {
	server := onWorld(t, func(o *resolvers.Options) { o.Limits.Streams = 2 }).serve()
	const text = "subscription { syncProgress { id } }"
	_, end := stream(t, server, "admin", text)
	stream(t, server, "admin", text)
	const full = `{"errors":[{"message":"2 streams are open for the admin, which are all that one may have at once (max_streams): end one","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`
	third, _ := stream(t, server, "admin", text)
	if got := third.all(t); !slices.Equal(got, []event{{"next", full}, {"complete", ""}}) {
		t.Errorf("the third: %v", got)
	}
	if got := first(t, server, "admin", "{ me { name } }"); got != `{"data":{"me":{"name":"the admin"}}}` {
		t.Errorf("a query, which takes no stream for long: %s", got)
	}
	other, _ := stream(t, server, "billing", text)
	if got := other.must(t).data; got != `{"data":{"syncProgress":{"id":"r5"}}}` {
		t.Errorf("somebody else: %s", got)
	}
	end()
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if got := first(t, server, "admin", text); got == `{"data":{"syncProgress":{"id":"r5"}}}` {
			break
		} else if time.Now().After(until) {
			t.Fatalf("one that was ended still counts: %s", got)
		}
	}
}

func TestAHubThatStopsEndsItsStreamsWithoutTheWordThatAllIsTold(t *testing.T) {
	g := onWorld(t)
	server := g.serve()
	events, _ := stream(t, server, "admin", "subscription { syncProgress { id } }")
	events.must(t)
	g.handler.EndStreams()
	if got := events.all(t); got != nil {
		t.Errorf("at its end: %v", got)
	}
	late, _ := stream(t, server, "admin", "subscription { syncProgress { id } }")
	if got := late.all(t); got != nil {
		t.Errorf("one that comes late: %v", got)
	}
}

func TestAQueryHasItsTimeOverAStreamToo(t *testing.T) {
	const tooLong = `{"errors":[{"message":"the query took too long (time_limit): ask for less at once","extensions":{"code":"UNAVAILABLE"}}]}`
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	g := newGraph(t, db, func(o *resolvers.Options) { o.Sync, o.Limits.Time = endless{}, 50*time.Millisecond })
	server := g.serve()
	lasting, _ := stream(t, server, "admin", "subscription { syncProgress { phase } }")
	lasting.must(t)
	const text = "mutation { syncDatto { run { id } } }"
	events, _ := stream(t, server, "admin", text)
	if got := events.all(t); !slices.Equal(got, []event{{"next", tooLong}, {"complete", ""}}) {
		t.Errorf("over a stream: %v", got)
	}
	if got := g.ask(as(codex.RoleAdmin), text, nil); got != tooLong+"\n" {
		t.Errorf("as JSON: %s", got)
	}
	db.Ent().SyncRun.UpdateOneID("r5").SetPhase("reading").ExecX(t.Context())
	if got := lasting.must(t); got != (event{"next", `{"data":{"syncProgress":{"phase":"reading"}}}`}) {
		t.Errorf("a subscription that has lasted longer: %v", got)
	}
}

// endless starts nothing until its caller's time is over.
type endless struct{}

func (endless) Start(ctx context.Context, _ syncers.Request) (*ent.SyncRun, bool, error) {
	<-ctx.Done()
	return nil, false, ctx.Err()
}

func TestNothingIsLeftOfStreamsThatWereEnded(t *testing.T) {
	g := onWorld(t)
	server := g.serve()
	g.data(as(codex.RoleAdmin), "{ syncRuns { totalCount } }") // opens what a database opens once
	before := runtime.NumGoroutine()
	for range 10 {
		events, end := stream(t, server, "admin", "subscription { syncProgress { id } }")
		events.must(t)
		end()
	}
	server.Client().CloseIdleConnections()
	var now int
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if now = runtime.NumGoroutine(); now <= before {
			return
		}
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, before there were %d:\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
}

func TestAPanicInAStreamIsLoggedAndHarmsNobodyElse(t *testing.T) {
	g := onWorld(t)
	g.tokens.panic = true
	server := g.serve()
	if got := first(t, server, "admin", "{ tokens { name } }"); !strings.Contains(got, `"code":"INTERNAL"`) {
		t.Errorf("got %s", got)
	}
	if got := first(t, server, "admin", "{ me { name } }"); got != fmt.Sprintf(`{"data":{"me":{"name":%q}}}`, "the admin") {
		t.Errorf("then %s", got)
	}
}
