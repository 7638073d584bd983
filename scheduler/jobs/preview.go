package jobs

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store"
)

// Action is what a job would do about a company.
type Action string

// The actions.
const (
	ActionAsk     Action = "ask"     // Ledger would be asked for the bill
	ActionAlready Action = "already" // the bill is archived
	ActionHold    Action = "hold"    // left out, since the bill review flags it
	ActionUnknown Action = "unknown" // it would fail: the hub does not know the company
)

// Preview is what a job would do now.
type Preview struct {
	Period codex.Period
	At     time.Time
	// Stale are the feeds that have not succeeded since the month ended. A scheduled job would sync them
	// first, and wait for them.
	Stale []StaleFeed
	// FirstSeen: the hub had seen no company when the month ended, so it takes those that it serves now.
	FirstSeen bool
	Companies []PreviewCompany
}

// PreviewCompany is what a job would do about a company.
type PreviewCompany struct {
	Account  codex.AccountNumber
	Name     string // empty where the company is unknown
	Action   Action
	Invoice  string // of its archived bill, or of the one that is reopened
	Reopened bool   // a bill is there, and is reopened: its next revision would be asked for
	Reason   string // why it would be left out or fail, for people
	// Review is what the bill review says of it; nil where it serves no such company now.
	Review *reconcile.CompanyReview
}

// Preview tells what a job would do, company by company, and does nothing. It asks Ledger nothing either:
// whether that can make the bills is not known before.
func (j *Jobs) Preview(ctx context.Context, request Request) (*Preview, error) {
	if request.Type == codex.JobScheduled && request.DueAt.IsZero() {
		request.DueAt = j.o.DB.Now() // none is started
	}
	r, err := request.normalised(j.o.DB.Now())
	if err != nil {
		return nil, err
	}
	review, err := j.o.Reviews.Review(ctx, r.Period)
	if err != nil {
		return nil, err
	}
	preview := &Preview{Period: r.Period, At: j.o.DB.Now()}
	err = j.o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		if preview.Stale, err = staleFeeds(ctx, tx.Ent(), j.o.Syncs.Feeds(), r.Period, tx.Now()); err != nil {
			return err
		}
		list, firstSeen, err := targets(ctx, tx.Ent(), r.Period, r.Accounts)
		if err != nil {
			return err
		}
		bills, err := readStandings(ctx, tx.Ent(), r.Period)
		if err != nil {
			return err
		}
		preview.FirstSeen = firstSeen
		holding := j.holds(r.Type, r.Force != "")
		reviews := reviewsOf(review)
		for _, t := range list {
			preview.Companies = append(preview.Companies, previewOf(t, bills.of(t), reviews[t.account], holding))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return preview, nil
}

// previewOf decides what would be done about a company.
func previewOf(t target, bill standing, review *reconcile.CompanyReview, holding bool) PreviewCompany {
	p := PreviewCompany{
		Account: t.account, Name: t.name, Action: ActionAsk, Review: review,
		Invoice: bill.invoice, Reopened: bill.reopened != "",
	}
	if p.Reopened {
		p.Invoice = bill.reopened
	}
	switch {
	case t.unknown != "":
		p.Action, p.Reason = ActionUnknown, t.unknown
	case bill.archived():
		p.Action = ActionAlready
	case holding && openFlags(review) > 0:
		p.Action, p.Reason = ActionHold, heldReason(openFlags(review))
	}
	return p
}
