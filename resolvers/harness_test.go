package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/vigil"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

var update = flag.Bool("update", false, "write the golden files anew: the reviewer reads the difference")

// golden compares got with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: run with -update and read the difference. Got:\n%s", file, got)
	}
}

// graph is a handler over a database, and what it works with.
type graph struct {
	t         testing.TB
	handler   *resolvers.Handler
	sync      *fakeSync
	runs      *fakeRuns
	companies *fakeCompanies
	jobs      *fakeJobs
	schedule  *fakeSchedule
	tokens    *fakeTokens
	log       *bytes.Buffer

	archiveLog *fakeLog
	bills      *fakeBills
	notifier   *fakeNotifier
}

func newGraph(t testing.TB, db *store.DB, options ...func(*resolvers.Options)) *graph {
	g := &graph{
		t: t, sync: &fakeSync{db: db}, runs: &fakeRuns{db: db}, companies: &fakeCompanies{db: db},
		jobs: &fakeJobs{db: db}, schedule: &fakeSchedule{db: db},
		tokens: &fakeTokens{}, log: &bytes.Buffer{}, archiveLog: &fakeLog{}, bills: &fakeBills{db: db},
		notifier: &fakeNotifier{},
	}
	logger := slog.New(slog.NewTextHandler(g.log, nil))
	o := resolvers.Options{
		DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true},
		Sync: g.sync, Runs: g.runs, Companies: g.companies, Local: syncers.New(syncers.Options{DB: db, Logger: logger}), Progress: syncers.NewProgress(db, logger),
		Jobs: g.jobs, Schedule: g.schedule,
		Reviews: fakeReviews{}, Billed: fakeBilled{},
		Tokens: g.tokens, Log: g.archiveLog, Bills: g.bills, Plans: plans.New(plans.Options{DB: db, Logger: logger}), Logger: logger, Notifier: g.notifier,
		Verifications: vigil.New(vigil.Options{DB: db}),
	}
	for _, option := range options {
		option(&o)
	}
	g.handler = resolvers.NewHandler(o)
	return g
}

// eachWorld runs fn on the world of querytest, on both databases.
func eachWorld(t *testing.T, fn func(t *testing.T, g *graph), options ...func(*resolvers.Options)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		logWorld(t, db)
		fn(t, newGraph(t, db, options...))
	})
}

// onWorld runs fn on the world of querytest where the database makes no difference.
func onWorld(t *testing.T, options ...func(*resolvers.Options)) *graph {
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	logWorld(t, db)
	return newGraph(t, db, options...)
}

// unlimited lets questions through that nobody but a test asks.
func unlimited(o *resolvers.Options) { o.Limits.Cost = 1 << 40 }

func as(role codex.Role) context.Context {
	return codex.WithCaller(context.Background(), codex.Caller{Name: "the " + string(role), Role: role})
}

// ask posts a query and gives the body of the answer.
func (g *graph) ask(ctx context.Context, text string, variables map[string]any) string {
	g.t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		g.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w.Body.String()
}

// data is the data of an answer that has no errors.
func (g *graph) data(ctx context.Context, text string) map[string]any {
	g.t.Helper()
	var response struct {
		Data   map[string]any
		Errors []any
	}
	body := g.ask(ctx, text, nil)
	if err := json.Unmarshal([]byte(body), &response); err != nil || len(response.Errors) > 0 {
		g.t.Fatalf("%s\ngave %s, %v", text, body, err)
	}
	return response.Data
}

// indented is an answer as people read it.
func indented(t testing.TB, body string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(body), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return out.String()
}

// codes are the extensions.code of an answer's errors, or "ok".
func codes(t testing.TB, body string) string {
	t.Helper()
	var response struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(body), &response); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var found []string
	for _, e := range response.Errors {
		found = append(found, e.Extensions.Code)
	}
	if found == nil {
		return "ok"
	}
	return strings.Join(found, " ")
}

// fakeSync starts nothing and gives the run r2 of the world, or its error.
type fakeSync struct {
	db    *store.DB
	mu    sync.Mutex
	asked []syncers.Request
	joins bool // as if r2 had been there before
	err   error
}

func (f *fakeSync) Start(ctx context.Context, r syncers.Request) (*ent.SyncRun, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	if r.By == "" || r.Trigger != codex.TriggerAPI || r.Feed == "" {
		return nil, false, errors.New("a request says who asks, how and for what")
	}
	if f.err != nil {
		return nil, false, f.err
	}
	run, err := f.db.Ent().SyncRun.Get(ctx, "r2")
	return run, f.joins, err
}

