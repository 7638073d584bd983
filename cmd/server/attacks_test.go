package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

// What a page of another site can make a browser do, and what somebody without a token can do, over a
// hub's own listener: the rest of OWASP's GraphQL Cheat Sheet (the graph's part is in package
// resolvers). The admin whose cookie a browser has is signed in.
func TestWhatABrowserOrAStrangerIsMadeToAskChangesNothing(t *testing.T) {
	s := guided(t)
	admin := s.token("admin")
	cookie := sessionCookie(t, s, admin)
	const (
		change = `mutation { createToken(input: {name: "evil", role: ADMIN}) { secret } }`
		read   = `{ tokens { name } }`
	)
	post := `{"query":"` + strings.ReplaceAll(change, `"`, `\"`) + `"}`
	byURL := "/graphql?query=" + url.QueryEscape(read)
	own := s.url
	for _, tc := range []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
	}{
		{"our own page, with its cookie", "GET", byURL, "", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}, 200},
		{"another site's page, with that cookie", "POST", "/graphql", post,
			map[string]string{"Cookie": cookie, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}, 403},
		{"a form of another site", "POST", "/graphql", "query=" + url.QueryEscape(change),
			map[string]string{"Cookie": cookie, "Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}, 403},
		{"a form of ours, were there one", "POST", "/graphql", "query=" + url.QueryEscape(change),
			map[string]string{"Cookie": cookie, "Origin": own, "Content-Type": "application/x-www-form-urlencoded"}, 415},
		{"plain text from a page of ours", "POST", "/graphql", post, map[string]string{"Cookie": cookie, "Origin": own, "Content-Type": "text/plain"}, 415},
		{"a link that changes something", "GET", "/graphql?query=" + url.QueryEscape(change), "", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 405},
		{"a script of another site that the gateway gave a bearer", "POST", "/graphql", post,
			map[string]string{"Authorization": "Bearer " + admin, "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}, 403},
		{"a page of another site asks whether it may", "OPTIONS", "/graphql", "", map[string]string{"Cookie": cookie, "Origin": "https://evil.example",
			"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}, 204},
		{"nobody", "GET", byURL, "", nil, 401},
		{"a token in the URL", "GET", byURL + "&token=" + admin + "&access_token=" + admin, "", nil, 401},
		{"a token in the body", "POST", "/graphql", `{"query":"{ tokens { name } }","extensions":{"token":"` + admin + `"}}`, map[string]string{"Content-Type": "application/json"}, 401},
		{"a token in a header of another name", "GET", byURL, "", map[string]string{"X-Token": admin, "X-Forwarded-User": "admin"}, 401},
		{"a cookie that is none of ours", "GET", byURL, "", map[string]string{"Cookie": "codex_session=" + strings.Repeat("A", 43)}, 401},
		{"a customer", "GET", byURL, "", map[string]string{"Authorization": "Bearer " + s.upstream.UserToken(simulator.CoreUser{Level: "client"})}, 403},
		{"a change under another method", "GET", byURL, "", map[string]string{"Authorization": "Bearer " + admin, "X-HTTP-Method-Override": "POST"}, 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, s.url+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range tc.header {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != tc.status {
			t.Errorf("%s: %d %s", tc.name, response.StatusCode, body)
		}
		if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
			t.Errorf("%s: answers are for pages of %s", tc.name, allowed)
		}
	}
	if got := s.graphQL(admin, read); strings.Contains(got.body, "evil") {
		t.Errorf("a token was made: %s", got.body)
	}
	if log := s.stderr.String(); strings.Contains(log, admin) {
		t.Error("the log has the token of a URL")
	}
}

// sessionCookie signs in and gives the cookie as a browser sends it.
func sessionCookie(t *testing.T, s *served, token string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/session", strings.NewReader(`{"token":"`+token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		return c.Name + "=" + c.Value
	}
	t.Fatalf("signing in set no cookie: %s", response.Status)
	return ""
}

// What stands in [graphql] is what the hub holds to.
func TestTheLimitsOfTheConfigurationAreTheHubs(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.configure(dialect.SQLite, `[graphql]
max_cost = 100
max_depth = 4
max_aliases = 3
max_root_fields = 3
max_mutations = 2
max_directives = 3
max_tokens = 100
max_body_bytes = 2000
max_streams = 1
introspection = admin`)
	s := i.serve()
	token := s.token("technician")
	const sync = "syncDatto { run { id } }"
	for text, message := range map[string]string{
		"{ companies(first: 50) { nodes { name } } }":                                 "the query may have 101 values in its answer, 100 are allowed (max_cost): ask for fewer rows (first) or fields at once",
		"{ companies(first: 1) { nodes { assets(first: 1) { backup { bytes } } } } }": "the query is 5 fields deep, 4 are allowed (max_depth)",
		"{ me { a: name b: name c: name d: name } }":                                  "the query has 4 fields with another name or that stand there twice, 3 are allowed (max_aliases)",
		"{ a: me { name } b: me { name } c: me { name } me { name } }":                "the query asks for 4 fields at once, 3 are allowed (max_root_fields)",
		"mutation { " + sync + " a: " + sync + " b: " + sync + " }":                   "the mutation asks for 3 fields at once, 2 are allowed (max_mutations)",
		"{ me { name @a @a @a @a } }":                                                 "the query has 4 directives, 3 are allowed (max_directives)",
		"{ me { name } }" + strings.Repeat(" { a }", 40):                              "the query has more than 100 words and signs (max_tokens): ask for less at once, or hand in values as variables",
		"{ me { name } } #" + strings.Repeat("a", 2000):                               "the body is larger than 2000 bytes (max_body_bytes)",
		"{ __schema { description } }":                                                "only admins may ask for the schema itself: [graphql] introspection says so",
	} {
		got := s.graphQL(token, text)
		errors := into[struct{ Errors []struct{ Message string } }](t, got.body).Errors
		if len(errors) != 1 || errors[0].Message != message {
			t.Errorf("%.80s: %d %s", text, got.status, got.body)
		}
	}
}
