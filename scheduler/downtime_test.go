package scheduler_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
)

// outage is a time, from is part of it, during which no hub runs.
type outage struct{ from, to time.Time }

// life is what a hub does with a schedule: it was made at a time, looks whenever it is due, and when it
// comes up again. It has ever run its feeds.
type life struct {
	made, end time.Time
	outages   []outage
}

func (l life) down(t time.Time) bool {
	return slices.ContainsFunc(l.outages, func(o outage) bool { return !t.Before(o.from) && t.Before(o.to) })
}

// looks are the times at which the hub looks: at dues, and when it comes up.
func (l life) looks(dues []scheduler.Due) []time.Time {
	times := []time.Time{l.made}
	for _, o := range l.outages {
		times = append(times, o.to)
	}
	for _, due := range dues {
		if due.At.After(l.made) && !due.At.After(l.end) && !l.down(due.At) {
			times = append(times, due.At)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}

const catchUp = 7 * 24 * time.Hour

func ran(now time.Time, due scheduler.Due, trigger codex.RunTrigger) string {
	return now.UTC().Format(time.DateTime) + " " + string(trigger) + " for " + due.At.UTC().Format(time.DateTime) + monthOf(due)
}

func missed(now time.Time, due scheduler.Due) string {
	return now.UTC().Format(time.DateTime) + " missed" + monthOf(due)
}

func monthOf(due scheduler.Due) string {
	if due.Period == (codex.Period{}) {
		return ""
	}
	return " " + due.Period.String()
}

// live has the scheduler decide through a life.
func (l life) live(rule scheduler.Rule, dues []scheduler.Due) (did []string) {
	setting := scheduler.Setting{On: true, Rule: rule, CatchUp: catchUp}
	var state *scheduler.State
	for _, now := range l.looks(dues) {
		for more := true; more; {
			var d scheduler.Decision
			if _, monthly := rule.(scheduler.Monthly); monthly {
				d = scheduler.DecideMonthly(now, state, setting)
			} else {
				d = scheduler.DecideFeed(now, state, setting, scheduler.Facts{Ran: true})
			}
			for _, due := range d.Missed {
				did = append(did, missed(now, due))
			}
			if d.Run != nil {
				did = append(did, ran(now, *d.Run, d.Trigger))
			}
			if more = d.Changed; more {
				state = &d.State
			}
		}
	}
	return did
}

// should is what a person would have the hub do, from the list of due times alone.
func (l life) should(dues []scheduler.Due) (did []string) {
	settle := func(now time.Time, waiting []scheduler.Due) {
		if len(waiting) == 0 {
			return
		}
		newest := waiting[len(waiting)-1]
		late := now.Sub(waiting[0].At)
		if newest.Period != (codex.Period{}) {
			for _, older := range waiting[:len(waiting)-1] {
				did = append(did, missed(now, older))
			}
			late = now.Sub(newest.At)
		}
		switch {
		case late <= time.Minute:
			did = append(did, ran(now, newest, codex.TriggerSchedule))
		case newest.Period == (codex.Period{}) || late <= catchUp:
			did = append(did, ran(now, newest, codex.TriggerCatchUp))
		default:
			did = append(did, missed(now, newest))
		}
	}
	var waiting []scheduler.Due
	var up time.Time // when the hub comes up that the waiting ones wait for
	for _, due := range dues {
		if !due.At.After(l.made) || due.At.After(l.end) {
			continue
		}
		if len(waiting) > 0 && due.At.After(up) {
			settle(up, waiting)
			waiting = nil
		}
		i := slices.IndexFunc(l.outages, func(o outage) bool { return !due.At.Before(o.from) && !due.At.After(o.to) })
		switch {
		case i >= 0 && (due.At.Before(l.outages[i].to) || len(waiting) > 0):
			waiting, up = append(waiting, due), l.outages[i].to
		default:
			settle(due.At, []scheduler.Due{due})
		}
	}
	settle(up, waiting)
	return did
}

// changesOf are the times at which a zone's clock changes.
func changesOf(zone *time.Location, from, to time.Time) (changes []time.Time) {
	_, before := from.In(zone).Zone()
	for t := from; t.Before(to); t = t.Add(15 * time.Minute) {
		_, offset := t.In(zone).Zone()
		if offset != before {
			changes = append(changes, t)
		}
		before = offset
	}
	return changes
}

var downtimes = []time.Duration{
	time.Hour, 5 * time.Hour, 24 * time.Hour, 7*24*time.Hour - time.Minute, 8 * 24 * time.Hour, 31 * 24 * time.Hour, 92 * 24 * time.Hour,
}

func TestDowntimeAtEachBoundaryLeavesExactlyTheRunsThatAreOwed(t *testing.T) {
	const around = 26 * time.Hour
	decade(t, func(t *testing.T, zone *time.Location, from, to time.Time) {
		rules := []scheduler.Rule{
			scheduler.Monthly{Zone: zone, Day: 1, Hour: 2, Previous: true},
			scheduler.Monthly{Zone: zone, Day: 31, Hour: 23},
			mustCron(t, "30 2 * * *", zone),
		}
		boundaries := changesOf(zone, from, to)
		for month := codex.PeriodOf(from); month.Start().Before(to); month = codex.PeriodOf(month.End()) {
			boundaries = append(boundaries, month.Start())
		}
		for _, rule := range rules {
			dues := listed(rule, from.AddDate(0, -4, 0), to.AddDate(0, 4, 0)) // which the oracle has seen to elsewhere
			all := slices.Clone(boundaries)
			if _, monthly := rule.(scheduler.Monthly); monthly {
				for _, due := range within(dues, from, to) {
					all = append(all, due.At)
				}
			}
			for _, boundary := range all {
				for _, long := range downtimes {
					for _, begins := range []time.Time{boundary, boundary.Add(time.Minute), boundary.Add(-long), boundary.Add(time.Minute - long)} {
						down := outage{begins, begins.Add(long)}
						l := life{made: down.from.Add(-around), end: down.to.Add(around), outages: []outage{down}}
						near := within(dues, l.made, l.end)
						if got, want := l.live(rule, near), l.should(near); !slices.Equal(got, want) {
							t.Fatalf("%s, down from %s to %s: it did\n%s\nand not\n%s", rule, down.from, down.to, textOf(got), textOf(want))
						}
					}
				}
			}
		}
	})
}

// within are those of dues in (from, to].
func within(dues []scheduler.Due, from, to time.Time) []scheduler.Due {
	after := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(dues, t, func(due scheduler.Due, t time.Time) int {
			if due.At.After(t) {
				return 1
			}
			return -1
		})
		return i
	}
	return dues[after(from):after(to)]
}

func TestTheRunsOfTenYears(t *testing.T) {
	for name, zone := range map[string]string{"berlin": "Europe/Berlin", "new-york": "America/New_York", "lord-howe": "Australia/Lord_Howe"} {
		t.Run(name, func(t *testing.T) {
			zone := zoneOf(t, zone)
			from, to := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
			// An hour at each change of the clock, and around each seventh month's beginning from two days to
			// three months.
			l := life{made: from, end: to}
			for _, change := range changesOf(zone, from, to) {
				l.outages = append(l.outages, outage{change.Add(-30 * time.Minute), change.Add(30 * time.Minute)})
			}
			for i := range 17 {
				month := from.AddDate(0, 7*i+3, 0)
				l.outages = append(l.outages, outage{month.AddDate(0, 0, -1), month.AddDate(0, 0, []int{1, 6, 9, 31, 90}[i%5])})
			}
			slices.SortFunc(l.outages, func(a, b outage) int { return a.from.Compare(b.from) })
			text := ""
			for _, rule := range []scheduler.Rule{
				scheduler.Monthly{Zone: zone, Day: 31, Hour: 2, Previous: true},
				scheduler.Monthly{Zone: zone, Day: 1, Hour: 2},
				mustCron(t, "30 2 * * *", zone),
				mustCron(t, "0 */2 * * *", zone),
			} {
				text += rule.Words() + "\n"
				dues := listed(rule, from, to)
				for _, line := range l.live(rule, dues) {
					if _, monthly := rule.(scheduler.Monthly); monthly || nearChange(zone, line) {
						text += "  " + line + "\n"
					}
				}
			}
			golden(t, "testdata/decade-"+name+".txt", text)
		})
	}
}

// nearChange tells whether a line is of a day on which zone's clock changes, or of a run that was caught up.
func nearChange(zone *time.Location, line string) bool {
	now, err := time.Parse(time.DateTime, line[:len(time.DateTime)])
	if err != nil {
		panic(err)
	}
	local := now.In(zone)
	_, before := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone).Zone()
	_, after := time.Date(local.Year(), local.Month(), local.Day(), 23, 59, 0, 0, zone).Zone()
	return before != after
}

func mustCron(t *testing.T, text string, zone *time.Location) scheduler.Cron {
	t.Helper()
	rule, err := scheduler.NewCron(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

func TestADecisionIsMadeOnce(t *testing.T) {
	// Whatever the state and the time, what was decided leaves nothing to decide at that time.
	zone := zoneOf(t, "Europe/Berlin")
	setting := scheduler.Setting{On: true, Rule: scheduler.Monthly{Zone: zone, Day: 31, Hour: 2, Previous: true}, CatchUp: catchUp}
	for day := range 800 {
		now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		state := &scheduler.State{On: true, Rule: setting.Rule.String(), OwedSince: now.AddDate(0, 0, -day%100)}
		d := scheduler.DecideMonthly(now, state, setting)
		if again := scheduler.DecideMonthly(now, &d.State, setting); again.Changed || again.Run != nil || again.Missed != nil {
			t.Fatalf("%s: %+v, and again %+v", now, d, again)
		}
		if n := len(d.Missed); n > 0 && fmt.Sprint(d.Missed[n-1]) == fmt.Sprint(d.Run) {
			t.Fatalf("%s: it runs what it missed", now)
		}
	}
}
