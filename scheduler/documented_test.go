package scheduler_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
)

// The table of docs/schedule.md, "When the clocks change".
func TestTheDaysOnWhichTheClockChangesInBerlinAreAsDocumented(t *testing.T) {
	berlin := zoneOf(t, "Europe/Berlin")
	day := func(text string, month time.Month, day int) []string {
		from := time.Date(2026, month, day, 0, 0, 0, 0, berlin)
		var times []string
		for _, due := range listed(mustCron(t, text, berlin), from, from.AddDate(0, 0, 1)) {
			times = append(times, due.At.In(berlin).Format("15:04 MST"))
		}
		return times
	}
	for _, row := range []struct{ cron, march, october string }{
		{"0 2 * * *", "03:00 CEST", "02:00 CEST"},
		{"30 2 * * *", "03:00 CEST", "02:30 CEST"},
		{"0 3 * * *", "03:00 CEST", "03:00 CET"},
		{
			"0 */2 * * *",
			"00:00 CET 03:00 CEST 04:00 CEST 06:00 CEST 08:00 CEST 10:00 CEST 12:00 CEST 14:00 CEST 16:00 CEST 18:00 CEST 20:00 CEST 22:00 CEST",
			"00:00 CEST 02:00 CEST 04:00 CET 06:00 CET 08:00 CET 10:00 CET 12:00 CET 14:00 CET 16:00 CET 18:00 CET 20:00 CET 22:00 CET",
		},
	} {
		if got := strings.Join(day(row.cron, time.March, 29), " "); got != row.march {
			t.Errorf("%s on 29 March: %s", row.cron, got)
		}
		if got := strings.Join(day(row.cron, time.October, 25), " "); got != row.october {
			t.Errorf("%s on 25 October: %s", row.cron, got)
		}
	}
	if march, october := len(day("*/15 * * * *", time.March, 29)), len(day("*/15 * * * *", time.October, 25)); march != 92 || october != 100 {
		t.Errorf("every quarter of an hour: %d times and %d times", march, october)
	}
}

func TestAMonthIsThatOfTheDateInTheZone(t *testing.T) {
	for _, row := range []struct {
		zone              string
		day, hour         int
		previous          bool
		after, due, month string
	}{
		{"UTC", 1, 2, true, "2026-01-15", "2026-02-01 02:00", "2026-01"},
		{"UTC", 31, 2, true, "2026-02-15", "2026-02-28 02:00", "2026-01"},
		{"UTC", 31, 2, true, "2028-02-15", "2028-02-29 02:00", "2028-01"},
		{"Europe/Berlin", 1, 0, true, "2026-01-15", "2026-02-01 00:00", "2026-01"},
		{"Europe/Berlin", 1, 2, true, "2026-01-15", "2026-02-01 01:00", "2026-01"},
		{"Pacific/Kiritimati", 1, 2, true, "2026-01-15", "2026-02-01 00:00", "2026-01"},
		{"Pacific/Kiritimati", 1, 2, false, "2026-01-15", "2026-02-01 00:00", "2026-02"},
		{"Pacific/Kiritimati", 1, 15, true, "2026-01-15", "2026-02-01 01:00", "2026-01"},
		{"America/New_York", 31, 22, false, "2026-01-15", "2026-02-01 03:00", "2026-01"},
		{"America/New_York", 31, 22, true, "2026-01-15", "2026-02-01 03:00", "2025-12"},
	} {
		rule := scheduler.Monthly{Zone: zoneOf(t, row.zone), Day: row.day, Hour: row.hour, Previous: row.previous}
		due := rule.Next(at(row.after + " 00:00:00"))
		if got := due.At.Format("2006-01-02 15:04"); got != row.due || due.Period.String() != row.month {
			t.Errorf("%s: due %s for %s, not %s for %s", rule, got, due.Period, row.due, row.month)
		}
	}
}

func TestAChangeOfTheMonthlySchedule(t *testing.T) {
	rule := func(day int, previous bool) scheduler.Monthly {
		return scheduler.Monthly{Zone: time.UTC, Day: day, Hour: 2, Previous: previous}
	}
	const made = "2026-01-10 00:00:00"
	january := codex.Period{Year: 2026, Month: time.January}
	for _, row := range []struct {
		name         string
		state        scheduler.State
		to           scheduler.Monthly
		changed, now string
		want         []string
		next         string
	}{
		{
			"to a day that is past owes nothing at once",
			scheduler.State{Rule: rule(1, true).String(), OwedSince: at("2026-02-03 00:00:00")}, rule(5, true),
			"2026-02-10 00:00:00", "2026-02-10 00:00:01", nil, "2026-03-05 for 2026-02",
		},
		{
			"to a later day does not ask for the same month again",
			scheduler.State{Rule: rule(1, true).String(), OwedSince: at(made), LastDueAt: at("2026-02-01 02:00:00"), LastPeriod: january}, rule(15, true),
			"2026-02-10 00:00:00", "2026-02-20 00:00:00", nil, "2026-03-15 for 2026-02",
		},
		{
			"to the month before asks for the month whose bills were made while it lasted",
			scheduler.State{Rule: rule(15, false).String(), OwedSince: at(made), LastDueAt: at("2026-01-15 02:00:00"), LastPeriod: january}, rule(1, true),
			"2026-01-20 00:00:00", "2026-02-01 02:00:00", []string{"2026-02-01 02:00:00 schedule for 2026-02-01 02:00:00 2026-01"}, "2026-03-01 for 2026-02",
		},
		{
			"settles first what was due before by the old rule",
			scheduler.State{Rule: rule(1, true).String(), OwedSince: at(made)}, rule(20, true),
			"2026-02-02 00:00:00", "2026-02-03 00:00:00", []string{"2026-02-03 00:00:00 catch-up for 2026-02-01 02:00:00 2026-01"}, "2026-03-20 for 2026-02",
		},
		{
			"has the old rule owe nothing that was due after it",
			scheduler.State{Rule: rule(20, true).String(), OwedSince: at(made), LastDueAt: at("2026-01-20 02:00:00"), LastPeriod: codex.Period{Year: 2025, Month: 12}}, rule(1, true),
			"2026-02-10 00:00:00", "2026-02-25 00:00:00", nil, "2026-03-01 for 2026-02",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.state.On = true
			state, now := &row.state, at(row.now)
			setting := scheduler.Setting{On: true, Rule: row.to, Since: at(row.changed), CatchUp: catchUp}
			var did []string
			for range 5 {
				d := scheduler.DecideMonthly(now, state, setting)
				for _, due := range d.Missed {
					did = append(did, missed(now, due))
				}
				if d.Run != nil {
					did = append(did, ran(now, *d.Run, d.Trigger))
				}
				state = &d.State
			}
			if textOf(did) != textOf(row.want) {
				t.Errorf("it did\n%s", textOf(did))
			}
			due := scheduler.NextOf(now, state, setting)
			if got := fmt.Sprintf("%s for %s", due.At.Format(time.DateOnly), due.Period); got != row.next {
				t.Errorf("next is %s, not %s", got, row.next)
			}
		})
	}
}
