package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// text is a nullable text of an upstream: null where it told nothing.
func text(name, comment string) ent.Field {
	return field.Text(name).Optional().Nillable().Comment(comment)
}

// instant is a nullable moment, UTC.
func instant(name, comment string) ent.Field {
	return field.Time(name).Optional().Nillable().Comment(comment)
}

// accountNumber is the company that a row belongs to.
func accountNumber() ent.Field {
	return field.String("company_account_number").GoType(codex.AccountNumber("")).
		Comment("the company that it belongs to")
}

// givenID is an integer primary key that the hub gives out itself, counting up and never again, in
// the order of the upstream's keys: so both databases give the same ids, and a row that was removed
// and comes back has the one it had. Ledger keeps billing overrides by these ids.
func givenID() ent.Field {
	return field.Int("id").Immutable().Annotations(notIncremental())
}

func notIncremental() schema.Annotation {
	incremental := false
	return entsql.Annotation{Incremental: &incremental}
}

// removedAt marks a row that its upstream no longer has: it is not served, and comes back with the
// same id.
func removedAt() ent.Field {
	return instant("removed_at", "when it was found gone upstream; null while it is there")
}

// versionOf are the columns of a history table: the key of the row that it is a version of, the
// columns kept of it, and from when to when the hub saw it so.
func versionOf(key ent.Field, kept []ent.Field) []ent.Field {
	fields := append([]ent.Field{key}, kept...)
	return append(fields,
		field.Time("seen_from").Comment("when the hub first saw it so"),
		instant("seen_to", "when the hub saw it otherwise or gone; null for the version of now"),
		field.String("run_id").Optional().Nillable().Comment("the sync run that brought this version"),
		field.String("changed_by").Optional().Nillable().Comment("the person who brought it, where no run did"),
		field.String("ended_run_id").Optional().Nillable().Comment("the sync run that ended it; null too where it ended before this was kept"),
		field.String("ended_by").Optional().Nillable().Comment("the person who ended it, where no run did"),
	)
}

// versionIndexes find the versions of a row, and what began or ended lately.
func versionIndexes(key ...string) []ent.Index {
	return []ent.Index{
		index.Fields(append(key, "seen_from")...),
		index.Fields("seen_from"),
		index.Fields("seen_to"),
	}
}

func table(name string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: name}}
}
