package codex

import (
	"fmt"
	"strconv"
	"time"
)

// Seconds is a length of time that was worked, whole, as rows and sums keep it. Hours are computed
// only where an answer leaves the hub.
type Seconds int64

// Hours is the float nearest to s in hours.
func (s Seconds) Hours() float64 { return float64(s) / 3600 }

// Quantity is s in hours with four decimals, the nearest there is, a half away from zero: most whole
// minutes are no finite decimal of an hour.
func (s Seconds) Quantity() Quantity {
	hours, rest := s/3600, s%3600*quantityScale
	if rest < 0 {
		return Quantity(hours*quantityScale + (rest-1800)/3600)
	}
	return Quantity(hours*quantityScale + (rest+1800)/3600)
}

// quantityScale is 10^quantityPlaces.
const quantityScale = 10_000

// Bytes is an exact byte count.
type Bytes int64

// bytesPerTB is 1024⁴: what Datto, the old service and Ledger call a terabyte.
const bytesPerTB = 1 << 40

// TB is b in units of 1024⁴ bytes. The division is by a power of two, hence exact below 2⁵³ bytes.
func (b Bytes) TB() float64 { return float64(b) / bytesPerTB }

// LegacyTB is b in terabytes with two decimals, an exact half rounded to even, as the old service
// kept and served it (docs/compatibility.md, "Asset"): 0.125 TB is "0.12".
func (b Bytes) LegacyTB() string { return strconv.FormatFloat(b.TB(), 'f', 2, 64) }

// LegacyBytes is the byte count that the old service computed back from [Bytes.LegacyTB], cut off
// and not rounded: Ledger's backup charges rest on that number.
func (b Bytes) LegacyBytes() int64 {
	tb, err := strconv.ParseFloat(b.LegacyTB(), 64)
	if err != nil { // FormatFloat's own output: cannot happen
		return 0
	}
	return int64(tb * bytesPerTB)
}

// Period is a billing month. It is a month of UTC, as in Ledger.
type Period struct {
	Year  int
	Month time.Month
}

// PeriodOf is the billing month in which t lies.
func PeriodOf(t time.Time) Period {
	t = t.UTC()
	return Period{Year: t.Year(), Month: t.Month()}
}

// ParsePeriod takes a month as YYYY-MM.
func ParsePeriod(text string) (Period, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return Period{}, fmt.Errorf("a month is YYYY-MM, not %q", text)
	}
	return PeriodOf(t), nil
}

// Start is the first instant of p.
func (p Period) Start() time.Time { return time.Date(p.Year, p.Month, 1, 0, 0, 0, 0, time.UTC) }

// End is the first instant after p.
func (p Period) End() time.Time { return p.Start().AddDate(0, 1, 0) }

// String is p as YYYY-MM.
func (p Period) String() string { return fmt.Sprintf("%04d-%02d", p.Year, int(p.Month)) }

// Day is a day of UTC, as the number of days since 1970-01-01.
type Day int

// DayOf is the day in which t lies.
func DayOf(t time.Time) Day {
	t = t.UTC()
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return Day(midnight.Unix() / secondsPerDay)
}

const secondsPerDay = 24 * 60 * 60

// ParseDay takes a day as YYYY-MM-DD.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("a day is YYYY-MM-DD, not %q", text)
	}
	return DayOf(t), nil
}

// Start is the first instant of d.
func (d Day) Start() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String is d as YYYY-MM-DD.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }
