package resolvers

import (
	"context"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/exec"
)

func TestAFieldThatSaysNothingOfRolesIsRefusedToEverybody(t *testing.T) {
	silent := &ast.FieldDefinition{Name: "company"}
	for _, role := range append(codex.TokenRoles(), codex.RoleClient, "") {
		ctx := codex.WithCaller(context.Background(), codex.Caller{Name: "x", Role: role})
		if err := allowed(ctx, silent); codex.CodeOf(err) != codex.CodeForbidden {
			t.Errorf("%q: %v", role, err)
		}
	}
	if err := allowed(context.Background(), silent); codex.CodeOf(err) != codex.CodeUnauthenticated {
		t.Errorf("nobody: %v", err)
	}
}

func TestEveryRootFieldSaysForWhomItIs(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation} {
		for _, field := range root.Fields {
			roles := rolesOf(field)
			if len(roles) == 0 && !isIntrospection(field.Name) {
				t.Errorf("%s.%s is for nobody", root.Name, field.Name)
			}
			for _, role := range roles {
				if _, err := codex.ParseRole(string(role)); err != nil {
					t.Errorf("%s.%s: %v", root.Name, field.Name, err)
				}
			}
		}
	}
}

func TestEverythingInTheSchemaIsDescribed(t *testing.T) {
	for name, def := range exec.NewExecutableSchema(exec.Config{}).Schema().Types {
		if def.BuiltIn {
			continue
		}
		if def.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for _, field := range def.Fields {
			if isIntrospection(field.Name) {
				continue
			}
			if field.Description == "" {
				t.Errorf("%s.%s has no description", name, field.Name)
			}
			for _, argument := range field.Arguments {
				if argument.Description == "" {
					t.Errorf("%s.%s(%s:) has no description", name, field.Name, argument.Name)
				}
			}
		}
		for _, value := range def.EnumValues {
			if value.Description == "" {
				t.Errorf("%s.%s has no description", name, value.Name)
			}
		}
	}
}
