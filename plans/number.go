package plans

import (
	"errors"
	"strings"

	"github.com/hivematrix/codex"
)

const pricePlaces = 4

var (
	errNoPrice = errors.New("give a number with at most four decimals, such as 12.5")
	errMissing = errors.New("it is missing: give 0 where nothing is charged")
)

// parsePrice takes a number as JSON or a person writes it, with as many decimals as can be kept: what would
// have to be rounded is refused, since Ledger would bill by what was written.
func parsePrice(text string) (codex.Quantity, error) {
	text = strings.TrimSpace(text)
	whole, decimals, pointed := strings.Cut(text, ".")
	decimals = strings.TrimRight(decimals, "0")
	negative := strings.HasPrefix(whole, "-")
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || pointed && strings.HasSuffix(text, ".") || strings.Trim(digits+decimals, "0123456789") != "" ||
		len(decimals) > pricePlaces {
		return 0, errNoPrice
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		digits = "0"
	}
	number := digits + "." + decimals + strings.Repeat("0", pricePlaces-len(decimals))
	if negative && strings.Trim(number, "0.") != "" {
		number = "-" + number
	}
	price, err := codex.ParseQuantity(number)
	if err != nil { // beyond 64 bits
		return 0, errNoPrice
	}
	return price, nil
}

// Number is q as a JSON number, exact and in the form of a float that Python writes: 12.5, 0.0.
type Number codex.Quantity

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	text := strings.TrimRight(codex.Quantity(n).String(), "0")
	if strings.HasSuffix(text, ".") {
		text += "0"
	}
	return []byte(text), nil
}
