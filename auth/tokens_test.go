package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent/token"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock {
	return &clock{at: time.Date(2025, time.October, 20, 9, 0, 0, 123456789, time.FixedZone("UTC-4", -4*3600))}
}

// each runs a test on both databases, with tokens that are waited for before the database closes.
func each(t *testing.T, fn func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newClock()
		tokens := auth.NewTokens(db, c.now)
		t.Cleanup(tokens.Wait)
		fn(t, db, tokens, c)
	})
}

func create(t *testing.T, tokens *auth.Tokens, wanted auth.NewToken) codex.Secret {
	t.Helper()
	secret, _, err := tokens.Create(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// told is what the caller hears of an error; the cause is for the log.
func told(err error) string {
	var coded *codex.Error
	if !errors.As(err, &coded) {
		return ""
	}
	return coded.Message
}

func TestATokenAuthenticatesAsWhatItWasMadeFor(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock) {
		for _, role := range codex.TokenRoles() {
			name := "for." + string(role) + "_1-A"
			secret, made, err := tokens.Create(t.Context(), auth.NewToken{Name: name, Role: role, CreatedBy: "boss"})
			if err != nil {
				t.Fatal(err)
			}
			if form := regexp.MustCompile(`^codex_[A-Za-z0-9_-]{43}$`); !form.MatchString(secret.Reveal()) {
				t.Errorf("a token reads %q", secret.Reveal())
			}
			if want := time.Date(2025, time.October, 20, 13, 0, 0, 123456000, time.UTC); !made.CreatedAt.Equal(want) || made.CreatedBy != "boss" {
				t.Errorf("made at %v by %q", made.CreatedAt, made.CreatedBy)
			}
			caller, err := tokens.Authenticate(t.Context(), secret.Reveal())
			if err != nil || caller != (codex.Caller{Name: name, Role: role}) {
				t.Errorf("Authenticate = %+v, %v", caller, err)
			}
		}
		rows, err := db.Ent().Token.Query().All(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(row.Hash) {
				t.Errorf("the database keeps %q", row.Hash)
			}
		}
	})
}

func TestWhateverIsWrongWithATokenTheAnswerIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, c *clock) {
		soon := c.at.Add(time.Hour)
		good := create(t, tokens, auth.NewToken{Name: "good", Role: codex.RoleAdmin}).Reveal()
		revoked := create(t, tokens, auth.NewToken{Name: "revoked", Role: codex.RoleAdmin}).Reveal()
		expired := create(t, tokens, auth.NewToken{Name: "expired", Role: codex.RoleAdmin, ExpiresAt: &soon}).Reveal()
		if _, err := tokens.Authenticate(t.Context(), expired); err != nil {
			t.Errorf("before its expiry: %v", err)
		}
		if _, err := tokens.Revoke(t.Context(), "revoked"); err != nil {
			t.Fatal(err)
		}
		c.at = soon // the moment of expiry is not before it
		hash := db.Ent().Token.Query().Where(token.Name("good")).OnlyX(t.Context()).Hash
		for name, bearer := range map[string]string{
			"nothing":                        "",
			"a word":                         "secret",
			"the prefix alone":               "codex_",
			"the hash":                       hash,
			"the hash as a token":            "codex_" + hash,
			"one that nobody made":           "codex_" + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
			"one without its last letter":    good[:len(good)-1],
			"one with a letter more":         good + "A",
			"one in capitals":                strings.ToUpper(good),
			"one with a space":               good + " ",
			"one with a line end inside":     good[:20] + "\n" + good[20:],
			"a NUL":                          "codex_\x00",
			"not UTF-8":                      "codex_\xff",
			"an expired one":                 expired,
			"a revoked one":                  revoked,
			"a JSON web token of a stranger": "eyJhbGciOiJub25lIn0.e30.",
		} {
			caller, err := tokens.Authenticate(t.Context(), bearer)
			if got, want := codex.CodeOf(err), codex.CodeUnauthenticated; got != want || caller != (codex.Caller{}) {
				t.Errorf("%s: %+v, %v", name, caller, err)
			} else if got, want := told(err), "the token is unknown, expired or revoked"; got != want {
				t.Errorf("%s is told apart: %q", name, got)
			}
		}
		if _, err := tokens.Authenticate(t.Context(), good); err != nil {
			t.Errorf("the good one: %v", err)
		}
	})
}

func TestATokenIsRefusedThatCannotBeGood(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, tokens *auth.Tokens, c *clock) {
		past := c.at
		create(t, tokens, auth.NewToken{Name: "taken", Role: codex.RoleService})
		create(t, tokens, auth.NewToken{Name: "gone", Role: codex.RoleService})
		if _, err := tokens.Revoke(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name  string
			token auth.NewToken
			code  codex.Code
			field string
		}{
			{"no name", auth.NewToken{Role: codex.RoleAdmin}, codex.CodeBadInput, "name"},
			{"a name with a space", auth.NewToken{Name: "a b", Role: codex.RoleAdmin}, codex.CodeBadInput, "name"},
			{"a name with a letter beyond ASCII", auth.NewToken{Name: "é", Role: codex.RoleAdmin}, codex.CodeBadInput, "name"},
			{"a name of 101 letters", auth.NewToken{Name: strings.Repeat("n", 101), Role: codex.RoleAdmin}, codex.CodeBadInput, "name"},
			{"a name that is taken", auth.NewToken{Name: "taken", Role: codex.RoleAdmin}, codex.CodeConflict, "name"},
			{"the name of a revoked one", auth.NewToken{Name: "gone", Role: codex.RoleAdmin}, codex.CodeConflict, "name"},
			{"no role", auth.NewToken{Name: "n"}, codex.CodeBadInput, "role"},
			{"a customer", auth.NewToken{Name: "n", Role: codex.RoleClient}, codex.CodeBadInput, "role"},
			{"an expiry that is now", auth.NewToken{Name: "n", Role: codex.RoleAdmin, ExpiresAt: &past}, codex.CodeBadInput, "expiresAt"},
		} {
			_, _, err := tokens.Create(t.Context(), tc.token)
			var coded *codex.Error
			if !errors.As(err, &coded) || coded.Code != tc.code || coded.Field != tc.field {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		create(t, tokens, auth.NewToken{Name: strings.Repeat("n", 100), Role: codex.RoleAdmin})
	})
}

