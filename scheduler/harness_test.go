package scheduler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// clock is set by the test that has it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

// syncs stands for the engine: it keeps rows as the engine does, and its runs end at once, as state says.
type syncs struct {
	db     *store.DB
	feeds  []codex.Feed
	state  codex.RunState
	before func()       // what happens before the transaction
	broken func() error // an error in it, after the scheduler's own part
	lost   error        // an error after the commit
}

func (s *syncs) Feeds() []codex.Feed { return s.feeds }

func (s *syncs) StartWith(ctx context.Context, r syncers.Request, also func(context.Context, *store.Tx, *ent.SyncRun) error) (run *ent.SyncRun, joined bool, err error) {
	if s.before != nil {
		s.before()
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		run, err = tx.Ent().SyncRun.Query().
			Where(syncrun.FeedEQ(r.Feed), syncrun.StateIn(codex.RunQueued, codex.RunRunning)).First(ctx)
		if joined = err == nil; !joined {
			run, err = tx.Ent().SyncRun.Create().SetID(codex.RunID(uuid.NewString())).SetFeed(r.Feed).SetMode(r.Mode).
				SetTrigger(r.Trigger).SetRequestedBy(r.By).SetDryRun(r.DryRun).SetForced(r.Force).
				SetQueuedAt(tx.Now()).SetState(s.state).Save(ctx)
		}
		if err != nil {
			return err
		}
		if err := also(ctx, tx, run); err != nil {
			return err
		}
		if s.broken != nil {
			return s.broken()
		}
		return nil
	})
	if err == nil {
		err = s.lost
	}
	return run, joined, err
}

// jobs stands for the jobs: it keeps rows as they do.
type jobs struct {
	db   *store.DB
	fail error
	lost error
}

func (j *jobs) StartDue(ctx context.Context, due scheduler.DueJob, also func(context.Context, *store.Tx, *ent.SnapshotJob) error) (job *ent.SnapshotJob, err error) {
	if j.fail != nil {
		return nil, j.fail
	}
	err = j.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		job, err = tx.Ent().SnapshotJob.Query().Where(snapshotjob.DueAt(due.DueAt)).Only(ctx)
		if ent.IsNotFound(err) {
			job, err = makeJob(ctx, tx, due)
		}
		if err != nil {
			return err
		}
		return also(ctx, tx, job)
	})
	if err == nil {
		err = j.lost
	}
	return job, err
}

func makeJob(ctx context.Context, tx *store.Tx, due scheduler.DueJob) (*ent.SnapshotJob, error) {
	create := tx.Ent().SnapshotJob.Create().SetID(codex.RunID(uuid.NewString())).SetJobType(codex.JobScheduled).
		SetStatus("running").SetState(codex.JobQueued).SetTargetYear(due.Period.Year).SetTargetMonth(int(due.Period.Month)).
		SetStartedAt(tx.Now()).SetTriggeredBy(scheduler.Caller).SetTrigger(due.Trigger).SetDueAt(due.DueAt).SetByPerson(false)
	if due.Accounts != nil {
		text, err := json.Marshal(due.Accounts)
		if err != nil {
			return nil, err
		}
		create.SetTargetAccountNumbers(string(text))
	}
	return create.Save(ctx)
}

// hub is a scheduler with what it works with.
type hub struct {
	t     *testing.T
	db    *store.DB
	clock *clock
	syncs *syncs
	jobs  *jobs
	set   scheduler.Settings
	*scheduler.Scheduler
	lease *store.Lease
}

// hubs runs a test on both databases, with a hub whose clock stands at start.
func hubs(t *testing.T, start string, test func(t *testing.T, h *hub)) {
	t.Helper()
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			c := &clock{t: at(start)}
			h := &hub{t: t, clock: c, db: storetest.Open(t, dialectName, storetest.Now(c.now)), set: defaults()}
			h.syncs = &syncs{db: h.db, feeds: codex.Feeds(), state: codex.RunSucceeded}
			h.jobs = &jobs{db: h.db}
			h.restart()
			test(t, h)
		})
	}
}

func defaults() scheduler.Settings {
	return scheduler.Settings{
		Enabled: true, Zone: time.UTC, CatchUp: 7 * 24 * time.Hour,
		Crons: map[codex.Feed]string{
			codex.FeedFreshservice: "0 2 * * *", codex.FeedDatto: "0 3 * * *", codex.FeedTickets: "0 */2 * * *",
		},
	}
}

// restart makes the scheduler anew, with the settings as they are now.
func (h *hub) restart() {
	h.t.Helper()
	h.Scheduler = newScheduler(h.t, h.db, h.syncs, h.jobs, h.set)
	h.lease = nil
}

func newScheduler(t *testing.T, db *store.DB, syncs scheduler.Syncs, jobs scheduler.Jobs, settings scheduler.Settings) *scheduler.Scheduler {
	t.Helper()
	s, err := scheduler.New(scheduler.Options{
		DB: db, Syncs: syncs, Jobs: jobs, Settings: settings, Tick: 5 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lead takes the lease.
func (h *hub) lead() *store.Lease {
	h.t.Helper()
	lease, err := h.db.Acquire(h.t.Context(), scheduler.LeaseName, uuid.NewString(), time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return lease
}

// look has the leader look until nothing is left to do.
func (h *hub) look() {
	h.t.Helper()
	if h.lease == nil {
		h.lease = h.lead()
	}
	for range 5 {
		if err := h.Tick(h.t.Context(), h.lease); err != nil {
			h.t.Fatal(err)
		}
	}
}

// at sets the clock and has the leader look.
func (h *hub) at(text string) {
	h.t.Helper()
	h.clock.set(at(text))
	h.look()
}

// did are the runs and jobs so far, in the order in which they were started: a line each.
func (h *hub) did() []string {
	h.t.Helper()
	runs, err := h.db.Ent().SyncRun.Query().All(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for _, run := range runs {
		lines = append(lines, fmt.Sprintf("%s %s %s", run.QueuedAt.Format(time.DateTime), run.Feed, run.Trigger))
	}
	all, err := h.db.Ent().SnapshotJob.Query().All(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, job := range all {
		line := fmt.Sprintf("%s bills of %d-%02d %s", job.StartedAt.Format(time.DateTime), job.TargetYear, job.TargetMonth, job.Trigger)
		if job.TargetAccountNumbers != nil {
			line += " " + *job.TargetAccountNumbers
		}
		lines = append(lines, line)
	}
	months, err := h.MissedMonths(h.t.Context(), true)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, m := range months {
		lines = append(lines, fmt.Sprintf("%s missed %d-%02d", m.NoticedAt.Format(time.DateTime), m.Year, m.Month))
	}
	slices.Sort(lines)
	return lines
}

// expect holds what was done against lines.
func (h *hub) expect(lines ...string) {
	h.t.Helper()
	if got := h.did(); !slices.Equal(got, lines) {
		h.t.Errorf("it did\n%s\nand not\n%s", textOf(got), textOf(lines))
	}
}

func textOf(lines []string) string {
	if len(lines) == 0 {
		return "\t(nothing)"
	}
	text := ""
	for _, line := range lines {
		text += "\t" + line + "\n"
	}
	return text[:len(text)-1]
}
