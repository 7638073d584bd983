package syncers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// bench is a database on a clock that a test turns, with the lease of a run.
type bench struct {
	t     *testing.T
	db    *store.DB
	lease *store.Lease
	clock *atomic.Int64 // hours since aMoment
}

func benches(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel() // it waits most of its time: for a database to be made, and for commits
	var clock atomic.Int64
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clock.Store(0)
		lease, err := db.Acquire(t.Context(), "sync:datto", "test", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		test(t, &bench{t: t, db: db, lease: lease, clock: &clock})
	}, storetest.Now(func() time.Time { return hours(int(clock.Load())) }))
}

// plan is the feed plan that makes company 1, and its machines those that are listed.
func (b *bench) plan(listed ...AssetRecord) FeedPlan {
	b.t.Helper()
	var plan FeedPlan
	err := b.db.Snapshot(b.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		revisions, err := tx.Revisions(ctx, "companies", "assets")
		if err != nil {
			return err
		}
		owners, err := load(ctx, tx, companies(), "")
		if err != nil {
			return err
		}
		current, err := load(ctx, tx, assets(), "")
		if err != nil {
			return err
		}
		all := func(*AssetRecord) bool { return true }
		plan = FeedPlan{Base: revisions, Steps: []Step{
			step[CompanyRecord]{entity: companies(), plan: Plan(companies(), owners, []CompanyRecord{company("1", 10)}, 0, Scope[CompanyRecord]{})},
			step[AssetRecord]{entity: assets(), after: writeReadings,
				plan: Plan(assets(), current, listed, nextID(assets(), current), Scope[AssetRecord]{Complete: all, Gone: all})},
		}}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

func (b *bench) apply(plan FeedPlan) error {
	return Apply(b.t.Context(), b.db, b.lease, "run", codex.FeedDatto, plan)
}

// sync plans and applies, at a later hour than before.
func (b *bench) sync(listed ...AssetRecord) {
	b.t.Helper()
	b.clock.Add(24)
	if err := b.apply(b.plan(listed...)); err != nil {
		b.t.Fatal(err)
	}
}

// rows are the results of a query, a line each.
func (b *bench) rows(query string) []string {
	b.t.Helper()
	rows, err := b.db.SQL().QueryContext(b.t.Context(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			b.t.Fatal(err)
		}
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = fmt.Sprint(v)
			if at, ok := v.(time.Time); ok {
				words[i] = fmt.Sprintf("%dh", int(at.Sub(aMoment()).Hours()))
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return lines
}

// everything is a copy of all rows that an apply can write.
func (b *bench) everything() []string {
	var all []string
	for _, table := range []string{"companies", "companies_history", "assets", "assets_history", "backup_readings", "sync_issues", "sync_checkpoints", "revisions"} {
		all = append(all, table)
		lines := b.rows("SELECT * FROM " + table)
		slices.Sort(lines)
		all = append(all, lines...)
	}
	return all
}

func (b *bench) expect(query string, want ...string) {
	b.t.Helper()
	if got := b.rows(query); !slices.Equal(got, want) {
		b.t.Errorf("%s:\ngot  %q\nwant %q", query, got, want)
	}
}

func TestAPlanWhoseBaseHasMovedIsStaleAndWritesNothing(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		plan, other := b.plan(machine(0, "u1", "s", "A")), b.plan(machine(0, "u2", "s", "B"))
		if err := b.apply(other); err != nil {
			t.Fatal(err)
		}
		before := b.everything()
		if err := b.apply(plan); !errors.Is(err, ErrPlanStale) || codex.CodeOf(err) != codex.CodePlanStale {
			t.Errorf("got %v", err)
		}
		if after := b.everything(); !slices.Equal(after, before) {
			t.Errorf("rows changed:\n%q\n%q", before, after)
		}
	})
}

// TestACommitWhoseAnswerWasLostLosesAndDoublesNothing: whoever does not know whether a plan was
// written applies it again, is told that it is stale, and finds nothing left to do.
func TestACommitWhoseAnswerWasLostLosesAndDoublesNothing(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		plan := b.plan(machine(0, "u1", "s", "A"), machine(0, "u2", "s", "B"))
		if err := b.apply(plan); err != nil {
			t.Fatal(err)
		}
		before := b.everything()
		if err := b.apply(plan); !errors.Is(err, ErrPlanStale) {
			t.Errorf("the second time: %v", err)
		}
		again := b.plan(machine(0, "u1", "s", "A"), machine(0, "u2", "s", "B"))
		for _, step := range again.Steps {
			if !step.Empty() {
				t.Errorf("planned anew, %s has still %+v", step.Entity(), step.Counts())
			}
		}
		if err := b.apply(again); err != nil {
			t.Fatal(err)
		}
		if after := b.everything(); !slices.Equal(after, before) {
			t.Errorf("rows changed:\n%q\n%q", before, after)
		}
	})
}

