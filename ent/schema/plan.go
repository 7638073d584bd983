package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Plan is a billing plan: what Ledger charges the companies that selected it, for one length of
// contract. People keep it; no sync writes it.
type Plan struct{ ent.Schema }

func planKept() []ent.Field {
	return []ent.Field{
		field.String("plan_name").Comment("as companies have it in plan_selected, to the letter"),
		field.String("term_length").Comment("as companies have it in contract_term_length, to the letter"),
		field.Text("support_level").Default("Billed Hourly").Comment("what Ledger prints; Billed Hourly"),
		price("per_user_cost_e4", "for each paid user"),
		price("per_workstation_cost_e4", "for each asset of that type"),
		price("per_server_cost_e4", "for each asset of that type"),
		price("per_vm_cost_e4", "for each asset of that type"),
		price("per_switch_cost_e4", "for each asset of that type"),
		price("per_firewall_cost_e4", "for each asset of that type"),
		price("per_hour_ticket_cost_e4", "for each hour beyond the prepaid ones"),
		price("backup_base_fee_workstation_e4", "for each workstation in backup"),
		price("backup_base_fee_server_e4", "for each server in backup"),
		price("backup_included_tb_e4", "terabytes (of 1024^4 bytes) that the base fee includes"),
		price("backup_per_tb_fee_e4", "for each terabyte beyond"),
	}
}

// price is a rate of a plan, exact: Ledger multiplies by it.
func price(name, comment string) ent.Field {
	return field.Int64(name).GoType(codex.Quantity(0)).Comment(comment + ", in ten-thousandths")
}

// Fields of the table plans.
func (Plan) Fields() []ent.Field {
	return append([]ent.Field{givenID()}, planKept()...)
}

// Edges of a plan.
func (Plan) Edges() []ent.Edge {
	return []ent.Edge{edge.To("features", PlanFeature.Type)}
}

// Indexes of the table plans.
func (Plan) Indexes() []ent.Index {
	return []ent.Index{index.Fields("plan_name", "term_length").Unique()}
}

// Annotations name the table.
func (Plan) Annotations() []schema.Annotation { return table("plans") }

// PlanVersion is a plan, features included, as it was for a while.
type PlanVersion struct{ ent.Schema }

// Fields of the table plans_history.
func (PlanVersion) Fields() []ent.Field {
	return versionOf(field.Int("plan_id"), append(planKept(),
		field.Text("features").Comment("a JSON object: category to value, in the order of the categories")))
}

// Indexes of the table plans_history.
func (PlanVersion) Indexes() []ent.Index {
	return append(versionIndexes("plan_id"), index.Fields("plan_name", "term_length", "seen_from"))
}

// Annotations name the table.
func (PlanVersion) Annotations() []schema.Annotation { return table("plans_history") }

// PlanFeature is what a plan includes of a category of features.
type PlanFeature struct{ ent.Schema }

// Fields of the table plan_features.
func (PlanFeature) Fields() []ent.Field {
	return []ent.Field{
		field.Int("plan_id"),
		field.String("feature_type").Comment("the category: antivirus, soc ..."),
		field.Text("feature_value").Comment("what is included of it"),
	}
}

// Edges of a plan's feature.
func (PlanFeature) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("plan", Plan.Type).Ref("features").Unique().Required().Field("plan_id"),
	}
}

// Indexes of the table plan_features.
func (PlanFeature) Indexes() []ent.Index {
	return []ent.Index{index.Fields("plan_id", "feature_type").Unique()}
}

// Annotations name the table.
func (PlanFeature) Annotations() []schema.Annotation { return table("plan_features") }

// FeatureOption is a value that plans may have of a category: what people choose from.
type FeatureOption struct{ ent.Schema }

// Fields of the table feature_options.
func (FeatureOption) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.String("feature_category").Comment("REST's category"),
		field.String("option_value").Comment("REST's value"),
		text("display_name", "what is shown for it"),
		text("description", "what it is"),
	}
}

// Indexes of the table feature_options.
func (FeatureOption) Indexes() []ent.Index {
	return []ent.Index{index.Fields("feature_category", "option_value").Unique()}
}

// Annotations name the table.
func (FeatureOption) Annotations() []schema.Annotation { return table("feature_options") }

// FeatureCategoryConfig is how a category of features is shown.
type FeatureCategoryConfig struct{ ent.Schema }

// Fields of the table feature_category_config.
func (FeatureCategoryConfig) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.String("feature_key").Comment("the category"),
		field.Text("display_name").Comment("what is shown for it: SOC for soc"),
		text("full_name", "in full: Security Operations Center"),
		text("description", "what it is"),
	}
}

// Indexes of the table feature_category_config.
func (FeatureCategoryConfig) Indexes() []ent.Index {
	return []ent.Index{index.Fields("feature_key").Unique()}
}

// Annotations name the table.
func (FeatureCategoryConfig) Annotations() []schema.Annotation {
	return table("feature_category_config")
}
