package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/store"
)

// fakeSchedule has a schedule of datto that is off and one of the bills, with the runs and jobs of the world,
// and one month that was missed and one that is settled. It keeps what it was asked.
type fakeSchedule struct {
	db    *store.DB
	asked []string
	err   error
}

func (f *fakeSchedule) Schedules(ctx context.Context) ([]scheduler.Schedule, error) {
	if f.err != nil {
		return nil, f.err
	}
	run, err := f.db.Ent().SyncRun.Get(ctx, "r2")
	if err != nil {
		return nil, err
	}
	job, err := f.db.Ent().SnapshotJob.Get(ctx, "j1")
	if err != nil {
		return nil, err
	}
	next, last, since := querytest.At(31), querytest.At(11), querytest.At(1)
	return []scheduler.Schedule{
		{Name: "datto", WhyOff: "[scheduler] enabled is false", Rule: "0 3 * * * (UTC)", Zone: "UTC", LastDueAt: &last, LastRun: run},
		{
			Name: scheduler.Snapshots, Enabled: true, Rule: "on day 1 at 02:00 (Europe/Berlin)", Zone: "Europe/Berlin",
			NextDueAt: &next, NextPeriod: &codex.Period{Year: 2025, Month: time.October},
			LastDueAt: &last, LastPeriod: &codex.Period{Year: 2025, Month: time.September}, OwedSince: &since, LastJob: job,
		},
	}, nil
}

func (f *fakeSchedule) SnapshotSchedule(context.Context) (*ent.ScheduledSnapshot, error) {
	last, status, count, accounts := querytest.At(12), "failed", 2, `["620547","900"]`
	return &ent.ScheduledSnapshot{
		ID: 1, Enabled: true, DayOfMonth: 1, Hour: 2, SnapshotPreviousMonth: true, SnapshotAllCompanies: true, AccountNumbers: &accounts,
		LastRunAt: &last, LastRunStatus: &status, LastRunCount: &count, OwedSince: querytest.At(1), UpdatedAt: querytest.At(2),
	}, f.err
}

func (f *fakeSchedule) UpdateSnapshotSchedule(ctx context.Context, edit scheduler.Edit, by codex.Caller) (*ent.ScheduledSnapshot, error) {
	said := func(name string, value any, given bool) string {
		if !given {
			return ""
		}
		return fmt.Sprintf(" %s=%v", name, value)
	}
	f.asked = append(f.asked, "update by "+by.Name+
		said("enabled", edit.Enabled != nil && *edit.Enabled, edit.Enabled != nil)+
		said("day", at(edit.DayOfMonth), edit.DayOfMonth != nil)+said("hour", at(edit.Hour), edit.Hour != nil)+
		said("previous", edit.PreviousMonth != nil && *edit.PreviousMonth, edit.PreviousMonth != nil)+
		said("all", edit.AllCompanies != nil && *edit.AllCompanies, edit.AllCompanies != nil)+
		said("accounts", at(edit.AccountNumbers), edit.AccountNumbers != nil))
	return f.SnapshotSchedule(ctx)
}

