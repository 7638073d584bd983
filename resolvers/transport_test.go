package resolvers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/resolvers"
)

func TestGraphQLOverHTTP(t *testing.T) {
	g := onWorld(t, func(o *resolvers.Options) { o.Limits.BodyBytes = 300 })
	const (
		asJSON    = "application/json; charset=utf-8"
		asGraphQL = "application/graphql-response+json; charset=utf-8"
		me        = `{"data":{"me":{"name":"the admin"}}}`
		parse     = `{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`
	)
	bad := func(message string) string {
		return `{"errors":[{"message":"` + message + `","extensions":{"code":"BAD_USER_INPUT"}}]}`
	}
	notForm := bad(`the body is not of the form {\"query\": \"...\", \"variables\": {}, \"operationName\": \"...\"}`)
	get := func(parameters ...string) string {
		values := url.Values{}
		for i := 0; i < len(parameters); i += 2 {
			values.Set(parameters[i], parameters[i+1])
		}
		return "/graphql?" + values.Encode()
	}
	for _, tc := range []struct {
		name, method, target, contentType, accept, body string
		status                                          int
		media, want                                     string
	}{
		{"a query by POST", "POST", "/graphql", "application/json", "", `{"query":"{ me { name } }"}`, 200, asJSON, me},
		{"in UTF-8, said aloud", "POST", "/graphql", "application/json; charset=UTF-8", "", `{"query":"{ me { name } }"}`, 200, asJSON, me},
		{"with null for what is left out", "POST", "/graphql", "application/json", "", `{"query":"{ me { name } }","variables":null,"operationName":null,"extensions":null}`, 200, asJSON, me},
		{"for a client that knows", "POST", "/graphql", "application/json", "application/graphql-response+json, application/json;q=0.9", `{"query":"{ me { name } }"}`, 200, asGraphQL, me},
		{"for a client that prefers JSON", "POST", "/graphql", "application/json", "application/graphql-response+json;q=0.5, application/json", `{"query":"{ me { name } }"}`, 200, asJSON, me},
		{"for a browser", "POST", "/graphql", "application/json", "*/*", `{"query":"{ me { name } }"}`, 200, asJSON, me},
		{"for a client that wants pictures", "POST", "/graphql", "application/json", "image/png", `{"query":"{ me { name } }"}`, 406, asJSON,
			bad("answers are application/graphql-response+json, application/json or text/event-stream")},
		{"one of two operations", "POST", "/graphql", "application/json", "", `{"query":"query a { me { role } } query b { me { name } }","operationName":"b"}`, 200, asJSON, me},
		{"no GraphQL, for JSON", "POST", "/graphql", "application/json", "", `{"query":"{"}`, 200, asJSON, parse},
		{"no GraphQL, for a client that knows", "POST", "/graphql", "application/json", "application/graphql-response+json", `{"query":"{"}`, 400, asGraphQL, parse},
		{"no JSON", "POST", "/graphql", "application/json", "", `{"query":`, 400, asJSON, notForm},
		{"more than one JSON value", "POST", "/graphql", "application/json", "", `{"query":"{ me { name } }"} {}`, 400, asJSON, notForm},
		{"a batch", "POST", "/graphql", "application/json", "", `[{"query":"{ me { name } }"}]`, 400, asJSON, notForm},
		{"variables that are a list", "POST", "/graphql", "application/json", "", `{"query":"{ me { name } }","variables":[]}`, 400, asJSON, notForm},
		{"no query", "POST", "/graphql", "application/json", "", `{}`, 400, asJSON, bad(`the body has no \"query\"`)},
		{"a form", "POST", "/graphql", "application/x-www-form-urlencoded", "", `query={me{name}}`, 415, asJSON, bad("send the query as application/json in UTF-8")},
		{"plain text", "POST", "/graphql", "text/plain", "", `{"query":"{ me { name } }"}`, 415, asJSON, bad("send the query as application/json in UTF-8")},
		{"another alphabet", "POST", "/graphql", "application/json; charset=utf-16", "", `{}`, 415, asJSON, bad("send the query as application/json in UTF-8")},
		{"too large", "POST", "/graphql", "application/json", "", `{"query":"` + strings.Repeat(" ", 300) + `{ me { name } }"}`, 413, asJSON, bad("the body is larger than 300 bytes (max_body_bytes)")},
		{"a query by GET", "GET", get("query", "query ($a: ID!) { company(accountNumber: $a) { name } }", "variables", `{"a":"900"}`), "", "", "", 200, asJSON, `{"data":{"company":{"name":"Zebra & Söhne"}}}`},
		{"a mutation by GET", "GET", get("query", "mutation { syncDatto { run { id } } }"), "", "", "", 405, asJSON, bad("GET takes no mutations: send this by POST")},
		{"no query by GET", "GET", "/graphql", "", "", "", 400, asJSON, bad("the parameter query is missing")},
		{"variables by GET that are no JSON", "GET", get("query", "{ me { name } }", "variables", "{"), "", "", "", 400, asJSON, bad("the parameter variables is no JSON object")},
		{"no URL", "GET", "/graphql?query=%zz", "", "", "", 400, asJSON, bad("the parameters of the URL cannot be read")},
		{"PUT", "PUT", "/graphql", "application/json", "", `{"query":"{ me { name } }"}`, 405, asJSON, bad("GraphQL takes GET and POST")},
		{"OPTIONS", "OPTIONS", "/graphql", "", "", "", 204, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(as(codex.RoleAdmin), tc.method, tc.target, strings.NewReader(tc.body))
			if tc.contentType != "" {
				r.Header.Set("Content-Type", tc.contentType)
			}
			if tc.accept != "" {
				r.Header.Set("Accept", tc.accept)
			}
			w := httptest.NewRecorder()
			g.handler.ServeHTTP(w, r)
			if tc.want != "" {
				tc.want += "\n"
			}
			if w.Code != tc.status || w.Header().Get("Content-Type") != tc.media || w.Body.String() != tc.want {
				t.Errorf("got %d %q %swant %d %q %s", w.Code, w.Header().Get("Content-Type"), w.Body, tc.status, tc.media, tc.want)
			}
		})
	}
	if len(g.sync.asked) > 0 {
		t.Errorf("a GET started a sync: %v", g.sync.asked)
	}
}

func TestNobodyIsAnsweredAndACustomerNeitherWhateverTheyAsk(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct {
		name   string
		ctx    context.Context
		status int
		want   string
	}{
		{"nobody", context.Background(), http.StatusUnauthorized,
			`{"errors":[{"message":"this takes a token: send it as Authorization: Bearer ...","extensions":{"code":"UNAUTHENTICATED"}}]}`},
		{"a customer", as(codex.RoleClient), http.StatusForbidden,
			`{"errors":[{"message":"the role \"client\" may not use this","extensions":{"code":"FORBIDDEN"}}]}`},
	} {
		for _, text := range []string{"{ me { name } }", "{ __typename }", "{ __schema { description } }", "{"} {
			r := httptest.NewRequestWithContext(tc.ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":"`+text+`"}`))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			g.handler.ServeHTTP(w, r)
			if w.Code != tc.status || w.Body.String() != tc.want+"\n" {
				t.Errorf("%s, %s: got %d %s", tc.name, text, w.Code, w.Body)
			}
		}
	}
}
