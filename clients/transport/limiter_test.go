package transport

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// upstream imitates the limits of an account, by a window that begins anew or one that slides.
type upstream struct {
	mu      sync.Mutex
	sliding bool
	limits  map[string]int // by bucket; "" = the account's
	counted map[string][]time.Time
	refused int
	others  int // requests of somebody else at the beginning of each window
	started time.Time
}

func newUpstream(sliding bool, limits map[string]int) *upstream {
	return &upstream{sliding: sliding, limits: limits, counted: map[string][]time.Time{}, started: time.Now()}
}

// count is how much of a limit is used now.
func (u *upstream) count(bucket string) int {
	now, n := time.Now(), 0
	if bucket == "" {
		n = u.others
	}
	for _, at := range u.counted[bucket] {
		if u.sliding && now.Sub(at) < time.Minute || !u.sliding && at.Truncate(time.Minute).Equal(now.Truncate(time.Minute)) {
			n++
		}
	}
	return n
}

// take counts a request and gives what the answer tells; false is a 429.
func (u *upstream) take(bucket string, cost int) (Figures, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count("")+cost > u.limits[""] || bucket != "" && u.count(bucket)+cost > u.limits[bucket] {
		u.refused++
		return Figures{Total: u.limits[bucket], Remaining: 0}, false
	}
	for range cost {
		u.counted[""] = append(u.counted[""], time.Now())
		if bucket != "" {
			u.counted[bucket] = append(u.counted[bucket], time.Now())
		}
	}
	return Figures{Total: u.limits[bucket], Remaining: u.limits[bucket] - u.count(bucket), Used: cost}, true
}

// call is one request through l, whose answer takes latency.
func call(ctx context.Context, t *testing.T, l *Limiter, u *upstream, request Request, latency time.Duration) {
	t.Helper()
	grant, err := l.acquire(ctx, request)
	if err != nil {
		t.Errorf("acquire: %v", err)
		return
	}
	defer grant.release()
	time.Sleep(latency / 2)
	figures, ok := u.take(request.Bucket, max(request.Cost, 1))
	time.Sleep(latency / 2)
	grant.told(figures)
	if !ok {
		grant.throttled(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
	}
}

func limiter() *Limiter { return NewLimiter(LimiterOptions{Now: time.Now, Burst: 0.01}) }

func TestABulkRunTakesHardlyLongerThanTheLimitDictatesAndNeverMeets429(t *testing.T) {
	for _, sliding := range []bool{false, true} {
		for _, limit := range []int{100, 400} {
			synctest.Test(t, func(t *testing.T) {
				u, l := newUpstream(sliding, map[string]int{"": limit}), limiter()
				time.Sleep(17 * time.Second) // begin in the middle of a minute
				requests := 10 * limit
				began := time.Now()
				var all sync.WaitGroup
				for range requests {
					all.Go(func() {
						call(t.Context(), t, l, u, Request{}, time.Duration(rand.IntN(600))*time.Millisecond)
					})
				}
				all.Wait()
				if u.refused != 0 {
					t.Errorf("sliding %v, limit %d: %d requests were refused", sliding, limit, u.refused)
				}
				dictated := 10 * time.Minute
				if took := time.Since(began); took > dictated*105/100 {
					t.Errorf("sliding %v, limit %d: took %s where the limit dictates %s", sliding, limit, took, dictated)
				}
			})
		}
	}
}

func TestAnEndpointsOwnLimitHoldsBackNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, l := newUpstream(false, map[string]int{"": 400, "list": 40}), limiter()
		began := time.Now()
		var lists, others time.Duration
		var all sync.WaitGroup
		all.Go(func() {
			for range 26 { // 78 credits of a limit of 40: at least a minute
				call(t.Context(), t, l, u, Request{Bucket: "list", Cost: 3}, 100*time.Millisecond)
			}
			lists = time.Since(began)
		})
		all.Go(func() {
			for range 300 {
				call(t.Context(), t, l, u, Request{}, 100*time.Millisecond)
			}
			others = time.Since(began)
		})
		all.Wait()
		if u.refused != 0 || lists < time.Minute || others > 55*time.Second {
			t.Errorf("refused %d, lists took %s, others %s", u.refused, lists, others)
		}
	})
}

