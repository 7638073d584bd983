package scheduler

import "time"

// A wall time is what a clock on the wall shows: a date and an hour without a zone. It is kept as a
// time.Time in UTC that shows the same.

// stretch is a time during which a zone's clock runs evenly: between two changes of its distance to
// UTC.
type stretch struct {
	from, to time.Time     // to is not part of it; zero where it has no beginning or no end
	offset   time.Duration // what the clock is ahead of UTC
	// shown is the wall time at which the stretch before it ended. What lies between it and opens is
	// skipped (a gap) where opens is later, and shown a second time where opens is earlier.
	shown, opens time.Time
}

// stretchAt is the stretch of zone's clock in which t lies.
func stretchAt(zone *time.Location, t time.Time) stretch {
	from, to := t.In(zone).ZoneBounds()
	s := stretch{from: from.UTC(), to: to.UTC(), offset: offsetAt(zone, t)}
	if !from.IsZero() {
		s.opens = s.from.Add(s.offset)
		s.shown = s.from.Add(offsetAt(zone, from.Add(-time.Nanosecond)))
	}
	return s
}

func offsetAt(zone *time.Location, t time.Time) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// wall is what the clock shows at t, which lies in s.
func (s stretch) wall(t time.Time) time.Time { return t.UTC().Add(s.offset) }

// instant is when the clock shows wall, if it does so in s.
func (s stretch) instant(wall time.Time) time.Time { return wall.Add(-s.offset) }

// shows tells whether the clock shows wall in s, given that it does so not before s begins.
func (s stretch) shows(wall time.Time) bool {
	return s.to.IsZero() || s.instant(wall).Before(s.to)
}

// farthest is more than any clock is away from UTC, with a day that was skipped.
const farthest = 50 * time.Hour

// instantOf is the instant at which zone's clock first shows wall. A wall time that is skipped stands
// for the first instant after the gap.
func instantOf(zone *time.Location, wall time.Time) time.Time {
	for s := stretchAt(zone, wall.Add(-farthest)); ; s = stretchAt(zone, s.to) {
		switch {
		case !s.from.IsZero() && wall.Before(s.opens): // and not before shown: an earlier stretch had it
			return s.from
		case s.shows(wall):
			return s.instant(wall)
		}
	}
}
