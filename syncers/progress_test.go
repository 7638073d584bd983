package syncers_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// soon bounds what takes two seconds at most on a machine that has nothing else to do.
const soon = 30 * time.Second

// rowOf makes the row of a run, as the engine of some process would.
func rowOf(t *testing.T, db *store.DB, id codex.RunID, feed codex.Feed, state codex.RunState) {
	t.Helper()
	create := db.Ent().SyncRun.Create().SetID(id).SetFeed(feed).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerAPI).
		SetRequestedBy("ann").SetDryRun(false).SetForced(false).SetState(state).SetQueuedAt(db.Now())
	if state.Final() {
		create.SetEndedAt(db.Now())
	}
	if err := create.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func setPhase(t *testing.T, db *store.DB, id codex.RunID, phase string) {
	t.Helper()
	if err := db.Ent().SyncRun.UpdateOneID(id).SetState(codex.RunRunning).SetPhase(phase).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func endRow(t *testing.T, db *store.DB, id codex.RunID) {
	t.Helper()
	if err := db.Ent().SyncRun.UpdateOneID(id).SetState(codex.RunSucceeded).SetEndedAt(db.Now()).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// hears takes the next row, and wants it to be so.
func hears(t *testing.T, rows <-chan *ent.SyncRun, want string) {
	t.Helper()
	select {
	case row, open := <-rows:
		if !open {
			t.Fatalf("the channel is closed, want %s", want)
		}
		if got := fmt.Sprint(row.ID, " ", row.State, " ", row.Phase); strings.TrimSpace(got) != want {
			t.Fatalf("heard %s, want %s", got, want)
		}
	case <-time.After(soon):
		t.Fatalf("heard nothing, want %s", want)
	}
}

func hearsNothing(t *testing.T, rows <-chan *ent.SyncRun) {
	t.Helper()
	select {
	case row := <-rows:
		t.Errorf("heard %s %s %s", row.ID, row.State, row.Phase)
	case <-time.After(1500 * time.Millisecond): // longer than from one look to the next
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAWatcherHearsOfRunsAtWorkOfTheirChangesAndOfEachEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rowOf(t, db, "old", codex.FeedDatto, codex.RunFailed)
		rowOf(t, db, "a", codex.FeedDatto, codex.RunQueued)
		rowOf(t, db, "b", codex.FeedTickets, codex.RunRunning)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// Each replica has one of its own: what they have in common is the database.
		one, other := syncers.NewProgress(db, quiet()), syncers.NewProgress(db, quiet())
		datto, all := one.Watch(ctx, codex.FeedDatto), other.Watch(ctx, "")
		hears(t, datto, "a queued")
		hears(t, all, "a queued")
		hears(t, all, "b running")
		setPhase(t, db, "a", "reading sites")
		hears(t, datto, "a running reading sites")
		hears(t, all, "a running reading sites")
		late := one.Watch(ctx, "")
		hears(t, late, "a running reading sites")
		hears(t, late, "b running")
		endRow(t, db, "a")
		for _, rows := range []<-chan *ent.SyncRun{datto, all, late} {
			hears(t, rows, "a succeeded reading sites")
		}
		rowOf(t, db, "c", codex.FeedDatto, codex.RunHeld) // over before anybody has seen it at work
		for _, rows := range []<-chan *ent.SyncRun{datto, all, late} {
			hears(t, rows, "c held")
		}
		hearsNothing(t, datto)
		cancel()
		for _, rows := range []<-chan *ent.SyncRun{datto, all, late} {
			if _, open := <-rows; open {
				t.Error("a watching that has ended goes on")
			}
		}
	})
}

func TestASlowWatcherHearsTheNewestOfARunAndItsEndAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "sqlite3")
	rowOf(t, db, "a", codex.FeedDatto, codex.RunRunning)
	rowOf(t, db, "b", codex.FeedTickets, codex.RunRunning)
	progress := syncers.NewProgress(db, quiet())
	slow, quick := progress.Watch(t.Context(), ""), progress.Watch(t.Context(), "")
	hears(t, slow, "a running")
	hears(t, quick, "a running")
	hears(t, quick, "b running")
	for _, phase := range []string{"one", "two", "three"} {
		setPhase(t, db, "a", phase)
		hears(t, quick, "a running "+phase)
	}
	endRow(t, db, "a")
	hears(t, quick, "a succeeded three")
	// What was about to be taken when the first step came, then the newest of what has happened since.
	hears(t, slow, "b running")
	hears(t, slow, "a succeeded three")
	hearsNothing(t, slow)
}

