package httpd

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store/storetest"
)

// gateway serves h under /codex as Nexus does: it takes the prefix off, tells it in a header, and makes
// no difference between /codex and /codex/.
func gateway(t *testing.T, h *hub) string {
	t.Helper()
	target, err := url.Parse(h.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.EscapedPath(), "/codex")
		if r.Out.URL.RawPath == "" {
			r.Out.URL.RawPath = "/"
		}
		if r.Out.URL.Path, err = url.PathUnescape(r.Out.URL.RawPath); err != nil {
			t.Error(err)
		}
		r.Out.Header.Set("X-Forwarded-Prefix", "/codex")
		r.Out.Header.Set("X-Forwarded-Proto", "https")
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/codex" && !strings.HasPrefix(r.URL.Path, "/codex/") {
			http.Error(w, "another service", http.StatusNotFound)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// pagesWithLinks are pages as they are built: all links stand beside them.
func pagesWithLinks() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte(`<!doctype html><html><head><link href="./assets/a-1.css"></head>` +
			`<body><a href="playground">p</a><a href="health">h</a><a href="openapi.json">o</a></body></html>`)},
		"playground.html": {Data: []byte(`<!doctype html><html><head><script src="./assets/b-2.js"></script></head></html>`)},
		"assets/a-1.css":  {Data: []byte("p { }")},
		"assets/b-2.js":   {Data: []byte("let b = 2")},
	}
}

func TestThroughTheGatewayEveryLinkStaysBehindIt(t *testing.T) {
	h := start(t, func(o *Options, _ *timeouts) { o.Pages = pagesWithLinks() })
	gate := gateway(t, h)
	links := regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	base := regexp.MustCompile(`<base href="([^"]+)">`)
	for page, count := range map[string]int{"/codex": 4, "/codex/": 4, "/codex/playground": 1} {
		got := ask(t, http.MethodGet, gate+page, nil)
		from, err := url.Parse(gate + page)
		if err != nil {
			t.Fatal(err)
		}
		body := got.body
		if stated := base.FindStringSubmatch(body); stated != nil {
			if from, err = from.Parse(stated[1]); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.header.Get("Content-Security-Policy"), "base-uri 'self'") {
				t.Errorf("%s: a base that the policy forbids: %s", page, got.header.Get("Content-Security-Policy"))
			}
			body = strings.Replace(body, stated[0], "", 1)
		}
		found := links.FindAllStringSubmatch(body, -1)
		if len(found) != count {
			t.Errorf("%s has %d links", page, len(found))
		}
		for _, link := range found {
			to, err := from.Parse(link[1])
			if err != nil {
				t.Fatal(err)
			}
			if linked := ask(t, http.MethodGet, to.String(), nil); linked.status != 200 {
				t.Errorf("%s links to %s: %d", page, to, linked.status)
			}
		}
	}
	plain := ask(t, http.MethodGet, h.URL()+"/", nil)
	if plain.body != string(pagesWithLinks()["index.html"].Data) || !strings.Contains(plain.header.Get("Content-Security-Policy"), "base-uri 'none'") {
		t.Errorf("without a gateway: %s", plain.body)
	}
}

func TestAPathThatIsSentElsewhereStaysBehindTheGateway(t *testing.T) {
	h := start(t, nil)
	gate := gateway(t, h)
	for url, want := range map[string]string{
		gate + "/codex/archive": "/codex/archive/",
		gate + "/codex/codex":   "/codex/codex/",
		h.URL() + "/codex":      "/codex/",
	} {
		got := ask(t, http.MethodGet, url, nil)
		if got.status != http.StatusPermanentRedirect || got.header.Get("Location") != want {
			t.Errorf("%s: %d to %s", url, got.status, got.header.Get("Location"))
		}
	}
	for _, prefix := range []string{"//evil.example", "///evil.example", "/x//evil.example", "https://evil.example", `/\evil.example`, "codex", "/a b", `/"><script>`, "/x?y", "/x#y", "/" + strings.Repeat("x", 300)} {
		got := ask(t, http.MethodGet, h.URL()+"/codex", http.Header{"X-Forwarded-Prefix": {prefix}})
		if got.header.Get("Location") != "/codex/" {
			t.Errorf("%s: to %s", prefix, got.header.Get("Location"))
		}
		page := ask(t, http.MethodGet, h.URL()+"/", http.Header{"X-Forwarded-Prefix": {prefix}})
		expect(t, prefix, page, 200, "<p>index")
	}
}

func TestThroughTheGatewayAnswersAreZippedAndKept(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	tokens := auth.NewTokens(db, time.Now)
	t.Cleanup(tokens.Wait)
	secret, _, err := tokens.Create(t.Context(), auth.NewToken{Name: "t", Role: codex.RoleBilling, CreatedBy: "test"})
	if err != nil {
		t.Fatal(err)
	}
	db.Ent().Company.Create().SetID("10/2").SetName(strings.Repeat("long ", 1000)).ExecX(t.Context())
	h := start(t, func(o *Options, _ *timeouts) {
		o.Callers = auth.NewCallers(db, tokens, nil, time.Now)
		o.REST = rest.NewHandler(rest.Options{
			DB: db, Rules: query.Rules{DefaultHours: 900}, Sync: starter{}, TicketDays: 365, SpoolDir: t.TempDir(), Logger: o.Logger, Now: time.Now,
		})
	})
	gate := gateway(t, h)
	cookie := signedIn(t, gate+"/codex", secret.Reveal(), nil)
	if cookie.Path != "/codex" || !cookie.Secure {
		t.Errorf("the cookie %s goes to our neighbours", cookie)
	}
	signed := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}, "Accept-Encoding": {"gzip, deflate, br, zstd"}}
	for _, path := range []string{"/codex/api/companies", "/codex/api/companies/10%2F2", "/codex/codex/api/companies/bulk"} {
		got := ask(t, http.MethodGet, gate+path, signed)
		if got.status != 200 || got.header.Get("Content-Encoding") != "gzip" || !strings.Contains(unzipped(t, got.body), `"10/2"`) {
			t.Fatalf("%s: %d %v", path, got.status, got.header)
		}
		again := signed.Clone()
		again.Set("If-None-Match", got.header.Get("ETag"))
		if kept := ask(t, http.MethodGet, gate+path, again); kept.status != 304 || kept.header.Get("ETag") != got.header.Get("ETag") {
			t.Errorf("%s again: %d %v", path, kept.status, kept.header)
		}
	}
}
