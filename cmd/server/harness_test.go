package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

// TestMain lets the test binary stand for bin/codex, for tests that need a process of their own.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

const asProgram = "CODEX_TEST_AS_PROGRAM"

// unscheduled is in the environment of processes that go by the real clock: else a sync may begin by
// itself while a test counts.
const unscheduled = "CODEX_SCHEDULER_ENABLED=false"

// Credentials that must never be seen in what a verb prints.
const (
	freshserviceKey = "hunter2-freshservice-key"
	dattoSecretKey  = "hunter2-datto-secret"
)

// installation is a hub under test: a folder with instance/codex.conf, and simulated upstreams.
type installation struct {
	t        *testing.T
	dir      string // the working directory of the verbs
	upstream *simulator.Server
	now      func() time.Time
	env      map[string]string
	stdin    string
}

// testClock runs from a day with closed tickets in two calendar years before it.
func testClock() func() time.Time {
	start := time.Now()
	return func() time.Time { return simulator.StandingClock().Add(time.Since(start)) }
}

// install makes an installation over simulated upstreams, whose database is of dialectName.
func install(t *testing.T, dialectName string, change ...func(*simulator.Options)) *installation {
	t.Helper()
	i := bare(t)
	i.upstream = simulate(t, i.now, change...)
	i.configure(dialectName)
	return i
}

// bare is an installation with nothing in it.
func bare(t *testing.T) *installation {
	return &installation{t: t, dir: t.TempDir(), now: testClock(), env: map[string]string{}}
}

