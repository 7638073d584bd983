package codex

import (
	"fmt"
	"strconv"
	"strings"
)

// Cents is an amount of money in hundredths of the billing currency, exact. What was charged is
// cents, in rows and sums; text with two decimals is its form wherever it leaves the hub, a JSON
// number only where docs/compatibility.md has one.
type Cents int64

// Quantity is a quantity, a rate or a count of hours in ten-thousandths, exact.
type Quantity int64

const (
	centPlaces     = 2
	quantityPlaces = 4
)

// String is c with exactly two decimals: "2450.01", "-0.05".
func (c Cents) String() string { return fixed(int64(c), centPlaces) }

// String is q with exactly four decimals: "1.0000".
func (q Quantity) String() string { return fixed(int64(q), quantityPlaces) }

// ParseCents takes back what [Cents.String] gives, and refuses every other text.
func ParseCents(text string) (Cents, error) {
	n, err := parseFixed(text, centPlaces)
	return Cents(n), err
}

// ParseQuantity takes back what [Quantity.String] gives, and refuses every other text.
func ParseQuantity(text string) (Quantity, error) {
	n, err := parseFixed(text, quantityPlaces)
	return Quantity(n), err
}

// fixed writes n, which counts units of 10^-places, with exactly so many decimals.
func fixed(n int64, places int) string {
	digits, negative := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
	if len(digits) <= places {
		digits = strings.Repeat("0", places+1-len(digits)) + digits
	}
	text := digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	if negative {
		text = "-" + text
	}
	return text
}

// parseFixed is the inverse of fixed. What fixed would not write (a plus, a leading zero, another
// number of decimals, -0.00) has no second spelling here: texts are hashed and compared.
func parseFixed(text string, places int) (int64, error) {
	whole, decimals, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+decimals, 10, 64)
	if err != nil || fixed(n, places) != text {
		return 0, fmt.Errorf("a number with exactly %d decimals was expected, not %q", places, text)
	}
	return n, nil
}
