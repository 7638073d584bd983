package resolvers

import (
	"context"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/hivematrix/codex"
)

// documentLimits refuses a text that is costly to validate, before it is: validation compares all
// fields of one name with one another, and 4,000 of them take it seconds. What is kept parsed has been
// through here.
//
// Only what stands in the text is counted, each fragment once. What its fragments multiply is the
// cost's business.
type documentLimits struct {
	aliases, directives, tokens int
	known                       graphql.Cache[*ast.QueryDocument]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
} = documentLimits{}

// ExtensionName implements graphql.HandlerExtension.
func (documentLimits) ExtensionName() string { return "DocumentLimits" }

// Validate implements graphql.HandlerExtension.
func (documentLimits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (l documentLimits) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, ok := l.known.Get(ctx, params.Query); ok {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, l.tokens)
	failed, _ := errors.AsType[*gqlerror.Error](err)
	switch {
	case failed != nil && strings.HasPrefix(failed.Message, "exceeded token limit"):
		return tooMuch("the query has more than %d words and signs (max_tokens): ask for less at once, or hand in values as variables", l.tokens)
	case err != nil: // the executor says so
		return nil
	}
	var counted counts
	for _, op := range doc.Operations {
		counted.directives += len(op.Directives)
		for _, variable := range op.VariableDefinitions {
			counted.directives += len(variable.Directives)
		}
		counted.set(op.SelectionSet, map[string]bool{})
	}
	for _, fragment := range doc.Fragments {
		counted.directives += len(fragment.Directives)
		counted.set(fragment.SelectionSet, map[string]bool{})
	}
	switch {
	case counted.aliases > l.aliases:
		return tooMuch("the query has %d fields with another name or that stand there twice, %d are allowed (max_aliases)", counted.aliases, l.aliases)
	case counted.directives > l.directives:
		return tooMuch("the query has %d directives, %d are allowed (max_directives)", counted.directives, l.directives)
	}
	return nil
}

// tooMuch refuses what goes beyond a limit.
func tooMuch(format string, args ...any) *gqlerror.Error {
	return gqlerror.Wrap(codex.Errorf(codex.CodeCostLimit, format, args...))
}

// counts are how much of something a text has.
type counts struct{ aliases, directives int }

// set counts what selections have; there are the names that the answer has at their place already. Inline
// fragments are at the place around them.
func (c *counts) set(selections ast.SelectionSet, there map[string]bool) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			if there[s.Alias] || s.Alias != s.Name {
				c.aliases++
			}
			there[s.Alias] = true
			c.directives += len(s.Directives)
			c.set(s.SelectionSet, map[string]bool{})
		case *ast.InlineFragment:
			c.directives += len(s.Directives)
			c.set(s.SelectionSet, there)
		case *ast.FragmentSpread:
			c.directives += len(s.Directives)
		}
	}
}
