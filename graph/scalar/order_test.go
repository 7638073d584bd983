package scalar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/scalar"
	"github.com/hivematrix/codex/query"
)

// orderField is the words of an object's fields to sort by.
type orderField struct {
	take  func(any) (query.OrderField, error)
	write func(query.OrderField) graphql.Marshaler
}

func orderFields() map[string]orderField {
	return map[string]orderField{
		"Company":      {scalar.UnmarshalCompanyOrderField, scalar.MarshalCompanyOrderField},
		"Asset":        {scalar.UnmarshalAssetOrderField, scalar.MarshalAssetOrderField},
		"Contact":      {scalar.UnmarshalContactOrderField, scalar.MarshalContactOrderField},
		"Location":     {scalar.UnmarshalLocationOrderField, scalar.MarshalLocationOrderField},
		"Ticket":       {scalar.UnmarshalTicketOrderField, scalar.MarshalTicketOrderField},
		"SyncRun":      {scalar.UnmarshalSyncRunOrderField, scalar.MarshalSyncRunOrderField},
		"SyncIssue":    {scalar.UnmarshalSyncIssueOrderField, scalar.MarshalSyncIssueOrderField},
		"Snapshot":     {scalar.UnmarshalSnapshotOrderField, scalar.MarshalSnapshotOrderField},
		"SnapshotLine": {scalar.UnmarshalSnapshotLineOrderField, scalar.MarshalSnapshotLineOrderField},
		"PastCompany":  {scalar.UnmarshalPastCompanyOrderField, scalar.MarshalPastCompanyOrderField},
		"PastAsset":    {scalar.UnmarshalPastAssetOrderField, scalar.MarshalPastAssetOrderField},
		"PastContact":  {scalar.UnmarshalPastContactOrderField, scalar.MarshalPastContactOrderField},
		"PastLocation": {scalar.UnmarshalPastLocationOrderField, scalar.MarshalPastLocationOrderField},
		"PastTicket":   {scalar.UnmarshalPastTicketOrderField, scalar.MarshalPastTicketOrderField},
	}
}

// What can be filtered and sorted is one table of package query. The schema, which is written by hand,
// has the same fields, each with the filter of its kind, and a word for each.
func TestTheSchemaFiltersAndSortsByTheFieldsOfTheTable(t *testing.T) {
	types := exec.NewExecutableSchema(exec.Config{}).Schema().Types
	for name, def := range types {
		object, isOrder := strings.CutSuffix(name, "OrderField")
		if _, tested := orderFields()[object]; isOrder && def.Kind == ast.Enum && !tested {
			t.Errorf("%s is not tested", name)
		}
	}
	for object, words := range orderFields() {
		fields := query.OrderFieldsOf(object)
		if len(fields) < 3 || len(types[object+"OrderField"].EnumValues) != len(fields) {
			t.Errorf("%s is sorted by %v, the schema has other fields", object, fields)
		}
		filters := query.FiltersOf(object)
		for _, field := range fields {
			word := upperSnake(string(field))
			if got, err := words.take(word); got != field || err != nil {
				t.Errorf("%s: %s is taken for %q, %v", object, word, got, err)
			}
			if got := text(words.write(field)); got != `"`+word+`"` {
				t.Errorf("%s: %s is written %s", object, field, got)
			}
			if _, err := words.take(strings.ToLower(word)); err == nil {
				t.Errorf("%s: %s is taken in small letters", object, word)
			}
			if types[object+"OrderField"].EnumValues.ForName(word) == nil {
				t.Errorf("%sOrderField has no %s", object, word)
			}
		}
		for _, field := range types[object+"Filter"].Fields {
			if slices.Contains([]string{"and", "or", "not"}, field.Name) {
				continue
			}
			if filters[field.Name] != field.Type.Name() {
				t.Errorf("%sFilter.%s is a %s, the table has %q", object, field.Name, field.Type.Name(), filters[field.Name])
			}
			delete(filters, field.Name)
		}
		if len(filters) > 0 {
			t.Errorf("%sFilter lacks %v", object, filters)
		}
	}
}

func upperSnake(name string) string {
	var b strings.Builder
	for _, letter := range name {
		if 'A' <= letter && letter <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToUpper(string(letter)))
	}
	return b.String()
}
