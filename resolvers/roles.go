package resolvers

import (
	"context"
	"fmt"
	"reflect"
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
	err := allowed(ctx, root.Field.Definition)
	if err == nil {
		err = allowedChange(ctx, root.Field.Definition)
	}
	if err == nil {
		given := root.Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
		err = allowedArguments(ctx, root.Field.Definition, given)
	}
	if err != nil {
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
	if roles := rolesOf(field.Directives); !caller.HasAny(roles...) {
		return codex.Errorf(codex.CodeForbidden, "%s takes another role than %s", field.Name, caller.Role)
	}
	return nil
}

// allowedChange decides, beyond its roles, on a field of Mutation. What the schema lets services do is
// starting syncs and handing in bills, and a service that Core speaks for does either only where it is
// granted.
func allowedChange(ctx context.Context, field *ast.FieldDefinition) error {
	caller, _ := codex.CallerFrom(ctx)
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Mutation {
		return nil
	}
	if field.Name == "acceptBill" {
		if !caller.May(codex.GrantBills) {
			return codex.Errorf(codex.CodeForbidden, "the service %s only reads: Ledger alone hands in bills", caller.Core)
		}
		return nil
	}
	if !caller.May(codex.GrantSyncs) {
		return codex.Errorf(codex.CodeForbidden, "the service %s only reads: [auth] sync_services does not name it", caller.Core)
	}
	return nil
}

// allowedArguments decides on those arguments of a field that have an @allow of their own: whoever it
// does not name may leave them out, or give them their default.
func allowedArguments(ctx context.Context, field *ast.FieldDefinition, given map[string]any) error {
	caller, _ := codex.CallerFrom(ctx)
	for _, argument := range field.Arguments {
		if argument.Directives.ForName("allow") == nil || caller.HasAny(rolesOf(argument.Directives)...) {
			continue
		}
		value, isGiven := given[argument.Name]
		if isGiven && !isDefault(argument, value) {
			return &codex.Error{Code: codex.CodeForbidden, Field: argument.Name,
				Message: fmt.Sprintf("the argument %s takes another role than %s", argument.Name, caller.Role)}
		}
	}
	return nil
}

// isDefault tells whether value is what an argument has where nothing is given. Null is nothing too:
// it is refused, where it may not be, to everybody alike.
func isDefault(argument *ast.ArgumentDefinition, value any) bool {
	if value == nil || argument.DefaultValue == nil {
		return value == nil
	}
	byDefault, err := argument.DefaultValue.Value(nil)
	return err == nil && reflect.DeepEqual(value, byDefault)
}

// rolesOf are the roles that the @allow among directives names.
func rolesOf(directives ast.DirectiveList) []codex.Role {
	directive := directives.ForName("allow")
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
