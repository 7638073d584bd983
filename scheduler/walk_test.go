package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
)

func TestTenYearsOfEachScheduleAreWhatAClockOnTheWallSays(t *testing.T) {
	decade(t, func(t *testing.T, zone *time.Location, from, to time.Time) {
		byWall := map[string][]scheduler.Due{}
		months := map[[2]int][]scheduler.Due{}
		appointments := monthlies(from, to, months)
		for _, c := range crons {
			c.met = func(at time.Time, _ shown) {
				if !at.Before(from) {
					byWall[c.name] = append(byWall[c.name], scheduler.Due{At: at})
				}
			}
			appointments = append(appointments, c)
		}
		walk(zone, from.Add(-48*time.Hour), to, appointments) // what waits may have begun to before
		for _, c := range crons {
			rule, err := scheduler.NewCron(c.name, zone)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.name, listed(rule, from, to), byWall[c.name])
		}
		for key, want := range months {
			rule := scheduler.Monthly{Zone: zone, Day: key[0], Hour: key[1]}
			same(t, rule.String(), listed(rule, from, to), want)
			for i := range want { // the month before is due at the very same times
				want[i].Period = codex.PeriodOf(want[i].Period.Start().Add(-time.Hour))
			}
			rule.Previous = true
			same(t, rule.String(), listed(rule, from, to), want)
		}
	})
}

func TestEachBillingMonthIsDueOnceAndNeverBeforeItsTime(t *testing.T) {
	decade(t, func(t *testing.T, zone *time.Location, from, to time.Time) {
		for _, previous := range []bool{true, false} {
			for _, day := range daysOfMonth {
				for _, hour := range hoursOfDay {
					rule := scheduler.Monthly{Zone: zone, Day: day, Hour: hour, Previous: previous}
					dues := listed(rule, from, to)
					if len(dues) < 119 {
						t.Fatalf("%s: %d times in ten years", rule, len(dues))
					}
					for i, due := range dues {
						if i > 0 && due.Period.Start() != dues[i-1].Period.End() {
							t.Errorf("%s: %v follows %v", rule, due, dues[i-1])
						}
						if previous && due.At.Before(due.Period.End()) {
							t.Errorf("%s: %v is due before that month is over by UTC", rule, due)
						}
						if due.At.Before(due.Period.Start()) {
							t.Errorf("%s: %v is due before that month has begun by UTC", rule, due)
						}
					}
				}
			}
		}
	})
}

func TestTheLastDueTimeIsTheOneThatTheNextOneFollows(t *testing.T) {
	decade(t, func(t *testing.T, zone *time.Location, from, to time.Time) {
		rules := []scheduler.Rule{
			scheduler.Monthly{Zone: zone, Day: 31, Hour: 2, Previous: true},
			scheduler.Monthly{Zone: zone, Day: 1, Hour: 0},
		}
		for _, text := range []string{"30 2 * * *", "0 */2 * * *", "*/15 * * * *", "0 2 29 2 *", "@every 90m"} {
			rule, err := scheduler.NewCron(text, zone)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, rule)
		}
		for _, rule := range rules {
			for at := from; at.Before(to); at = at.Add(97*time.Hour + 13*time.Minute) {
				for _, back := range []time.Duration{time.Minute, 6 * time.Hour, 40 * 24 * time.Hour} {
					after := at.Add(-back)
					last := rule.Last(after, at)
					if last.At.IsZero() {
						if next := rule.Next(after); !next.At.After(at) {
							t.Fatalf("%s: there is nothing in (%s, %s], but %s", rule, after, at, next.At)
						}
						continue
					}
					if !last.At.After(after) || last.At.After(at) || !rule.Next(last.At).At.After(at) {
						t.Fatalf("%s: the last in (%s, %s] is not %s", rule, after, at, last.At)
					}
				}
			}
		}
	})
}

func TestARuleIsReadAsItIsWritten(t *testing.T) {
	berlin := zoneOf(t, "Europe/Berlin")
	cron, err := scheduler.NewCron("CRON_TZ=America/New_York 30 2 * * 1-5", berlin)
	if err != nil {
		t.Fatal(err)
	}
	for text, rule := range map[string]scheduler.Rule{
		"monthly Europe/Berlin day 31 hour 2 previous":                scheduler.Monthly{Zone: berlin, Day: 31, Hour: 2, Previous: true},
		"monthly UTC day 1 hour 23 current":                           scheduler.Monthly{Zone: time.UTC, Day: 1, Hour: 23},
		"cron America/New_York CRON_TZ=America/New_York 30 2 * * 1-5": cron,
	} {
		if rule.String() != text {
			t.Errorf("%q is written as %q", text, rule)
		}
		again, err := scheduler.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(again); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	for _, text := range []string{"", "cron", "cron Nowhere/Town 0 2 * * *", "cron UTC 0 2", "monthly UTC day x hour 2 previous", "yearly UTC day 1"} {
		if rule, err := scheduler.ParseRule(text); err == nil {
			t.Errorf("%q was read as %v", text, rule)
		}
	}
}
