package plans

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/plan"
	"github.com/hivematrix/codex/ent/planfeature"
	"github.com/hivematrix/codex/ent/planversion"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// Entity is the name of the revision that every change of plans, options and categories raises.
const Entity = "plans"

// All are all plans, by name and length of contract. client is the database's or a snapshot's.
func All(ctx context.Context, client *ent.Client) ([]Plan, error) {
	return read(ctx, client, client.Plan.Query())
}

// One is the plan of key; a [codex.CodeNotFound] error where there is none.
func One(ctx context.Context, client *ent.Client, key Key) (*Plan, error) {
	found, err := read(ctx, client, client.Plan.Query().Where(plan.PlanName(key.Name), plan.TermLength(key.Term)))
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, codex.Errorf(codex.CodeNotFound, "there is no plan %s", key)
	}
	return &found[0], nil
}

// ByKey are the plans of keys that there are, in two statements however many they be.
func ByKey(ctx context.Context, client *ent.Client, keys []Key) (map[Key]*Plan, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Name
	}
	rows, err := read(ctx, client, client.Plan.Query().Where(predicate.Plan(store.KeyIn(plan.FieldPlanName, names))))
	if err != nil {
		return nil, err
	}
	wanted := make(map[Key]bool, len(keys))
	for _, key := range keys {
		wanted[key] = true
	}
	found := make(map[Key]*Plan, len(keys))
	for i := range rows {
		if key := rows[i].Key(); wanted[key] {
			found[key] = &rows[i]
		}
	}
	return found, nil
}

// Keys are those of all plans, by name and length of contract.
func Keys(ctx context.Context, client *ent.Client) ([]Key, error) {
	var rows []struct {
		PlanName   string `json:"plan_name"`
		TermLength string `json:"term_length"`
	}
	if err := client.Plan.Query().Select(plan.FieldPlanName, plan.FieldTermLength).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("reading plans: %w", err)
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = Key{Name: row.PlanName, Term: row.TermLength}
	}
	slices.SortFunc(keys, compareKeys)
	return keys, nil
}

// ByKeyAt are the plans of keys as they were kept at a moment, of those that there were.
func ByKeyAt(ctx context.Context, client *ent.Client, keys []Key, at time.Time) (map[Key]*Plan, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Name
	}
	rows, err := client.PlanVersion.Query().
		Where(predicate.PlanVersion(store.KeyIn(planversion.FieldPlanName, names)), planversion.SeenFromLTE(at),
			planversion.Or(planversion.SeenToIsNil(), planversion.SeenToGT(at))).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading plans as they were: %w", err)
	}
	found := make(map[Key]*Plan, len(keys))
	for _, row := range rows {
		key := Key{Name: row.PlanName, Term: row.TermLength}
		if !slices.Contains(keys, key) {
			continue
		}
		version, err := planOfVersion(row)
		if err != nil {
			return nil, fmt.Errorf("reading the plan %s as it was: %w", key, err)
		}
		found[key] = &version
	}
	return found, nil
}

// FeatureOptions are all feature options, by category and value.
func FeatureOptions(ctx context.Context, client *ent.Client) ([]FeatureOption, error) {
	rows, err := client.FeatureOption.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading feature options: %w", err)
	}
	options := make([]FeatureOption, len(rows))
	for i, row := range rows {
		options[i] = FeatureOption{ID: row.ID, Category: row.FeatureCategory, Value: row.OptionValue, DisplayName: row.DisplayName, Description: row.Description}
	}
	slices.SortFunc(options, func(a, b FeatureOption) int { return compareKeys(optionKey(a), optionKey(b)) })
	return options, nil
}

// FeatureCategories are the feature categories of which is kept how they are shown, by their keys.
func FeatureCategories(ctx context.Context, client *ent.Client) ([]FeatureCategory, error) {
	rows, err := client.FeatureCategoryConfig.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading feature categories: %w", err)
	}
	categories := make([]FeatureCategory, len(rows))
	for i, row := range rows {
		categories[i] = FeatureCategory{ID: row.ID, Category: row.FeatureKey, DisplayName: row.DisplayName, FullName: row.FullName, Description: row.Description}
	}
	slices.SortFunc(categories, func(a, b FeatureCategory) int { return strings.Compare(a.Category, b.Category) })
	return categories, nil
}

// Read is everything: what an export has.
func Read(ctx context.Context, client *ent.Client) (File, error) {
	var file File
	var err error
	if file.Plans, err = All(ctx, client); err != nil {
		return File{}, err
	}
	if file.Options, err = FeatureOptions(ctx, client); err != nil {
		return File{}, err
	}
	file.Categories, err = FeatureCategories(ctx, client)
	return file, err
}

