package scalar_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/hivematrix/codex/graph/scalar"
)

func TestJSONIsWrittenAsTheValueThatItIs(t *testing.T) {
	for want, value := range map[string]any{
		"null": nil, "true": true, "7200": int64(7200), `"<a & b>"`: "<a & b>", `["a","b"]`: []string{"a", "b"}, "[]": []string{},
		`{"amount":412.27,"lines":[1]}`: json.RawMessage(`{"amount": 412.27, "lines": [1]}`),
	} {
		var b strings.Builder
		scalar.MarshalJSON(value).MarshalGQL(&b)
		if b.String() != want {
			t.Errorf("%#v is %s, not %s", value, b.String(), want)
		}
	}
	var b strings.Builder
	if scalar.MarshalJSON(math.Inf(1)).MarshalGQL(&b); b.String() != "null" {
		t.Errorf("what has no JSON form is %s", b.String())
	}
	if v, err := scalar.UnmarshalJSON(json.Number("1.50")); err != nil || v != json.Number("1.50") {
		t.Errorf("a number came in as %v, %v", v, err)
	}
}