func TestOfTwoWhoWantOneNameOneGetsIt(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, tokens *auth.Tokens, _ *clock) {
		const callers = 4
		errs := make([]error, callers)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, _, errs[i] = tokens.Create(context.WithoutCancel(t.Context()), auth.NewToken{Name: "one", Role: codex.RoleAdmin})
			})
		}
		all.Wait()
		made := 0
		for _, err := range errs {
			switch codex.CodeOf(err) {
			case "":
				made++
			case codex.CodeConflict:
			default:
				t.Errorf("unexpected: %v", err)
			}
		}
		if made != 1 {
			t.Errorf("%d tokens of one name", made)
		}
	})
}

func TestRevokingIsForGoodAndListedForEver(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, tokens *auth.Tokens, c *clock) {
		if found, err := tokens.Any(t.Context()); found || err != nil {
			t.Errorf("Any of a new database = %v, %v", found, err)
		}
		for _, name := range []string{"b", "a", "B"} {
			create(t, tokens, auth.NewToken{Name: name, Role: codex.RoleService})
		}
		first, err := tokens.Revoke(t.Context(), "a")
		if err != nil || first.RevokedAt == nil {
			t.Fatalf("Revoke = %+v, %v", first, err)
		}
		c.at = c.at.Add(time.Hour)
		again, err := tokens.Revoke(t.Context(), "a")
		if err != nil || !again.RevokedAt.Equal(*first.RevokedAt) {
			t.Errorf("revoked again: %+v, %v", again, err)
		}
		if _, err := tokens.Revoke(t.Context(), "none"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("revoking an unknown one: %v", err)
		}
		listed, err := tokens.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, one := range listed {
			names = append(names, one.Name)
		}
		if got := strings.Join(names, " "); got != "B a b" {
			t.Errorf("List = %s", got)
		}
		if found, err := tokens.Any(t.Context()); !found || err != nil {
			t.Errorf("Any = %v, %v", found, err)
		}
	})
}

func TestTheLastUseIsWrittenOnceAMinute(t *testing.T) {
	var mu sync.Mutex
	updates := 0
	count := func(query string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(query, "UPDATE") {
			updates++
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newClock()
		tokens := auth.NewTokens(db, c.now)
		secret := create(t, tokens, auth.NewToken{Name: "busy", Role: codex.RoleService}).Reveal()
		updates = 0
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {0, 1}, {30 * time.Second, 1}, {29 * time.Second, 1}, {time.Second, 2}, {59 * time.Second, 2}, {time.Hour, 3}} {
			c.at = c.at.Add(step.after)
			if _, err := tokens.Authenticate(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			tokens.Wait()
			if updates != step.want {
				t.Errorf("after %v: %d updates, want %d", step.after, updates, step.want)
			}
		}
		if used := db.Ent().Token.Query().OnlyX(t.Context()).LastUsedAt; used == nil || !used.Equal(store.UTC(c.at)) {
			t.Errorf("last used at %v, want %v", used, c.at)
		}
		// Another process has nothing in its memory, but sees the row.
		if _, err := auth.NewTokens(db, c.now).Authenticate(t.Context(), secret); err != nil || updates != 3 {
			t.Errorf("in another process: %v, %d updates", err, updates)
		}
	}, storetest.OnStatement(count))
}

func TestARequestDoesNotWaitForItsUseToBeWritten(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, tokens *auth.Tokens, _ *clock) {
		secret := create(t, tokens, auth.NewToken{Name: "n", Role: codex.RoleService}).Reveal()
		long := time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)
		held, release := make(chan struct{}), make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			err := db.Write(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
				err := tx.Ent().Token.Update().SetLastUsedAt(long).Exec(ctx)
				close(held)
				<-release
				return err
			})
			if err != nil {
				t.Errorf("the writer in the way: %v", err)
			}
		})
		<-held
		caller, err := tokens.Authenticate(t.Context(), secret)
		if err != nil || caller.Name != "n" {
			t.Errorf("while the database is locked: %+v, %v", caller, err)
		}
		close(release)
		writer.Wait()
		tokens.Wait()
		if used := db.Ent().Token.Query().OnlyX(t.Context()).LastUsedAt; used == nil || used.Equal(long) {
			t.Error("the use was not written once it could be")
		}
	})
}

func TestADatabaseThatDoesNotAnswerIsNoBadToken(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, tokens *auth.Tokens, _ *clock) {
		secret := create(t, tokens, auth.NewToken{Name: "n", Role: codex.RoleService}).Reveal()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := tokens.Authenticate(ctx, secret); err == nil || codex.CodeOf(err) == codex.CodeUnauthenticated {
			t.Errorf("Authenticate = %v", err)
		}
	})
}

func TestAMadeTokenNeverPrints(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, tokens *auth.Tokens, _ *clock) {
		secret, made, err := tokens.Create(t.Context(), auth.NewToken{Name: "n", Role: codex.RoleService})
		if err != nil {
			t.Fatal(err)
		}
		for _, printed := range []string{secret.String(), made.String()} {
			if strings.Contains(printed, secret.Reveal()) || strings.Contains(printed, made.Hash) {
				t.Errorf("told: %s", printed)
			}
		}
	})
}