// Without are the served companies that no plan fits, which Ledgers B and C cannot bill, by account number: the
// first so many, or all where first is 0.
func Without(ctx context.Context, client *ent.Client, first int) ([]*ent.Company, error) {
	q := client.Company.Query().Where(company.ArchivedAtIsNil(), NoPlanFits()).
		Order(func(s *sql.Selector) { s.OrderExpr(sql.Raw(store.OrderText(s.Dialect(), s.C(company.FieldID)))) })
	if first > 0 {
		q.Limit(first)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the companies that no plan fits: %w", err)
	}
	return rows, nil
}

// NoPlanFits is the condition that a company's plan and length of contract are those of no plan.
func NoPlanFits() predicate.Company {
	return func(s *sql.Selector) {
		p := sql.Table(plan.Table)
		s.Where(sql.NotExists(sql.Dialect(s.Dialect()).Select().AppendSelectExpr(sql.Raw("1")).From(p).Where(sql.P(func(b *sql.Builder) {
			b.Ident(p.C(plan.FieldPlanName)).WriteString(" = ").Ident(s.C(company.FieldPlanSelected)).
				WriteString(" AND ").Ident(p.C(plan.FieldTermLength)).WriteString(" = COALESCE(NULLIF(").
				Ident(s.C(company.FieldContractTermLength)).WriteString(", ''), ").Arg(MonthToMonth).WriteString(")")
		}))))
	}
}

// read gives the plans that q finds with their features, by name and length of contract.
func read(ctx context.Context, client *ent.Client, q *ent.PlanQuery) ([]Plan, error) {
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading plans: %w", err)
	}
	ids := make([]int, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	features, err := client.PlanFeature.Query().Where(predicate.PlanFeature(store.KeyIn(planfeature.FieldPlanID, ids))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what plans include: %w", err)
	}
	of := make(map[int][]Feature, len(rows))
	for _, f := range features {
		of[f.PlanID] = append(of[f.PlanID], Feature{Category: f.FeatureType, Value: f.FeatureValue})
	}
	found := make([]Plan, len(rows))
	for i, row := range rows {
		found[i] = planOf(row, of[row.ID])
	}
	slices.SortFunc(found, func(a, b Plan) int { return compareKeys(a.Key(), b.Key()) })
	return found, nil
}

func planOf(row *ent.Plan, features []Feature) Plan {
	slices.SortFunc(features, func(a, b Feature) int { return strings.Compare(a.Category, b.Category) })
	return Plan{
		ID: row.ID, Name: row.PlanName, Term: row.TermLength, SupportLevel: row.SupportLevel,
		PerUserCost: row.PerUserCostE4, PerWorkstationCost: row.PerWorkstationCostE4, PerServerCost: row.PerServerCostE4,
		PerVMCost: row.PerVMCostE4, PerSwitchCost: row.PerSwitchCostE4, PerFirewallCost: row.PerFirewallCostE4,
		PerHourTicketCost:        row.PerHourTicketCostE4,
		BackupBaseFeeWorkstation: row.BackupBaseFeeWorkstationE4, BackupBaseFeeServer: row.BackupBaseFeeServerE4,
		BackupIncludedTB: row.BackupIncludedTbE4, BackupPerTBFee: row.BackupPerTbFeeE4,
		Features: append([]Feature{}, features...),
	}
}

func planOfVersion(row *ent.PlanVersion) (Plan, error) {
	p := Plan{
		ID: row.PlanID, Name: row.PlanName, Term: row.TermLength, SupportLevel: row.SupportLevel,
		PerUserCost: row.PerUserCostE4, PerWorkstationCost: row.PerWorkstationCostE4, PerServerCost: row.PerServerCostE4,
		PerVMCost: row.PerVMCostE4, PerSwitchCost: row.PerSwitchCostE4, PerFirewallCost: row.PerFirewallCostE4,
		PerHourTicketCost:        row.PerHourTicketCostE4,
		BackupBaseFeeWorkstation: row.BackupBaseFeeWorkstationE4, BackupBaseFeeServer: row.BackupBaseFeeServerE4,
		BackupIncludedTB: row.BackupIncludedTbE4, BackupPerTBFee: row.BackupPerTbFeeE4,
		Features: []Feature{},
	}
	var features map[string]string
	if err := json.Unmarshal([]byte(row.Features), &features); err != nil {
		return Plan{}, fmt.Errorf("its features: %w", err)
	}
	for _, category := range slices.Sorted(maps.Keys(features)) {
		p.Features = append(p.Features, Feature{Category: category, Value: features[category]})
	}
	return p, nil
}