func TestThePaceFollowsTheFiguresDownAndUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, l := newUpstream(true, map[string]int{"": 400}), limiter()
		pace := func() time.Duration {
			began := time.Now()
			for range 40 {
				call(t.Context(), t, l, u, Request{}, 0)
			}
			return time.Since(began)
		}
		pace() // the burst and the first figures
		between := func(what string, took, least, most time.Duration) {
			if took < least || took > most {
				t.Errorf("%s: 40 requests took %s, not %s to %s", what, took, least, most)
			}
		}
		between("at 400 a minute", pace(), 5*time.Second, 7*time.Second)
		time.Sleep(2 * time.Minute)
		u.limits[""] = 100
		pace()
		between("at 100 a minute", pace(), 22*time.Second, 26*time.Second)
		time.Sleep(2 * time.Minute)
		u.limits[""] = 500
		pace()
		between("at 500 a minute", pace(), 4*time.Second, 6*time.Second)
		if u.refused != 0 {
			t.Errorf("%d requests were refused", u.refused)
		}
	})
}

func TestWhatOthersUseOfTheAccountIsLeftToThem(t *testing.T) {
	for _, sliding := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			u, l := newUpstream(sliding, map[string]int{"": 400}), limiter()
			u.others = 200
			began := time.Now()
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() { call(t.Context(), t, l, u, Request{}, 200*time.Millisecond) })
			}
			all.Wait()
			if u.refused != 0 {
				t.Errorf("sliding %v: %d requests were refused", sliding, u.refused)
			}
			if took := time.Since(began); took > 6*time.Minute {
				t.Errorf("sliding %v: 1000 requests at the 200 a minute that are left took %s", sliding, took)
			}
		})
	}
}

func TestAnUpstreamThatTellsNoLimitIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		began := time.Now()
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				grant, err := l.acquire(t.Context(), Request{Bucket: "list"})
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(70 * time.Millisecond)
				grant.toldNothing()
				grant.release()
			})
		}
		all.Wait()
		if took := time.Since(began); took > 12*time.Second { // 7 at a time, 70 ms each
			t.Errorf("took %s", took)
		}
	})
}

func TestAtMostEightAreInFlightAndTheLastSlotIsForThePersonWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.account.mode = free
		acquire := func(ctx context.Context) chan *grant {
			got := make(chan *grant, 1)
			go func() {
				if grant, err := l.acquire(ctx, Request{}); err == nil {
					got <- grant
				}
			}()
			synctest.Wait()
			return got
		}
		var held []*grant
		for range 7 {
			held = append(held, <-acquire(t.Context()))
		}
		bulk := acquire(t.Context())
		if len(bulk) != 0 {
			t.Fatal("an eighth bulk request was sent")
		}
		urgent := acquire(WithPriority(t.Context(), PriorityInteractive))
		if len(urgent) != 1 {
			t.Fatal("the urgent request was not sent beside seven others")
		}
		second := acquire(WithPriority(t.Context(), PriorityInteractive))
		if len(second) != 0 {
			t.Fatal("a ninth request was sent")
		}
		held[0].release()
		synctest.Wait()
		if len(second) != 1 || len(bulk) != 0 {
			t.Fatalf("the slot did not go to the urgent request first: urgent %d, bulk %d", len(second), len(bulk))
		}
		(<-urgent).release()
		(<-second).release()
		synctest.Wait()
		(<-bulk).release()
		for _, grant := range held[1:] {
			grant.release()
		}
		if l.inFlight != 0 || l.account.inFlight != 0 {
			t.Errorf("in flight after all were released: %d, %d", l.inFlight, l.account.inFlight)
		}
	})
}

