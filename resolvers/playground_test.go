package resolvers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/introspection"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store/storetest"
)

func TestThePlaygroundLearnsTheWholeSchema(t *testing.T) {
	g := onWorld(t)
	body := g.ask(as(codex.RoleBilling), introspection.Query, nil)
	if got := codes(t, body); got != "ok" {
		t.Fatalf("%s: %s", got, body)
	}
	for _, known := range []string{`"name":"Company"`, `"name":"createToken"`, `"name":"allow"`, "A customer of the MSP"} {
		if !strings.Contains(body, known) {
			t.Errorf("the schema as shown lacks %s", known)
		}
	}
}

// What the playground offers is run as it is, with its variables as web/src/playground/examples.ts
// fills them in.
func TestTheExamplesOfThePlaygroundRun(t *testing.T) {
	files, err := filepath.Glob("../web/src/playground/examples/*.graphql")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	now := time.Now().UTC()
	moments := strings.NewReplacer("{year}", now.Format("2006"), "{justNow}", now.Add(-5*time.Second).Format(time.RFC3339))
	given := regexp.MustCompile(`(?m)^# variables: (.*)$`)
	eachWorld(t, func(t *testing.T, g *graph) {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var variables map[string]any
			if m := given.FindSubmatch(text); m != nil {
				if err := json.Unmarshal([]byte(moments.Replace(string(m[1]))), &variables); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
			}
			got := ""
			if strings.Contains(string(text), "\nsubscription ") {
				got = first(t, g.serve(), "admin", string(text))
			} else {
				got = g.ask(as(codex.RoleAdmin), string(text), variables)
			}
			if codes(t, got) != "ok" || !strings.Contains(got, `"data":{`) {
				t.Errorf("%s gave %s", file, got)
			}
		}
	})
}

func TestTheRealTokensAreCreatedListedAndRevoked(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	g := newGraph(t, db, func(o *resolvers.Options) { o.Tokens = auth.NewTokens(db, func() time.Time { return querytest.At(1) }) })
	ctx := as(codex.RoleAdmin)
	created := g.data(ctx, `mutation { createToken(input: {name: "ledger", role: SERVICE}) { secret token { name createdAt } } }`)
	if secret, _ := created["createToken"].(map[string]any)["secret"].(string); len(secret) < 20 {
		t.Errorf("the secret is %q", secret)
	}
	again := g.ask(ctx, `mutation { createToken(input: {name: "ledger", role: SERVICE}) { secret } }`, nil)
	if got := codes(t, again); got != "CONFLICT" {
		t.Errorf("the same name again: %s", again)
	}
	g.data(ctx, `mutation { revokeToken(name: "ledger") { token { name } } }`)
	got := g.ask(ctx, "{ tokens { name role createdBy createdAt revokedAt } }", nil)
	want := `{"data":{"tokens":[{"name":"ledger","role":"SERVICE","createdBy":"the admin","createdAt":"2025-10-01T12:00:00Z","revokedAt":"2025-10-01T12:00:00Z"}]}}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	missing := g.ask(ctx, `mutation { revokeToken(name: "nobody") { token { name } } }`, nil)
	if got := codes(t, missing); got != "NOT_FOUND" {
		t.Errorf("an unknown name: %s", missing)
	}
}