func TestALeaseThatWasLostWritesNothing(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		plan, before := b.plan(machine(0, "u1", "s", "A")), b.everything()
		if err := b.db.Release(t.Context(), b.lease); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Acquire(t.Context(), "sync:datto", "another", time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := b.apply(plan); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("got %v", err)
		}
		if after := b.everything(); !slices.Equal(after, before) {
			t.Errorf("rows changed:\n%q\n%q", before, after)
		}
	})
}

// brokenStep fails after everything before it was written.
type brokenStep struct{ err error }

func (s brokenStep) Entity() string        { return "broken" }
func (s brokenStep) Counts() EntityCounts  { return EntityCounts{} }
func (s brokenStep) Empty() bool           { return false }
func (s brokenStep) changes(bool) []change { return nil }
func (s brokenStep) apply(context.Context, *store.Tx, time.Time, history.Origin) error {
	return s.err
}

func TestAFailureInTheMiddleOfAnApplyLeavesNothingHalfDone(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		b.sync(machine(0, "u1", "s", "A"))
		before := b.everything()
		broken := errors.New("broken")
		plan := b.plan(machine(0, "u2", "s", "B"))
		plan.Steps = append(plan.Steps, brokenStep{broken})
		plan.Issues = []Issue{{Kind: IssueBadRecord, ID: "1", Reason: "x"}}
		plan.Checkpoint = &Checkpoint{Cursor: aMoment()}
		if err := b.apply(plan); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if after := b.everything(); !slices.Equal(after, before) {
			t.Errorf("rows changed:\n%q\n%q", before, after)
		}
	})
}

func TestARowHasOneOpenVersionAndItsVersionsFollowEachOtherWithoutGaps(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		online, renamed := machine(0, "u1", "s", "A"), machine(0, "u1", "s", "B")
		online.Online, online.LastUser, online.LastSeen = some(true), some("ana"), some(aMoment())
		b.sync(machine(0, "u1", "s", "A")) // 24 h
		b.sync(online)                     // 48 h: nothing that the history keeps
		b.sync(renamed)                    // 72 h
		b.sync(renamed)                    // 96 h: nothing at all
		b.sync()                           // 120 h: gone
		b.sync()                           // 144 h: still gone
		b.sync(renamed)                    // 168 h: back, as it was
		b.expect("SELECT asset_id, hostname, seen_from, seen_to FROM assets_history ORDER BY seen_from",
			"1 A 24h 72h", "1 B 72h 120h", "1 B 168h <nil>")
		b.expect("SELECT id, hostname, removed_at FROM assets", "1 B <nil>")
		b.expect("SELECT account_number, seen_from, seen_to FROM companies_history", "1 24h <nil>")
		b.expect("SELECT asset_id FROM assets_history WHERE seen_to IS NULL GROUP BY asset_id HAVING count(*) > 1")
	})
}

func TestABackupSizeIsKeptWhenItChanges(t *testing.T) {
	sized := func(bytes sql.Null[int64]) AssetRecord {
		r := machine(0, "u1", "s", "A")
		r.BackupBytes, r.backupTold = bytes, true
		return r
	}
	untold := machine(0, "u1", "s", "A")
	benches(t, func(t *testing.T, b *bench) {
		b.sync(sized(some(int64(5))))
		b.sync(sized(some(int64(5)))) // the same: no reading
		b.sync(sized(some(int64(8))))
		b.sync(untold) // not told is no change
		b.sync(sized(sql.Null[int64]{}))
		b.sync(sized(sql.Null[int64]{}))
		b.sync(sized(some(int64(0))))
		first := int(hours(24).Unix() / 86400)
		b.expect("SELECT asset_id, day, bytes FROM backup_readings ORDER BY day",
			fmt.Sprint("1 ", first, " 5"), fmt.Sprint("1 ", first+2, " 8"), fmt.Sprint("1 ", first+4, " <nil>"), fmt.Sprint("1 ", first+6, " 0"))
		b.expect("SELECT count(*) FROM assets_history", "1")
	})
}

