package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Contact is a person of one or more companies: a Freshservice requester with an e-mail address.
type Contact struct{ ent.Schema }

func contactKept() []ent.Field {
	return []ent.Field{
		field.Text("name").Comment("first_name and last_name, or what stands before the @"),
		field.Text("email").Comment("requester.primary_email, as written"),
		field.Int64("freshservice_id").Optional().Nillable().Comment("requester.id; what it is recognised by"),
		text("title", "requester.job_title"),
		field.Text("employment_type").Default("Full Time").Comment("local: no sync changes it"),
		field.Bool("active").Default(true).Comment("requester.active; inactive ones are served and billed"),
		text("mobile_phone_number", "requester.mobile_phone_number"),
		text("work_phone_number", "requester.work_phone_number"),
		text("secondary_emails", "requester.secondary_emails: a JSON array of strings"),
	}
}

// Fields of the table contacts.
func (Contact) Fields() []ent.Field {
	return append(append([]ent.Field{givenID()}, contactKept()...), removedAt())
}

// Edges of a contact.
func (Contact) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("companies", Company.Type).Ref("contacts").Through("company_links", ContactCompanyLink.Type),
		edge.From("assets", Asset.Type).Ref("contacts").Through("asset_links", AssetContactLink.Type),
	}
}

// Indexes of the table contacts.
func (Contact) Indexes() []ent.Index {
	return []ent.Index{index.Fields("freshservice_id").Unique()}
}

// Annotations name the table.
func (Contact) Annotations() []schema.Annotation { return table("contacts") }

// ContactVersion is a contact as the hub saw it for a while.
type ContactVersion struct{ ent.Schema }

// Fields of the table contacts_history.
func (ContactVersion) Fields() []ent.Field {
	return versionOf(field.Int("contact_id"), contactKept())
}

// Indexes of the table contacts_history.
func (ContactVersion) Indexes() []ent.Index { return versionIndexes("contact_id") }

// Annotations name the table.
func (ContactVersion) Annotations() []schema.Annotation { return table("contacts_history") }

// ContactCompanyLink says that a contact belongs to a company.
type ContactCompanyLink struct{ ent.Schema }

// Fields of the table contact_company_link.
func (ContactCompanyLink) Fields() []ent.Field {
	return []ent.Field{accountNumber(), field.Int("contact_id"), linkSource()}
}

// Edges of a contact's link.
func (ContactCompanyLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("contact", Contact.Type).Unique().Required().Field("contact_id"),
		edge.To("company", Company.Type).Unique().Required().Field("company_account_number"),
	}
}

// Indexes of the table contact_company_link: its key finds the contacts of a company, this the
// companies of a contact.
func (ContactCompanyLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("contact_id", "company_account_number")}
}

// Annotations name the table and its composite key.
func (ContactCompanyLink) Annotations() []schema.Annotation {
	return append(table("contact_company_link"), field.ID("company_account_number", "contact_id"))
}

// ContactCompanyLinkVersion is a link that the hub saw for a while.
type ContactCompanyLinkVersion struct{ ent.Schema }

// Fields of the table contact_company_link_history.
func (ContactCompanyLinkVersion) Fields() []ent.Field {
	return versionOf(field.Int("contact_id"), []ent.Field{accountNumber(), linkSource()})
}

// Indexes of the table contact_company_link_history.
func (ContactCompanyLinkVersion) Indexes() []ent.Index {
	return append(versionIndexes("contact_id"), index.Fields("company_account_number", "seen_from"))
}

// Annotations name the table.
func (ContactCompanyLinkVersion) Annotations() []schema.Annotation {
	return table("contact_company_link_history")
}

// linkSource tells links that a sync owns from those that a person made, which stay.
func linkSource() ent.Field {
	return field.String("source").Default("manual").
		Comment("freshservice, last_user: follows its upstream; manual: made by a person, stays")
}
