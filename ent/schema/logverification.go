package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LogVerification is one time that a serve verified the log of archived bills by itself (package
// archive/vigil). It is a note of ours and no evidence: who doubts the database verifies it himself.
type LogVerification struct{ ent.Schema }

// Fields of the table log_verifications.
func (LogVerification) Fields() []ent.Field {
	return []ent.Field{
		field.Time("began_at").Immutable(),
		field.Time("ended_at").Immutable(),
		field.Bool("ok").Immutable().Comment("all was as it was logged"),
		field.Int64("failures").Immutable().Comment("how many things were not"),
		field.Text("findings").Immutable().Comment("the first of them, for people: a JSON array of texts"),
		field.Int("epoch").Immutable().Comment("of the log; 0 where it could not be found out"),
		field.Int64("size").Immutable().Comment("how many leaves the log had"),
		field.Text("error").Optional().Nillable().Immutable().Comment("why nothing could be found out; null where it could"),
	}
}

// Indexes of the table log_verifications.
func (LogVerification) Indexes() []ent.Index { return []ent.Index{index.Fields("ended_at")} }

// Annotations name the table.
func (LogVerification) Annotations() []schema.Annotation { return table("log_verifications") }
