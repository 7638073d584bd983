package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

// Committed names a content of a bill that its leaf commits to without holding it, so that it can be
// shown to whom it concerns, and erased where a law says so.
type Committed string

// The contents.
const (
	BillingData Committed = "billing_data" // the document that the bill was made from, JSON as sent
	Body        Committed = "body"         // the request, or the answer it was fetched in, as it came
	CSV         Committed = "csv"          // the invoice as CSV, as sent
	LineItems   Committed = "line_items"   // the lines, as EncodeLines has them
	Notes       Committed = "notes"        // the notes, where there are any
)

// Contents are all that a leaf may commit to, in order.
func Contents() []Committed { return []Committed{BillingData, Body, CSV, LineItems, Notes} }

func isCommitted(name Committed) bool { return slices.Contains(Contents(), name) }

// commitmentKind is the first line of what is hashed.
const commitmentKind = "codex-commitment/v1"

// Salt keeps a commitment from being guessed: without it a short content could be found by trying.
// Each content of each bill has its own. It is shown with the content, and erased with it.
type Salt [32]byte

// NewSalt reads a salt from random, which is crypto/rand.Reader but in tests.
func NewSalt(random io.Reader) (Salt, error) {
	var salt Salt
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return Salt{}, fmt.Errorf("read random bytes for a salt: %w", err)
	}
	return salt, nil
}

// String is the salt in 64 lower-case hexadecimal digits, as it is hashed and shown.
func (s Salt) String() string { return hex.EncodeToString(s[:]) }

// ParseSalt takes back what [Salt.String] gives, and refuses every other text.
func ParseSalt(text string) (Salt, error) {
	bytes, err := parseHex(text)
	return Salt(bytes), err
}

// Digest is a SHA-256 in a leaf: a commitment.
type Digest [sha256.Size]byte

// String is the digest in 64 lower-case hexadecimal digits, as sha256sum prints it.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

func parseDigest(text string) (Digest, error) {
	bytes, err := parseHex(text)
	return Digest(bytes), err
}

func parseHex(text string) ([32]byte, error) {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != 32 || hex.EncodeToString(bytes) != text {
		return [32]byte{}, fmt.Errorf("64 lower-case hexadecimal digits were expected")
	}
	return [32]byte(bytes), nil
}

// Commit is the commitment to content under salt: the SHA-256 of the line codex-commitment/v1, the
// line name, the line of the salt, and then the content to its last byte. The name is in it so that
// no content can be shown in the place of another.
func Commit(name Committed, salt Salt, content []byte) Digest {
	hash := sha256.New()
	// A hash.Hash never returns an error.
	_, _ = fmt.Fprintf(hash, "%s\n%s\n%s\n", commitmentKind, name, salt)
	_, _ = hash.Write(content)
	return Digest(hash.Sum(nil))
}
