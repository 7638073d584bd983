package loaders

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// CompaniesOfJob are those companies of job that are in one of states, or all where it is nil.
func CompaniesOfJob(ctx context.Context, job *ent.SnapshotJob, states []codex.JobCompanyState) ([]*ent.SnapshotJobCompany, error) {
	return load(ctx, edge[*ent.SnapshotJob, codex.RunID, []*ent.SnapshotJobCompany]{
		key: func(job *ent.SnapshotJob) codex.RunID { return job.ID }, noted: notedLists[*ent.SnapshotJobCompany],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.RunID, _ []string) (map[codex.RunID][]*ent.SnapshotJobCompany, error) {
			return r.JobCompanies(ctx, keys, states)
		},
	}, job)
}

// CompanyOfJobCompany is the company that has the account number of c now; nil where none has.
func CompanyOfJobCompany(ctx context.Context, c *ent.SnapshotJobCompany) (*ent.Company, error) {
	return load(ctx, companyOf(func(c *ent.SnapshotJobCompany) codex.AccountNumber { return c.AccountNumber }), c)
}

// SnapshotOfJobCompany is the bill of c in the revision that services are served; nil where there is none.
func SnapshotOfJobCompany(ctx context.Context, c *ent.SnapshotJobCompany) (*ent.Snapshot, error) {
	return load(ctx, currentBillOf(func(c *ent.SnapshotJobCompany) string {
		if c.InvoiceNumber == nil {
			return ""
		}
		return *c.InvoiceNumber
	}), c)
}

// CurrentBill is the bill whose invoice number parent names, in the revision that services are served; nil
// where it names none, or that is not archived.
func CurrentBill[P any](ctx context.Context, parent P, invoice func(P) string) (*ent.Snapshot, error) {
	return load(ctx, currentBillOf(invoice), parent)
}

// currentBillOf leads to the bill of an invoice number; an empty one has none.
func currentBillOf[P any](key func(P) string) edge[P, string, *ent.Snapshot] {
	return edge[P, string, *ent.Snapshot]{
		object: "Snapshot", key: key, noted: notedOnes[ent.Snapshot],
		fetch: func(ctx context.Context, r *query.Reader, keys []string, columns []string) (map[string]*ent.Snapshot, error) {
			return r.CurrentByInvoice(ctx, keys, columns...)
		},
	}
}
