package loaders

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// HistoryOfCompany are the versions of c.
func HistoryOfCompany(ctx context.Context, c *ent.Company) ([]*query.Version, error) {
	changes := asksForChanges(ctx)
	return load(ctx, edge[*ent.Company, codex.AccountNumber, []*query.Version]{
		key: accountNumber, noted: notedLists[*query.Version],
		fetch: func(ctx context.Context, r *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber][]*query.Version, error) {
			return r.VersionsOfCompanies(ctx, keys, changes)
		},
	}, c)
}

// HistoryOfAsset are the versions of a.
func HistoryOfAsset(ctx context.Context, a *ent.Asset) ([]*query.Version, error) {
	return load(ctx, historyOf(ctx, query.EntityAsset, func(a *ent.Asset) int { return a.ID }), a)
}

// HistoryOfContact are the versions of c.
func HistoryOfContact(ctx context.Context, c *ent.Contact) ([]*query.Version, error) {
	return load(ctx, historyOf(ctx, query.EntityContact, func(c *ent.Contact) int { return c.ID }), c)
}

// HistoryOfLocation are the versions of l.
func HistoryOfLocation(ctx context.Context, l *ent.Location) ([]*query.Version, error) {
	return load(ctx, historyOf(ctx, query.EntityLocation, func(l *ent.Location) int { return l.ID }), l)
}

// HistoryOfTicket are the versions of t.
func HistoryOfTicket(ctx context.Context, t *ent.Ticket) ([]*query.Version, error) {
	return load(ctx, historyOf(ctx, query.EntityTicket, func(t *ent.Ticket) int { return t.ID }), t)
}

func historyOf[P any](ctx context.Context, e query.Entity, key func(P) int) edge[P, int, []*query.Version] {
	changes := asksForChanges(ctx)
	return edge[P, int, []*query.Version]{
		key: key, noted: notedLists[*query.Version],
		fetch: func(ctx context.Context, r *query.Reader, keys []int, _ []string) (map[int][]*query.Version, error) {
			return r.VersionsOf(ctx, e, keys, changes)
		},
	}
}

// asksForChanges tells whether the history that ctx resolves is wanted with what changed, which takes
// all columns that it keeps.
func asksForChanges(ctx context.Context) bool {
	return slices.ContainsFunc(graphql.CollectFieldsCtx(ctx, []string{"RecordVersion"}),
		func(f graphql.CollectedField) bool { return f.Name == "changes" })
}

// BackupHistoryOfAsset are the readings of a's backup, as far as filter wants them.
func BackupHistoryOfAsset(ctx context.Context, a *ent.Asset, filter query.DayFilter) ([]*query.BackupReading, error) {
	return load(ctx, edge[*ent.Asset, int, []*query.BackupReading]{
		key: func(a *ent.Asset) int { return a.ID },
		fetch: func(ctx context.Context, r *query.Reader, keys []int, _ []string) (map[int][]*query.BackupReading, error) {
			return r.BackupReadingsByAsset(ctx, keys, filter)
		},
	}, a)
}

// RunOfVersion is the run that brought v, nil where a person did.
func RunOfVersion(ctx context.Context, v *query.Version) (*ent.SyncRun, error) {
	return load(ctx, runOf(func(v *query.Version) query.RunRef { return query.RunRefOf(pointed(v.RunID)) }), v)
}

// RunOfChange is the run that did c, nil where none did.
func RunOfChange(ctx context.Context, c *query.Change) (*ent.SyncRun, error) {
	return load(ctx, runOf(func(c *query.Change) query.RunRef { return c.Run }), c)
}

// RunOfCoverage is the run that c rests on, nil where there is none.
func RunOfCoverage(ctx context.Context, c *query.Coverage) (*ent.SyncRun, error) {
	return load(ctx, runOf(func(c *query.Coverage) query.RunRef { return query.RunRefOf(pointed(c.RunID)) }), c)
}

func runOf[P any](key func(P) query.RunRef) edge[P, query.RunRef, *ent.SyncRun] {
	return edge[P, query.RunRef, *ent.SyncRun]{
		object: "SyncRun", key: key,
		fetch: func(ctx context.Context, r *query.Reader, keys []query.RunRef, columns []string) (map[query.RunRef]*ent.SyncRun, error) {
			return r.RunsByRef(ctx, keys, columns...)
		},
	}
}

func pointed(id *codex.RunID) codex.RunID {
	if id == nil {
		return ""
	}
	return *id
}
