package scalar

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/query"
)

func directions() enum[query.Direction] {
	return enum[query.Direction]{"Direction", []word[query.Direction]{
		{"ASC", query.Ascending},
		{"DESC", query.Descending},
	}}
}

// MarshalDirection writes a direction's word.
func MarshalDirection(d query.Direction) graphql.Marshaler { return directions().marshal(d) }

// UnmarshalDirection takes a direction's word.
func UnmarshalDirection(v any) (query.Direction, error) { return directions().unmarshal(v) }

// wordOf is the word for a field: lastSeen is LAST_SEEN.
func wordOf(name string) string {
	var text strings.Builder
	for _, letter := range []byte(name) {
		if 'A' <= letter && letter <= 'Z' {
			text.WriteByte('_')
		}
		text.WriteByte(letter)
	}
	return strings.ToUpper(text.String())
}

// orderFields are the words for the fields by which objects are sorted.
func orderFields(object string) enum[query.OrderField] {
	e := enum[query.OrderField]{name: object + "OrderField"}
	for _, name := range query.OrderFieldsOf(object) {
		e.words = append(e.words, word[query.OrderField]{wordOf(string(name)), name})
	}
	return e
}

// MarshalCompanyOrderField writes a field's word.
func MarshalCompanyOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Company").marshal(f)
}

// UnmarshalCompanyOrderField takes a field's word.
func UnmarshalCompanyOrderField(v any) (query.OrderField, error) {
	return orderFields("Company").unmarshal(v)
}

// MarshalAssetOrderField writes a field's word.
func MarshalAssetOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Asset").marshal(f)
}

// UnmarshalAssetOrderField takes a field's word.
func UnmarshalAssetOrderField(v any) (query.OrderField, error) {
	return orderFields("Asset").unmarshal(v)
}

// MarshalContactOrderField writes a field's word.
func MarshalContactOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Contact").marshal(f)
}

// UnmarshalContactOrderField takes a field's word.
func UnmarshalContactOrderField(v any) (query.OrderField, error) {
	return orderFields("Contact").unmarshal(v)
}

// MarshalLocationOrderField writes a field's word.
func MarshalLocationOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Location").marshal(f)
}

// UnmarshalLocationOrderField takes a field's word.
func UnmarshalLocationOrderField(v any) (query.OrderField, error) {
	return orderFields("Location").unmarshal(v)
}

// MarshalTicketOrderField writes a field's word.
func MarshalTicketOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Ticket").marshal(f)
}

// UnmarshalTicketOrderField takes a field's word.
func UnmarshalTicketOrderField(v any) (query.OrderField, error) {
	return orderFields("Ticket").unmarshal(v)
}

// MarshalSyncRunOrderField writes a field's word.
func MarshalSyncRunOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("SyncRun").marshal(f)
}

// UnmarshalSyncRunOrderField takes a field's word.
func UnmarshalSyncRunOrderField(v any) (query.OrderField, error) {
	return orderFields("SyncRun").unmarshal(v)
}

// MarshalSyncIssueOrderField writes a field's word.
func MarshalSyncIssueOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("SyncIssue").marshal(f)
}

// UnmarshalSyncIssueOrderField takes a field's word.
func UnmarshalSyncIssueOrderField(v any) (query.OrderField, error) {
	return orderFields("SyncIssue").unmarshal(v)
}

// MarshalPastCompanyOrderField writes a field's word.
func MarshalPastCompanyOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("PastCompany").marshal(f)
}

// UnmarshalPastCompanyOrderField takes a field's word.
func UnmarshalPastCompanyOrderField(v any) (query.OrderField, error) {
	return orderFields("PastCompany").unmarshal(v)
}

// MarshalPastAssetOrderField writes a field's word.
func MarshalPastAssetOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("PastAsset").marshal(f)
}

// UnmarshalPastAssetOrderField takes a field's word.
func UnmarshalPastAssetOrderField(v any) (query.OrderField, error) {
	return orderFields("PastAsset").unmarshal(v)
}

// MarshalPastContactOrderField writes a field's word.
func MarshalPastContactOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("PastContact").marshal(f)
}

// UnmarshalPastContactOrderField takes a field's word.
func UnmarshalPastContactOrderField(v any) (query.OrderField, error) {
	return orderFields("PastContact").unmarshal(v)
}

// MarshalPastLocationOrderField writes a field's word.
func MarshalPastLocationOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("PastLocation").marshal(f)
}

// UnmarshalPastLocationOrderField takes a field's word.
func UnmarshalPastLocationOrderField(v any) (query.OrderField, error) {
	return orderFields("PastLocation").unmarshal(v)
}

// MarshalPastTicketOrderField writes a field's word.
func MarshalPastTicketOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("PastTicket").marshal(f)
}

// UnmarshalPastTicketOrderField takes a field's word.
func UnmarshalPastTicketOrderField(v any) (query.OrderField, error) {
	return orderFields("PastTicket").unmarshal(v)
}

// MarshalSnapshotOrderField writes a field's word.
func MarshalSnapshotOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("Snapshot").marshal(f)
}

// UnmarshalSnapshotOrderField takes a field's word.
func UnmarshalSnapshotOrderField(v any) (query.OrderField, error) {
	return orderFields("Snapshot").unmarshal(v)
}

// MarshalSnapshotLineOrderField writes a field's word.
func MarshalSnapshotLineOrderField(f query.OrderField) graphql.Marshaler {
	return orderFields("SnapshotLine").marshal(f)
}

// UnmarshalSnapshotLineOrderField takes a field's word.
func UnmarshalSnapshotLineOrderField(v any) (query.OrderField, error) {
	return orderFields("SnapshotLine").unmarshal(v)
}
