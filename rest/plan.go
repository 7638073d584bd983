package rest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
)

// Ledgers B and C ask for plans with each bill; the ways of before and after 14 November 2025 are served
// side by side (docs/compatibility.md, "Billing plans").

// planJSON is a plan as the newer paths have it.
type planJSON struct {
	plans.JSON
	Features map[string]string `json:"features"`
}

// listedPlanJSON is one among all of them.
type listedPlanJSON struct {
	planJSON
	FeatureDisplayNames struct{} `json:"feature_display_names"`
}

func planForm(p plans.Plan) planJSON { return planJSON{JSON: p.JSON(), Features: p.FeatureMap()} }

func listedPlanForm(p plans.Plan) listedPlanJSON { return listedPlanJSON{planJSON: planForm(p)} }

// plansJSON, planFoundJSON, optionsJSON and categoriesJSON are the newer answers.
type (
	plansJSON struct {
		Status string           `json:"status"`
		Plans  []listedPlanJSON `json:"plans"`
		Count  int              `json:"count"`
	}
	planFoundJSON struct {
		Status string   `json:"status"`
		Plan   planJSON `json:"plan"`
	}
	optionsJSON struct {
		Status     string                        `json:"status"`
		Features   map[string][]plans.OptionJSON `json:"features"`
		Categories []string                      `json:"categories"` // none, as the contract has it
	}
	categoriesJSON struct {
		Status     string   `json:"status"`
		Categories []string `json:"categories"`
		Count      int      `json:"count"`
	}
	noPlanJSON struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
)

const success = "success"

// olderPlan is a plan as the older paths have it: its features are keys of its own.
type olderPlan struct {
	plan        plans.Plan
	billingPlan bool // with its name once more
}

// MarshalJSON implements json.Marshaler.
func (o olderPlan) MarshalJSON() ([]byte, error) {
	body, err := encode(o.plan.JSON())
	if err != nil {
		return nil, err
	}
	body = bytes.TrimSuffix(bytes.TrimSpace(body), []byte("}"))
	add := func(key, value string) error {
		pair, err := encode(map[string]string{key: value})
		if err == nil {
			body = append(append(body, ','), bytes.Trim(pair, "{}\n")...)
		}
		return err
	}
	if o.billingPlan {
		if err := add("billing_plan", o.plan.Name); err != nil {
			return nil, err
		}
	}
	for _, f := range o.plan.Features {
		if err := add(f.Category, f.Value); err != nil {
			return nil, err
		}
	}
	return append(body, '}'), nil
}

func (s *service) plans(w http.ResponseWriter, r *http.Request) error {
	return s.tagged(w, r, subject{Kind: "plans", Entities: []string{plans.Entity}}, func(ctx context.Context, v moment) (any, error) {
		rows, err := v.Plans(ctx)
		return plansJSON{Status: success, Plans: list(rows, listedPlanForm), Count: len(rows)}, err
	})
}

// plan answers the plan of that name and length of contract, to the letter.
func (s *service) plan(w http.ResponseWriter, r *http.Request) error {
	key := plans.Key{Name: r.PathValue("name"), Term: r.PathValue("term")}
	about := subject{Kind: fmt.Sprintf("plan %q %q", key.Name, key.Term), Entities: []string{plans.Entity}}
	err := s.tagged(w, r, about, func(ctx context.Context, v moment) (any, error) {
		found, err := v.Plan(ctx, key)
		if err != nil {
			return nil, err
		}
		return planFoundJSON{Status: success, Plan: planForm(*found)}, nil
	})
	if codex.CodeOf(err) != codex.CodeNotFound {
		return err
	}
	body, err := encode(noPlanJSON{Status: "error", Message: "Plan not found: " + key.String()})
	if err != nil {
		return err
	}
	write(w, http.StatusNotFound, body)
	return nil
}

func (s *service) featureOptions(w http.ResponseWriter, r *http.Request) error {
	return s.tagged(w, r, subject{Kind: "feature options", Entities: []string{plans.Entity}}, func(ctx context.Context, v moment) (any, error) {
		rows, err := v.FeatureOptions(ctx)
		if err != nil {
			return nil, err
		}
		features := map[string][]plans.OptionJSON{}
		for _, option := range rows {
			features[option.Category] = append(features[option.Category], option.JSON())
		}
		return optionsJSON{Status: success, Features: features, Categories: []string{}}, nil
	})
}

// featureCategories answers the names of all categories of which anything is kept.
func (s *service) featureCategories(w http.ResponseWriter, r *http.Request) error {
	return s.tagged(w, r, subject{Kind: "feature categories", Entities: []string{plans.Entity}}, func(ctx context.Context, v moment) (any, error) {
		names, err := v.FeatureCategories(ctx)
		return categoriesJSON{Status: success, Categories: list(names, func(name string) string { return name }), Count: len(names)}, err
	})
}

// olderPlans answers the plans that the parameters name, as before 14 November 2025.
func (s *service) olderPlans(w http.ResponseWriter, r *http.Request) error {
	name, _, err := parameter(r, "plan_name")
	if err != nil {
		return err
	}
	term, _, err := parameter(r, "term_length")
	if err != nil {
		return err
	}
	about := subject{Kind: fmt.Sprintf("older plans %q %q", name, term), Entities: []string{plans.Entity}}
	return s.tagged(w, r, about, func(ctx context.Context, v moment) (any, error) {
		rows, err := v.Plans(ctx)
		rows = slices.DeleteFunc(rows, func(p plans.Plan) bool {
			return name != "" && p.Name != name || term != "" && p.Term != term
		})
		return list(rows, func(p plans.Plan) olderPlan { return olderPlan{plan: p, billingPlan: true} }), err
	})
}

// bulkPlans answers all plans by name and length of contract, as before 14 November 2025.
func (s *service) bulkPlans(w http.ResponseWriter, r *http.Request) error {
	return s.tagged(w, r, subject{Kind: "bulk plans", Entities: []string{plans.Entity}}, func(ctx context.Context, v moment) (any, error) {
		rows, err := v.Plans(ctx)
		byKey := make(map[string]olderPlan, len(rows))
		for _, p := range rows {
			byKey[p.Name+"|"+p.Term] = olderPlan{plan: p}
		}
		return struct {
			Plans map[string]olderPlan `json:"plans"`
		}{byKey}, err
	})
}

// Plans implements moment.
func (s snapshot) Plans(ctx context.Context) ([]plans.Plan, error) { return plans.All(ctx, s.tx.Ent()) }

// Plan implements moment.
func (s snapshot) Plan(ctx context.Context, key plans.Key) (*plans.Plan, error) {
	return plans.One(ctx, s.tx.Ent(), key)
}

// FeatureOptions implements moment.
func (s snapshot) FeatureOptions(ctx context.Context) ([]plans.FeatureOption, error) {
	return plans.FeatureOptions(ctx, s.tx.Ent())
}

// FeatureCategories implements moment: those that options, plans or their display have.
func (s snapshot) FeatureCategories(ctx context.Context) ([]string, error) {
	file, err := plans.Read(ctx, s.tx.Ent())
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, option := range file.Options {
		names[option.Category] = true
	}
	for _, category := range file.Categories {
		names[category.Category] = true
	}
	for i := range file.Plans {
		for _, feature := range file.Plans[i].Features {
			names[feature.Category] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}
