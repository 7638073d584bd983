package auth_test

import (
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
)

func TestEachSetAdmitsItsRolesAndNobodyElse(t *testing.T) {
	everybody := append(codex.TokenRoles(), codex.RoleClient, "", "root")
	for _, tc := range []struct {
		name  string
		allow auth.Allow
		roles string
		admit map[codex.Role]bool
	}{
		{"nobody, the zero value", 0, "nobody", nil},
		{"readers", auth.Readers, "admin, billing, technician, service", map[codex.Role]bool{"admin": true, "billing": true, "technician": true, "service": true}},
		{"sync watchers", auth.SyncWatchers, "admin, technician, service", map[codex.Role]bool{"admin": true, "technician": true, "service": true}},
		{"who hands in bills", auth.BillSenders, "admin, billing, service", map[codex.Role]bool{"admin": true, "billing": true, "service": true}},
		{"sync starters", auth.SyncStarters, "admin, service", map[codex.Role]bool{"admin": true, "service": true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.allow.String(); got != tc.roles {
				t.Errorf("String() = %q, want %q", got, tc.roles)
			}
			for _, role := range everybody {
				caller := codex.Caller{Name: "n", Role: role}
				if got := tc.allow.Admits(caller); got != tc.admit[role] {
					t.Errorf("Admits(%q) = %v", role, got)
				}
				_, err := tc.allow.Check(codex.WithCaller(t.Context(), caller))
				want := codex.CodeForbidden
				if tc.admit[role] {
					want = ""
				}
				if got := codex.CodeOf(err); got != want {
					t.Errorf("Check of %q = %q, want %q", role, got, want)
				}
			}
			if _, err := tc.allow.Check(t.Context()); codex.CodeOf(err) != codex.CodeUnauthenticated {
				t.Errorf("Check without a caller: %v", err)
			}
		})
	}
}

// A token of Core's for a service proves little: it reads, and no more without a grant.
func TestAServiceThatCoreSpeaksForReadsUnlessItIsGrantedMore(t *testing.T) {
	for _, tc := range []struct {
		name                string
		caller              codex.Caller
		reads, syncs, bills bool
	}{
		{"a local token", codex.Caller{Name: "n", Role: codex.RoleService}, true, true, true},
		{"a service", codex.Caller{Name: "service:helm", Role: codex.RoleService, Core: "helm"}, true, false, false},
		{"one that is named", codex.Caller{Name: "service:helm", Role: codex.RoleService, Core: "helm", Grants: codex.GrantSyncs}, true, true, false},
		{"one that bills", codex.Caller{Name: "service:ledger", Role: codex.RoleService, Core: "ledger", Grants: codex.GrantBills}, true, false, true},
		{"an admin", codex.Caller{Name: "a@b.c", Role: codex.RoleAdmin}, true, true, true},
		{"somebody of billing", codex.Caller{Name: "a@b.c", Role: codex.RoleBilling}, true, false, true},
		{"a technician", codex.Caller{Name: "a@b.c", Role: codex.RoleTechnician}, true, false, false},
		{"a customer", codex.Caller{Name: "a@b.c", Role: codex.RoleClient}, false, false, false},
	} {
		if got := auth.Readers.Admits(tc.caller); got != tc.reads {
			t.Errorf("%s reads: %v", tc.name, got)
		}
		if got := auth.SyncStarters.Admits(tc.caller); got != tc.syncs {
			t.Errorf("%s starts syncs: %v", tc.name, got)
		}
		if got := auth.BillSenders.Admits(tc.caller); got != tc.bills {
			t.Errorf("%s hands in bills: %v", tc.name, got)
		}
	}
	helm := codex.WithCaller(t.Context(), codex.Caller{Name: "service:helm", Role: codex.RoleService, Core: "helm"})
	for allow, want := range map[auth.Allow]string{
		auth.SyncStarters: "the service helm only reads: [auth] sync_services does not name it",
		auth.BillSenders:  "the service helm hands in no bills: of those that Core speaks for ledger alone does",
	} {
		if _, err := allow.Check(helm); codex.CodeOf(err) != codex.CodeForbidden || told(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
