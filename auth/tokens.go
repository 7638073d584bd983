package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/token"
	"github.com/hivematrix/codex/store"
)

const (
	maxNameLength = 100

	// useInterval is how often a token's last use is written at most: a dashboard that asks ten
	// times a second shall not write ten times a second.
	useInterval = time.Minute

	// useTimeout is how long writing a last use may wait for the database, behind a sync's
	// transaction for instance. Nobody waits for it.
	useTimeout = 10 * time.Second
)

// Tokens are the local tokens of a database. It is safe for concurrent use.
type Tokens struct {
	db  *store.DB
	now func() time.Time

	mu    sync.Mutex
	noted map[int]time.Time // when this process last wrote a token's use
	uses  sync.WaitGroup
}

// NewTokens are the tokens that db keeps.
func NewTokens(db *store.DB, now func() time.Time) *Tokens {
	return &Tokens{db: db, now: now, noted: map[int]time.Time{}}
}

// NewToken is what one says of a token to make it.
type NewToken struct {
	Name      string     // 1 to 100 letters, digits, ".", "_", "-"; unique for ever
	Role      codex.Role // one of [codex.TokenRoles]
	ExpiresAt *time.Time // nil is never
	CreatedBy string     // the caller's name, kept on the token
}

// Create makes a token and returns it: the one moment at which it is known. A name that is taken,
// by a revoked token too, is a [codex.CodeConflict] error.
func (t *Tokens) Create(ctx context.Context, wanted NewToken) (codex.Secret, *ent.Token, error) {
	now := store.UTC(t.now())
	if err := check(wanted, now); err != nil {
		return "", nil, err
	}
	secret := newSecret()
	var created *ent.Token
	err := t.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		taken, err := tx.Ent().Token.Query().Where(token.Name(wanted.Name)).Exist(ctx)
		if err != nil {
			return err
		}
		if taken {
			return nameTaken(wanted.Name)
		}
		create := tx.Ent().Token.Create().
			SetName(wanted.Name).
			SetRole(wanted.Role).
			SetHash(hash(secret.Reveal())).
			SetCreatedAt(now).
			SetCreatedBy(wanted.CreatedBy)
		if wanted.ExpiresAt != nil {
			create.SetExpiresAt(store.UTC(*wanted.ExpiresAt))
		}
		created, err = create.Save(ctx)
		return err
	})
	switch {
	case err == nil:
		return secret, created, nil
	case codex.CodeOf(err) == codex.CodeConflict: // also when somebody was faster
		return "", nil, nameTaken(wanted.Name)
	default:
		return "", nil, fmt.Errorf("creating the token %s: %w", wanted.Name, err)
	}
}

func check(wanted NewToken, now time.Time) error {
	if !validName(wanted.Name) {
		return codex.BadInput("name", "a token's name is 1 to %d letters, digits, dots, dashes or underscores", maxNameLength)
	}
	if _, err := codex.ParseRole(string(wanted.Role)); err != nil {
		return err
	}
	if wanted.ExpiresAt != nil && !store.UTC(*wanted.ExpiresAt).After(now) {
		return codex.BadInput("expiresAt", "a token cannot expire in the past")
	}
	return nil
}

