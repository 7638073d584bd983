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
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/ent/upstream"
	"github.com/hivematrix/codex/store"
)

const (
	// rereadPoll is how often the queue is looked at for what other processes announced, and for what
	// failed and is due again.
	rereadPoll = time.Second
	// rereadWorkers is how many records are read at a time.
	rereadWorkers = 8
	// givingWay is how often a re-read that gives way to a run looks whether that has written.
	givingWay = 50 * time.Millisecond
	// rereadTidying is how often old rows are deleted, if the queue is used at all.
	rereadTidying = 24 * time.Hour
)

// ServeRereads begins to re-read what is announced, in this process or another, until the engine
// closes. Of the processes of an installation one is at work at a time; the others take over when it
// dies. A process without Freshservice does nothing.
func (e *Engine) ServeRereads() {
	if e.freshservice == nil || !e.enter() {
		return
	}
	go func() {
		defer e.leave()
		d := &drainer{Engine: e, tidied: e.db.Now()}
		d.serve(transport.WithPriority(e.ctx, transport.PriorityInteractive))
	}()
}

// drainer works on the queue of re-reads.
type drainer struct {
	*Engine
	refused     int       // times in a row that our key was refused
	pausedUntil time.Time // nothing is asked before
	tidied      time.Time

	mu         sync.Mutex
	statuses   map[int]string
	statusesAt time.Time
}

func (d *drainer) serve(ctx context.Context) {
	ticker := time.NewTicker(rereadPoll)
	defer ticker.Stop()
	for {
		if err := d.drain(ctx); err != nil && ctx.Err() == nil {
			d.logger.WarnContext(ctx, "the queue of re-reads stands still", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-d.rereads:
		}
	}
}

// drain empties the queue under its lease. While nothing is due it holds none and writes nothing.
func (d *drainer) drain(ctx context.Context) error {
	if d.paused() {
		return nil
	}
	due, err := d.dueRereads(ctx, 1)
	if err != nil || len(due) == 0 {
		return err
	}
	return d.db.Hold(ctx, rereadLease, d.holder+"/"+rereadLease, leaseTTL, d.work)
}

func (d *drainer) paused() bool { return d.db.Now().Before(d.pausedUntil) }

// work reads what is due, some records at a time, until nothing is.
func (d *drainer) work(ctx context.Context, lease *store.Lease) error {
	done := make(chan rereadEnd, rereadWorkers)
	busy := make(map[UpstreamRecord]bool)
	var workers sync.WaitGroup
	defer workers.Wait()
	ticker := time.NewTicker(rereadPoll)
	defer ticker.Stop()
	for {
		if len(busy) < rereadWorkers && !d.paused() {
			due, err := d.dueRereads(ctx, rereadWorkers+len(busy)) // those at work are due still
			if err != nil {
				return err
			}
			for _, task := range due {
				if busy[task.record] || len(busy) == rereadWorkers {
					continue
				}
				busy[task.record] = true
				workers.Go(func() { done <- rereadEnd{task, d.reread(ctx, lease, task)} })
			}
		}
		if len(busy) == 0 {
			return d.tidy(ctx)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case end := <-done:
			delete(busy, end.task.record)
			if err := d.ended(ctx, end); err != nil {
				return err
			}
		case <-d.rereads:
		case <-ticker.C:
		}
	}
}

// rereadEnd is how a re-read ended.
type rereadEnd struct {
	task reread
	err  error
}

// ended notes a re-read that failed. An error is one that the queue cannot go on with.
func (d *drainer) ended(ctx context.Context, end rereadEnd) error {
	switch {
	case end.err == nil:
		d.refused = 0
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(end.err, errOvertaken):
		d.logger.InfoContext(ctx, "a record is re-read once more: a run wrote it meanwhile", slog.String("record", end.task.record.String()))
		return nil
	case errors.Is(end.err, store.ErrLeaseLost):
		return end.err
	case keyRefused(end.err): // whatever we ask now is refused: that is no fault of the records
		if d.paused() { // they were asked together
			return nil
		}
		d.refused++
		d.pausedUntil = d.db.Now().Add(rereadWait(d.refused))
		d.logger.WarnContext(ctx, "Freshservice refuses us: nothing is re-read for a while",
			slog.Time("until", d.pausedUntil), slog.Any("err", end.err))
		return nil
	}
	givenUp := false
	err := d.db.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		givenUp, err = failed(ctx, tx, end.task, reasonOf(end.err))
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that %s could not be re-read: %w", end.task.record, err)
	}
	d.sayFailed(ctx, end.task, givenUp, end.err)
	return nil
}

func (d *drainer) sayFailed(ctx context.Context, task reread, givenUp bool, err error) {
	logger := d.logger.With(slog.String("record", task.record.String()), slog.Int("attempt", task.attempts+1), slog.Any("err", err))
	if givenUp {
		logger.WarnContext(ctx, "a record could not be re-read and is left to the next run")
		return
	}
	logger.WarnContext(ctx, "a record could not be re-read and is tried again")
}

