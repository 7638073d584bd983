package syncers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// issuesEntity is the name under which issues have a revision.
const issuesEntity = "sync_issues"

// issueKey is what makes an issue the same, among those of its feed.
type issueKey struct{ kind, id string }

func keyOfIssue(row *ent.SyncIssue) issueKey { return issueKey{row.Kind, row.UpstreamID} }

// applyIssues brings the feed's issues to those of the plan and tells whether it wrote any. One that
// is open and unchanged is not touched: that it was seen again follows from the run's success. It reads
// the open ones and those that the plan names, and writes all in one bulk statement: closed ones
// gather for ever, and one wrong account number makes an issue of each machine.
func applyIssues(ctx context.Context, tx *store.Tx, run codex.RunID, feed codex.Feed, p FeedPlan) (changed bool, err error) {
	named := namedIssues(p.Issues)
	open, err := tx.Ent().SyncIssue.Query().Where(syncissue.FeedEQ(feed), syncissue.ClosedAtIsNil()).
		Order(ent.Asc(syncissue.FieldID)).All(ctx)
	if err != nil {
		return false, fmt.Errorf("reading issues: %w", err)
	}
	known := make(map[issueKey]*ent.SyncIssue, len(open))
	for _, row := range open {
		known[keyOfIssue(row)] = row
	}
	if err := addClosed(ctx, tx, feed, named, known); err != nil {
		return false, err
	}
	var write, over []*ent.SyncIssue
	met := make(map[issueKey]bool, len(named))
	for _, issue := range named {
		met[issue.key()] = true
		if row := issue.row(tx.Now(), run, feed, known[issue.key()]); row != nil {
			write = append(write, row)
		}
	}
	for _, row := range open {
		if !met[keyOfIssue(row)] && p.Met != nil && p.Met(IssueKind(row.Kind), row.UpstreamID) {
			over = append(over, row)
		}
	}
	if err := saveIssues(ctx, tx, write); err != nil {
		return false, err
	}
	return len(write)+len(over) > 0, closeIssues(ctx, tx, over)
}

// namedIssues are the issues of a plan in the form in which they are stored, the first of each key.
func namedIssues(issues []Issue) []Issue {
	met := make(map[issueKey]bool, len(issues))
	var named []Issue
	for _, issue := range issues {
		issue.ID, issue.Reason = boundedKey(store.CleanText(issue.ID)), store.CleanText(issue.Reason)
		if !met[issue.key()] {
			met[issue.key()] = true
			named = append(named, issue)
		}
	}
	return named
}

// addClosed adds those of named that are closed to known, which has the open ones: one statement a
// kind.
func addClosed(ctx context.Context, tx *store.Tx, feed codex.Feed, named []Issue, known map[issueKey]*ent.SyncIssue) error {
	ids := make(map[IssueKind][]string)
	for _, issue := range named {
		if known[issue.key()] == nil {
			ids[issue.Kind] = append(ids[issue.Kind], issue.ID)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(ids)) {
		closed, err := tx.Ent().SyncIssue.Query().Where(syncissue.FeedEQ(feed), syncissue.Kind(string(kind)),
			store.KeyIn(syncissue.FieldUpstreamID, ids[kind])).All(ctx)
		if err != nil {
			return fmt.Errorf("reading closed issues: %w", err)
		}
		for _, row := range closed {
			known[keyOfIssue(row)] = row
		}
	}
	return nil
}

// closeIssues closes rows, and writes when they were seen last, which an open one need not say.
func closeIssues(ctx context.Context, tx *store.Tx, rows []*ent.SyncIssue) error {
	if err := query.New(tx.Ent(), query.Rules{}).RaiseLastSeen(ctx, rows); err != nil {
		return err
	}
	now := tx.Now()
	for _, row := range rows {
		row.ClosedAt = &now
	}
	return saveIssues(ctx, tx, rows)
}

func (i Issue) key() issueKey { return issueKey{string(i.Kind), i.ID} }

// row is what is to be written where stored is the issue's row, nil where there is none; nil where
// there is nothing to write.
func (i Issue) row(now time.Time, run codex.RunID, feed codex.Feed, stored *ent.SyncIssue) *ent.SyncIssue {
	row := ent.SyncIssue{Feed: feed, Kind: string(i.Kind), UpstreamID: i.ID, FirstSeenAt: now, FirstRunID: run}
	if stored != nil {
		row = *stored
		if row.ClosedAt == nil && row.Reason == i.Reason && accountOrNone(row.CompanyAccountNumber) == i.Account {
			return nil
		}
	}
	row.Reason, row.LastSeenAt, row.ClosedAt, row.CompanyAccountNumber = i.Reason, now, nil, nil
	if i.Account != "" {
		row.CompanyAccountNumber = &i.Account
	}
	return &row
}

func accountOrNone(account *codex.AccountNumber) codex.AccountNumber {
	if account == nil {
		return ""
	}
	return *account
}

// issuesTable is the table sync_issues, for bulk statements. Its ids are given by the database.
func issuesTable() store.Table {
	t := store.Table{Name: issuesEntity, Key: []string{"feed", "kind", "upstream_id"}}
	for _, name := range []string{"feed", "kind", "upstream_id", "reason", "company_account_number", "first_run_id"} {
		t.Columns = append(t.Columns, store.Column{Name: name, Kind: store.Text})
	}
	for _, name := range []string{"first_seen_at", "last_seen_at", "closed_at"} {
		t.Columns = append(t.Columns, store.Column{Name: name, Kind: store.Time})
	}
	return t
}

// saveIssues writes rows, new ones and others.
func saveIssues(ctx context.Context, tx *store.Tx, rows []*ent.SyncIssue) error {
	values := make([][]any, len(rows))
	for i, row := range rows {
		values[i] = []any{row.Feed, row.Kind, row.UpstreamID, row.Reason, row.CompanyAccountNumber, row.FirstRunID,
			row.FirstSeenAt, row.LastSeenAt, row.ClosedAt}
	}
	if err := tx.Upsert(ctx, issuesTable(), values); err != nil {
		return fmt.Errorf("writing issues: %w", err)
	}
	return nil
}

// openIssues are the feed's open issues of some kinds.
func openIssues(ctx context.Context, tx *store.Tx, feed codex.Feed, kinds ...IssueKind) ([]*ent.SyncIssue, error) {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	rows, err := tx.Ent().SyncIssue.Query().
		Where(syncissue.FeedEQ(feed), syncissue.KindIn(words...), syncissue.ClosedAtIsNil()).
		Order(ent.Asc(syncissue.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading open issues: %w", err)
	}
	return rows, nil
}

// countIssues is how many rows issues make under an entity: two bad conversations of a ticket are one.
func countIssues(issues []Issue, entity string) int {
	n := 0
	for _, i := range namedIssues(issues) {
		if i.entity == entity {
			n++
		}
	}
	return n
}
