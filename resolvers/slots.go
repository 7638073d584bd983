package resolvers

import (
	"sync"

	"github.com/hivematrix/codex"
)

// slots are how many things of one kind each caller has under way. Nobody waits for one: a caller that
// has all of its own is told so, and takes nothing from others.
type slots struct {
	perCaller int

	mu    sync.Mutex
	taken map[codex.Caller]int // whose name alone may be that of a token and of a user
}

func newSlots(perCaller int) *slots {
	return &slots{perCaller: perCaller, taken: make(map[codex.Caller]int)}
}

// enter takes one of the slots that a caller has; leave gives it back. False: there is none.
func (s *slots) enter(caller codex.Caller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[caller] >= s.perCaller {
		return false
	}
	s.taken[caller]++
	return true
}

func (s *slots) leave(caller codex.Caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[caller]--; s.taken[caller] == 0 {
		delete(s.taken, caller)
	}
}
