package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/hivematrix/codex"
)

// A token reads codex_ and 32 random bytes in base64url without padding. The prefix lets secret
// scanners, and Authenticate, tell one from anything else.
const (
	secretPrefix = "codex_"
	secretBytes  = 32
)

// newSecret draws a token. [rand.Read] never fails: the process ends where there is no randomness.
func newSecret() codex.Secret {
	random := make([]byte, secretBytes)
	rand.Read(random)
	return codex.Secret(secretPrefix + base64.RawURLEncoding.EncodeToString(random))
}

// looksLikeToken tells whether text has a token's form. What has not is refused without asking the
// database.
func looksLikeToken(text string) bool {
	encoded, found := strings.CutPrefix(text, secretPrefix)
	if !found {
		return false
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	return err == nil && len(decoded) == secretBytes
}

// hash is what the database keeps of a token.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
