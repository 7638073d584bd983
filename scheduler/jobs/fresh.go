package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
)

// StaleFeed is a feed that has not succeeded since the month ended, so that bills made now would be made
// from older data.
type StaleFeed struct {
	Feed      codex.Feed
	Succeeded *time.Time     // when its newest run that succeeded ended; nil where none did
	Newest    codex.RunState // of its newest run; empty where there was none
	Reason    string         // of that run, if it has one
}

// says is that for people, with what to do.
func (s StaleFeed) says(period codex.Period) string {
	text := fmt.Sprintf("%s has not succeeded since %s ended (", s.Feed, period)
	if s.Succeeded == nil {
		text += "it never has"
	} else {
		text += "it last has at " + shownTime(*s.Succeeded)
	}
	if s.Newest != "" && s.Newest != codex.RunSucceeded {
		text += "; its newest run is " + string(s.Newest)
		if s.Reason != "" {
			text += ": " + strings.ReplaceAll(s.Reason, "\n", " ")
		}
	}
	return text + ")"
}

// isFresh tells whether a succeeded run of a feed has seen all of a month that bills were asked for at a
// time: it began when that was over. Of a month that was not over then, it ended after that.
func isFresh(began, ended time.Time, period codex.Period, asked time.Time) bool {
	if period.End().After(asked) {
		return !ended.Before(asked)
	}
	return !began.Before(period.End())
}

// staleFeeds are those of feeds that are stale for bills of a period that were asked for at a time.
func staleFeeds(ctx context.Context, client *ent.Client, feeds []codex.Feed, period codex.Period, asked time.Time) ([]StaleFeed, error) {
	var stale []StaleFeed
	for _, feed := range feeds {
		runs := client.SyncRun.Query().Where(syncrun.FeedEQ(feed), syncrun.DryRun(false),
			syncrun.ModeNEQ(codex.ModeReread), syncrun.EndedAtNotNil()).
			Order(syncrun.ByEndedAt(sql.OrderDesc()), syncrun.ByID(sql.OrderDesc()))
		s := StaleFeed{Feed: feed}
		succeeded, err := runs.Clone().Where(syncrun.StateEQ(codex.RunSucceeded)).First(ctx)
		switch {
		case err == nil:
			s.Succeeded = succeeded.EndedAt
			if isFresh(startOf(succeeded), *succeeded.EndedAt, period, asked) {
				continue
			}
		case !ent.IsNotFound(err):
			return nil, fmt.Errorf("reading when %s succeeded: %w", feed, err)
		}
		newest, err := runs.First(ctx)
		switch {
		case err == nil:
			s.Newest, s.Reason = newest.State, valueOf(newest.Error)
		case !ent.IsNotFound(err):
			return nil, fmt.Errorf("reading the newest run of %s: %w", feed, err)
		}
		stale = append(stale, s)
	}
	return stale, nil
}

func startOf(run *ent.SyncRun) time.Time {
	if run.StartedAt != nil {
		return *run.StartedAt
	}
	return run.QueuedAt
}

// saysAll is what is stale, a sentence; empty where nothing is.
func saysAll(stale []StaleFeed, period codex.Period) string {
	if len(stale) == 0 {
		return ""
	}
	parts := make([]string, len(stale))
	for i, s := range stale {
		parts[i] = s.says(period)
	}
	return strings.Join(parts, "; ")
}
