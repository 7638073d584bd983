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
