package syncers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/synccheckpoint"
	"github.com/hivematrix/codex/ent/upstream"
	"github.com/hivematrix/codex/store"
)

// Run is a sync run at work: what a feed reports its progress to.
type Run struct {
	ID      codex.RunID
	Request Request

	lease    *store.Lease
	approved approvals // removals that it makes though they are beyond the guard
	meter    transport.Meter
	over     sync.Once // its end is written once

	mu          sync.Mutex
	phase       string
	done, total int
	output      []string
	written     int // lines of output that its row has
	resumed     bool
}

// Phase says what the run does now, for people, and writes it into the run's output.
func (r *Run) Phase(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase, r.done, r.total = name, 0, 0
	r.output = append(r.output, name)
}

// Progress says how much of the phase is done; total is 0 while it is not known.
func (r *Run) Progress(done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.total = done, total
}

// Say adds a line to the run's output.
func (r *Run) Say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.output = append(r.output, fmt.Sprintf(format, args...))
}

// Resumed marks the run as one that goes on for another that died.
func (r *Run) Resumed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumed = true
}

// into writes what the run reports into its row; written notes that this was done. The lines of its
// output, which may be many, go only if there are new ones: heartbeats are.
func (r *Run) into(update *ent.SyncRunUpdate, now time.Time) (_ *ent.SyncRunUpdate, written func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.meter.Stats()
	update.SetHeartbeatAt(now).SetPhase(r.phase).SetProgressDone(r.done).SetProgressTotal(r.total).
		SetRequests(int(stats.Requests)).SetWaitedMs(stats.Waited.Milliseconds()).SetResumed(r.resumed)
	lines := len(r.output)
	if lines > r.written {
		update.SetOutput(strings.Join(r.output, "\n"))
	}
	return update, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.written = max(r.written, lines)
	}
}

// Outcome is how a run ended that could do its work.
type Outcome struct {
	Counts  []EntityCounts
	Unread  []string // what in its scope could not be read: the run is partial
	HeldFor []string // why removals were held
	Changes []change // of a dry run what it would do, else the removals that it holds
}

// state is where a run with this outcome stands, and why.
func (o Outcome) state() (codex.RunState, string) {
	switch {
	case len(o.Unread) > 0:
		return codex.RunPartial, strings.Join(append(o.unread(), o.HeldFor...), "\n")
	case len(o.HeldFor) > 0:
		return codex.RunHeld, strings.Join(o.HeldFor, "\n")
	}
	return codex.RunSucceeded, ""
}

// unreadNamed is how many things that could not be read a run's reason names: where an upstream is
// broken they are thousands, and each has its issue or is asked for again.
const unreadNamed = 20

func (o Outcome) unread() []string {
	if len(o.Unread) <= unreadNamed {
		return slices.Clone(o.Unread)
	}
	return append(slices.Clone(o.Unread[:unreadNamed]), fmt.Sprintf("… and %d more.", len(o.Unread)-unreadNamed))
}

// add takes what the steps of a plan did, summing up batches, and what they would have done.
func (o *Outcome) add(run *Run, steps ...Step) {
	for _, s := range steps {
		o.count(s.Counts())
		o.Changes = append(o.Changes, s.changes(!run.Request.DryRun)...)
		if run.Request.Force && !run.Request.DryRun {
			run.sayRemovals(s.changes(false))
		}
	}
}

func (o *Outcome) count(counts EntityCounts) {
	for i := range o.Counts {
		if o.Counts[i].Entity == counts.Entity {
			o.Counts[i] = sumOf(o.Counts[i], counts)
			return
		}
	}
	o.Counts = append(o.Counts, counts)
}

// ApproveAdvice ends a held run's reason. Once the run is approved it is done.
const ApproveAdvice = "If it is true, approve this run (codex sync approve): the next one lets them go."

func (o *Outcome) held(entity string, n int, dry bool) {
	if n > 0 && dry {
		o.HeldFor = append(o.HeldFor, fmt.Sprintf("%d %s are absent or leave their company, more than may go without an admin: a real run would hold them.", n, entity))
	} else if n > 0 {
		o.HeldFor = append(o.HeldFor, fmt.Sprintf(
			"%d %s are absent or leave their company, more than may go without an admin: they stay. %s", n, entity, ApproveAdvice))
	}
}

