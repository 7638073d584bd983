package resolvers_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

func TestEachLimitIsTheOneThatIsSetAndItsErrorNamesTheSetting(t *testing.T) {
	g := onWorld(t, func(o *resolvers.Options) {
		o.Limits = resolvers.Limits{
			Cost: 20, Depth: 3, Aliases: 2, RootFields: 2, Mutations: 1, Directives: 2, Tokens: 60, BodyBytes: 2_000,
		}
	})
	const token = `createToken(input: {name: "a", role: ADMIN}) { secret }`
	for _, tc := range []struct{ name, text, want string }{
		{"a cost of 19", "{ companies(first: 9) { nodes { name } } }", ""},
		{"one of 21", "{ companies(first: 10) { nodes { name } } }",
			"the query may have 21 values in its answer, 20 are allowed (max_cost): ask for fewer rows (first) or fields at once"},
		{"three fields inside one another", "{ companies(first: 1) { nodes { name } } }", ""},
		{"four", "{ companies(first: 1) { nodes { assets(first: 1) { id } } } }", "the query is 4 fields deep, 3 are allowed (max_depth)"},
		{"two names", "{ a: me { b: name } }", ""},
		{"three", "{ a: me { b: name c: name } }", "the query has 3 fields with another name or that stand there twice, 2 are allowed (max_aliases)"},
		{"a field that stands there three times", "{ me { name name name } }", ""},
		{"four times", "{ me { name name name name } }", "the query has 3 fields with another name or that stand there twice, 2 are allowed (max_aliases)"},
		{"two fields of Query", "{ me { name } __typename }", ""},
		{"three", "{ me { name } __typename ...f } fragment f on Query { syncRuns(first: 1) { totalCount } }", "the query asks for 3 fields at once, 2 are allowed (max_root_fields)"},
		{"two fields of Mutation", "mutation { a: " + token + " b: " + token + " }", "the mutation asks for 2 fields at once, 1 are allowed (max_mutations)"},
		{"two directives", "query ($t: Boolean = true) { me { name @include(if: $t) role @skip(if: $t) } }", ""},
		{"three", "query ($t: Boolean = true) { me @include(if: $t) { name @include(if: $t) ...f @skip(if: $t) } } fragment f on Caller { role }",
			"the query has 3 directives, 2 are allowed (max_directives)"},
		{"many words", "{ " + strings.Repeat("... { ", 20) + "__typename" + strings.Repeat(" }", 21),
			"the query has more than 60 words and signs (max_tokens): ask for less at once, or hand in values as variables"},
	} {
		want := "ok"
		if tc.want != "" {
			want = `{"errors":[{"message":"` + tc.want + `","extensions":{"code":"COST_LIMIT"}}]}` + "\n"
		}
		got := g.ask(as(codex.RoleAdmin), tc.text, nil)
		if tc.want == "" {
			got = codes(t, got)
		}
		if got != want {
			t.Errorf("%s: got %s", tc.name, got)
		}
	}
}

func TestTheCostOfAnOperationIsToldHoweverItIsAnswered(t *testing.T) {
	g := onWorld(t, func(o *resolvers.Options) { o.Limits.Cost = 200 })
	const page = "query ($n: Int) { companies(first: $n) { nodes { name } } }"
	for _, tc := range []struct {
		name   string
		ask    asked
		status int
		cost   string
	}{
		{"an answer", asked{body: posted(t, page, map[string]any{"n": 7})}, 200, "15"},
		{"what costs too much", asked{body: posted(t, page, map[string]any{"n": 100}), accept: "application/graphql-response+json"}, 400, "201"},
		{"what fails while it is answered", asked{body: posted(t, `{ asset(id: "x") { id } }`, nil)}, 200, "2"},
		{"by GET", asked{method: http.MethodGet, target: "/graphql?query=%7Bme%7Bname%7D%7D"}, 200, "2"},
		{"a change by GET", asked{method: http.MethodGet, target: "/graphql?query=mutation%7BsyncDatto%7Brun%7Bid%7D%7D%7D"}, 405, "3"},
		{"over a stream", asked{body: posted(t, "{ me { name } }", nil), accept: "text/event-stream"}, 200, "2"},
		{"what costs too much, over a stream", asked{body: posted(t, page, map[string]any{"n": 100}), accept: "text/event-stream"}, 200, "201"},
		{"no operation", asked{body: posted(t, "{", nil)}, 200, ""},
		{"a field that is not there", asked{body: posted(t, "{ no }", nil)}, 200, ""},
	} {
		got := g.send(codex.RoleAdmin, tc.ask)
		limit := "200"
		if tc.cost == "" {
			limit = ""
		}
		if got.status != tc.status || got.header.Get("X-GraphQL-Cost") != tc.cost || got.header.Get("X-GraphQL-Cost-Limit") != limit {
			t.Errorf("%s: %d, cost %q of %q: %s", tc.name, got.status, got.header.Get("X-GraphQL-Cost"), got.header.Get("X-GraphQL-Cost-Limit"), got.body)
		}
	}
}

// gate is a sync that begins when it may.
type gate struct {
	*fakeSync
	began, open chan struct{}
}

func (s *gate) Start(ctx context.Context, r syncers.Request) (*ent.SyncRun, bool, error) {
	s.began <- struct{}{}
	<-s.open
	return s.fakeSync.Start(ctx, r)
}

func TestACallerHasSoManyOperationsAtOnceAndTakesNoneFromOthers(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	waiting := &gate{&fakeSync{db: db}, make(chan struct{}), make(chan struct{})}
	g := newGraph(t, db, func(o *resolvers.Options) { o.Sync, o.Limits.Operations = waiting, 2 })
	me, change := posted(t, "{ me { name } }", nil), posted(t, "mutation { syncDatto { run { id } } }", nil)
	ended := make(chan reply, 2)
	for range 2 {
		go func() { ended <- g.send(codex.RoleService, asked{body: change}) }()
		<-waiting.began
	}
	const full = `{"errors":[{"message":"2 operations of the service are under way, which are all that one may have at once (max_concurrent): ask again when one has ended","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`
	got := g.send(codex.RoleService, asked{body: me})
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || got.body != full+"\n" {
		t.Errorf("a third: %d %v %s", got.status, got.header, got.body)
	}
	got = g.send(codex.RoleService, asked{body: me, accept: "text/event-stream"})
	if want := ":\n\nevent: next\ndata: " + full + "\n\nevent: complete\ndata:\n\n"; got.status != 200 || got.body != want {
		t.Errorf("a third, over a stream: %d %s", got.status, got.body)
	}
	if got = g.send(codex.RoleAdmin, asked{body: me}); got.status != 200 {
		t.Errorf("somebody else: %d %s", got.status, got.body)
	}
	close(waiting.open)
	for range 2 {
		if got := <-ended; got.status != 200 || codes(t, got.body) != "ok" {
			t.Errorf("one of the first: %d %s", got.status, got.body)
		}
	}
	if got = g.send(codex.RoleService, asked{body: me}); got.status != 200 {
		t.Errorf("afterwards: %d %s", got.status, got.body)
	}
}

func TestAStreamThatLastsTakesNoOperation(t *testing.T) {
	server := onWorld(t, func(o *resolvers.Options) { o.Limits.Operations = 1 }).serve()
	for i := range 3 {
		events, _ := stream(t, server, "admin", fmt.Sprintf("subscription { a%d: syncProgress { id } }", i))
		events.must(t)
	}
	if got := first(t, server, "admin", "{ me { name } }"); got != `{"data":{"me":{"name":"the admin"}}}` {
		t.Errorf("got %s", got)
	}
}