func TestTheMostUrgentGoesFirstThenHoursThenConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.Follow(Figures{Total: 60, Remaining: 60})
		for range minBurst {
			grant, _ := l.acquire(t.Context(), Request{})
			grant.release()
		}
		var mu sync.Mutex
		var order []Priority
		var all sync.WaitGroup
		for _, priority := range []Priority{PriorityLow, PriorityNormal, PriorityLow, PriorityInteractive, PriorityNormal} {
			all.Go(func() {
				grant, err := l.acquire(WithPriority(t.Context(), priority), Request{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, priority)
				mu.Unlock()
				grant.release()
			})
			synctest.Wait()
		}
		all.Wait()
		want := []Priority{PriorityInteractive, PriorityNormal, PriorityNormal, PriorityLow, PriorityLow}
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("order %v, want %v", order, want)
			}
		}
	})
}

func TestAnUrgentRequestWaitsForOneTokenWhileABulkRunIsAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, l := newUpstream(false, map[string]int{"": 400}), limiter()
		ctx, stop := context.WithCancel(t.Context())
		var bulk sync.WaitGroup
		for range 2000 {
			bulk.Go(func() {
				if grant, err := l.acquire(ctx, Request{}); err == nil {
					time.Sleep(250 * time.Millisecond)
					figures, _ := u.take("", 1)
					grant.told(figures)
					grant.release()
				}
			})
		}
		time.Sleep(90 * time.Second)
		for range 6 {
			began := time.Now()
			call(WithPriority(t.Context(), PriorityInteractive), t, l, u, Request{}, 0)
			if took := time.Since(began); took > 200*time.Millisecond {
				t.Errorf("an urgent request waited %s", took)
			}
			time.Sleep(5 * time.Second)
		}
		stop()
		bulk.Wait()
		if u.refused != 0 {
			t.Errorf("%d requests were refused", u.refused)
		}
	})
}

func TestA429PausesEverybodyForAsLongAsItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.account.mode = free
		grant, _ := l.acquire(t.Context(), Request{})
		grant.throttled(30 * time.Second)
		grant.release()
		began := time.Now()
		grant, _ = l.acquire(WithPriority(t.Context(), PriorityInteractive), Request{})
		grant.release()
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("the next request was sent after %s", took)
		}
	})
}

func TestUnforeseen429sSpaceRequestsOutForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.account.mode = free
		gap := func() time.Duration {
			first, _ := l.acquire(t.Context(), Request{})
			first.release()
			began := time.Now()
			second, _ := l.acquire(t.Context(), Request{})
			second.release()
			return time.Since(began)
		}
		for range 5 {
			grant, _ := l.acquire(t.Context(), Request{})
			grant.throttled(time.Second)
			grant.release()
			time.Sleep(2 * time.Second)
		}
		if got := gap(); got != 600*time.Millisecond {
			t.Errorf("after five 429s requests are %s apart", got)
		}
		time.Sleep(time.Minute)
		if got := gap(); got != 300*time.Millisecond {
			t.Errorf("a minute later requests are %s apart", got)
		}
		for range 5 {
			time.Sleep(time.Minute)
			gap()
		}
		if got := gap(); got != 0 {
			t.Errorf("in the end requests are still %s apart", got)
		}
	})
}

func TestRequestsThatWereUnderWayTogetherAreOne429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.account.mode = free
		var grants []*grant
		for range 7 {
			grant, _ := l.acquire(t.Context(), Request{})
			grants = append(grants, grant)
		}
		time.Sleep(time.Second)
		for _, grant := range grants {
			grant.throttled(0)
			grant.release()
		}
		if l.spacing != minSpacing {
			t.Errorf("spacing %s", l.spacing)
		}
	})
}

