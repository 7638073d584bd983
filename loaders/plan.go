package loaders

import (
	"context"
	"strings"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
)

// Plans reads billing plans: *plans.Plans is one.
type Plans interface {
	ByKey(ctx context.Context, keys []plans.Key) (map[plans.Key]*plans.Plan, error)
	Users(ctx context.Context) (map[plans.Key]int, error)
	History(ctx context.Context, ids []int) (map[int][]plans.Version, error)
}

// PlanOfCompany is the plan that Ledger bills c with; nil where none fits.
func PlanOfCompany(ctx context.Context, from Plans, c *ent.Company) (*plans.Plan, error) {
	return load(ctx, edge[*ent.Company, string, *plans.Plan]{
		noted: notedOnes[plans.Plan],
		key: func(c *ent.Company) string {
			key, ok := plans.KeyOfCompany(c)
			if !ok {
				return ""
			}
			return planKey(key)
		},
		fetch: func(ctx context.Context, _ *query.Reader, keys []string, _ []string) (map[string]*plans.Plan, error) {
			var wanted []plans.Key
			for _, key := range keys {
				if name, term, selected := strings.Cut(key, "\x00"); selected {
					wanted = append(wanted, plans.Key{Name: name, Term: term})
				}
			}
			rows, err := from.ByKey(ctx, wanted)
			found := make(map[string]*plans.Plan, len(rows))
			for key, row := range rows {
				found[planKey(key)] = row
			}
			return found, err
		},
	}, c)
}

// CompaniesOfPlan is how many served companies have p.
func CompaniesOfPlan(ctx context.Context, from Plans, p *plans.Plan) (int, error) {
	return load(ctx, edge[*plans.Plan, string, int]{
		key: func(p *plans.Plan) string { return planKey(p.Key()) },
		fetch: func(ctx context.Context, _ *query.Reader, _ []string, _ []string) (map[string]int, error) {
			users, err := from.Users(ctx)
			counts := make(map[string]int, len(users))
			for key, count := range users {
				counts[planKey(key)] = count
			}
			return counts, err
		},
	}, p)
}

// HistoryOfPlan are the versions of p.
func HistoryOfPlan(ctx context.Context, from Plans, p *plans.Plan) ([]*query.Version, error) {
	return load(ctx, edge[*plans.Plan, int, []*query.Version]{
		key: func(p *plans.Plan) int { return p.ID }, noted: notedLists[*query.Version],
		fetch: func(ctx context.Context, _ *query.Reader, ids []int, _ []string) (map[int][]*query.Version, error) {
			rows, err := from.History(ctx, ids)
			found := make(map[int][]*query.Version, len(rows))
			for id, versions := range rows {
				for i := range versions {
					found[id] = append(found[id], planVersion(&versions[i]))
				}
			}
			return found, err
		},
	}, p)
}

func planVersion(v *plans.Version) *query.Version {
	version := &query.Version{From: v.From, To: v.To, ChangedBy: v.ChangedBy, EndedBy: v.EndedBy}
	for _, change := range v.Changes {
		version.Changes = append(version.Changes, &query.FieldChange{Column: change.Field, Old: change.Old, New: change.New})
	}
	return version
}

// planKey is a key as one text: neither part has a control character.
func planKey(key plans.Key) string { return key.Name + "\x00" + key.Term }
