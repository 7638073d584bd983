package resolvers

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
)

// readerRole refuses whoever may ask for nothing at all, so that the schema is not shown to them
// either.
func readerRole(ctx context.Context) error {
	caller, ok := codex.CallerFrom(ctx)
	switch {
	case !ok:
		return codex.Errorf(codex.CodeUnauthenticated, "this takes a token: send it as Authorization: Bearer ...")
	case !caller.HasAny(codex.TokenRoles()...):
		return codex.Errorf(codex.CodeForbidden, "the role %q may not use this", caller.Role)
	}
	return nil
}

// checkRoles lets a root field be resolved only for those whom its definition allows.
func checkRoles(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	root := graphql.GetRootFieldContext(ctx)
	if err := allowed(ctx, root.Field.Definition); err != nil {
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: root.Field})
		graphql.AddError(ctx, graphql.AddFieldLocationToError(ctx, err))
		return graphql.Null
	}
	return next(ctx)
}

// allowed decides on a field by its directive @allow. What has none is refused to everybody.
func allowed(ctx context.Context, field *ast.FieldDefinition) error {
	caller, ok := codex.CallerFrom(ctx)
	if !ok {
		return codex.Errorf(codex.CodeUnauthenticated, "this takes a token")
	}
	if isIntrospection(field.Name) {
		return readerRole(ctx)
	}
	if roles := rolesOf(field); !caller.HasAny(roles...) {
		return codex.Errorf(codex.CodeForbidden, "%s takes another role than %s", field.Name, caller.Role)
	}
	return nil
}

// rolesOf are the roles that a field's @allow names.
func rolesOf(field *ast.FieldDefinition) []codex.Role {
	directive := field.Directives.ForName("allow")
	if directive == nil {
		return nil
	}
	argument := directive.Arguments.ForName("roles")
	if argument == nil {
		return nil
	}
	var roles []codex.Role
	for _, child := range argument.Value.Children {
		roles = append(roles, codex.Role(strings.ToLower(child.Value.Raw)))
	}
	return roles
}

// isIntrospection tells the fields that show the schema itself.
func isIntrospection(name string) bool {
	return slices.Contains([]string{"__schema", "__type", "__typename"}, name)
}
