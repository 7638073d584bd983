package syncers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/predicate"
)

type runPredicate = predicate.SyncRun

// feed is one of the things that are synced: its entities, in the order in which they are written,
// and the work of a run.
type feed struct {
	name     codex.Feed
	section  string // of the configuration; without it the feed is off
	entities []string
	off      bool
	run      func(ctx context.Context, run *Run) (Outcome, error)
}

// registry groups the entities into feeds.
func (e *Engine) registry() []feed {
	return []feed{
		{
			name: codex.FeedFreshservice, section: "freshservice", off: e.freshservice == nil,
			entities: []string{"companies", "locations", "contacts", "contact_links"},
			run:      e.syncFreshservice,
		},
		{
			name: codex.FeedDatto, section: "datto", off: e.datto == nil,
			entities: []string{"sites", "assets", "asset_links"},
			run:      e.syncDatto,
		},
		{
			name: codex.FeedTickets, section: "freshservice", off: e.freshservice == nil,
			entities: []string{"tickets", "time_entries"},
			run:      e.syncTickets,
		},
	}
}

// feed finds a feed that is on.
func (e *Engine) feed(name codex.Feed) (feed, error) {
	for _, f := range e.registry() {
		if f.name != name {
			continue
		}
		if f.off {
			return feed{}, codex.BadInput("feed", "the feed %s is off: the configuration has no section [%s]", name, f.section)
		}
		return f, nil
	}
	_, err := codex.ParseFeed(string(name))
	return feed{}, err
}

// Feeds are the feeds that are on, in the order in which they run.
func (e *Engine) Feeds() []codex.Feed {
	var on []codex.Feed
	for _, f := range e.registry() {
		if !f.off {
			on = append(on, f.name)
		}
	}
	return on
}
