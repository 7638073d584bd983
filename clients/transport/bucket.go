package transport

import (
	"math"
	"time"
)

// Figures are what an upstream tells about one of its limits.
type Figures struct {
	Total     int // requests that a window may have
	Remaining int // of those, left at the time of the answer
	Used      int // credits that this one request took; 0 = not told
}

// mode says what is known of a limit.
type mode int

const (
	unknown mode = iota // nothing yet: one request at a time, until an answer tells
	free                // answers tell of no limit
	paced               // the upstream has told its limit
)

// bucket paces the requests that count into one limit of the upstream. It does no I/O, takes the
// time from its caller and is guarded by the limiter's lock.
//
// It is a token bucket that holds, over any window, at most share·limit: rate × window + burst.
// Requests are therefore spread evenly, and it does not matter whether the upstream's window slides
// or begins anew each minute, which Freshservice does not document.
type bucket struct {
	window   time.Duration
	burstOf  float64 // the share of the limit that may go at once
	mode     mode
	limit    int
	inFlight int

	tokens   float64
	filledAt time.Time

	uses     []use // our own of the past window, and their sum
	used     int
	others   int       // what others were seen to take of a window
	othersAt time.Time // when that was seen

	remaining   int       // as told last
	renewedAt   time.Time // when the upstream's window was last seen to begin anew
	closedUntil time.Time // nothing is left before
}

type use struct {
	at   time.Time
	cost int
}

const (
	share    = 0.99 // of the limit is used: answers that take unequally long squeeze requests together
	margin   = 0.02 // of the limit is left beside what others were seen to use
	minBurst = 3    // a listing with an embed costs 3 credits at once
	slack    = 2 * time.Second
	rounding = 1e-6 // of a token: what sums of fractions may lack at the very moment that was named
)

// allowed is what a window has for us. Somebody else's pace is known only from the past, hence the
// margin; and however busy others are, something must go on.
func (b *bucket) allowed() float64 {
	limit := float64(b.limit)
	if b.others == 0 {
		return limit
	}
	return math.Max(limit-float64(b.others)-margin*limit, math.Max(1, limit/20))
}

func (b *bucket) burst() float64 {
	return math.Max(1, math.Min(math.Max(minBurst, b.burstOf*b.allowed()), b.allowed()/2))
}

// perSecond is the rate at which tokens come back.
func (b *bucket) perSecond() float64 {
	allowed := b.allowed()
	return math.Max(share*allowed-b.burst(), allowed/4) / b.window.Seconds()
}

func (b *bucket) refill(now time.Time) {
	if passed := now.Sub(b.filledAt); passed > 0 {
		b.tokens += passed.Seconds() * b.perSecond()
		b.filledAt = now
	}
	b.tokens = math.Min(b.tokens, b.burst())
}

// readyAt is when a request of cost may be sent, now or later; false if that depends on an answer
// that is under way.
func (b *bucket) readyAt(now time.Time, cost int) (time.Time, bool) {
	switch b.mode {
	case unknown:
		return now, b.inFlight == 0
	case free:
		return now, true
	}
	if b.others > 0 && b.inFlight > 0 && b.remaining <= b.inFlight {
		return now, false // those under way may take the last of it
	}
	b.refill(now)
	at := now
	if missing := math.Min(float64(cost), b.burst()) - b.tokens; missing > rounding {
		// Rounded up: a timer that rings too early finds nothing and rings again.
		at = now.Add(time.Duration(math.Ceil(missing/b.perSecond()*1e6)) * time.Microsecond)
	}
	if b.closedUntil.After(at) {
		at = b.closedUntil
	}
	return at, true
}

func (b *bucket) take(now time.Time, cost int) {
	b.inFlight++
	b.charge(now, cost)
}

// charge books cost, which a correction makes negative.
func (b *bucket) charge(now time.Time, cost int) {
	if b.mode == free {
		return // nobody will ask
	}
	b.tokens -= float64(cost)
	b.uses = append(b.uses, use{at: now, cost: cost})
	b.used += cost
}

// own is what we have used in the past window, and a little more: what is our own must never look
// like somebody else's.
func (b *bucket) own(now time.Time) int {
	for len(b.uses) > 0 && now.Sub(b.uses[0].at) > b.window+slack {
		b.used -= b.uses[0].cost
		b.uses = b.uses[1:]
	}
	return b.used
}

// left is what a window has at least left of the limit, as far as we know.
func (b *bucket) left(now time.Time) int {
	if b.mode != paced {
		return math.MaxInt
	}
	return b.limit - b.others - b.own(now) - maxInFlight
}

// follow takes what an answer, or Datto's request_rate, tells.
func (b *bucket) follow(figures Figures, now time.Time) {
	if figures.Total <= 0 {
		return
	}
	if b.mode != paced {
		b.mode, b.filledAt, b.tokens = paced, now, math.MaxInt32 // cut to the burst by refill
		b.remaining = figures.Total
	}
	b.limit = figures.Total
	b.refill(now)
	// What is used up beyond our own is somebody else's: the limit is the account's, not ours. A
	// lower figure replaces a higher one only after a window, because in a window that begins anew
	// each minute only its end shows everything.
	others := max(0, figures.Total-figures.Remaining-b.own(now))
	if others >= b.others || now.Sub(b.othersAt) >= b.window {
		b.others, b.othersAt = others, now
	}
	if figures.Remaining > b.remaining+max(figures.Total/10, maxInFlight) {
		b.renewedAt = now
	}
	b.remaining = figures.Remaining
	if figures.Remaining <= 0 {
		b.closedUntil = b.renewal(now)
	}
}

// renewal is when the window begins anew, at the latest.
func (b *bucket) renewal(now time.Time) time.Time {
	if at := b.renewedAt.Add(b.window); at.After(now) {
		return at
	}
	return now.Add(b.window)
}

// raise makes sure that the limit is not below what one of its parts was told to have.
func (b *bucket) raise(total int, now time.Time) {
	if b.mode == unknown || b.mode == paced && b.limit < total {
		b.follow(Figures{Total: total, Remaining: total - b.own(now)}, now)
	}
}
