package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// The tables of this file are derived from archived bills by package reconcile, and can be made anew
// from them at any time: nothing is known here that the archive does not say.

// DerivedBill says that a bill was read, and what of it is neither a line nor a ticket.
type DerivedBill struct{ ent.Schema }

// Fields of the table derived_bills.
func (DerivedBill) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").StorageKey("snapshot_id").Immutable().Annotations(notIncremental()).
			Comment("the revision of the bill that was read"),
		field.Int("reading").Comment("by which reading of package reconcile: an older one is done anew"),
		field.String("source").Comment("receipt, names, served or lines: what package reconcile calls a Source"),
		text("problem", "what of it could not be read"),
		field.Text("rates").Comment("effective_rates: a JSON object of decimals with four places, in texts"),
	}
}

// Indexes of the table derived_bills.
func (DerivedBill) Indexes() []ent.Index { return []ent.Index{index.Fields("reading")} }

// Annotations name the table.
func (DerivedBill) Annotations() []schema.Annotation { return table("derived_bills") }

// BilledItem is a person, a machine or anything else that a bill has, at no cost too.
type BilledItem struct{ ent.Schema }

// Fields of the table billed_items.
func (BilledItem) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Int("snapshot_id"),
		field.Int("position").Comment("its place in the bill, from 1"),
		field.String("kind").Comment("user, asset, backup, ticket or custom"),
		field.Int("item_id").Optional().Nillable().
			Comment("contacts.id of a user, assets.id of an asset; null of what Ledger added by hand, and where the bill does not say"),
		field.Text("name").Comment("as on the bill"),
		field.Text("billed_type").Comment("as on the bill: Workstation, Paid ..."),
		field.Int64("quantity_e4").GoType(codex.Quantity(0)).Comment("in ten-thousandths"),
		field.Int64("rate_e4").GoType(codex.Quantity(0)).Comment("in ten-thousandths"),
		field.Int64("amount_cents").GoType(codex.Cents(0)),
		field.Bool("unread").Default(false).Comment("its cost could not be read: the amount is none"),
		field.Bool("told_by_name").Default(false).Comment("its name alone tells what it is"),
		field.Int64("backup_bytes").Default(0).GoType(codex.Bytes(0)).Comment("what the machine had backed up, as it was served"),
	}
}

// Indexes of the table billed_items.
func (BilledItem) Indexes() []ent.Index {
	return []ent.Index{index.Fields("snapshot_id", "position").Unique(), index.Fields("kind", "item_id")}
}

// Annotations name the table.
func (BilledItem) Annotations() []schema.Annotation { return table("billed_items") }

// BilledTicket is a ticket that a bill has.
type BilledTicket struct{ ent.Schema }

// Fields of the table billed_tickets.
func (BilledTicket) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Int("snapshot_id"),
		field.Int("position").Comment("its place among the bill's tickets, from 1"),
		field.Int("ticket_id").Optional().Nillable().Comment("the number that people see; null where the bill has none"),
		field.Text("ticket_number").Comment("as on the bill"),
		field.Text("subject").Comment("as on the bill"),
		field.Int64("hours_e4").GoType(codex.Quantity(0)).Comment("in ten-thousandths"),
	}
}

// Indexes of the table billed_tickets.
func (BilledTicket) Indexes() []ent.Index {
	return []ent.Index{index.Fields("snapshot_id", "position").Unique(), index.Fields("ticket_id")}
}

// Annotations name the table.
func (BilledTicket) Annotations() []schema.Annotation { return table("billed_tickets") }
