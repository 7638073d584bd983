package syncers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

const (
	// leaseTTL is how long a feed stays blocked after its run's process died.
	leaseTTL = 15 * time.Second
	// heartbeat is how often a run writes its progress, and heeds that it shall stop: with the look of
	// those who watch, once a second, what they see is two seconds old at most.
	heartbeat = time.Second
	// silence is how long a run that waits may go without a heartbeat before it is taken for dead.
	silence = time.Minute
	// finishing is how long a run whose context has ended may take to write its end.
	finishing = 10 * time.Second
	// watching is how often the row of a run that another process works on is read.
	watching = 500 * time.Millisecond
	// looks is how many of those looks are between two at whether that process is still alive.
	looks = 4
)

// Options are what an [Engine] works with.
type Options struct {
	DB           *store.DB
	Freshservice *freshservice.Client // nil: the feeds freshservice and tickets are off
	Datto        *datto.Client        // nil: the feed datto is off
	Settings     Settings
	Notify       notify.Outbox // where it is told how runs ended that need a person
	Logger       *slog.Logger
}

// Engine starts sync runs and works on them. It is safe for concurrent use.
type Engine struct {
	db           *store.DB
	freshservice *freshservice.Client
	datto        *datto.Client
	settings     Settings
	notify       notify.Outbox
	logger       *slog.Logger
	holder       string // this process, in leases

	ctx    context.Context // ends when the engine closes
	cancel context.CancelFunc
	active sync.WaitGroup

	mu     sync.Mutex
	closed bool
	ends   map[codex.RunID]chan struct{}           // runs of this process; closed when they have ended
	stops  map[codex.RunID]context.CancelCauseFunc // end their work
	joined map[codex.RunID]bool                    // runs of other processes that are being watched

	rereads chan struct{} // something was announced in this process
	turns   sync.Mutex    // of re-reads to write
}

// errClosing is why runs end when their process does.
var errClosing = errors.New("the hub is stopping")

// New makes an engine. Close ends it.
func New(o Options) *Engine {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Engine{
		db: o.DB, freshservice: o.Freshservice, datto: o.Datto, settings: o.Settings, notify: o.Notify,
		logger: o.Logger, holder: uuid.NewString(),
		ctx: ctx, cancel: func() { cancel(errClosing) },
		ends: make(map[codex.RunID]chan struct{}), stops: make(map[codex.RunID]context.CancelCauseFunc),
		joined: make(map[codex.RunID]bool), rereads: make(chan struct{}, 1),
	}
}

// Close ends the runs of this process, which are marked interrupted, and waits until they have
// written that.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.active.Wait()
}

// enter keeps [Engine.Close] waiting until leave is called; false once it was called.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.active.Add(1)
	}
	return !e.closed
}

func (e *Engine) leave() { e.active.Done() }

// Start asks for a run and returns its row at once. One that waits or works for the same feed with
// the same mode and flags is joined: its row is returned, and joined is true. A feed whose section is
// missing in the configuration is [codex.CodeBadInput].
func (e *Engine) Start(ctx context.Context, r Request) (run *ent.SyncRun, joined bool, err error) {
	return e.StartWith(ctx, r, nil)
}

// StartWith is [Engine.Start] for who keeps a record of the run: also, where it is not nil, works in the
// transaction that writes the run's row or finds the one to join, so that neither is there without the
// other. Its error is StartWith's, and nothing has begun then.
func (e *Engine) StartWith(ctx context.Context, r Request, also func(ctx context.Context, tx *store.Tx, run *ent.SyncRun) error) (run *ent.SyncRun, joined bool, err error) {
	feed, err := e.feed(r.Feed)
	if err != nil {
		return nil, false, err
	}
	if r.Mode == "" {
		r.Mode = codex.ModeIncremental
	}
	if !e.enter() {
		return nil, false, codex.Wrap(codex.CodeUnavailable, errClosing, "the hub is stopping: ask again when it is back")
	}
	row, joined, err := e.enqueue(ctx, r, also)
	if err != nil {
		e.leave()
		return nil, false, fmt.Errorf("starting a sync of %s: %w", r.Feed, err)
	}
	if joined {
		e.watch(row.ID)
		return row, true, nil
	}
	ended := make(chan struct{})
	working, stop := context.WithCancelCause(e.ctx)
	e.mu.Lock()
	e.ends[row.ID], e.stops[row.ID] = ended, stop
	e.mu.Unlock()
	go func() {
		defer e.leave()
		e.work(working, stop, &Run{ID: row.ID, Request: r}, feed)
		stop(nil)
		close(ended)
		e.mu.Lock()
		delete(e.ends, row.ID)
		delete(e.stops, row.ID)
		e.mu.Unlock()
	}()
	return row, false, nil
}

