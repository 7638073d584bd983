package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/query"
)

// groupsBy are the words for what totals of objects are grouped by.
func groupsBy(object string) enum[query.GroupBy] {
	e := enum[query.GroupBy]{name: object + "GroupBy"}
	for _, name := range query.GroupsOf(object) {
		e.words = append(e.words, word[query.GroupBy]{wordOf(string(name)), name})
	}
	return e
}

// MarshalAssetGroupBy writes a group's word.
func MarshalAssetGroupBy(g query.GroupBy) graphql.Marshaler { return groupsBy("Asset").marshal(g) }

// UnmarshalAssetGroupBy takes a group's word.
func UnmarshalAssetGroupBy(v any) (query.GroupBy, error) { return groupsBy("Asset").unmarshal(v) }

// MarshalTicketGroupBy writes a group's word.
func MarshalTicketGroupBy(g query.GroupBy) graphql.Marshaler { return groupsBy("Ticket").marshal(g) }

// UnmarshalTicketGroupBy takes a group's word.
func UnmarshalTicketGroupBy(v any) (query.GroupBy, error) { return groupsBy("Ticket").unmarshal(v) }

// MarshalPastAssetGroupBy writes a group's word.
func MarshalPastAssetGroupBy(g query.GroupBy) graphql.Marshaler {
	return groupsBy("PastAsset").marshal(g)
}

// UnmarshalPastAssetGroupBy takes a group's word.
func UnmarshalPastAssetGroupBy(v any) (query.GroupBy, error) {
	return groupsBy("PastAsset").unmarshal(v)
}

// MarshalPastTicketGroupBy writes a group's word.
func MarshalPastTicketGroupBy(g query.GroupBy) graphql.Marshaler {
	return groupsBy("PastTicket").marshal(g)
}

// UnmarshalPastTicketGroupBy takes a group's word.
func UnmarshalPastTicketGroupBy(v any) (query.GroupBy, error) {
	return groupsBy("PastTicket").unmarshal(v)
}

// MarshalSnapshotGroupBy writes a group's word.
func MarshalSnapshotGroupBy(g query.GroupBy) graphql.Marshaler {
	return groupsBy("Snapshot").marshal(g)
}

// UnmarshalSnapshotGroupBy takes a group's word.
func UnmarshalSnapshotGroupBy(v any) (query.GroupBy, error) { return groupsBy("Snapshot").unmarshal(v) }
