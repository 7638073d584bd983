package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// source is a database of so many companies, without one: it makes them as they are asked for, calls
// before each batch, and fails where that fails.
type source struct {
	moment    // what a bulk answer does not ask for
	companies int
	before    func(ctx context.Context, batch int) error
}

func (s source) EachCompany(ctx context.Context, size int, fn func([]*ent.Company) error) error {
	for start, batch := 0, 0; start < s.companies; start, batch = start+size, batch+1 {
		if err := s.before(ctx, batch); err != nil {
			return err
		}
		var companies []*ent.Company
		for i := start; i < min(start+size, s.companies); i++ {
			description := strings.Repeat("x", 4096)
			companies = append(companies, &ent.Company{ID: codex.AccountNumber(fmt.Sprintf("%08d", i)), Description: &description})
		}
		if err := fn(companies); err != nil {
			return err
		}
	}
	return s.before(ctx, -1) // the end
}

func (source) AssetsByCompany(context.Context, []codex.AccountNumber, ...string) (map[codex.AccountNumber][]*ent.Asset, error) {
	return nil, nil
}

func (source) ContactsByCompany(context.Context, []codex.AccountNumber, ...string) (map[codex.AccountNumber][]*ent.Contact, error) {
	return nil, nil
}

func (source) LocationsByCompany(context.Context, []codex.AccountNumber, ...string) (map[codex.AccountNumber][]*ent.Location, error) {
	return nil, nil
}

func (source) TicketsByCompany(context.Context, []codex.AccountNumber, query.TicketFilter, ...string) (map[codex.AccountNumber][]*ent.Ticket, error) {
	return nil, nil
}

func (source) Revisions(context.Context, ...string) (map[string]int64, error) { return nil, nil }

func (source) TicketSeconds(*ent.Ticket) codex.Seconds { return 0 }

// serveBulk serves what reader gives; closed is closed when its snapshot is.
func serveBulk(t *testing.T, reader moment) (server *httptest.Server, closed chan struct{}, dir string) {
	closed, dir = make(chan struct{}), t.TempDir()
	s := &service{
		Options: Options{
			SpoolDir: dir,
			Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
			Now:      func() time.Time { return time.Date(2025, time.October, 20, 12, 0, 0, 0, time.UTC) },
		},
		moments: func(ctx context.Context, fn func(context.Context, moment) error) error {
			defer close(closed)
			return fn(ctx, reader)
		},
	}
	return serveAs(t, s), closed, dir
}

func serveAs(t *testing.T, s *service) *httptest.Server {
	handler := s.handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(codex.WithCaller(r.Context(), codex.Caller{Name: "n", Role: codex.RoleService})))
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(t.Output(), nil), slog.LevelInfo)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, server *httptest.Server, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func waitFor(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("waited in vain until ", what)
	}
}

