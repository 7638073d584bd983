package resolvers

import (
	"context"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
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
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			roles := rolesOf(field.Directives)
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

// The sets of package auth are what REST goes by: whoever may start a sync there may start one here.
func TestTheSchemaAndRESTAdmitTheSameRoles(t *testing.T) {
	admins := []codex.Role{codex.RoleAdmin}
	keepers := []codex.Role{codex.RoleAdmin, codex.RoleTechnician}
	billers := []codex.Role{codex.RoleAdmin, codex.RoleBilling}
	want := map[string][]codex.Role{
		"Query.tokens": admins, "Mutation.createToken": admins, "Mutation.revokeToken": admins,
		"Mutation.syncFreshservice": auth.SyncStarters.Roles(), "Mutation.syncFreshservice(force:)": admins,
		"Mutation.syncDatto": auth.SyncStarters.Roles(), "Mutation.syncDatto(force:)": admins,
		"Mutation.syncTickets": auth.SyncStarters.Roles(), "Mutation.syncTickets(force:)": admins,
		"Mutation.approveRemovals": admins, "Mutation.cancelSync": admins,
		"Mutation.renameCompany": admins, "Mutation.archiveCompany": admins,
		"Mutation.updateCompany": keepers, "Mutation.updateContact": keepers,
		"Mutation.linkContact": keepers, "Mutation.unlinkContact": keepers,
		"Mutation.linkAsset": keepers, "Mutation.unlinkAsset": keepers,
		"Mutation.acknowledge": billers, "Mutation.withdrawAcknowledgement": billers,
		"Mutation.rebuildBilledItems": admins,
		"Mutation.savePlan":           admins, "Mutation.deletePlan": admins, "Mutation.importPlans": admins,
		"Mutation.acceptBill": auth.BillSenders.Roles(), "Mutation.reopenBill": admins, "Mutation.closeBill": admins,
		"Mutation.refetchBill": admins,
		"Mutation.openEpoch":   admins, "Mutation.publishCheckpoint": admins,
		"Query.snapshotSchedule": admins, "Mutation.updateSnapshotSchedule": admins, "Mutation.dismissMissedMonth": admins,
		"Mutation.runSnapshotJob": admins, "Mutation.forceSnapshotJob": admins, "Mutation.cancelSnapshotJob": admins,
		"Query.notifications": admins, "Mutation.redeliverNotification": admins, "Mutation.testNotification": admins,
		"Mutation.retrySnapshotJob": billers, "Mutation.requestBill": billers,
	}
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	met := 0
	check := func(name string, directives ast.DirectiveList, otherwise []codex.Role) {
		roles, listed := want[name]
		if listed {
			met++
		} else {
			roles = otherwise
		}
		if got := rolesOf(directives); !slices.Equal(got, roles) {
			t.Errorf("%s is for %v, want %v", name, got, roles)
		}
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			if isIntrospection(field.Name) {
				continue
			}
			name := root.Name + "." + field.Name
			var otherwise []codex.Role
			if root != schema.Mutation {
				otherwise = auth.Readers.Roles()
			}
			check(name, field.Directives, otherwise)
			for _, argument := range field.Arguments {
				check(name+"("+argument.Name+":)", argument.Directives, nil)
			}
		}
	}
	if met != len(want) {
		t.Errorf("%d of the %d fields and arguments that this test names are there", met, len(want))
	}
}

// checkRoles sees root fields alone: an @allow elsewhere would be a promise that nobody keeps.
func TestOnlyRootFieldsAndTheirArgumentsSayForWhomTheyAre(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	for name, def := range schema.Types {
		if def == schema.Query || def == schema.Mutation || def == schema.Subscription {
			continue
		}
		for _, field := range def.Fields {
			if field.Directives.ForName("allow") != nil {
				t.Errorf("%s.%s has an @allow", name, field.Name)
			}
			for _, argument := range field.Arguments {
				if argument.Directives.ForName("allow") != nil {
					t.Errorf("%s.%s(%s:) has an @allow", name, field.Name, argument.Name)
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
