package resolvers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/resolvers"
)

// asked is a request as a test sends it, and reply what came back.
type asked struct {
	method, target, contentType, accept, body string
}

type reply struct {
	status int
	header http.Header
	body   string
}

// send has the handler answer a request; what is empty is a POST of JSON to /graphql.
func (g *graph) send(role codex.Role, a asked) reply {
	g.t.Helper()
	if a.method == "" {
		a.method = http.MethodPost
	}
	if a.target == "" {
		a.target = "/graphql"
	}
	r := httptest.NewRequestWithContext(as(role), a.method, a.target, strings.NewReader(a.body))
	if a.contentType == "" && a.body != "" {
		a.contentType = "application/json"
	}
	if a.contentType != "" {
		r.Header.Set("Content-Type", a.contentType)
	}
	if a.accept != "" {
		r.Header.Set("Accept", a.accept)
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// posted is the body of a request for text.
func posted(t testing.TB, text string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The cases are those of OWASP's GraphQL Cheat Sheet
// (https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html), as far as they are this
// package's; what a browser can be made to do, and who is calling, are the hub's as a whole
// (TestWhatABrowserOrAStrangerIsMadeToAskChangesNothing).
func TestTheAttacksOfTheCheatSheetAreRefusedByName(t *testing.T) {
	repeated := func(n int, part string) string {
		var text strings.Builder
		for i := range n {
			text.WriteString(" " + strings.ReplaceAll(part, "#", strconv.Itoa(i)))
		}
		return text.String()
	}
	around := func(n int, inside string) string {
		return `{ contact(id: 1) { ` + strings.Repeat("companies { contacts { ", n) + inside + strings.Repeat(" } }", n) + " } }"
	}
	variable := func(value any) map[string]any { return map[string]any{"v": value} }
	const find = `query ($v: String) { companies(filter: { name: { contains: $v } }) { nodes { name } } }`
	attacks := []struct {
		name, text string
		variables  map[string]any
		code       string // ok: it is answered, and want is what with
		want       string
	}{
		// Denial of service.
		{"companies of contacts of companies, thirteen fields deep", around(6, "id"), nil, "COST_LIMIT", ""},
		{"deeper than a parser's stack", strings.Repeat("{ me ", 1500) + strings.Repeat("}", 1500), nil, "GRAPHQL_PARSE_FAILED", ""},
		{"a list of a billion rows", `{ companies(first: 1000000000) { nodes { name } } }`, nil, "BAD_USER_INPUT", ""},
		{"all of the hub at once", `{ companies(first: 1000) { nodes { assets { contacts { companies { name } } } } } }`, nil, "COST_LIMIT", ""},
		{"the same under a thousand names", "{" + repeated(1000, "a#: me { name }") + " }", nil, "COST_LIMIT", ""},
		{"the same a thousand times under one name", "{" + repeated(990, "me { name }") + " }", nil, "COST_LIMIT", ""},
		{"the same field in a thousand inline fragments, less some", "{" + strings.Repeat(" ...{__typename}", 980) + " }", nil, "COST_LIMIT", ""},
		{"__typename four thousand times, less one", "{" + strings.Repeat(" __typename", 3_995) + " }", nil, "COST_LIMIT", ""},
		{"names inside a fragment, which is used many times", "{ me {" + repeated(60, "...f") + " } } fragment f on Caller {" + repeated(101, "a#: name") + " }", nil, "COST_LIMIT", ""},
		{"a directive nobody knows, many times", "{ me { name" + strings.Repeat(" @aa", 1_000) + " } }", nil, "COST_LIMIT", ""},
		{"a directive of ours, many times", "{ me {" + repeated(51, "... @include(if: true) { name }") + " } }", nil, "COST_LIMIT", ""},
		{"a text of more words than one reads", "{ me { name } }" + strings.Repeat(" #\n{ a }", 2_000), nil, "COST_LIMIT", ""},
		{"fragments that go in a circle", `{ me { ...a } } fragment a on Caller { ...b } fragment b on Caller { ...a }`, nil, "GRAPHQL_VALIDATION_FAILED", ""},
		{"a fragment in itself", `{ me { ...a } } fragment a on Caller { name ...a }`, nil, "GRAPHQL_VALIDATION_FAILED", ""},
		{"fragments that double each time", doubling(200), nil, "COST_LIMIT", ""},
		{"introspection in a circle", "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }", nil, "GRAPHQL_VALIDATION_FAILED", ""},
		{"more fields of Query than one may ask for", "{" + repeated(51, "a#: me { name }") + " }", nil, "COST_LIMIT", ""},
		{"a variable as long as a body may be", find, variable(strings.Repeat("a", 1<<20-200)), "BAD_USER_INPUT", ""},
		{"a filter of a hundred thousand values", `query ($v: [ID!]) { companies(filter: { accountNumber: { in: $v } }) { totalCount } }`,
			variable(strings.Split(strings.Repeat("1,", 100_000)+"1", ",")), "BAD_USER_INPUT", ""},
		{"variables inside one another", `query ($v: CompanyFilter) { companies(filter: $v) { totalCount } }`,
			variable(json.RawMessage(strings.Repeat(`{"not":`, 5_000) + "{}" + strings.Repeat("}", 5_000))), "BAD_USER_INPUT", ""},

		// Brute force: many tries in one request.
		{"eleven tokens made at once", "mutation {" + repeated(11, `t#: createToken(input: {name: "t#", role: ADMIN}) { secret }`) + " }", nil, "COST_LIMIT", ""},
		{"eleven by a fragment", "mutation { ...all } fragment all on Mutation {" + repeated(11, `t#: revokeToken(name: "t#") { token { name } }`) + " }", nil, "COST_LIMIT", ""},

		// Injection.
		{"SQL in a text is a text", find, variable(`' OR 1=1; DROP TABLE companies; --`), "ok", `{"data":{"companies":{"nodes":[]}}}`},
		{"a percent sign is a letter", find, variable(`%`), "ok", `{"data":{"companies":{"nodes":[]}}}`},
		{"an underscore is a letter", find, variable(`_cme`), "ok", `{"data":{"companies":{"nodes":[]}}}`},
		{"a backslash is a letter", find, variable(`\`), "ok", `{"data":{"companies":{"nodes":[]}}}`},
		{"what is quoted twice stays quoted", find, variable(`''"\'`), "ok", `{"data":{"companies":{"nodes":[]}}}`},
		{"SQL in an id", `{ company(accountNumber: "620547' OR '1'='1") { name } }`, nil, "ok", `{"data":{"company":null}}`},
		{"SQL in a cursor", `{ companies(after: "1; DROP TABLE companies") { totalCount } }`, nil, "BAD_USER_INPUT", ""},
		{"SQL in an order", `{ companies(orderBy: [{ field: "NAME; DROP TABLE companies" }]) { totalCount } }`, nil, "GRAPHQL_VALIDATION_FAILED", ""},
		{"a script in a name is told as JSON tells it", `query ($v: ID!) { company(accountNumber: $v) { name } }`, variable("<script>alert(1)</script>"), "ok", `{"data":{"company":null}}`},

		// Others' things.
		{"an id that is somebody's guess", `{ company(accountNumber: "000001") { name } }`, nil, "ok", `{"data":{"company":null}}`},
	}
	eachWorld(t, func(t *testing.T, g *graph) {
		for _, tc := range attacks {
			t.Run(tc.name, func(t *testing.T) {
				body := posted(t, tc.text, tc.variables)
				started := time.Now()
				got := g.send(codex.RoleAdmin, asked{body: body})
				if found, _, _ := strings.Cut(codes(t, got.body), " "); found != tc.code {
					t.Fatalf("got %s: %.600s", found, got.body)
				}
				if tc.want != "" && got.body != tc.want+"\n" {
					t.Errorf("got %s", got.body)
				}
				if len(got.body) > 32<<10 {
					t.Errorf("the answer has %d bytes", len(got.body))
				}
				if took := time.Since(started); took > 5*time.Second {
					t.Errorf("that took %s", took)
				}
				// What a caller wrote may come back; what only we know may not.
				for _, word := range []string{"sqlite", "pgx", "SQLSTATE", "goroutine", ".go:", "panic", "github.com"} {
					if strings.Contains(got.body, word) {
						t.Errorf("it tells of %s: %.600s", word, got.body)
					}
				}
				if len(g.tokens.kept)+len(g.sync.asked) > 0 {
					t.Errorf("it changed something: %v %v", g.tokens.kept, g.sync.asked)
				}
			})
		}
		if got := g.data(as(codex.RoleBilling), "{ companies { totalCount } }"); fmt.Sprint(got) != "map[companies:map[totalCount:4]]" {
			t.Errorf("afterwards there are %v", got)
		}
	})
}

// doubling is a text whose fragments would be 2ⁿ names if each were followed.
func doubling(n int) string {
	var text strings.Builder
	text.WriteString("{ me { ...f0 } }")
	for i := range n {
		fmt.Fprintf(&text, " fragment f%d on Caller { ...f%d ... on Caller { ...f%d } }", i, i+1, i+1)
	}
	fmt.Fprintf(&text, " fragment f%d on Caller { name }", n)
	return text.String()
}

// Errors of a text are told as far as they help: an answer is no longer than the question that way.
func TestATextOfAThousandMistakesIsToldOfFifty(t *testing.T) {
	var text strings.Builder
	for i := range 1_000 {
		fmt.Fprintf(&text, " companyy%d", i)
	}
	got := onWorld(t).send(codex.RoleAdmin, asked{body: posted(t, "{"+text.String()+" }", nil)})
	if told := strings.Fields(codes(t, got.body)); len(told) != 50 {
		t.Errorf("%d errors were told", len(told))
	}
}

func TestWhatIsNoRequestOfOursIsRefusedByItsForm(t *testing.T) {
	g := onWorld(t)
	const change = `mutation { createToken(input: {name: "evil", role: ADMIN}) { secret } }`
	body := posted(t, change, nil)
	for _, tc := range []struct {
		name   string
		ask    asked
		status int
	}{
		{"a batch, which would be many requests in one", asked{body: "[" + body + "," + body + "]"}, 400},
		{"a form, which a page of another site can send", asked{contentType: "application/x-www-form-urlencoded", body: "query=" + url.QueryEscape(change)}, 415},
		{"a form with files", asked{contentType: "multipart/form-data; boundary=x", body: "--x\r\n\r\n" + body + "\r\n--x--"}, 415},
		{"plain text, which such a page can send too", asked{contentType: "text/plain", body: body}, 415},
		{"bare GraphQL", asked{contentType: "application/graphql", body: change}, 415},
		{"a change by GET", asked{method: http.MethodGet, target: "/graphql?query=" + url.QueryEscape(change)}, 405},
		{"a change by GET, over a stream", asked{method: http.MethodGet, target: "/graphql?query=" + url.QueryEscape(change), accept: "text/event-stream"}, 405},
		{"a body that is longer than its limit", asked{body: posted(t, change, map[string]any{"v": strings.Repeat("a", 1<<20)})}, 413},
		{"JSON deeper than one reads", asked{body: strings.Repeat("[", 20_000)}, 400},
	} {
		if got := g.send(codex.RoleAdmin, tc.ask); got.status != tc.status || codes(t, got.body) != "BAD_USER_INPUT" {
			t.Errorf("%s: %d %s", tc.name, got.status, got.body)
		}
	}
	if len(g.tokens.kept) > 0 {
		t.Errorf("a token was made: %v", g.tokens.kept)
	}
}

func TestOthersThanAdminsAskForTheSchemaWhereItIsAllowed(t *testing.T) {
	open, closed := onWorld(t), onWorld(t, func(o *resolvers.Options) { o.AdminsIntrospect = true })
	const (
		forbidden = `{"errors":[{"message":"only admins may ask for the schema itself: [graphql] introspection says so","extensions":{"code":"FORBIDDEN"}}]}`
		schema    = `{"data":{"__schema":{"queryType":{"name":"Query"}}}}`
		all       = "{ __schema { queryType { name } } }"
	)
	for _, tc := range []struct {
		name   string
		graph  *graph
		role   codex.Role
		text   string
		status int
		want   string
	}{
		{"a technician, by default", open, codex.RoleTechnician, all, 200, schema},
		{"an admin, where it is closed", closed, codex.RoleAdmin, all, 200, schema},
		{"a technician, where it is closed", closed, codex.RoleTechnician, all, 403, forbidden},
		{"under another name", closed, codex.RoleBilling, "{ s: __schema { queryType { name } } }", 403, forbidden},
		{"by a fragment", closed, codex.RoleBilling, "{ ...f } fragment f on Query { ... { __schema { queryType { name } } } }", 403, forbidden},
		{"one type", closed, codex.RoleService, `{ me { name } __type(name: "Token") { name } }`, 403, forbidden},
		{"what each object is", closed, codex.RoleService, "{ __typename me { __typename } }", 200, `{"data":{"__typename":"Query","me":{"__typename":"Caller"}}}`},
		{"a field that is nearly right", open, codex.RoleService, "{ companie { name } }", 400,
			`{"errors":[{"message":"Cannot query field \"companie\" on type \"Query\". Did you mean \"companies\" or \"company\"?","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"the same where it is closed", closed, codex.RoleService, "{ companie { name } }", 400,
			`{"errors":[{"message":"Cannot query field \"companie\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"an argument that is nearly right where it is closed", closed, codex.RoleService, "{ companies(frst: 1) { totalCount } }", 400,
			`{"errors":[{"message":"Unknown argument \"frst\" on field \"Query.companies\".","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"a type that is nearly right where it is closed", closed, codex.RoleService, "{ me { ... on Calle { name } } }", 400,
			`{"errors":[{"message":"Unknown type \"Calle\".","locations":[{"line":1,"column":12}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"a word that is nearly right where it is closed", closed, codex.RoleService, "{ syncRuns(feed: DATTOO) { totalCount } }", 400,
			`{"errors":[{"message":"Value \"DATTOO\" does not exist in \"Feed\" enum.","locations":[{"line":1,"column":18}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
	} {
		got := tc.graph.send(tc.role, asked{body: posted(t, tc.text, nil), accept: "application/graphql-response+json"})
		if got.status != tc.status || got.body != tc.want+"\n" {
			t.Errorf("%s: %d %s", tc.name, got.status, got.body)
		}
	}
}