// watch sees to it that a run that was joined ends, should the process that works on it be dead: who
// joined it may only read its row. It leaves the engine when that is done.
func (e *Engine) watch(id codex.RunID) {
	e.mu.Lock()
	_, ours := e.ends[id]
	watched := ours || e.joined[id]
	if !watched {
		e.joined[id] = true
	}
	e.mu.Unlock()
	if watched {
		e.leave()
		return
	}
	go func() {
		defer e.leave()
		if _, err := e.Wait(e.ctx, id); err != nil && e.ctx.Err() == nil {
			e.logger.WarnContext(e.ctx, "a sync of another process is watched no longer",
				slog.Any("run_id", id), slog.Any("err", err))
		}
		e.mu.Lock()
		delete(e.joined, id)
		e.mu.Unlock()
	}()
}

// Wait returns the run's row when the run has ended, whichever process works on it. One whose process
// dies meanwhile ends as interrupted.
func (e *Engine) Wait(ctx context.Context, id codex.RunID) (*ent.SyncRun, error) {
	e.mu.Lock()
	ended, ours := e.ends[id]
	e.mu.Unlock()
	ticker := time.NewTicker(watching)
	defer ticker.Stop()
	for look := 1; ; look++ {
		row, err := e.db.Ent().SyncRun.Get(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("watching run %s: %w", id, store.Translate(err))
		}
		if row.State.Final() {
			return row, nil
		}
		if !ours && look%looks == 0 {
			if err := e.bury(ctx, row.Feed); err != nil {
				return nil, fmt.Errorf("watching run %s: %w", id, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("watching run %s: %w", id, context.Cause(ctx))
		case <-ended:
			// Its row is final now; one that could not be written so is found like any that died.
			ended, ours = nil, false
		case <-ticker.C:
		}
	}
}

// bury marks the runs of a feed whose process died: one that is running has the feed's lease, so it
// is dead when anybody can take that. One that waits has none, and is told by its heartbeat.
func (e *Engine) bury(ctx context.Context, feed codex.Feed) error {
	lease, err := e.db.Acquire(ctx, leaseOf(feed), e.holder, leaseTTL)
	if err != nil && !errors.Is(err, store.ErrLeaseHeld) {
		return err
	}
	free := err == nil
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		silent := syncrun.HeartbeatAtLT(tx.Now().Add(-silence))
		if err := e.interrupt(ctx, tx, syncrun.FeedEQ(feed), syncrun.StateEQ(codex.RunQueued), silent); err != nil || !free {
			return err
		}
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		return e.interrupt(ctx, tx, syncrun.FeedEQ(feed), syncrun.StateEQ(codex.RunRunning))
	})
	if free {
		err = errors.Join(err, e.db.Release(ctx, lease))
	}
	return err
}

// runsEntity is the name under which runs have a revision: asking for it in a transaction that writes
// makes that the only one at work on runs.
const runsEntity = "sync_runs"

