package proof

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// members are the members of a JSON object by name, their values already written.
//
// The form is RFC 8785 (JSON Canonicalization Scheme). It is written here and not by encoding/json,
// whose choice of escapes is its own and has changed between Go releases: these bytes are hashed,
// and must stay what they are for as long as a bill may be disputed.
type members map[string]string

// jsonNull is what a value that is not there is written as: no member is ever left out.
const jsonNull = "null"

// object writes m without white space, its names in order. They are ASCII, where the order of UTF-16
// units that RFC 8785 wants is the order of bytes.
func object(m members) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(name))
		b.WriteByte(':')
		b.WriteString(m[name])
	}
	b.WriteByte('}')
	return b.String()
}

// array writes texts as a JSON array of strings, in their own order.
func array[T ~string](texts []T) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(string(text))
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func quoteOrNull(text *string) string {
	if text == nil {
		return jsonNull
	}
	return quote(*text)
}

func integer(n int64) string { return strconv.FormatInt(n, 10) }

const hexDigits = "0123456789abcdef"

// quote writes text, which is valid UTF-8, as RFC 8785 has it: two-character escapes where JSON has
// them, \u00xx for the other control characters, and everything else as it is.
func quote(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ':
			b.WriteString(`\u00`)
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&0xf])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// instantLayout is RFC 3339 in UTC with the six decimals that both databases keep.
const instantLayout = "2006-01-02T15:04:05.000000Z"

func instant(t time.Time) string { return quote(t.UTC().Format(instantLayout)) }
