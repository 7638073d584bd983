package auth

import (
	"context"
	"strings"

	"github.com/hivematrix/codex"
)

// Allow is a set of roles: who may use a field or path. The zero value admits nobody, which makes
// refusal the default.
type Allow uint8

const (
	admin Allow = 1 << iota
	billing
	technician
	service

	// A service that Core speaks for needs a grant besides.
	startsSyncs // codex.GrantSyncs
	sendsBills  // codex.GrantBills
)

// The sets, one for each kind of thing that one may do (docs/compatibility.md, "Roles"). No set has
// [codex.RoleClient]: a customer would see the other customers. GraphQL states its roles in the
// schema, in @allow; a test of package resolvers holds the two against each other.
const (
	Admins       = admin                                  // what decides for everybody
	Readers      = admin | billing | technician | service // read what was synced, GraphQL or REST
	SyncWatchers = admin | technician | service           // ask REST how a sync job stands
	SyncStarters = admin | service | startsSyncs          // start a sync
	BillSenders  = admin | billing | service | sendsBills // hand in an accepted bill
)

// Roles are the roles of the set, in the order in which the documents name them.
func (a Allow) Roles() []codex.Role {
	var roles []codex.Role
	for _, role := range codex.TokenRoles() {
		if a&bit(role) != 0 {
			roles = append(roles, role)
		}
	}
	return roles
}

// String is the set for people: "admin, service", or "nobody".
func (a Allow) String() string {
	var names []string
	for _, role := range a.Roles() {
		names = append(names, string(role))
	}
	if names == nil {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// Admits tells whether the set has the caller's role, in whose hands it is enough.
func (a Allow) Admits(caller codex.Caller) bool {
	return a&bit(caller.Role) != 0 && caller.May(a.grants())
}

// grants are what a service that Core speaks for needs to do what the set is for.
func (a Allow) grants() codex.Grants {
	var grants codex.Grants
	if a&startsSyncs != 0 {
		grants |= codex.GrantSyncs
	}
	if a&sendsBills != 0 {
		grants |= codex.GrantBills
	}
	return grants
}

// Check is the caller of ctx when the set admits it, else a [codex.CodeUnauthenticated] error where
// nobody is calling and a [codex.CodeForbidden] one where somebody else is.
func (a Allow) Check(ctx context.Context) (codex.Caller, error) {
	caller, ok := codex.CallerFrom(ctx)
	if !ok {
		return codex.Caller{}, codex.Errorf(codex.CodeUnauthenticated, "this needs a token")
	}
	if err := a.admit(caller); err != nil {
		return codex.Caller{}, err
	}
	return caller, nil
}

// admit is nil for whom the set admits, and says to others what it takes.
func (a Allow) admit(caller codex.Caller) error {
	switch {
	case a.Admits(caller):
		return nil
	case a&bit(caller.Role) != 0 && a&sendsBills != 0:
		return codex.Errorf(codex.CodeForbidden, "the service %s hands in no bills: of those that Core speaks for %s alone does", caller.Core, billingService)
	case a&bit(caller.Role) != 0:
		return codex.Errorf(codex.CodeForbidden, "the service %s only reads: [auth] sync_services does not name it", caller.Core)
	}
	return codex.Errorf(codex.CodeForbidden, "this takes the role %s", a)
}

// bit is role's place in a set. A role without one is in no set.
func bit(role codex.Role) Allow {
	switch role {
	case codex.RoleAdmin:
		return admin
	case codex.RoleBilling:
		return billing
	case codex.RoleTechnician:
		return technician
	case codex.RoleService:
		return service
	default:
		return 0
	}
}