// FindDead begins to look for runs whose process died, at once and then once a minute, until the engine
// closes: without it they are found when their feed is started next.
func (e *Engine) FindDead() {
	if !e.enter() {
		return
	}
	go func() {
		defer e.leave()
		ticker := time.NewTicker(time.Minute)
		defer ticker.Stop()
		for {
			for _, feed := range codex.Feeds() {
				if err := e.buryUnfinished(e.ctx, feed); err != nil && e.ctx.Err() == nil {
					e.logger.WarnContext(e.ctx, "looking for runs that died", slog.String("feed", string(feed)), slog.Any("err", err))
				}
			}
			select {
			case <-e.ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
}

// buryUnfinished buries where there is something that may be dead, so that an idle hub writes nothing.
func (e *Engine) buryUnfinished(ctx context.Context, feed codex.Feed) error {
	unfinished, err := e.db.Ent().SyncRun.Query().
		Where(syncrun.FeedEQ(feed), syncrun.StateIn(codex.RunQueued, codex.RunRunning)).Exist(ctx)
	if err != nil || !unfinished {
		return err
	}
	return e.bury(ctx, feed)
}

func leaseOf(feed codex.Feed) string { return "sync:" + string(feed) }

// enqueue writes the run's row, or finds the one to join. Runs that died are marked on the way.
func (e *Engine) enqueue(ctx context.Context, r Request, also func(context.Context, *store.Tx, *ent.SyncRun) error) (row *ent.SyncRun, joined bool, err error) {
	if err := e.bury(ctx, r.Feed); err != nil {
		return nil, false, err
	}
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, joined, err = findOrMake(ctx, tx, r)
		if err != nil || also == nil {
			return err
		}
		return also(ctx, tx, row)
	})
	return row, joined, err
}

func findOrMake(ctx context.Context, tx *store.Tx, r Request) (row *ent.SyncRun, joined bool, err error) {
	// Two requests at once must not both find nothing to join.
	if _, err := tx.Revisions(ctx, runsEntity); err != nil {
		return nil, false, err
	}
	row, err = tx.Ent().SyncRun.Query().
		Where(syncrun.FeedEQ(r.Feed), syncrun.ModeEQ(r.Mode), syncrun.DryRun(r.DryRun), syncrun.Forced(r.Force),
			syncrun.StateIn(codex.RunQueued, codex.RunRunning)).
		Order(ent.Asc(syncrun.FieldQueuedAt)).First(ctx)
	if err == nil || !ent.IsNotFound(err) {
		return row, err == nil, err
	}
	row, err = tx.Ent().SyncRun.Create().SetID(codex.RunID(uuid.NewString())).
		SetFeed(r.Feed).SetMode(r.Mode).SetTrigger(r.Trigger).SetRequestedBy(r.By).
		SetDryRun(r.DryRun).SetForced(r.Force).SetState(codex.RunQueued).
		SetQueuedAt(tx.Now()).SetHeartbeatAt(tx.Now()).Save(ctx)
	return row, false, err
}

// work is the life of a run: it waits for its feed's lease, does the feed's work, and writes how it
// ended. It still holds the lease then, so that nobody takes it for dead.
func (e *Engine) work(ctx context.Context, cancel context.CancelCauseFunc, run *Run, feed feed) {
	ctx = transport.WithMeter(ctx, &run.meter)
	logger := e.logger.With(slog.String("run_id", string(run.ID)), slog.String("feed", string(run.Request.Feed)))
	stop := e.beat(ctx, cancel, run)
	err := e.db.Hold(ctx, leaseOf(run.Request.Feed), e.holder+"/"+string(run.ID), leaseTTL,
		func(ctx context.Context, lease *store.Lease) error {
			if err := e.begin(ctx, run); err != nil {
				return err
			}
			logger.InfoContext(ctx, "sync begins", slog.String("mode", string(run.Request.Mode)), slog.String("by", run.Request.By))
			run.lease = lease
			outcome, err := feed.run(ctx, run)
			stop()
			e.finish(ctx, logger, run, outcome, err)
			return nil
		})
	stop()
	if err != nil { // it could not begin
		e.finish(ctx, logger, run, Outcome{}, err)
	}
}

// finish writes how the run ended, once: err is why it could not do its work. A run whose context
// ended was cancelled or interrupted, whatever that broke.
func (e *Engine) finish(ctx context.Context, logger *slog.Logger, run *Run, outcome Outcome, err error) {
	run.over.Do(func() {
		state, reason := outcome.state()
		cancelled, isCancelled := errors.AsType[*cancelledError](context.Cause(ctx))
		switch {
		case err == nil:
		case isCancelled:
			state, reason = codex.RunCancelled, cancelReason(cancelled.by)
			logger.InfoContext(ctx, "sync cancelled", slog.String("by", cancelled.by))
		case errors.Is(err, errOver) || errors.Is(context.Cause(ctx), errOver): // whoever ended it has said so
			state, reason = codex.RunInterrupted, "It was ended from outside; the next run goes on."
		case ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost):
			state, reason = codex.RunInterrupted, "It was interrupted before its end; the next run goes on."
			logger.WarnContext(ctx, "sync interrupted", slog.Any("err", errors.Join(context.Cause(ctx), err)))
		default:
			state, reason = codex.RunFailed, reasonOf(err)
			logger.ErrorContext(ctx, "sync failed", slog.Any("err", err))
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishing)
		defer cancel()
		wrote, err := e.end(ending, run, state, reason, outcome, errors.Is(context.Cause(ctx), errClosing))
		switch {
		case err != nil:
			logger.ErrorContext(ending, "the end of a sync could not be written; it will be found interrupted", slog.Any("err", err))
		case wrote:
			logger.InfoContext(ending, "sync ended", slog.String("state", string(state)))
		default:
			logger.InfoContext(ending, "sync stopped: its row says that it has ended")
		}
	})
}

