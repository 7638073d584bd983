package resolvers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
)

// Plans keeps the billing plans.
type Plans interface {
	loaders.Plans
	All(ctx context.Context) ([]plans.Plan, error)
	One(ctx context.Context, key plans.Key) (*plans.Plan, error)
	Keys(ctx context.Context) ([]plans.Key, error)
	Without(ctx context.Context, first int) ([]*ent.Company, error)
	Save(ctx context.Context, plan plans.Plan, by string) (*plans.Saved, error)
	Delete(ctx context.Context, key plans.Key, by string) (*plans.Deleted, error)
	Import(ctx context.Context, file plans.File, o plans.ImportOptions, by string) (*plans.Import, error)
	Export(ctx context.Context) (plans.File, error)
}

var _ Plans = (*plans.Plans)(nil)

type planResolver struct{ *resolver }

func (r queryResolver) Plan(ctx context.Context, name, termLength string) (*plans.Plan, error) {
	found, err := r.plans.One(ctx, plans.Key{Name: name, Term: termLength})
	return one(ctx, found, err)
}

func (r queryResolver) Plans(ctx context.Context) ([]*plans.Plan, error) {
	rows, err := r.plans.All(ctx)
	if err != nil {
		return nil, err
	}
	all := pointers(rows)
	return all, loaders.Announce(ctx, all...)
}

func (r queryResolver) CompaniesWithoutPlan(ctx context.Context, first *int) ([]*model.CompanyWithoutPlan, error) {
	wanted, err := edgeOf(nil, nil, first)
	if err != nil {
		return nil, err
	}
	rows, err := r.plans.Without(ctx, wanted.First)
	if err != nil {
		return nil, err
	}
	keys, err := r.plans.Keys(ctx)
	if err != nil {
		return nil, err
	}
	terms := map[string][]string{}
	for _, key := range keys {
		terms[key.Name] = append(terms[key.Name], key.Term)
	}
	list := make([]*model.CompanyWithoutPlan, len(rows))
	for i, row := range rows {
		list[i] = &model.CompanyWithoutPlan{
			Company: row, BillingPlan: row.PlanSelected, TermLength: plans.TermOf(row.ContractTermLength), OtherTerms: []string{},
		}
		if key, selected := plans.KeyOfCompany(row); selected && terms[key.Name] != nil {
			list[i].OtherTerms = terms[key.Name]
		}
	}
	return list, loaders.Announce(ctx, rows...)
}

func (r queryResolver) PlansFile(ctx context.Context) (string, error) {
	file, err := r.plans.Export(ctx)
	if err != nil {
		return "", err
	}
	text, err := file.Encode()
	return string(text), err
}

func (r companyResolver) Plan(ctx context.Context, c *ent.Company) (*plans.Plan, error) {
	return loaders.PlanOfCompany(ctx, r.plans, c)
}

func (r planResolver) CompanyCount(ctx context.Context, p *plans.Plan) (int, error) {
	return loaders.CompaniesOfPlan(ctx, r.plans, p)
}

func (r planResolver) History(ctx context.Context, p *plans.Plan) ([]*query.Version, error) {
	return loaders.HistoryOfPlan(ctx, r.plans, p)
}

func (r mutationResolver) SavePlan(ctx context.Context, input plans.Plan) (*model.SavePlanPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	saved, err := r.plans.Save(ctx, input, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.SavePlanPayload{Plan: &saved.Plan, Created: saved.Created, Changes: pointers(saved.Fields)}, nil
}

func (r mutationResolver) DeletePlan(ctx context.Context, name, termLength string) (*model.DeletePlanPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	deleted, err := r.plans.Delete(ctx, plans.Key{Name: name, Term: termLength}, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.DeletePlanPayload{Plan: &deleted.Plan, Companies: deleted.Companies}, nil
}

func (r mutationResolver) ImportPlans(ctx context.Context, file string, dryRun, prune bool) (*model.ImportPlansPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	parsed, err := plans.ParseFile([]byte(file))
	if err != nil {
		return nil, err
	}
	made, err := r.plans.Import(ctx, parsed, plans.ImportOptions{DryRun: dryRun, Prune: prune}, caller.Name)
	if err != nil {
		return nil, err
	}
	payload := &model.ImportPlansPayload{
		DryRun: dryRun, Created: planNames(made.Plans.Created), Removed: planNames(made.Plans.Removed), Kept: planNames(made.Plans.Kept),
		Changed: []*model.ChangedPlan{}, Unchanged: len(made.Plans.Unchanged),
		Options: importedCounts(made.Options), Categories: importedCounts(made.Categories),
	}
	for _, c := range made.Plans.Changed {
		payload.Changed = append(payload.Changed, &model.ChangedPlan{Name: c.New.Name, TermLength: c.New.Term, Changes: pointers(c.Fields)})
	}
	return payload, nil
}

func planNames(list []plans.Plan) []*plans.Key {
	names := make([]*plans.Key, len(list))
	for i := range list {
		key := list[i].Key()
		names[i] = &key
	}
	return names
}

func importedCounts[R any](d plans.Diff[R]) *model.ImportedCounts {
	return &model.ImportedCounts{
		Created: len(d.Created), Changed: len(d.Changed), Removed: len(d.Removed), Kept: len(d.Kept), Unchanged: len(d.Unchanged),
	}
}

// pointers are the elements of rows, none where there are none.
func pointers[T any](rows []T) []*T {
	list := make([]*T, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return list
}
