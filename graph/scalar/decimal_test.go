package scalar_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/scalar"
)

func TestADecimalIsAStringBothWays(t *testing.T) {
	for q, want := range map[codex.Quantity]string{
		0: `"0.0000"`, -5: `"-0.0005"`, 4_122_750: `"412.2750"`, math.MaxInt64: `"922337203685477.5807"`,
	} {
		if got := text(scalar.MarshalQuantity(q)); got != want {
			t.Errorf("%d ten-thousandths are written %s, want %s", int64(q), got, want)
		}
	}
	for given, want := range map[string]codex.Quantity{
		"412.275": 4_122_750, "412.2750": 4_122_750, "1": 10_000, "0.5": 5000, "-0.25": -2500, "0": 0, "0.00": 0,
	} {
		if got, err := scalar.UnmarshalQuantity(given); got != want || err != nil {
			t.Errorf("%q is taken for %d, %v, want %d", given, int64(got), err, int64(want))
		}
	}
	for _, given := range []any{1, int64(1), json.Number("1")} {
		if got, err := scalar.UnmarshalQuantity(given); got != 10_000 || err != nil {
			t.Errorf("%#v is taken for %d, %v", given, int64(got), err)
		}
	}
	for _, given := range []any{
		1.5, 1.0, json.Number("1.5"), json.Number("1.0"), json.Number("1e2"), int64(math.MaxInt64), true, nil, "", ".", "1.", ".5", "1.23456", "1e3", "+1", "01", "-0",
		" 1", "1,5", "NaN", "922337203685477.5808",
	} {
		if got, err := scalar.UnmarshalQuantity(given); !errors.As(err, new(scalar.InputError)) {
			t.Errorf("%#v is taken for %s, %v", given, got, err)
		}
	}
}

func TestAnAmountHasTwoDecimals(t *testing.T) {
	for c, want := range map[codex.Cents]string{0: `"0.00"`, -5: `"-0.05"`, 41_228: `"412.28"`, 123_456_789_012_34: `"123456789012.34"`} {
		if got := text(scalar.MarshalCents(c)); got != want {
			t.Errorf("%d cents are written %s, want %s", int64(c), got, want)
		}
	}
	for given, want := range map[any]codex.Cents{
		"412.28": 41_228, "412.2800": 41_228, "412": 41_200, "-0.5": -50, json.Number("7"): 700, "123456789012.34": 123_456_789_012_34,
	} {
		if got, err := scalar.UnmarshalCents(given); got != want || err != nil {
			t.Errorf("%#v is taken for %d, %v, want %d", given, int64(got), err, int64(want))
		}
	}
	for _, given := range []any{"412.275", "0.0001", 1.5, json.Number("1.50"), "", nil} {
		if got, err := scalar.UnmarshalCents(given); !errors.As(err, new(scalar.InputError)) {
			t.Errorf("%#v is taken for %s, %v", given, got, err)
		}
	}
}

func TestSecondsBeyondAJSONNumberLeaveAsAStringAndComeBack(t *testing.T) {
	if got := text(scalar.MarshalSeconds(math.MaxInt64)); got != `"9223372036854775807"` {
		t.Errorf("written %s", got)
	}
	if got, err := scalar.UnmarshalSeconds("-60"); got != -60 || err != nil {
		t.Errorf("-60 is taken for %d, %v", got, err)
	}
	for _, given := range []any{60, json.Number("60"), "1.0", "", nil, "9223372036854775808"} {
		if got, err := scalar.UnmarshalSeconds(given); !errors.As(err, new(scalar.InputError)) {
			t.Errorf("%#v is taken for %d, %v", given, got, err)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"412.275", "-0.0005", "1", "1.", "0x1p4", "1_0", "922337203685477.5807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		q, err := scalar.UnmarshalQuantity(given)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(given)
		if !ok || exact.Cmp(big.NewRat(int64(q), 10_000)) != 0 {
			t.Errorf("%q was taken for %s", given, q)
		}
		var written string
		if err := json.Unmarshal([]byte(text(scalar.MarshalQuantity(q))), &written); err != nil {
			t.Fatal(err)
		}
		if back, err := scalar.UnmarshalQuantity(written); back != q || err != nil {
			t.Errorf("%q was written %q, which was taken for %s, %v", given, written, back, err)
		}
	})
}
