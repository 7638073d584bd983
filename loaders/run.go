package loaders

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// ApprovalRunOf is the run that made the removals of run that were approved, nil where none did yet.
func ApprovalRunOf(ctx context.Context, run *ent.SyncRun) (*ent.SyncRun, error) {
	return load(ctx, runOf(func(run *ent.SyncRun) query.RunRef { return query.RunRefOf(pointed(run.ApprovalRunID)) }), run)
}

// ChangesOfRun is a page of what run changed, or a dry run would.
func ChangesOfRun(ctx context.Context, run *ent.SyncRun, page query.Page) (*query.PageOf[*query.RunChange], error) {
	return load(ctx, edge[*ent.SyncRun, codex.RunID, *query.PageOf[*query.RunChange]]{
		key: runID,
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.RunID, _ []string) (map[codex.RunID]*query.PageOf[*query.RunChange], error) {
			return r.RunChanges(ctx, keys, page)
		},
	}, run)
}

// CountChangesOfRun is how many there are in all.
func CountChangesOfRun(ctx context.Context, run *ent.SyncRun) (int, error) {
	return load(ctx, edge[*ent.SyncRun, codex.RunID, int]{
		key: runID,
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.RunID, _ []string) (map[codex.RunID]int, error) {
			return r.CountRunChanges(ctx, keys)
		},
	}, run)
}

// HeldByRun are the removals that run holds back.
func HeldByRun(ctx context.Context, run *ent.SyncRun) ([]*query.RunChange, error) {
	return load(ctx, edge[*ent.SyncRun, codex.RunID, []*query.RunChange]{
		key: runID,
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.RunID, _ []string) (map[codex.RunID][]*query.RunChange, error) {
			return r.HeldByRun(ctx, keys)
		},
	}, run)
}

func runID(run *ent.SyncRun) codex.RunID { return run.ID }
