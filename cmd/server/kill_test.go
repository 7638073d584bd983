package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

// slowTickets has each ticket take a while, and tells when so many were asked for.
func slowTickets(t *testing.T, upstream *simulator.Server) (asked func(n int)) {
	t.Helper()
	fault(t, upstream, simulator.FaultRule{Upstream: simulator.Freshservice, Path: "/api/v2/tickets/*/time_entries",
		Fault: simulator.Fault{Kind: simulator.FaultDelay, Delay: 300 * time.Millisecond}})
	return func(n int) {
		t.Helper()
		for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			if upstream.CountRequests(simulator.Freshservice, "/api/v2/tickets/*/time_entries") >= n {
				return
			}
		}
		t.Errorf("fewer than %d tickets were asked for", n)
	}
}

// states are the states of the newest ticket runs, newest first.
func (s *served) states(token string) string {
	s.t.Helper()
	return s.graphQL(token, `{ syncRuns(feed: TICKETS, first: 2) { nodes { state } } }`).body
}

func TestCtrlCInterruptsARunOfThisProcess(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "freshservice")
	asked := slowTickets(t, i.upstream)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		asked(5)
	}()
	o := i.codexUntil(ctx, "sync", "tickets", "--json")
	if run := runs(t, o.stdout)["tickets"]; o.status != exitFailed || run["state"] != "interrupted" {
		t.Errorf("%+v", o)
	}
	i.upstream.ClearFaults()
	if run := runs(t, i.must("sync", "tickets", "--json"))["tickets"]; run["state"] != "succeeded" {
		t.Errorf("the next run: %v", run)
	}
}

func TestAServeThatIsStoppedInterruptsItsRuns(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "freshservice")
	asked := slowTickets(t, i.upstream)
	s, token := i.serve(), i.token("admin")
	s.graphQL(token, `mutation { syncTickets { run { id } } }`)
	asked(5)
	if o := s.stop(); o.status != exitOK {
		t.Errorf("status %d\n%s", o.status, o.stderr)
	}
	s = i.serve()
	if got, want := s.states(token), `{"data":{"syncRuns":{"nodes":[{"state":"INTERRUPTED"}]}}}`+"\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAfterAKillTheNextRunSucceeds(t *testing.T) {
	t.Parallel() // it waits for the dead process's lease
	i := bare(t)
	i.now = time.Now // as in the process that is killed
	i.upstream = simulate(t, i.now)
	i.configure(dialect.SQLite)
	i.must("sync", "freshservice")
	asked := slowTickets(t, i.upstream)

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	killed := exec.CommandContext(t.Context(), program, "sync", "tickets")
	killed.Dir = i.dir
	killed.Env = []string{asProgram + "=1", unscheduled, "PATH=" + os.Getenv("PATH")}
	killed.Stdout, killed.Stderr = &output, &output
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	asked(5)
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed: an error
	i.upstream.ClearFaults()

	run := runs(t, i.must("sync", "tickets", "--json"))["tickets"]
	if run["state"] != "succeeded" || fmt.Sprint(run["created"]) == "0" {
		t.Errorf("the next run: %v\nthe killed one said: %s", run, &output)
	}
	s, token := i.serve(), i.token("service")
	if got, want := s.states(token), `{"data":{"syncRuns":{"nodes":[{"state":"SUCCEEDED"},{"state":"INTERRUPTED"}]}}}`+"\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	i.t.Cleanup(func() { i.noSecrets([]string{"sync"}, outcome{stdout: output.String()}) })
}
