package httpd

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// taking is a caller's headers with an Accept-Encoding of its own: net/http sends and undoes one
// otherwise.
func taking(encodings string, more ...string) http.Header {
	header := bearer("admin")
	header["Accept-Encoding"] = []string{encodings}
	for i := 0; i < len(more); i += 2 {
		header[more[i]] = append(header[more[i]], more[i+1])
	}
	return header
}

// unzipped is what a gzip body holds.
func unzipped(t *testing.T, body string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheCodingIsTheOneThatWasAskedFor(t *testing.T) {
	for _, tc := range []struct {
		header []string
		want   codings
	}{
		{nil, codings{false, true}},
		{[]string{""}, codings{false, true}},
		{[]string{"gzip"}, codings{true, true}},
		{[]string{"gzip, deflate"}, codings{true, true}},
		{[]string{"gzip, deflate, br, zstd"}, codings{true, true}},
		{[]string{"br", "x-gzip"}, codings{true, true}},
		{[]string{"GZIP ; Q=0.5"}, codings{true, true}},
		{[]string{"deflate, br, zstd"}, codings{false, true}},
		{[]string{"identity"}, codings{false, true}},
		{[]string{"gzip;q=0"}, codings{false, true}},
		{[]string{"gzip;q=0.000, *"}, codings{false, true}},
		{[]string{"*"}, codings{true, true}},
		{[]string{"*;q=0"}, codings{false, false}},
		{[]string{"gzip, *;q=0"}, codings{true, false}},
		{[]string{"gzip, identity;q=0"}, codings{true, false}},
		{[]string{"*, identity;q=0"}, codings{true, false}},
		{[]string{"identity;q=0.5, *;q=0"}, codings{false, true}},
		{[]string{"identity, gzip;q=0.5"}, codings{false, true}},
		{[]string{"identity;q=0.5, gzip"}, codings{true, true}},
		{[]string{"gzip;q=a"}, codings{false, true}},
		{[]string{"gzip;q=2"}, codings{false, true}},
		{[]string{"gzip;level=9"}, codings{false, true}},
		{[]string{";q=1,,"}, codings{false, true}},
	} {
		header := http.Header{}
		if tc.header != nil {
			header["Accept-Encoding"] = tc.header
		}
		if got := codingsOf(header); got != tc.want {
			t.Errorf("%q: %+v, want %+v", tc.header, got, tc.want)
		}
	}
}

func FuzzCodingsOf(f *testing.F) {
	for _, header := range []string{"", "gzip", "gzip;q=0, *;q=0.5", "identity;q=0;q=1", "*;q=.", ",;=,"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, text string) {
		takes := codingsOf(http.Header{"Accept-Encoding": {text}})
		if lower := strings.ToLower(text); takes.gzip && !strings.Contains(lower, "gzip") && !strings.Contains(lower, "*") {
			t.Errorf("%q: gzip, of which it says nothing", text)
		}
	})
}

// answering serves one answer of REST, whatever is asked.
func answering(contentType string, length int, stated bool) func(*Options, *timeouts) {
	return serving(func(w http.ResponseWriter, _ *http.Request) {
		body := strings.Repeat("x", length)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("ETag", `"t"`)
		if stated {
			w.Header().Set("Content-Length", fmt.Sprint(length))
		}
		_, _ = io.WriteString(w, body)
	})
}

func TestAnswersThatGainByItAreCompressed(t *testing.T) {
	for _, tc := range []struct {
		name, contentType string
		length            int
		stated            bool
		encodings, site   string
		zipped            bool
	}{
		{"JSON", "application/json", 1024, true, "gzip", "", true},
		{"JSON of a length that nobody knows", "application/json", 10, false, "gzip", "", true},
		{"GraphQL", "application/graphql-response+json; charset=utf-8", 5000, true, "gzip", "same-origin", true},
		{"a page", "text/html; charset=utf-8", 5000, true, "gzip", "none", true},
		{"what is small", "application/json", 1023, true, "gzip", "", false},
		{"what is small, for whom it must be", "application/json", 1023, true, "gzip, *;q=0", "", true},
		{"for whom nothing does", "application/json", 5000, true, "br, *;q=0", "", false},
		{"for whom gzip is nothing", "application/json", 5000, true, "br, zstd", "", false},
		{"an image", "image/png", 5000, true, "gzip", "", false},
		{"a stream", "text/event-stream", 5000, false, "gzip", "", false},
		{"without a type", "", 5000, true, "gzip", "", false},
		{"for a page of another site", "application/json", 5000, true, "gzip", "cross-site", false},
		{"for a page of a sister site", "application/json", 5000, true, "gzip", "same-site", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := start(t, answering(tc.contentType, tc.length, tc.stated))
			header := taking(tc.encodings)
			if tc.site != "" {
				header.Set("Sec-Fetch-Site", tc.site)
			}
			got := ask(t, http.MethodGet, h.URL()+"/x", header)
			body, tag, coding := got.body, `"t"`, ""
			if tc.zipped {
				body, tag, coding = unzipped(t, got.body), `"t-gzip"`, "gzip"
			}
			if got.status != 200 || body != strings.Repeat("x", tc.length) || got.header.Get("ETag") != tag || got.header.Get("Content-Encoding") != coding {
				t.Errorf("%d, %v, %d bytes", got.status, got.header, len(got.body))
			}
			varies := worthwhile(tc.contentType)
			if vary := got.header.Get("Vary"); (vary == "Accept-Encoding") != varies {
				t.Errorf("Vary: %q", vary)
			}
			if err := h.stop(); err != nil {
				t.Fatal(err)
			}
			if lines := h.log.lines(t, "request"); lines[0]["bytes"] != float64(len(got.body)) {
				t.Errorf("%d bytes were sent, in the log: %v", len(got.body), lines[0]["bytes"])
			}
		})
	}
}

