package syncers

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// HoldFeeds runs fn while no feed of the installation is synced and nothing is re-read: it waits until
// what is at work has ended, and holds the leases of all configured feeds and of the re-reads until fn
// returns. Runs that are started meanwhile wait as queued, what webhooks announce waits in its queue.
// When one of the leases is lost, fn's context ends with the cause [store.ErrLeaseLost].
func (e *Engine) HoldFeeds(ctx context.Context, fn func(ctx context.Context) error) error {
	if !e.enter() {
		return codex.Wrap(codex.CodeUnavailable, errClosing, "the hub is stopping")
	}
	defer e.leave()
	var leases []string
	for _, feed := range e.Feeds() {
		leases = append(leases, leaseOf(feed))
	}
	// The re-reads' last: they may wait for a run that has just ended (quietLease), and no run for them.
	return e.holdEach(ctx, append(leases, rereadLease), fn)
}

func (e *Engine) holdEach(ctx context.Context, leases []string, fn func(ctx context.Context) error) error {
	if len(leases) == 0 {
		return fn(ctx)
	}
	begun := false
	err := e.db.Hold(ctx, leases[0], e.holder+"/hold", leaseTTL, func(ctx context.Context, _ *store.Lease) error {
		begun = true
		return e.holdEach(ctx, leases[1:], fn)
	})
	if err != nil && !begun {
		return fmt.Errorf("holding syncs off: %w", err)
	}
	return err
}
