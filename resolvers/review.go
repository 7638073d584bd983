package resolvers

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
)

// Reviewer looks before the bill, and keeps what people said of what it saw.
type Reviewer interface {
	Review(ctx context.Context, period codex.Period) (*reconcile.Review, error)
	Acknowledge(ctx context.Context, wanted reconcile.NewAcknowledgement, by codex.Caller) (*reconcile.Acknowledgement, error)
	Withdraw(ctx context.Context, id int, note string, by codex.Caller) (*reconcile.Acknowledgement, error)
	Acknowledgements(ctx context.Context, page query.Page, filter reconcile.AcknowledgementFilter) (*query.PageOf[*reconcile.Acknowledgement], error)
}

type (
	billReviewResolver      struct{ *resolver }
	companyReviewResolver   struct{ *resolver }
	reviewFlagResolver      struct{ *resolver }
	acknowledgementResolver struct{ *resolver }
)

func (r queryResolver) BillReview(ctx context.Context, year, month int, accountNumber *string) (*reconcile.Review, error) {
	period, err := periodOf(year, month)
	if err != nil {
		return nil, err
	}
	review, err := r.reviews.Review(ctx, period)
	if err != nil || accountNumber == nil {
		return review, err
	}
	return review.Of(codex.AccountNumber(*accountNumber))
}

// periodOf is the billing month that two arguments name.
func periodOf(year, month int) (codex.Period, error) {
	switch {
	case year < 1970 || year > 9999:
		return codex.Period{}, codex.BadInput("year", "a year is 1970 to 9999")
	case month < 1 || month > 12:
		return codex.Period{}, codex.BadInput("month", "a month is 1 to 12")
	}
	return codex.Period{Year: year, Month: time.Month(month)}, nil
}

func (r billReviewResolver) Month(_ context.Context, review *reconcile.Review) (string, error) {
	return review.Period.String(), nil
}

func (r billReviewResolver) Companies(_ context.Context, review *reconcile.Review, flagged bool) ([]*reconcile.CompanyReview, error) {
	wanted := []*reconcile.CompanyReview{}
	for _, c := range review.Companies {
		if !flagged || len(c.Flags) > 0 {
			wanted = append(wanted, c)
		}
	}
	return wanted, nil
}

func (r companyReviewResolver) LastBilled(_ context.Context, c *reconcile.CompanyReview) (*string, error) {
	if c.Last == nil {
		return nil, nil
	}
	month := c.Last.String()
	return &month, nil
}

func (r reviewFlagResolver) AccountNumber(_ context.Context, f *reconcile.Flag) (*string, error) {
	return filled(string(f.Account)), nil
}

func (r reviewFlagResolver) Before(_ context.Context, f *reconcile.Flag) (*string, error) {
	return filled(f.Before), nil
}

func (r reviewFlagResolver) Now(_ context.Context, f *reconcile.Flag) (*string, error) {
	return filled(f.Now), nil
}

func (r reviewFlagResolver) Link(_ context.Context, f *reconcile.Flag) (*string, error) {
	return filled(f.Link), nil
}

// filled is a text where there is one.
func filled[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}

func (r acknowledgementResolver) AccountNumber(_ context.Context, a *reconcile.Acknowledgement) (*string, error) {
	return filled(string(a.Account)), nil
}

func (r acknowledgementResolver) Month(_ context.Context, a *reconcile.Acknowledgement) (string, error) {
	return a.Period.String(), nil
}

func (r queryResolver) Acknowledgements(ctx context.Context, accountNumber, month, kind *string, withdrawn *bool, first *int, after *string) (*model.AcknowledgementConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	wanted := reconcile.AcknowledgementFilter{Account: (*codex.AccountNumber)(accountNumber), Kind: value(kind), Withdrawn: withdrawn}
	if month != nil {
		period, err := codex.ParsePeriod(*month)
		if err != nil {
			return nil, codex.BadInput("month", "a month is YYYY-MM, such as 2025-10")
		}
		wanted.Period = &period
	}
	page, err := r.reviews.Acknowledgements(ctx, asked, wanted)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.AcknowledgementEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.AcknowledgementEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.AcknowledgementConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page)}, nil
}

func (r mutationResolver) Acknowledge(ctx context.Context, input model.AcknowledgeInput) (*model.AcknowledgePayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	period, err := periodOf(input.Year, input.Month)
	if err != nil {
		return nil, err
	}
	made, err := r.reviews.Acknowledge(ctx, reconcile.NewAcknowledgement{
		Account: codex.AccountNumber(value(input.AccountNumber)), Period: period, Kind: input.Kind,
		Item:     reconcile.Item{Entity: input.Item.Entity, ID: input.Item.ID},
		Standing: input.Standing, Note: input.Note, Fingerprint: value(input.Fingerprint),
	}, caller)
	if err != nil {
		return nil, err
	}
	return &model.AcknowledgePayload{Acknowledgement: made}, nil
}

func (r mutationResolver) WithdrawAcknowledgement(ctx context.Context, id, note string) (*model.WithdrawAcknowledgementPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	withdrawn, err := r.reviews.Withdraw(ctx, key, note, caller)
	if err != nil {
		return nil, err
	}
	return &model.WithdrawAcknowledgementPayload{Acknowledgement: withdrawn}, nil
}
