package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Ticket is a Freshservice ticket that was closed at least once while the hub looked. The table
// ticket_details of the old service is a view over it.
type Ticket struct{ ent.Schema }

func ticketKept() []ent.Field {
	return []ent.Field{
		accountNumber(),
		field.Text("subject").Comment("ticket.subject, or No Subject"),
		field.Bool("closed").Comment("served, and billed, as closed; false once it was reopened"),
		field.Text("status").Comment("the status's name"),
		field.Int("status_code").Comment("ticket.status: 5 closed; 2, 3, 4 open; others are the account's own"),
		field.Text("priority").Comment("Low, Medium, High or Urgent"),
		field.Int64("requester_id").Optional().Nillable().Comment("ticket.requester_id"),
		text("requester_email", "of the requester"),
		text("requester_name", "of the requester"),
		field.Time("created_at").Comment("ticket.created_at"),
		field.Time("last_updated_at").Comment("decides the billing month: ticket.updated_at while closed; a later custom status does not move it"),
		instant("closed_at", "ticket.stats.closed_at"),
		field.Int64("spent_seconds").Comment("sum of its time entries; the 0.25 h rule applies on reading"),
		field.Int64("unbillable_seconds").Comment("the part of spent_seconds whose entries are not billable"),
	}
}

// Fields of the table tickets.
func (Ticket) Fields() []ent.Field {
	key := field.Int("id").StorageKey("ticket_id").Immutable().Annotations(notIncremental()).
		Comment("the number that people see")
	return append(append([]ent.Field{key}, ticketKept()...),
		field.Text("description").Comment("ticket.description: HTML, untrusted"),
		field.Text("description_text").Comment("the same as plain text"),
		field.Text("conversations").Comment("public entries: a JSON array"),
		field.Text("notes").Comment("private entries: a JSON array"),
		field.Bool("timer_running").Comment("a timer runs: its entries are read again until it stops"),
		field.Time("upstream_updated_at").Comment("ticket.updated_at as last seen, whatever the status"),
		removedAt(),
	)
}

// Edges of a ticket.
func (Ticket) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("company", Company.Type).Ref("tickets").Unique().Required().Field("company_account_number"),
		edge.To("time_entries", TimeEntry.Type),
	}
}

// Indexes of the table tickets.
func (Ticket) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("company_account_number", "last_updated_at"),
		index.Fields("last_updated_at"),
	}
}

// Annotations name the table.
func (Ticket) Annotations() []schema.Annotation { return table("tickets") }

// TicketVersion is a ticket, without its bodies, as the hub saw it for a while.
type TicketVersion struct{ ent.Schema }

// Fields of the table tickets_history.
func (TicketVersion) Fields() []ent.Field {
	return versionOf(field.Int("ticket_id"), ticketKept())
}

// Indexes of the table tickets_history.
func (TicketVersion) Indexes() []ent.Index {
	return append(versionIndexes("ticket_id"), index.Fields("company_account_number", "seen_from"))
}

// Annotations name the table.
func (TicketVersion) Annotations() []schema.Annotation { return table("tickets_history") }

// TimeEntry is time that a technician booked on a ticket.
type TimeEntry struct{ ent.Schema }

// Fields of the table time_entries.
func (TimeEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").Immutable().Annotations(notIncremental()).Comment("time_entry.id"),
		field.Int("ticket_id").Comment("the ticket that it is booked on"),
		field.Int64("agent_id").Optional().Nillable().Comment("time_entry.agent_id: the technician"),
		field.Int64("spent_seconds").Comment("time_entry.time_spent"),
		field.Bool("billable").Comment("time_entry.billable"),
		field.Bool("timer_running").Comment("time_entry.timer_running: not final"),
		instant("executed_at", "time_entry.executed_at"),
		text("note", "time_entry.note"),
	}
}

// Edges of a time entry.
func (TimeEntry) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("ticket", Ticket.Type).Ref("time_entries").Unique().Required().Field("ticket_id"),
	}
}

// Indexes of the table time_entries.
func (TimeEntry) Indexes() []ent.Index { return []ent.Index{index.Fields("ticket_id")} }

// Annotations name the table.
func (TimeEntry) Annotations() []schema.Annotation { return table("time_entries") }
