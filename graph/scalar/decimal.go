package scalar

import (
	"io"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
)

const (
	notDecimal InputError = `a Decimal is a string with at most four decimals, such as "412.275", or a whole number`
	notCents   InputError = `an amount is a string with at most two decimals, such as "412.28", or a whole number`
	notSeconds InputError = `whole seconds are a string of digits`
)

// decimals are how many a Decimal has at most.
const decimals = 4

// MarshalQuantity writes q as a string with four decimals.
func MarshalQuantity(q codex.Quantity) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { write(w, strconv.Quote(q.String())) })
}

// UnmarshalQuantity takes a string with none to four decimals, or a whole number. A number with a point is
// refused: who sends one has rounded it to a float already.
func UnmarshalQuantity(v any) (codex.Quantity, error) {
	text, ok := v.(string)
	if !ok {
		whole, isWhole := integer(v)
		if !isWhole {
			return 0, notDecimal
		}
		text = strconv.FormatInt(whole, 10)
	}
	whole, part, pointed := strings.Cut(text, ".")
	if pointed && part == "" || len(part) > decimals {
		return 0, notDecimal
	}
	q, err := codex.ParseQuantity(whole + "." + part + strings.Repeat("0", decimals-len(part)))
	if err != nil {
		return 0, notDecimal
	}
	return q, nil
}

// MarshalCents writes c as a string with two decimals.
func MarshalCents(c codex.Cents) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { write(w, strconv.Quote(c.String())) })
}

// UnmarshalCents takes what [UnmarshalQuantity] does, of which no more than two decimals are other than 0.
func UnmarshalCents(v any) (codex.Cents, error) {
	const hundredths = 100 // ten-thousandths to a cent
	q, err := UnmarshalQuantity(v)
	if err != nil || q%hundredths != 0 {
		return 0, notCents
	}
	return codex.Cents(q / hundredths), nil
}

// MarshalSeconds writes s as a string of digits.
func MarshalSeconds(s codex.Seconds) graphql.Marshaler { return MarshalInt64ID(int64(s)) }

// UnmarshalSeconds takes a string of digits.
func UnmarshalSeconds(v any) (codex.Seconds, error) {
	text, ok := v.(string)
	if !ok {
		return 0, notSeconds
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, notSeconds
	}
	return codex.Seconds(n), nil
}
