package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

var hubProgram = flag.String("hub.program", "", "a codex that was built before; empty = build it")

// hub is a `codex serve` in a process of its own, so that what is measured of it is its alone.
type hub struct {
	b        *testing.B
	program  string
	dir      string
	database *storetest.Database
	command  *exec.Cmd
	log      *os.File
	logged   int64 // of the log, what was read
	url      string
	token    string
}

// webhookSecret is what the simulated automator authenticates by.
const webhookSecret = "a-secret-of-the-benchmark"

// newHub serves a new database over a simulated world until the benchmark ends.
func newHub(b *testing.B, dialectName string, world *simulator.Server) *hub {
	b.Helper()
	h := &hub{b: b, program: *hubProgram, dir: b.TempDir(), database: storetest.Empty(b, dialectName)}
	if h.program == "" {
		h.program = filepath.Join(h.dir, "codex")
		build := exec.CommandContext(b.Context(), "go", "build", "-o", h.program, "github.com/hivematrix/codex/cmd/server")
		if said, err := build.CombinedOutput(); err != nil {
			b.Fatalf("building the hub: %v\n%s", err, said)
		}
	}
	database := h.database.Options()
	configured := "[database]\nconnection_string = " + database.DSN.Reveal()
	if dialectName == dialect.SQLite {
		configured = "[database]\nconnection_string = sqlite:///" + database.Path
	}
	configured += fmt.Sprintf("\n[freshservice]\ndomain = %s\napi_key = %s\nwebhook_secret = %s\n[datto]\napi_endpoint = %s\npublic_key = %s\nsecret_key = %s\n"+
		"[server]\nlisten = 127.0.0.1:0\narchive_listen = 127.0.0.1:0\n[log]\nlevel = debug\nformat = json\n",
		world.FreshserviceURL, world.FreshserviceKey, webhookSecret, world.DattoURL, world.DattoPublicKey, world.DattoSecretKey)
	h.must(os.Mkdir(filepath.Join(h.dir, "instance"), 0o700))
	h.must(os.WriteFile(filepath.Join(h.dir, "instance", "codex.conf"), []byte(configured), 0o600))
	var err error
	h.log, err = os.OpenFile(filepath.Join(h.dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	h.must(err)
	b.Cleanup(func() { _ = h.log.Close() })
	h.serve()
	return h
}

func (h *hub) must(err error) {
	h.b.Helper()
	if err != nil {
		h.b.Fatal(err)
	}
}

func (h *hub) verb(args ...string) *exec.Cmd {
	command := exec.CommandContext(h.b.Context(), h.program, args...)
	command.Dir, command.Env = h.dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir}
	return command
}

func (h *hub) serve() {
	h.b.Helper()
	h.command = h.verb("serve")
	h.command.Stderr = h.log
	said, err := h.command.StdoutPipe()
	h.must(err)
	h.must(h.command.Start())
	h.b.Cleanup(h.stop)
	lines := bufio.NewScanner(said)
	listens := regexp.MustCompile(`^ *hub +(http://\S+)/$`)
	for h.url == "" && lines.Scan() {
		if m := listens.FindStringSubmatch(lines.Text()); m != nil {
			h.url = m[1]
		}
	}
	if h.url == "" {
		h.b.Fatalf("codex serve does not listen\n%s", h.tail())
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	token, err := os.ReadFile(filepath.Join(h.dir, "instance", "first-admin-token"))
	h.must(err)
	h.token = strings.TrimSpace(string(token))
}

// stop ends the hub as Ctrl-C does; it may be called again.
func (h *hub) stop() {
	if h.command.ProcessState == nil {
		_ = h.command.Process.Signal(os.Interrupt)
		_ = h.command.Wait()
	}
}

// tail is the end of the hub's log.
func (h *hub) tail() []byte {
	text, _ := os.ReadFile(h.log.Name())
	return text[max(0, len(text)-4000):]
}

// sync runs a feed to its end, which must be good.
func (h *hub) sync(feed string, args ...string) {
	h.b.Helper()
	out, err := h.verb(append([]string{"sync", feed}, args...)...).CombinedOutput()
	if err != nil {
		h.b.Fatalf("codex sync %s: %v\n%s\n%s", feed, err, out, h.tail())
	}
}

// applied is what the hub's log says of plans applied since the last call, by its own clock.
func (h *hub) applied() (rows int, took time.Duration) {
	h.b.Helper()
	text, err := io.ReadAll(io.NewSectionReader(h.log, h.logged, 1<<40))
	h.must(err)
	h.logged += int64(len(text))
	for line := range bytes.Lines(text) {
		var entry struct {
			Message string        `json:"msg"`
			Rows    int           `json:"rows"`
			Took    time.Duration `json:"took"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Message == "plan applied" {
			rows, took = rows+entry.Rows, took+entry.Took
		}
	}
	return rows, took
}

// peak is the most memory that the hub's process has had, in MiB.
func (h *hub) peak() float64 {
	h.b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.command.Process.Pid))
	h.must(err)
	m := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(status)
	if m == nil {
		h.b.Fatalf("no VmHWM in\n%s", status)
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	h.must(err)
	return kib / 1024
}

// ask sends a query to the hub and decodes its data.
func (h *hub) ask(query string, into any) {
	h.b.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	h.must(err)
	r, err := http.NewRequestWithContext(h.b.Context(), http.MethodPost, h.url+"/graphql", bytes.NewReader(body))
	h.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+h.token)
	response, err := http.DefaultClient.Do(r)
	h.must(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	h.must(err)
	var answer struct {
		Data   json.RawMessage
		Errors []json.RawMessage
	}
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Errors) > 0 {
		h.b.Fatalf("%s\ngave %s", query, text)
	}
	h.must(json.Unmarshal(answer.Data, into))
}

// newWorld serves simulated upstreams by the real clock until the benchmark ends.
func newWorld(b *testing.B, options simulator.Options) *simulator.Server {
	b.Helper()
	options.Now = time.Now
	world, err := simulator.Start(b.Context(), options, simulator.Addresses{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = world.Close() })
	return world
}

// say prints a line beside the benchmarks' own.
func say(format string, args ...any) { fmt.Fprintf(os.Stdout, "# "+format+"\n", args...) }
