package resolvers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/reconcile"
)

// Reconciler compares what was billed with what the hub had seen.
type Reconciler interface {
	Reconcile(ctx context.Context, period codex.Period) (*reconcile.Reconciliation, error)
	// Rebuild reads all archived bills anew and gives how many there are.
	Rebuild(ctx context.Context) (bills int, err error)
}

type (
	reconciliationResolver  struct{ *resolver }
	reconciledBillResolver  struct{ *resolver }
	billDifferenceResolver  struct{ *resolver }
	unbilledCompanyResolver struct{ *resolver }
)

func (r queryResolver) Reconciliation(ctx context.Context, year, month int, accountNumbers []string) (*reconcile.Reconciliation, error) {
	period, err := periodOf(year, month)
	if err != nil {
		return nil, err
	}
	made, err := r.billed.Reconcile(ctx, period)
	if err != nil || accountNumbers == nil {
		return made, err
	}
	accounts := make([]codex.AccountNumber, len(accountNumbers))
	for i, account := range accountNumbers {
		accounts[i] = codex.AccountNumber(account)
	}
	return made.Of(accounts), nil
}

func (r mutationResolver) RebuildBilledItems(ctx context.Context) (*model.RebuildBilledItemsPayload, error) {
	bills, err := r.billed.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	return &model.RebuildBilledItemsPayload{Bills: bills}, nil
}

func (r reconciliationResolver) Month(_ context.Context, made *reconcile.Reconciliation) (string, error) {
	return made.Period.String(), nil
}

func (r reconciliationResolver) CSV(_ context.Context, made *reconcile.Reconciliation) (string, error) {
	return made.CSV(), nil
}

func (r reconciledBillResolver) Source(_ context.Context, b *reconcile.BillCompared) (string, error) {
	return string(b.Source), nil
}

func (r reconciledBillResolver) Problem(_ context.Context, b *reconcile.BillCompared) (*string, error) {
	return filled(b.Problem), nil
}

func (r billDifferenceResolver) Before(_ context.Context, d *reconcile.Difference) (*string, error) {
	return filled(d.Before), nil
}

func (r billDifferenceResolver) Now(_ context.Context, d *reconcile.Difference) (*string, error) {
	return filled(d.Now), nil
}

func (r unbilledCompanyResolver) LastBilled(_ context.Context, u *reconcile.Unbilled) (*string, error) {
	if u.Last == nil {
		return nil, nil
	}
	month := u.Last.String()
	return &month, nil
}
