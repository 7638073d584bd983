package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// ReviewOptions are what a [Reviewer] works with.
type ReviewOptions struct {
	DB    *store.DB
	Rules query.Rules // of tickets' hours
	ReviewRules
	Feeds []codex.Feed // those that are on
	// FreshserviceWeb is the address that people open in a browser, for links to tickets; empty: no links.
	FreshserviceWeb string
	Now             func() time.Time
}

// Reviewer makes reviews, and keeps what people said of them. Beside that it writes no more than what is
// derived from bills that were not read yet. It is safe for concurrent use.
type Reviewer struct{ o ReviewOptions }

// NewReviewer makes a Reviewer.
func NewReviewer(o ReviewOptions) *Reviewer {
	o.FreshserviceWeb = strings.TrimRight(o.FreshserviceWeb, "/")
	return &Reviewer{o: o}
}

// Review looks at all that Ledger would bill for a month, all companies at one moment.
func (r *Reviewer) Review(ctx context.Context, period codex.Period) (*Review, error) {
	return caughtUp(ctx, r.o.DB, func(ctx context.Context) (*Review, error) { return r.review(ctx, period) })
}

func (r *Reviewer) review(ctx context.Context, period codex.Period) (*Review, error) {
	var review *Review
	err := r.o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		facts, err := r.readReview(ctx, tx, period)
		if err != nil {
			return err
		}
		acknowledged, err := acknowledgedIn(ctx, tx, period)
		if err != nil {
			return err
		}
		review = DecideReview(facts, r.o.ReviewRules, acknowledged)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reviewing %s: %w", period, err)
	}
	return review, nil
}

// Of is the part of a review that is about one company, and what concerns none; a [codex.CodeNotFound]
// error where no company of that number is served.
func (r *Review) Of(account codex.AccountNumber) (*Review, error) {
	i := slices.IndexFunc(r.Companies, func(c *CompanyReview) bool { return c.Account == account })
	if i < 0 {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no company %s", account)
	}
	of := *r
	of.Companies = r.Companies[i : i+1]
	return &of, nil
}
