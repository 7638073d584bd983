package resolvers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/model"
)

func (r mutationResolver) RefetchBill(ctx context.Context, invoiceNumber, reason string) (*model.RefetchBillPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	refetched, err := r.bills.Refetch(ctx, invoiceNumber, reason, caller)
	if err != nil {
		return nil, ofInput(err)
	}
	payload := &model.RefetchBillPayload{Snapshot: refetched.Snapshot, Unchanged: refetched.Unchanged, DifferingFields: []string{}}
	for _, key := range refetched.Differing {
		payload.DifferingFields = append(payload.DifferingFields, inputOf(key))
	}
	return payload, nil
}
