package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// The Merkle log of the archive (package archive/proof). Append-only, see snapshot.go.

// LogLeaf is a leaf of the log.
type LogLeaf struct{ ent.Schema }

// Fields of the table log_leaves.
func (LogLeaf) Fields() []ent.Field {
	return []ent.Field{
		leafIndex(),
		field.Text("leaf").Immutable().Comment("the bytes that are hashed: its kind, then its fields"),
	}
}

// Annotations name the table.
func (LogLeaf) Annotations() []schema.Annotation { return table("log_leaves") }

// LogHash is a hash of the tree over the leaves.
type LogHash struct{ ent.Schema }

// Fields of the table log_hashes.
func (LogHash) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").StorageKey("hash_index").Immutable().Annotations(notIncremental()).
			Comment("in the order of golang.org/x/mod/sumdb/tlog, from 0"),
		field.Text("hash").Immutable().Comment("standard base64"),
	}
}

// Annotations name the table.
func (LogHash) Annotations() []schema.Annotation { return table("log_hashes") }

// LogHead is a head of the tree: one row for each size that it had when a transaction ended. The one
// of the greatest size is the tree's; its key is what two writers cannot both append behind.
type LogHead struct{ ent.Schema }

// Fields of the table log_heads.
func (LogHead) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").StorageKey("size").Immutable().Annotations(notIncremental()).Comment("how many leaves it has"),
		field.Text("root").Immutable().Comment("standard base64"),
		field.Time("appended_at").Immutable(),
	}
}

// Annotations name the table.
func (LogHead) Annotations() []schema.Annotation { return table("log_heads") }

// LogCheckpoint is a signed head of the tree. It has the time of the last leaf under it, which proves
// it. Rows are numbered in the order in which the log grew.
type LogCheckpoint struct{ ent.Schema }

// Fields of the table log_checkpoints.
func (LogCheckpoint) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Int("epoch").Immutable(),
		field.Int64("size").Immutable(),
		field.Text("note").Immutable().Comment("the signed note, verbatim"),
		field.Time("signed_at").Immutable(),
	}
}

// Indexes of the table log_checkpoints.
func (LogCheckpoint) Indexes() []ent.Index {
	return []ent.Index{index.Fields("epoch", "size").Unique()}
}

// Annotations name the table.
func (LogCheckpoint) Annotations() []schema.Annotation { return table("log_checkpoints") }

// LogEpoch is the beginning of an epoch after the first, when the database came back from a backup
// that is older than a checkpoint which was published.
type LogEpoch struct{ ent.Schema }

// Fields of the table log_epochs.
func (LogEpoch) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").StorageKey("epoch").Immutable().Annotations(notIncremental()).Comment("at least 2"),
		field.Int64("leaf_index").Unique().Immutable().Comment("where its leaf is in the log"),
		field.Text("lost_checkpoint").Immutable().Comment("the signed note that the log was behind"),
		field.Text("reason").Immutable(),
		field.Text("opened_by").Immutable(),
		field.Time("opened_at").Immutable(),
	}
}

// Annotations name the table.
func (LogEpoch) Annotations() []schema.Annotation { return table("log_epochs") }

// LogKey is the log's identity: its origin and public key. There is one row, with the time of the
// first leaf, which proves it.
type LogKey struct{ ent.Schema }

// Fields of the table log_keys.
func (LogKey) Fields() []ent.Field {
	return []ent.Field{
		givenID(),
		field.Text("origin").Immutable(),
		field.Text("verifier_key").Immutable().Comment("in the form of C2SP signed-note"),
		field.Time("recorded_at").Immutable(),
	}
}

// Annotations name the table.
func (LogKey) Annotations() []schema.Annotation { return table("log_keys") }

// leafIndex is the place of a leaf, from 0.
func leafIndex() ent.Field {
	return field.Int64("id").StorageKey("leaf_index").Immutable().Annotations(notIncremental()).Comment("from 0")
}
