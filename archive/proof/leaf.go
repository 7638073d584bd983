package proof

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
)

// Kind is the first line of a leaf: what it is, and the version of its fields.
type Kind string

// The kinds. Their fields are sealed: a new or changed field is a new version, beside the old one,
// which is read for ever.
const (
	KindBill      Kind = "codex-bill/v1"      // [Bill]
	KindReopening Kind = "codex-reopen/v1"    // [Reopening]
	KindClosing   Kind = "codex-close/v1"     // [Closing]
	KindRedaction Kind = "codex-redaction/v1" // [Redaction]
	KindNewEpoch  Kind = "codex-epoch/v1"     // [NewEpoch]
)

// MaxLeafBytes bounds a leaf: it is read whole, and holds no document (those are committed to).
const MaxLeafBytes = 1 << 16

// maxInteger is the greatest integer that every JSON reader takes exactly.
const maxInteger = 1<<53 - 1

// Leaf is one entry of the log: a [Bill], [Reopening], [Closing], [Redaction] or [NewEpoch].
type Leaf interface {
	// Kind is the first line of the leaf.
	Kind() Kind
	// members are the fields, written, or a *codex.Error that names the one that cannot be.
	members() (members, error)
}

// EncodeLeaf gives the bytes that are hashed into the log, or a *codex.Error with
// [codex.CodeBadInput] that names the field which has no place in a leaf.
func EncodeLeaf(leaf Leaf) ([]byte, error) {
	fields, err := leaf.members()
	if err != nil {
		return nil, err
	}
	text := string(leaf.Kind()) + "\n" + object(fields) + "\n"
	if len(text) > MaxLeafBytes {
		return nil, codex.BadInput("leaf", "its texts are too long together: %d bytes, of at most %d", len(text), MaxLeafBytes)
	}
	return []byte(text), nil
}

// DecodeLeaf reads a leaf. Bytes that [EncodeLeaf] would not give back are refused, so that no two
// texts say the same; the error is an [*Error] of [PartLeaf].
func DecodeLeaf(text []byte) (Leaf, error) {
	if len(text) > MaxLeafBytes {
		return nil, fail(PartLeaf, "a leaf has at most %d bytes", MaxLeafBytes)
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	leaf, err := decodeFields(Kind(first), rest)
	if err != nil {
		return nil, err
	}
	again, err := EncodeLeaf(leaf)
	if err != nil {
		return nil, &Error{Part: PartLeaf, Message: "a field has no such value", Err: err}
	}
	if !bytes.Equal(again, text) {
		return nil, fail(PartLeaf, "it is not in canonical form")
	}
	return leaf, nil
}

func decodeFields(kind Kind, line string) (Leaf, error) {
	switch kind {
	case KindBill:
		return decodeAs[billFields](line)
	case KindReopening:
		return decodeAs[reopeningFields](line)
	case KindClosing:
		return decodeAs[closingFields](line)
	case KindRedaction:
		return decodeAs[redactionFields](line)
	case KindNewEpoch:
		return decodeAs[newEpochFields](line)
	}
	return nil, fail(PartLeaf, "its first line is no kind of leaf known here")
}

// decodeAs reads line as the fields F. encoding/json is lax (other case, keys twice, keys left out):
// comparing what the leaf encodes to, as DecodeLeaf does, is what makes the reading strict.
func decodeAs[F interface{ leaf() (Leaf, error) }](line string) (Leaf, error) {
	var fields F
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return nil, &Error{Part: PartLeaf, Message: "its second line is not its fields", Err: err}
	}
	leaf, err := fields.leaf()
	if err != nil {
		return nil, &Error{Part: PartLeaf, Message: "a field cannot be read", Err: err}
	}
	return leaf, nil
}

// checks collects the first thing that is wrong with the fields of a leaf.
type checks struct{ err *codex.Error }

func (c *checks) that(ok bool, field, message string) {
	if !ok && c.err == nil {
		c.err = codex.BadInput(field, "%s", message)
	}
}

func (c *checks) text(field, text string) {
	c.that(utf8.ValidString(text), field, "it is not UTF-8")
}

func (c *checks) textOrNull(field string, text *string) {
	if text != nil {
		c.text(field, *text)
	}
}

func (c *checks) filled(field, text string) {
	c.that(text != "", field, "it is empty")
	c.text(field, text)
}

func (c *checks) atLeast(least int64, field string, n int64) {
	c.that(least <= n && n <= maxInteger, field, "it is out of range")
}

func (c *checks) integer(field string, n int64) {
	c.that(-maxInteger <= n && n <= maxInteger, field, "it is out of range")
}

// instant refuses what would be cut off unsaid: the caller decides how a time is rounded, once, for
// its rows and for the leaf.
func (c *checks) instant(field string, t time.Time) {
	c.that(inFourDigits(t), field, "its year is out of range")
	c.that(t.Nanosecond()%int(time.Microsecond) == 0, field, "it is finer than a microsecond")
}

func (c *checks) day(field string, day codex.Day) {
	c.that(inFourDigits(day.Start()), field, "its year is out of range")
}

func inFourDigits(t time.Time) bool { return 1 <= t.UTC().Year() && t.UTC().Year() <= 9999 }

func (c *checks) result(m members) (members, error) {
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}