// tidy forgets what was settled long ago, once a day.
func (d *drainer) tidy(ctx context.Context) error {
	if d.db.Now().Sub(d.tidied) < rereadTidying {
		return nil
	}
	d.tidied = d.db.Now()
	return d.db.Write(ctx, forgetRereads)
}

// finding is what a re-read found out.
type finding struct {
	from time.Time // when reading began
	feed codex.Feed
	// plan makes the plan over what is stored now; nil where the record is left to the runs.
	plan func(ctx context.Context) (FeedPlan, error)
	// failure is why a part could not be read: the rest is written, and the record is tried again.
	failure error
}

// reread reads one record anew and writes what differs. Its error is why it is to be tried again.
func (d *drainer) reread(ctx context.Context, lease *store.Lease, task reread) error {
	run := &Run{ID: codex.RunID(uuid.NewString())}
	ctx = transport.WithMeter(ctx, &run.meter)
	found, err := d.look(ctx, task.record)
	if err != nil {
		return err
	}
	if found.plan == nil {
		return d.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.CheckLease(ctx, lease); err != nil {
				return err
			}
			return settled(ctx, tx, task, time.Time{})
		})
	}
	run.lease = lease
	if err := d.settleReread(ctx, run, task, found); err != nil {
		return err
	}
	return found.failure
}

func (d *drainer) look(ctx context.Context, r UpstreamRecord) (finding, error) {
	if ours, err := d.oursIs(ctx, upstreamFreshservice, d.settings.FreshserviceIdentity); err != nil || !ours {
		return finding{}, err
	}
	switch r.Kind {
	case RecordTicket:
		return d.rereadTicket(ctx, r.ID, d.ticketStatuses(ctx))
	case RecordRequester:
		return d.rereadRequester(ctx, r.ID)
	case RecordDepartment:
		return d.rereadDepartment(ctx, r.ID)
	}
	return finding{}, nil // announced by a later release
}

// oursIs tells whether the data that the hub has comes from the account identity of an upstream. Before
// the first run it has none, and that run reads everything. Another account's is an error, as for a run.
func (e *Engine) oursIs(ctx context.Context, name, identity string) (bool, error) {
	known, err := e.db.Ent().Upstream.Query().Where(upstream.ID(name)).All(ctx)
	switch {
	case err != nil:
		return false, fmt.Errorf("looking where the data comes from: %w", store.Translate(err))
	case len(known) == 0:
		return false, nil
	case known[0].Identity != identity:
		return false, codex.Errorf(codex.CodeConflict, "the hub's data comes from %s, and %s is another account", known[0].Identity, identity)
	}
	return true, nil
}

// settleReread plans and applies until nobody wrote in between, one re-read at a time, and gives way to
// a run that others made plan in vain.
func (d *drainer) settleReread(ctx context.Context, run *Run, task reread, found finding) error {
	d.turns.Lock()
	defer d.turns.Unlock()
	for attempt := 1; ; attempt++ {
		if err := d.giveWay(ctx); err != nil {
			return err
		}
		p, err := found.plan(ctx)
		if err != nil {
			return err
		}
		p.beside = func(ctx context.Context, tx *store.Tx, wrote bool) error {
			if wrote {
				if err := noteReread(ctx, tx, run, task, found, p); err != nil {
					return err
				}
			}
			if found.failure != nil {
				return readFrom(ctx, tx, task, found.from)
			}
			return settled(ctx, tx, task, found.from)
		}
		err = Apply(ctx, d.db, run.lease, run.ID, found.feed, p)
		if codex.CodeOf(err) != codex.CodePlanStale || attempt == plans {
			return defect(err)
		}
	}
}

// giveWay waits while a run holds re-reads off. One that is past here already may still make that run
// plan once more.
func (d *drainer) giveWay(ctx context.Context) error {
	ticker := time.NewTicker(givingWay)
	defer ticker.Stop()
	for {
		held, err := d.db.LeaseHeld(ctx, quietLease)
		if err != nil || !held {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// noteReread writes the row of a re-read that changed something: a run that has ended.
func noteReread(ctx context.Context, tx *store.Tx, run *Run, task reread, found finding, p FeedPlan) error {
	var outcome Outcome
	for _, s := range p.Steps {
		outcome.count(s.Counts())
	}
	stats := run.meter.Stats()
	create := tx.Ent().SyncRun.Create().SetID(run.ID).
		SetFeed(found.feed).SetMode(codex.ModeReread).SetTrigger(codex.TriggerWebhook).SetRequestedBy("webhook").
		SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).
		SetQueuedAt(found.from).SetStartedAt(found.from).SetEndedAt(tx.Now()).SetHeartbeatAt(tx.Now()).
		SetRequests(int(stats.Requests)).SetWaitedMs(stats.Waited.Milliseconds()).
		SetCounts(jsonText(outcome.Counts)).SetOutput("re-read " + task.record.String())
	if found.failure != nil {
		create.SetState(codex.RunPartial).SetError(reasonOf(found.failure))
	}
	if err := create.Exec(ctx); err != nil {
		return fmt.Errorf("noting a re-read: %w", err)
	}
	return nil
}
