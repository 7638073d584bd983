package syncers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// asProcess names the variable that makes the test binary another process of the installation.
const asProcess = "CODEX_TEST_SYNC"

func TestMain(m *testing.M) {
	if text := os.Getenv(asProcess); text != "" {
		work(text)
	}
	os.Exit(m.Run())
}

// job is what such a process does: one run, on the hub's database and upstreams.
type job struct {
	Dialect, Path, DSN             string // the database
	FreshserviceURL, DattoURL      string
	FreshserviceKey                string
	DattoPublicKey, DattoSecretKey string
	Now                            time.Time
	Request                        syncers.Request
	DieAt                          int // the statement that writes data before which the process kills itself; 0: none
}

// writes are the statements by which a plan is applied.
func writes() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|WITH)\W+"?(companies|contacts|contact_|locations|datto_site|assets|asset_|backup_|tickets|time_entries|sync_issues|sync_checkpoints)`)
}

// work is the life of the process.
func work(text string) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		panic(err)
	}
	var written atomic.Int64
	isWrite := writes()
	db, err := store.Open(context.Background(), store.Options{
		Dialect: j.Dialect, Path: j.Path, DSN: codex.Secret(j.DSN), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Now: func() time.Time { return j.Now },
		OnStatement: func(_ context.Context, query string) {
			if isWrite.MatchString(query) && written.Add(1) == int64(j.DieAt) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	})
	if err != nil {
		panic(err)
	}
	turning := &clock{}
	turning.passed.Store(int64(j.Now.Sub(simulator.StandingClock())))
	h := &hub{
		t: alone{}, db: db, clock: turning, settings: settings(), tuning: impatient(), wire: &http.Client{Transport: smallPages{http.DefaultTransport}},
		world: &simulator.Server{FreshserviceURL: j.FreshserviceURL, DattoURL: j.DattoURL, FreshserviceKey: j.FreshserviceKey, DattoPublicKey: j.DattoPublicKey, DattoSecretKey: j.DattoSecretKey},
	}
	h.restart()
	run := h.run(j.Request)
	fmt.Println(run.State, written.Load())
	h.engine.Close()
	os.Exit(0)
}

// alone is what a hub reports to that no test is about.
type alone struct{ testing.TB }

func (alone) Helper()                  {}
func (alone) Cleanup(func())           {}
func (alone) Context() context.Context { return context.Background() }
func (alone) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

// apart runs test on a database of each kind that other processes can open too.
func apart(t *testing.T, world simulator.Options, test func(t *testing.T, h *shaken, start func(job) *exec.Cmd)) {
	t.Helper()
	t.Parallel()
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			var turning clock
			database := storetest.Fresh(t, dialectName)
			h := newHub(t, database.Open(t, storetest.Now(turning.now)), world, &turning).beside(t)
			h.sync()
			h.calm.sync()
			test(t, h, func(j job) *exec.Cmd {
				t.Helper()
				j.Dialect, j.Path, j.DSN, j.Now = dialectName, database.Options().Path, database.Options().DSN.Reveal(), turning.now()
				j.FreshserviceURL, j.DattoURL = h.world.FreshserviceURL, h.world.DattoURL
				j.FreshserviceKey, j.DattoPublicKey, j.DattoSecretKey = h.world.FreshserviceKey, h.world.DattoPublicKey, h.world.DattoSecretKey
				text, err := json.Marshal(j)
				h.must(err)
				program, err := os.Executable()
				h.must(err)
				process := exec.CommandContext(t.Context(), program)
				process.Env = []string{asProcess + "=" + string(text)}
				process.Stdout, process.Stderr = new(bytes.Buffer), new(bytes.Buffer)
				h.must(process.Start())
				return process
			})
		})
	}
}

// expire lets the lease of a feed be over, as it is some seconds after its process died.
func (h *hub) expire(feed codex.Feed) {
	h.t.Helper()
	_, err := h.db.SQL().ExecContext(h.t.Context(), "UPDATE leases SET expires = 1 WHERE name = $1", "sync:"+string(feed))
	h.must(err)
}

// The process is killed at a statement in the middle of writing what it planned: five a feed, or as
// many as -soak says.
func TestAKillInMidApplyLeavesNothingHalfDone(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	apart(t, tiny(), func(t *testing.T, h *shaken, start func(job) *exec.Cmd) {
		random := rand.New(rand.NewPCG(seed, 1))
		for f, feed := range codex.Feeds() {
			killed, most := 0, 14
			for n := 0; n < 5**soak; n++ {
				h.stir(1000*f + n)
				before := h.census()
				at := 1 + random.IntN(most)
				process := start(job{Request: syncers.Request{Feed: feed}, DieAt: at})
				err := process.Wait()
				if err == nil { // it wrote less than that
					most = max(at-1, 1)
					h.stir(1000*f + 500 + n)
				} else if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
					t.Fatalf("%v\n%s", err, process.Stderr)
				} else {
					killed++
				}
				h.follows(before, h.census())
				h.sound()
				h.expire(feed)
				if n%5 == 4 {
					h.converges()
				}
				if t.Failed() {
					t.Fatalf("%s, killed at the write %d, seed %d", feed, at, seed)
				}
			}
			if killed == 0 {
				t.Errorf("%s was never killed in mid-apply: seed %d", feed, seed)
			}
		}
		h.converges()
		if n := h.value("SELECT count(*) FROM sync_runs WHERE state = 'interrupted'"); n == "0" {
			t.Error("no run is marked interrupted")
		}
	})
}

