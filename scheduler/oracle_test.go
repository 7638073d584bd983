package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
)

// The oracle of this file walks a zone's clock minute by minute and does what a person would who
// looks at it: it shares nothing with the rules that it judges.

// shown is what a clock on the wall shows, to the minute.
type shown struct {
	year      int
	month     time.Month
	day       int
	weekday   time.Weekday
	hour, min int
}

func look(wall time.Time) shown {
	s := shown{weekday: wall.Weekday()}
	s.year, s.month, s.day = wall.Date()
	s.hour, s.min, _ = wall.Clock()
	return s
}

// lastOfMonth tells whether s is on the last day of a month.
func (s shown) lastOfMonth() bool {
	return s.day >= 28 && time.Date(s.year, s.month, s.day+1, 0, 0, 0, 0, time.UTC).Day() == 1
}

// appointment is something that a clock on the wall is watched for.
type appointment struct {
	name      string
	when      func(shown) bool
	bothTimes bool // it counts each time that the clock shows it
	onTheHour bool // else it is not looked for
	met       func(at time.Time, what shown)
}

// grain is that of all appointments: at other minutes there is none.
const grain = 5

// walk looks at zone's clock each minute from from to to.
func walk(zone *time.Location, from, to time.Time, appointments []appointment) {
	minuteOf := func(t time.Time) int64 {
		_, offset := t.In(zone).Zone()
		return (t.Unix() + int64(offset)) / 60
	}
	wallOf := func(minute int64) time.Time { return time.Unix(minute*60, 0).UTC() }
	// The days before tell what has been shown already.
	start := from.Add(-72 * time.Hour)
	highest := minuteOf(start)
	for t := start.Add(time.Minute); t.Before(to); t = t.Add(time.Minute) {
		minute := minuteOf(t)
		var skipped []shown
		for m := highest + 1; m < minute; m++ {
			skipped = append(skipped, look(wallOf(m)))
		}
		again := minute <= highest
		highest = max(highest, minute)
		if t.Before(from) || minute%grain != 0 && len(skipped) == 0 {
			continue
		}
		now := look(wallOf(minute))
		for _, a := range appointments {
			switch {
			case a.onTheHour && now.min != 0 && len(skipped) == 0:
			case a.when(now) && (!again || a.bothTimes):
				a.met(t, now)
			default:
				for _, s := range skipped {
					if a.when(s) {
						a.met(t, s)
						break
					}
				}
			}
		}
	}
}

// crons are the expressions that are walked, each beside what a person would take it for.
var crons = []appointment{
	{name: "0 2 * * *", when: func(s shown) bool { return s.hour == 2 && s.min == 0 }},
	{name: "30 2 * * *", when: func(s shown) bool { return s.hour == 2 && s.min == 30 }},
	{name: "45 1 * * *", when: func(s shown) bool { return s.hour == 1 && s.min == 45 }},
	{name: "0 0 * * *", when: func(s shown) bool { return s.hour == 0 && s.min == 0 }},
	{name: "0 3 * * *", when: func(s shown) bool { return s.hour == 3 && s.min == 0 }},
	{name: "0 */2 * * *", when: func(s shown) bool { return s.hour%2 == 0 && s.min == 0 }},
	{name: "*/15 * * * *", when: func(s shown) bool { return s.min%15 == 0 }, bothTimes: true},
	{name: "30 * * * *", when: func(s shown) bool { return s.min == 30 }, bothTimes: true},
	{name: "*/20 1-3 * * *", when: func(s shown) bool { return s.min%20 == 0 && s.hour >= 1 && s.hour <= 3 }},
	{name: "0 2 29 2 *", when: func(s shown) bool { return s.month == time.February && s.day == 29 && s.hour == 2 && s.min == 0 }},
	{name: "0 2 31 * *", when: func(s shown) bool { return s.day == 31 && s.hour == 2 && s.min == 0 }},
	{name: "30 2 * * 0", when: func(s shown) bool { return s.weekday == time.Sunday && s.hour == 2 && s.min == 30 }},
	{name: "@weekly", when: func(s shown) bool { return s.weekday == time.Sunday && s.hour == 0 && s.min == 0 }},
}

