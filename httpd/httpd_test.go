package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestHealthAloneTellsTheListenersApart(t *testing.T) {
	const codexBody, archiveBody = `{"status": "ok", "service": "codex"}` + "\n", `{"status": "ok", "service": "archive"}` + "\n"
	h := start(t, nil)
	for _, tc := range []struct{ url, body string }{
		{h.URL() + "/health", codexBody},
		{h.URL() + "/codex/health", codexBody},
		{h.URL() + "/archive/health", archiveBody},
		{h.ArchiveURL() + "/health", archiveBody},
		{h.ArchiveURL() + "/codex/health", codexBody},
		{h.ArchiveURL() + "/archive/health", archiveBody},
	} {
		got := ask(t, http.MethodGet, tc.url, nil)
		expect(t, tc.url, got, http.StatusOK, tc.body)
		if kind := got.header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s: Content-Type %q", tc.url, kind)
		}
	}
	expect(t, "over the socket", askWith(t, overSocket(h), http.MethodGet, "http://codex/health", nil, nil), http.StatusOK, codexBody)
	got := ask(t, http.MethodPost, h.URL()+"/health", nil)
	expect(t, "POST", got, http.StatusMethodNotAllowed, `{"error":"Method not allowed"}`+"\n")
	if allow := got.header.Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow: %q", allow)
	}
}

func TestEveryListenerServesEveryPathWithEveryPrefix(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		db.Ent().Company.Create().SetID("10/2").SetName("Slash").ExecX(t.Context())
		h, tokens := startReal(t, db)
		for _, path := range []string{"/api/companies", "/api/companies/10%2F2", "/api/companies/bulk?include_tickets=true", "/api/companies/10%2F2/tickets?year=2025"} {
			want := ask(t, http.MethodGet, h.URL()+path, bearer(tokens[codex.RoleService]))
			if want.status != http.StatusOK || !json.Valid([]byte(want.body)) {
				t.Fatalf("%s: %d %s", path, want.status, want.body)
			}
			for _, base := range []string{
				h.URL() + "/codex", h.URL() + "/archive", h.ArchiveURL(), h.ArchiveURL() + "/codex", h.ArchiveURL() + "/archive",
			} {
				expect(t, base+path, ask(t, http.MethodGet, base+path, bearer(tokens[codex.RoleService])), http.StatusOK, want.body)
			}
			for _, base := range []string{"http://codex", "http://codex/codex", "http://codex/archive"} {
				expect(t, "socket "+path, askWith(t, overSocket(h), http.MethodGet, base+path, nil, nil), http.StatusOK, want.body)
			}
		}
		// However the name in front is written: it is one segment, and the next one keeps its slash.
		for _, path := range []string{"/%63odex/api/companies/10%2F2", "/codex/api/companies/10%2F2", "/%61rchive/api/%63ompanies/10%2f2"} {
			want := ask(t, http.MethodGet, h.URL()+"/api/companies/10%2F2", bearer(tokens[codex.RoleService]))
			expect(t, path, ask(t, http.MethodGet, h.URL()+path, bearer(tokens[codex.RoleService])), http.StatusOK, want.body)
		}
		for _, path := range []string{"/%63odex/api/companies/10%2F2%2Fassets", "/%63odex%2Fapi/companies", "/codex%2Fapi%2Fcompanies"} {
			got := ask(t, http.MethodGet, h.URL()+path, bearer(tokens[codex.RoleService]))
			if got.status != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
		for _, path := range []string{"/codex/codex/api/companies", "/codex/archive/api/companies", "/codexx/api/companies", "/Codex/api/companies"} {
			expect(t, path, ask(t, http.MethodGet, h.URL()+path, bearer(tokens[codex.RoleService])), http.StatusNotFound, `{"error":"Not found"}`+"\n")
		}
	})
}

