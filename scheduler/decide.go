package scheduler

import (
	"time"

	"github.com/hivematrix/codex"
)

// grace is how late a schedule is still on time: a leader was to be found, or the process restarted.
// What begins later was missed, and is caught up.
const grace = time.Minute

// astray is how far ahead of the clock a row may be. One that is farther was written while the clock
// was wrong: nothing would run until that time, so it begins anew. Within it nothing runs twice
// because a clock was set back.
const astray = 48 * time.Hour

// maxAttempts is how often what is due is begun whose process dies each time.
const maxAttempts = 3

// Setting is what the configuration says of a schedule now.
type Setting struct {
	On   bool
	Rule Rule
	// Since is when the rule came to be so; zero where nobody knows, which is when it is first seen.
	Since time.Time
	// OwedSince is before when nothing is owed, whatever the row says; zero where it alone counts.
	OwedSince time.Time
	// CatchUp is how late the bills of a month may begin. Feeds have no such limit.
	CatchUp time.Duration
}

// State is what is kept of a schedule: its row in the table schedules.
type State struct {
	On   bool   // at the last look
	Rule string // the rule that counted then
	// OwedSince is when it was made, switched on, or got its rule: what was due before is not owed.
	OwedSince time.Time
	// LastDueAt is the newest due time that is settled; zero while there is none.
	LastDueAt time.Time
	// LastPeriod is the month whose job began for LastDueAt; zero where none did, and for feeds.
	LastPeriod codex.Period
	Attempts   int // how often a run began for LastDueAt
}

// Facts are what is known of the runs of a feed.
type Facts struct {
	Ran         bool // it has ever been run, by whomever
	Interrupted bool // the process of the run for LastDueAt died, or was stopped, before its end
}

// Decision is what is to be done about a schedule now. Whoever acts on it writes State in the same
// transaction, so that what was decided is done once.
type Decision struct {
	State   State // its row afterwards
	Changed bool  // State is not what the row is: else there is nothing to do
	// Run is what is to begin; nil for nothing. Trigger goes with it.
	Run     *Due
	Trigger codex.RunTrigger
	Missed  []Due // what nobody makes up for by himself: the months that need a person
}

// DecideFeed decides about a feed. However many times it was due since it was settled last, it runs
// once. One that never ran has missed nothing, and waits for the next time. state is nil where the
// database has no row of it yet.
func DecideFeed(now time.Time, state *State, setting Setting, facts Facts) Decision {
	o := owing(now, state, setting)
	if o.settled {
		return o.decision
	}
	s := *state
	last := o.rule.Last(o.after, o.until)
	if last.At.IsZero() {
		retry := facts.Interrupted && s.Attempts > 0 && s.Attempts < maxAttempts && !s.LastDueAt.Before(o.after)
		if !retry {
			return o.adopted(setting)
		}
		s.Attempts++
		return Decision{State: s, Changed: true, Run: &Due{At: s.LastDueAt}, Trigger: codex.TriggerCatchUp}
	}
	s.LastDueAt, s.Attempts = last.At, 0
	d := Decision{Changed: true, Trigger: codex.TriggerSchedule}
	switch {
	case now.Sub(last.At) > grace && !facts.Ran:
		d.State = s
		return d
	case now.Sub(o.rule.Next(o.after).At) > grace && facts.Ran:
		d.Trigger = codex.TriggerCatchUp
	}
	s.Attempts = 1
	d.State, d.Run = s, &last
	return d
}

// DecideMonthly decides about the monthly bills. Of the months that were due since one was settled
// last, the newest is made if it is not later than CatchUp; the others need a person, since Ledger
// would make their bills from today's machines.
func DecideMonthly(now time.Time, state *State, setting Setting) Decision {
	o := owing(now, state, setting)
	if o.settled {
		return o.decision
	}
	s := *state
	last := o.rule.Last(o.after, o.until)
	if last.At.IsZero() {
		return o.adopted(setting)
	}
	d := Decision{Changed: true}
	for due := o.rule.Next(o.after); due.At.Before(last.At); due = o.rule.Next(due.At) {
		if !s.served(due) {
			d.Missed = append(d.Missed, due)
		}
	}
	late := now.Sub(last.At)
	switch {
	case s.served(last):
		s.LastDueAt = last.At
	case late > setting.CatchUp:
		s.LastDueAt, s.LastPeriod, s.Attempts = last.At, codex.Period{}, 0
		d.Missed = append(d.Missed, last)
	default:
		s.LastDueAt, s.LastPeriod, s.Attempts = last.At, last.Period, 1
		d.Run, d.Trigger = &last, codex.TriggerSchedule
		if late > grace {
			d.Trigger = codex.TriggerCatchUp
		}
	}
	d.State = s
	return d
}

// served tells whether the job of s was for the same month as due, and both before that month was over
// or both after: a changed day does not ask for the same bills again.
func (s State) served(due Due) bool {
	end := due.Period.End()
	return s.LastPeriod == due.Period && s.LastDueAt.Before(end) == due.At.Before(end)
}

// next is when setting's rule is due next, after now.
func next(now time.Time, state *State, setting Setting) Due {
	due := setting.Rule.Next(now)
	for state != nil && due.Period != (codex.Period{}) && state.served(due) {
		due = setting.Rule.Next(due.At)
	}
	return due
}

// owed is by which rule, and between which times, something may be owed.
type owed struct {
	state        State
	rule         Rule
	after, until time.Time // after is excluded
	changed      bool      // the rule is not that of the configuration: what it owes is settled first

	settled  bool // nothing can be owed, and decision says what to do
	decision Decision
}

// owing is what feeds and months have in common: a schedule that is new, switched on or off, or has a
// new rule. A rule that was replaced owes until then what was due by it.
func owing(now time.Time, state *State, setting Setting) owed {
	rule := setting.Rule.String()
	settle := func(s State, changed bool) owed {
		return owed{settled: true, decision: Decision{State: s, Changed: changed}}
	}
	switch {
	case state == nil && setting.On && !setting.OwedSince.IsZero():
		return settle(State{On: true, Rule: rule, OwedSince: setting.OwedSince}, true)
	case state == nil:
		return settle(State{On: setting.On, Rule: rule, OwedSince: now}, true)
	case !setting.On:
		s := *state
		s.On = false
		return settle(s, state.On)
	case !state.On:
		s := *state
		s.On, s.Rule, s.OwedSince = true, rule, now
		return settle(s, true)
	}
	o := owed{state: *state, rule: setting.Rule, until: now}
	o.after = latest(state.OwedSince, setting.OwedSince, state.LastDueAt)
	if o.after.Sub(now) > astray {
		return settle(State{On: true, Rule: rule, OwedSince: now}, true)
	}
	if state.Rule == rule {
		return o
	}
	if setting.Since.After(o.after) && setting.Since.Before(now) {
		o.until = setting.Since
	}
	o.changed = true
	var err error
	if o.rule, err = ParseRule(state.Rule); err != nil { // its zone is no more: nobody can say what it owed
		return owed{settled: true, decision: o.adopted(setting)}
	}
	return o
}

// adopted is the decision where nothing is owed: a changed rule takes the place of the old one.
func (o owed) adopted(setting Setting) Decision {
	s := o.state
	if o.changed {
		s.Rule, s.OwedSince = setting.Rule.String(), latest(o.until, s.OwedSince)
	}
	return Decision{State: s, Changed: o.changed}
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
