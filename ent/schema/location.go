package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Location is a place of a company: its main office, from the department's address.
type Location struct{ ent.Schema }

func locationKept() []ent.Field {
	return []ent.Field{
		accountNumber(),
		field.Text("name").Comment("Main Office; with the company what it is recognised by"),
		text("address", "custom_fields.address of the department"),
		text("phone_number", "custom_fields.company_main_number of the department"),
	}
}

// Fields of the table locations.
func (Location) Fields() []ent.Field {
	return append(append([]ent.Field{givenID()}, locationKept()...), removedAt())
}

// Edges of a location.
func (Location) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("company", Company.Type).Ref("locations").Unique().Required().Field("company_account_number"),
	}
}

// Indexes of the table locations.
func (Location) Indexes() []ent.Index {
	return []ent.Index{index.Fields("company_account_number")}
}

// Annotations name the table.
func (Location) Annotations() []schema.Annotation { return table("locations") }

// LocationVersion is a location as the hub saw it for a while.
type LocationVersion struct{ ent.Schema }

// Fields of the table locations_history.
func (LocationVersion) Fields() []ent.Field {
	return versionOf(field.Int("location_id"), locationKept())
}

// Indexes of the table locations_history.
func (LocationVersion) Indexes() []ent.Index {
	return append(versionIndexes("location_id"), index.Fields("company_account_number", "seen_from"))
}

// Annotations name the table.
func (LocationVersion) Annotations() []schema.Annotation { return table("locations_history") }

// DattoSiteLink says which company a Datto RMM site belongs to, by the site's account variable.
type DattoSiteLink struct{ ent.Schema }

// Fields of the table datto_site_links.
func (DattoSiteLink) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		accountNumber(),
		field.String("datto_site_uid").Comment("site.uid"),
		field.Text("name").Comment("site.name"),
		field.Int64("datto_id").Optional().Nillable().Comment("site.id, for web links"),
		removedAt(),
	}
}

// Edges of a site link.
func (DattoSiteLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("company", Company.Type).Ref("site_links").Unique().Required().Field("company_account_number"),
	}
}

// Indexes of the table datto_site_links.
func (DattoSiteLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("datto_site_uid").Unique(), index.Fields("company_account_number")}
}

// Annotations name the table.
func (DattoSiteLink) Annotations() []schema.Annotation { return table("datto_site_links") }
