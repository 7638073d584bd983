package scalar_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/scalar"
)

func text(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

func TestValuesLeaveAsTheSchemaSays(t *testing.T) {
	newYork := time.FixedZone("", -5*3600)
	for _, tc := range []struct {
		name      string
		got, want string
	}{
		{"a time of another zone", text(scalar.MarshalTime(time.Date(2025, 10, 31, 22, 0, 0, 0, newYork))), `"2025-11-01T03:00:00Z"`},
		{"a time with microseconds", text(scalar.MarshalTime(time.Date(2025, 1, 2, 3, 4, 5, 120_000, time.UTC))), `"2025-01-02T03:04:05.00012Z"`},
		{"the year 1, which is no null", text(scalar.MarshalTime(time.Time{})), `"0001-01-01T00:00:00Z"`},
		{"bytes beyond a JSON number", text(scalar.MarshalBytes(math.MaxInt64)), `"9223372036854775807"`},
		{"a day", text(scalar.MarshalDate(20392)), `"2025-10-31"`},
		{"a negative id", text(scalar.MarshalIntID(-1)), `"-1"`},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, tc.got, tc.want)
		}
	}
}

func TestValuesAreTakenAsTheSchemaSays(t *testing.T) {
	at, err := scalar.UnmarshalTime("2025-10-31T22:00:00-05:00")
	if err != nil || !at.Equal(time.Date(2025, 11, 1, 3, 0, 0, 0, time.UTC)) || at.Location() != time.UTC {
		t.Errorf("a time of another zone: %v, %v", at, err)
	}
	for _, v := range []any{"17", json.Number("17"), int64(17), 17} {
		if n, err := scalar.UnmarshalBytes(v); n != codex.Bytes(17) || err != nil {
			t.Errorf("%T: %d, %v", v, n, err)
		}
	}
	if day, err := scalar.UnmarshalDate("2025-10-31"); day != 20392 || err != nil {
		t.Errorf("a day: %d, %v", day, err)
	}
	bad := map[string]error{}
	for _, v := range []any{"yesterday", "2025-10-31T00:00:00Z", "2025-02-30", "", 20392, nil} {
		_, bad["day "+text(graphql.MarshalAny(v))] = scalar.UnmarshalDate(v)
	}
	for _, v := range []any{"yesterday", "2025-10-31", "", 17, nil, true} {
		_, bad["time "+text(graphql.MarshalAny(v))] = scalar.UnmarshalTime(v)
	}
	for _, v := range []any{"-1", "1.5", "", json.Number("1e3"), 1.0, nil} {
		_, bad["bytes "+text(graphql.MarshalAny(v))] = scalar.UnmarshalBytes(v)
	}
	for _, v := range []any{"x", "9223372036854775808", nil} {
		_, bad["id "+text(graphql.MarshalAny(v))] = scalar.UnmarshalIntID(v)
	}
	for name, err := range bad {
		if _, ok := errors.AsType[scalar.InputError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaLanguagesOwnScalarsAreTakenAsItsSpecificationSays(t *testing.T) {
	for _, tc := range []struct {
		name string
		take func(v any) (any, error)
		good map[any]any
		bad  []any
		want string
	}{
		{
			"Int", func(v any) (any, error) { return scalar.UnmarshalInt(v) },
			map[any]any{json.Number("2025"): 2025, int64(-5): -5, 7: 7, json.Number("2147483647"): math.MaxInt32},
			[]any{"2025", "", json.Number("2.5"), json.Number("1e3"), json.Number("2147483648"), int64(math.MinInt32 - 1), 2.0, true, nil},
			"an Int is a whole number of 32 bits",
		},
		{
			"Int of 64 bits", func(v any) (any, error) { return scalar.UnmarshalInt64(v) },
			map[any]any{json.Number("5"): int64(5)}, []any{"5", json.Number("2147483648"), nil},
			"an Int is a whole number of 32 bits",
		},
		{
			"String", func(v any) (any, error) { return scalar.UnmarshalString(v) },
			map[any]any{"": "", "5": "5"}, []any{json.Number("5"), int64(5), 5, 1.5, true, nil},
			"a String is text in quotation marks",
		},
		{
			"Boolean", func(v any) (any, error) { return scalar.UnmarshalBoolean(v) },
			map[any]any{true: true, false: false}, []any{"true", "", json.Number("1"), int64(1), 0, nil},
			"a Boolean is true or false",
		},
		{
			"ID", func(v any) (any, error) { return scalar.UnmarshalID(v) },
			map[any]any{"620547": "620547", "": "", json.Number("17"): "17", int64(-1): "-1"},
			[]any{json.Number("1.5"), json.Number("1e3"), 1.5, true, nil},
			"an ID is a string or a whole number",
		},
	} {
		for v, want := range tc.good {
			if got, err := tc.take(v); got != want || err != nil {
				t.Errorf("%s of %#v: %v, %v", tc.name, v, got, err)
			}
		}
		for _, v := range tc.bad {
			if got, err := tc.take(v); !errors.Is(err, scalar.InputError(tc.want)) {
				t.Errorf("%s of %#v: %v, %v", tc.name, v, got, err)
			}
		}
	}
}