// Not beside others: it counts goroutines.
func TestTheRowsAreReadOnceForAllWatchersAndByNobodyWithoutOne(t *testing.T) {
	var reads atomic.Int64
	db := storetest.Open(t, "sqlite3", storetest.OnStatement(func(text string) {
		if strings.Contains(text, "sync_runs") && strings.HasPrefix(text, "SELECT") {
			reads.Add(1)
		}
	}))
	rowOf(t, db, "a", codex.FeedDatto, codex.RunRunning)
	progress := syncers.NewProgress(db, quiet())
	reads.Store(0)
	time.Sleep(1200 * time.Millisecond)
	if n := reads.Load(); n != 0 {
		t.Errorf("%d reads while nobody watches", n)
	}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	for range 50 {
		hears(t, progress.Watch(ctx, ""), "a running")
	}
	reads.Store(0)
	time.Sleep(2500 * time.Millisecond)
	if n := reads.Load(); n < 1 || n > 4 {
		t.Errorf("%d reads in 2.5 seconds with 50 watchers", n)
	}
	cancel()
	for until := time.Now().Add(soon); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d goroutines are left, %d were there before", runtime.NumGoroutine(), before)
		}
	}
	time.Sleep(50 * time.Millisecond)
	reads.Store(0)
	time.Sleep(1200 * time.Millisecond)
	if n := reads.Load(); n != 0 {
		t.Errorf("%d reads after the last watcher went", n)
	}
	again, stop := context.WithCancel(t.Context())
	defer stop()
	hears(t, progress.Watch(again, ""), "a running")
}

func TestADatabaseThatDoesNotAnswerIsToldOnceAndWatchedAgain(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "sqlite3")
	rowOf(t, db, "a", codex.FeedDatto, codex.RunRunning)
	var warnings atomic.Int64
	progress := syncers.NewProgress(db, slog.New(counting{&warnings}))
	rows := progress.Watch(t.Context(), "")
	hears(t, rows, "a running")
	rename := func(from, to string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("sync_runs", "away")
	for until := time.Now().Add(soon); warnings.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("nobody is told")
		}
	}
	hearsNothing(t, rows)
	rename("away", "sync_runs")
	setPhase(t, db, "a", "reading")
	hears(t, rows, "a running reading")
	if n := warnings.Load(); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// counting counts what is logged.
type counting struct{ n *atomic.Int64 }

func (counting) Enabled(context.Context, slog.Level) bool    { return true }
func (c counting) Handle(context.Context, slog.Record) error { c.n.Add(1); return nil }
func (c counting) WithAttrs([]slog.Attr) slog.Handler        { return c }
func (c counting) WithGroup(string) slog.Handler             { return c }

func TestARealRunIsHeardFromItsStartToItsEnd(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		rows := syncers.NewProgress(h.db, quiet()).Watch(t.Context(), codex.FeedFreshservice)
		started, _, err := h.engine.Start(t.Context(), syncers.Request{Feed: codex.FeedFreshservice, Trigger: codex.TriggerCLI, By: "test"})
		if err != nil {
			t.Fatal(err)
		}
		var states []codex.RunState
		for row := range rows {
			if row.ID != started.ID {
				t.Errorf("heard of run %s", row.ID)
			}
			states = append(states, row.State)
			if row.State.Final() {
				break
			}
		}
		if last := states[len(states)-1]; last != codex.RunSucceeded || slices.Contains(states[:len(states)-1], codex.RunSucceeded) {
			t.Errorf("heard %v", states)
		}
	})
}
