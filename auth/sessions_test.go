package auth_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
)

func signIn(t *testing.T, callers *auth.Callers, token string) auth.Session {
	t.Helper()
	begun, err := callers.SignIn(t.Context(), token, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

func by(callers *auth.Callers, session auth.Session, t *testing.T) (codex.Caller, error) {
	t.Helper()
	known, err := callers.Authenticate(t.Context(), auth.Proof{Session: session.Value.Reveal()})
	return known.Caller, err
}

func TestASessionIsAsGoodAsItsTokenAndNoBetter(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock) {
		callers := auth.NewCallers(db, tokens, nil, c.now)
		soon := c.at.Add(time.Hour)
		unlimited := create(t, tokens, auth.NewToken{Name: "unlimited", Role: codex.RoleAdmin}).Reveal()
		limited := create(t, tokens, auth.NewToken{Name: "limited", Role: codex.RoleBilling, ExpiresAt: &soon}).Reveal()

		long, short := signIn(t, callers, unlimited), signIn(t, callers, limited)
		if want := store.UTC(c.at).Add(12 * time.Hour); !long.ExpiresAt.Equal(want) {
			t.Errorf("a token without end: until %s, want %s", long.ExpiresAt, want)
		}
		if !short.ExpiresAt.Equal(store.UTC(soon)) {
			t.Errorf("a token of an hour: until %s, want %s", short.ExpiresAt, soon)
		}
		for name, tc := range map[string]struct {
			session auth.Session
			want    codex.Caller
		}{
			"unlimited": {long, codex.Caller{Name: "unlimited", Role: codex.RoleAdmin}},
			"limited":   {short, codex.Caller{Name: "limited", Role: codex.RoleBilling}},
		} {
			if got, err := by(callers, tc.session, t); err != nil || got != tc.want || tc.session.Caller != tc.want {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}

		c.at = soon
		if _, err := by(callers, short, t); codex.CodeOf(err) != codex.CodeUnauthenticated {
			t.Errorf("after its token's end: %v", err)
		}
		again := signIn(t, callers, unlimited)
		if n := db.Ent().Session.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d rows: those that are over go when somebody signs in", n)
		}
		if _, err := tokens.Revoke(t.Context(), "unlimited"); err != nil {
			t.Fatal(err)
		}
		for name, session := range map[string]auth.Session{"the first": long, "the second": again} {
			if _, err := by(callers, session, t); codex.CodeOf(err) != codex.CodeUnauthenticated {
				t.Errorf("%s session, of a token that was revoked: %v", name, err)
			}
		}
	})
}

func TestASessionEndsWhenItsUserSignsOut(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock) {
		callers := auth.NewCallers(db, tokens, nil, c.now)
		token := create(t, tokens, auth.NewToken{Name: "n", Role: codex.RoleTechnician}).Reveal()
		one, other := signIn(t, callers, token), signIn(t, callers, token)
		for range 2 { // the second time there is nothing left to end
			if err := callers.SignOut(t.Context(), one.Value.Reveal()); err != nil {
				t.Fatal(err)
			}
		}
		if err := callers.SignOut(t.Context(), "no session's"); err != nil {
			t.Error(err)
		}
		if _, err := by(callers, one, t); codex.CodeOf(err) != codex.CodeUnauthenticated || told(err) != "the session is over: sign in again" {
			t.Errorf("the one that was ended: %v", err)
		}
		if _, err := by(callers, other, t); err != nil {
			t.Errorf("the other one: %v", err)
		}
		c.at = c.at.Add(12 * time.Hour)
		if _, err := by(callers, other, t); codex.CodeOf(err) != codex.CodeUnauthenticated {
			t.Errorf("after half a day: %v", err)
		}
	})
}

