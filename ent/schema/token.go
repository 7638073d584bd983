package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Token is a local token: what a program or person authenticates with where Core does not speak
// for them.
type Token struct{ ent.Schema }

// Fields of the table tokens.
func (Token) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable().Comment("unique for ever: a revoked token's name is not given again"),
		field.String("role").GoType(codex.Role("")).Immutable(),
		field.String("hash").Immutable().Sensitive().Comment("SHA-256 of the token, hex; the token itself is kept nowhere"),
		field.Time("created_at").Immutable(),
		field.Text("created_by").Immutable(),
		instant("expires_at", "null: never"),
		instant("last_used_at", "within a minute"),
		instant("revoked_at", "null while it is good"),
	}
}

// Indexes of the table tokens.
func (Token) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name").Unique(), index.Fields("hash").Unique()}
}

// Annotations name the table.
func (Token) Annotations() []schema.Annotation { return table("tokens") }
