package plans

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex/ent/featurecategoryconfig"
	"github.com/hivematrix/codex/ent/featureoption"
	"github.com/hivematrix/codex/ent/plan"
	"github.com/hivematrix/codex/ent/planfeature"
	"github.com/hivematrix/codex/ent/planversion"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// apply writes what change says, and gives what it creates their ids. Nothing to do writes nothing.
func apply(ctx context.Context, tx *store.Tx, change *Import, by string) error {
	if change.Empty() {
		return nil
	}
	if err := applyPlans(ctx, tx, &change.Plans, by); err != nil {
		return err
	}
	if err := applyOptions(ctx, tx, &change.Options); err != nil {
		return err
	}
	if err := applyCategories(ctx, tx, &change.Categories); err != nil {
		return err
	}
	return tx.Raise(ctx, Entity)
}

func applyPlans(ctx context.Context, tx *store.Tx, d *Diff[Plan], by string) error {
	if err := numberPlans(ctx, tx, d.Created); err != nil {
		return err
	}
	var next []*Plan // as they are afterwards
	var ended [][]any
	for i := range d.Created {
		next = append(next, &d.Created[i])
	}
	for i := range d.Changed {
		next = append(next, &d.Changed[i].New)
		ended = append(ended, []any{d.Changed[i].Old.ID})
	}
	var gone [][]any
	for i := range d.Removed {
		gone = append(gone, []any{d.Removed[i].ID})
	}
	ended = append(ended, gone...)
	rows, features := make([][]any, len(next)), [][]any{}
	versions := make([][]any, len(next))
	for i, p := range next {
		text, err := featuresText(p)
		if err != nil {
			return err
		}
		rows[i] = planRow(p)
		versions[i] = append(planRow(p), text)
		for _, f := range p.Features {
			features = append(features, []any{p.ID, f.Category, f.Value})
		}
	}
	ofPlan := store.Table{Name: planfeature.Table, Key: []string{planfeature.FieldPlanID}, Columns: featureColumns()}
	if err := tx.DeleteByKey(ctx, ofPlan, ended); err != nil {
		return err
	}
	table := store.Table{Name: plan.Table, Key: []string{plan.FieldID}, Columns: append([]store.Column{{Name: plan.FieldID, Kind: store.Int}}, keptColumns()...)}
	if err := replace(ctx, tx, table, gone, rows); err != nil {
		return err
	}
	if err := tx.Insert(ctx, store.Table{Name: planfeature.Table, Columns: featureColumns()}, features); err != nil {
		return err
	}
	at, origin := tx.Now(), history.Origin{By: by}
	if err := history.Close(ctx, tx, versionsTable(), ended, at, origin); err != nil {
		return err
	}
	return history.Open(ctx, tx, versionsTable(), versions, at, origin)
}

// numberPlans gives new plans their ids: the one that such a plan had before it was deleted, or one that no
// plan ever had.
func numberPlans(ctx context.Context, tx *store.Tx, created []Plan) error {
	if len(created) == 0 {
		return nil
	}
	next := 1
	before := map[Key]int{}
	var rows []struct {
		ID   int    `json:"plan_id"`
		Name string `json:"plan_name"`
		Term string `json:"term_length"`
	}
	err := tx.Ent().PlanVersion.Query().Unique(true).
		Select(planversion.FieldPlanID, planversion.FieldPlanName, planversion.FieldTermLength).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("reading the numbers of plans: %w", err)
	}
	for _, row := range rows { // every plan has a version, deleted ones too
		before[Key{Name: row.Name, Term: row.Term}] = row.ID
		next = max(next, row.ID+1)
	}
	for i := range created {
		id, known := before[created[i].Key()]
		if !known {
			id = next
			next++
		}
		created[i].ID = id
	}
	return nil
}

