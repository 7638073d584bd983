package syncers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncchange"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// longestReason bounds an admin's words, in characters.
const longestReason = 1000

// Approve lets the removals go that a run holds: the next run of its feed that can read everything
// makes those of them that still are, and no others. by and reason are kept on the held run. Errors:
// [codex.CodeNotFound] where there is no such run; [codex.CodeBadInput] where it holds nothing, or
// the reason is none; [codex.CodeConflict] where it was approved before, has not ended, or a newer
// run has looked since, whose removals are the ones to approve.
func (e *Engine) Approve(ctx context.Context, id codex.RunID, by, reason string) (*ent.SyncRun, error) {
	reason = strings.TrimSpace(store.CleanText(reason))
	switch {
	case reason == "":
		return nil, codex.BadInput("reason", "say why these removals are right: it is kept with them")
	case utf8.RuneCountInString(reason) > longestReason:
		return nil, codex.BadInput("reason", "must be at most %d characters", longestReason)
	}
	var approved *ent.SyncRun
	err := e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		// Of two admins at once one is told of the other.
		if _, err := tx.Revisions(ctx, runsEntity); err != nil {
			return err
		}
		held, err := tx.Ent().SyncRun.Get(ctx, id)
		if ent.IsNotFound(err) {
			return codex.Errorf(codex.CodeNotFound, "there is no sync run %s", id)
		}
		if err != nil {
			return err
		}
		if err := approvable(ctx, tx, held); err != nil {
			return err
		}
		approved, err = held.Update().SetApprovedBy(by).SetApprovalReason(reason).SetApprovedAt(tx.Now()).Save(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("approving the removals of run %s: %w", id, err)
	}
	return approved, nil
}

func approvable(ctx context.Context, tx *store.Tx, held *ent.SyncRun) error {
	switch {
	case !held.State.Final():
		return codex.Errorf(codex.CodeConflict, "the run is still %s: approve what it holds when it has ended", held.State)
	case held.DryRun:
		return codex.BadInput("run", "this was a dry run, which holds nothing back: make a real one first")
	case held.ApprovedAt != nil:
		return codex.Errorf(codex.CodeConflict, "%s has approved the removals of this run already", *held.ApprovedBy)
	}
	n, err := tx.Ent().SyncChange.Query().Where(syncchange.RunID(held.ID), syncchange.Kind(string(changeHeld))).Count(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return codex.BadInput("run", "this run holds no removals: it is %s", held.State)
	}
	// A full run may hold what no incremental one looks for.
	modes := []codex.RunMode{codex.ModeFull}
	if held.Mode == codex.ModeIncremental {
		modes = append(modes, codex.ModeIncremental)
	}
	newer, err := tx.Ent().SyncRun.Query().Where(
		syncrun.FeedEQ(held.Feed), syncrun.ModeIn(modes...), syncrun.DryRun(false), syncrun.QueuedAtGT(held.QueuedAt),
		syncrun.StateIn(codex.RunSucceeded, codex.RunHeld),
	).Order(ent.Desc(syncrun.FieldQueuedAt)).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case newer.State == codex.RunSucceeded:
		return codex.Errorf(codex.CodeConflict, "run %s has looked since and holds nothing: there is nothing to approve any more", newer.ID)
	}
	return codex.Errorf(codex.CodeConflict, "run %s has looked since: approve what that one holds", newer.ID)
}

// approvals are the removals of a feed that were approved and not made yet.
type approvals struct {
	runs    []codex.RunID // that held them
	records map[approvedKey]codex.AccountNumber
}

// approvedKey names a record that may go; the value is the company that it may move to, empty where it
// may be removed.
type approvedKey struct{ entity, record string }

// has tells whether a record may leave as it does: who approved that it is removed has not said where
// else it may go.
func (a approvals) has(entity string, l Leaver) bool {
	to, approved := a.records[approvedKey{entity, l.Key}]
	return approved && to == l.To
}

// ids are the approved records of an entity whose key is a number.
func (a approvals) ids(entity string) []int {
	var ids []int
	for key := range a.records {
		if key.entity == entity {
			ids = append(ids, numeric(key.record))
		}
	}
	return ids
}

// ApprovalLasts is how long an approval waits for a run that can read everything: what an admin looked
// at then says little of a record that is absent weeks later.
const ApprovalLasts = 7 * 24 * time.Hour

// loadApprovals reads the approved removals of a feed.
func loadApprovals(ctx context.Context, tx *store.Tx, feed codex.Feed) (approvals, error) {
	found := approvals{records: make(map[approvedKey]codex.AccountNumber)}
	held, err := tx.Ent().SyncRun.Query().
		Where(syncrun.FeedEQ(feed), syncrun.ApprovedAtGT(tx.Now().Add(-ApprovalLasts)), syncrun.ApprovalRunIDIsNil()).IDs(ctx)
	if err != nil || len(held) == 0 {
		return found, err
	}
	found.runs = held
	changes, err := tx.Ent().SyncChange.Query().
		Where(syncchange.RunIDIn(held...), syncchange.Kind(string(changeHeld))).
		Select(syncchange.FieldEntity, syncchange.FieldRecordID, syncchange.FieldFields).All(ctx)
	if err != nil {
		return found, err
	}
	for _, c := range changes {
		to, err := movesTo(c.Fields)
		if err != nil {
			return found, fmt.Errorf("reading what was approved of %s %s: %w", c.Entity, c.RecordID, err)
		}
		found.records[approvedKey{c.Entity, c.RecordID}] = to
	}
	return found, nil
}

// movesTo is the company that a held record would move to, by the fields that its change keeps; empty
// where it would be removed.
func movesTo(fields string) (codex.AccountNumber, error) {
	var list []fieldChange
	if err := json.Unmarshal([]byte(fields), &list); err != nil {
		return "", err
	}
	for _, f := range list {
		if to, ok := f.New.(string); ok && f.Field == accountColumn {
			return codex.AccountNumber(to), nil
		}
	}
	return "", nil
}

// spend notes that a run has made the removals that were approved, as far as they still were.
func (a approvals) spend(ctx context.Context, tx *store.Tx, run codex.RunID) error {
	if len(a.runs) == 0 {
		return nil
	}
	return tx.Ent().SyncRun.Update().Where(syncrun.IDIn(a.runs...), syncrun.ApprovalRunIDIsNil()).SetApprovalRunID(run).Exec(ctx)
}