// Neither the database nor a cookie alone is worth a token.
func TestWhatIsKeptOfASessionOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock) {
		callers := auth.NewCallers(db, tokens, nil, c.now)
		token := create(t, tokens, auth.NewToken{Name: "n", Role: codex.RoleAdmin}).Reveal()
		begun, another := signIn(t, callers, token), signIn(t, callers, token)
		rows := db.Ent().Session.Query().AllX(t.Context())
		for _, row := range rows {
			if bytes.Contains(row.Sealed, []byte(token)) || strings.Contains(row.Hash, begun.Value.Reveal()) || strings.Contains(row.String(), row.Hash) {
				t.Errorf("told: %s", row)
			}
			for _, tried := range []string{row.Hash, string(row.Sealed), token} {
				if _, err := callers.Authenticate(t.Context(), auth.Proof{Session: tried}); codex.CodeOf(err) != codex.CodeUnauthenticated {
					t.Errorf("%q as a cookie: %v", tried, err)
				}
			}
		}
		if _, err := callers.Authenticate(t.Context(), auth.Proof{Bearer: begun.Value.Reveal()}); codex.CodeOf(err) != codex.CodeUnauthenticated {
			t.Errorf("a cookie's value as a token: %v", err)
		}
		// One row's seal in another's place: somebody who writes in the database gets nobody's session.
		if bytes.Equal(rows[0].Sealed, rows[1].Sealed) {
			t.Error("two sessions of one token are sealed alike")
		}
		db.Ent().Session.Delete().ExecX(t.Context())
		for i, row := range rows {
			db.Ent().Session.Create().SetHash(row.Hash).SetSealed(rows[1-i].Sealed).SetCaller(row.Caller).
				SetCreatedAt(row.CreatedAt).SetExpiresAt(row.ExpiresAt).ExecX(t.Context())
		}
		for _, session := range []auth.Session{begun, another} {
			if caller, err := by(callers, session, t); err == nil {
				t.Errorf("a seal of another session opens: %+v", caller)
			}
		}
	})
}

func TestASessionOfATokenOfCoresEndsWithIt(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, _ *clock) {
		h := newHive(t, nil)
		byCore := auth.NewCoreTokens(auth.CoreOptions{Core: h.client, Issuer: simulator.CoreIssuer, CheckRevocation: true, Now: h.now})
		callers := auth.NewCallers(db, tokens, byCore, h.now)
		begun := signIn(t, callers, h.UserToken(simulator.CoreUser{Level: "billing"}))
		if want := h.now().Add(time.Hour); !begun.ExpiresAt.Equal(want) {
			t.Errorf("until %s, want %s", begun.ExpiresAt, want)
		}
		if caller, err := by(callers, begun, t); err != nil || caller.Name != "billing@msp.example" || caller.Role != codex.RoleBilling {
			t.Errorf("%+v, %v", caller, err)
		}
		h.EndCoreSessions()
		h.pass(31 * time.Second)
		if _, err := by(callers, begun, t); codex.CodeOf(err) != codex.CodeUnauthenticated {
			t.Errorf("after signing out at Core: %v", err)
		}
		for name, token := range map[string]string{
			"a service":  h.ServiceToken("ledger", "codex"),
			"a customer": h.UserToken(simulator.CoreUser{Level: "client"}),
		} {
			if _, err := callers.SignIn(t.Context(), token, netip.Addr{}); codex.CodeOf(err) != codex.CodeForbidden {
				t.Errorf("%s signs in: %v", name, err)
			}
		}
		if _, err := callers.SignIn(t.Context(), "codex_word", netip.Addr{}); codex.CodeOf(err) != codex.CodeUnauthenticated || told(err) != refused {
			t.Errorf("a stranger signs in: %v", err)
		}
	})
}

// Ledger takes what a person brings, and nothing that a service or a program has.
func TestThePersonsOwnTokenGoesAlongWithWhomItStandsFor(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, _ *clock) {
		h := newHive(t, nil)
		byCore := auth.NewCoreTokens(auth.CoreOptions{Core: h.client, Issuer: simulator.CoreIssuer, Now: h.now})
		callers := auth.NewCallers(db, tokens, byCore, h.now)
		person := h.UserToken(simulator.CoreUser{Level: "billing"})
		local := create(t, tokens, auth.NewToken{Name: "n", Role: codex.RoleAdmin}).Reveal()
		for name, tc := range map[string]struct {
			proof auth.Proof
			want  codex.Secret
		}{
			"a person":                       {auth.Proof{Bearer: person}, codex.Secret(person)},
			"a person's session":             {auth.Proof{Session: signIn(t, callers, person).Value.Reveal()}, codex.Secret(person)},
			"a service that Core speaks for": {auth.Proof{Bearer: h.ServiceToken("ledger", "codex")}, ""},
			"a local token":                  {auth.Proof{Bearer: local}, ""},
			"a local token's session":        {auth.Proof{Session: signIn(t, callers, local).Value.Reveal()}, ""},
		} {
			if known, err := callers.Authenticate(t.Context(), tc.proof); err != nil || known.Person != tc.want {
				t.Errorf("%s: %v, %v", name, known, err)
			}
		}
		if known, err := callers.Authenticate(t.Context(), auth.Proof{Bearer: person[:len(person)-4]}); err == nil || known != (auth.Known{}) {
			t.Errorf("a token that counts for nothing: %v, %v", known, err)
		}
	})
}