// begin marks the run as running. It holds the feed's lease, so another one that is marked so died.
func (e *Engine) begin(ctx context.Context, run *Run) error {
	return e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := e.interrupt(ctx, tx, syncrun.FeedEQ(run.Request.Feed), syncrun.StateEQ(codex.RunRunning), syncrun.IDNEQ(run.ID))
		if err != nil {
			return err
		}
		n, err := tx.Ent().SyncRun.Update().Where(syncrun.IDEQ(run.ID), syncrun.StateEQ(codex.RunQueued)).
			SetState(codex.RunRunning).SetStartedAt(tx.Now()).SetHeartbeatAt(tx.Now()).Save(ctx)
		if err == nil && n == 0 { // cancelled, or taken for dead, while it waited
			err = errOver
		}
		if err != nil {
			return err
		}
		run.approved, err = loadApprovals(ctx, tx, run.Request.Feed)
		return err
	})
}

// end writes how the run ended, unless its row has an end: it was cancelled while it waited, or another
// process has taken it for dead. stopping tells that it ends because its process does.
func (e *Engine) end(ctx context.Context, run *Run, state codex.RunState, reason string, outcome Outcome, stopping bool) (wrote bool, err error) {
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		update := tx.Ent().SyncRun.Update().
			Where(syncrun.IDEQ(run.ID), syncrun.StateIn(codex.RunQueued, codex.RunRunning))
		update, _ = run.into(update, tx.Now())
		update.SetState(state).SetEndedAt(tx.Now())
		if reason != "" {
			update.SetError(reason)
		}
		if outcome.Counts != nil {
			update.SetCounts(jsonText(outcome.Counts))
		}
		n, err := update.Save(ctx)
		wrote = n > 0
		if err != nil || !wrote {
			return err
		}
		if err := saveChanges(ctx, tx, run.ID, outcome.Changes); err != nil {
			return err
		}
		if err := e.tellEnd(ctx, tx, run.ID, stopping); err != nil {
			return err
		}
		if run.Request.DryRun || state != codex.RunSucceeded && state != codex.RunHeld {
			return nil // what was approved and could not be looked at waits for the next run
		}
		return run.approved.spend(ctx, tx, run.ID)
	})
	return wrote, err
}

// interrupt marks the unfinished runs that where selects as interrupted: their process died.
func (e *Engine) interrupt(ctx context.Context, tx *store.Tx, where ...runPredicate) error {
	where = append(where, syncrun.StateIn(codex.RunQueued, codex.RunRunning))
	dead, err := tx.Ent().SyncRun.Query().Where(where...).Order(ent.Asc(syncrun.FieldQueuedAt)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("looking for runs that died: %w", err)
	}
	for _, id := range dead {
		n, err := tx.Ent().SyncRun.Update().Where(append(where, syncrun.ID(id))...).SetState(codex.RunInterrupted).SetEndedAt(tx.Now()).
			SetError("Its process died before its end; the next run goes on.").Save(ctx)
		if err == nil && n > 0 { // nobody else has found it
			err = e.tellEnd(ctx, tx, id, false)
		}
		if err != nil {
			return fmt.Errorf("marking runs that died: %w", err)
		}
	}
	return nil
}

// beat writes the run's progress until stop is called, and calls end when the run shall end.
func (e *Engine) beat(ctx context.Context, end context.CancelCauseFunc, run *Run) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			update, written := run.into(e.db.Ent().SyncRun.Update().
				Where(syncrun.IDEQ(run.ID), syncrun.StateIn(codex.RunQueued, codex.RunRunning)), e.db.Now())
			err := update.Exec(ctx)
			if err == nil {
				written()
			}
			if err := errors.Join(err, e.heed(ctx, run.ID, end)); err != nil && ctx.Err() == nil {
				e.logger.WarnContext(ctx, "a sync's progress could not be written", slog.String("run_id", string(run.ID)), slog.Any("err", err))
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}
