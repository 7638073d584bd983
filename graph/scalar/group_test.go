package scalar_test

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/scalar"
	"github.com/hivematrix/codex/query"
)

// groupBy is the words for what totals of an object are grouped by.
type groupBy struct {
	take  func(any) (query.GroupBy, error)
	write func(query.GroupBy) graphql.Marshaler
}

// By what totals are grouped is one table of package query. The schema has a word for each, and no other.
func TestTheSchemaGroupsByWhatTheTableHas(t *testing.T) {
	objects := map[string]groupBy{
		"Asset":      {scalar.UnmarshalAssetGroupBy, scalar.MarshalAssetGroupBy},
		"Ticket":     {scalar.UnmarshalTicketGroupBy, scalar.MarshalTicketGroupBy},
		"Snapshot":   {scalar.UnmarshalSnapshotGroupBy, scalar.MarshalSnapshotGroupBy},
		"PastAsset":  {scalar.UnmarshalPastAssetGroupBy, scalar.MarshalPastAssetGroupBy},
		"PastTicket": {scalar.UnmarshalPastTicketGroupBy, scalar.MarshalPastTicketGroupBy},
	}
	types := exec.NewExecutableSchema(exec.Config{}).Schema().Types
	for name, def := range types {
		object, isGroup := strings.CutSuffix(name, "GroupBy")
		if _, tested := objects[object]; isGroup && def.Kind == ast.Enum && !tested {
			t.Errorf("%s is not tested", name)
		}
	}
	for object, words := range objects {
		groups := query.GroupsOf(object)
		if len(groups) < 3 || len(types[object+"GroupBy"].EnumValues) != len(groups) {
			t.Errorf("%s is grouped by %v, the schema has other words", object, groups)
		}
		for _, group := range groups {
			word := upperSnake(string(group))
			if got, err := words.take(word); got != group || err != nil {
				t.Errorf("%s: %s is taken for %q, %v", object, word, got, err)
			}
			if got := text(words.write(group)); got != `"`+word+`"` {
				t.Errorf("%s: %s is written %s", object, group, got)
			}
			if _, err := words.take(strings.ToLower(word)); err == nil {
				t.Errorf("%s: %s is taken in small letters", object, word)
			}
			if types[object+"GroupBy"].EnumValues.ForName(word) == nil {
				t.Errorf("%sGroupBy has no %s", object, word)
			}
		}
	}
}
