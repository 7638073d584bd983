package codex

import (
	"encoding"
	"fmt"
	"log/slog"
)

// Secret is a text that prints as *** however it is formatted, encoded or logged. Reveal is the
// only way to it, so that every use can be found.
type Secret string

const masked = "***"

var (
	_ fmt.Stringer           = Secret("")
	_ fmt.GoStringer         = Secret("")
	_ slog.LogValuer         = Secret("")
	_ encoding.TextMarshaler = Secret("")
)

// Reveal is the text itself, to be handed to what authenticates with it.
func (s Secret) Reveal() string { return string(s) }

// String is ***, or empty for an empty secret, which hides nothing.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString keeps %#v from telling.
func (s Secret) GoString() string { return `codex.Secret("` + s.String() + `")` }

// LogValue keeps slog from telling.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from telling.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
