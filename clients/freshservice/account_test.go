package freshservice_test

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

	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
)

// account is a Freshservice account as one test needs it: what each path answers, and what was
// asked.
type account struct {
	t      *testing.T
	server *httptest.Server
	mux    *http.ServeMux

	mu    sync.Mutex
	asked []string // path and query, in order
}

// quick is patience for tests.
var quick = transport.Tuning{
	Backoff: time.Millisecond, MaxBackoff: time.Millisecond, RetryAfter: time.Millisecond, Spacing: time.Millisecond,
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, mux: http.NewServeMux()}
	a.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", theDate)
		if user, password, _ := r.BasicAuth(); user != "key" || password != "X" {
			answer(w, 401, `{"code":"invalid_credentials","message":"You have to be logged in to perform this action."}`)
			return
		}
		a.mu.Lock()
		a.asked = append(a.asked, strings.TrimPrefix(r.URL.RequestURI(), "/api/v2"))
		a.mu.Unlock()
		a.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(a.server.Close)
	return a
}

// theDate is what the account's clock says.
const theDate = "Mon, 15 Jun 2026 12:00:00 GMT"

func began() time.Time { return time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC) }

func (a *account) on(path string, handle http.HandlerFunc) { a.mux.HandleFunc("/api/v2"+path, handle) }

// client reads two records a page.
func (a *account) client(change ...func(*freshservice.Options)) *freshservice.Client {
	a.t.Helper()
	options := freshservice.Options{
		BaseURL: a.server.URL, APIKey: "key", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Tuning: quick,
	}
	for _, edit := range change {
		edit(&options)
	}
	client, err := freshservice.New(options)
	if err != nil {
		a.t.Fatal(err)
	}
	freshservice.SetPageSize(client, 2)
	return client
}

func (a *account) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

// pages answers the records of a list, per_page a page, with the documented link to the next.
func pages(envelope string, records ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		from := min((page-1)*size, len(records))
		to := min(from+size, len(records))
		if to < len(records) {
			w.Header().Set("link", fmt.Sprintf(`<http://%s%s?page=%d>;rel="next"`, r.Host, r.URL.Path, page+1))
		}
		answer(w, 200, `{"`+envelope+`":[`+strings.Join(records[from:to], ",")+`]}`)
	}
}

// simple are the records {"id":1,…} to n with a text that every kind of record can have.
func simple(from, to int) []string {
	var records []string
	for id := from; id <= to; id++ {
		records = append(records, fmt.Sprintf(`{"id":%d,"name":"department %d"}`, id, id))
	}
	return records
}

func ids(departments []freshservice.Department) []int64 {
	list := []int64{}
	for _, department := range departments {
		list = append(list, department.ID)
	}
	return list
}
