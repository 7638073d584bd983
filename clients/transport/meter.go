package transport

import (
	"context"
	"sync"
	"time"
)

// Stats are figures of calls.
type Stats struct {
	Requests int64 // attempts that were sent
	// Waited is how long at least one call waited for the upstream's limits: its pace, or the pause
	// after a 429. Calls that wait together count once, so that it never exceeds the time passed.
	Waited time.Duration
}

// Meter counts the calls of whoever put it into a context. The zero value is ready; nil counts
// nothing.
type Meter struct {
	mu       sync.Mutex
	requests int64
	waiting  int
	since    time.Time
	waited   time.Duration
}

// Stats are the figures so far; waits count once they are over.
func (m *Meter) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Stats{Requests: m.requests, Waited: m.waited}
}

func (m *Meter) count() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
}

func (m *Meter) waitBegins(now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting++; m.waiting == 1 {
		m.since = now
	}
}

func (m *Meter) waitEnds(now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting--; m.waiting == 0 {
		m.waited += now.Sub(m.since)
	}
}

type meterKey struct{}

// WithMeter is ctx whose calls are counted by meter too.
func WithMeter(ctx context.Context, meter *Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

func meterFrom(ctx context.Context) *Meter {
	meter, _ := ctx.Value(meterKey{}).(*Meter)
	return meter
}

// Priority says who goes first where calls wait for a limit.
type Priority int

// The priorities, the most urgent last.
const (
	PriorityLow         Priority = iota - 1 // what is only read: conversations
	PriorityNormal                          // bulk runs: lists, hours
	PriorityInteractive                     // what a person or a webhook waits for
)

type priorityKey struct{}

// WithPriority is ctx whose calls have priority; without one they are [PriorityNormal].
func WithPriority(ctx context.Context, priority Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, priority)
}

func priorityFrom(ctx context.Context) Priority {
	priority, _ := ctx.Value(priorityKey{}).(Priority)
	return priority
}
