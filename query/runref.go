package query

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/syncrun"
)

// RunRef names a sync run: by its id, or as that of a feed that was at work at a moment. Empty is
// none.
type RunRef string

// RunRefOf names a run by its id.
func RunRefOf(id codex.RunID) RunRef {
	if id == "" {
		return ""
	}
	return RunRef("id " + string(id))
}

// runAtWork names the run of feed that was at work at a moment.
func runAtWork(feed codex.Feed, at time.Time) RunRef {
	return RunRef("at " + string(feed) + " " + at.UTC().Format(cursorTimeForm))
}

// RunsByRef are the runs that refs name, by one statement. What is not there is absent, also a run
// that nobody knows to have been at work.
func (r *Reader) RunsByRef(ctx context.Context, refs []RunRef, columns ...string) (map[RunRef]*ent.SyncRun, error) {
	var ids []codex.RunID
	var first, last time.Time
	for _, ref := range refs {
		if id, byID := strings.CutPrefix(string(ref), "id "); byID {
			ids = append(ids, codex.RunID(id))
			continue
		}
		at, feed := ref.moment()
		if feed == "" {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	q := r.client.SyncRun.Query().Where(syncrun.Or(
		keyIn[predicate.SyncRun](syncrun.FieldID, ids),
		syncrun.And(
			syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread), syncrun.StartedAtLTE(last),
			syncrun.Or(syncrun.EndedAtIsNil(), syncrun.EndedAtGTE(first)),
		),
	)).Order(syncrun.ByStartedAt(sql.OrderDesc()))
	if columns := with(columns, syncrun.FieldFeed, syncrun.FieldMode, syncrun.FieldStartedAt, syncrun.FieldEndedAt, syncrun.FieldDryRun); columns != nil {
		q.Select(columns...)
	}
	runs, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	found := make(map[RunRef]*ent.SyncRun, len(refs))
	for _, run := range runs {
		found[RunRefOf(run.ID)] = run
	}
	for _, ref := range refs {
		at, feed := ref.moment()
		if i := slices.IndexFunc(runs, func(run *ent.SyncRun) bool { return worked(run, feed, at) }); i >= 0 {
			found[ref] = runs[i]
		}
	}
	return found, nil
}

// moment is the moment and the feed of a name by those; none of another name.
func (ref RunRef) moment() (at time.Time, feed codex.Feed) {
	words := strings.Split(string(ref), " ")
	if words[0] != "at" || len(words) != 3 {
		return time.Time{}, ""
	}
	at, err := time.Parse(cursorTimeForm, words[2])
	if err != nil { // only [runAtWork] makes them: cannot happen
		return time.Time{}, ""
	}
	return at, codex.Feed(words[1])
}

// worked tells whether run was at work on feed at a moment, and wrote. Re-reads go on beside runs and
// remove nothing, so it was none.
func worked(run *ent.SyncRun, feed codex.Feed, at time.Time) bool {
	return run.Feed == feed && !run.DryRun && run.Mode != codex.ModeReread && run.StartedAt != nil && !run.StartedAt.After(at) &&
		(run.EndedAt == nil || !run.EndedAt.Before(at))
}
