package resolvers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/resolvers"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// The protocol is Apollo's, as its clients and urql's have it: the hash alone first, then both.
func TestAQueryGoesByItsHashOnceItIsKnown(t *testing.T) {
	g := onWorld(t, func(o *resolvers.Options) { o.Limits.CachedQueries = 2 })
	const (
		query    = "query ($a: ID!) { company(accountNumber: $a) { name } }"
		acme     = `{"data":{"company":{"name":"Acme"}}}`
		missing  = `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`
		another  = `{"errors":[{"message":"sha256Hash is not the SHA-256 of this query, in small hexadecimal letters","extensions":{"code":"BAD_USER_INPUT","field":"persistedQuery"}}]}`
		notForm  = `{"errors":[{"message":"it must be {\"version\": 1, \"sha256Hash\": \"...\"}, with 64 hexadecimal letters","extensions":{"code":"BAD_USER_INPUT","field":"persistedQuery"}}]}`
		syncs    = "mutation { syncDatto { run { id } } }"
		asStream = "text/event-stream"
		knows    = "application/graphql-response+json"
	)
	extension := func(hash string) string { return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}` }
	post := func(text, extensions string) asked {
		body := `{"extensions":` + extensions + `,"variables":{"a":"620547"}`
		if text != "" {
			body += `,"query":"` + text + `"`
		}
		return asked{body: body + "}"}
	}
	get := func(extensions string) asked {
		return asked{method: http.MethodGet, target: "/graphql?" + url.Values{"extensions": {extensions}, "variables": {`{"a":"620547"}`}}.Encode()}
	}
	accepting := func(a asked, media string) asked { a.accept = media; return a }
	result := func(data string) string { return ":\n\nevent: next\ndata: " + data + "\n\nevent: complete\ndata:\n" }
	long := "{ me { name } } #" + strings.Repeat("a", 16<<10)
	for _, tc := range []struct {
		name   string
		role   codex.Role
		ask    asked
		status int
		want   string
	}{
		{"a hash that nobody has sent", codex.RoleService, get(extension(sha(query))), 200, missing},
		{"the same by POST", codex.RoleService, post("", extension(sha(query))), 200, missing},
		{"for a client that knows GraphQL's media type", codex.RoleService, accepting(post("", extension(sha(query))), knows), 400, missing},
		{"over a stream", codex.RoleService, accepting(post("", extension(sha(query))), asStream), 200, result(missing)},
		{"another text under its hash", codex.RoleTechnician, post("{ me { name } }", extension(sha(query))), 200, another},
		{"which was not kept", codex.RoleService, get(extension(sha(query))), 200, missing},
		{"the hash and the text", codex.RoleService, post(query, extension(sha(query))), 200, acme},
		{"then the hash alone by GET", codex.RoleService, get(extension(sha(query))), 200, acme},
		{"by POST", codex.RoleService, post("", extension(sha(query))), 200, acme},
		{"over a stream that is known", codex.RoleService, accepting(get(extension(sha(query))), asStream), 200, result(acme)},
		{"by somebody else, whose role decides", codex.RoleBilling, get(extension(sha(query))), 200, acme},
		{"a change", codex.RoleService, post(syncs, extension(sha(syncs))), 200, `{"data":{"syncDatto":{"run":{"id":"r2"}}}}`},
		{"a change by GET", codex.RoleService, get(extension(sha(syncs))), 405,
			`{"errors":[{"message":"GET takes no mutations: send this by POST","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{"a change by its hash that the role forbids", codex.RoleTechnician, post("", extension(sha(syncs))), 200,
			`{"errors":[{"message":"syncDatto takes another role than technician","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"FORBIDDEN"}}],"data":null}`},
		{"a text that is no query", codex.RoleService, post("{ no }", extension(sha("{ no }"))), 200,
			`{"errors":[{"message":"Cannot query field \"no\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
		{"which is not kept", codex.RoleService, get(extension(sha("{ no }"))), 200, missing},
		{"a long text", codex.RoleService, post(long, extension(sha(long))), 200, `{"data":{"me":{"name":"the service"}}}`},
		{"which is not kept either", codex.RoleService, get(extension(sha(long))), 200, missing},
		{"a third text", codex.RoleService, post("{ me { role } }", extension(sha("{ me { role } }"))), 200, `{"data":{"me":{"role":"SERVICE"}}}`},
		{"for which the one that nobody asked for longest has gone", codex.RoleService, get(extension(sha(query))), 200, missing},
		{"another version", codex.RoleService, get(`{"persistedQuery":{"version":2,"sha256Hash":"` + sha(query) + `"}}`), 200, notForm},
		{"no hash", codex.RoleService, get(`{"persistedQuery":{"version":1,"sha256Hash":"x"}}`), 200, notForm},
		{"no object", codex.RoleService, post("{ me { name } }", `{"persistedQuery":"x"}`), 200, notForm},
		{"neither hash nor text", codex.RoleService, post("", `{"persistedQuery":null}`), 400,
			`{"errors":[{"message":"the body has no \"query\"","extensions":{"code":"BAD_USER_INPUT"}}]}`},
	} {
		if got := g.send(tc.role, tc.ask); got.status != tc.status || got.body != tc.want+"\n" {
			t.Errorf("%s: %d %s", tc.name, got.status, got.body)
		}
	}
}
