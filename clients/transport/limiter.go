package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxInFlight is how many requests an upstream meets at once, and urgentSlots of them are kept for
// [PriorityInteractive], so that a person never waits behind slow bulk answers alone.
const (
	maxInFlight = 8
	urgentSlots = 1
)

// After a 429 that the figures did not foresee, requests are spaced: from minSpacing, doubled for
// each further one, halved after each window without.
const minSpacing = 75 * time.Millisecond

// Datto blocks an address that goes on after 429s, for five minutes as far as is known; its 403 is
// taken for such a block within blockMemory of a 429.
const (
	blockTime   = 5 * time.Minute
	blockMemory = 10 * time.Minute
)

// ErrBlocked is the cause when the upstream has blocked our address for asking too much.
var ErrBlocked = errors.New("the upstream has blocked this address; nothing is sent for five minutes")

// LimiterOptions are what a [Limiter] is made of.
type LimiterOptions struct {
	Now    func() time.Time
	Tuning Tuning
	// Burst is the share of a limit that may go at once after idling: small where urgent calls must
	// find the window unspent, larger where short runs matter more. At least 3 requests may.
	Burst float64
}

// Limiter is the queue in front of one upstream account: every call of the process takes its turn
// here. See the package documentation for the model.
type Limiter struct {
	now    func() time.Time
	tuning Tuning
	burst  float64

	mu       sync.Mutex
	skew     time.Duration // what the clock lags behind the timers
	account  *bucket
	buckets  map[string]*bucket
	queue    []*grant // the most urgent first, then the earliest
	inFlight int
	timer    *time.Timer
	timerAt  time.Time

	pausedUntil time.Time
	throttledAt time.Time // the last 429
	relaxedAt   time.Time // when spacing was last changed
	spacing     time.Duration
	sentAt      time.Time
	blockUntil  time.Time
}

// NewLimiter makes a limiter that knows no figures yet.
func NewLimiter(options LimiterOptions) *Limiter {
	l := &Limiter{now: options.Now, tuning: options.Tuning.withDefaults(), burst: options.Burst,
		buckets: map[string]*bucket{}}
	l.account = l.newBucket()
	return l
}

func (l *Limiter) newBucket() *bucket { return &bucket{window: l.tuning.Window, burstOf: l.burst} }

// Follow takes figures of the account that came by another way than an answer's headers.
func (l *Limiter) Follow(figures Figures) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account.follow(figures, l.clock())
	l.dispatch()
}

// grant is one request's place in the queue, and then its right to be sent.
type grant struct {
	limiter  *Limiter
	bucket   *bucket // beside the account's; nil = none
	cost     int
	priority Priority
	meter    *Meter
	ready    chan struct{}
	sent     bool
	sentAt   time.Time
	waiting  bool // for the limits, not only for a slot
	err      error
}

// acquire waits for the turn of request. The grant must be released.
func (l *Limiter) acquire(ctx context.Context, request Request) (*grant, error) {
	g := &grant{limiter: l, cost: max(request.Cost, 1), priority: priorityFrom(ctx), meter: meterFrom(ctx), ready: make(chan struct{})}
	if err := ctx.Err(); err != nil || l == nil {
		return g, err
	}
	l.enqueue(g, request.Bucket)
	select {
	case <-g.ready:
		return g, g.err
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		if g.sent {
			l.free(g)
		} else {
			l.remove(g)
		}
		l.dispatch()
		return nil, ctx.Err()
	}
}

func (l *Limiter) enqueue(g *grant, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name != "" {
		if l.buckets[name] == nil {
			l.buckets[name] = l.newBucket()
		}
		g.bucket = l.buckets[name]
	}
	at := len(l.queue)
	for at > 0 && l.queue[at-1].priority < g.priority {
		at--
	}
	l.queue = append(l.queue, nil)
	copy(l.queue[at+1:], l.queue[at:])
	l.queue[at] = g
	l.dispatch()
}

// remove takes g out of the queue. The lock is held.
func (l *Limiter) remove(g *grant) {
	for at, other := range l.queue {
		if other == g {
			l.queue = append(l.queue[:at], l.queue[at+1:]...)
			break
		}
	}
	g.endWait(l.clock())
}

// release gives the slot back.
func (g *grant) release() {
	if g.limiter == nil {
		return
	}
	g.limiter.mu.Lock()
	defer g.limiter.mu.Unlock()
	g.limiter.free(g)
	g.limiter.dispatch()
}

func (l *Limiter) free(g *grant) {
	l.inFlight--
	l.account.inFlight--
	if g.bucket != nil {
		g.bucket.inFlight--
	}
}

// clock is the time by which requests are paced: the one handed in, corrected by what the timers
// have measured, so that a clock that stands still or goes backwards does not stop the queue.
func (l *Limiter) clock() time.Time { return l.now().Add(l.skew) }

