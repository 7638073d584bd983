package simulator

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Tier is a Freshservice plan, as far as its limits go.
type Tier string

// The plans.
const (
	TierNone       Tier = "none" // nothing is limited, Datto RMM neither
	TierStarter    Tier = "starter"
	TierGrowth     Tier = "growth"
	TierPro        Tier = "pro"
	TierEnterprise Tier = "enterprise"
)

// ParseTier reads a plan's name; "" is TierNone.
func ParseTier(name string) (Tier, error) {
	tiers := []Tier{TierNone, TierStarter, TierGrowth, TierPro, TierEnterprise}
	if name == "" {
		return TierNone, nil
	}
	if tier := Tier(strings.ToLower(name)); slices.Contains(tiers, tier) {
		return tier, nil
	}
	return "", fmt.Errorf("there is no tier %q; there are %v", name, tiers)
}

// Unlimited is the limit that the answers of an unlimited simulator tell, so that a client that
// paces itself by the upstream's figures is held up by nothing.
const Unlimited = 1_000_000

// bucket is what a Freshservice call counts against beside the account's overall limit.
type bucket string

const (
	bucketOverall        bucket = ""
	bucketListTickets    bucket = "list tickets"
	bucketListRequesters bucket = "list requesters"
	bucketListAgents     bucket = "list agents"
	bucketViewTicket     bucket = "view ticket"
)

// limit is the documented number of credits a minute.
func (t Tier) limit(b bucket) int {
	type plan struct{ overall, list, view int }
	plans := map[Tier]plan{
		TierNone:       {Unlimited, Unlimited, Unlimited},
		TierStarter:    {100, 40, 50},
		TierGrowth:     {200, 70, 80},
		TierPro:        {400, 120, 140},
		TierEnterprise: {500, 140, 160},
	}
	switch b {
	case bucketOverall:
		return plans[t].overall
	case bucketViewTicket:
		return plans[t].view
	default:
		return plans[t].list
	}
}

// minuteLimiter counts credits in minutes of the clock. Whether the real window is fixed or sliding
// is not documented; choice: fixed.
type minuteLimiter struct {
	tier Tier

	mu     sync.Mutex
	minute time.Time
	used   map[bucket]int
	recent []time.Time // answered calls of the last second
}

func newMinuteLimiter(tier Tier) *minuteLimiter {
	return &minuteLimiter{tier: tier, used: map[bucket]int{}}
}

// take spends credits of a bucket and of the account, or refuses. The headers are those of every
// answer: Total is the called endpoint's own limit, as observed, and Remaining what this endpoint
// may still be asked. Choice: a refused call spends nothing. With bursts, calls are refused by their
// number in a second too.
func (l *minuteLimiter) take(now time.Time, b bucket, credits int, bursts bool) (header http.Header, refusal *answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if minute := now.Truncate(time.Minute); !minute.Equal(l.minute) {
		l.minute = minute
		clear(l.used)
	}
	remaining := func() int {
		return min(l.tier.limit(b)-l.used[b], l.tier.limit(bucketOverall)-l.used[bucketOverall])
	}
	header = http.Header{}
	header.Set("X-RateLimit-Total", strconv.Itoa(l.tier.limit(b)))
	burst := bursts && l.burst(now)
	if burst || remaining() < credits {
		// http.Header.Set writes the canonical "X-Ratelimit-…"; names have no case in HTTP.
		header.Set("X-RateLimit-Remaining", strconv.Itoa(max(remaining(), 0)))
		header.Set("X-RateLimit-Used-CurrentRequest", "0")
		seconds := 1
		if !burst {
			seconds = max(1, int(math.Ceil(l.minute.Add(time.Minute).Sub(now).Seconds())))
		}
		exhausted := freshserviceRefusal(http.StatusTooManyRequests)
		exhausted.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
		return header, &exhausted
	}
	l.used[b] += credits
	if b != bucketOverall {
		l.used[bucketOverall] += credits
	}
	header.Set("X-RateLimit-Remaining", strconv.Itoa(remaining()))
	header.Set("X-RateLimit-Used-CurrentRequest", strconv.Itoa(credits))
	return header, nil
}

// burstLimit is how many calls a second are answered where bursts are refused: 429s were seen from
// two requests a second on, and none by one queue with 550 ms between its calls.
const burstLimit = 2

// burst counts a call, and tells whether it is one too many in its second; mu is held. A call that
// is one too many does not count.
func (l *minuteLimiter) burst(now time.Time) bool {
	l.recent = slices.DeleteFunc(l.recent, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	if len(l.recent) >= burstLimit {
		return true
	}
	l.recent = append(l.recent, now)
	return false
}

// Datto RMM's documented limits of reads: 600 in a rolling 60 seconds, a second's wait for each
// answer above 90 % of it, 429 beyond it, and a block of the caller who goes on.
const (
	dattoReadLimit   = 600
	dattoWindow      = 60 * time.Second
	dattoCutOffRatio = 0.9
	dattoSlowDown    = time.Second
	dattoBlock       = 5 * time.Minute

	// dattoPatience is how many refusals in a row, with no answered call between, are "persisting"
	// (choice: the documents name no number).
	dattoPatience = 50
)

// rollingLimiter counts answered reads of the last 60 seconds.
type rollingLimiter struct {
	limit int

	mu           sync.Mutex
	answered     []time.Time
	refused      int
	blockedUntil time.Time
}

// verdict is what the limiter says to a call.
type verdict int

const (
	allowed verdict = iota
	slowed
	refused
	blocked
)

// take counts a call, or refuses it.
func (l *rollingLimiter) take(now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.blockedUntil) {
		return blocked
	}
	l.forget(now)
	if len(l.answered) >= l.limit {
		l.refused++
		if l.refused >= dattoPatience {
			l.refused, l.blockedUntil = 0, now.Add(dattoBlock)
			return blocked
		}
		return refused
	}
	l.refused = 0
	l.answered = append(l.answered, now)
	if float64(len(l.answered)) > dattoCutOffRatio*float64(l.limit) {
		return slowed
	}
	return allowed
}

// count is the number of calls in the window.
func (l *rollingLimiter) count(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	return len(l.answered)
}

// forget drops what has left the window; mu is held.
func (l *rollingLimiter) forget(now time.Time) {
	gone, _ := slices.BinarySearchFunc(l.answered, now.Add(-dattoWindow), func(at, edge time.Time) int {
		if at.After(edge) {
			return 1
		}
		return -1
	})
	l.answered = l.answered[gone:]
}
