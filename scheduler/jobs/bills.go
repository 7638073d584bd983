package jobs

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// standing is how the bills of a company stand in a month.
type standing struct {
	invoice  string // of one that services are served; empty where there is none
	reopened string // of one that is reopened, so that Ledger shall make its next revision
}

// archived tells whether the company needs no bill.
func (s standing) archived() bool { return s.invoice != "" && s.reopened == "" }

// standings are how the bills of a month stand, by account number.
type standings map[codex.AccountNumber]standing

// of is how the bills of a company stand, under whichever of its numbers they are.
func (s standings) of(t target) standing {
	found := s[t.account]
	for _, number := range t.earlier {
		if found == (standing{}) {
			found = s[number]
		}
	}
	return found
}

// readStandings reads how the bills of a month stand: of those account numbers alone, unless none is named.
func readStandings(ctx context.Context, client *ent.Client, period codex.Period, accounts ...codex.AccountNumber) (standings, error) {
	bills := client.Snapshot.Query().
		Where(snapshot.BillingYear(period.Year), snapshot.BillingMonth(int(period.Month))).Order(snapshot.ByID())
	if len(accounts) > 0 {
		bills.Where(predicate.Snapshot(store.KeyIn(snapshot.FieldCompanyAccountNumber, accounts)))
	}
	rows, err := bills.Select(snapshot.FieldInvoiceNumber, snapshot.FieldCompanyAccountNumber).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the bills of %s: %w", period, err)
	}
	ids := make([]int, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	stands, err := query.New(client, query.Rules{}).Standings(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make(standings)
	for _, row := range rows {
		s := all[row.CompanyAccountNumber]
		switch how := stands[row.ID]; {
		case how.Current():
			s.invoice = row.InvoiceNumber
		case how.Open:
			s.reopened = row.InvoiceNumber
		}
		all[row.CompanyAccountNumber] = s
	}
	return all, nil
}
