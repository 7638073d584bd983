package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/session"
	"github.com/hivematrix/codex/store"
)

// longestSession is how long a session lasts where its token lasts longer.
const longestSession = 12 * time.Hour

// maxTokenBytes bounds a token of any kind. Core's have about one kilobyte.
const maxTokenBytes = 16 << 10

// sealKey names what the key is for that a token is sealed with.
const sealKey = "codex session v1"

// sessions keep a token for a browser, which gets a cookie in its place. A row has the hash of the
// cookie's value and the token, sealed with a key made of that value: it takes both to use a session,
// and what authenticates is the token, by the same rules as if it had been sent.
type sessions struct {
	db  *store.DB
	now func() time.Time
}

// begin keeps token for a new session, and forgets those that are over.
func (s *sessions) begin(ctx context.Context, token codex.Secret, who identity) (Session, error) {
	random := make([]byte, secretBytes)
	rand.Read(random) // never fails: the process ends where there is no randomness
	value := base64.RawURLEncoding.EncodeToString(random)
	sealed, err := seal(value, []byte(token.Reveal()))
	if err != nil {
		return Session{}, fmt.Errorf("sealing a session: %w", err)
	}
	now := store.UTC(s.now())
	ends := now.Add(longestSession)
	if who.ends != nil && who.ends.Before(ends) {
		ends = store.UTC(*who.ends)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Ent().Session.Delete().Where(session.ExpiresAtLTE(now)).Exec(ctx); err != nil {
			return err
		}
		return tx.Ent().Session.Create().SetHash(hash(value)).SetSealed(sealed).SetCaller(who.caller.Name).
			SetCreatedAt(now).SetExpiresAt(ends).Exec(ctx)
	})
	if err != nil {
		return Session{}, fmt.Errorf("beginning a session: %w", err)
	}
	return Session{Value: codex.Secret(value), Caller: who.caller, ExpiresAt: ends, Lasts: ends.Sub(now)}, nil
}

// open gives the token of the session that a cookie's value belongs to.
func (s *sessions) open(ctx context.Context, value string) (token string, err error) {
	over := codex.Errorf(codex.CodeUnauthenticated, "the session is over: sign in again")
	if !isSessionValue(value) {
		return "", over
	}
	found, err := s.db.Ent().Session.Query().Where(session.Hash(hash(value))).Only(ctx)
	if ent.IsNotFound(err) {
		return "", over
	}
	if err != nil {
		return "", store.Translate(fmt.Errorf("looking up a session: %w", err))
	}
	if !found.ExpiresAt.After(s.now()) {
		return "", over
	}
	opened, err := unseal(value, found.Sealed)
	if err != nil {
		return "", fmt.Errorf("opening the session %d: %w", found.ID, err)
	}
	return string(opened), nil
}

// end forgets a session.
func (s *sessions) end(ctx context.Context, value string) error {
	if !isSessionValue(value) {
		return nil
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Ent().Session.Delete().Where(session.Hash(hash(value))).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// isSessionValue spares the database what no cookie of ours holds.
func isSessionValue(value string) bool {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(value)
	return err == nil && len(decoded) == secretBytes
}

func seal(value string, plain []byte) ([]byte, error) {
	box, err := sealing(value)
	if err != nil {
		return nil, err
	}
	return box.Seal(nil, nil, plain, nil), nil
}

func unseal(value string, sealed []byte) ([]byte, error) {
	box, err := sealing(value)
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errors.New("its token cannot be unsealed")
	}
	return plain, nil
}

// sealing seals and opens with a key that the cookie's value alone gives. The row's hash gives no
// way to it: the value has 256 random bits, and hash and key are made in different ways.
func sealing(value string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(value), nil, sealKey, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
