package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// writers are runs that wrote.
type writers struct {
	ids   []codex.RunID
	feeds []codex.Feed
	// begun and end are the time that they took together; end is zero while one works. What they did is
	// in it, so that an index by time finds it.
	begun, end time.Time
}

// writerColumns are those of a run that [writersOf] reads.
func writerColumns() []string {
	return []string{syncrun.FieldFeed, syncrun.FieldStartedAt, syncrun.FieldEndedAt, syncrun.FieldDryRun}
}

// writersOf are those of runs that wrote: nil where none did.
func writersOf(runs ...*ent.SyncRun) *writers {
	var w *writers
	for _, run := range runs {
		if run.StartedAt == nil || run.DryRun {
			continue
		}
		begun, end := run.StartedAt.UTC(), time.Time{}
		if run.EndedAt != nil {
			end = run.EndedAt.UTC()
		}
		if w == nil {
			w = &writers{begun: begun, end: end}
		}
		if begun.Before(w.begun) {
			w.begun = begun
		}
		if end.IsZero() || !w.end.IsZero() && end.After(w.end) {
			w.end = end
		}
		w.ids, w.feeds = append(w.ids, run.ID), append(w.feeds, run.Feed)
	}
	return w
}

// wrote tells whether one of them writes t.
func (w *writers) wrote(t versionTable) bool { return slices.Contains(w.feeds, t.feed) }

// narrow tells the versions that began, or ended, by them.
func (w *writers) narrow(s *sql.Selector, t versionTable, ended bool) {
	at := s.C(momentOf(ended))
	s.Where(store.ExprIn(s.Dialect(), t.writer(s, ended), w.ids))
	s.Where(sql.GTE(at, w.begun))
	if !w.end.IsZero() {
		s.Where(sql.LTE(at, w.end))
	}
}

// writer is the id of the run that began a version, or ended it. Of one that ended before that was kept
// it is the run of its feed that was at work then, as in [Reader.RunsByRef].
func (t versionTable) writer(s *sql.Selector, ended bool) sql.Querier {
	if !ended {
		return sql.ExprFunc(func(b *sql.Builder) { b.Ident(s.C(fieldRunID)) })
	}
	at, runs := s.C(fieldSeenTo), sql.Table(syncrun.Table).As("working")
	working := sql.Dialect(s.Dialect()).Select(runs.C(syncrun.FieldID)).From(runs).Where(sql.And(
		sql.IsNull(s.C(fieldEndedBy)),
		sql.EQ(runs.C(syncrun.FieldFeed), string(t.feed)),
		sql.EQ(runs.C(syncrun.FieldDryRun), false),
		sql.NEQ(runs.C(syncrun.FieldMode), string(codex.ModeReread)),
		sql.ColumnsLTE(runs.C(syncrun.FieldStartedAt), at),
		sql.Or(sql.IsNull(runs.C(syncrun.FieldEndedAt)), sql.ColumnsGTE(runs.C(syncrun.FieldEndedAt), at)),
	)).OrderBy(sql.Desc(runs.C(syncrun.FieldStartedAt))).Limit(1)
	return sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString("COALESCE(").Ident(s.C(fieldEndedRunID)).WriteString(", (").Join(working).WriteString("))")
	})
}