// simulate serves simulated upstreams until the test ends.
func simulate(t *testing.T, now func() time.Time, change ...func(*simulator.Options)) *simulator.Server {
	t.Helper()
	options := simulator.Options{
		Companies: 8, Assets: 150, Contacts: 60, Tickets: 60, Now: now,
		FreshserviceKey: freshserviceKey, DattoSecretKey: dattoSecretKey,
	}
	for _, c := range change {
		c(&options)
	}
	server, err := simulator.Start(t.Context(), options, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	return server // the test's context ends it
}

// configure writes instance/codex.conf, as the documentation has it.
func (i *installation) configure(dialectName string, more ...string) {
	i.t.Helper()
	database := ""
	if dialectName == dialect.Postgres {
		database = "[database]\nconnection_string = " + storetest.Empty(i.t, dialectName).Options().DSN.Reveal() + "\n"
	}
	i.write("instance/codex.conf", database+fmt.Sprintf(`
[freshservice]
api_key = %s
domain = %s

[datto]
api_endpoint = %s
public_key = %s
secret_key = %s

[server]
listen = 127.0.0.1:0
archive_listen = 127.0.0.1:0
%s`, freshserviceKey, i.upstream.FreshserviceURL, i.upstream.DattoURL, i.upstream.DattoPublicKey, dattoSecretKey,
		strings.Join(more, "\n")))
}

func (i *installation) write(name, text string) {
	i.t.Helper()
	path := filepath.Join(i.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func (i *installation) read(name string) string {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, name))
	if err != nil {
		i.t.Fatal(err)
	}
	return string(text)
}

// outcome is what a verb did.
type outcome struct {
	status         int
	stdout, stderr string
}

// codex runs a verb in this process, to its end.
func (i *installation) codex(args ...string) outcome {
	i.t.Helper()
	return i.codexUntil(i.t.Context(), args...)
}

func (i *installation) codexUntil(ctx context.Context, args ...string) outcome {
	i.t.Helper()
	var stdout, stderr bytes.Buffer
	status := i.program(&stdout, &stderr).run(ctx, args)
	o := outcome{status, stdout.String(), stderr.String()}
	i.noSecrets(args, o)
	return o
}

func (i *installation) program(stdout, stderr io.Writer) *program {
	return &program{
		env: i.env, workDir: i.dir, stdin: strings.NewReader(i.stdin), stdout: stdout, stderr: stderr, now: i.now,
	}
}

// must runs a verb that has to succeed and gives its output.
func (i *installation) must(args ...string) string {
	i.t.Helper()
	o := i.codex(args...)
	if o.status != exitOK {
		i.t.Fatalf("codex %s: status %d\n%s%s", strings.Join(args, " "), o.status, o.stdout, o.stderr)
	}
	return o.stdout
}

// noSecrets looks for what must not be printed: credentials anywhere, tokens but where one was asked
// for.
func (i *installation) noSecrets(args []string, o outcome) {
	i.t.Helper()
	for _, secret := range []string{freshserviceKey, dattoSecretKey} {
		if strings.Contains(o.stdout+o.stderr, secret) {
			i.t.Errorf("codex %s printed the secret %s", strings.Join(args, " "), secret)
		}
	}
	if strings.Contains(o.stdout+o.stderr, "PRIVATE+KEY") {
		i.t.Errorf("codex %s printed the log's key", strings.Join(args, " "))
	}
	printed := o.stderr
	if len(args) < 2 || args[0] != "token" || args[1] != "create" {
		printed += o.stdout
	}
	if token := regexp.MustCompile(`codex_[A-Za-z0-9_-]{43}`).FindString(printed); token != "" {
		i.t.Errorf("codex %s printed the token %s", strings.Join(args, " "), token)
	}
}

// token makes a token by the command line.
func (i *installation) token(role string) string {
	i.t.Helper()
	return strings.TrimSuffix(i.must("token", "create", "--name", "test-"+role, "--role", role), "\n")
}

// patience bounds what happens soon on a machine that has nothing else to do.
const patience = 2 * time.Minute

// served is a codex serve that runs in this process.
type served struct {
	*installation
	url, archive   string
	stdout, stderr *lockedBuffer
	stop           func() outcome
}

// lockedBuffer may be read while it is written to.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// serve starts codex serve and returns when it listens. It is stopped when the test ends, if not
// before.
func (i *installation) serve(args ...string) *served {
	i.t.Helper()
	s := &served{installation: i, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(i.t.Context())
	ended := make(chan int, 1)
	go func() { ended <- i.program(s.stdout, s.stderr).run(ctx, append([]string{"serve"}, args...)) }()
	s.stop = sync.OnceValue(func() outcome {
		cancel()
		return outcome{<-ended, s.stdout.String(), s.stderr.String()}
	})
	i.t.Cleanup(func() { s.stop() })
	line := regexp.MustCompile(`hub +(http://\S+)/\n +archive +(http://\S+)/\n`)
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if m := line.FindStringSubmatch(s.stdout.String()); m != nil {
			s.url, s.archive = m[1], m[2]
			return s
		}
		select {
		case status := <-ended:
			ended <- status
			i.t.Fatalf("codex serve ended with %d\n%s%s", status, s.stdout, s.stderr)
		default:
		}
	}
	i.t.Fatalf("codex serve does not listen\n%s%s", s.stdout, s.stderr)
	return nil
}

// answer is what an HTTP request was answered with.
type answer struct {
	status int
	body   string
}

// get asks for a path, with a token if there is one.
func get(t *testing.T, url, token string) answer {
	t.Helper()
	return send(t, http.MethodGet, url, token, "")
}

func send(t *testing.T, method, url, token, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(text)}
}

// graphQL asks a query over HTTP and gives the whole answer.
func (s *served) graphQL(token, query string) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		s.t.Fatal(err)
	}
	return send(s.t, http.MethodPost, s.url+"/graphql", token, string(body))
}

// into reads JSON that has to be good.
func into[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// runs are the objects that codex sync --json printed, by feed.
func runs(t *testing.T, stdout string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for line := range strings.Lines(stdout) {
		run := into[map[string]any](t, line)
		found[fmt.Sprint(run["feed"])] = run
	}
	return found
}
