package query

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/ent/syncrun"
)

// RunFilter says which sync runs are wanted; its zero value: all.
type RunFilter struct {
	Feed  codex.Feed     // empty: any
	State codex.RunState // empty: any
	List                 // and what this says
}

func (f RunFilter) predicates() []predicate.SyncRun {
	var all []predicate.SyncRun
	if f.Feed != "" {
		all = append(all, syncrun.FeedEQ(f.Feed))
	}
	if f.State != "" {
		all = append(all, syncrun.StateEQ(f.State))
	}
	return all
}

// Run is the sync run with that id; a [codex.CodeNotFound] error where there is none.
func (r *Reader) Run(ctx context.Context, id codex.RunID, columns ...string) (*ent.SyncRun, error) {
	q := r.client.SyncRun.Query().Where(syncrun.ID(id))
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("sync run", id)
	case err != nil:
		return nil, fmt.Errorf("reading run %s: %w", id, err)
	}
	return found, nil
}

// LastRun is the newest run of feed that is no dry run, and nil where there was none. A re-read is none
// either: it says nothing of what else the feed has.
func (r *Reader) LastRun(ctx context.Context, feed codex.Feed) (*ent.SyncRun, error) {
	found, err := r.runs(RunFilter{Feed: feed}).Where(syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread)).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the last run of %s: %w", feed, err)
	}
	return found, nil
}

// Runs is a page of the sync runs that filter wants.
func (r *Reader) Runs(ctx context.Context, page Page, filter RunFilter, columns ...string) (*PageOf[*ent.SyncRun], error) {
	return pageOf(view{}, view.runs, page, filter.List, func(limit int, which, sort func(*sql.Selector)) ([]*ent.SyncRun, error) {
		q := r.client.SyncRun.Query().Where(filter.predicates()...).Where(which).Order(sort).Limit(limit)
		if columns := with(columns); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountRuns is how many sync runs filter wants.
func (r *Reader) CountRuns(ctx context.Context, filter RunFilter) (int, error) {
	return countOf(view{}, view.runs, filter.Filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.SyncRun.Query().Where(filter.predicates()...).Where(which).Count(ctx)
	})
}

func (r *Reader) runs(filter RunFilter) *ent.SyncRunQuery {
	return r.client.SyncRun.Query().Where(filter.predicates()...).
		Order(syncrun.ByQueuedAt(sql.OrderDesc()), byBytes(syncrun.FieldID, " DESC"))
}

// IssueFilter says which sync issues are wanted; its zero value: all.
type IssueFilter struct {
	Feed codex.Feed // empty: any
	Kind string     // empty: any
	Open *bool      // true: those not closed yet; false: the others; nil: both
	List            // and what this says
}

func (f IssueFilter) predicates() []predicate.SyncIssue {
	var all []predicate.SyncIssue
	if f.Feed != "" {
		all = append(all, syncissue.FeedEQ(f.Feed))
	}
	if f.Kind != "" {
		all = append(all, syncissue.Kind(f.Kind))
	}
	switch {
	case f.Open == nil:
	case *f.Open:
		all = append(all, syncissue.ClosedAtIsNil())
	default:
		all = append(all, syncissue.ClosedAtNotNil())
	}
	return all
}

// Issues is a page of the sync issues that filter wants.
//
// Runs do not write an issue again that they still meet. LastSeenAt of an open one is therefore
// raised here to the end of the newest run of its feed that has read everything.
func (r *Reader) Issues(ctx context.Context, page Page, filter IssueFilter) (*PageOf[*ent.SyncIssue], error) {
	found, err := pageOf(view{}, view.issues, page, filter.List, func(limit int, which, sort func(*sql.Selector)) ([]*ent.SyncIssue, error) {
		return r.client.SyncIssue.Query().Where(filter.predicates()...).Where(which).Order(sort).Limit(limit).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	return found, r.RaiseLastSeen(ctx, found.Rows)
}

// CountIssues is how many sync issues filter wants.
func (r *Reader) CountIssues(ctx context.Context, filter IssueFilter) (int, error) {
	return countOf(view{}, view.issues, filter.Filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.SyncIssue.Query().Where(filter.predicates()...).Where(which).Count(ctx)
	})
}

// RaiseLastSeen sets LastSeenAt of the open ones of issues, which need not be written when they are
// seen again: each complete run of the feed since has met them. It takes one statement for all, and
// writes nothing.
func (r *Reader) RaiseLastSeen(ctx context.Context, issues []*ent.SyncIssue) error {
	if len(issues) == 0 {
		return nil
	}
	newest := r.client.SyncRun.Query().Where(lastComplete)
	newest.Select(syncrun.FieldFeed, syncrun.FieldEndedAt)
	runs, err := newest.All(ctx)
	if err != nil {
		return fmt.Errorf("reading when issues were last seen: %w", err)
	}
	ended := make(map[codex.Feed]time.Time, len(runs))
	for _, run := range runs {
		ended[run.Feed] = *run.EndedAt
	}
	for _, issue := range issues {
		if end := ended[issue.Feed]; issue.ClosedAt == nil && end.After(issue.LastSeenAt) {
			issue.LastSeenAt = end
		}
	}
	return nil
}

// lastComplete tells the complete run of each feed that ended last. A run is complete that has read
// all that its feed has: it succeeded or was held, since what it holds back are removals, and it is
// no dry run, which closes no issue. Of tickets it was a full one: an incremental one reads what
// changed, so that it sees nothing of an issue about a ticket that nobody touched. The other feeds
// always read everything, but for re-reads.
func lastComplete(s *sql.Selector) {
	t := sql.Table(syncrun.Table).As("complete")
	newest := sql.Dialect(s.Dialect()).Select(t.C(syncrun.FieldFeed), sql.Max(t.C(syncrun.FieldEndedAt))).From(t).
		Where(sql.And(
			sql.In(t.C(syncrun.FieldState), string(codex.RunSucceeded), string(codex.RunHeld)),
			sql.EQ(t.C(syncrun.FieldDryRun), false),
			sql.NEQ(t.C(syncrun.FieldMode), string(codex.ModeReread)),
			sql.Or(
				sql.NEQ(t.C(syncrun.FieldFeed), string(codex.FeedTickets)),
				sql.EQ(t.C(syncrun.FieldMode), string(codex.ModeFull)),
			),
		)).
		GroupBy(t.C(syncrun.FieldFeed))
	s.Where(sql.P(func(b *sql.Builder) {
		b.WriteString("(").IdentComma(s.C(syncrun.FieldFeed), s.C(syncrun.FieldEndedAt)).WriteString(") IN (")
		b.Join(newest).WriteString(")")
	}))
}
