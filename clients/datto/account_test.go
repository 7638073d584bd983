package datto_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/transport"
)

// account is a Datto RMM account as one test needs it: what each path answers, and what was asked.
type account struct {
	t      *testing.T
	server *httptest.Server
	mux    *http.ServeMux
	rate   string // what request_rate answers; empty = 404

	mu     sync.Mutex
	logins int
	valid  string   // the token that is accepted
	asked  []string // path and query without /api, in order; logins and request_rate apart
}

// quick is patience for tests.
var quick = transport.Tuning{
	Backoff: time.Millisecond, MaxBackoff: time.Millisecond, RetryAfter: time.Millisecond, Spacing: time.Millisecond,
}

const generous = `{"slidingTimeWindowSizeSeconds":60,"accountUid":"abc00f00d","accountCount":1,"accountRateLimit":1000000,"accountCutOffRatio":0.9,
	"accountWriteRateLimit":600,"accountWriteCount":0,"operationWriteStatus":{"site-create":{"limit":100,"count":0}}}`

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, mux: http.NewServeMux(), rate: generous}
	a.server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.server.Close)
	return a
}

func (a *account) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/auth/oauth/token" {
		a.login(w, r)
		return
	}
	a.mu.Lock()
	known := r.Header.Get("Authorization") == "Bearer "+a.valid && a.valid != ""
	if known && !strings.HasSuffix(r.URL.Path, "/request_rate") {
		a.asked = append(a.asked, strings.TrimPrefix(r.URL.RequestURI(), "/api"))
	}
	a.mu.Unlock()
	switch {
	case !known:
		answer(w, 401, `{"timestamp":1781181715656,"status":401,"error":"Unauthorized","path":"/v2"}`)
	case r.URL.Path == "/api/v2/system/request_rate" && a.rate != "":
		answer(w, 200, a.rate)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

func (a *account) login(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if r.Method != http.MethodPost || user != "public-client" || password != "public" {
		answer(w, 401, `{"error":"unauthorized"}`)
		return
	}
	if r.ParseForm() != nil || r.PostForm.Encode() != "grant_type=password&password=s%26cret&username=public" {
		answer(w, 400, `{"error":"invalid_grant","error_description":"Bad credentials"}`)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logins++
	a.valid = "token-" + strconv.Itoa(a.logins)
	answer(w, 200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":360000}`, a.valid))
}

// expire ends the token that is out.
func (a *account) expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.valid = ""
}

func (a *account) on(path string, handle http.HandlerFunc) { a.mux.HandleFunc("/api"+path, handle) }

func (a *account) client(change ...func(*datto.Options)) *datto.Client {
	a.t.Helper()
	options := datto.Options{
		BaseURL: a.server.URL, PublicKey: " public ", SecretKey: "s&cret\n", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Tuning: quick,
	}
	for _, edit := range change {
		edit(&options)
	}
	client, err := datto.New(options)
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}

func (a *account) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

// pages answers two records a page, with the documented pageDetails: an absolute nextPageUrl that
// drops every parameter but page.
func pages(envelope string, records ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		from := min(page*2, len(records))
		to := min(from+2, len(records))
		next := `null`
		if to < len(records) {
			next = fmt.Sprintf(`"http://%s%s?page=%d"`, r.Host, r.URL.Path, page+1)
		}
		answer(w, 200, fmt.Sprintf(`{"pageDetails":{"count":%d,"totalCount":%d,"prevPageUrl":null,"nextPageUrl":%s},%q:[%s]}`,
			to-from, len(records), next, envelope, strings.Join(records[from:to], ",")))
	}
}

// devices are n records with a uid alone.
func devices(n int) []string {
	var records []string
	for id := 1; id <= n; id++ {
		records = append(records, fmt.Sprintf(`{"id":%d,"uid":"u%d"}`, id, id))
	}
	return records
}

func uids(list []datto.Device) string {
	var names []string
	for _, device := range list {
		names = append(names, device.UID)
	}
	return strings.Join(names, " ")
}