func TestTwoReadingsOfADayAreTheLastOfThem(t *testing.T) {
	sized := func(bytes int64) AssetRecord {
		r := machine(0, "u1", "s", "A")
		r.BackupBytes, r.backupTold = some(bytes), true
		return r
	}
	benches(t, func(t *testing.T, b *bench) {
		b.sync(sized(5))
		b.clock.Add(-23)
		b.sync(sized(6))
		b.expect("SELECT bytes FROM backup_readings", "6")
	})
}

// succeeded writes the row of a run that ends now.
func (b *bench) succeeded() {
	b.t.Helper()
	now := b.db.Now()
	err := b.db.Ent().SyncRun.Create().SetID("before").SetFeed(codex.FeedDatto).SetMode(codex.ModeIncremental).
		SetTrigger(codex.TriggerCLI).SetRequestedBy("test").SetDryRun(false).SetForced(false).
		SetState(codex.RunSucceeded).SetQueuedAt(now).SetEndedAt(now).Exec(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestAnIssueIsOneRowThatClosesAndOpensAgain(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		met := func(IssueKind, string) bool { return true }
		write := func(met func(IssueKind, string) bool, issues ...Issue) {
			t.Helper()
			b.clock.Add(1)
			if err := b.apply(FeedPlan{Issues: issues, Met: met}); err != nil {
				t.Fatal(err)
			}
		}
		const look = "SELECT kind, upstream_id, reason, company_account_number, first_seen_at, last_seen_at, closed_at FROM sync_issues ORDER BY kind"
		issue := Issue{Kind: IssueReimaged, ID: "u1", Reason: "r"}
		write(met, issue, issue)
		b.expect(look, "reimaged u1 r <nil> 1h 1h <nil>")
		write(met, issue) // unchanged: not touched
		b.expect(look, "reimaged u1 r <nil> 1h 1h <nil>")
		write(nil) // this plan could not have met it
		b.expect(look, "reimaged u1 r <nil> 1h 1h <nil>")
		issue.Reason, issue.Account = "s\x00", "1"
		write(met, issue)
		b.expect(look, "reimaged u1 s\uFFFD 1 1h 4h <nil>")
		write(met, Issue{Kind: IssueUDFNotTold, ID: "u2", Reason: "x"})
		b.expect(look, "reimaged u1 s\uFFFD 1 1h 4h 5h", "udf_not_told u2 x <nil> 5h 5h <nil>")
		b.clock.Add(1)
		b.succeeded() // a complete run, which met the open one without writing it
		write(met, issue)
		b.expect(look, "reimaged u1 s\uFFFD 1 1h 7h <nil>", "udf_not_told u2 x <nil> 5h 6h 7h")
	})
}

func TestACheckpointIsReadAsItWasWritten(t *testing.T) {
	benches(t, func(t *testing.T, b *bench) {
		for _, want := range []Checkpoint{
			{Mode: codex.ModeFull, Done: map[int64]time.Time{4711: hours(3), 1 << 60: hours(4)}},
			{Cursor: hours(7), Mode: codex.ModeIncremental, Done: map[int64]time.Time{}},
		} {
			if err := b.apply(FeedPlan{Checkpoint: &want}); err != nil {
				t.Fatal(err)
			}
			var got Checkpoint
			err := b.db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
				got, err = loadCheckpoint(ctx, tx, codex.FeedDatto)
				return err
			})
			if err != nil || !got.Cursor.Equal(want.Cursor) || got.Mode != want.Mode || fmt.Sprint(got.Done) != fmt.Sprint(want.Done) {
				t.Errorf("got %+v (%v), want %+v", got, err, want)
			}
		}
	})
}
