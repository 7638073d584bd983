package simulator

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// float is a number as Python's json writes a float: the shortest text that is the number, with a
// point or an exponent in it, so that 2450 is 2450.0.
type float float64

// MarshalJSON writes the number. What is no number in JSON is null.
func (f float) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return []byte(f.String()), nil
}

// String is Python's repr of the number.
func (f float) String() string {
	scientific := strconv.FormatFloat(float64(f), 'e', -1, 64)
	_, power, _ := strings.Cut(scientific, "e")
	if e, err := strconv.Atoi(power); err == nil && (e < -4 || e >= 16) {
		return scientific
	}
	plain := strconv.FormatFloat(float64(f), 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}

// notNegative is Python's max(0, x): the whole number 0 where x is not more than that.
func notNegative(x float64) any {
	if x > 0 {
		return float(x)
	}
	return 0
}

// two is a number with two decimals, as Python's format .2f writes it.
func two(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// column is what a column of numeric(10,2) makes of a number: the shortest text of it, rounded to two
// decimals, a half away from zero.
func column(x float64) float {
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'f', -1, 64))
	if !ok {
		return float(x)
	}
	rounded, err := strconv.ParseFloat(exact.FloatString(2), 64)
	if err != nil {
		return float(x)
	}
	return float(rounded)
}

// isoFormat is Python's isoformat of a time without zone: six decimals, or none where they are 0.
func isoFormat(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}
