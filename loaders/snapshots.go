package loaders

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// SnapshotsOfCompany are those revisions of the bills of c that are wanted.
func SnapshotsOfCompany(ctx context.Context, c *ent.Company, which query.Revisions, wanted query.Edge) ([]*ent.Snapshot, error) {
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*ent.Snapshot]{
		object: "Snapshot", key: accountNumber, noted: notedLists[*ent.Snapshot],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, columns []string) (map[codex.AccountNumber][]*ent.Snapshot, error) {
			return r.SnapshotsByCompany(ctx, keys, which, wanted, columns...)
		},
	}, c)
}

// CompanyOfSnapshot is the company that has the account number on s now; nil where none has.
func CompanyOfSnapshot(ctx context.Context, s *ent.Snapshot) (*ent.Company, error) {
	return load(ctx, companyOf(func(s *ent.Snapshot) codex.AccountNumber { return s.CompanyAccountNumber }), s)
}

// CompanyOfSnapshotGroup is the company that has the account number on the bills of g now; nil where none
// has, or they are not grouped by that.
func CompanyOfSnapshotGroup(ctx context.Context, g *query.SnapshotGroup) (*ent.Company, error) {
	if g.Account == nil {
		return nil, nil
	}
	return load(ctx, companyOf(func(g *query.SnapshotGroup) codex.AccountNumber { return *g.Account }), g)
}

// LinesOfSnapshot are those of the lines of s that are wanted.
func LinesOfSnapshot(ctx context.Context, s *ent.Snapshot, wanted query.Edge) ([]*ent.SnapshotItem, error) {
	return load(ctx, edge[*ent.Snapshot, int, []*ent.SnapshotItem]{
		object: "SnapshotLine", key: snapshotID,
		fetch: func(ctx context.Context, r *query.Reader, keys []int, columns []string) (map[int][]*ent.SnapshotItem, error) {
			return r.SnapshotLines(ctx, keys, wanted, columns...)
		},
	}, s)
}

// ContentOfSnapshot is the content of that name of s, nil where it has none.
func ContentOfSnapshot(ctx context.Context, s *ent.Snapshot, name proof.Committed) (*string, error) {
	return load(ctx, edge[*ent.Snapshot, int, *string]{
		key: snapshotID,
		fetch: func(ctx context.Context, r *query.Reader, keys []int, _ []string) (map[int]*string, error) {
			return r.SnapshotContents(ctx, keys, string(name))
		},
	}, s)
}

// StandingOfSnapshot is how s stands.
func StandingOfSnapshot(ctx context.Context, s *ent.Snapshot) (query.Standing, error) {
	return load(ctx, edge[*ent.Snapshot, int, query.Standing]{
		key: snapshotID,
		fetch: func(ctx context.Context, r *query.Reader, keys []int, _ []string) (map[int]query.Standing, error) {
			return r.Standings(ctx, keys)
		},
	}, s)
}

// RevisionsOfSnapshot are all revisions of the bill of which s is one.
func RevisionsOfSnapshot(ctx context.Context, s *ent.Snapshot) ([]*ent.Snapshot, error) {
	return load(ctx, edge[*ent.Snapshot, string, []*ent.Snapshot]{
		object: "Snapshot", key: invoiceNumber, noted: notedLists[*ent.Snapshot],
		fetch: func(ctx context.Context, r *query.Reader, keys []string, columns []string) (map[string][]*ent.Snapshot, error) {
			return r.SnapshotsByInvoice(ctx, keys, columns...)
		},
	}, s)
}

// EventsOfSnapshot are what happened to the revision s.
func EventsOfSnapshot(ctx context.Context, s *ent.Snapshot) ([]*ent.BillEvent, error) {
	all, err := load(ctx, edge[*ent.Snapshot, string, []*ent.BillEvent]{
		key: invoiceNumber,
		fetch: func(ctx context.Context, r *query.Reader, keys []string, _ []string) (map[string][]*ent.BillEvent, error) {
			return r.BillEvents(ctx, keys)
		},
	}, s)
	events := []*ent.BillEvent{}
	for _, event := range all {
		if event.Revision == s.Revision {
			events = append(events, event)
		}
	}
	return events, err
}

// RunsOfSnapshot are what the hub knew when s was accepted. It reads nothing, but all bills at a place are
// decoded at once, so that the runs of all of them are known when the first is asked for.
func RunsOfSnapshot(ctx context.Context, s *ent.Snapshot) ([]*query.SnapshotRun, error) {
	return load(ctx, edge[*ent.Snapshot, string, []*query.SnapshotRun]{
		key: func(s *ent.Snapshot) string { return s.Runs }, noted: notedLists[*query.SnapshotRun],
		fetch: func(_ context.Context, _ *query.Reader, keys []string, _ []string) (map[string][]*query.SnapshotRun, error) {
			runs := make(map[string][]*query.SnapshotRun, len(keys))
			for _, text := range keys {
				var err error
				if runs[text], err = query.SnapshotRuns(text); err != nil {
					return nil, err
				}
			}
			return runs, nil
		},
	}, s)
}

// RunOfSnapshot is the run that a bill names, nil where it is no longer kept.
func RunOfSnapshot(ctx context.Context, run *query.SnapshotRun) (*ent.SyncRun, error) {
	return load(ctx, runOf(func(run *query.SnapshotRun) query.RunRef { return query.RunRefOf(run.RunID) }), run)
}

func snapshotID(s *ent.Snapshot) int { return s.ID }

func invoiceNumber(s *ent.Snapshot) string { return s.InvoiceNumber }
