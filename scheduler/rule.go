package scheduler

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/hivematrix/codex"
)

// Due is a time at which a rule wants something done.
type Due struct {
	At time.Time // UTC
	// Period is the month whose bills are due; zero for feeds.
	Period codex.Period
}

// A Rule says when something is due. Rules are pure: their answers depend on nothing but their text
// and the zones' clocks.
type Rule interface {
	// Next is the first due time after a time; its At is zero if there is none.
	Next(after time.Time) Due
	// Last is the last due time in (after, until]; its At is zero if there is none.
	Last(after, until time.Time) Due
	// String is the rule as [ParseRule] reads it.
	String() string
	// Words say the rule to people.
	Words() string
	// zoneName is the zone whose clock it goes by.
	zoneName() string
}

// The first word of a rule's text.
const (
	cronWord    = "cron"
	monthlyWord = "monthly"
)

// ParseRule reads what [Rule.String] wrote: what a row of the table schedules says of the rule by
// which it was decided last.
func ParseRule(text string) (Rule, error) {
	words := strings.SplitN(text, " ", 3)
	if len(words) < 3 {
		return nil, fmt.Errorf("reading a schedule's rule: %q is none", text)
	}
	zone, err := time.LoadLocation(words[1])
	if err != nil {
		return nil, fmt.Errorf("reading a schedule's rule: %w", err)
	}
	switch words[0] {
	case cronWord:
		return NewCron(words[2], zone)
	case monthlyWord:
		m := Monthly{Zone: zone}
		var target string
		if _, err := fmt.Sscanf(words[2], "day %d hour %d %s", &m.Day, &m.Hour, &target); err != nil {
			return nil, fmt.Errorf("reading a schedule's rule: %q: %w", text, err)
		}
		m.Previous = target == previousWord
		return m, nil
	}
	return nil, fmt.Errorf("reading a schedule's rule: %q is none", text)
}

// Cron is a cron expression in a time zone:
//
//   - A wall time that the zone's clock skips stands for the first instant after the gap. Several of
//     them, and one that names that instant itself, are one.
//   - A wall time that the clock shows twice counts once, at the first. Where the expression names
//     every hour of the day it goes by the hours that pass, and counts both times: else what runs
//     every quarter of an hour would pause for an hour.
//   - `@every 90m` knows no clock on the wall: it is due at the whole multiples of 90 minutes since
//     midnight, 1 January of the year 1, UTC.
//
// docs/schedule.md, "When the clocks change", is the same for people.
type Cron struct {
	text      string
	zone      *time.Location
	spec      *cron.SpecSchedule // nil: every
	every     time.Duration
	everyHour bool
}

// allHours are the bits of a cron expression's hour field that names every hour.
const allHours = 1<<24 - 1

// NewCron reads an expression of five fields, or a word such as @daily, as section [scheduler] has it.
// `CRON_TZ=Zone` in front of the fields takes another zone than zone.
func NewCron(text string, zone *time.Location) (Cron, error) {
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return Cron{}, fmt.Errorf("reading the schedule %q: %w", text, err)
	}
	c := Cron{text: text, zone: zone}
	switch parsed := parsed.(type) {
	case *cron.SpecSchedule:
		if parsed.Location != time.Local {
			c.zone = parsed.Location
		}
		spec := *parsed
		spec.Location = time.UTC // it is only ever asked about wall times
		c.spec, c.everyHour = &spec, spec.Hour&allHours == allHours
	case cron.ConstantDelaySchedule:
		c.every = parsed.Delay
	default:
		return Cron{}, fmt.Errorf("reading the schedule %q: of the unknown kind %T", text, parsed)
	}
	return c, nil
}

// String is the rule as [ParseRule] reads it.
func (c Cron) String() string { return cronWord + " " + c.zone.String() + " " + c.text }

// Words say the rule to people.
func (c Cron) Words() string { return c.text + " (" + c.zone.String() + ")" }

func (c Cron) zoneName() string { return c.zone.String() }

// Next is the first due time after a time.
func (c Cron) Next(after time.Time) Due {
	after = after.UTC()
	if c.spec == nil {
		return Due{At: after.Truncate(c.every).Add(c.every)}
	}
	for s := stretchAt(c.zone, after); ; s = stretchAt(c.zone, s.to) {
		// Nothing of this stretch is before low, which is itself excluded.
		low := s.wall(after)
		if after.Before(s.from) {
			low = s.opens.Add(-time.Second)
			if skipped := c.match(s.shown.Add(-time.Second)); !skipped.IsZero() && skipped.Before(s.opens) {
				return Due{At: s.from}
			}
		}
		if again := s.shown.Add(-time.Second); !c.everyHour && again.After(low) {
			low = again // until then the clock shows what it has shown before
		}
		wall := c.match(low)
		if wall.IsZero() {
			return Due{}
		}
		if s.shows(wall) {
			return Due{At: s.instant(wall)}
		}
	}
}

