package syncers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/hivematrix/codex/clients/transport"
)

// keyRefused tells that the upstream takes no call of ours any more: the key is wrong, or we are
// blocked. A 403 alone is about the one thing that was asked for: the key lacks a right to it.
func keyRefused(err error) bool {
	return transport.IsUnauthorized(err) && !forbidden(err) || errors.Is(err, transport.ErrBlocked)
}

// hidden tells that the upstream knows nothing of what was asked for, or does not show it to us.
func hidden(err error) bool { return transport.IsNotFound(err) || forbidden(err) }

func forbidden(err error) bool {
	return transport.StatusOf(err) == http.StatusForbidden && !errors.Is(err, transport.ErrBlocked)
}

// maxKey is how long a key from an upstream may be, in bytes. Real ones have some tens; beyond some
// 2,700 PostgreSQL takes none into an index, and one such record would fail a whole run.
const maxKey = 200

func tooLong(key string) bool { return len(key) > maxKey }

// boundedKey is key, or where that is too long its beginning and its SHA-256.
func boundedKey(key string) string {
	if !tooLong(key) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToValidUTF8(key[:maxKey/2], "") + "…" + hex.EncodeToString(sum[:])
}
