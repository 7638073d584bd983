package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// The tables of this file and of log.go are append-only: package store makes both databases refuse
// every other change, and package archive is the only writer. They have no foreign keys and no
// cascades, since nothing that they refer to may ever change them.

// Snapshot is one revision of an accepted bill. What is large or may have to be erased is in
// snapshot_contents.
type Snapshot struct{ ent.Schema }

// Fields of the table snapshots.
func (Snapshot) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.String("invoice_number").Immutable(),
		field.Int("revision").Immutable().Comment("1, and one more after each reopening"),
		field.String("company_account_number").GoType(codex.AccountNumber("")).Immutable().
			Comment("as on the bill; the company need not exist, and may have another number now"),
		field.Text("company_name").Immutable().Comment("as on the bill"),
		field.Int("billing_year").Immutable(),
		field.Int("billing_month").Immutable().Comment("1 to 12"),
		field.Int("invoice_date").GoType(codex.Day(0)).Immutable().Comment("days since 1970"),
		field.Int("due_date").GoType(codex.Day(0)).Optional().Nillable().Immutable().Comment("days since 1970"),
		text("billing_plan", "as on the bill"),
		text("contract_term", "as on the bill"),
		text("support_level", "as on the bill"),
		cents("total_amount_cents"),
		cents("total_user_charges_cents"),
		cents("total_asset_charges_cents"),
		cents("total_backup_charges_cents"),
		cents("total_ticket_charges_cents"),
		cents("total_line_item_charges_cents"),
		field.Int64("user_count").Immutable(),
		field.Int64("asset_count").Immutable(),
		tenThousandths("billable_hours_e4"),
		field.Text("origin").Immutable().Comment("posted, fetched or imported"),
		field.Time("archived_at").Immutable().Comment("as it is served; of an imported bill the old one's"),
		field.Text("accepted_by").Immutable().Comment("the caller by whose request it was taken"),
		text("created_by", "as the request says; nobody verified it"),
		field.Text("runs").Immutable().Comment("the newest succeeded run of each feed when it was accepted: a JSON object"),
		field.Text("marks").Immutable().Comment("what was noticed on accepting: a JSON array of words"),
		field.Int64("leaf_index").Immutable().Comment("where its leaf is in the log"),
	}
}

// Indexes of the table snapshots.
func (Snapshot) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("invoice_number", "revision").Unique(),
		index.Fields("leaf_index").Unique(),
		index.Fields("company_account_number", "billing_year", "billing_month"),
		index.Fields("archived_at", "id"),
		index.Fields("billing_year", "billing_month", "archived_at"),
	}
}

// Annotations name the table.
func (Snapshot) Annotations() []schema.Annotation { return table("snapshots") }

// SnapshotContent is a content of a bill that its leaf commits to, with the salt of the commitment.
// Its id is ten times the bill's, and 1 to 5 in the order of the names.
type SnapshotContent struct{ ent.Schema }

// Fields of the table snapshot_contents.
func (SnapshotContent) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Int("snapshot_id").Immutable(),
		field.String("name").Immutable().Comment("billing_data, body, csv, line_items or notes"),
		field.Text("salt").Immutable().Comment("64 hexadecimal digits"),
		field.Text("content").Immutable().Comment("to its last byte as it was sent"),
	}
}

// Indexes of the table snapshot_contents.
func (SnapshotContent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("snapshot_id", "name").Unique()}
}

// Annotations name the table.
func (SnapshotContent) Annotations() []schema.Annotation { return table("snapshot_contents") }

// SnapshotItem is a line of a bill, in the form in which it can be searched. What is proven is the
// content line_items. Its id is 100,000 times the bill's, and the position.
type SnapshotItem struct{ ent.Schema }

// Fields of the table snapshot_items.
func (SnapshotItem) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Int("snapshot_id").Immutable(),
		field.Int("position").Immutable().Comment("its place in the bill, from 1"),
		field.Text("line_type").Immutable().Comment("user, asset, backup, ticket or custom"),
		field.Text("item_name").Immutable(),
		text("description", "as on the bill"),
		tenThousandths("quantity_e4"),
		tenThousandths("rate_e4"),
		cents("amount_cents"),
	}
}

// Indexes of the table snapshot_items.
func (SnapshotItem) Indexes() []ent.Index {
	return []ent.Index{index.Fields("snapshot_id", "position").Unique()}
}

// Annotations name the table.
func (SnapshotItem) Annotations() []schema.Annotation { return table("snapshot_items") }

// BillEvent is what was done to an archived bill: it was reopened, or its reopening was withdrawn.
// The last event of a revision says how it stands.
type BillEvent struct{ ent.Schema }

// Fields of the table bill_events.
func (BillEvent) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.String("invoice_number").Immutable(),
		field.Int("revision").Immutable().Comment("the newest one when it was done"),
		field.String("kind").Immutable().Comment("reopened or closed"),
		field.Text("reason").Immutable(),
		field.Text("done_by").Immutable(),
		field.Time("done_at").Immutable(),
		field.Int64("leaf_index").Immutable().Comment("where its leaf is in the log"),
	}
}

// Indexes of the table bill_events.
func (BillEvent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("invoice_number", "revision"), index.Fields("leaf_index").Unique()}
}

// Annotations name the table.
func (BillEvent) Annotations() []schema.Annotation { return table("bill_events") }

// cents is an amount of money.
func cents(name string) ent.Field {
	return field.Int64(name).GoType(codex.Cents(0)).Immutable()
}

// tenThousandths is a quantity, a rate or hours.
func tenThousandths(name string) ent.Field {
	return field.Int64(name).GoType(codex.Quantity(0)).Immutable().Comment("in ten-thousandths")
}