// fakeRuns gives the run that is asked for, or its error, and keeps what it was asked.
type fakeRuns struct {
	db    *store.DB
	mu    sync.Mutex
	asked []string
	err   error
}

func (f *fakeRuns) Approve(ctx context.Context, run codex.RunID, by, reason string) (*ent.SyncRun, error) {
	return f.do(ctx, run, "approve "+string(run)+" by "+by+": "+reason)
}

func (f *fakeRuns) Cancel(ctx context.Context, run codex.RunID, by string) (*ent.SyncRun, error) {
	return f.do(ctx, run, "cancel "+string(run)+" by "+by)
}

func (f *fakeRuns) do(ctx context.Context, run codex.RunID, what string) (*ent.SyncRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
	if f.err != nil {
		return nil, f.err
	}
	return f.db.Ent().SyncRun.Get(ctx, run)
}

// fakeCompanies gives the company that is asked for, or its error, and keeps what it was asked.
type fakeCompanies struct {
	db    *store.DB
	asked []string
	err   error
}

func (f *fakeCompanies) RenameCompany(ctx context.Context, from, to codex.AccountNumber, by string) (*ent.Company, error) {
	return f.do(ctx, from, fmt.Sprintf("rename %s to %s by %s", from, to, by))
}

func (f *fakeCompanies) ArchiveCompany(ctx context.Context, account codex.AccountNumber, by string) (*ent.Company, error) {
	return f.do(ctx, account, fmt.Sprintf("archive %s by %s", account, by))
}

func (f *fakeCompanies) do(ctx context.Context, account codex.AccountNumber, what string) (*ent.Company, error) {
	f.asked = append(f.asked, what)
	if f.err != nil {
		return nil, f.err
	}
	return f.db.Ent().Company.Get(ctx, account)
}

// fakeBills gives the bill that is asked for, or its error, and keeps what it was asked.
type fakeBills struct {
	db    *store.DB
	asked []string
	err   error
}

func (f *fakeBills) Accept(ctx context.Context, bill *archive.Submission, by codex.Caller) (*archive.Accepted, error) {
	row, err := f.do(ctx, "900-202510", fmt.Sprintf("accept %s by %s", bill.InvoiceNumber, by.Name))
	return &archive.Accepted{Snapshot: row}, err
}

func (f *fakeBills) Reopen(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error) {
	return f.do(ctx, invoice, fmt.Sprintf("reopen %s by %s: %s", invoice, by.Name, reason))
}

func (f *fakeBills) Close(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error) {
	return f.do(ctx, invoice, fmt.Sprintf("close %s by %s: %s", invoice, by.Name, reason))
}

func (f *fakeBills) Refetch(ctx context.Context, invoice, reason string, by codex.Caller) (*archive.Refetched, error) {
	row, err := f.do(ctx, invoice, fmt.Sprintf("refetch %s by %s: %s", invoice, by.Name, reason))
	return &archive.Refetched{Snapshot: row, Unchanged: true}, err
}

func (f *fakeBills) do(ctx context.Context, invoice, what string) (*ent.Snapshot, error) {
	f.asked = append(f.asked, what)
	if f.err != nil {
		return nil, f.err
	}
	return f.db.Ent().Snapshot.Query().Where(snapshot.InvoiceNumber(invoice)).Order(snapshot.ByID()).First(ctx)
}

// fakeTokens keeps tokens in memory.
type fakeTokens struct {
	mu    sync.Mutex
	kept  []*ent.Token
	panic bool
}

func (f *fakeTokens) Create(_ context.Context, wanted auth.NewToken) (codex.Secret, *ent.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if wanted.CreatedBy == "" {
		return "", nil, errors.New("a token says who created it")
	}
	token := &ent.Token{
		Name: wanted.Name, Role: wanted.Role, CreatedBy: wanted.CreatedBy, CreatedAt: querytest.At(1), ExpiresAt: wanted.ExpiresAt,
	}
	f.kept = append(f.kept, token)
	return codex.Secret("secret-of-" + wanted.Name), token, nil
}

func (f *fakeTokens) List(context.Context) ([]*ent.Token, error) {
	if f.panic {
		panic("the tokens are on fire")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept, nil
}

func (f *fakeTokens) Revoke(_ context.Context, name string) (*ent.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, token := range f.kept {
		if token.Name == name {
			at := querytest.At(2)
			token.RevokedAt = &at
			return token, nil
		}
	}
	return nil, &codex.Error{Code: codex.CodeNotFound, Field: "name", Message: "there is no token " + name}
}
