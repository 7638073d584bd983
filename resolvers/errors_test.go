package resolvers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
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
		{"a day that is none", `{ asset(id: 1) { backupHistory(from: "2025-10-31T00:00:00Z") { day } } }`, nil,
			`{"errors":[{"message":"a Date is YYYY-MM-DD, such as 2025-10-31","path":["asset","backupHistory"],"extensions":{"code":"BAD_USER_INPUT","field":"from"}}],"data":{"asset":null}}`},
		{"a year of two digits in the past", `{ asOf(at: "2025-11-02T00:00:00Z") { company(accountNumber: "620547") { tickets(year: 25) { subject } } } }`, nil,
			`{"errors":[{"message":"a year has four digits","path":["asOf","company","tickets"],"locations":[{"line":1,"column":73}],"extensions":{"code":"BAD_USER_INPUT","field":"year"}}],"data":{"asOf":{"company":null}}}`},
		{"changes of a field without a past", `{ changes(field: "online") { totalCount } }`, nil,
			`{"errors":[{"message":"the history keeps no such field of these records","path":["changes"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"field"}}],"data":null}`},
		{"a time that is none", `{ company(accountNumber: "620547") { tickets(updatedFrom: "yesterday") { subject } } }`, nil,
			`{"errors":[{"message":"a Time is in RFC 3339, such as 2025-10-31T23:59:59Z","path":["company","tickets"],"extensions":{"code":"BAD_USER_INPUT","field":"updatedFrom"}}],"data":{"company":null}}`},
		{"a variable of another type", `query ($n: Int) { companies(first: $n) { totalCount } }`, map[string]any{"n": "many"},
			`{"errors":[{"message":"the variable n: an Int is a whole number of 32 bits","extensions":{"code":"BAD_USER_INPUT","field":"n"}}]}`},
		{"a variable that is missing", `query ($a: ID!) { company(accountNumber: $a) { name } }`, nil,
			`{"errors":[{"message":"the variable a: must be defined","extensions":{"code":"BAD_USER_INPUT","field":"a"}}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := g.ask(as(codex.RoleAdmin), tc.text, tc.variables); got != tc.want+"\n" {
				t.Errorf("got  %swant %s", got, tc.want)
			}
		})
	}
}

// What is no value of its type is never taken for another value, nor for none: a filter that was
// dropped would answer another question.
func TestAVariableIsWhatItsTypeSaysOrAnErrorThatNamesIt(t *testing.T) {
	g := onWorld(t)
	const (
		notInt    = "an Int is a whole number of 32 bits"
		notString = "a String is text in quotation marks"
		notID     = "an ID is a string or a whole number"
		notFeed   = "a Feed is one of FRESHSERVICE, DATTO, TICKETS, in capital letters"
		notState  = "a RunState is one of QUEUED, RUNNING, SUCCEEDED, PARTIAL, HELD, FAILED, CANCELLED, INTERRUPTED, in capital letters"
		notRole   = "a Role is one of ADMIN, BILLING, TECHNICIAN, SERVICE, in capital letters"
		runs      = `query ($f: Feed, $s: RunState, $n: Int, $a: String) { syncRuns(feed: $f, state: $s, first: $n, after: $a) { totalCount } }`
		create    = `mutation ($i: CreateTokenInput!) { createToken(input: $i) { secret } }`
		oneToken  = `mutation ($n: String!, $r: Role!) { createToken(input: {name: $n, role: $r}) { secret } }`
	)
	for _, tc := range []struct {
		name, text string
		variables  map[string]any
		message    string
		field      string
	}{
		{"a feed in small letters", runs, map[string]any{"f": "datto"}, notFeed, "feed"},
		{"a feed that is none", runs, map[string]any{"f": "PSA"}, "the variable f: PSA is not a valid Feed", "f"},
		{"a feed that is a number", runs, map[string]any{"f": 1}, "the variable f: 1 is not a valid Feed", "f"},
		{"a feed that is true", runs, map[string]any{"f": true}, "the variable f: enums must be ints or strings", "f"},
		{"a state in small letters", runs, map[string]any{"s": "held"}, notState, "state"},
		{"issues of a feed in small letters", `query ($f: Feed) { syncIssues(feed: $f) { totalCount } }`, map[string]any{"f": "Datto"}, notFeed, "feed"},
		{"a role in small letters", oneToken, map[string]any{"n": "x", "r": "admin"}, notRole, "role"},
		{"a role in small letters, in an input", create, map[string]any{"i": map[string]any{"name": "x", "role": "admin"}}, notRole, "role"},
		{"a name that is a number", oneToken, map[string]any{"n": 5, "r": "ADMIN"}, notString, "name"},
		{"a name that is a number, in an input", create, map[string]any{"i": map[string]any{"name": 5, "role": "ADMIN"}}, notString, "name"},
		{"no role, in an input", create, map[string]any{"i": map[string]any{"name": "x"}}, "the variable i.role: must be defined", "i"},
		{"a number in quotation marks", runs, map[string]any{"n": "5"}, notInt, "first"},
		{"a number with a fraction", runs, map[string]any{"n": 2.5}, "the variable n: " + notInt, "n"},
		{"a number that is true", runs, map[string]any{"n": true}, "the variable n: " + notInt, "n"},
		{"a number beyond 32 bits", runs, map[string]any{"n": 4294967298}, notInt, "first"},
		{"a text that is a number", runs, map[string]any{"a": 5}, notString, "after"},
		{"a text that is a list", runs, map[string]any{"a": []any{"x"}}, "the variable a: " + notString, "a"},
		{"an id with a fraction", `query ($i: ID!) { company(accountNumber: $i) { name } }`, map[string]any{"i": 620547.5}, notID, "accountNumber"},
		{"an id that is true", `query ($i: ID!) { company(accountNumber: $i) { name } }`, map[string]any{"i": true}, "the variable i: " + notID, "i"},
		{"true in quotation marks", `query ($o: Boolean) { syncIssues(open: $o) { totalCount } }`, map[string]any{"o": "true"}, "the variable o: a Boolean is true or false", "o"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got struct {
				Errors []struct {
					Message    string
					Extensions struct{ Code, Field string }
				}
			}
			body := g.ask(as(codex.RoleAdmin), tc.text, tc.variables)
			if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Errors) != 1 {
				t.Fatalf("%v: %s", err, body)
			}
			first := got.Errors[0]
			if first.Message != tc.message || first.Extensions.Code != string(codex.CodeBadInput) || first.Extensions.Field != tc.field {
				t.Errorf("got %s", body)
			}
		})
	}
	if len(g.tokens.kept) > 0 {
		t.Errorf("a token was created: %v", g.tokens.kept)
	}
	want := `{"data":{"syncRuns":{"totalCount":4}}}` + "\n"
	if got := g.ask(as(codex.RoleAdmin), runs, map[string]any{"f": "DATTO", "n": 2, "s": nil}); got != want {
		t.Errorf("runs of a feed: %s", got)
	}
	wantByNumber := `{"data":{"company":{"name":"Acme"}}}` + "\n"
	if got := g.ask(as(codex.RoleAdmin), `query ($i: ID!) { company(accountNumber: $i) { name } }`, map[string]any{"i": 620547}); got != wantByNumber {
		t.Errorf("an id that is a whole number: %s", got)
	}
}

func TestATextThatIsNoQueryGetsAClearError(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct{ name, text, want string }{
		{"no GraphQL", "{ company(",
			`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":11}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`},
		{"an unknown field", "{ companys { name } }",
			`{"errors":[{"message":"Cannot query field \"companys\" on type \"Query\". Did you mean \"company\", \"companies\", or \"contacts\"?","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
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
	if want := `{"errors":[{"message":"the query took too long (time_limit): ask for less at once","extensions":{"code":"UNAVAILABLE"}}]}` + "\n"; got != want {
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

// Each database has its own words for a statement that was broken off: SQLite's are not those of
// package context.
func TestAStatementThatEndsWithItsRequestIsNoDefect(t *testing.T) {
	const tooLong = `{"errors":[{"message":"the query took too long (time_limit): ask for less at once","extensions":{"code":"UNAVAILABLE"}}]}` + "\n"
	for _, dialect := range storetest.Dialects() {
		for name, end := range map[string]error{"its caller hangs up": context.Canceled, "its time is up": context.DeadlineExceeded} {
			t.Run(dialect+"/"+name, func(t *testing.T) {
				ctx := newEnding(as(codex.RoleAdmin))
				db := storetest.Open(t, dialect, storetest.OnStatement(func(text string) {
					if strings.Contains(text, "locations") && strings.HasPrefix(text, "SELECT") {
						time.AfterFunc(100*time.Millisecond, func() { ctx.end(end) })
					}
				}))
				querytest.World(t, db)
				for _, statement := range []string{
					"ALTER TABLE locations RENAME TO the_locations",
					`CREATE VIEW locations AS SELECT * FROM the_locations WHERE (
						WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n) > 0`,
				} {
					if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				g := newGraph(t, db)
				got := g.ask(ctx, "{ companies { nodes { name locations { name } } } }", nil)
				if !errors.Is(ctx.Err(), end) {
					t.Fatalf("the statement did not wait: %s", got)
				}
				if got != tooLong {
					t.Errorf("got %s", got)
				}
				if g.log.Len() > 0 {
					t.Errorf("logged %s", g.log)
				}
			})
		}
	}
}

// ending is a context that ends when and how a test says.
type ending struct {
	context.Context
	done chan struct{}
	once sync.Once
	mu   sync.Mutex
	err  error
}

func newEnding(parent context.Context) *ending {
	return &ending{Context: parent, done: make(chan struct{})}
}

func (e *ending) end(err error) {
	e.once.Do(func() {
		e.mu.Lock()
		e.err = err
		e.mu.Unlock()
		close(e.done)
	})
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func TestADatabaseThatIsLostIsUnavailableAndNoDefect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		g := newGraph(t, db)
		if err := db.SQL().Close(); err != nil {
			t.Fatal(err)
		}
		got := g.ask(as(codex.RoleAdmin), "{ companies { totalCount } }", nil)
		want := `{"errors":[{"message":"the database cannot be reached","path":["companies"],"locations":[{"line":1,"column":3}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}` + "\n"
		if got != want {
			t.Errorf("got %s", got)
		}
		if n := strings.Count(g.log.String(), "level=WARN"); n != 1 || strings.Contains(g.log.String(), "level=ERROR") {
			t.Errorf("logged %s", g.log)
		}
	})
}

// What is lost after the first row reaches the resolver in the driver's own words.
func TestADatabaseThatIsLostInMidReadIsUnavailableToo(t *testing.T) {
	g := onWorld(t)
	g.sync.err = fmt.Errorf("reading the run: %w", io.ErrUnexpectedEOF)
	got := g.ask(as(codex.RoleAdmin), "mutation { syncDatto { run { id } } }", nil)
	want := `{"errors":[{"message":"the database cannot be reached","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(g.log.String(), "level=WARN") || !strings.Contains(g.log.String(), "reading the run: unexpected EOF") {
		t.Errorf("logged %s", g.log)
	}
}
