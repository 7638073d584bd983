package codex_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
)

func TestCentsAreWrittenWithTwoDecimals(t *testing.T) {
	for cents, want := range map[codex.Cents]string{
		0: "0.00", 5: "0.05", -5: "-0.05", 100: "1.00", 245001: "2450.01", -12345: "-123.45",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		if got := cents.String(); got != want {
			t.Errorf("%d cents are written %q, not %q", int64(cents), got, want)
		}
	}
}

func TestQuantitiesAreWrittenWithFourDecimals(t *testing.T) {
	for quantity, want := range map[codex.Quantity]string{
		0: "0.0000", 1: "0.0001", -1: "-0.0001", 10_000: "1.0000", 4_122_750: "412.2750",
	} {
		if got := quantity.String(); got != want {
			t.Errorf("%d ten-thousandths are written %q, not %q", int64(quantity), got, want)
		}
	}
}

func TestEveryAmountIsReadBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		if got, err := codex.ParseCents(codex.Cents(n).String()); err != nil || got != codex.Cents(n) {
			t.Fatalf("%s came back as %s (%v)", codex.Cents(n), got, err)
		}
		if got, err := codex.ParseQuantity(codex.Quantity(n).String()); err != nil || got != codex.Quantity(n) {
			t.Fatalf("%s came back as %s (%v)", codex.Quantity(n), got, err)
		}
	})
}

func TestAnAmountHasOneSpelling(t *testing.T) {
	for _, text := range []string{
		"", ".", "1", "1.", "1.0", "1.000", "01.00", "+1.00", "-0.00", ".50", "1e2", " 1.00", "1.00 ",
		"1,00", "1_0.00", "-.50", "--1.00", "1.-5", "NaN", "92233720368547758.08",
	} {
		if got, err := codex.ParseCents(text); err == nil {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}

func FuzzCents(f *testing.F) {
	f.Add("2450.01")
	f.Add("-0.05")
	f.Fuzz(func(t *testing.T, text string) {
		cents, err := codex.ParseCents(text)
		if err == nil && cents.String() != text {
			t.Errorf("%q was read as what is written %q", text, cents)
		}
	})
}
