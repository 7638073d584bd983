package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/companyversion"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// Past answers what the hub had seen at a moment. It is to the history tables what [Reader] is to
// those of the present, and reads the same columns where the history keeps them.
type Past struct {
	At       time.Time
	Coverage []*Coverage // of each feed, in their running order

	reader *Reader
	// lastReading is the last day whose backup readings had been taken by then: a reading says its
	// day alone, so that of a day on which no run had ended yet was taken later.
	lastReading codex.Day
}

// Coverage is how far a feed had got at a moment: its newest succeeded run by then.
type Coverage struct {
	Feed  codex.Feed
	RunID *codex.RunID // nil where none had succeeded: what the feed brings is unknown, not absent
	At    *time.Time   // when that run ended
}

// AsOf is the past at a moment, which must not lie after now: what will be seen by then would be
// another answer tomorrow. Before the first succeeded run it is a [codex.CodeNoHistory] error.
func (r *Reader) AsOf(ctx context.Context, at, now time.Time) (*Past, error) {
	at = store.UTC(at)
	if at.After(now) {
		return nil, codex.BadInput("at", "this moment lies ahead: it is %s now", now.UTC().Format(time.RFC3339))
	}
	p := &Past{At: at, reader: r, lastReading: codex.DayOf(at) - 1}
	runs, err := r.coverage(ctx, at)
	if err != nil {
		return nil, err
	}
	for _, feed := range codex.Feeds() {
		c := &Coverage{Feed: feed}
		for _, run := range runs {
			if run.Feed == feed && run.State == codex.RunSucceeded {
				c.RunID, c.At = &run.ID, run.EndedAt
			}
		}
		p.Coverage = append(p.Coverage, c)
	}
	for _, run := range runs {
		if run.Feed == codex.FeedDatto && codex.DayOf(*run.EndedAt) == codex.DayOf(at) {
			p.lastReading = codex.DayOf(at)
		}
	}
	if !slices.ContainsFunc(p.Coverage, func(c *Coverage) bool { return c.RunID != nil }) {
		return nil, r.noHistory(ctx)
	}
	return p, nil
}

// coverage are the newest succeeded run of each feed that had ended at a moment and, since they
// bring backup readings too, the newest partial or held one of Datto RMM.
func (r *Reader) coverage(ctx context.Context, at time.Time) ([]*ent.SyncRun, error) {
	which := []predicate.SyncRun{lastEnded(codex.FeedDatto, at, codex.RunPartial, codex.RunHeld)}
	for _, feed := range codex.Feeds() {
		which = append(which, lastEnded(feed, at, codex.RunSucceeded))
	}
	q := r.client.SyncRun.Query().Where(syncrun.Or(which...))
	q.Select(syncrun.FieldID, syncrun.FieldFeed, syncrun.FieldState, syncrun.FieldEndedAt)
	runs, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what the past covers: %w", err)
	}
	return runs, nil
}

// lastEnded tells the newest run of feed in one of states that had ended at a moment. A re-read covers
// nothing.
func lastEnded(feed codex.Feed, at time.Time, states ...codex.RunState) predicate.SyncRun {
	return func(s *sql.Selector) {
		t := sql.Table(syncrun.Table).As("last")
		last := sql.Dialect(s.Dialect()).Select(t.C(syncrun.FieldID)).From(t).
			Where(sql.And(
				sql.EQ(t.C(syncrun.FieldFeed), string(feed)),
				sql.In(t.C(syncrun.FieldState), anyOf(states)...),
				sql.EQ(t.C(syncrun.FieldDryRun), false),
				sql.NEQ(t.C(syncrun.FieldMode), string(codex.ModeReread)),
				sql.LTE(t.C(syncrun.FieldEndedAt), at),
			)).
			OrderBy(sql.Desc(t.C(syncrun.FieldEndedAt)), sql.Desc(t.C(syncrun.FieldID))).
			Limit(1)
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(syncrun.FieldID)).WriteString(" = (").Join(last).WriteString(")")
		}))
	}
}

func anyOf[T ~string](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// noHistory is the error of a moment of which nothing is known; it says from when on there is.
func (r *Reader) noHistory(ctx context.Context) error {
	q := r.client.SyncRun.Query().
		Where(syncrun.StateEQ(codex.RunSucceeded), syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread), syncrun.EndedAtNotNil()).
		Order(syncrun.ByEndedAt())
	q.Select(syncrun.FieldEndedAt)
	first, err := q.First(ctx)
	switch {
	case ent.IsNotFound(err):
		return &codex.Error{Code: codex.CodeNoHistory, Field: "at", Message: "no sync has succeeded yet: there is no past"}
	case err != nil:
		return fmt.Errorf("reading the first run: %w", err)
	}
	return &codex.Error{Code: codex.CodeNoHistory, Field: "at", Message: fmt.Sprintf(
		"the hub had seen nothing by then: its first sync that succeeded ended at %s", first.EndedAt.UTC().Format(time.RFC3339Nano))}
}

// id is how a record as it was at p is told from the same record at other times, and from the
// present one.
func (p *Past) id(key string) string { return key + "@" + p.At.Format(time.RFC3339Nano) }

// The columns that every table of versions has beside the key and what it keeps of the record.
const (
	fieldVersionID  = companyversion.FieldID
	fieldSeenFrom   = companyversion.FieldSeenFrom
	fieldSeenTo     = companyversion.FieldSeenTo
	fieldRunID      = companyversion.FieldRunID
	fieldChangedBy  = companyversion.FieldChangedBy
	fieldEndedRunID = companyversion.FieldEndedRunID
	fieldEndedBy    = companyversion.FieldEndedBy
	fieldAccount    = "company_account_number"
)

// seenAt tells the versions in which rows were seen at a moment.
func seenAt[P ~func(*sql.Selector)](at time.Time) P {
	return func(s *sql.Selector) {
		s.Where(sql.And(
			sql.LTE(s.C(fieldSeenFrom), at),
			sql.Or(sql.IsNull(s.C(fieldSeenTo)), sql.GT(s.C(fieldSeenTo), at)),
		))
	}
}

// ofServedCompany tells the rows whose company was served at a moment.
func ofServedCompany[P ~func(*sql.Selector)](at time.Time) P {
	return func(s *sql.Selector) {
		t := sql.Table(companyversion.Table).As("served")
		served := sql.Dialect(s.Dialect()).Select(t.C(companyversion.FieldAccountNumber)).From(t)
		seenAt[func(*sql.Selector)](at)(served)
		s.Where(sql.In(s.C(fieldAccount), served))
	}
}