func TestWhatHasACodingOrIsAPartIsLeftAlone(t *testing.T) {
	for name, header := range map[string][2]string{"a coding": {"Content-Encoding", "br"}, "a part": {"Content-Range", "bytes 0-4999/9999"}} {
		h := start(t, serving(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set(header[0], header[1])
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		}))
		got := ask(t, http.MethodGet, h.URL()+"/x", taking("gzip"))
		if got.body != strings.Repeat("x", 5000) || got.header.Get(header[0]) != header[1] || got.header.Get("Vary") != "" {
			t.Errorf("%s: %v", name, got.header)
		}
	}
}

func TestACodingThatBreaksOffHasNoEnd(t *testing.T) {
	for name, failure := range map[string]any{"a panic": "index out of range", "a handler that breaks off": http.ErrAbortHandler} {
		h := start(t, serving(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "[1")
			w.(http.Flusher).Flush()
			panic(failure)
		}))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL()+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = taking("gzip")
		got, err := client(nil).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		reader, err := gzip.NewReader(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		got.Body.Close()
		if string(body) != "[1" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
}

func TestAPanicBeforeTheFirstByteIsAnErrorWithoutACoding(t *testing.T) {
	h := start(t, serving(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		panic("index out of range")
	}))
	got := ask(t, http.MethodGet, h.URL()+"/x", taking("gzip"))
	expect(t, "a panic", got, 500, `{"error":"Internal error"}`+"\n")
	if got.header.Get("Content-Encoding") != "" {
		t.Errorf("%v", got.header)
	}
}

func TestEachEventOfAStreamLeavesAtOnceForWhomGzipWouldDo(t *testing.T) {
	next := make(chan struct{})
	h := start(t, func(o *Options, _ *timeouts) {
		o.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				_ = http.NewResponseController(w).Flush()
				<-next
			}
		})
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL()+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = taking("gzip, deflate, br", "Accept", "text/event-stream")
	got, err := client(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	lines := bufio.NewReader(got.Body)
	for i := range 3 {
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("event %d: %q, %v", i, line, err)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
	}
	if got.Header.Get("Content-Encoding") != "" {
		t.Errorf("%v", got.Header)
	}
}

// startFilled serves the real REST paths over a company with many assets and little else.
func startFilled(t *testing.T, db *store.DB) *hub {
	t.Helper()
	ctx := t.Context()
	db.Ent().Company.Create().SetID("10/2").SetName("Slash <&> ü").ExecX(ctx)
	for i := range 40 {
		db.Ent().Asset.Create().SetID(i + 1).SetCompanyAccountNumber("10/2").SetHostname(fmt.Sprint("PC-", i)).ExecX(ctx)
	}
	return start(t, func(o *Options, _ *timeouts) {
		o.REST = rest.NewHandler(rest.Options{
			DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true}, Sync: starter{},
			TicketDays: 365, SpoolDir: t.TempDir(), Logger: o.Logger, Now: time.Now,
		})
	})
}

// Ledger asks with Python's requests, which sends this header and undoes what comes.
func TestOldClientsReadTheSameBytesAsBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := startFilled(t, db)
		zipped := 0
		for _, path := range []string{
			"/api/companies", "/api/companies/10%2F2", "/api/companies/10%2F2/assets", "/api/companies/10%2F2/contacts",
			"/api/companies/bulk", "/api/companies/bulk?include_tickets=true", "/api/companies/none", "/sync/last/none", "/health",
		} {
			want := ask(t, http.MethodGet, h.URL()+path, taking("identity"))
			got := ask(t, http.MethodGet, h.URL()+path, taking("gzip, deflate", "Accept", "*/*", "User-Agent", "python-requests/2.32.5"))
			body := got.body
			if got.header.Get("Content-Encoding") == "gzip" {
				zipped++
				body = unzipped(t, body)
			}
			if got.status != want.status || body != want.body || got.header.Get("Content-Type") != want.header.Get("Content-Type") {
				t.Errorf("%s: %d %q\nwant %d %q", path, got.status, body, want.status, want.body)
			}
		}
		if zipped != 3 { // assets and both bulks
			t.Errorf("%d answers were compressed", zipped)
		}
	})
}

