package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
)

// monthlyID is the key of the one row of scheduled_snapshots.
const monthlyID = 1

// monthlyEntity is the name under which that row has a revision: asking for it in a transaction that
// writes makes that the only one that changes the schedule.
const monthlyEntity = "scheduled_snapshots"

// SnapshotSchedule is when the monthly bills are made. A database that has no such row gets one.
func (s *Scheduler) SnapshotSchedule(ctx context.Context) (*ent.ScheduledSnapshot, error) {
	return jobs.MakeSchedule(ctx, s.o.DB)
}

// Edit changes the schedule of the monthly bills: what is nil stays.
type Edit struct {
	Enabled       *bool
	DayOfMonth    *int  // 1 to 31; in a shorter month its last day
	Hour          *int  // 0 to 23, in the time zone of [scheduler] timezone
	PreviousMonth *bool // false: the month in which it runs
	AllCompanies  *bool
	// AccountNumbers are the companies where it is not for all. They are kept while it is for all.
	AccountNumbers *[]codex.AccountNumber
}

// UpdateSnapshotSchedule changes when the monthly bills are made, for by. All replicas go by it within a
// second; what was due before is settled as it was meant then. Switched on again it owes nothing for the
// time that it was off. What is wrong with edit is [codex.CodeBadInput] with the Field of dayOfMonth, hour
// or accountNumbers, and nothing has changed then.
func (s *Scheduler) UpdateSnapshotSchedule(ctx context.Context, edit Edit, by codex.Caller) (*ent.ScheduledSnapshot, error) {
	if err := edit.check(); err != nil {
		return nil, err
	}
	row, err := s.SnapshotSchedule(ctx) // so that it is there
	if err != nil {
		return nil, err
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if _, err := tx.Revisions(ctx, monthlyEntity); err != nil {
			return err
		}
		if row, err = tx.Ent().ScheduledSnapshot.Get(ctx, monthlyID); err != nil {
			return err
		}
		update := tx.Ent().ScheduledSnapshot.UpdateOne(row).SetNillableEnabled(edit.Enabled).
			SetNillableDayOfMonth(edit.DayOfMonth).SetNillableHour(edit.Hour).
			SetNillableSnapshotPreviousMonth(edit.PreviousMonth).SetNillableSnapshotAllCompanies(edit.AllCompanies).
			SetUpdatedAt(tx.Now()).SetUpdatedBy(by.Name)
		if edit.Enabled != nil && *edit.Enabled && !row.Enabled {
			update.SetOwedSince(tx.Now())
		}
		if edit.AccountNumbers != nil {
			accounts, err := known(ctx, tx, *edit.AccountNumbers)
			if err != nil {
				return err
			}
			text, err := json.Marshal(accounts)
			if err != nil {
				return fmt.Errorf("writing the list of companies: %w", err)
			}
			update.SetAccountNumbers(string(text))
		}
		if row, err = update.Save(ctx); err != nil {
			return err
		}
		return someCompany(row)
	})
	if err != nil {
		return nil, fmt.Errorf("changing the schedule of the monthly bills: %w", err)
	}
	return row, nil
}

func (e Edit) check() error {
	switch {
	case e.DayOfMonth != nil && (*e.DayOfMonth < 1 || *e.DayOfMonth > 31):
		return codex.BadInput("dayOfMonth", "give a day from 1 to 31: a shorter month has it on its last day")
	case e.Hour != nil && (*e.Hour < 0 || *e.Hour > 23):
		return codex.BadInput("hour", "give an hour from 0 to 23")
	}
	return nil
}

// someCompany refuses a schedule that is for no company.
func someCompany(row *ent.ScheduledSnapshot) error {
	accounts, err := accountsOf(row)
	if err != nil || row.SnapshotAllCompanies || len(accounts) > 0 {
		return err
	}
	return codex.BadInput("accountNumbers", "name at least one company, since it is not for all of them")
}

// known is a list of companies without repetitions, each of which is served.
func known(ctx context.Context, tx *store.Tx, accounts []codex.AccountNumber) ([]codex.AccountNumber, error) {
	list := []codex.AccountNumber{}
	for _, account := range accounts {
		if account = codex.AccountNumber(strings.TrimSpace(string(account))); !slices.Contains(list, account) {
			list = append(list, account)
		}
	}
	there, err := tx.Ent().Company.Query().
		Where(predicate.Company(store.KeyIn(company.FieldID, list)), company.ArchivedAtIsNil()).IDs(ctx)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, account := range list {
		if !slices.Contains(there, account) {
			unknown = append(unknown, fmt.Sprintf("%q", string(account)))
		}
	}
	switch len(unknown) {
	case 0:
		return list, nil
	case 1:
		return nil, codex.BadInput("accountNumbers", "no company has the account number %s", unknown[0])
	}
	return nil, codex.BadInput("accountNumbers", "no companies have the account numbers %s", strings.Join(unknown, ", "))
}
