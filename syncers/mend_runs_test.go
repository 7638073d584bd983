package syncers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// runRow makes the row of a run.
func runRow(t *testing.T, db *store.DB, id codex.RunID, state codex.RunState) {
	t.Helper()
	err := db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedTickets).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerCLI).
		SetRequestedBy("test").SetDryRun(false).SetForced(false).SetState(state).SetQueuedAt(db.Now()).Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPartialRunNamesTheFirstThingsThatCouldNotBeRead(t *testing.T) {
	lines := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("line ", i))
		}
		return list
	}
	tests := []struct {
		name   string
		unread int
		named  int
		more   string
	}{{"one", 1, 1, ""}, {"as many as are named", 20, 20, ""}, {"one more", 21, 20, "… and 1 more."}, {"all", 3000, 20, "… and 2980 more."}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := lines(test.named)
			if test.more != "" {
				want = append(want, test.more)
			}
			want = append(want, "held")
			outcome := Outcome{Unread: lines(test.unread), HeldFor: []string{"held"}}
			for range 2 { // it keeps its own lines
				state, reason := outcome.state()
				if state != codex.RunPartial || reason != strings.Join(want, "\n") {
					t.Errorf("%s: %s", state, reason)
				}
			}
			if !slices.Equal(outcome.Unread, lines(test.unread)) {
				t.Errorf("its lines are %v", outcome.Unread)
			}
		})
	}
}

func TestAHeartbeatWritesTheLinesOfARunOnlyWhereThereAreNewOnes(t *testing.T) {
	t.Parallel()
	var wrote []bool
	hear := func(statement string) {
		if regexp.MustCompile(`^UPDATE \W?sync_runs\W`).MatchString(statement) {
			wrote = append(wrote, regexp.MustCompile(`\Woutput\W`).MatchString(statement))
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		wrote = nil
		runRow(t, db, "r", codex.RunRunning)
		run := Run{ID: "r"}
		beat := func(ctx context.Context) error {
			update, written := run.into(db.Ent().SyncRun.Update().Where(syncrun.ID("r")), db.Now())
			err := update.Exec(ctx)
			if err == nil {
				written()
			}
			return err
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		run.Phase("one")
		if err := beat(over); err == nil {
			t.Fatal("it was written in a context that is over")
		}
		wrote = nil // whether the statement was sent is no matter
		for _, step := range []func(){func() {}, func() {}, func() { run.Progress(1, 2) }, func() { run.Say("two") }, func() {}} {
			step()
			if err := beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if want := []bool{true, false, false, true, false}; !slices.Equal(wrote, want) {
			t.Errorf("its lines were written %v, want %v", wrote, want)
		}
		if row := db.Ent().SyncRun.GetX(t.Context(), "r"); row.Output != "one\ntwo" || row.ProgressDone != 1 {
			t.Errorf("the row has %q, %d", row.Output, row.ProgressDone)
		}
	}, storetest.OnStatement(hear))
}

func TestTheLogSaysWhatBecameOfARun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tests := []struct {
			name  string
			state codex.RunState // of its row before
			cause error          // why its context ended; nil: it did not
			err   error
			want  []string
			after codex.RunState
		}{
			{"it succeeds", codex.RunRunning, nil, nil, []string{"INFO sync ended state=succeeded"}, codex.RunSucceeded},
			{"it fails", codex.RunRunning, nil, errors.New("no"), []string{"ERROR sync failed err=no", "INFO sync ended state=failed"}, codex.RunFailed},
			{"it was cancelled while it waited", codex.RunCancelled, nil, fmt.Errorf("beginning: %w", errOver),
				[]string{"INFO sync stopped: its row says that it has ended"}, codex.RunCancelled},
			{"the same, in its own process", codex.RunCancelled, &cancelledError{"ana"}, errOver,
				[]string{"INFO sync cancelled by=ana", "INFO sync stopped: its row says that it has ended"}, codex.RunCancelled},
			{"it was taken for dead while it worked", codex.RunInterrupted, errOver, context.Canceled,
				[]string{"INFO sync stopped: its row says that it has ended"}, codex.RunInterrupted},
			{"the same, and nobody told it", codex.RunInterrupted, nil, nil, []string{"INFO sync stopped: its row says that it has ended"}, codex.RunInterrupted},
		}
		for i, test := range tests {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
			id := codex.RunID(fmt.Sprint("r", i))
			runRow(t, db, id, test.state)
			ctx, cancel := context.WithCancelCause(t.Context())
			if test.cause != nil {
				cancel(test.cause)
			}
			New(Options{DB: db, Logger: logger}).finish(ctx, logger, &Run{ID: id, Request: Request{Feed: codex.FeedTickets}}, Outcome{}, test.err)
			cancel(nil)
			text := strings.NewReplacer("level=", "", ` msg="`, " ", `" `, " ", "\"\n", "\n").Replace(log.String())
			if got := strings.Split(strings.TrimSuffix(text, "\n"), "\n"); !slices.Equal(got, test.want) {
				t.Errorf("%s: the log says %q, want %q", test.name, got, test.want)
			}
			if row := db.Ent().SyncRun.GetX(t.Context(), id); row.State != test.after {
				t.Errorf("%s: the row is %s", test.name, row.State)
			}
		}
	})
}
