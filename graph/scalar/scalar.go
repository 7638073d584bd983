package scalar

import (
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
)

// InputError is a literal or variable that is no value of its scalar. Its text is for the caller.
type InputError string

// Error implements error.
func (e InputError) Error() string { return string(e) }

// The errors, one a scalar.
const (
	notTime  InputError = "a Time is in RFC 3339, such as 2025-10-31T23:59:59Z"
	notDate  InputError = "a Date is YYYY-MM-DD, such as 2025-10-31"
	notBytes InputError = "Bytes are a string of digits"
	notIntID InputError = "this id is a string of digits"
)

// MarshalTime writes t in RFC 3339, in UTC, with as many decimals as it has.
func MarshalTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		write(w, strconv.Quote(t.UTC().Format(time.RFC3339Nano)))
	})
}

// UnmarshalTime takes a string in RFC 3339, with any offset.
func UnmarshalTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, notTime
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, notTime
	}
	return t.UTC(), nil
}

// MarshalDate writes d as YYYY-MM-DD.
func MarshalDate(d codex.Day) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { write(w, strconv.Quote(d.String())) })
}

// UnmarshalDate takes a string YYYY-MM-DD.
func UnmarshalDate(v any) (codex.Day, error) {
	text, ok := v.(string)
	if !ok {
		return 0, notDate
	}
	d, err := codex.ParseDay(text)
	if err != nil {
		return 0, notDate
	}
	return d, nil
}

// MarshalBytes writes b as a string of digits.
func MarshalBytes(b codex.Bytes) graphql.Marshaler { return MarshalInt64ID(int64(b)) }

// UnmarshalBytes takes a string of digits, or an integer.
func UnmarshalBytes(v any) (codex.Bytes, error) {
	n, err := UnmarshalInt64ID(v)
	if err != nil || n < 0 {
		return 0, notBytes
	}
	return codex.Bytes(n), nil
}

// MarshalInt64ID writes an integer id as a string of digits.
func MarshalInt64ID(id int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		write(w, `"`+strconv.FormatInt(id, 10)+`"`)
	})
}

// UnmarshalInt64ID takes a string of digits, or an integer.
func UnmarshalInt64ID(v any) (int64, error) {
	if text, ok := v.(string); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, notIntID
		}
		return n, nil
	}
	if n, ok := integer(v); ok {
		return n, nil
	}
	return 0, notIntID
}

// MarshalIntID writes an integer id as a string of digits.
func MarshalIntID(id int) graphql.Marshaler { return MarshalInt64ID(int64(id)) }

// UnmarshalIntID takes a string of digits, or an integer.
func UnmarshalIntID(v any) (int, error) {
	n, err := UnmarshalInt64ID(v)
	return int(n), err
}

// write leaves a failed write to the transport, which writes to a buffer that cannot fail.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
