package notify

import "time"

const (
	// Most is how often a notification is tried before it is given up: for about three days, as long as a
	// weekend with nobody there.
	Most = 22
	// firstWait follows the first attempt; each later wait is twice as long, up to longestWait.
	firstWait   = 10 * time.Second
	longestWait = 6 * time.Hour
)

// after decides what follows on the failure of attempt number n: a wait, or giving up. share, from 0 to
// 1, is how much of the jitter is taken: a wait is up to a fifth shorter or longer, so that those that failed
// together do not come back together.
func after(n int, share float64) (wait time.Duration, giveUp bool) {
	if n >= Most {
		return 0, true
	}
	wait = firstWait
	for range n - 1 {
		wait = min(2*wait, longestWait)
	}
	return wait + time.Duration((share-0.5)*0.4*float64(wait)), false
}