// A process is stopped for longer than its lease lasts, another takes over, and then the first one
// wakes up with what it had read before: it writes nothing.
func TestAProcessThatWakesUpPastItsLeaseWritesNothing(t *testing.T) {
	apart(t, tiny(), func(t *testing.T, h *shaken, start func(job) *exec.Cmd) {
		for i, test := range []struct {
			feed codex.Feed
			path string // the call at which it falls asleep
			n    int
		}{
			{codex.FeedFreshservice, "/api/v2/requesters", 6}, {codex.FeedDatto, "/api/v2/account/devices", 7},
			{codex.FeedTickets, "/api/v2/tickets/*/time_entries", 1},
		} {
			h.stir(10 * i)
			asleep, awake := make(chan struct{}), make(chan struct{})
			var process *exec.Cmd
			var started sync.Mutex
			started.Lock()
			h.breaks(test.path, simulator.Change(func(*simulator.Sim) {
				started.Lock()
				h.must(process.Process.Signal(syscall.SIGSTOP))
				close(asleep)
				<-awake
			}), simulator.After(test.n-1), simulator.Times(1))
			process = start(job{Request: syncers.Request{Feed: test.feed, Trigger: codex.TriggerCLI}})
			started.Unlock()
			select {
			case <-asleep:
			case <-time.After(30 * time.Second):
				t.Fatalf("it was never asked for %s %d times\n%s", test.path, test.n, process.Stderr)
			}
			h.world.ClearFaults()
			h.stir(10*i + 1) // what it has read is old
			h.expire(test.feed)
			taken := h.meets(syncers.Request{Feed: test.feed}, codex.RunSucceeded)
			h.calm.sync(test.feed)
			before := h.everything() + h.dump("SELECT * FROM sync_runs")
			close(awake)
			h.must(process.Process.Signal(syscall.SIGCONT))
			if err := process.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, process.Stderr)
			}
			if said := fmt.Sprint(process.Stdout); !strings.HasPrefix(said, "interrupted ") {
				t.Errorf("%s: the process that woke up ended with %q\n%s", test.feed, said, process.Stderr)
			}
			h.same("what "+string(test.feed)+" left before the other woke up, and after", before, h.everything()+h.dump("SELECT * FROM sync_runs"))
			h.is("SELECT state FROM sync_runs WHERE feed = '"+string(test.feed)+"' AND state = 'interrupted'", "state=interrupted")
			if taken.State != codex.RunSucceeded {
				t.Errorf("who took over ended as %s", taken.State)
			}
		}
		h.converges()
	})
}

// An answer of 200 MB, eight at once: each is refused, and the process stays small.
func TestAnswersOf200MBAreRefusedWithoutEatingMemory(t *testing.T) {
	const mostKiB = 256 << 10
	apart(t, tiny(), func(t *testing.T, h *shaken, start func(job) *exec.Cmd) {
		for _, test := range []struct {
			feed  codex.Feed
			path  string
			state codex.RunState
		}{
			{codex.FeedFreshservice, "/api/v2/departments", codex.RunFailed},
			{codex.FeedDatto, "/api/v2/**/devices", codex.RunPartial},
			{codex.FeedDatto, "/api/v2/site/*/variables", codex.RunPartial},
		} {
			h.stir(len(test.path))
			before := h.census()
			h.breaks(test.path, simulator.Huge(200<<20))
			process := start(job{Request: syncers.Request{Feed: test.feed}})
			if err := process.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, process.Stderr)
			}
			var state string
			if _, err := fmt.Sscan(fmt.Sprint(process.Stdout), &state); err != nil || state != string(test.state) {
				t.Errorf("%s: %s, want %s (%v)", test.path, process.Stdout, test.state, err)
			}
			usage, ok := process.ProcessState.SysUsage().(*syscall.Rusage)
			if t.Logf("%s: %d MiB", test.path, usage.Maxrss>>10); !ok || usage.Maxrss > mostKiB {
				t.Errorf("%s: the process took %d MiB", test.path, usage.Maxrss>>10)
			}
			h.follows(before, h.census())
			h.sound()
			h.world.ClearFaults()
		}
		h.converges()
	})
}