// The matrix of roles over real tokens: the diff of its golden file shows who may use a path.
func TestEachPathAdmitsItsRolesAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		db.Ent().Company.Create().SetID("620547").SetName("Contoso").ExecX(t.Context())
		db.Ent().SyncRun.Create().SetID("1").SetFeed(codex.FeedDatto).SetMode(codex.ModeFull).SetTrigger(codex.TriggerCLI).
			SetRequestedBy("n").SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).SetQueuedAt(time.Now()).ExecX(t.Context())
		h, tokens := startReal(t, db)
		matrix := map[string]map[string]int{}
		for _, request := range []string{
			"GET /health", "GET /", "GET /playground", "GET /assets/app-1a2b.js", "GET /codex",
			"POST /session", "DELETE /session", "GET /session", "GET /graphql", "POST /graphql",
			"GET /api/companies", "GET /api/companies/bulk", "GET /api/companies/620547", "GET /api/company/620547",
			"GET /api/companies/620547/assets", "GET /api/companies/620547/contacts", "GET /api/companies/620547/users",
			"GET /api/companies/620547/locations", "GET /api/companies/620547/tickets",
			"POST /sync/freshservice", "POST /sync/datto", "POST /sync/tickets",
			"GET /sync/status/1", "GET /sync/last/datto", "GET /no/such/path", "DELETE /api/companies",
		} {
			method, path, _ := strings.Cut(request, " ")
			matrix[request] = map[string]int{"nobody": ask(t, method, h.URL()+path, nil).status}
			matrix[request]["socket"] = askWith(t, overSocket(h), method, "http://codex"+path, nil, nil).status
			for role, token := range tokens {
				matrix[request][string(role)] = ask(t, method, h.URL()+path, bearer(token)).status
			}
		}
		text, err := json.MarshalIndent(matrix, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "roles.json", string(text)+"\n")
	})
}

func TestARequestWithoutAGoodTokenIsRefused(t *testing.T) {
	const (
		none      = `{"error":"this needs a token: send it as Authorization: Bearer …"}` + "\n"
		malformed = `{"error":"the header Authorization must be Bearer and one token"}` + "\n"
		bad       = `{"error":"the token is unknown, expired or revoked"}` + "\n"
	)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		good := tokens[codex.RoleAdmin]
		manager := auth.NewTokens(db, time.Now)
		revoked, _, err := manager.Create(t.Context(), auth.NewToken{Name: "revoked", Role: codex.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "before it is revoked", ask(t, "GET", h.URL()+"/api/companies", bearer(revoked.Reveal())), 200, "[]\n")
		if _, err := manager.Revoke(t.Context(), "revoked"); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name   string
			header http.Header
			body   string
		}{
			{"no header", nil, none},
			{"an empty one", http.Header{"Authorization": {""}}, malformed},
			{"the scheme alone", http.Header{"Authorization": {"Bearer"}}, malformed},
			{"the scheme and a space", http.Header{"Authorization": {"Bearer "}}, malformed},
			{"the token alone", http.Header{"Authorization": {good}}, malformed},
			{"another scheme", http.Header{"Authorization": {"Basic " + good}}, malformed},
			{"two tokens", http.Header{"Authorization": {"Bearer " + good + " " + good}}, malformed},
			{"two tokens with a comma", http.Header{"Authorization": {"Bearer " + good + ", Bearer " + good}}, malformed},
			{"two headers", http.Header{"Authorization": {"Bearer " + good, "Bearer " + good}}, malformed},
			{"a token in quotes", http.Header{"Authorization": {`Bearer "` + good + `"`}}, malformed},
			{"a tab", http.Header{"Authorization": {"Bearer\t" + good}}, malformed},
			{"an unknown one", bearer("codex_" + strings.Repeat("A", 43)), bad},
			{"a word", bearer("secret"), bad},
			{"a revoked one", bearer(revoked.Reveal()), bad},
		} {
			for _, path := range []string{"/api/companies", "/graphql", "/codex/no/such/path"} {
				got := ask(t, http.MethodGet, h.URL()+path, tc.header)
				want := tc.body
				if path == "/graphql" { // whose callers read errors in another form
					want = strings.Replace(want, `{"error":`, `{"errors":[{"message":`, 1)
					want = strings.Replace(want, "}\n", `,"extensions":{"code":"UNAUTHENTICATED"}}]}`+"\n", 1)
				}
				expect(t, tc.name, got, http.StatusUnauthorized, want)
				if scheme := got.header.Get("WWW-Authenticate"); scheme != "Bearer" {
					t.Errorf("%s: WWW-Authenticate %q", tc.name, scheme)
				}
			}
		}
		for _, header := range []http.Header{{"Authorization": {"bearer " + good}}, {"Authorization": {"BEARER  " + good}}} {
			expect(t, "the scheme in another case", ask(t, "GET", h.URL()+"/api/companies", header), 200, "[]\n")
		}
		expect(t, "a token in the query string", ask(t, "GET", h.URL()+"/api/companies?access_token="+good, nil), 401, none)
	})
}

