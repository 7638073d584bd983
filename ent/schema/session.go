package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Session is a browser's session: the token that somebody signed in with, sealed so that only that
// browser's cookie opens it.
type Session struct{ ent.Schema }

// Fields of the table sessions.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.String("hash").Immutable().Sensitive().Comment("SHA-256 of the cookie's value, hex; the value itself is kept nowhere"),
		field.Bytes("sealed").Immutable().Sensitive().Comment("the token, encrypted with a key made of the cookie's value"),
		field.Text("caller").Immutable().Comment("who signed in, for people who look at the table"),
		field.Time("created_at").Immutable(),
		field.Time("expires_at").Immutable().Comment("no later than the token's own end"),
	}
}

// Indexes of the table sessions.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("hash").Unique(), index.Fields("expires_at")}
}

// Annotations name the table.
func (Session) Annotations() []schema.Annotation { return table("sessions") }