func applyOptions(ctx context.Context, tx *store.Tx, d *Diff[FeatureOption]) error {
	next, err := freeID(ctx, tx, featureoption.Table, len(d.Created))
	if err != nil {
		return err
	}
	var rows, gone [][]any
	row := func(o *FeatureOption) []any { return []any{o.ID, o.Category, o.Value, o.DisplayName, o.Description} }
	for i := range d.Created {
		d.Created[i].ID = next + i
		rows = append(rows, row(&d.Created[i]))
	}
	for i := range d.Changed {
		rows = append(rows, row(&d.Changed[i].New))
	}
	for _, o := range d.Removed {
		gone = append(gone, []any{o.ID})
	}
	return replace(ctx, tx, store.Table{Name: featureoption.Table, Key: []string{featureoption.FieldID}, Columns: []store.Column{
		{Name: featureoption.FieldID, Kind: store.Int},
		{Name: featureoption.FieldFeatureCategory, Kind: store.Text},
		{Name: featureoption.FieldOptionValue, Kind: store.Text},
		{Name: featureoption.FieldDisplayName, Kind: store.Text},
		{Name: featureoption.FieldDescription, Kind: store.Text},
	}}, gone, rows)
}

func applyCategories(ctx context.Context, tx *store.Tx, d *Diff[FeatureCategory]) error {
	next, err := freeID(ctx, tx, featurecategoryconfig.Table, len(d.Created))
	if err != nil {
		return err
	}
	var rows, gone [][]any
	row := func(c *FeatureCategory) []any {
		return []any{c.ID, c.Category, c.DisplayName, c.FullName, c.Description}
	}
	for i := range d.Created {
		d.Created[i].ID = next + i
		rows = append(rows, row(&d.Created[i]))
	}
	for i := range d.Changed {
		rows = append(rows, row(&d.Changed[i].New))
	}
	for _, c := range d.Removed {
		gone = append(gone, []any{c.ID})
	}
	return replace(ctx, tx, store.Table{Name: featurecategoryconfig.Table, Key: []string{featurecategoryconfig.FieldID}, Columns: []store.Column{
		{Name: featurecategoryconfig.FieldID, Kind: store.Int},
		{Name: featurecategoryconfig.FieldFeatureKey, Kind: store.Text},
		{Name: featurecategoryconfig.FieldDisplayName, Kind: store.Text},
		{Name: featurecategoryconfig.FieldFullName, Kind: store.Text},
		{Name: featurecategoryconfig.FieldDescription, Kind: store.Text},
	}}, gone, rows)
}

// replace takes the rows with the keys gone away and writes rows.
func replace(ctx context.Context, tx *store.Tx, table store.Table, gone, rows [][]any) error {
	if err := tx.DeleteByKey(ctx, table, gone); err != nil {
		return err
	}
	return tx.Upsert(ctx, table, rows)
}

// freeID is the first id beyond those of a table, which is only read where an id is wanted.
func freeID(ctx context.Context, tx *store.Tx, table string, wanted int) (int, error) {
	if wanted == 0 {
		return 0, nil
	}
	var id int
	if err := tx.SQL().QueryRowContext(ctx, "SELECT coalesce(max(id), 0) + 1 FROM "+table).Scan(&id); err != nil {
		return 0, fmt.Errorf("reading the ids of %s: %w", table, err)
	}
	return id, nil
}

// keptColumns are a plan's columns that its history has too. A planRow has their values, behind the id.
func keptColumns() []store.Column {
	columns := []store.Column{
		{Name: plan.FieldPlanName, Kind: store.Text}, {Name: plan.FieldTermLength, Kind: store.Text},
		{Name: plan.FieldSupportLevel, Kind: store.Text},
	}
	for _, price := range Prices() {
		columns = append(columns, store.Column{Name: price.Name + "_e4", Kind: store.Int})
	}
	return columns
}

func planRow(p *Plan) []any {
	row := []any{p.ID, p.Name, p.Term, p.SupportLevel}
	for _, price := range Prices() {
		row = append(row, *price.Of(p))
	}
	return row
}

func featureColumns() []store.Column {
	return []store.Column{
		{Name: planfeature.FieldPlanID, Kind: store.Int},
		{Name: planfeature.FieldFeatureType, Kind: store.Text}, {Name: planfeature.FieldFeatureValue, Kind: store.Text},
	}
}

// versionsTable is the history of plans, their features included.
func versionsTable() history.Table {
	return history.Table{
		Name: planversion.Table, Key: []store.Column{{Name: planversion.FieldPlanID, Kind: store.Int}},
		Kept: append(keptColumns(), store.Column{Name: planversion.FieldFeatures, Kind: store.Text}),
	}
}