func TestABulkAnswerThatFailsBeforeItsFirstByteIsAnError(t *testing.T) {
	for _, tc := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"a defect", errors.New("no such column"), 500, `{"error":"Internal error"}`},
		{"a database that does not answer", codex.Errorf(codex.CodeUnavailable, "the database cannot be reached"), 503, `{"error":"Try again later"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, _, _ := serveBulk(t, source{companies: 100, before: func(context.Context, int) error { return tc.err }})
			answer := get(t, server, "/api/companies/bulk")
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != tc.status || string(body) != tc.body+"\n" {
				t.Errorf("%d %s, %v", answer.StatusCode, body, err)
			}
		})
	}
}

func TestABulkAnswerThatFailsLaterBreaksTheConnection(t *testing.T) {
	for _, tc := range []struct {
		name string
		at   int // the batch before which it fails; -1 is after the last
		fail func() error
	}{
		{"in the middle", 3, func() error { return errors.New("the connection was lost") }},
		{"after the last company", -1, func() error { return errors.New("the connection was lost") }},
		{"by a panic", 2, func() error { panic("index out of range") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			begun := make(chan struct{})
			server, closed, _ := serveBulk(t, source{companies: 100, before: func(_ context.Context, batch int) error {
				if batch != tc.at {
					return nil
				}
				<-begun // the client has a part already
				return tc.fail()
			}})
			answer := get(t, server, "/api/companies/bulk")
			if answer.StatusCode != http.StatusOK {
				t.Fatalf("status %d", answer.StatusCode)
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(answer.Body, first); err != nil || first[0] != '[' {
				t.Fatalf("the first byte: %q, %v", first, err)
			}
			close(begun)
			rest, err := io.ReadAll(answer.Body)
			if err == nil {
				t.Error("the end reads like the end of a whole answer")
			}
			if json.Valid(append(first, rest...)) {
				t.Error("the part is JSON: it can be taken for the whole")
			}
			waitFor(t, "the snapshot is closed", closed)
		})
	}
}

func TestASlowClientHoldsNoSnapshotOpenAndNoMemory(t *testing.T) {
	peak := func(companies int) uint64 {
		var heap uint64
		server, closed, dir := serveBulk(t, source{companies: companies, before: func(_ context.Context, batch int) error {
			if batch%100 == 99 || batch == -1 {
				runtime.GC()
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				heap = max(heap, stats.HeapAlloc)
			}
			return nil
		}})
		answer := get(t, server, "/api/companies/bulk")
		waitFor(t, "the snapshot is closed although the client has read nothing", closed)
		if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
			t.Errorf("the spool has a name: %v, %v", files, err)
		}
		decoder := json.NewDecoder(answer.Body)
		if _, err := decoder.Token(); err != nil {
			t.Fatal(err)
		}
		got := 0
		for ; decoder.More(); got++ {
			var one struct {
				Company struct {
					AccountNumber codex.AccountNumber `json:"account_number"`
				}
			}
			if err := decoder.Decode(&one); err != nil {
				t.Fatalf("company %d: %v", got, err)
			}
			if want := codex.AccountNumber(fmt.Sprintf("%08d", got)); one.Company.AccountNumber != want {
				t.Fatalf("company %d is %s", got, one.Company.AccountNumber)
			}
		}
		if _, err := decoder.Token(); err != nil {
			t.Fatal(err)
		}
		if got != companies {
			t.Errorf("%d companies of %d", got, companies)
		}
		return heap
	}
	few, many := peak(500), peak(15_000) // 2 MB and 65 MB of JSON
	if many > few+6<<20 {
		t.Errorf("the heap grew from %d to %d bytes with the number of companies", few, many)
	}
}

func TestAClientThatGoesAwayEndsTheReading(t *testing.T) {
	server, closed, _ := serveBulk(t, source{companies: 1 << 30, before: func(ctx context.Context, batch int) error {
		if batch < 10 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	answer := get(t, server, "/api/companies/bulk")
	if _, err := io.ReadFull(answer.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	waitFor(t, "the snapshot is closed", closed)
}

// brokenLine is the way to a client that hung up after so many writes.
type brokenLine struct {
	*httptest.ResponseRecorder
	writes int
}

func (b *brokenLine) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, errors.New("broken pipe")
	}
	return b.ResponseRecorder.Write(p)
}

// The log's line of a request says that it was broken off where a handler panics so; who returns
// says that all was answered.
func TestABulkAnswerThatNobodyTakesIsBrokenOff(t *testing.T) {
	for _, writes := range []int{0, 3} {
		closed := make(chan struct{})
		s := &service{
			Options: Options{SpoolDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now},
			moments: func(ctx context.Context, fn func(context.Context, moment) error) error {
				defer close(closed)
				return fn(ctx, source{companies: 1000, before: func(context.Context, int) error { return nil }})
			},
		}
		func() {
			defer func() {
				v := recover()
				if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("after %d writes it ends with %v", writes, v)
				}
			}()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/companies/bulk", nil)
			err := s.bulk(&brokenLine{httptest.NewRecorder(), writes}, r)
			t.Errorf("after %d writes it is as good as answered: %v", writes, err)
		}()
		waitFor(t, "the snapshot is closed", closed)
	}
}

func TestAHeadOfTheBulkAnswerReadsOneBatch(t *testing.T) {
	for _, tc := range []struct {
		name      string
		companies int
		fail      error
		status    int
		batches   []int
	}{
		{"many companies", 1 << 30, nil, http.StatusOK, []int{0}},
		{"none", 0, nil, http.StatusOK, []int{-1}},
		{"a defect", 100, errors.New("no such column"), http.StatusInternalServerError, []int{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var batches []int
			server, closed, _ := serveBulk(t, source{companies: tc.companies, before: func(_ context.Context, batch int) error {
				batches = append(batches, batch)
				return tc.fail
			}})
			request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+"/api/companies/bulk", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			waitFor(t, "the snapshot is closed", closed)
			if answer.StatusCode != tc.status || answer.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %v", answer.StatusCode, answer.Header)
			}
			if !slices.Equal(batches, tc.batches) {
				t.Errorf("read the batches %v, want %v", batches, tc.batches)
			}
		})
	}
}

// betweenBatches is a reader that lets a test write before the second batch is read.
type betweenBatches struct {
	moment
	write func()
}

func (b betweenBatches) AssetsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Asset, error) {
	b.write()
	return b.moment.AssetsByCompany(ctx, accounts, columns...)
}

func TestABulkAnswerIsOfOneMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const companies = 2*bulkBatch + 1
		ctx := t.Context()
		var creates []*ent.CompanyCreate
		for i := range companies {
			creates = append(creates, db.Ent().Company.Create().SetID(codex.AccountNumber(fmt.Sprintf("%03d", i))).SetName("before"))
		}
		if err := db.Ent().Company.CreateBulk(creates...).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		s := newService(Options{
			DB: db, SpoolDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
			Now: time.Now,
		})
		whole := s.moments
		s.moments = func(ctx context.Context, fn func(context.Context, moment) error) error {
			return whole(ctx, func(snapshotCtx context.Context, reader moment) error {
				return fn(snapshotCtx, betweenBatches{reader, func() {
					err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
						if err := tx.Ent().Company.Update().SetName("after").Exec(ctx); err != nil {
							return err
						}
						return tx.Ent().Company.Create().SetID(codex.AccountNumber(fmt.Sprintf("new-%d", time.Now().UnixNano()))).SetName("new").Exec(ctx)
					})
					if err != nil {
						t.Errorf("a write while the answer is read: %v", err)
					}
				}})
			})
		}
		var answered []struct {
			Company struct{ Name string }
		}
		if err := json.NewDecoder(get(t, serveAs(t, s), "/api/companies/bulk").Body).Decode(&answered); err != nil {
			t.Fatal(err)
		}
		if len(answered) != companies {
			t.Errorf("%d companies, want %d", len(answered), companies)
		}
		for i, one := range answered {
			if one.Company.Name != "before" {
				t.Errorf("company %d was read %s", i, one.Company.Name)
			}
		}
	})
}

func TestABulkAnswerTakesAsManyStatementsABatchWhateverTheRows(t *testing.T) {
	statements := 0
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for i := range bulkBatch {
			db.Ent().Company.Create().SetID(codex.AccountNumber(fmt.Sprintf("%03d", i))).SetName("n").ExecX(t.Context())
		}
		s := newService(Options{
			DB: db, SpoolDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
		})
		server := serveAs(t, s)
		statements = 0
		if _, err := io.ReadAll(get(t, server, "/api/companies/bulk?include_tickets=true").Body); err != nil {
			t.Fatal(err)
		}
		// The revisions, the oldest ticket, the companies, their four edges, and the look for a second batch.
		if statements != 8 {
			t.Errorf("%d statements", statements)
		}
	}, storetest.OnStatement(func(string) { statements++ }))
}

func TestAWriteWhileAnAnswerIsReadIsNotInItsTag(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		write := func(name string) {
			err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.Ent().Asset.Update().SetHostname(name).Exec(ctx); err != nil {
					return err
				}
				return tx.Raise(ctx, ofAssets)
			})
			if err != nil {
				t.Errorf("a write while the answer is read: %v", err)
			}
		}
		db.Ent().Company.Create().SetID("1").SetName("n").ExecX(ctx)
		db.Ent().Asset.Create().SetID(1).SetCompanyAccountNumber("1").SetHostname("first").ExecX(ctx)
		s := newService(Options{DB: db, SpoolDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now})
		between := func() {}
		whole := s.moments
		s.moments = func(ctx context.Context, fn func(context.Context, moment) error) error {
			return whole(ctx, func(ctx context.Context, v moment) error { return fn(ctx, betweenBatches{v, func() { between() }}) })
		}
		server := serveAs(t, s)
		for i, path := range []string{"/api/companies/1/assets", "/api/companies/bulk", "/api/companies/bulk?include_tickets=true"} {
			before, after := fmt.Sprint("before-", i), fmt.Sprint("after-", i)
			write(before)
			between = func() { write(after) } // the revisions have been read, the assets have not
			first := get(t, server, path)
			body, err := io.ReadAll(first.Body)
			if err != nil || !strings.Contains(string(body), before) {
				t.Errorf("%s: %s, %v: the write in between is in it", path, body, err)
			}
			between = func() {}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("If-None-Match", first.Header.Get("ETag"))
			again, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err = io.ReadAll(again.Body)
			again.Body.Close()
			if err != nil || again.StatusCode != http.StatusOK || !strings.Contains(string(body), after) {
				t.Errorf("%s again: %d %s, %v", path, again.StatusCode, body, err)
			}
		}
	})
}