// decades are ten years of a zone each.
var decades = []struct {
	zone string
	from int
	why  string
}{
	{"UTC", 2020, "no changes"},
	{"Europe/Berlin", 2020, "an hour, east of UTC"},
	{"America/New_York", 2020, "an hour, west of UTC"},
	{"Australia/Lord_Howe", 2020, "half an hour"},
	{"Pacific/Kiritimati", 2020, "fourteen hours ahead of UTC"},
	{"Pacific/Kiritimati", 1990, "31 December 1994 was left out, at a month's end"},
	{"Pacific/Apia", 2005, "30 December 2011 was left out"},
	{"America/St_Johns", 2005, "half an hour off, and until 2011 the change was a minute after midnight"},
	{"America/Sao_Paulo", 2010, "midnight itself was skipped"},
	{"Africa/Casablanca", 2018, "the clock is set back for Ramadan"},
	{"Pacific/Pago_Pago", 2020, "eleven hours behind UTC"},
}

// decade runs a subtest for each of decades.
func decade(t *testing.T, test func(t *testing.T, zone *time.Location, from, to time.Time)) {
	for _, d := range decades {
		t.Run(fmt.Sprintf("%s from %d, %s", d.zone, d.from, d.why), func(t *testing.T) {
			test(t, zoneOf(t, d.zone),
				time.Date(d.from, time.January, 1, 0, 0, 0, 0, time.UTC),
				time.Date(d.from+10, time.January, 1, 0, 0, 0, 0, time.UTC))
		})
	}
}

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// listed are the due times of a rule from from to to.
func listed(rule scheduler.Rule, from, to time.Time) []scheduler.Due {
	var dues []scheduler.Due
	for due := rule.Next(from.Add(-time.Second)); !due.At.IsZero() && due.At.Before(to); due = rule.Next(due.At) {
		dues = append(dues, due)
	}
	return dues
}

// same holds two lists of due times against each other.
func same(t *testing.T, what string, got, want []scheduler.Due) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("%s: the rule has nothing after %d times; the clock on the wall says %v", what, i, want[i])
		case i >= len(want):
			t.Fatalf("%s: the rule has %v after %d times; the clock on the wall has no more", what, got[i], i)
		case !got[i].At.Equal(want[i].At) || got[i].Period != want[i].Period:
			t.Fatalf("%s: time %d is %v by the rule and %v by the clock on the wall", what, i, got[i], want[i])
		}
	}
}

// A month has 28 to 31 days, a year 12 of them.
var (
	daysOfMonth = []int{1, 2, 15, 28, 29, 30, 31}
	hoursOfDay  = []int{0, 1, 2, 3, 12, 22, 23}
)

// monthlies are the appointments of a monthly schedule for each day and hour, which add to lists what
// is due from from to to: for the calendar's month, not before that has begun by UTC.
func monthlies(from, to time.Time, lists map[[2]int][]scheduler.Due) []appointment {
	var all []appointment
	for _, day := range daysOfMonth {
		for _, hour := range hoursOfDay {
			key := [2]int{day, hour}
			all = append(all, appointment{
				onTheHour: true,
				when: func(s shown) bool {
					return s.min == 0 && s.hour == hour && (s.day == day || s.day < day && s.lastOfMonth())
				},
				met: func(at time.Time, what shown) {
					for codex.PeriodOf(at).Month != what.month && at.AddDate(0, 0, 1).Month() == what.month {
						at = at.Add(time.Minute)
					}
					if !at.Before(from) && at.Before(to) {
						lists[key] = append(lists[key], scheduler.Due{At: at, Period: codex.Period{Year: what.year, Month: what.month}})
					}
				},
			})
		}
	}
	return all
}
