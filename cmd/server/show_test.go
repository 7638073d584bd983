package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/httpd"
	"github.com/hivematrix/codex/syncers"
)

func TestWhatIsShownOfARun(t *testing.T) {
	at := func(minute int) *time.Time {
		moment := time.Date(2026, 6, 15, 12, minute, 0, 0, time.UTC)
		return &moment
	}
	ana, why := "ana (local socket)", "sold"
	reason := "12 assets are absent or leave their company, more than may go without an admin: they stay. " + syncers.ApproveAdvice
	for _, tc := range []struct {
		name string
		run  *syncRun
		want string
	}{
		{"at work", &syncRun{
			ID: "R", Feed: codex.FeedTickets, State: codex.RunRunning, StartedAt: at(1), Phase: "reading", ProgressDone: 3, ProgressTotal: 9,
			Detail: &runDetail{Mode: codex.ModeFull, Trigger: codex.TriggerCLI, RequestedBy: ana, QueuedAt: *at(0), HeartbeatAt: at(2),
				Requests: 12, WaitedMs: 1500, Resumed: true, CancelRequestedBy: &ana},
		}, "tickets: running, run R\n  asked for by ana (local socket) (cli), full, went on behind a run that died\n" +
			"  queued 2026-06-15T12:00:00Z, started 2026-06-15T12:01:00Z\n  12 requests, 1.5s waited for the upstream\n" +
			"  now: reading 3/9; last sign of life 2026-06-15T12:02:00Z\n  asked to stop by ana (local socket)\n"},
		{"held", &syncRun{
			ID: "R", Feed: codex.FeedDatto, State: codex.RunHeld, StartedAt: at(1), EndedAt: at(2), Error: &reason,
			Detail: &runDetail{Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, RequestedBy: "ledger", QueuedAt: *at(1)},
		}, "datto: held in 1m0s, run R\n  asked for by ledger (api), incremental\n" +
			"  queued 2026-06-15T12:01:00Z, started 2026-06-15T12:01:00Z, ended 2026-06-15T12:02:00Z\n  0 requests, 0s waited for the upstream\n" +
			"  " + reason + "\n"},
		{"approved", &syncRun{
			ID: "R", Feed: codex.FeedDatto, State: codex.RunHeld, EndedAt: at(2), Error: &reason,
			Detail: &runDetail{Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, RequestedBy: "ledger", QueuedAt: *at(1),
				ApprovedBy: &ana, ApprovalReason: &why, ApprovedAt: at(3)},
		}, "datto: held, run R\n  asked for by ledger (api), incremental\n  queued 2026-06-15T12:01:00Z, ended 2026-06-15T12:02:00Z\n" +
			"  0 requests, 0s waited for the upstream\n" +
			"  12 assets are absent or leave their company, more than may go without an admin: they stay.\n" +
			"  approved by ana (local socket) at 2026-06-15T12:03:00Z: \"sold\"\n  the next run makes those removals that still are, until 2026-06-22T12:03:00Z\n"},
		{"forced, planning only", &syncRun{
			ID: "R", Feed: codex.FeedDatto, State: codex.RunQueued, DryRun: true, Forced: true,
			Detail: &runDetail{Mode: codex.ModeIncremental, Trigger: codex.TriggerCLI, RequestedBy: "a\x1b[2J", QueuedAt: *at(0)},
		}, "datto: queued (dry run: nothing was written), run R\n  asked for by a [2J (cli), incremental, dry run, forced\n" +
			"  queued 2026-06-15T12:00:00Z\n  0 requests, 0s waited for the upstream\n  now: queued\n"},
	} {
		if got := shown(tc.run); got != tc.want {
			t.Errorf("%s: got\n%swant\n%s", tc.name, got, tc.want)
		}
	}
}

func TestTheLastLinesThatARunSaidAreShownUnlessAllAreAskedFor(t *testing.T) {
	numbered := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return b.String()
	}
	indented := func(text string) string {
		return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
	}
	for _, tc := range []struct {
		lines int
		all   bool
		want  string
	}{
		{0, true, ""}, {0, false, ""},
		{10, false, "output:\n" + indented(numbered(10))},
		{12, true, "output:\n" + indented(numbered(12))},
		{12, false, "output:\n  … 2 lines before these: --output\n" + indented(strings.TrimPrefix(numbered(12), numbered(2)))},
	} {
		run := &syncRun{Detail: &runDetail{Output: numbered(tc.lines)}}
		if got := said(run, tc.all); got != tc.want {
			t.Errorf("of %d lines (all: %t):\n%swant\n%s", tc.lines, tc.all, got, tc.want)
		}
	}
}

func TestErrorsOfTheHubNameWhatWasTyped(t *testing.T) {
	for field, want := range map[string]string{
		"run": "it is so", "to": "it is so", "accountNumber": "it is so", "name": "it is so", "": "it is so",
		"reason": "--reason: it is so", "expiresAt": "--expires: it is so",
	} {
		if got := asTyped(codex.BadInput(field, "it is so")).Error(); got != want {
			t.Errorf("of %q: %s", field, got)
		}
	}
	if err := errors.New("x"); !errors.Is(asTyped(err), err) || asTyped(nil) != nil {
		t.Error("what is not the hub's is changed")
	}
}

func TestWhoWatchesAServeThatGoesIsToldHowToGoOn(t *testing.T) {
	const want = "the codex serve that did the work has gone: start it again and sync again"
	for name, serve := range map[string]func(dir string){
		"it left no socket": func(string) {},
		"its socket is left": func(dir string) {
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, httpd.SocketName), Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			listener.SetUnlinkOnClose(false)
			_ = listener.Close()
		},
		"it dies before it answers": func(dir string) {
			listener, err := net.Listen("unix", filepath.Join(dir, httpd.SocketName))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					_ = conn.Close()
				}
			}()
		},
	} {
		dir, err := os.MkdirTemp("", "codex") // short enough for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		serve(dir)
		hub := socketHub(dir)
		run, err := watch(t.Context(), hub, &syncRun{ID: "R", Feed: codex.FeedDatto, State: codex.RunRunning}, jsonReport{io.Discard})
		if err == nil || *failedRun(codex.FeedDatto, run, err).Error != want || run.State != codex.RunRunning {
			t.Errorf("%s: %+v, %v", name, run, err)
		}
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAServeThatHasGoneIsToldFromOneThatFails(t *testing.T) {
	for _, gone := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ENOENT, syscall.EPIPE} {
		if !isGone(codex.Wrap(codex.CodeUnavailable, fmt.Errorf("dial: %w", gone), "asking")) {
			t.Errorf("%v is one that has gone", gone)
		}
	}
	if isGone(codex.Errorf(codex.CodeUnavailable, "the database does not answer")) || isGone(syscall.EACCES) {
		t.Error("one that answers has not gone")
	}
}
