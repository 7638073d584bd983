package main

import (
	"context"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// syncRun is a run as GraphQL has it, its enums in the hub's own words.
type syncRun struct {
	ID            codex.RunID
	Feed          codex.Feed
	State         codex.RunState
	DryRun        bool
	Forced        bool
	StartedAt     *time.Time
	EndedAt       *time.Time
	Phase         string
	ProgressDone  int
	ProgressTotal int
	Counts        []syncers.EntityCounts
	Error         *string

	Joined  bool        // it was there before its caller asked for it
	Detail  *runDetail  // nil unless it was asked for
	Changes []runChange // those that its caller is told; nil: none are
}

const runFields = `{ id feed state dryRun forced startedAt endedAt phase progressDone progressTotal error
	counts { entity created updated removed unchanged held issues } }`

// own puts GraphQL's enums, the hub's words in capitals, back into small letters.
func (r *syncRun) own() *syncRun {
	r.Feed = codex.Feed(strings.ToLower(string(r.Feed)))
	r.State = codex.RunState(strings.ToLower(string(r.State)))
	return r
}

// startSync starts a run, or joins the one that does the same, and returns it at once.
func (h *hub) startSync(ctx context.Context, feed codex.Feed, flags syncFlags) (*syncRun, error) {
	variables := map[string]any{"dryRun": flags.dryRun, "force": flags.force}
	var mutation string
	switch feed {
	case codex.FeedFreshservice:
		mutation = `mutation($dryRun: Boolean!, $force: Boolean!) {
			started: syncFreshservice(dryRun: $dryRun, force: $force) { joined run ` + runFields + ` } }`
	case codex.FeedDatto:
		mutation = `mutation($dryRun: Boolean!, $force: Boolean!) {
			started: syncDatto(dryRun: $dryRun, force: $force) { joined run ` + runFields + ` } }`
	case codex.FeedTickets:
		variables["full"] = flags.full
		mutation = `mutation($full: Boolean!, $dryRun: Boolean!, $force: Boolean!) {
			started: syncTickets(full: $full, dryRun: $dryRun, force: $force) { joined run ` + runFields + ` } }`
	}
	var answer struct {
		Started struct {
			Joined bool
			Run    syncRun
		}
	}
	if err := h.ask(ctx, mutation, variables, &answer); err != nil {
		return nil, err
	}
	run := answer.Started.Run.own()
	run.Joined = answer.Started.Joined
	return run, nil
}

// run reads a run.
func (h *hub) run(ctx context.Context, id codex.RunID) (*syncRun, error) {
	var answer struct{ SyncRun *syncRun }
	err := h.ask(ctx, `query($id: ID!) { syncRun(id: $id) `+runFields+` }`, map[string]any{"id": id}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.SyncRun == nil {
		return nil, noRun(id)
	}
	return answer.SyncRun.own(), nil
}

func noRun(id codex.RunID) error {
	return codex.Errorf(codex.CodeNotFound, "there is no sync run %s", id)
}
