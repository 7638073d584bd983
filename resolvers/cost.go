package resolvers

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/scalar"
	"github.com/hivematrix/codex/query"
)

// edgeWeight is how many rows an edge counts for that does not say how many it wants.
const edgeWeight = 50

// contentWeight is how many values a content of a bill counts for, which may have megabytes.
const contentWeight = 10_000

const (
	// schemaWeight is how long a list counts for that is a part of the schema: its types are more, their
	// fields and arguments fewer.
	schemaWeight = 10
	// schemaCost is twice what the question of generators and of GraphiQL for all of it costs, nine
	// wrappers of a type deep.
	schemaCost = 100_000
)

// costLimit refuses a query that asks for more than one may at once, before any of it runs.
//
// The cost of a query is how many values its answer may have: a field counts 1, and what is inside
// a list as often as the list may be long, which is its argument first, or [edgeWeight] where it
// has none. It is reckoned from the schema, so that no edge can be forgotten. Fragments are
// reckoned once each, since a few that contain one another are a query of any size.
//
// The conditions of a filter cost nothing here: a filter has bounds of its own (package query), and
// what a row costs to find is the database's time, which [Limits.Time] bounds.
//
// A content of an archived bill counts [contentWeight], since it is a document and no value.
//
// Totals count for as many groups as there may be ([query.MaxGroups]) where they are grouped: each has
// edges of its own.
//
// What is asked of the schema itself is reckoned apart, with [schemaWeight] for each of its lists, and
// has a bound of its own: it costs no row, but much of our time under many names.
//
// Root fields are counted by themselves. Each of Query is resolved beside the others, and each of
// Mutation does something: a hundred of them in one request would be a hundred tries.
type costLimit struct {
	schema                *ast.Schema
	cost, depth           int
	rootFields, mutations int
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = costLimit{}

// ExtensionName implements graphql.HandlerExtension.
func (costLimit) ExtensionName() string { return "CostLimit" }

// Validate implements graphql.HandlerExtension.
func (costLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (l costLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	m := measuring{schema: l.schema, variables: op.Variables, fragments: map[*ast.FragmentDefinition]measure{}}
	total := m.set(op.Operation.SelectionSet)
	op.Stats.SetExtension(costOfOperation, total.cost)
	roots, most, setting := len(rootFields(op.Operation)), l.rootFields, "max_root_fields"
	if op.Operation.Operation == ast.Mutation {
		most, setting = l.mutations, "max_mutations"
	}
	switch {
	case total.deferred:
		return gqlerror.Wrap(codex.Errorf(codex.CodeBadInput, "@defer is not served: leave it out"))
	case total.cost > l.cost:
		return tooMuch("the query may have %d values in its answer, %d are allowed (max_cost): ask for fewer rows (first) or fields at once", total.cost, l.cost)
	case total.schema > schemaCost:
		return tooMuch("the query asks for too much of the schema itself at once: ask for all of it once, each field under its own name")
	case total.depth > l.depth:
		return tooMuch("the query is %d fields deep, %d are allowed (max_depth)", total.depth, l.depth)
	case roots > most:
		return tooMuch("the %s asks for %d fields at once, %d are allowed (%s)", op.Operation.Operation, roots, most, setting)
	}
	return nil
}

// costOfOperation is where an operation keeps its cost, for the header that tells it.
const costOfOperation = "cost"

// rootFields are the fields that an operation asks for, each once, as the answer names them.
func rootFields(op *ast.OperationDefinition) map[string]*ast.Field {
	fields, followed := map[string]*ast.Field{}, map[string]bool{}
	var follow func(ast.SelectionSet)
	follow = func(selections ast.SelectionSet) {
		for _, selection := range selections {
			switch s := selection.(type) {
			case *ast.Field:
				fields[s.Alias] = s
			case *ast.InlineFragment:
				follow(s.SelectionSet)
			case *ast.FragmentSpread:
				if !followed[s.Name] {
					followed[s.Name] = true
					follow(s.Definition.SelectionSet)
				}
			}
		}
	}
	follow(op.SelectionSet)
	return fields
}

// measure is the size of a part of a query.
type measure struct {
	cost     int
	depth    int
	schema   int  // the cost of what is asked of the schema itself
	deferred bool // it has @defer
}

func (m *measure) add(other measure) {
	m.cost = plus(m.cost, other.cost)
	m.depth = max(m.depth, other.depth)
	m.schema = plus(m.schema, other.schema)
	m.deferred = m.deferred || other.deferred
}

// measuring is the reckoning of one query.
type measuring struct {
	schema    *ast.Schema
	variables map[string]any
	fragments map[*ast.FragmentDefinition]measure
}

func (m measuring) set(selections ast.SelectionSet) measure {
	var total measure
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			total.add(m.field(s))
		case *ast.InlineFragment:
			total.add(m.set(s.SelectionSet))
			total.deferred = total.deferred || s.Directives.ForName("defer") != nil
		case *ast.FragmentSpread:
			total.add(m.fragment(s.Definition))
			total.deferred = total.deferred || s.Directives.ForName("defer") != nil
		}
	}
	return total
}

func (m measuring) fragment(f *ast.FragmentDefinition) measure {
	known, ok := m.fragments[f]
	if !ok {
		known = m.set(f.SelectionSet)
		m.fragments[f] = known
	}
	return known
}

func (m measuring) field(f *ast.Field) measure {
	inner := m.set(f.SelectionSet)
	if isIntrospection(f.Name) { // it leads to no row, and validation bounds its depth
		return measure{cost: 1, depth: 1, schema: inner.cost, deferred: inner.deferred}
	}
	rows, own := m.rows(f), 1
	if isContent(f) {
		own = contentWeight
	}
	return measure{
		cost:     plus(own, times(rows, inner.cost)),
		depth:    inner.depth + 1,
		schema:   times(rows, inner.schema),
		deferred: inner.deferred,
	}
}

// isContent tells the fields that are whole documents, or for which such are read.
func isContent(f *ast.Field) bool {
	switch f.ObjectDefinition.Name {
	case "Snapshot":
		return slices.Contains([]string{"billingData", "csv", "notes"}, f.Name)
	case "SnapshotDiff":
		return f.Name == "documents"
	}
	return false
}

// rows is how many objects a field may lead to.
func (m measuring) rows(f *ast.Field) int {
	if f.Definition.Arguments.ForName("first") != nil {
		first, err := scalar.UnmarshalInt(f.ArgumentMap(m.variables)["first"])
		if err != nil || first < 1 || first > query.MaxPage { // the resolver refuses it, or has its default
			return query.DefaultPage
		}
		return first
	}
	if f.Definition.Arguments.ForName("groupBy") != nil {
		groupBy := f.ArgumentMap(m.variables)["groupBy"]
		if keys, isList := groupBy.([]any); groupBy == nil || isList && len(keys) == 0 {
			return 1
		}
		return query.MaxGroups
	}
	if strings.HasPrefix(f.ObjectDefinition.Name, "__") && f.Definition.Type.Elem != nil {
		return schemaWeight
	}
	inPage := strings.HasSuffix(f.ObjectDefinition.Name, "Connection") // counted by its argument first
	if f.Definition.Type.Elem != nil && !inPage {
		return edgeWeight
	}
	return 1
}

// plus and times stop at the greatest integer.
func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

func times(a, b int) int {
	if b > 0 && a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}