func TestWhoIsRefusedAtGraphQLHearsItInItsForm(t *testing.T) {
	customer := func(context.Context, string) (codex.Caller, error) {
		return codex.Caller{Name: "c", Role: codex.RoleClient}, nil
	}
	broken := func(context.Context, string) (codex.Caller, error) {
		return codex.Caller{}, errors.New("dial tcp 10.0.0.1")
	}
	gone := func(context.Context, string) (codex.Caller, error) {
		return codex.Caller{}, codex.Wrap(codex.CodeUnavailable, errors.New("dial tcp 10.0.0.1"), "the database cannot be reached")
	}
	const knows = "application/graphql-response+json"
	for _, tc := range []struct {
		name   string
		by     authenticate
		accept string
		status int
		media  string
		body   string
	}{
		{"a customer", customer, "", 403, "application/json; charset=utf-8", `{"errors":[{"message":"this takes the role admin, billing, technician, service","extensions":{"code":"FORBIDDEN"}}]}`},
		{"a customer whose client knows the media type", customer, knows + ", application/json", 403, knows + "; charset=utf-8",
			`{"errors":[{"message":"this takes the role admin, billing, technician, service","extensions":{"code":"FORBIDDEN"}}]}`},
		{"somebody, while the database is away", gone, "", 503, "application/json; charset=utf-8",
			`{"errors":[{"message":"Try again later","extensions":{"code":"UNAVAILABLE"}}]}`},
		{"somebody, where we are at fault", broken, "", 500, "application/json; charset=utf-8",
			`{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL"}}]}`},
	} {
		h := start(t, func(o *Options, _ *timeouts) { o.Callers = tc.by })
		header := bearer("x")
		if tc.accept != "" {
			header.Set("Accept", tc.accept)
		}
		got := ask(t, http.MethodGet, h.URL()+"/graphql?query={me{name}}", header)
		expect(t, tc.name, got, tc.status, tc.body+"\n")
		if media := got.header.Get("Content-Type"); media != tc.media {
			t.Errorf("%s: %s", tc.name, media)
		}
	}
}

func TestADatabaseThatDoesNotAnswerIsNoBadToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, "GET", h.URL()+"/api/companies", bearer(tokens[codex.RoleAdmin])); got.status < 500 || strings.Contains(got.body, "sql") {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := ask(t, "GET", h.URL()+"/health", nil); got.status != http.StatusOK {
			t.Errorf("health: %d", got.status)
		}
	})
}