func TestA403AfterA429StopsEverythingForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.account.mode = free
		grant, _ := l.acquire(t.Context(), Request{})
		if err := grant.blocked(); err != nil {
			t.Fatalf("a 403 without a 429 before: %v", err)
		}
		grant.throttled(time.Minute)
		waits := make(chan error, 1)
		go func() {
			_, err := l.acquire(t.Context(), Request{})
			waits <- err
		}()
		synctest.Wait()
		if err := grant.blocked(); err == nil {
			t.Fatal("a 403 right after a 429 is no block")
		}
		grant.release()
		if err := <-waits; err != ErrBlocked { //nolint:errorlint // it is handed out as it is
			t.Errorf("who waited got %v", err)
		}
		if _, err := l.acquire(t.Context(), Request{}); err != ErrBlocked { //nolint:errorlint // as above
			t.Errorf("who came later got %v", err)
		}
		time.Sleep(blockTime + time.Second)
		if grant, err := l.acquire(t.Context(), Request{}); err != nil {
			t.Errorf("after five minutes: %v", err)
		} else {
			grant.release()
		}
	})
}

func TestWhoeverIsCancelledWhileWaitingHasTakenNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		grant, _ := l.acquire(t.Context(), Request{}) // nothing is known: others wait for its answer
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := l.acquire(ctx, Request{}); err != context.DeadlineExceeded || time.Since(began) != time.Second { //nolint:errorlint // ctx's own
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		grant.release()
		if l.inFlight != 0 || len(l.queue) != 0 {
			t.Errorf("in flight %d, queued %d", l.inFlight, len(l.queue))
		}
	})
}

func TestAClockThatStandsStillDoesNotStopTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		still := time.Now()
		l := NewLimiter(LimiterOptions{Now: func() time.Time { return still }})
		l.Follow(Figures{Total: 60, Remaining: 60})
		began := time.Now()
		for range 60 {
			grant, err := l.acquire(t.Context(), Request{})
			if err != nil {
				t.Fatal(err)
			}
			grant.release()
		}
		if took := time.Since(began); took < 55*time.Second || took > 65*time.Second {
			t.Errorf("60 requests at 60 a minute took %s", took)
		}
	})
}

func TestAMeterTellsTheTimeInWhichSomebodyWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter()
		l.Follow(Figures{Total: 60, Remaining: 60})
		meter := &Meter{}
		ctx := WithMeter(t.Context(), meter)
		began := time.Now()
		var all sync.WaitGroup
		for range 33 {
			all.Go(func() {
				if grant, err := l.acquire(ctx, Request{}); err == nil {
					grant.release()
				}
			})
		}
		all.Wait()
		if waited := meter.Stats().Waited; waited != time.Since(began) {
			t.Errorf("30 calls waited for %s together, the meter says %s", time.Since(began), waited)
		}
	})
}

// Whatever is asked for, in whatever order and at whatever price: no stretch of a window's length
// holds more than the limit.
func TestNoWindowEverHoldsMoreThanItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(12, 600).Draw(t, "limit")
		b := &bucket{window: time.Minute, burstOf: rapid.SampledFrom([]float64{0.01, 0.1}).Draw(t, "burst")}
		now := time.Unix(1_700_000_000, 0)
		b.follow(Figures{Total: limit, Remaining: limit}, now)
		type sent struct {
			at   time.Time
			cost int
		}
		var log []sent
		for range rapid.IntRange(1, 300).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "idle ms")) * time.Millisecond)
			cost := rapid.IntRange(1, 3).Draw(t, "cost")
			if at, _ := b.readyAt(now, cost); at.After(now) {
				now = at
			}
			if at, _ := b.readyAt(now, cost); at.After(now) {
				t.Fatalf("not ready at the time that was named: %s later", at.Sub(now))
			}
			b.take(now, cost)
			log = append(log, sent{now, cost})
			total := 0
			for _, s := range log {
				if now.Sub(s.at) < time.Minute {
					total += s.cost
				}
			}
			if total > limit {
				t.Fatalf("%d credits within a minute, the limit is %d", total, limit)
			}
		}
	})
}
