package datto

import (
	"math"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/wire"
)

// neverMillis is .NET's year 1 in epoch milliseconds, which Datto sends for "never", like 0.
const neverMillis = -62135596800000

// ParseTime takes a time in each form that Datto RMM sends: epoch milliseconds, as number or text,
// and ISO 8601. Zero, and the year 1 in either form, are the zero time: never.
func ParseTime(text string) (time.Time, error) {
	if number, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(number) {
		millis := int64(math.Round(number))
		if exact, err := strconv.ParseInt(text, 10, 64); err == nil {
			millis = exact
		}
		if millis == 0 || millis == neverMillis {
			return time.Time{}, nil
		}
		at := time.UnixMilli(millis).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			return time.Time{}, strconv.ErrRange
		}
		return at, nil
	}
	at, err := wire.ParseTime(text)
	if err != nil || at.Year() <= 1 {
		return time.Time{}, err
	}
	return at, nil
}
