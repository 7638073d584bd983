package scheduler

import (
	"context"
	"time"

	"github.com/hivematrix/codex/store"
)

// For tests: a look of a leader without its ticker, and its lease.
const (
	LeaseName = leaseName
	LeaseTTL  = leaseTTL
	Grace     = grace
)

// Tick is one look under lease.
func (s *Scheduler) Tick(ctx context.Context, lease *store.Lease) error { return s.tick(ctx, lease) }

// NextOf is when a setting's rule is due next.
func NextOf(now time.Time, state *State, setting Setting) Due { return next(now, state, setting) }
