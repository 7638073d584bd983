package plans

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/store"
)

// Options are what [New] takes.
type Options struct {
	DB     *store.DB
	Logger *slog.Logger
}

// Plans writes the billing plans of a database. It is safe for concurrent use, in several processes too.
type Plans struct {
	db     *store.DB
	logger *slog.Logger
}

// New gives the plans of a database.
func New(o Options) *Plans { return &Plans{db: o.DB, logger: o.Logger} }

// Saved is what [Plans.Save] did.
type Saved struct {
	Plan    Plan
	Created bool
	Fields  []FieldChange // what is another than before, where it was there
}

// Save makes plan the one of its name and length of contract, as a whole; by is the person who does it. What
// is wrong with it is [codex.CodeBadInput], by the contract's keys.
func (p *Plans) Save(ctx context.Context, plan Plan, by string) (*Saved, error) {
	if err := plan.check(); err != nil {
		return nil, err
	}
	var saved *Saved
	err := p.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		current, err := ByKey(ctx, tx.Ent(), []Key{plan.Key()})
		if err != nil {
			return err
		}
		var before File
		if old := current[plan.Key()]; old != nil {
			before.Plans = []Plan{*old}
		}
		change := Compare(before, File{Plans: []Plan{plan}}, false)
		if err := apply(ctx, tx, &change, by); err != nil {
			return err
		}
		switch {
		case len(change.Plans.Created) == 1:
			saved = &Saved{Plan: change.Plans.Created[0], Created: true}
		case len(change.Plans.Changed) == 1:
			saved = &Saved{Plan: change.Plans.Changed[0].New, Fields: change.Plans.Changed[0].Fields}
		default:
			saved = &Saved{Plan: change.Plans.Unchanged[0]}
		}
		return nil
	})
	if err != nil {
		return nil, planNamed(plan.Key(), err)
	}
	if saved.Created || len(saved.Fields) > 0 {
		p.logger.InfoContext(ctx, "plan saved", slog.String("plan", plan.Key().String()), slog.Bool("new", saved.Created), slog.String("by", by))
	}
	return saved, nil
}

// Deleted is what [Plans.Delete] took away.
type Deleted struct {
	Plan Plan
	// Companies is how many served companies have this plan: Ledgers B and C cannot bill them until there
	// is one again.
	Companies int
}

// Delete takes a plan away; its past stays in the history. There being none is [codex.CodeNotFound].
func (p *Plans) Delete(ctx context.Context, key Key, by string) (*Deleted, error) {
	var deleted *Deleted
	err := p.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		old, err := One(ctx, tx.Ent(), key)
		if err != nil {
			return err
		}
		change := Compare(File{Plans: []Plan{*old}}, File{Plans: []Plan{}}, true)
		if err := apply(ctx, tx, &change, by); err != nil {
			return err
		}
		users, err := Users(ctx, tx.Ent())
		if err != nil {
			return err
		}
		deleted = &Deleted{Plan: *old, Companies: users[key]}
		return nil
	})
	if err != nil {
		return nil, planNamed(key, err)
	}
	p.logger.InfoContext(ctx, "plan deleted", slog.String("plan", key.String()), slog.Int("companies", deleted.Companies), slog.String("by", by))
	return deleted, nil
}

// ImportOptions say how [Plans.Import] takes a file.
type ImportOptions struct {
	DryRun bool // say what it would change, and change nothing
	Prune  bool // remove what the file does not name
}

// Import makes the plans those of file, all of it in one transaction or nothing, and says what that changes.
// In a dry run it only says so. What is wrong with the file is [codex.CodeBadInput].
func (p *Plans) Import(ctx context.Context, file File, o ImportOptions, by string) (*Import, error) {
	for i := range file.Plans {
		if err := file.Plans[i].check(); err != nil {
			return nil, at(fmt.Sprintf("plans[%d]", i), "plan "+file.Plans[i].Key().String(), err)
		}
	}
	var change Import
	compare := func(ctx context.Context, tx *store.Tx) error {
		current, err := Read(ctx, tx.Ent())
		if err == nil {
			change = Compare(current, file, o.Prune)
		}
		return err
	}
	if o.DryRun {
		if err := p.db.Snapshot(ctx, compare); err != nil {
			return nil, fmt.Errorf("comparing plans: %w", err)
		}
		return &change, nil
	}
	err := p.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := compare(ctx, tx); err != nil {
			return err
		}
		return apply(ctx, tx, &change, by)
	})
	if err != nil {
		return nil, fmt.Errorf("importing plans: %w", err)
	}
	if !change.Empty() {
		p.logger.InfoContext(ctx, "plans imported", slog.Int("created", len(change.Plans.Created)),
			slog.Int("changed", len(change.Plans.Changed)), slog.Int("removed", len(change.Plans.Removed)), slog.String("by", by))
	}
	return &change, nil
}

// Export is everything that is kept, of one moment.
func (p *Plans) Export(ctx context.Context) (File, error) {
	var file File
	err := p.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		file, err = Read(ctx, tx.Ent())
		return err
	})
	if err != nil {
		return File{}, fmt.Errorf("exporting plans: %w", err)
	}
	return file, nil
}

// Users are how many served companies have each plan, whether it is kept or not.
func Users(ctx context.Context, client *ent.Client) (map[Key]int, error) {
	var rows []struct {
		Plan  *string `json:"plan_selected"`
		Term  *string `json:"contract_term_length"`
		Count int     `json:"count"`
	}
	err := client.Company.Query().Where(company.ArchivedAtIsNil()).
		GroupBy(company.FieldPlanSelected, company.FieldContractTermLength).Aggregate(ent.Count()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("counting companies by plan: %w", err)
	}
	users := map[Key]int{}
	for _, row := range rows {
		if key, ok := KeyOf(row.Plan, row.Term); ok {
			users[key] += row.Count
		}
	}
	return users, nil
}

// write runs fn in a transaction that is alone with the plans.
func (p *Plans) write(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return p.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Revisions(ctx, Entity); err != nil { // from here on nobody else writes them
			return err
		}
		return fn(ctx, tx)
	})
}

// featuresText is the text of a plan's features in the history.
func featuresText(p *Plan) (string, error) {
	text, err := json.Marshal(p.FeatureMap())
	if err != nil {
		return "", fmt.Errorf("writing features: %w", err)
	}
	return string(text), nil
}