// looks is how often the library, which looks five years ahead, is asked for the next match: from 2096
// to 2104 there is no 29 February.
const looks = 3

// match is the first wall time after another one that the expression names; zero if there is none.
func (c Cron) match(wall time.Time) time.Time {
	for range looks {
		if next := c.spec.Next(wall); !next.IsZero() {
			return next
		}
		wall = time.Date(wall.Year()+5, time.January, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)
	}
	return time.Time{}
}

// Last is the last due time in (after, until].
func (c Cron) Last(after, until time.Time) Due {
	if c.spec == nil {
		if at := until.UTC().Truncate(c.every); at.After(after) {
			return Due{At: at}
		}
		return Due{}
	}
	// It is looked for from near to far, so that years of quarters of an hour are not all counted.
	for back := time.Hour; ; back *= 24 {
		from := until.Add(-back)
		whole := back > maxBack || !from.After(after)
		if whole {
			from = after
		}
		var last Due
		for due := c.Next(from); !due.At.IsZero() && !due.At.After(until); due = c.Next(due.At) {
			last = due
		}
		if whole || !last.At.IsZero() {
			return last
		}
	}
}

// maxBack is how far back Last looks before it goes through all there is: beyond it back would
// overflow, and what is due so rarely is soon counted.
const maxBack = 10 * 365 * 24 * time.Hour

// Monthly is a day and an hour of each month of a zone's calendar. A month that is shorter has it on
// its last day; the hour follows the rules of [Cron] where the clock skips it or shows it twice.
//
// A billing month is a month of UTC, and Ledger asks for one that has not begun are of no use. So
// which month a due time is for goes by the day that it has in the zone, and it waits for 00:00 UTC on
// the 1st of the month that it lies in: east of UTC the 1st begins earlier. Then the month before is
// over by UTC, and this one has begun. Each month of the calendar is one due time, and each billing
// month is due once, on whichever side of UTC the zone is.
type Monthly struct {
	Zone     *time.Location
	Day      int  // 1 to 31
	Hour     int  // 0 to 23
	Previous bool // for the month before; else for the month that the day lies in
}

const (
	previousWord = "previous"
	currentWord  = "current"
)

// String is the rule as [ParseRule] reads it.
func (m Monthly) String() string {
	return fmt.Sprintf("%s %s day %d hour %d %s", monthlyWord, m.Zone, m.Day, m.Hour, m.target())
}

func (m Monthly) zoneName() string { return m.Zone.String() }

func (m Monthly) target() string {
	if m.Previous {
		return previousWord
	}
	return currentWord
}

// Words say the rule to people.
func (m Monthly) Words() string {
	day := fmt.Sprintf("day %d", m.Day)
	if m.Day > 28 {
		day += " (or the month's last)"
	}
	return fmt.Sprintf("%s of each month at %02d:00 (%s), for the %s month", day, m.Hour, m.Zone, m.target())
}

// Next is the first due time after a time.
func (m Monthly) Next(after time.Time) Due {
	// The month before may lie ahead still: its last day may end after this month has begun by UTC.
	for p := codex.PeriodOf(after.Add(-farthest)); ; p = codex.PeriodOf(p.End()) {
		if due := m.in(p); due.At.After(after) {
			return due
		}
	}
}

// Last is the last due time in (after, until].
func (m Monthly) Last(after, until time.Time) Due {
	for p := codex.PeriodOf(until.Add(farthest)); ; p = codex.PeriodOf(p.Start().Add(-time.Nanosecond)) {
		due := m.in(p)
		if !due.At.After(after) {
			return Due{}
		}
		if !due.At.After(until) {
			return due
		}
	}
}

// in is the due time of a month of the zone's calendar.
func (m Monthly) in(month codex.Period) Due {
	last := month.End().AddDate(0, 0, -1).Day()
	wall := time.Date(month.Year, month.Month, min(m.Day, last), m.Hour, 0, 0, 0, time.UTC)
	due := Due{At: instantOf(m.Zone, wall), Period: month}
	if due.At.Before(month.Start()) {
		due.At = month.Start()
	}
	if m.Previous {
		due.Period = codex.PeriodOf(month.Start().Add(-time.Nanosecond))
	}
	return due
}