func TestAnAnswerIsUnchangedInACodingThatItsCallerTakes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := startFilled(t, db)
		for _, path := range []string{"/api/companies/10%2F2/assets", "/api/companies/bulk", "/codex/"} {
			if path == "/codex/" {
				h = start(t, func(o *Options, _ *timeouts) {
					o.Pages = fstest.MapFS{"index.html": {Data: []byte("<head>" + strings.Repeat("x", 2000))}}
				})
			}
			url := h.URL() + path
			plain := ask(t, http.MethodGet, url, taking("identity")).header.Get("ETag")
			zipped := ask(t, http.MethodGet, url, taking("gzip")).header.Get("ETag")
			if plain == "" || zipped != strings.TrimSuffix(plain, `"`)+`-gzip"` {
				t.Fatalf("%s: the tags %s and %s", path, plain, zipped)
			}
			for _, tc := range []struct {
				name, takes, kept string
				status            int
				tag               string
			}{
				{"the same", "gzip", zipped, 304, zipped},
				{"the same, weak", "gzip", "W/" + zipped, 304, zipped},
				{"without a coding", "identity", plain, 304, plain},
				{"kept without, which still does", "gzip", plain, 304, plain},
				{"kept both", "gzip", zipped + ", " + plain, 304, plain},
				{"kept as gzip, which does no longer", "identity", zipped, 200, plain},
				{"kept without, which does no longer", "gzip, identity;q=0", plain, 200, zipped},
				{"any", "gzip", "*", 304, zipped},
				{"any without", "identity", "*", 304, plain},
				{"another", "gzip", `"another-gzip"`, 200, zipped},
			} {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					got := ask(t, method, url, taking(tc.takes, "If-None-Match", tc.kept))
					if got.status != tc.status || got.header.Get("ETag") != tc.tag || got.header.Get("Vary") != "Accept-Encoding" {
						t.Errorf("%s %s, %s: %d %v", method, path, tc.name, got.status, got.header)
					}
					if got.status == 304 && (got.body != "" || got.header.Get("Content-Encoding") != "") {
						t.Errorf("%s %s, %s: %q %v", method, path, tc.name, got.body, got.header)
					}
				}
			}
		}
	})
}

func TestAHeadTellsTheHeadersOfItsGet(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	h := startFilled(t, db)
	for _, path := range []string{"/api/companies", "/api/companies/10%2F2/assets", "/api/companies/bulk", "/playground"} {
		for _, encodings := range []string{"gzip", "identity"} {
			get := ask(t, http.MethodGet, h.URL()+path, taking(encodings))
			head := ask(t, http.MethodHead, h.URL()+path, taking(encodings))
			for _, name := range []string{"Content-Type", "Content-Encoding", "Vary", "ETag", "Cache-Control"} {
				if head.header.Get(name) != get.header.Get(name) {
					t.Errorf("%s as %s: %s is %q, of a GET %q", path, encodings, name, head.header.Get(name), get.header.Get(name))
				}
			}
			if length := head.header.Get("Content-Length"); length != "" && length != get.header.Get("Content-Length") {
				t.Errorf("%s as %s: Content-Length %s, of a GET %s", path, encodings, length, get.header.Get("Content-Length"))
			}
			if head.body != "" || head.status != 200 {
				t.Errorf("%s: %d %q", path, head.status, head.body)
			}
		}
	}
}

func TestAPartOfAPageIsOfItsFormWithoutACoding(t *testing.T) {
	h := start(t, func(o *Options, _ *timeouts) {
		o.Pages = fstest.MapFS{"assets/app-1.js": {Data: []byte(strings.Repeat("let a = 1;", 500))}}
	})
	got := ask(t, http.MethodGet, h.URL()+"/assets/app-1.js", taking("gzip", "Range", "bytes=0-8"))
	if got.status != 206 || got.body != "let a = 1" || got.header.Get("Content-Encoding") != "" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	whole := ask(t, http.MethodGet, h.URL()+"/assets/app-1.js", taking("gzip"))
	if unzipped(t, whole.body) != strings.Repeat("let a = 1;", 500) || whole.header.Get("Accept-Ranges") != "" {
		t.Errorf("%v", whole.header)
	}
}

// A secret that is shown beside what its reader chose is another one each time: see compress.
func TestATokenIsShownOnce(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	tokens := auth.NewTokens(db, time.Now)
	seen := map[codex.Secret]bool{}
	for i := range 3 {
		secret, _, err := tokens.Create(t.Context(), auth.NewToken{Name: fmt.Sprint("t", i), Role: codex.RoleService, CreatedBy: "test"})
		if err != nil || seen[secret] {
			t.Errorf("the secret of before, or %v", err)
		}
		seen[secret] = true
	}
}
