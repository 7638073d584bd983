package codex

import (
	"context"
	"slices"
)

// Role says what a caller may do. Roles are sets, not a ladder: each field and path names the
// roles that may use it, and what names none is refused.
type Role string

// The roles.
const (
	RoleAdmin      Role = "admin"
	RoleBilling    Role = "billing"
	RoleTechnician Role = "technician"
	RoleService    Role = "service" // a program: reads, starts syncs, accepts bills as its token allows
	RoleClient     Role = "client"  // a customer of the MSP: known, and refused everywhere
)

// TokenRoles are the roles that a local token may have.
func TokenRoles() []Role { return []Role{RoleAdmin, RoleBilling, RoleTechnician, RoleService} }

// ParseRole takes the name of a role that a token may have.
func ParseRole(name string) (Role, error) {
	if role := Role(name); slices.Contains(TokenRoles(), role) {
		return role, nil
	}
	return "", BadInput("role", "there is no role %q: it is admin, billing, technician or service", name)
}

// Caller is who is asking, as established by authentication.
type Caller struct {
	Name string // what runs and records keep: a token's name, an e-mail address, "ana (local socket)"
	Role Role
	// Trigger is what runs are kept with that the caller starts; empty is [TriggerAPI]. It is told by the
	// way that the caller came, and never by the name.
	Trigger RunTrigger
	// Core is the name of the service that a token of HiveMatrix Core speaks for, empty for people and
	// for local tokens. Core gives such a token to whoever asks, so that it proves little: it reads,
	// and does more only where Grants has it. Nobody else's role is narrowed by Grants.
	Core   string
	Grants Grants
}

// Grants are what a service may do beside reading although Core alone speaks for it
// (docs/compatibility.md, "Roles"). The zero value is nothing.
type Grants uint8

// The grants.
const (
	GrantSyncs Grants = 1 << iota // start syncs
	GrantBills                    // hand in accepted bills
)

// May tells whether a role that may do what all of grants stand for may do it in this caller's hands.
func (c Caller) May(grants Grants) bool { return c.Core == "" || c.Grants&grants == grants }

// HasAny tells whether the caller has one of roles. A caller of no role has none.
func (c Caller) HasAny(roles ...Role) bool { return c.Role != "" && slices.Contains(roles, c.Role) }

type (
	callerKey      struct{}
	personTokenKey struct{}
)

// WithCaller is ctx with the caller of the request.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerFrom is the caller of the request that ctx belongs to; false where nobody was
// authenticated.
func CallerFrom(ctx context.Context) (Caller, bool) {
	caller, ok := ctx.Value(callerKey{}).(Caller)
	return caller, ok
}

// WithPersonToken is ctx with the token of HiveMatrix Core by which the person was known whose request
// ctx belongs to. Whoever asks another service in that person's name sends it along; it is good for an
// hour at most, and is kept nowhere but in memory.
func WithPersonToken(ctx context.Context, token Secret) context.Context {
	return context.WithValue(ctx, personTokenKey{}, token)
}

// PersonTokenFrom is the token of Core's by which the person was known whose request ctx belongs to;
// empty where a local token, a service or the local socket asks.
func PersonTokenFrom(ctx context.Context) Secret {
	token, _ := ctx.Value(personTokenKey{}).(Secret)
	return token
}