func TestAPageOfAnotherOriginChangesNothing(t *testing.T) {
	const refused = `{"error":"A page of another origin may not do this"}` + "\n"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		host := strings.TrimPrefix(h.URL(), "http://")
		for _, tc := range []struct {
			name   string
			method string
			header http.Header
			want   int
		}{
			{"no browser", "POST", nil, 200},
			{"our own page", "POST", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
			{"typed by the user", "POST", http.Header{"Sec-Fetch-Site": {"none"}}, 200},
			{"our own page in an old browser", "POST", http.Header{"Origin": {"http://" + host}}, 200},
			{"another site", "POST", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
			{"a sister site", "POST", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
			{"another site in an old browser", "POST", http.Header{"Origin": {"https://evil.example"}}, 403},
			{"a sandboxed frame", "POST", http.Header{"Origin": {"null"}}, 403},
			{"a link from another site", "GET", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 200},
		} {
			path := "/sync/datto"
			if tc.method == "GET" {
				path = "/api/companies"
			}
			header := bearer(tokens[codex.RoleAdmin])
			for name, values := range tc.header {
				header[name] = values
			}
			for _, prefix := range []string{"", "/codex"} {
				got := ask(t, tc.method, h.URL()+prefix+path, header)
				if got.status != tc.want {
					t.Errorf("%s: %d %s", tc.name, got.status, got.body)
				}
				if tc.want == 403 {
					expect(t, tc.name, got, 403, refused)
				}
			}
			got := askWith(t, overSocket(h), tc.method, "http://"+host+path, tc.header, nil)
			if got.status != tc.want {
				t.Errorf("%s, over the socket: %d %s", tc.name, got.status, got.body)
			}
		}
	})
}

func TestTheCallerOfTheSocketIsItsOwner(t *testing.T) {
	h := start(t, nil)
	owner, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"id":"r1","name":"%s (local socket)","role":"admin"}`+"\n", owner.Username)
	got := askWith(t, overSocket(h), http.MethodPost, "http://codex/graphql", http.Header{"X-Request-Id": {"r1"}}, nil)
	expect(t, "no token", got, 200, want)
	// A token that is sent all the same counts for nothing.
	got = askWith(t, overSocket(h), http.MethodPost, "http://codex/codex/graphql",
		http.Header{"X-Request-Id": {"r1"}, "Authorization": {"Bearer billing"}}, nil)
	expect(t, "a token", got, 200, want)
}

func TestAUserWithoutANameIsToldByTheNumber(t *testing.T) {
	const nobody = 2_000_000_123 // beyond what a system gives by itself
	if got := UserName(nobody); got != "2000000123" {
		t.Errorf("a user without a name is %q", got)
	}
	if got := LocalSocket(UserName(-1)); got != (codex.Caller{Name: "local socket", Role: codex.RoleAdmin, Trigger: codex.TriggerCLI}) {
		t.Errorf("where the system does not tell: %+v", got)
	}
}

func TestPagesAreOpenAndCachedByTheirContent(t *testing.T) {
	const csp = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; " +
		"form-action 'self'; frame-ancestors 'none'"
	h := start(t, nil)
	for _, tc := range []struct{ path, body, kind, cache string }{
		{"/", "<p>index", "text/html; charset=utf-8", "no-cache"},
		{"/codex/", "<p>index", "text/html; charset=utf-8", "no-cache"},
		{"/playground", "<p>playground", "text/html; charset=utf-8", "no-cache"},
		{"/archive/playground", "<p>playground", "text/html; charset=utf-8", "no-cache"},
		{"/assets/app-1a2b.js", "let a = 1", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/codex/assets/app-1a2b.css", "p { }", "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
	} {
		got := ask(t, http.MethodGet, h.URL()+tc.path, nil)
		expect(t, tc.path, got, 200, tc.body)
		for name, want := range map[string]string{
			"Content-Type": tc.kind, "Cache-Control": tc.cache, "Content-Security-Policy": csp, "X-Content-Type-Options": "nosniff",
		} {
			if value := got.header.Get(name); value != want {
				t.Errorf("%s: %s %q, want %q", tc.path, name, value, want)
			}
		}
		if etag := got.header.Get("ETag"); etag != "" {
			again := ask(t, http.MethodGet, h.URL()+tc.path, http.Header{"If-None-Match": {etag}})
			expect(t, tc.path+" again", again, http.StatusNotModified, "")
		} else if tc.cache == "no-cache" {
			t.Errorf("%s has no ETag", tc.path)
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/etc/passwd"} {
		expect(t, path, ask(t, http.MethodGet, h.URL()+path, nil), 404, `{"error":"Not found"}`+"\n")
	}
	expect(t, "POST", ask(t, http.MethodPost, h.URL()+"/playground", nil), 405, `{"error":"Method not allowed"}`+"\n")
	for _, name := range []string{"codex", "archive"} {
		got := ask(t, http.MethodGet, h.URL()+"/"+name, nil)
		if got.status != http.StatusPermanentRedirect || got.header.Get("Location") != "/"+name+"/" {
			t.Errorf("/%s: %d to %q", name, got.status, got.header.Get("Location"))
		}
	}
}

func TestAProgramWithoutPagesSaysHowToBuildThem(t *testing.T) {
	h := start(t, func(o *Options, _ *timeouts) { o.Pages = nil })
	for _, path := range []string{"/", "/playground", "/assets/app.js"} {
		expect(t, path, ask(t, http.MethodGet, h.URL()+path, nil), http.StatusServiceUnavailable,
			"<!doctype html>\n<title>Codex</title>\n<p>This codex was built without its web pages. Build them in with: make build</p>\n")
	}
}

func TestARequestIsNamedInItsAnswerAndTheLog(t *testing.T) {
	h := start(t, nil)
	for _, tc := range []struct {
		name, given string
		kept        bool
	}{
		{"none", "", false},
		{"a sane one", "gateway-1.2_3", true},
		{"64 letters", strings.Repeat("i", 64), true},
		{"65 letters", strings.Repeat("i", 65), false},
		{"a line's end", "a b", false},
		{"what could break a log", `x","level":"ERROR`, false},
	} {
		header := bearer("technician")
		if tc.given != "" {
			header.Set("X-Request-ID", tc.given)
		}
		got := ask(t, http.MethodPost, h.URL()+"/codex/graphql?secret=hunter2", header)
		id := got.header.Get("X-Request-ID")
		if (id == tc.given) != tc.kept || id == "" {
			t.Errorf("%s: %q", tc.name, id)
		}
		if want := `{"id":"` + id + `","name":"the technician","role":"technician"}` + "\n"; got.body != want {
			t.Errorf("%s: the handler finds %s", tc.name, got.body)
		}
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	lines := h.log.lines(t, "request")
	if len(lines) != 6 {
		t.Fatalf("%d requests in the log", len(lines))
	}
	entry := lines[1]
	for name, want := range map[string]any{
		"request_id": "gateway-1.2_3", "method": "POST", "path": "/codex/graphql", "status": 200.0,
		"caller": "the technician", "level": "INFO", "bytes": float64(len(`{"id":"gateway-1.2_3","name":"the technician","role":"technician"}`) + 1),
	} {
		if entry[name] != want {
			t.Errorf("the log's %s is %v, want %v", name, entry[name], want)
		}
	}
	if text := h.log.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "Bearer") {
		t.Errorf("the log tells secrets: %s", text)
	}
}

// codex sync asks the socket once a second how its run stands.
func TestRequestsOverTheSocketAreForTheLogOfWhoLooksClosely(t *testing.T) {
	h := start(t, nil)
	for range 2 {
		askWith(t, overSocket(h), http.MethodPost, "http://codex/graphql", nil, nil)
	}
	ask(t, http.MethodPost, h.URL()+"/graphql", bearer("admin"))
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	got := map[any]int{}
	for _, line := range h.log.lines(t, "request") {
		got[line["level"]]++
	}
	if got["DEBUG"] != 2 || got["INFO"] != 1 || len(got) != 2 {
		t.Errorf("the log: %v", got)
	}
}

func TestAnswersWithDataAreKeptByNobody(t *testing.T) {
	h := start(t, nil)
	got := ask(t, http.MethodPost, h.URL()+"/graphql", bearer("admin"))
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
}

// persons knows whoever comes as a person whose token of Core's is what was sent.
type persons struct{ authenticate }

func (persons) Authenticate(_ context.Context, proof auth.Proof) (auth.Known, error) {
	return auth.Known{Caller: codex.Caller{Name: "ana@msp.example", Role: codex.RoleBilling}, Person: codex.Secret(proof.Bearer)}, nil
}

func TestAPersonsTokenGoesAlongWithTheRequestAndIsWrittenNowhere(t *testing.T) {
	found := func(w http.ResponseWriter, r *http.Request) {
		token := codex.PersonTokenFrom(r.Context())
		fmt.Fprintf(w, "%v, %d letters\n", token, len(token.Reveal()))
	}
	h := start(t, func(o *Options, _ *timeouts) {
		o.Callers, o.GraphQL, o.REST = persons{}, http.HandlerFunc(found), http.HandlerFunc(found)
	})
	for _, path := range []string{"/graphql?query={me{name}}", "/api/companies"} {
		expect(t, path, ask(t, http.MethodGet, h.URL()+path, bearer("a-persons-token")), 200, "***, 15 letters\n")
	}
	if log := h.log.String(); strings.Contains(log, "a-persons-token") || !strings.Contains(log, "ana@msp.example") {
		t.Error(log)
	}
	h = start(t, func(o *Options, _ *timeouts) { o.GraphQL = http.HandlerFunc(found) })
	expect(t, "a local token", ask(t, http.MethodGet, h.URL()+"/graphql", bearer("admin")), 200, ", 0 letters\n")
}