// sayRemovals names what a forced run removed, since no guard looked at it.
func (r *Run) sayRemovals(changes []change) {
	for _, c := range changes {
		if c.kind == changeRemoved {
			r.Say("removed from %s: %s %s", c.entity, c.record, c.label)
		}
	}
}

// sumOf adds b to a, which are counts of one entity.
func sumOf(a, b EntityCounts) EntityCounts {
	total := Total([]EntityCounts{a, b})
	total.Entity = a.Entity
	return total
}

// checkUpstream makes sure that the data comes from the account that it always came from. A dry run
// remembers nothing. Another account of Freshservice, where it is allowed, has other tickets: they are
// read from the beginning of the window, not from the old account's cursor.
func (e *Engine) checkUpstream(ctx context.Context, run *Run, name, identity string) error {
	known, err := e.db.Ent().Upstream.Query().Where(upstream.ID(name)).All(ctx)
	if err != nil {
		return fmt.Errorf("looking where the data comes from: %w", err)
	}
	if run.Request.DryRun && (len(known) == 0 || e.settings.NewUpstream) {
		return nil
	}
	another := len(known) > 0 && known[0].Identity != identity
	return e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.RememberUpstream(ctx, name, identity, e.settings.NewUpstream); err != nil || !another || name != upstreamFreshservice {
			return err
		}
		_, err := tx.Ent().SyncCheckpoint.Delete().Where(synccheckpoint.ID(codex.FeedTickets)).Exec(ctx)
		return err
	})
}

// plans bounds how often a run plans anew because others wrote meanwhile.
const plans = 5

// settle plans and applies until no one wrote in between. In a dry run it only plans. plan reads
// its base and may ask the upstream to confirm what is absent; it is called again when the base has
// moved. Re-reads write often, in whichever process: they are held off from the second time on.
func (e *Engine) settle(ctx context.Context, run *Run, plan func(ctx context.Context) (FeedPlan, error)) (FeedPlan, error) {
	p, err := e.settleOnce(ctx, run, plan)
	if codex.CodeOf(err) != codex.CodePlanStale {
		return p, err
	}
	err = nil
	holder := e.holder + "/" + string(run.ID)
	held := e.db.Hold(ctx, quietLease, holder, leaseTTL, func(ctx context.Context, _ *store.Lease) error {
		for attempt := 2; ; attempt++ {
			e.logger.InfoContext(ctx, "planning anew: the data has changed meanwhile", slog.String("run_id", string(run.ID)), slog.Int("attempt", attempt))
			p, err = e.settleOnce(ctx, run, plan)
			if codex.CodeOf(err) != codex.CodePlanStale || attempt == plans {
				return err
			}
		}
	})
	if err == nil { // else it is our own already
		held = defect(held)
	}
	return p, held
}

// settleOnce is one attempt of settle: [ErrPlanStale] where somebody wrote in between.
func (e *Engine) settleOnce(ctx context.Context, run *Run, plan func(ctx context.Context) (FeedPlan, error)) (FeedPlan, error) {
	p, err := plan(ctx)
	if err != nil || run.Request.DryRun {
		return p, err
	}
	begun := e.db.Now()
	if err := Apply(ctx, e.db, run.lease, run.ID, run.Request.Feed, p); err != nil {
		return FeedPlan{}, defect(err)
	}
	e.logger.DebugContext(ctx, "plan applied", slog.String("run_id", string(run.ID)),
		slog.Int("rows", p.rows()), slog.Duration("took", e.db.Now().Sub(begun)))
	return p, nil
}

// snapshot is the database's, with errors that name no internals.
func (e *Engine) snapshot(ctx context.Context, read func(ctx context.Context, tx *store.Tx) error) error {
	return defect(e.db.Snapshot(ctx, read))
}

// defect gives an error of the database that no code explains a message for people: its own text may
// quote statements and rows, and is for the log. A context's end stays what it is.
func defect(err error) error {
	if err == nil || codex.CodeOf(err) != codex.CodeInternal || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return codex.Wrap(codex.CodeInternal, err, "the hub's database refused it; the log says why")
}

// reasonOf is why something failed, for the people who read a run's row: the clients' and our own
// errors name what was being done and hold no secrets. The cause behind a message is for the log.
func reasonOf(err error) string {
	var coded *codex.Error
	if !errors.As(err, &coded) || coded.Err == nil {
		return err.Error()
	}
	if text, cut := strings.CutSuffix(err.Error(), ": "+coded.Err.Error()); cut {
		return text
	}
	return coded.Message
}
