package resolvers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store/storetest"
)

func TestABadArgumentIsNamed(t *testing.T) {
	g := onWorld(t)
	const notCursor = "this is no cursor of this list: take endCursor or a cursor of an edge, unchanged"
	for _, tc := range []struct {
		name, text string
		variables  map[string]any
		want       string
	}{
		{"a page of none", "{ companies(first: 0) { totalCount } }", nil,
			`{"errors":[{"message":"a page has 1 to 1000 rows, not 0","path":["companies"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"first"}}],"data":null}`},
		{"a page of too many", "{ syncRuns(first: 1001) { totalCount } }", nil,
			`{"errors":[{"message":"a page has 1 to 1000 rows, not 1001","path":["syncRuns"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"first"}}],"data":null}`},
		{"no cursor", `{ companies(after: "x") { totalCount } }`, nil,
			`{"errors":[{"message":"` + notCursor + `","path":["companies"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"after"}}],"data":null}`},
		{"an empty cursor", `{ syncIssues(after: "") { totalCount } }`, nil,
			`{"errors":[{"message":"an empty text is no cursor: leave it out for the first page","path":["syncIssues"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"after"}}],"data":null}`},
		{"an id that is no number", `{ asset(id: "SRV-1") { id } }`, nil,
			`{"errors":[{"message":"this id is a string of digits","path":["asset"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"id"}}],"data":{"asset":null}}`},
		{"a year of two digits", `{ company(accountNumber: "620547") { tickets(year: 25) { subject } } }`, nil,
			`{"errors":[{"message":"a year has four digits","path":["company","tickets"],"locations":[{"line":1,"column":38}],"extensions":{"code":"BAD_USER_INPUT","field":"year"}}],"data":{"company":null}}`},
		{"a time that is none", `{ company(accountNumber: "620547") { tickets(updatedFrom: "yesterday") { subject } } }`, nil,
			`{"errors":[{"message":"a Time is in RFC 3339, such as 2025-10-31T23:59:59Z","path":["company","tickets"],"extensions":{"code":"BAD_USER_INPUT","field":"updatedFrom"}}],"data":{"company":null}}`},
		{"a variable of another type", `query ($n: Int) { companies(first: $n) { totalCount } }`, map[string]any{"n": "many"},
			`{"errors":[{"message":"cannot use string as Int","extensions":{"code":"BAD_USER_INPUT","field":"n"}}]}`},
		{"a variable that is missing", `query ($a: ID!) { company(accountNumber: $a) { name } }`, nil,
			`{"errors":[{"message":"must be defined","extensions":{"code":"BAD_USER_INPUT","field":"a"}}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := g.ask(as(codex.RoleAdmin), tc.text, tc.variables); got != tc.want+"\n" {
				t.Errorf("got  %swant %s", got, tc.want)
			}
		})
	}
}

func TestATextThatIsNoQueryGetsAClearError(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct{ name, text, want string }{
		{"no GraphQL", "{ company(",
			`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":11}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`},
		{"an unknown field", "{ companys { name } }",
			`{"errors":[{"message":"Cannot query field \"companys\" on type \"Query\". Did you mean \"company\" or \"companies\"?","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"an unknown operation", "fragment f on Company { name }",
			`{"errors":[{"message":"no operation provided","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"deferred", "{ ... @defer { me { name } } }",
			`{"errors":[{"message":"@defer is not served: leave it out","extensions":{"code":"BAD_USER_INPUT"}}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := g.ask(as(codex.RoleAdmin), tc.text, nil); got != tc.want+"\n" {
				t.Errorf("got  %swant %s", got, tc.want)
			}
		})
	}
}

func TestADefectTellsNothingButTheRequestAndIsLoggedOnce(t *testing.T) {
	g := onWorld(t)
	g.sync.err = errors.New("password hunter2 refused")
	ctx := codex.WithRequestID(as(codex.RoleAdmin), "req-7")
	got := g.ask(ctx, "mutation { syncDatto { run { id } } }", nil)
	want := `{"errors":[{"message":"internal error","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"INTERNAL","requestId":"req-7"}}],"data":null}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	if n := strings.Count(g.log.String(), "hunter2"); n != 1 || !strings.Contains(g.log.String(), "request_id=req-7") {
		t.Errorf("the cause was logged %d times: %s", n, g.log)
	}
}

func TestAPanicIsADefectLikeOthers(t *testing.T) {
	g := onWorld(t)
	g.tokens.panic = true
	got := g.ask(as(codex.RoleAdmin), "{ tokens { name } }", nil)
	want := `{"errors":[{"message":"internal error","path":["tokens"],"extensions":{"code":"INTERNAL"}}],"data":null}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(g.log.String(), "the tokens are on fire") {
		t.Errorf("the panic was not logged: %s", g.log)
	}
}

func TestABatchThatFailsIsLoggedOnceHoweverManyRowsItWasFor(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	querytest.Many(t, db, 20, 2)
	if _, err := db.SQL().ExecContext(t.Context(), "DROP TABLE asset_contact_link"); err != nil {
		t.Fatal(err)
	}
	g := newGraph(t, db)
	body := g.ask(as(codex.RoleAdmin), "{ companies { nodes { assets { contacts { id } } } } }", nil)
	if strings.Contains(body, "asset_contact_link") || !strings.HasPrefix(codes(t, body), "INTERNAL INTERNAL") {
		t.Errorf("got %s", body)
	}
	if n := strings.Count(g.log.String(), "level="); n != 1 {
		t.Errorf("logged %d times: %s", n, g.log)
	}
}

func TestADomainErrorKeepsItsCodeMessageAndField(t *testing.T) {
	g := onWorld(t)
	g.sync.err = codex.Wrap(codex.CodeUnavailable, errors.New("dial tcp 10.0.0.1"), "Datto RMM does not answer")
	got := g.ask(as(codex.RoleAdmin), "mutation { syncDatto { run { id } } }", nil)
	want := `{"errors":[{"message":"Datto RMM does not answer","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}` + "\n"
	if got != want || strings.Count(g.log.String(), "10.0.0.1") != 1 {
		t.Errorf("got %s, logged %s", got, g.log)
	}
	missing := g.ask(as(codex.RoleAdmin), `mutation { revokeToken(name: "x") { token { name } } }`, nil)
	wantMissing := `{"errors":[{"message":"there is no token x","path":["revokeToken"],"locations":[{"line":1,"column":12}],"extensions":{"code":"NOT_FOUND","field":"name"}}],"data":null}` + "\n"
	if missing != wantMissing {
		t.Errorf("got %s", missing)
	}
}

func TestAQueryWhoseTimeIsUpSaysSo(t *testing.T) {
	g := onWorld(t)
	ctx, cancel := context.WithTimeout(as(codex.RoleAdmin), 0)
	defer cancel()
	got := g.ask(ctx, "{ companies { totalCount } }", nil)
	if want := `{"errors":[{"message":"the query took too long: ask for less at once","extensions":{"code":"UNAVAILABLE"}}]}` + "\n"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestACallerWhoHasGoneIsNoDefect(t *testing.T) {
	g := onWorld(t)
	ctx, cancel := context.WithCancel(as(codex.RoleAdmin))
	cancel()
	g.ask(ctx, "{ companies { totalCount } }", nil)
	if g.log.Len() > 0 {
		t.Errorf("logged %s", g.log)
	}
}
