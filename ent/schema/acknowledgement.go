package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Acknowledgement says that a person looked at a flag of the bill review, or at a difference of the
// reconciliation, and that it is in order. A row stays for ever: withdrawing it fills its last columns.
type Acknowledgement struct{ ent.Schema }

// Fields of the table acknowledgements.
func (Acknowledgement) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.String("company_account_number").GoType(codex.AccountNumber("")).Immutable().
			Comment("the company it was made for, which may have another number now; empty where it concerns none"),
		field.Int("billing_year").Immutable(),
		field.Int("billing_month").Immutable().Comment("1 to 12"),
		field.String("kind").Immutable().Comment("a word of package reconcile: unseen, type_differs ..."),
		field.String("item_entity").Immutable().Comment("what it is about: assets, contacts, tickets ..."),
		field.Text("item_id").Immutable().Comment("its key, among those of its entity"),
		field.Text("item_name").Immutable().Comment("what people called it"),
		field.Text("fingerprint").Immutable().Comment("of the facts that were looked at: it holds as long as they stay"),
		field.Bool("standing").Immutable().Comment("it holds for later months too"),
		field.Text("note").Immutable().Comment("why, in that person's words"),
		field.Text("acknowledged_by").Immutable().Comment("the caller's name"),
		field.Time("acknowledged_at").Immutable(),
		text("withdrawn_by", "the name of who took it back"),
		text("withdrawn_note", "why, in that person's words"),
		instant("withdrawn_at", "when it was taken back; null while it stands"),
	}
}

// Indexes of the table acknowledgements.
func (Acknowledgement) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("billing_year", "billing_month"),
		index.Fields("company_account_number"),
	}
}

// Annotations name the table.
func (Acknowledgement) Annotations() []schema.Annotation { return table("acknowledgements") }