// at is what p points to, or its type's zero value.
func at[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

func (f *fakeSchedule) MissedMonths(_ context.Context, settled bool) ([]*ent.MissedMonth, error) {
	when, by, note := querytest.At(21), "ann", "billed by hand"
	months := []*ent.MissedMonth{
		{ID: 2, Year: 2025, Month: 8, DueAt: querytest.At(1), NoticedAt: querytest.At(20), Reason: "nothing was there to make them"},
		{ID: 1, Year: 2025, Month: 7, DueAt: querytest.At(1), NoticedAt: querytest.At(20), Reason: "nothing was there to make them", SettledAt: &when, SettledBy: &by, Note: &note},
	}
	if settled {
		return months, f.err
	}
	return months[:1], f.err
}

func (f *fakeSchedule) DismissMissedMonth(ctx context.Context, period codex.Period, note string, by codex.Caller) (*ent.MissedMonth, error) {
	f.asked = append(f.asked, fmt.Sprintf("dismiss %s by %s: %s", period, by.Name, note))
	months, err := f.MissedMonths(ctx, true)
	return months[1], err
}

func TestSchedulesAreAnsweredAndChangedAsTheyAre(t *testing.T) {
	g := onWorld(t)
	for _, c := range []struct{ name, text, asked, want string }{
		{"schedules", `{ schedules { name enabled off rule zone nextDue nextMonth lastDue lastMonth owedSince lastRun { id held { recordId } } lastJob { id companies(states: FAILED) { accountNumber } } } }`, "",
			`{"data":{"schedules":[{"name":"DATTO","enabled":false,"off":"[scheduler] enabled is false","rule":"0 3 * * * (UTC)","zone":"UTC","nextDue":null,"nextMonth":null,"lastDue":"2025-10-11T12:00:00Z","lastMonth":null,"owedSince":null,"lastRun":{"id":"r2","held":[{"recordId":"1"},{"recordId":"2"}]},"lastJob":null},` +
				`{"name":"SNAPSHOTS","enabled":true,"off":null,"rule":"on day 1 at 02:00 (Europe/Berlin)","zone":"Europe/Berlin","nextDue":"2025-10-31T12:00:00Z","nextMonth":"2025-10","lastDue":"2025-10-11T12:00:00Z","lastMonth":"2025-09","owedSince":"2025-10-01T12:00:00Z","lastRun":null,"lastJob":{"id":"j1","companies":[{"accountNumber":"LEFT"}]}}]}}`},
		{"that of the bills", `{ snapshotSchedule { enabled dayOfMonth hour snapshotPreviousMonth snapshotAllCompanies accountNumbers lastRunAt lastRunStatus lastRunCount owedSince updatedAt } }`, "",
			`{"data":{"snapshotSchedule":{"enabled":true,"dayOfMonth":1,"hour":2,"snapshotPreviousMonth":true,"snapshotAllCompanies":true,"accountNumbers":["620547","900"],"lastRunAt":"2025-10-12T12:00:00Z","lastRunStatus":"failed","lastRunCount":2,"owedSince":"2025-10-01T12:00:00Z","updatedAt":"2025-10-02T12:00:00Z"}}}`},
		{"what was missed", `{ missedMonths { billingMonth dueAt noticedAt reason settledAt } }`, "",
			`{"data":{"missedMonths":[{"billingMonth":"2025-08","dueAt":"2025-10-01T12:00:00Z","noticedAt":"2025-10-20T12:00:00Z","reason":"nothing was there to make them","settledAt":null}]}}`},
		{"what was missed and is settled", `{ missedMonths(settled: true) { year month settledBy note } }`, "",
			`{"data":{"missedMonths":[{"year":2025,"month":8,"settledBy":null,"note":null},{"year":2025,"month":7,"settledBy":"ann","note":"billed by hand"}]}}`},
		{"a change of one thing", `mutation { updateSnapshotSchedule(input: {hour: 3}) { schedule { hour } } }`, "update by the admin hour=3",
			`{"data":{"updateSnapshotSchedule":{"schedule":{"hour":2}}}}`},
		{"a change of all", `mutation { updateSnapshotSchedule(input: {enabled: false, dayOfMonth: 31, hour: 0, snapshotPreviousMonth: false, snapshotAllCompanies: false, accountNumbers: ["900"]}) { schedule { hour } } }`,
			"update by the admin enabled=false day=31 hour=0 previous=false all=false accounts=[900]", `{"data":{"updateSnapshotSchedule":{"schedule":{"hour":2}}}}`},
		{"an empty list is a list", `mutation { updateSnapshotSchedule(input: {accountNumbers: []}) { schedule { hour } } }`, "update by the admin accounts=[]",
			`{"data":{"updateSnapshotSchedule":{"schedule":{"hour":2}}}}`},
		{"dismissing", `mutation { dismissMissedMonth(year: 2025, month: 7, note: "billed by hand") { month { billingMonth settledBy note } } }`, "dismiss 2025-07 by the admin: billed by hand",
			`{"data":{"dismissMissedMonth":{"month":{"billingMonth":"2025-07","settledBy":"ann","note":"billed by hand"}}}}`},
	} {
		g.schedule.asked = nil
		if got := strings.TrimSpace(g.ask(as(codex.RoleAdmin), c.text, nil)); got != c.want || strings.Join(g.schedule.asked, "; ") != c.asked {
			t.Errorf("%s: %s\nwant %s\nasked %q", c.name, got, c.want, g.schedule.asked)
		}
	}
	if got := codes(t, g.ask(as(codex.RoleAdmin), `mutation { dismissMissedMonth(year: 2025, month: 13, note: "x") { month { year } } }`, nil)); got != "BAD_USER_INPUT" {
		t.Errorf("no month: %s", got)
	}
	g.schedule.err = codex.BadInput("hour", "give an hour from 0 to 23")
	if got := codes(t, g.ask(as(codex.RoleAdmin), `mutation { updateSnapshotSchedule(input: {hour: 24}) { schedule { hour } } }`, nil)); got != "BAD_USER_INPUT" {
		t.Errorf("no hour: %s", got)
	}
}
