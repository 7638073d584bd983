package syncers

// A company's account number is its key, here and in bills, so no sync changes it: a department that
// has another one is an issue, until an admin renames the company.

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/scheduledsnapshot"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// accountColumn is the column with the company that a row belongs to, in every table but companies.
const accountColumn = "company_account_number"

// belongings are the tables whose rows belong to a company.
func belongings() []string {
	return []string{contactLinks().tableName(), locations().tableName(), sites().tableName(), assets().tableName(), tickets().tableName()}
}

// companyPast is the history of companies and of what belongs to them, each with its column of the
// account number. Sites have none.
func companyPast() map[*history.Table]string {
	return map[*history.Table]string{
		companies().History: "account_number", contactLinks().History: accountColumn, locations().History: accountColumn,
		assets().History: accountColumn, tickets().History: accountColumn,
	}
}

// touchCompanies raises the revisions of all that belongs to companies: a plan that was made before is
// stale. It comes first in a transaction, and keeps others from these entities until its end.
func touchCompanies(ctx context.Context, tx *store.Tx) error {
	return tx.Raise(ctx, companies().Name, contactLinks().Name, locations().Name, sites().Name, assets().Name, tickets().Name, issuesEntity)
}

// RenameCompany gives a served company another account number. Its machines, people, places, sites,
// tickets, open issues and its place in the schedule of the monthly bills move along in one transaction; its versions end and go on under the new
// number, so that the past has the old one. Bills that are archived keep the old number. by is the
// person who does it.
//
// There being no such company is [codex.CodeNotFound], a number that another one has or had
// [codex.CodeConflict], one that is none [codex.CodeBadInput].
func (e *Engine) RenameCompany(ctx context.Context, from, to codex.AccountNumber, by string) (*ent.Company, error) {
	from, err := accountNumber("accountNumber", from)
	if err != nil {
		return nil, err
	}
	if to, err = accountNumber("to", to); err != nil {
		return nil, err
	}
	if from == to {
		return nil, codex.BadInput("to", "the company has this number already")
	}
	var renamed *ent.Company
	err = e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := touchCompanies(ctx, tx); err != nil {
			return err
		}
		company, err := servedCompany(ctx, tx, from)
		if err != nil {
			return err
		}
		if err := unused(ctx, tx, to); err != nil {
			return err
		}
		if err := rename(ctx, tx, company, to, by); err != nil {
			return err
		}
		renamed, err = tx.Ent().Company.Get(ctx, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("renaming the company %s: %w", from, defect(err))
	}
	e.logger.InfoContext(ctx, "company renamed", slog.String("account_number", string(from)), slog.String("to", string(to)), slog.String("by", by))
	return renamed, nil
}

// accountNumber is the number that field names, as a department with it has it.
func accountNumber(field string, number codex.AccountNumber) (codex.AccountNumber, error) {
	text := strings.TrimSpace(string(number))
	switch {
	case text == "":
		return "", codex.BadInput(field, "an account number is not empty")
	case tooLong(text):
		return "", codex.BadInput(field, "an account number has at most %d bytes", maxKey)
	case text != store.CleanText(text):
		return "", codex.BadInput(field, "an account number is text without NUL characters, in UTF-8")
	}
	return codex.AccountNumber(text), nil
}

// servedCompany is the row of a company that is served, which the argument accountNumber names.
func servedCompany(ctx context.Context, tx *store.Tx, account codex.AccountNumber) (CompanyRecord, error) {
	rows, err := load(ctx, tx, companies(), "account_number = $1 AND archived_at IS NULL", account)
	if err != nil {
		return CompanyRecord{}, err
	}
	if len(rows) == 0 {
		return CompanyRecord{}, &codex.Error{Code: codex.CodeNotFound, Field: "accountNumber", Message: fmt.Sprintf("there is no company %s", account)}
	}
	return rows[0], nil
}

// unused makes sure that no company has the number, nor had it when it was archived.
func unused(ctx context.Context, tx *store.Tx, account codex.AccountNumber) error {
	other, err := tx.Ent().Company.Get(ctx, account)
	switch {
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("looking who has the number %s: %w", account, err)
	case other.ArchivedAt != nil:
		return codex.Errorf(codex.CodeConflict,
			"the archived company %q has the account number %s, and gets it back if it returns: choose another one", other.Name, account)
	}
	return codex.Errorf(codex.CodeConflict,
		"the company %q has the account number %s: two companies are not made one. Give that one another number first, or choose another one", other.Name, account)
}

// rename moves the company and what belongs to it. Foreign keys hold at every step: the company is
// there under both numbers while the others change over.
func rename(ctx context.Context, tx *store.Tx, company CompanyRecord, to codex.AccountNumber, by string) error {
	from, table := company.Account, companies().table()
	company.Account = to
	first := company
	first.FreshserviceID = sql.Null[int64]{} // it is unique
	if err := tx.Upsert(ctx, table, [][]any{companies().row(&first)}); err != nil {
		return err
	}
	for _, table := range belongings() {
		if err := exec(ctx, tx, "UPDATE "+table+" SET company_account_number = $1 WHERE company_account_number = $2", to, from); err != nil {
			return fmt.Errorf("moving %s: %w", table, err)
		}
	}
	if err := tx.DeleteByKey(ctx, table, [][]any{{from}}); err != nil {
		return err
	}
	if err := tx.Upsert(ctx, table, [][]any{companies().row(&company)}); err != nil {
		return err
	}
	for past, column := range companyPast() {
		if err := history.Move(ctx, tx, *past, column, string(from), string(to), tx.Now(), history.Origin{By: by}); err != nil {
			return err
		}
	}
	const issues = "UPDATE sync_issues SET company_account_number = $1 WHERE company_account_number = $2 AND closed_at IS NULL"
	if err := exec(ctx, tx, issues, to, from); err != nil {
		return fmt.Errorf("moving issues: %w", err)
	}
	return renameInSchedule(ctx, tx, from, to)
}

// renameInSchedule puts the new number into the list of companies that the monthly bills are made for. What
// the schedule says otherwise is as it was, and so is who changed it last.
func renameInSchedule(ctx context.Context, tx *store.Tx, from, to codex.AccountNumber) error {
	if _, err := tx.Revisions(ctx, "scheduled_snapshots"); err != nil { // a person may be changing the list
		return err
	}
	rows, err := tx.Ent().ScheduledSnapshot.Query().Where(scheduledsnapshot.AccountNumbersNotNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("reading the schedule's companies: %w", err)
	}
	for _, row := range rows {
		listed, err := codex.ParseAccountNumbers(row.AccountNumbers)
		if err != nil {
			return err
		}
		at := slices.Index(listed, from)
		if at < 0 {
			continue
		}
		listed[at] = to
		text, err := json.Marshal(listed)
		if err != nil {
			return fmt.Errorf("writing the schedule's companies: %w", err)
		}
		if err := row.Update().SetAccountNumbers(string(text)).Exec(ctx); err != nil {
			return fmt.Errorf("moving the schedule's companies: %w", err)
		}
	}
	return nil
}

func exec(ctx context.Context, tx *store.Tx, statement string, args ...any) error {
	_, err := tx.SQL().ExecContext(ctx, statement, args...)
	return err
}
