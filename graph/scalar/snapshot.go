package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/query"
)

// The words of these are texts in the database.

func snapshotOrigins() enum[string] {
	return enum[string]{"SnapshotOrigin", []word[string]{
		{"POSTED", string(proof.OriginPosted)},
		{"FETCHED", string(proof.OriginFetched)},
		{"IMPORTED", string(proof.OriginImported)},
	}}
}

func snapshotEventKinds() enum[string] {
	return enum[string]{"SnapshotEventKind", []word[string]{
		{"REOPENED", "reopened"},
		{"CLOSED", "closed"},
	}}
}

func snapshotRevisions() enum[query.Revisions] {
	return enum[query.Revisions]{"SnapshotRevisions", []word[query.Revisions]{
		{"CURRENT", query.RevisionsCurrent},
		{"OPEN", query.RevisionsOpen},
		{"NEWEST", query.RevisionsNewest},
		{"ALL", query.RevisionsAll},
	}}
}

// MarshalSnapshotOrigin writes an origin's word.
func MarshalSnapshotOrigin(origin string) graphql.Marshaler { return snapshotOrigins().marshal(origin) }

// UnmarshalSnapshotOrigin takes an origin's word.
func UnmarshalSnapshotOrigin(v any) (string, error) { return snapshotOrigins().unmarshal(v) }

// MarshalSnapshotEventKind writes a kind's word.
func MarshalSnapshotEventKind(kind string) graphql.Marshaler {
	return snapshotEventKinds().marshal(kind)
}

// UnmarshalSnapshotEventKind takes a kind's word.
func UnmarshalSnapshotEventKind(v any) (string, error) { return snapshotEventKinds().unmarshal(v) }

// MarshalSnapshotRevisions writes a set's word.
func MarshalSnapshotRevisions(which query.Revisions) graphql.Marshaler {
	return snapshotRevisions().marshal(which)
}

// UnmarshalSnapshotRevisions takes a set's word.
func UnmarshalSnapshotRevisions(v any) (query.Revisions, error) {
	return snapshotRevisions().unmarshal(v)
}
