package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Company is a customer of the MSP: a Freshservice department that has an account number.
type Company struct{ ent.Schema }

func companyKept() []ent.Field {
	return []ent.Field{
		field.Text("name").Comment("department.name"),
		field.Int64("freshservice_id").Optional().Nillable().Comment("department.id; the first thing by which it is recognised"),
		text("description", "department.description"),
		text("plan_selected", "custom_fields.plan_selected: the billing plan's name; REST's billing_plan"),
		text("profit_or_non_profit", "custom_fields.profit_or_non_profit"),
		text("company_main_number", "custom_fields.company_main_number: a telephone number"),
		text("company_start_date", "custom_fields.company_start_date, as it was typed"),
		text("head_name", "department.head_name, or the name of its head_user_id"),
		text("primary_contact_name", "department.prime_user_name, or the name of its prime_user_id"),
		text("domains", "department.domains: a JSON array of strings"),
		text("phone_system", "a person's word; where nobody has said one, custom_fields.phone_system where that has a value"),
		text("email_system", "a person's word; where nobody has said one, custom_fields.email_system where that has a value"),
		text("contract_term_length", "1 Year, 2 Year, 3 Year or Month to Month, from custom_fields.contract_term"),
		text("contract_start_date", "custom_fields.contract_start_date"),
		text("contract_end_date", "start plus term less one day, YYYY-MM-DD"),
		text("support_level", "local"),
		field.Text("compliance_level").Default("standard").Comment("local"),
	}
}

// Fields of the table companies.
func (Company) Fields() []ent.Field {
	key := field.String("id").GoType(codex.AccountNumber("")).StorageKey("account_number").Immutable().
		Comment("custom_fields.account_number as text")
	return append(append([]ent.Field{key}, companyKept()...),
		field.Bool("phone_system_local").Default(false).Comment("a person said what phone_system is: no sync changes it"),
		field.Bool("email_system_local").Default(false).Comment("a person said what email_system is: no sync changes it"),
		instant("archived_at", "when an admin archived it: no sync removes a company; null while served"),
	)
}

// Edges of a company.
func (Company) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("assets", Asset.Type),
		edge.To("contacts", Contact.Type).Through("contact_links", ContactCompanyLink.Type),
		edge.To("locations", Location.Type),
		edge.To("tickets", Ticket.Type),
		edge.To("site_links", DattoSiteLink.Type),
	}
}

// Indexes of the table companies.
func (Company) Indexes() []ent.Index {
	return []ent.Index{index.Fields("freshservice_id").Unique()}
}

// Annotations name the table.
func (Company) Annotations() []schema.Annotation { return table("companies") }

// CompanyVersion is a company as the hub saw it for a while.
type CompanyVersion struct{ ent.Schema }

// Fields of the table companies_history.
func (CompanyVersion) Fields() []ent.Field {
	return versionOf(field.String("account_number").GoType(codex.AccountNumber("")), companyKept())
}

// Indexes of the table companies_history.
func (CompanyVersion) Indexes() []ent.Index { return versionIndexes("account_number") }

// Annotations name the table.
func (CompanyVersion) Annotations() []schema.Annotation { return table("companies_history") }
