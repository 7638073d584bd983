package codex_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
)

func TestSecondsAreHoursWithFourDecimalsAHalfAwayFromZero(t *testing.T) {
	for seconds, want := range map[codex.Seconds]string{
		0: "0.0000", 900: "0.2500", 60: "0.0167", 1: "0.0003", 9: "0.0025", 3600: "1.0000", -60: "-0.0167", -900: "-0.2500",
		3_599: "0.9997", 7_200_000_060: "2000000.0167",
	} {
		if got := seconds.Quantity().String(); got != want {
			t.Errorf("%d s are %s h, want %s", int64(seconds), got, want)
		}
	}
	half := big.NewRat(1, 20_000)
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-1e15, 1e15).Draw(t, "seconds")
		exact, got := big.NewRat(seconds, 3600), big.NewRat(int64(codex.Seconds(seconds).Quantity()), 10_000)
		if distance := new(big.Rat).Sub(got, exact); distance.Abs(distance).Cmp(half) > 0 {
			t.Fatalf("%d s are %s h: that is not the nearest", seconds, codex.Seconds(seconds).Quantity())
		}
	})
}

func TestAMonthIsTakenBackAsItIsWritten(t *testing.T) {
	for _, text := range []string{"2025-10", "0999-01", "9999-12"} {
		if month, err := codex.ParsePeriod(text); month.String() != text || err != nil {
			t.Errorf("%s: %v, %v", text, month, err)
		}
	}
	for _, text := range []string{"", "2025-13", "2025-1", "2025-00", "2025-10-01", "10-2025", " 2025-10"} {
		if month, err := codex.ParsePeriod(text); err == nil {
			t.Errorf("%q was taken for %v", text, month)
		}
	}
}