func validName(name string) bool {
	if name == "" || len(name) > maxNameLength {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

func nameTaken(name string) error {
	return &codex.Error{
		Code:    codex.CodeConflict,
		Field:   "name",
		Message: fmt.Sprintf("there is a token named %s already; a revoked one keeps its name", name),
	}
}

// List is all tokens, revoked and expired ones too, by name.
func (t *Tokens) List(ctx context.Context) ([]*ent.Token, error) {
	tokens, err := t.db.Ent().Token.Query().All(ctx)
	if err != nil {
		return nil, store.Translate(fmt.Errorf("listing tokens: %w", err))
	}
	slices.SortFunc(tokens, func(a, b *ent.Token) int { return strings.Compare(a.Name, b.Name) })
	return tokens, nil
}

// Any tells whether there is any token, revoked and expired ones counted too.
func (t *Tokens) Any(ctx context.Context) (bool, error) {
	found, err := t.db.Ent().Token.Query().Exist(ctx)
	if err != nil {
		return false, store.Translate(fmt.Errorf("looking for a token: %w", err))
	}
	return found, nil
}

// Revoke makes the token of that name worthless, for good. Revoking it again changes nothing. An
// unknown name is a [codex.CodeNotFound] error.
func (t *Tokens) Revoke(ctx context.Context, name string) (*ent.Token, error) {
	var revoked *ent.Token
	err := t.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Ent().Token.Query().Where(token.Name(name)).Only(ctx)
		if ent.IsNotFound(err) {
			return &codex.Error{Code: codex.CodeNotFound, Field: "name", Message: fmt.Sprintf("there is no token named %q", name)}
		}
		if err != nil {
			return err
		}
		if found.RevokedAt != nil {
			revoked = found
			return nil
		}
		revoked, err = found.Update().SetRevokedAt(store.UTC(t.now())).Save(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revoking a token: %w", err)
	}
	return revoked, nil
}

// Authenticate is who holds the local token bearer. Whatever is wrong with it, the
// [codex.CodeUnauthenticated] error says the same, so that a stranger learns nothing; a database
// that does not answer is another error.
func (t *Tokens) Authenticate(ctx context.Context, bearer string) (codex.Caller, error) {
	who, err := t.identify(ctx, bearer)
	return who.caller, err
}

func (t *Tokens) identify(ctx context.Context, bearer string) (identity, error) {
	if !looksLikeToken(bearer) {
		return identity{}, refuse(errors.New("it has not the form of a local token"))
	}
	wanted := hash(bearer)
	found, err := t.db.Ent().Token.Query().Where(token.Hash(wanted)).Only(ctx)
	if ent.IsNotFound(err) {
		return identity{}, refuse(errors.New("there is no such local token"))
	}
	if err != nil {
		return identity{}, store.Translate(fmt.Errorf("looking up a token: %w", err))
	}
	now := store.UTC(t.now())
	// The index compared hashes already; how long that took says nothing of the token behind one.
	same := subtle.ConstantTimeCompare([]byte(found.Hash), []byte(wanted)) == 1
	expired := found.ExpiresAt != nil && !found.ExpiresAt.After(now)
	if !same || expired || found.RevokedAt != nil {
		return identity{}, refuse(fmt.Errorf("the local token %s is expired or revoked", found.Name))
	}
	t.noteUse(ctx, found, now)
	return identity{caller: codex.Caller{Name: found.Name, Role: found.Role}, ends: found.ExpiresAt}, nil
}

// noteUse has the time of this use written, once a minute at most, while the request goes on.
func (t *Tokens) noteUse(ctx context.Context, used *ent.Token, now time.Time) {
	if used.LastUsedAt != nil && now.Sub(*used.LastUsedAt) < useInterval {
		return
	}
	t.mu.Lock()
	last, tried := t.noted[used.ID]
	due := !tried || now.Sub(last) >= useInterval
	if due {
		t.noted[used.ID] = now
	}
	t.mu.Unlock()
	if !due {
		return
	}
	t.uses.Go(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), useTimeout, errors.New("noting a token's use"))
		defer cancel()
		// An error is let go: the request was answered, its own statements tell of a database in
		// trouble, and the next use after a minute writes again.
		_ = t.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent().Token.Update().
				Where(token.ID(used.ID), token.Or(token.LastUsedAtIsNil(), token.LastUsedAtLT(now))).
				SetLastUsedAt(now).Exec(ctx)
		})
	})
}

// Wait returns when the last uses that are being written are written: call it after the last
// request, before the database is closed.
func (t *Tokens) Wait() { t.uses.Wait() }
