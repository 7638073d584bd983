package query_test

import (
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestARereadIsNoRunOfItsFeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := query.New(db.Ent(), rules())
		run := func(id codex.RunID, mode codex.RunMode, day int) {
			t.Helper()
			err := db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedFreshservice).SetMode(mode).
				SetTrigger(codex.TriggerWebhook).SetRequestedBy("x").SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).
				SetQueuedAt(querytest.At(day)).SetStartedAt(querytest.At(day)).SetEndedAt(querytest.At(day).Add(time.Hour)).Exec(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		run("reread-1", codex.ModeReread, 2)
		if last, err := r.LastRun(t.Context(), codex.FeedFreshservice); last != nil || err != nil {
			t.Errorf("it is the last run: %v, %v", last, err)
		}
		if _, err := r.AsOf(t.Context(), querytest.At(3), querytest.At(9)); codex.CodeOf(err) != codex.CodeNoHistory || err.Error() != "at: no sync has succeeded yet: there is no past" {
			t.Errorf("there is a past of it alone: %v", err)
		}
		run("run", codex.ModeFull, 4)
		run("reread-2", codex.ModeReread, 6)
		if last, err := r.LastRun(t.Context(), codex.FeedFreshservice); err != nil || last.ID != "run" {
			t.Errorf("the last run: %v, %v", last, err)
		}
		past, err := r.AsOf(t.Context(), querytest.At(8), querytest.At(9))
		if err != nil || *past.Coverage[0].RunID != "run" {
			t.Errorf("the past rests on %v, %v", past, err)
		}
		err = db.Ent().SyncIssue.Create().SetFeed(codex.FeedFreshservice).SetKind("k").SetUpstreamID("1").SetReason("x").
			SetFirstSeenAt(querytest.At(1)).SetLastSeenAt(querytest.At(1)).SetFirstRunID("run").Exec(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		issues, err := r.Issues(t.Context(), query.Page{First: 1}, query.IssueFilter{})
		if want := querytest.At(4).Add(time.Hour); err != nil || !issues.Rows[0].LastSeenAt.Equal(want) {
			t.Errorf("an issue was last seen at %v, want %v, %v", issues.Rows[0].LastSeenAt, want, err)
		}
		// "at" is what a removal is ascribed to that says nothing itself.
		byID := query.RunRefOf("reread-2")
		at := func(day int) query.RunRef {
			return query.RunRef("at freshservice " + querytest.At(day).UTC().Add(time.Minute).Format("2006-01-02T15:04:05.000000Z07:00"))
		}
		found, err := r.RunsByRef(t.Context(), []query.RunRef{byID, at(4), at(6)})
		if err != nil || found[byID] == nil || found[at(4)] == nil || found[at(4)].ID != "run" || found[at(6)] != nil {
			t.Errorf("runs by reference: %v, %v", found, err)
		}
	})
}
