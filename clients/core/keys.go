package core

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/hivematrix/codex/clients/transport"
)

// SigningKey is a key that Core signs tokens with, by RS256.
type SigningKey struct {
	ID     string // the kid of the tokens that it signed; Core gives the same one to the next key
	Public *rsa.PublicKey
}

// leastBits is what RFC 7518, section 3.3, asks of a key for RS256; mostBits bounds what checking a
// signature costs.
const (
	leastBits = 2048
	mostBits  = 8192
)

// Keys are the keys that Core's tokens are signed with now, in the order of its key set. What the set
// holds besides (keys for other uses, other algorithms, keys that cannot be read) is left out; a set
// without any key for tokens is an error.
func (c *Client) Keys(ctx context.Context) ([]SigningKey, error) {
	var keys []SigningKey
	_, err := c.api.Do(ctx, transport.Request{
		Path: "/.well-known/jwks.json", Tries: 1, // whoever waits can ask again
		Check: func(body []byte) (err error) {
			keys, err = readKeys(body)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("reading Core's signing keys: %w", err)
	}
	return keys, nil
}

// readKeys takes the usable keys out of a key set (RFC 7517, section 5).
func readKeys(body []byte) ([]SigningKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("no key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New(`no list "keys"`)
	}
	var keys []SigningKey
	for _, text := range set.Keys {
		if key, usable := readKey(text); usable {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil, errors.New("there is no key for RS256")
	}
	return keys, nil
}

func readKey(text []byte) (SigningKey, bool) {
	var key jose.JSONWebKey
	if key.UnmarshalJSON(text) != nil {
		return SigningKey{}, false
	}
	public, isPublic := key.Key.(*rsa.PublicKey)
	if !isPublic || key.KeyID == "" || key.Use != "" && key.Use != "sig" ||
		key.Algorithm != "" && key.Algorithm != string(jose.RS256) {
		return SigningKey{}, false
	}
	bits := public.N.BitLen()
	if bits < leastBits || bits > mostBits || public.N.Bit(0) == 0 || public.E < 3 || public.E%2 == 0 {
		return SigningKey{}, false
	}
	return SigningKey{ID: key.KeyID, Public: public}, true
}
