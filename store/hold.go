package store

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// holdPoll is how often a lease that another holds is asked for again.
const holdPoll = 200 * time.Millisecond

// Hold runs fn under the lease name: it waits until the lease is free, renews it every third of
// ttl while fn runs, and releases it afterwards. When the lease is lost, or could not be renewed
// for as long as it lasts, fn's context ends with the cause [ErrLeaseLost]; what fn writes checks
// the lease by itself ([Tx.CheckLease]), so a holder that noticed late does no harm.
func (db *DB) Hold(ctx context.Context, name, holder string, ttl time.Duration, fn func(ctx context.Context, l *Lease) error) error {
	lease, err := db.await(ctx, name, holder, ttl)
	if err != nil {
		return err
	}
	held, lose := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		db.keep(held, lease, ttl, lose)
	}()
	defer func() {
		lose(context.Canceled)
		<-renewed
		// Also when ctx has ended: else everybody waits for the lease to expire.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), ttl)
		defer cancel()
		if err := db.Release(ending, lease); err != nil {
			db.logger.WarnContext(ctx, "a lease expires by itself, since it could not be released", slog.String("lease", name), errAttr(err))
		}
	}()
	if err := fn(held, lease); err != nil {
		if cause := context.Cause(held); errors.Is(cause, ErrLeaseLost) && !errors.Is(err, ErrLeaseLost) {
			return errors.Join(ErrLeaseLost, err)
		}
		return err
	}
	return nil
}

// await acquires a lease as soon as it is free.
func (db *DB) await(ctx context.Context, name, holder string, ttl time.Duration) (*Lease, error) {
	tick := time.NewTicker(holdPoll)
	defer tick.Stop()
	for {
		lease, err := db.Acquire(ctx, name, holder, ttl)
		if err == nil || !errors.Is(err, ErrLeaseHeld) {
			return lease, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err) // with who holds it
		}
	}
}

// keep renews lease until ctx ends, and ends it with [ErrLeaseLost] when that is so. How long ago
// the lease was good is told by a timer: the monotonic clock of this process.
func (db *DB) keep(ctx context.Context, lease *Lease, ttl time.Duration, lose context.CancelCauseFunc) {
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	expiry := time.NewTimer(ttl)
	defer expiry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A renewal may wait for a long transaction of the holder's own, past the lease's end: that
		// one keeps others from taking it, so only a renewal that failed counts.
		err := db.Renew(ctx, lease, ttl)
		switch {
		case err == nil:
			expiry.Reset(ttl)
			continue
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLeaseLost):
			lose(ErrLeaseLost)
			return
		}
		db.logger.WarnContext(ctx, "a lease could not be renewed", slog.String("lease", lease.Name), errAttr(err))
		select {
		case <-expiry.C:
			lose(ErrLeaseLost)
			return
		default:
		}
	}
}
