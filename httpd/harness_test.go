package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// logBuffer keeps the log's lines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// hub is a running server of a test.
type hub struct {
	*Server
	log  *logBuffer
	stop func() error // ends it, and is what Serve returned
}

// whoami stands in the place of GraphQL: it answers with the caller that it finds.
func whoami(w http.ResponseWriter, r *http.Request) {
	caller, _ := codex.CallerFrom(r.Context())
	_ = json.NewEncoder(w).Encode(map[string]string{"name": caller.Name, "role": string(caller.Role), "id": codex.RequestIDFrom(r.Context())})
}

// authenticate knows callers without sessions, in a test.
type authenticate func(ctx context.Context, bearer string) (codex.Caller, error)

func (a authenticate) Authenticate(ctx context.Context, proof auth.Proof) (auth.Known, error) {
	caller, err := a(ctx, proof.Bearer)
	return auth.Known{Caller: caller}, err
}

func (authenticate) SignIn(context.Context, string, netip.Addr) (auth.Session, error) {
	return auth.Session{}, errors.New("nobody signs in here")
}

func (authenticate) SignOut(context.Context, string) error {
	return errors.New("nobody signs out here")
}

// noTokens authenticates a caller whose token is the name of a role.
func noTokens(_ context.Context, bearer string) (codex.Caller, error) {
	role, err := codex.ParseRole(bearer)
	if err != nil {
		return codex.Caller{}, codex.Errorf(codex.CodeUnauthenticated, "the token is unknown, expired or revoked")
	}
	return codex.Caller{Name: "the " + bearer, Role: role}, nil
}

func testOptions(t *testing.T, log *logBuffer) Options {
	return Options{
		Listen: "127.0.0.1:0", ArchiveListen: "127.0.0.1:0", InstanceDir: t.TempDir(),
		GraphQL: http.HandlerFunc(whoami), REST: http.NotFoundHandler(),
		Pages: fstest.MapFS{
			"index.html":          {Data: []byte("<p>index")},
			"playground.html":     {Data: []byte("<p>playground")},
			"assets/app-1a2b.js":  {Data: []byte("let a = 1")},
			"assets/app-1a2b.css": {Data: []byte("p { }")},
		},
		Callers: authenticate(noTokens),
		Logger:  slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:     time.Now,
	}
}

// start serves until the test ends. change may alter what is served.
func start(t *testing.T, change func(o *Options, limits *timeouts)) *hub {
	t.Helper()
	log := &logBuffer{}
	o := testOptions(t, log)
	limits := defaultTimeouts()
	if change != nil {
		change(&o, &limits)
	}
	s := New(o)
	s.timeouts = limits
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-served:
			return err
		case <-time.After(30 * time.Second):
			return errors.New("the server does not stop")
		}
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &hub{s, log, stop}
}

// startReal serves the real REST paths and tokens of db, and gives a token for each role.
func startReal(t *testing.T, db *store.DB) (*hub, map[codex.Role]string) {
	t.Helper()
	tokens := auth.NewTokens(db, time.Now)
	t.Cleanup(tokens.Wait) // before the database closes, after the server has stopped
	bearers := map[codex.Role]string{}
	for _, role := range codex.TokenRoles() {
		secret, _, err := tokens.Create(t.Context(), auth.NewToken{Name: string(role), Role: role, CreatedBy: "test"})
		if err != nil {
			t.Fatal(err)
		}
		bearers[role] = secret.Reveal()
	}
	h := start(t, func(o *Options, _ *timeouts) {
		o.Callers = auth.NewCallers(db, tokens, nil, time.Now)
		o.REST = rest.NewHandler(rest.Options{
			DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true}, Sync: starter{},
			TicketDays: 365, SpoolDir: t.TempDir(), Logger: o.Logger, Now: time.Now,
		})
	})
	return h, bearers
}

// starter starts every sync.
type starter struct{}

func (starter) Start(_ context.Context, r syncers.Request) (*ent.SyncRun, bool, error) {
	return &ent.SyncRun{ID: "00000000-0000-4000-8000-000000000001", Feed: r.Feed, State: codex.RunRunning}, false, nil
}

func (starter) Wait(_ context.Context, id codex.RunID) (*ent.SyncRun, error) {
	return &ent.SyncRun{ID: id, State: codex.RunSucceeded}, nil
}

// response is an answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// client does not follow redirects and keeps no connection.
func client(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

func ask(t *testing.T, method, url string, header http.Header) answer {
	t.Helper()
	return askWith(t, client(nil), method, url, header, nil)
}

func askWith(t *testing.T, c *http.Client, method, url string, header http.Header, body io.Reader) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	got, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(text)}
}

// overSocket is a client of the hub's socket.
func overSocket(h *hub) *http.Client {
	return client(func(ctx context.Context, _, _ string) (net.Conn, error) { return DialSocket(ctx, h.InstanceDir) })
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func expect(t *testing.T, what string, got answer, status int, body string) {
	t.Helper()
	if got.status != status || got.body != body {
		t.Errorf("%s: %d %q\nwant %d %q", what, got.status, got.body, status, body)
	}
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s differs:\n got %s\nwant %s", file, text, want)
	}
}

// lines are the log's entries whose message is msg.
func (b *logBuffer) lines(t *testing.T, msg string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(b.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == msg {
			found = append(found, entry)
		}
	}
	return found
}
