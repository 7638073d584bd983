package syncers

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// issuesEntity is the name under which issues have a revision.
const issuesEntity = "sync_issues"

// applyIssues brings the feed's issues to those of the plan and tells whether it wrote any. One
// that is open and unchanged is not touched: that it was seen again follows from the run's success.
func applyIssues(ctx context.Context, tx *store.Tx, run codex.RunID, feed codex.Feed, p FeedPlan) (changed bool, err error) {
	rows, err := tx.Ent().SyncIssue.Query().Where(syncissue.FeedEQ(feed)).All(ctx)
	if err != nil {
		return false, fmt.Errorf("reading issues: %w", err)
	}
	type key struct{ kind, id string }
	known := make(map[key]*ent.SyncIssue, len(rows))
	for _, row := range rows {
		known[key{row.Kind, row.UpstreamID}] = row
	}
	met := make(map[key]bool, len(p.Issues))
	for _, issue := range p.Issues {
		issue.ID, issue.Reason = boundedKey(store.CleanText(issue.ID)), store.CleanText(issue.Reason)
		k := key{string(issue.Kind), issue.ID}
		if met[k] {
			continue
		}
		met[k] = true
		wrote, err := applyIssue(ctx, tx, run, feed, issue, known[k])
		if err != nil {
			return false, fmt.Errorf("writing the issue %s of %s: %w", issue.Kind, issue.ID, err)
		}
		changed = changed || wrote
	}
	var over []*ent.SyncIssue
	for k, row := range known {
		if row.ClosedAt == nil && !met[k] && p.Met != nil && p.Met(IssueKind(k.kind), k.id) {
			over = append(over, row)
		}
	}
	return changed || len(over) > 0, closeIssues(ctx, tx, over)
}

// closeIssues closes rows, and writes when they were seen last, which an open one need not say.
func closeIssues(ctx context.Context, tx *store.Tx, rows []*ent.SyncIssue) error {
	if err := query.New(tx.Ent(), query.Rules{}).RaiseLastSeen(ctx, rows); err != nil {
		return err
	}
	for _, row := range rows {
		if err := row.Update().SetClosedAt(tx.Now()).SetLastSeenAt(row.LastSeenAt).Exec(ctx); err != nil {
			return fmt.Errorf("closing the issue %s of %s: %w", row.Kind, row.UpstreamID, err)
		}
	}
	return nil
}

func applyIssue(ctx context.Context, tx *store.Tx, run codex.RunID, feed codex.Feed, issue Issue, row *ent.SyncIssue) (bool, error) {
	now := tx.Now()
	var account *codex.AccountNumber
	if issue.Account != "" {
		account = &issue.Account
	}
	if row == nil {
		return true, tx.Ent().SyncIssue.Create().SetFeed(feed).SetKind(string(issue.Kind)).SetUpstreamID(issue.ID).
			SetReason(issue.Reason).SetNillableCompanyAccountNumber(account).
			SetFirstSeenAt(now).SetLastSeenAt(now).SetFirstRunID(run).Exec(ctx)
	}
	sameAccount := row.CompanyAccountNumber == nil && account == nil ||
		row.CompanyAccountNumber != nil && account != nil && *row.CompanyAccountNumber == *account
	if row.ClosedAt == nil && row.Reason == issue.Reason && sameAccount {
		return false, nil
	}
	update := row.Update().SetReason(issue.Reason).SetLastSeenAt(now).ClearClosedAt()
	if account == nil {
		update.ClearCompanyAccountNumber()
	} else {
		update.SetCompanyAccountNumber(*account)
	}
	return true, update.Exec(ctx)
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

func countIssues(issues []Issue, entity string) int {
	n := 0
	for _, i := range issues {
		if i.entity == entity {
			n++
		}
	}
	return n
}
