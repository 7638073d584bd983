package rest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// starter is a sync engine that starts what it is told to, and keeps what it was asked.
type starter struct {
	asked []syncers.Request
	run   *ent.SyncRun
	joins bool // as if run had been there before
	err   error
	ended chan *ent.SyncRun // has the run when it is over
}

func (s *starter) Start(_ context.Context, request syncers.Request) (*ent.SyncRun, bool, error) {
	s.asked = append(s.asked, request)
	if s.err != nil {
		return nil, false, s.err
	}
	if s.run == nil {
		return nil, false, errors.New("the test expects no sync")
	}
	return s.run, s.joins, nil
}

func (s *starter) Wait(ctx context.Context, id codex.RunID) (*ent.SyncRun, error) {
	select {
	case run := <-s.ended:
		if run.ID != id {
			return nil, errors.New("another run is waited for than was started")
		}
		return run, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// options are those of most tests.
func options(t *testing.T, db *store.DB) rest.Options {
	kept := bills(t, db)
	jobs, schedule := monthly(t, db)
	return rest.Options{
		Jobs:       jobs,
		Schedule:   schedule,
		DB:         db,
		Rules:      query.Rules{DefaultHours: 900, BillNonBillable: true},
		Sync:       &starter{},
		Bills:      kept,
		Log:        kept,
		TicketDays: 365,
		SpoolDir:   t.TempDir(),
		Logger:     slog.New(slog.NewTextHandler(t.Output(), nil)),
		Now:        today,
	}
}

// roleHeader names the caller's role in the requests of these tests: who is calling is not this
// package's business.
const roleHeader = "X-Test-Role"

func serve(t *testing.T, o rest.Options) *httptest.Server {
	handler := rest.NewHandler(o)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if role := r.Header.Get(roleHeader); role != "" {
			r = r.WithContext(codex.WithCaller(r.Context(), codex.Caller{Name: "the " + role, Role: codex.Role(role)}))
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// response is an answer, read whole.
type response struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, server *httptest.Server, method, path string, role codex.Role) response {
	t.Helper()
	return askKeeping(t, server, method, path, role)
}

// askKeeping asks as somebody who has kept answers under tags.
func askKeeping(t *testing.T, server *httptest.Server, method, path string, role codex.Role, tags ...string) response {
	t.Helper()
	return askSending(t, server, method, path, role, nil, tags...)
}

// askSending sends a body too.
func askSending(t *testing.T, server *httptest.Server, method, path string, role codex.Role, content []byte, tags ...string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if role != "" {
		request.Header.Set(roleHeader, string(role))
	}
	if tags != nil {
		request.Header["If-None-Match"] = tags
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{status: answer.StatusCode, header: answer.Header, body: string(body)}
}

// golden compares a body with testdata/name.json, byte for byte.
func golden(t *testing.T, name, body string) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(body)) {
		t.Errorf("%s differs:\n got %s\nwant %s", file, body, want)
	}
}

// expect compares status and whole body.
func expect(t *testing.T, what string, got response, status int, body string) {
	t.Helper()
	if got.status != status || got.body != body {
		t.Errorf("%s: %d %s\nwant %d %s", what, got.status, got.body, status, body)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s: Content-Type %q", what, kind)
	}
}

// failing is a sync engine whose runs cannot be waited for.
type failing struct {
	*starter
	err error
}

func (f failing) Wait(context.Context, codex.RunID) (*ent.SyncRun, error) { return nil, f.err }
