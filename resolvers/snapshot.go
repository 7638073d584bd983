package resolvers

import (
	"context"
	"encoding/json"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

type (
	snapshotResolver           struct{ *resolver }
	snapshotConnectionResolver struct{ *resolver }
	snapshotDiffResolver       struct{ *resolver }
	snapshotGroupResolver      struct{ *resolver }
	snapshotRunResolver        struct{ *resolver }
)

func (r *resolver) Snapshot() exec.SnapshotResolver           { return snapshotResolver{r} }
func (r *resolver) SnapshotDiff() exec.SnapshotDiffResolver   { return snapshotDiffResolver{r} }
func (r *resolver) SnapshotGroup() exec.SnapshotGroupResolver { return snapshotGroupResolver{r} }
func (r *resolver) SnapshotRun() exec.SnapshotRunResolver     { return snapshotRunResolver{r} }
func (r *resolver) SnapshotConnection() exec.SnapshotConnectionResolver {
	return snapshotConnectionResolver{r}
}

// revisionOf is the revision that an argument asks for; 0 where it does not say.
func revisionOf(argument string, revision *int) (int, error) {
	if revision != nil && *revision < 1 {
		return 0, codex.BadInput(argument, "revisions count from 1")
	}
	return value(revision), nil
}

func (r queryResolver) Snapshot(ctx context.Context, invoiceNumber string, revision *int) (*ent.Snapshot, error) {
	which, err := revisionOf("revision", revision)
	if err != nil {
		return nil, err
	}
	found, err := r.reader.Snapshot(ctx, invoiceNumber, which, loaders.Columns(ctx, "Snapshot")...)
	return one(ctx, found, err)
}

func (r queryResolver) Snapshots(ctx context.Context, filter map[string]any, revisions query.Revisions, orderBy []*query.Order, first *int, after *string) (*model.SnapshotConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Snapshots(ctx, asked, list, revisions, loaders.PageColumns(ctx, "Snapshot")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.SnapshotEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.SnapshotEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.SnapshotConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list, Revisions: revisions},
		loaders.Announce(ctx, page.Rows...)
}

func (r snapshotConnectionResolver) TotalCount(ctx context.Context, c *model.SnapshotConnection) (int, error) {
	return r.reader.CountSnapshots(ctx, c.List.Filter, c.Revisions)
}

func (r queryResolver) SnapshotTotals(ctx context.Context, filter map[string]any, groupBy []query.GroupBy) ([]*query.SnapshotGroup, error) {
	groups, err := r.reader.SnapshotTotals(ctx, filter, groupBy)
	return groupsOf(ctx, groups, err)
}

func (r queryResolver) SnapshotDiff(ctx context.Context, from, to model.SnapshotRef) (*query.SnapshotDiff, error) {
	var refs [2]query.SnapshotRef
	for i, given := range []model.SnapshotRef{from, to} {
		revision, err := revisionOf([]string{"from", "to"}[i], given.Revision)
		if err != nil {
			return nil, err
		}
		refs[i] = query.SnapshotRef{InvoiceNumber: given.InvoiceNumber, Revision: revision}
	}
	diff, err := r.reader.SnapshotDiff(ctx, refs[0], refs[1])
	if diff, err = one(ctx, diff, err); diff == nil || err != nil {
		return nil, err
	}
	return diff, loaders.Announce(ctx, diff.From, diff.To)
}

func (r snapshotDiffResolver) Documents(ctx context.Context, d *query.SnapshotDiff) ([]proof.Committed, error) {
	names, err := r.reader.DifferingContents(ctx, d.From.ID, d.To.ID, string(proof.BillingData), string(proof.CSV), string(proof.Notes))
	if err != nil {
		return nil, err
	}
	documents := make([]proof.Committed, len(names))
	for i, name := range names {
		documents[i] = proof.Committed(name)
	}
	return documents, nil
}

func (r companyResolver) Snapshots(ctx context.Context, c *ent.Company, filter map[string]any, revisions query.Revisions, orderBy []*query.Order, first *int) ([]*ent.Snapshot, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.SnapshotsOfCompany(ctx, c, revisions, wanted)
}

func (r snapshotResolver) Current(ctx context.Context, s *ent.Snapshot) (bool, error) {
	standing, err := loaders.StandingOfSnapshot(ctx, s)
	return standing.Current(), err
}

func (r snapshotResolver) Open(ctx context.Context, s *ent.Snapshot) (bool, error) {
	standing, err := loaders.StandingOfSnapshot(ctx, s)
	return standing.Open, err
}

func (r snapshotResolver) Company(ctx context.Context, s *ent.Snapshot) (*ent.Company, error) {
	return loaders.CompanyOfSnapshot(ctx, s)
}

func (r snapshotResolver) BillingMonth(_ context.Context, s *ent.Snapshot) (string, error) {
	return query.PeriodOfSnapshot(s).String(), nil
}

func (r snapshotResolver) Marks(_ context.Context, s *ent.Snapshot) ([]string, error) {
	return query.Texts(&s.Marks)
}

func (r snapshotResolver) Runs(ctx context.Context, s *ent.Snapshot) ([]*query.SnapshotRun, error) {
	return loaders.RunsOfSnapshot(ctx, s)
}

func (r snapshotRunResolver) Run(ctx context.Context, run *query.SnapshotRun) (*ent.SyncRun, error) {
	return loaders.RunOfSnapshot(ctx, run)
}

func (r snapshotResolver) Lines(ctx context.Context, s *ent.Snapshot, filter map[string]any, orderBy []*query.Order, first *int) ([]*ent.SnapshotItem, error) {
	wanted, err := edgeOf(filter, orderBy, first)
	if err != nil {
		return nil, err
	}
	return loaders.LinesOfSnapshot(ctx, s, wanted)
}

func (r snapshotResolver) BillingData(ctx context.Context, s *ent.Snapshot) (any, error) {
	text, err := loaders.ContentOfSnapshot(ctx, s, proof.BillingData)
	if text == nil || err != nil {
		return nil, err
	}
	return json.RawMessage(*text), nil
}

func (r snapshotResolver) CSV(ctx context.Context, s *ent.Snapshot) (*string, error) {
	return loaders.ContentOfSnapshot(ctx, s, proof.CSV)
}

func (r snapshotResolver) Notes(ctx context.Context, s *ent.Snapshot) (*string, error) {
	return loaders.ContentOfSnapshot(ctx, s, proof.Notes)
}

func (r snapshotResolver) Revisions(ctx context.Context, s *ent.Snapshot) ([]*ent.Snapshot, error) {
	return loaders.RevisionsOfSnapshot(ctx, s)
}

func (r snapshotResolver) Events(ctx context.Context, s *ent.Snapshot) ([]*ent.BillEvent, error) {
	return loaders.EventsOfSnapshot(ctx, s)
}

func (r snapshotGroupResolver) Company(ctx context.Context, g *query.SnapshotGroup) (*ent.Company, error) {
	return loaders.CompanyOfSnapshotGroup(ctx, g)
}
