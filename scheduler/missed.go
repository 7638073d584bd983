package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/missedmonth"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/store"
)

// missedMonth is a month that a person must see to, and why.
type missedMonth struct {
	due    Due
	reason string
}

// missedOf says of the months that d leaves to a person why it does.
func missedOf(d Decision, now time.Time, setting Setting) []missedMonth {
	var missed []missedMonth
	for i, due := range d.Missed {
		why := "A newer month was due since, and"
		if d.Run == nil && i == len(d.Missed)-1 {
			why = fmt.Sprintf("That was more than %s before the hub came to it on %s, and", days(setting.CatchUp), now.UTC().Format(time.DateTime))
		}
		missed = append(missed, missedMonth{due, fmt.Sprintf(
			"Its bills were due on %s UTC, and nothing was there to make them. %s Ledger would make them from today's machines and people.",
			due.At.UTC().Format(time.DateTime), why)})
	}
	return missed
}

func days(d time.Duration) string {
	if n := int(d / (24 * time.Hour)); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}

// miss lists months, unless they are listed.
func (s *Scheduler) miss(ctx context.Context, tx *store.Tx, months []missedMonth) error {
	for _, m := range months {
		period := m.due.Period
		there, err := tx.Ent().MissedMonth.Query().
			Where(missedmonth.Year(period.Year), missedmonth.Month(int(period.Month))).Exist(ctx)
		if err == nil && !there {
			s.o.Logger.WarnContext(ctx, "the bills of a month were missed and need a person",
				slog.String("period", period.String()), slog.Time("due_at", m.due.At))
			err = tx.Ent().MissedMonth.Create().SetYear(period.Year).SetMonth(int(period.Month)).
				SetDueAt(store.UTC(m.due.At)).SetNoticedAt(tx.Now()).SetReason(m.reason).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("listing %s as missed: %w", period, err)
		}
	}
	return nil
}

// MissedMonths are the months whose bills nobody makes by himself, newest first: those that need a person,
// and where settled is true those that were settled too.
func (s *Scheduler) MissedMonths(ctx context.Context, settled bool) ([]*ent.MissedMonth, error) {
	query := s.o.DB.Ent().MissedMonth.Query()
	if !settled {
		query.Where(missedmonth.SettledAtIsNil())
	}
	rows, err := query.Order(missedmonth.ByYear(sql.OrderDesc()), missedmonth.ByMonth(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the months that were missed: %w", err)
	}
	return rows, nil
}

// maxNote is how many characters a note may have.
const maxNote = 10_000

// DismissMissedMonth settles a month that needs no job, or no other than it had, as by says in note. One
// that is not listed is [codex.CodeNotFound], one that is settled [codex.CodeConflict].
func (s *Scheduler) DismissMissedMonth(ctx context.Context, period codex.Period, note string, by codex.Caller) (*ent.MissedMonth, error) {
	note = strings.TrimSpace(note)
	switch {
	case note == "":
		return nil, codex.BadInput("note", "say why nothing is to be done: it is kept for those who ask later")
	case note != store.CleanText(note), len([]rune(note)) > maxNote:
		return nil, codex.BadInput("note", "a note is text of at most %d characters", maxNote)
	}
	var row *ent.MissedMonth
	err := s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.Ent().MissedMonth.Query().
			Where(missedmonth.Year(period.Year), missedmonth.Month(int(period.Month))).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return codex.Errorf(codex.CodeNotFound, "%s was not missed", period)
		case err != nil:
			return err
		case row.SettledAt != nil:
			return codex.Errorf(codex.CodeConflict, "%s is settled", period)
		}
		n, err := tx.Ent().MissedMonth.Update().Where(missedmonth.ID(row.ID), missedmonth.SettledAtIsNil()).
			SetSettledAt(tx.Now()).SetSettledBy(by.Name).SetNote(note).Save(ctx)
		if err != nil || n == 0 {
			return errorOr(err, codex.Errorf(codex.CodeConflict, "%s is settled", period))
		}
		row, err = tx.Ent().MissedMonth.Get(ctx, row.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dismissing the missed month %s: %w", period, err)
	}
	return row, nil
}

// errorOr is err, or other where there is none.
func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// settleMissed settles the months that a job has seen to meanwhile, whoever started it.
func (s *Scheduler) settleMissed(ctx context.Context, lease *store.Lease, v *view) error {
	months, err := s.MissedMonths(ctx, false)
	if err != nil || len(months) == 0 {
		return err
	}
	wanted, err := accountsOf(v.monthly)
	if err != nil {
		return err
	}
	for _, month := range months {
		job, err := s.jobOf(ctx, month, wanted)
		if err != nil {
			return fmt.Errorf("looking for a job of the missed month %d-%02d: %w", month.Year, month.Month, err)
		}
		if job == nil {
			continue
		}
		err = s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.CheckLease(ctx, lease); err != nil {
				return err
			}
			return tx.Ent().MissedMonth.Update().Where(missedmonth.ID(month.ID), missedmonth.SettledAtIsNil()).
				SetSettledAt(tx.Now()).SetSettledJobID(job.ID).Exec(ctx)
		})
		if err != nil {
			return fmt.Errorf("settling the missed month %d-%02d: %w", month.Year, month.Month, err)
		}
	}
	return nil
}

// jobOf is a job that got every bill of a month, for all companies, or for all of wanted where the
// schedule is for those alone; nil if there is none.
func (s *Scheduler) jobOf(ctx context.Context, month *ent.MissedMonth, wanted []codex.AccountNumber) (*ent.SnapshotJob, error) {
	jobs, err := s.o.DB.Ent().SnapshotJob.Query().
		Where(snapshotjob.TargetYear(month.Year), snapshotjob.TargetMonth(month.Month),
			snapshotjob.StateEQ(codex.JobCompleted), snapshotjob.Success(true)).
		Order(snapshotjob.ByStartedAt()).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, job := range jobs {
		had, err := codex.ParseAccountNumbers(job.TargetAccountNumbers)
		if err != nil {
			return nil, err
		}
		missing := func(account codex.AccountNumber) bool { return !slices.Contains(had, account) }
		if had == nil || wanted != nil && !slices.ContainsFunc(wanted, missing) {
			return job, nil
		}
	}
	return nil, nil
}
