package scalar

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
)

// The errors of the schema language's own scalars.
const (
	notInt     InputError = "an Int is a whole number of 32 bits"
	notString  InputError = "a String is text in quotation marks"
	notBoolean InputError = "a Boolean is true or false"
	notID      InputError = "an ID is a string or a whole number"
)

// MarshalInt writes a number.
func MarshalInt(n int) graphql.Marshaler { return graphql.MarshalInt(n) }

// UnmarshalInt takes a whole number of 32 bits, written without fraction or exponent.
func UnmarshalInt(v any) (int, error) {
	n, err := UnmarshalInt64(v)
	return int(n), err
}

// MarshalInt64 writes a number.
func MarshalInt64(n int64) graphql.Marshaler { return graphql.MarshalInt64(n) }

// UnmarshalInt64 takes what [UnmarshalInt] does: an Int of the schema has 32 bits.
func UnmarshalInt64(v any) (int64, error) {
	if n, ok := integer(v); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
		return n, nil
	}
	return 0, notInt
}

// MarshalString writes a string.
func MarshalString(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalString takes a string.
func UnmarshalString(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	return "", notString
}

// MarshalBoolean writes true or false.
func MarshalBoolean(b bool) graphql.Marshaler { return graphql.MarshalBoolean(b) }

// UnmarshalBoolean takes true or false.
func UnmarshalBoolean(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, notBoolean
}

// MarshalID writes a string.
func MarshalID(id string) graphql.Marshaler { return graphql.MarshalString(id) }

// UnmarshalID takes a string, or an integer for its digits.
func UnmarshalID(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	if n, ok := integer(v); ok {
		return strconv.FormatInt(n, 10), nil
	}
	return "", notID
}

// integer is a number of a literal or of a variable, where it is written as a whole one.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case int64:
		return v, true
	case int:
		return int64(v), true
	}
	return 0, false
}

// Expected says, of one of the schema language's own scalars, what is taken for it.
func Expected(name string) (InputError, bool) {
	switch name {
	case "Int":
		return notInt, true
	case "String":
		return notString, true
	case "Boolean":
		return notBoolean, true
	case "ID":
		return notID, true
	}
	return "", false
}
