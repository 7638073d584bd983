package syncers

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// ErrPlanStale says that rows which a plan was made from have changed since: plan anew.
var ErrPlanStale error = codex.Errorf(codex.CodePlanStale, "the data has changed since the plan was made")

// FeedPlan is all that a run, or a batch of it, shall write.
type FeedPlan struct {
	// Base are the revisions of every entity that the plan was made from.
	Base map[string]int64
	// Steps are the plans of its entities, in the order in which they must be written.
	Steps []Step
	// Issues are what could not be placed, as far as Met says that this run would have met it.
	Issues []Issue
	// Met tells whether the run would have met an issue again, had it still been there: only then
	// is an issue that is not among Issues closed.
	Met func(kind IssueKind, id string) bool
	// Checkpoint is how far the feed has read once this is written; nil leaves it.
	Checkpoint *Checkpoint
	// check looks for what makes the plan stale beside Base, which is locked then; nil is nothing.
	check func(ctx context.Context, tx *store.Tx) error
	// beside writes what goes with it, in its transaction, and hears whether anything else was written;
	// nil is nothing.
	beside func(ctx context.Context, tx *store.Tx, wrote bool) error
}

// rows is how many records p writes, what is kept of them in the history not counted.
func (p FeedPlan) rows() int {
	n := 0
	for _, s := range p.Steps {
		counts := s.Counts()
		n += counts.Created + counts.Updated + counts.Removed
	}
	return n
}

// Step is the plan of one entity, whatever its record type.
type Step interface {
	// Entity is the name of what it writes.
	Entity() string
	// Counts are what it will have done.
	Counts() EntityCounts
	// Empty tells that there is nothing to write.
	Empty() bool
	// changes are what it does, or only what it holds, for people.
	changes(heldOnly bool) []change
	apply(ctx context.Context, tx *store.Tx, at time.Time, origin history.Origin) error
}

// Apply writes exactly p, in one transaction: rows, history, issues, checkpoint, and the revisions
// of what it wrote. It answers [ErrPlanStale] when p's base has moved or its check says so, and
// [store.ErrLeaseLost] when lease was lost; then nothing is written. It never plans anew.
func Apply(ctx context.Context, db *store.DB, lease *store.Lease, run codex.RunID, feed codex.Feed, p FeedPlan) error {
	base := make([]string, 0, len(p.Base))
	for entity := range p.Base {
		base = append(base, entity)
	}
	sort.Strings(base)
	return db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		now, err := tx.Revisions(ctx, base...)
		if err != nil {
			return fmt.Errorf("checking the plan's base: %w", err)
		}
		for entity, revision := range p.Base {
			if now[entity] != revision {
				return ErrPlanStale
			}
		}
		if p.check != nil {
			if err := p.check(ctx, tx); err != nil {
				return err
			}
		}
		var written []string
		for _, step := range p.Steps {
			if step.Empty() {
				continue
			}
			if err := step.apply(ctx, tx, tx.Now(), history.Origin{Run: run}); err != nil {
				return fmt.Errorf("writing %s: %w", step.Entity(), err)
			}
			written = append(written, step.Entity())
		}
		changed, err := applyIssues(ctx, tx, run, feed, p)
		if err != nil {
			return err
		}
		if changed {
			written = append(written, issuesEntity)
		}
		if p.Checkpoint != nil {
			if err := p.Checkpoint.save(ctx, tx, run, feed); err != nil {
				return err
			}
		}
		if p.beside != nil {
			if err := p.beside(ctx, tx, len(written) > 0); err != nil {
				return err
			}
		}
		if len(written) == 0 {
			return nil
		}
		if err := tx.Raise(ctx, written...); err != nil {
			return fmt.Errorf("raising revisions: %w", err)
		}
		return nil
	})
}

// step is the [Step] of entities whose record is R.
type step[R any] struct {
	entity *Entity[R]
	plan   EntityPlan[R]
	issues int
	// company is whose a record is, where no column of it says that; nil is nobody's.
	company func(*R) codex.AccountNumber
	// after writes what follows from the rows, such as backup readings; nil is nothing.
	after func(ctx context.Context, tx *store.Tx, at time.Time, plan EntityPlan[R]) error
}

func (s step[R]) Entity() string { return s.entity.Name }

func (s step[R]) Empty() bool {
	return len(s.plan.Creates)+len(s.plan.Updates)+len(s.plan.Removals) == 0
}

func (s step[R]) Counts() EntityCounts {
	return EntityCounts{
		Entity: s.entity.Name, Created: len(s.plan.Creates), Updated: len(s.plan.Updates), Removed: len(s.plan.Removals),
		Unchanged: s.plan.Unchanged, Held: len(s.plan.Held), Issues: s.issues,
	}
}

func (s step[R]) apply(ctx context.Context, tx *store.Tx, at time.Time, origin history.Origin) error {
	e := s.entity
	var rows, gone, opened, closed [][]any
	for i := range s.plan.Creates {
		r := &s.plan.Creates[i]
		rows = append(rows, e.row(r))
		opened = append(opened, e.version(r))
	}
	for i := range s.plan.Updates {
		u := &s.plan.Updates[i]
		rows = append(rows, e.row(&u.New))
		if u.ofHistory {
			closed = append(closed, e.primaryKey(&u.Old))
			opened = append(opened, e.version(&u.New))
		}
	}
	for i := range s.plan.Removals {
		r := &s.plan.Removals[i]
		closed = append(closed, e.primaryKey(r))
		if e.RemovedAt == nil {
			gone = append(gone, e.primaryKey(r))
			continue
		}
		left := e.leave(*r, at)
		rows = append(rows, e.row(&left))
	}
	if err := tx.DeleteByKey(ctx, e.table(), gone); err != nil {
		return err
	}
	if err := tx.Upsert(ctx, e.table(), rows); err != nil {
		return err
	}
	if e.History != nil {
		if err := history.Close(ctx, tx, *e.History, closed, at, origin); err != nil {
			return err
		}
		if err := history.Open(ctx, tx, *e.History, opened, at, origin); err != nil {
			return err
		}
	}
	if s.after != nil {
		return s.after(ctx, tx, at, s.plan)
	}
	return nil
}
