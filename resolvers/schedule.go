package resolvers

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/scheduler"
)

// Scheduler knows when syncs and the monthly bills are due.
type Scheduler interface {
	Schedules(ctx context.Context) ([]scheduler.Schedule, error)
	SnapshotSchedule(ctx context.Context) (*ent.ScheduledSnapshot, error)
	UpdateSnapshotSchedule(ctx context.Context, edit scheduler.Edit, by codex.Caller) (*ent.ScheduledSnapshot, error)
	MissedMonths(ctx context.Context, settled bool) ([]*ent.MissedMonth, error)
	DismissMissedMonth(ctx context.Context, period codex.Period, note string, by codex.Caller) (*ent.MissedMonth, error)
}

type (
	scheduleResolver         struct{ *resolver }
	snapshotScheduleResolver struct{ *resolver }
	missedMonthResolver      struct{ *resolver }
)

func (r queryResolver) Schedules(ctx context.Context) ([]*scheduler.Schedule, error) {
	all, err := r.schedule.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]*scheduler.Schedule, len(all))
	for i := range all {
		shown[i] = &all[i]
	}
	return shown, nil
}

func (r scheduleResolver) Off(_ context.Context, s *scheduler.Schedule) (*string, error) {
	return filled(s.WhyOff), nil
}

func (r scheduleResolver) NextMonth(_ context.Context, s *scheduler.Schedule) (*string, error) {
	return monthOrNil(s.NextPeriod), nil
}

func (r scheduleResolver) LastMonth(_ context.Context, s *scheduler.Schedule) (*string, error) {
	return monthOrNil(s.LastPeriod), nil
}

func monthOrNil(period *codex.Period) *string {
	if period == nil {
		return nil
	}
	month := period.String()
	return &month
}

func (r queryResolver) SnapshotSchedule(ctx context.Context) (*ent.ScheduledSnapshot, error) {
	return r.schedule.SnapshotSchedule(ctx)
}

func (r snapshotScheduleResolver) AccountNumbers(_ context.Context, s *ent.ScheduledSnapshot) ([]string, error) {
	numbers, err := accountNumbers(s.AccountNumbers)
	if numbers == nil {
		numbers = []string{}
	}
	return numbers, err
}

func (r mutationResolver) UpdateSnapshotSchedule(ctx context.Context, input model.UpdateSnapshotScheduleInput) (*model.UpdateSnapshotSchedulePayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	edit := scheduler.Edit{
		Enabled: input.Enabled, DayOfMonth: input.DayOfMonth, Hour: input.Hour,
		PreviousMonth: input.SnapshotPreviousMonth, AllCompanies: input.SnapshotAllCompanies,
	}
	if input.AccountNumbers != nil {
		accounts := accountsOf(input.AccountNumbers)
		edit.AccountNumbers = &accounts
	}
	changed, err := r.schedule.UpdateSnapshotSchedule(ctx, edit, caller)
	if err != nil {
		return nil, err
	}
	return &model.UpdateSnapshotSchedulePayload{Schedule: changed}, nil
}

func (r queryResolver) MissedMonths(ctx context.Context, settled bool) ([]*ent.MissedMonth, error) {
	return r.schedule.MissedMonths(ctx, settled)
}

func (r missedMonthResolver) BillingMonth(_ context.Context, m *ent.MissedMonth) (string, error) {
	return codex.Period{Year: m.Year, Month: time.Month(m.Month)}.String(), nil
}

func (r mutationResolver) DismissMissedMonth(ctx context.Context, year, month int, note string) (*model.DismissMissedMonthPayload, error) {
	period, err := periodOf(year, month)
	if err != nil {
		return nil, err
	}
	caller, _ := codex.CallerFrom(ctx)
	dismissed, err := r.schedule.DismissMissedMonth(ctx, period, note, caller)
	if err != nil {
		return nil, err
	}
	return &model.DismissMissedMonthPayload{Month: dismissed}, nil
}
