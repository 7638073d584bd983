package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// ReconcileOptions are what a [Reconciler] works with.
type ReconcileOptions struct {
	DB    *store.DB
	Rules query.Rules // of tickets' hours
	Now   func() time.Time
}

// Reconciler compares what was billed with what the hub had seen. It is safe for concurrent use.
type Reconciler struct{ o ReconcileOptions }

// NewReconciler makes a Reconciler.
func NewReconciler(o ReconcileOptions) *Reconciler { return &Reconciler{o: o} }

// Reconcile compares all bills of a month that stand, as all is at one moment. A month that lies ahead is
// a [codex.CodeBadInput] error.
func (r *Reconciler) Reconcile(ctx context.Context, period codex.Period) (*Reconciliation, error) {
	if period.Start().After(r.o.Now()) {
		return nil, codex.BadInput("month", "%s lies ahead", period)
	}
	made, err := caughtUp(ctx, r.o.DB, func(ctx context.Context) (*Reconciliation, error) { return r.reconcile(ctx, period) })
	if err != nil {
		return nil, fmt.Errorf("reconciling %s: %w", period, err)
	}
	return made, nil
}

func (r *Reconciler) reconcile(ctx context.Context, period codex.Period) (*Reconciliation, error) {
	var made *Reconciliation
	err := r.o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		facts, err := r.readFacts(ctx, tx, period)
		if err != nil {
			return err
		}
		acknowledged, err := acknowledgedIn(ctx, tx, period)
		if err != nil {
			return err
		}
		made = Compare(facts, acknowledged)
		return nil
	})
	return made, err
}

// Rebuild reads all archived bills anew, and gives how many there are ([Rebuild]).
func (r *Reconciler) Rebuild(ctx context.Context) (bills int, err error) { return Rebuild(ctx, r.o.DB) }
