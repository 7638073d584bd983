package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
)

const (
	centPlaces     = 2
	quantityPlaces = 4
	// wholeDigits bounds amounts, as numeric(10,2) did (docs/compatibility.md, "Archive").
	wholeDigits = 8
	// maxNumberBytes bounds the text of a number: those of floats have some 25.
	maxNumberBytes = 100
)

var (
	errNoNumber = errors.New("give a number, or a text that holds one")
	errTooLarge = fmt.Errorf("a number here has at most %d digits before the point", wholeDigits)
)

// decimal is a number as it was written: digits × 10^exponent.
type decimal struct {
	negative bool
	digits   string // without leading or trailing zeros; empty for 0
	exponent int
}

// parseDecimal takes a number as JSON writes it, and what else a column of numbers took as a text: a
// plus, a point without digits on one side.
func parseDecimal(text string) (decimal, error) {
	if len(text) > maxNumberBytes {
		return decimal{}, errNoNumber
	}
	var d decimal
	rest := text
	if sign := strings.IndexAny(rest, "+-"); sign == 0 {
		d.negative, rest = rest[0] == '-', rest[1:]
	}
	mantissa, power := rest, ""
	if e := strings.IndexAny(rest, "eE"); e >= 0 {
		mantissa, power = rest[:e], rest[e+1:]
		n, err := strconv.Atoi(power)
		if err != nil {
			return decimal{}, errNoNumber
		}
		d.exponent = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, errNoNumber
	}
	const bound = 1 << 20 // no text of maxNumberBytes gets from here to an amount, and sums do not overflow
	if d.exponent < -bound || d.exponent > bound {
		d.exponent = max(-bound, min(bound, d.exponent))
	}
	d.exponent -= len(fraction)
	digits = strings.TrimLeft(digits, "0")
	d.digits = strings.TrimRight(digits, "0")
	d.exponent += len(digits) - len(d.digits)
	if d.digits == "" {
		return decimal{}, nil
	}
	return d, nil
}

// units is d in units of 10^-places, rounded half away from zero, as PostgreSQL rounds what is put into
// a numeric column. It works on digits, so nothing is lost on the way.
func (d decimal) units(places int) (int64, error) {
	shift := d.exponent + places
	if d.digits == "" || -shift > len(d.digits) {
		return 0, nil
	}
	if len(d.digits)+d.exponent > wholeDigits {
		return 0, errTooLarge
	}
	digits, up := d.digits, false
	if shift < 0 {
		cut := len(digits) + shift
		up = digits[cut] >= '5'
		digits = digits[:cut]
	} else {
		digits += strings.Repeat("0", shift)
	}
	n, err := strconv.ParseInt("0"+digits, 10, 64)
	if err != nil {
		return 0, errTooLarge
	}
	if up {
		n++
	}
	if len(strconv.FormatInt(n, 10)) > wholeDigits+places {
		return 0, errTooLarge // by rounding alone, like 99999999.995
	}
	if d.negative {
		n = -n
	}
	return n, nil
}

// numberText is the text of a number in JSON, which may be in a string.
func numberText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", errNoNumber
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", errNoNumber
	}
	return strings.Trim(text, " \t\r\n"), nil
}

func unitsOf(raw json.RawMessage, places int) (int64, error) {
	text, err := numberText(raw)
	if err != nil {
		return 0, err
	}
	d, err := parseDecimal(text)
	if err != nil {
		return 0, err
	}
	return d.units(places)
}

// CentsOf takes an amount as bills have it, a number of JSON or a text that holds one, from its digits:
// rounded to cents half away from zero (docs/compatibility.md, "Archive").
func CentsOf(raw json.RawMessage) (codex.Cents, error) {
	n, err := unitsOf(raw, centPlaces)
	return codex.Cents(n), err
}

// QuantityOf takes a quantity, a rate or hours in the same way, rounded to four decimals.
func QuantityOf(raw json.RawMessage) (codex.Quantity, error) {
	n, err := unitsOf(raw, quantityPlaces)
	return codex.Quantity(n), err
}

// integerOf takes a number without a fraction, 2025.0 too.
func integerOf(raw json.RawMessage) (int64, error) {
	text, err := numberText(raw)
	if err != nil {
		return 0, err
	}
	d, err := parseDecimal(text)
	if err != nil {
		return 0, err
	}
	if d.exponent < 0 {
		return 0, errors.New("give a whole number")
	}
	return d.units(0)
}