// dispatch sends everybody whose turn it is, and sets the timer for the next. The lock is held.
func (l *Limiter) dispatch() {
	now := l.clock()
	l.relax(now)
	if now.Before(l.blockUntil) {
		l.refuseAll(now)
		return
	}
	var next time.Time
	waiting := l.queue[:0]
	stopped := false
	for _, g := range l.queue {
		if stopped || l.inFlight >= l.slots(g.priority) {
			waiting = append(waiting, g)
			continue
		}
		at, known, shared := l.readyAt(now, g)
		if known && !at.After(now) {
			l.send(now, g)
			continue
		}
		waiting = append(waiting, g)
		g.beginWait(now)
		if known && (next.IsZero() || at.Before(next)) {
			next = at
		}
		// Whoever waits for what all share holds back those behind: the less urgent would otherwise
		// take each token as it comes. A limit of its own holds back nobody else.
		stopped = shared
	}
	clear(l.queue[len(waiting):])
	l.queue = waiting
	l.ring(now, next)
}

// slots is how many may be in flight for a request of priority to be sent beside them.
func (l *Limiter) slots(priority Priority) int {
	if priority >= PriorityInteractive {
		return maxInFlight
	}
	return maxInFlight - urgentSlots
}

// readyAt is when g may be sent; not known where an answer under way decides it. shared tells that
// what it waits for is shared by all.
func (l *Limiter) readyAt(now time.Time, g *grant) (at time.Time, known, shared bool) {
	at, known = l.account.readyAt(now, g.cost)
	for _, hold := range []time.Time{l.pausedUntil, l.sentAt.Add(l.spacing)} {
		if hold.After(at) {
			at = hold
		}
	}
	if shared = !known || at.After(now); shared || g.bucket == nil {
		return at, known, shared
	}
	at, known = g.bucket.readyAt(now, g.cost)
	return at, known, false
}

func (l *Limiter) send(now time.Time, g *grant) {
	l.inFlight++
	l.account.take(now, g.cost)
	if g.bucket != nil {
		g.bucket.take(now, g.cost)
	}
	l.sentAt = now
	g.endWait(now)
	g.sent, g.sentAt = true, now
	close(g.ready)
}

// ring sets the timer to at, if it must ring at all.
func (l *Limiter) ring(now, at time.Time) {
	if l.timer != nil {
		l.timer.Stop()
	}
	if at.IsZero() {
		return
	}
	l.timerAt = at
	l.timer = time.AfterFunc(at.Sub(now), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.timerAt.Equal(at) {
			l.skew += max(at.Sub(l.clock()), 0)
		}
		l.dispatch()
	})
}

// relax halves the spacing after each window without a 429.
func (l *Limiter) relax(now time.Time) {
	if l.spacing == 0 || now.Sub(l.relaxedAt) < l.tuning.Window {
		return
	}
	l.relaxedAt = now
	if l.spacing /= 2; l.spacing < minSpacing {
		l.spacing = 0
	}
}

func (l *Limiter) refuseAll(now time.Time) {
	for _, g := range l.queue {
		g.endWait(now)
		g.err = ErrBlocked
		close(g.ready)
	}
	clear(l.queue)
	l.queue = l.queue[:0]
}

// told lets the limits follow an answer's figures. Total is the called endpoint's own limit where
// it has one, else the account's, which is never below one of its parts.
func (g *grant) told(figures Figures) {
	l := g.limiter
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if more := figures.Used - g.cost; figures.Used > 0 && more != 0 {
		g.cost = figures.Used
		l.account.charge(now, more)
		if g.bucket != nil {
			g.bucket.charge(now, more)
		}
	}
	if g.bucket == nil {
		l.account.follow(figures, now)
	} else {
		if figures.Remaining >= l.account.left(now) {
			// So little may be left of the account, not of this endpoint: what Remaining counts is
			// not documented. The account's own figures take care of that.
			figures.Remaining = max(figures.Remaining, figures.Total-g.bucket.own(now))
		}
		g.bucket.follow(figures, now)
		l.account.raise(figures.Total, now)
	}
	l.dispatch()
}

// toldNothing says that a good answer came without figures: as long as none tells any, there is no
// limit to keep to.
func (g *grant) toldNothing() {
	l := g.limiter
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range []*bucket{l.account, g.bucket} {
		if b != nil && b.mode == unknown {
			b.mode = free
		}
	}
	l.dispatch()
}

// throttled pauses everything after a 429.
func (g *grant) throttled(pause time.Duration) {
	l := g.limiter
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if until := now.Add(pause); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
	// The upstream has said how long to wait: what the figures said before no longer holds.
	l.account.closedUntil = time.Time{}
	if g.bucket != nil {
		g.bucket.closedUntil = time.Time{}
	}
	if g.sentAt.After(l.throttledAt) { // not one more of those that were under way together
		l.spacing = min(max(2*l.spacing, minSpacing), l.tuning.Spacing)
		l.relaxedAt = now
	}
	l.throttledAt = now
	l.dispatch()
}

// blocked tells whether a 403 is a block, which it is soon after a 429, and then refuses everything
// for a while.
func (g *grant) blocked() error {
	l := g.limiter
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if l.throttledAt.IsZero() || now.Sub(l.throttledAt) > blockMemory {
		return nil
	}
	l.blockUntil = now.Add(blockTime)
	l.dispatch()
	return fmt.Errorf("%w", ErrBlocked)
}

func (g *grant) beginWait(now time.Time) {
	if g.waiting {
		return
	}
	g.waiting = true
	g.meter.waitBegins(now)
}

func (g *grant) endWait(now time.Time) {
	if !g.waiting {
		return
	}
	g.waiting = false
	g.meter.waitEnds(now)
}