// written are the changes that w did to t, of each run the newest limit after a cursor, by run.
func (r *Reader) written(ctx context.Context, t versionTable, w *writers, ended bool, after *Change, limit int) (map[codex.RunID][]*Change, error) {
	rows, err := r.versionRows(ctx, t.entity, func(s *sql.Selector) {
		view := sql.Dialect(s.Dialect()).Select().From(sql.Table(t.Name))
		view.Select(view.C("*"))
		before := (&question{runs: w}).narrow(view, t, ended, true)
		after.narrow(view, t.entity, ended)
		writer := t.writer(view, ended)
		view.AppendSelectExprAs(writer, parentKey)
		view.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("ROW_NUMBER() OVER (PARTITION BY ").Join(writer)
			b.WriteString(" ORDER BY ").Ident(view.C(momentOf(ended))).WriteString(" DESC, ").Ident(view.C(fieldVersionID)).WriteString(" DESC)")
		}), placeColumn)
		if !ended {
			for _, column := range t.ofBefore() {
				view.AppendSelectAs(before.C(column), asOld+column)
			}
		}
		s.From(view.As(t.Name)).Where(sql.LTE(s.C(placeColumn), limit))
		s.AppendSelectAs(s.C(parentKey), parentKey)
		if !ended {
			for _, column := range t.ofBefore() {
				s.AppendSelectAs(s.C(asOld+column), asOld+column)
			}
		}
		t.read(s, ended)
	})
	if err != nil {
		return nil, fmt.Errorf("reading what runs did to %s: %w", t.entity, err)
	}
	byRun, err := groupByParent(rows, textKey[codex.RunID])
	if err != nil {
		return nil, err
	}
	changes := make(map[codex.RunID][]*Change, len(byRun))
	for run, rows := range byRun {
		if changes[run], err = t.changes(rows, ended); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// writtenChanges puts a page of what each of runs wrote, newest first, into pages: two statements for each
// table that their feeds write, however many runs.
func (r *Reader) writtenChanges(ctx context.Context, runs []*ent.SyncRun, page Page, pages map[codex.RunID]*PageOf[*RunChange]) error {
	limit, err := page.limit()
	if err != nil {
		return err
	}
	after, err := changeAfter(page.After)
	if err != nil {
		return err
	}
	all := make(map[codex.RunID][]*Change, len(runs))
	if w := writersOf(runs...); w != nil {
		for _, t := range w.tables() {
			for _, ended := range []bool{false, true} {
				changes, err := r.written(ctx, t, w, ended, after, limit)
				if err != nil {
					return err
				}
				for run, of := range changes {
					all[run] = append(all[run], of...)
				}
			}
		}
	}
	for _, run := range runs {
		changes := all[run.ID]
		slices.SortFunc(changes, newestFirst)
		found := cut(page, changes[:min(len(changes), limit)], changeCursor)
		pages[run.ID] = &PageOf[*RunChange]{
			Rows: wrapped(found.Rows, changeOfRun), Cursors: found.Cursors, Before: found.Before, More: found.More,
		}
	}
	return nil
}

// countWritten puts how many changes each of runs wrote into totals.
func (r *Reader) countWritten(ctx context.Context, runs []*ent.SyncRun, totals map[codex.RunID]int) error {
	for _, run := range runs {
		totals[run.ID] = 0
	}
	w := writersOf(runs...)
	if w == nil {
		return nil
	}
	for _, t := range w.tables() {
		for _, ended := range []bool{false, true} {
			rows, err := r.versionRows(ctx, t.entity, func(s *sql.Selector) {
				view := sql.Dialect(s.Dialect()).Select().From(sql.Table(t.Name))
				view.Select()
				(&question{runs: w}).narrow(view, t, ended, false)
				view.AppendSelectExprAs(t.writer(view, ended), parentKey)
				s.From(view.As(t.Name)).Select()
				s.AppendSelectAs(s.C(parentKey), parentKey)
				s.AppendSelectExprAs(sql.Raw("COUNT(*)"), asRead+"count")
				s.GroupBy(s.C(parentKey))
			})
			if err != nil {
				return fmt.Errorf("counting what runs did to %s: %w", t.entity, err)
			}
			for _, row := range rows {
				counted := &reading{row: row}
				run := counted.text(parentKey, field.TypeString)
				count := counted.int(asRead + "count")
				if counted.err != nil {
					return counted.err
				}
				totals[codex.RunID(*run)] += count
			}
		}
	}
	return nil
}

// tables are those that one of them writes.
func (w *writers) tables() []versionTable {
	var tables []versionTable
	for _, e := range Entities() {
		if t := versionsOf(e); w.wrote(t) {
			tables = append(tables, t)
		}
	}
	return tables
}
