package proof

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"github.com/hivematrix/codex"
)

// CheckOrigin says whether a log may be called origin: a short text that stands for this one log for
// ever, best a URL without scheme, like codex.example.com/archive. It has no white space, no control
// character and no plus (signed notes split their keys there), and does not end like an epoch's.
// The error is a *codex.Error.
func CheckOrigin(origin string) error {
	outside := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' }
	switch {
	case origin == "":
		return codex.BadInput("log_origin", "a log has a name")
	case !utf8.ValidString(origin) || strings.IndexFunc(origin, outside) >= 0:
		return codex.BadInput("log_origin", "no white space, control character or + may be in it")
	case endsInEpoch(origin):
		return codex.BadInput("log_origin", "it must not end in /epoch- and digits: epochs are called so")
	}
	return nil
}

// VerifierKey is what a log's checkpoints are verified with: its origin and its public key. The zero
// value is no key and verifies nothing.
type VerifierKey struct {
	origin string
	public [ed25519.PublicKeySize]byte
}

// ParseVerifierKey takes the key as String gives it, which is the form of C2SP signed-note:
//
//	<origin>+<key hash, 8 hexadecimal digits>+<base64 of a byte 1 and the Ed25519 public key>
//
// The error is a *codex.Error.
func ParseVerifierKey(text string) (VerifierKey, error) {
	refused := codex.BadInput("verifier_key", "it is not the verifier key of a log: <origin>+<hash>+<key>")
	if _, err := note.NewVerifier(text); err != nil {
		refused.Err = err
		return VerifierKey{}, refused
	}
	origin, rest, _ := strings.Cut(text, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return VerifierKey{}, refused
	}
	if err := CheckOrigin(origin); err != nil {
		return VerifierKey{}, err
	}
	key := VerifierKey{origin: origin, public: [ed25519.PublicKeySize]byte(raw[1:])}
	if key.String() != text {
		return VerifierKey{}, refused
	}
	return key, nil
}

// Origin is the log's, without an epoch.
func (k VerifierKey) Origin() string { return k.origin }

// String is the key as others' tools read it, for the checkpoints of the first epoch.
func (k VerifierKey) String() string { return k.ForEpoch(1) }

// ForEpoch is the key as others' tools read it, for the checkpoints of that epoch: to them each
// epoch is a log of its own, with a name of its own and the same public key.
func (k VerifierKey) ForEpoch(epoch int) string {
	if k.origin == "" {
		return ""
	}
	// It fails only on keys of another length.
	text, _ := note.NewEd25519VerifierKey(originLine(k.origin, epoch), k.public[:])
	return text
}

func (k VerifierKey) verifier(epoch int) (note.Verifier, error) {
	return note.NewVerifier(k.ForEpoch(epoch))
}

// SigningKey signs a log's checkpoints. However it is printed, the private key is not in it.
type SigningKey struct {
	verifier VerifierKey
	sign     func(message []byte) []byte // holds the private key, where no formatter looks
}

// GenerateKey makes the key of a new log, from random, which is crypto/rand.Reader but in tests. The
// secret is what goes into the key file, one line; the other half is for everybody. The error is a
// *codex.Error where the origin is none.
func GenerateKey(random io.Reader, origin string) (codex.Secret, VerifierKey, error) {
	if err := CheckOrigin(origin); err != nil {
		return "", VerifierKey{}, err
	}
	private, public, err := note.GenerateKey(random, origin)
	if err != nil {
		return "", VerifierKey{}, fmt.Errorf("generate the key of a log: %w", err)
	}
	key, err := ParseVerifierKey(public)
	if err != nil {
		return "", VerifierKey{}, fmt.Errorf("read the key that was generated: %w", err)
	}
	return codex.Secret(private), key, nil
}

// ParseSigningKey takes the content of a key file, which is one line in the form of Go's
// golang.org/x/mod/sumdb/note:
//
//	PRIVATE+KEY+<origin>+<key hash, 8 hexadecimal digits>+<base64 of a byte 1 and the Ed25519 seed>
//
// The error, a *codex.Error, holds nothing of it.
func ParseSigningKey(secret codex.Secret) (*SigningKey, error) {
	text := strings.TrimSuffix(secret.Reveal(), "\n")
	refused := codex.BadInput("key_file", "it is not the key of a log: PRIVATE+KEY+<origin>+<hash>+<key>")
	if _, err := note.NewSigner(text); err != nil {
		refused.Err = err // one of note's own sentences, without the text
		return nil, refused
	}
	parts := strings.SplitN(text, "+", 5) // PRIVATE, KEY, origin, hash, key: NewSigner saw to it
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, refused
	}
	if err := CheckOrigin(parts[2]); err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(raw[1:])
	verifier := VerifierKey{origin: parts[2], public: [ed25519.PublicKeySize]byte(private[ed25519.SeedSize:])}
	named := strings.HasPrefix(verifier.String(), parts[2]+"+"+parts[3]+"+")
	if !named || base64.StdEncoding.EncodeToString(raw) != parts[4] {
		return nil, refused // NewSigner takes the hash in capitals, and line feeds in the key
	}
	return &SigningKey{
		verifier: verifier,
		sign:     func(message []byte) []byte { return ed25519.Sign(private, message) },
	}, nil
}

// VerifierKey is the half for everybody.
func (k *SigningKey) VerifierKey() VerifierKey { return k.verifier }

// String is the key for everybody, however the other one is asked for.
func (k *SigningKey) String() string { return k.verifier.String() }

// epochSigner signs the checkpoints of one epoch.
type epochSigner struct {
	note.Verifier // its name and hash
	sign          func(message []byte) []byte
}

func (s epochSigner) Sign(message []byte) ([]byte, error) { return s.sign(message), nil }
