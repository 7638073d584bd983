package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/query"
)

func searchTypes() enum[query.SearchType] {
	return enum[query.SearchType]{"SearchType", []word[query.SearchType]{
		{"COMPANY", query.SearchCompany},
		{"CONTACT", query.SearchContact},
		{"ASSET", query.SearchAsset},
		{"TICKET", query.SearchTicket},
		{"SNAPSHOT", query.SearchSnapshot},
	}}
}

func searchMatches() enum[query.SearchMatch] {
	return enum[query.SearchMatch]{"SearchMatch", []word[query.SearchMatch]{
		{"EXACT", query.MatchExact},
		{"PREFIX", query.MatchPrefix},
		{"CONTAINS", query.MatchContains},
	}}
}

// MarshalSearchType writes a type's word.
func MarshalSearchType(t query.SearchType) graphql.Marshaler { return searchTypes().marshal(t) }

// UnmarshalSearchType takes a type's word.
func UnmarshalSearchType(v any) (query.SearchType, error) { return searchTypes().unmarshal(v) }

// MarshalSearchMatch writes a match's word.
func MarshalSearchMatch(m query.SearchMatch) graphql.Marshaler { return searchMatches().marshal(m) }

// UnmarshalSearchMatch takes a match's word.
func UnmarshalSearchMatch(v any) (query.SearchMatch, error) { return searchMatches().unmarshal(v) }
