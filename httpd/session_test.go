package httpd

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// post sends a body as JSON, unless header says otherwise.
func post(t *testing.T, url, body string, header http.Header) answer {
	t.Helper()
	all := http.Header{"Content-Type": {"application/json"}}
	for name, values := range header {
		all[name] = values
	}
	return askWith(t, client(nil), http.MethodPost, url, all, strings.NewReader(body))
}

func signedIn(t *testing.T, url, token string, header http.Header) *http.Cookie {
	t.Helper()
	got := post(t, url+"/session", `{"token":"`+token+`"}`, header)
	cookies := (&http.Response{Header: got.header}).Cookies()
	if got.status != http.StatusOK || len(cookies) != 1 {
		t.Fatalf("%d %s, %d cookies", got.status, got.body, len(cookies))
	}
	return cookies[0]
}

func cookie(c *http.Cookie) http.Header { return http.Header{"Cookie": {c.Name + "=" + c.Value}} }

func TestASessionStandsForItsTokenInABrowser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		begun := time.Now()
		got := post(t, h.URL()+"/codex/session", `{"token":"`+tokens[codex.RoleTechnician]+`"}`, nil)
		var said struct {
			Name, Role string
			ExpiresAt  time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal([]byte(got.body), &said); err != nil || said.Name != "technician" || said.Role != "technician" ||
			said.ExpiresAt.Sub(begun) < 12*time.Hour-time.Minute || said.ExpiresAt.Sub(begun) > 12*time.Hour+time.Minute {
			t.Errorf("%d %s", got.status, got.body)
		}
		session := signedIn(t, h.URL(), tokens[codex.RoleTechnician], nil)

		expect(t, "REST", ask(t, "GET", h.URL()+"/api/companies", cookie(session)), 200, "[]\n")
		graph := ask(t, "POST", h.URL()+"/graphql", cookie(session))
		if !strings.Contains(graph.body, `"name":"technician","role":"technician"`) {
			t.Errorf("GraphQL: %d %s", graph.status, graph.body)
		}
		expect(t, "what its role may not", ask(t, "POST", h.URL()+"/sync/datto", cookie(session)), 403,
			`{"error":"this takes the role admin, service"}`+"\n")
		both := cookie(session)
		both.Set("Authorization", "Bearer "+tokens[codex.RoleAdmin])
		if graph := ask(t, "POST", h.URL()+"/graphql", both); !strings.Contains(graph.body, `"name":"admin"`) {
			t.Errorf("a token beside it: %s", graph.body)
		}
		both.Set("Authorization", "Bearer secret")
		expect(t, "a bad token beside it", ask(t, "GET", h.URL()+"/api/companies", both), 401,
			`{"error":"the token is unknown, expired or revoked"}`+"\n")
		both.Set("Authorization", "")
		expect(t, "an empty header beside it", ask(t, "GET", h.URL()+"/api/companies", both), 401,
			`{"error":"the header Authorization must be Bearer and one token"}`+"\n")

		gone := ask(t, "DELETE", h.URL()+"/session", cookie(session))
		if left := (&http.Response{Header: gone.header}).Cookies(); gone.status != 204 || len(left) != 1 || left[0].MaxAge >= 0 || left[0].Value != "" {
			t.Errorf("signing out: %d %v", gone.status, gone.header)
		}
		const over = `{"error":"the session is over: sign in again"}` + "\n"
		for name, value := range map[string]string{"after signing out": session.Value, "nobody's": strings.Repeat("A", 43), "a word": "secret", "a token": tokens[codex.RoleAdmin]} {
			expect(t, name, ask(t, "GET", h.URL()+"/api/companies", http.Header{"Cookie": {"codex_session=" + value}}), 401, over)
		}

		again := signedIn(t, h.URL(), tokens[codex.RoleTechnician], nil)
		if _, err := auth.NewTokens(db, time.Now).Revoke(t.Context(), "technician"); err != nil {
			t.Fatal(err)
		}
		expect(t, "once its token was revoked", ask(t, "GET", h.URL()+"/api/companies", cookie(again)), 401,
			`{"error":"the token is unknown, expired or revoked"}`+"\n")
		if log := h.log.String(); strings.Contains(log, session.Value) || strings.Contains(log, tokens[codex.RoleTechnician]) {
			t.Error("the log holds what signs in")
		}
	})
}

func TestTheCookieIsKeptFromScriptsOtherSitesAndNeighbours(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		for _, tc := range []struct {
			name   string
			header http.Header
			path   string
			secure bool
		}{
			{"without a gateway", nil, "/", false},
			{"behind the gateway", http.Header{"X-Forwarded-Prefix": {"/codex"}, "X-Forwarded-Proto": {"https"}}, "/codex", true},
			{"behind two proxies", http.Header{"X-Forwarded-Proto": {"https, http"}}, "/", true},
			{"a gateway without TLS", http.Header{"X-Forwarded-Prefix": {"/codex/"}, "X-Forwarded-Proto": {"http"}}, "/codex", false},
			{"a prefix that is none", http.Header{"X-Forwarded-Prefix": {"codex"}}, "/", false},
			{"a prefix that would say more", http.Header{"X-Forwarded-Prefix": {"/codex; Domain=example.com"}}, "/", false},
			{"another address as prefix", http.Header{"X-Forwarded-Prefix": {"https://evil.example/"}}, "/", false},
		} {
			got := signedIn(t, h.URL(), tokens[codex.RoleBilling], tc.header)
			if got.Name != "codex_session" || got.Path != tc.path || got.Secure != tc.secure || !got.HttpOnly ||
				got.SameSite != http.SameSiteStrictMode || got.Domain != "" || got.MaxAge < 43100 || got.MaxAge > 43200 {
				t.Errorf("%s: %s", tc.name, got)
			}
		}
	})
}

func TestNobodySignsInOtherwise(t *testing.T) {
	const asked = `{"error":"token: send {\"token\": \"…\"} as application/json"}` + "\n"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, tokens := startReal(t, db)
		good := `{"token":"` + tokens[codex.RoleAdmin] + `"}`
		for _, tc := range []struct {
			name, body string
			header     http.Header
			status     int
			want       string
		}{
			{"nothing", "", nil, 400, asked},
			{"no object", `"x"`, nil, 400, asked},
			{"no token", `{}`, nil, 400, asked},
			{"no text", `{"token":1}`, nil, 400, asked},
			{"too much", `{"token":"` + strings.Repeat("x", 40<<10) + `"}`, nil, 400, asked},
			{"a form", good, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 400, asked},
			{"plain text, as any page may send", good, http.Header{"Content-Type": {"text/plain"}}, 400, asked},
			{"a bad token", `{"token":"secret"}`, nil, 401, `{"error":"the token is unknown, expired or revoked"}` + "\n"},
			{"a page of another origin", good, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, `{"error":"A page of another origin may not do this"}` + "\n"},
		} {
			got := post(t, h.URL()+"/session", tc.body, tc.header)
			expect(t, tc.name, got, tc.status, tc.want)
			if got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: a cookie", tc.name)
			}
		}
		got := ask(t, "GET", h.URL()+"/session", nil)
		expect(t, "GET", got, 405, `{"error":"Method not allowed"}`+"\n")
		if allow := got.header.Get("Allow"); allow != "DELETE, POST" {
			t.Errorf("Allow: %s", allow)
		}
		other := http.Header{"Sec-Fetch-Site": {"cross-site"}}
		expect(t, "signed out by another site", ask(t, "DELETE", h.URL()+"/session", other), 403, `{"error":"A page of another origin may not do this"}`+"\n")
	})
}
