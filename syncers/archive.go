package syncers

// No sync removes a company: one that no department has any more is leaving, and stays served and
// billed until an admin archives it.

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// ArchiveCompany takes a company that is leaving out of what is served; by is the person who does it.
// Its version ends. What belongs to it (machines, people's links, places, sites, tickets) stays as it is,
// and is not served, since its company is not: it is there again, with the ids that it had, when a
// department has the company's account number again. Until then every sync treats the company as one
// that is not there.
//
// There being no such company is [codex.CodeNotFound], one that is not leaving [codex.CodeConflict].
func (e *Engine) ArchiveCompany(ctx context.Context, account codex.AccountNumber, by string) (*ent.Company, error) {
	account, err := accountNumber("accountNumber", account)
	if err != nil {
		return nil, err
	}
	var archived *ent.Company
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := touchCompanies(ctx, tx); err != nil {
			return err
		}
		company, err := servedCompany(ctx, tx, account)
		if err != nil {
			return err
		}
		leaving, err := tx.Ent().SyncIssue.Query().Where(
			syncissue.FeedEQ(codex.FeedFreshservice), syncissue.Kind(string(IssueCompanyLeaving)),
			syncissue.CompanyAccountNumber(account), syncissue.ClosedAtIsNil()).All(ctx)
		if err != nil {
			return fmt.Errorf("looking whether it is leaving: %w", err)
		}
		if len(leaving) == 0 {
			return codex.Errorf(codex.CodeConflict,
				"the company %s is not leaving: delete its department in Freshservice, or take the account number off it, sync freshservice, and archive it then", account)
		}
		company.ArchivedAt = some(tx.Now())
		// The department is free to become another company.
		company.FreshserviceID = sql.Null[int64]{}
		if err := tx.Upsert(ctx, companies().table(), [][]any{companies().row(&company)}); err != nil {
			return err
		}
		if err := history.Close(ctx, tx, *companies().History, [][]any{{account}}, tx.Now(), history.Origin{By: by}); err != nil {
			return err
		}
		if err := closeIssues(ctx, tx, leaving); err != nil {
			return err
		}
		archived, err = tx.Ent().Company.Get(ctx, account)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("archiving the company %s: %w", account, defect(err))
	}
	e.logger.InfoContext(ctx, "company archived", slog.String("account_number", string(account)), slog.String("by", by))
	return archived, nil
}

// servedAccounts are the numbers of the companies that are served: an archived one is as good as none.
func servedAccounts(list []CompanyRecord) map[codex.AccountNumber]bool {
	served := make(map[codex.AccountNumber]bool, len(list))
	for _, c := range list {
		if !c.ArchivedAt.Valid {
			served[c.Account] = true
		}
	}
	return served
}

// archivedAccounts are those of the companies that an admin archived: nobody loses what leaves them.
func archivedAccounts(list []CompanyRecord) map[codex.AccountNumber]bool {
	archived := make(map[codex.AccountNumber]bool)
	for _, c := range list {
		if c.ArchivedAt.Valid {
			archived[c.Account] = true
		}
	}
	return archived
}
