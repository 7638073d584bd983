package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/hivematrix/codex"
)

// introspection decides who may ask for the schema itself. Admins always may; by default everybody may
// who may ask for anything, since the playground and the generators of clients live on it, and what
// protects the data is who may ask for it. __typename, which clients put into every query, tells
// nothing and is always allowed.
type introspection struct{ adminsOnly bool }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = introspection{}

// ExtensionName implements graphql.HandlerExtension.
func (introspection) ExtensionName() string { return "Introspection" }

// Validate implements graphql.HandlerExtension.
func (introspection) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (i introspection) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = false // as gqlgen means it: for everybody and without a word
	if caller, _ := codex.CallerFrom(ctx); !i.adminsOnly || caller.HasAny(codex.RoleAdmin) {
		return nil
	}
	for _, field := range rootFields(op.Operation) {
		if field.Name == "__schema" || field.Name == "__type" {
			return gqlerror.Wrap(codex.Errorf(codex.CodeForbidden, "only admins may ask for the schema itself: [graphql] introspection says so"))
		}
	}
	return nil
}

// silentRules are the rules of validation whose errors hint at no names of the schema. Two more are
// exchanged by [handler.Server.SetDisableSuggestion].
func silentRules() *rules.Rules {
	silent := rules.NewDefaultRules()
	silent.ReplaceRule(rules.KnownArgumentNamesRule.Name, rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc)
	silent.ReplaceRule(rules.KnownTypeNamesRule.Name, rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc)
	silent.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, rules.ValuesOfCorrectTypeRuleWithoutSuggestions.RuleFunc)
	return silent
}
