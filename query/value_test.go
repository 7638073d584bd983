package query_test

import (
	"reflect"
	"testing"

	"github.com/hivematrix/codex/query"
)

func TestAChangedValueIsWhatTheFieldItselfHasInJSON(t *testing.T) {
	for _, tc := range []struct {
		name, column string
		text         *string
		want         any
	}{
		{"none", "hostname", nil, nil},
		{"a text", "hostname", new("true"), "true"},
		{"a text of digits", "company_main_number", new("5550100"), "5550100"},
		{"a truth", "suspended", new("true"), true},
		{"another one", "active", new("false"), false},
		{"a truth that is no filter", "closed", new("true"), true},
		{"a number", "spent_seconds", new("7200"), int64(7200)},
		{"an id, beyond what a JSON number holds", "freshservice_id", new("9007199254740993"), "9007199254740993"},
		{"bytes", "backup_bytes", new("1649267441664"), "1649267441664"},
		{"a moment", "closed_at", new("2025-10-31T23:59:59Z"), "2025-10-31T23:59:59Z"},
		{"a list", "domains", new(`["a.example","b.example"]`), []string{"a.example", "b.example"}},
		{"an empty list", "secondary_emails", new("[]"), []string{}},
		{"a list that a plan cut", "domains", new(`["a.exam…`), `["a.exam…`},
		{"an account number", "company_account_number", new("620547"), "620547"},
		{"a column that nobody knows", "x", new("1"), "1"},
	} {
		change := &query.FieldChange{Column: tc.column, Old: tc.text, New: tc.text}
		if got := change.OldValue(); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %#v", tc.name, got)
		}
		if got := change.NewValue(); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %#v", tc.name, got)
		}
	}
}
