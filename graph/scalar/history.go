package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/query"
)

func historyEntities() enum[query.Entity] {
	return enum[query.Entity]{"HistoryEntity", []word[query.Entity]{
		{"COMPANY", query.EntityCompany},
		{"LOCATION", query.EntityLocation},
		{"CONTACT", query.EntityContact},
		{"CONTACT_COMPANY_LINK", query.EntityContactLink},
		{"ASSET", query.EntityAsset},
		{"TICKET", query.EntityTicket},
	}}
}

func changeKinds() enum[query.ChangeKind] {
	return enum[query.ChangeKind]{"ChangeKind", []word[query.ChangeKind]{
		{"CREATED", query.ChangeCreated},
		{"CHANGED", query.ChangeChanged},
		{"REMOVED", query.ChangeRemoved},
		{"RETURNED", query.ChangeReturned},
	}}
}

func runChangeKinds() enum[query.ChangeKind] {
	return enum[query.ChangeKind]{"RunChangeKind", []word[query.ChangeKind]{
		{"CREATED", query.ChangeCreated},
		{"CHANGED", query.ChangeChanged},
		{"REMOVED", query.ChangeRemoved},
		{"RETURNED", query.ChangeReturned},
		{"HELD", query.ChangeHeld},
	}}
}

// MarshalHistoryEntity writes an entity's word.
func MarshalHistoryEntity(e query.Entity) graphql.Marshaler { return historyEntities().marshal(e) }

// UnmarshalHistoryEntity takes an entity's word.
func UnmarshalHistoryEntity(v any) (query.Entity, error) { return historyEntities().unmarshal(v) }

// MarshalChangeKind writes a kind's word.
func MarshalChangeKind(kind query.ChangeKind) graphql.Marshaler { return changeKinds().marshal(kind) }

// UnmarshalChangeKind takes a kind's word.
func UnmarshalChangeKind(v any) (query.ChangeKind, error) { return changeKinds().unmarshal(v) }

// MarshalRunChangeKind writes a kind's word.
func MarshalRunChangeKind(kind query.ChangeKind) graphql.Marshaler {
	return runChangeKinds().marshal(kind)
}

// UnmarshalRunChangeKind takes a kind's word.
func UnmarshalRunChangeKind(v any) (query.ChangeKind, error) { return runChangeKinds().unmarshal(v) }
