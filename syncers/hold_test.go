package syncers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/syncers"
)

func TestWhileFeedsAreHeldRunsWaitAndGoOnAfterwards(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		other := h.process()
		defer other.Close()
		var started []codex.RunID
		err := h.engine.HoldFeeds(t.Context(), func(ctx context.Context) error {
			for _, feed := range codex.Feeds() {
				run, _, err := other.Start(ctx, syncers.Request{Feed: feed, Trigger: codex.TriggerAPI, By: "ana"})
				if err != nil {
					return err
				}
				started = append(started, run.ID)
			}
			time.Sleep(time.Second)
			waiting, err := h.db.Ent().SyncRun.Query().Where(syncrun.StateEQ(codex.RunQueued)).Count(ctx)
			if err == nil && waiting != len(started) {
				t.Errorf("%d of %d runs wait while the feeds are held", waiting, len(started))
			}
			return err
		})
		h.must(err)
		for _, id := range started {
			run, err := other.Wait(t.Context(), id)
			h.must(err)
			if run.State != codex.RunSucceeded {
				t.Errorf("the run of %s is %s after the feeds were let go: %v", run.Feed, run.State, run.Error)
			}
		}
	})
}

func TestFeedsAreHeldOnlyWhenTheRunAtWorkHasEnded(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		run, _, err := h.engine.Start(t.Context(), syncers.Request{Feed: codex.FeedFreshservice, Trigger: codex.TriggerAPI, By: "ana"})
		h.must(err)
		for {
			row, err := h.db.Ent().SyncRun.Get(t.Context(), run.ID)
			h.must(err)
			if row.State != codex.RunQueued {
				break
			}
			time.Sleep(time.Millisecond)
		}
		h.must(h.engine.HoldFeeds(t.Context(), func(ctx context.Context) error {
			row, err := h.db.Ent().SyncRun.Get(ctx, run.ID)
			if err == nil && !row.State.Final() {
				t.Errorf("the run is %s while its feed is held", row.State)
			}
			return err
		}))
	})
}

func TestWhatFailsWhileFeedsAreHeldIsToldAndLetsThemGo(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		wrong := errors.New("wrong")
		if err := h.engine.HoldFeeds(t.Context(), func(context.Context) error { return wrong }); !errors.Is(err, wrong) {
			t.Errorf("HoldFeeds gives %v, not what failed", err)
		}
		h.must(h.engine.HoldFeeds(t.Context(), func(context.Context) error { return nil }))
		h.engine.Close()
		err := h.engine.HoldFeeds(t.Context(), func(context.Context) error { return nil })
		if codex.CodeOf(err) != codex.CodeUnavailable {
			t.Errorf("an engine that is closed gives %v", err)
		}
	})
}

func TestWhatIsAnnouncedWhileFeedsAreHeldIsReadAfterwards(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.sync(codex.FeedTickets)
		h.engine.ServeRereads()
		record := syncers.UpstreamRecord{Kind: syncers.RecordTicket, ID: 1}
		due := func() bool {
			row, err := h.db.Ent().SyncReread.Query().Only(t.Context())
			h.must(err)
			return row.DueAt != nil
		}
		h.must(h.engine.HoldFeeds(t.Context(), func(ctx context.Context) error {
			if err := h.engine.Announce(ctx, []syncers.UpstreamRecord{record}); err != nil {
				return err
			}
			time.Sleep(1500 * time.Millisecond) // longer than the queue is left alone
			if !due() {
				t.Error("a record was re-read while the feeds were held")
			}
			return nil
		}))
		for wait := 0; due(); wait++ {
			if wait > 200 {
				t.Fatal("a record was not re-read after the feeds were let go")
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}
