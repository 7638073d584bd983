package query

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
)

func TestACursorIsReadBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.StringN(1, 40, 40), 1, 2).Draw(t, "keys")
		for i := range keys {
			keys[i] = strings.ToValidUTF8(keys[i], "x")
		}
		got, err := decodeCursor(encodeCursor(byNewestChange, keys...), byNewestChange, len(keys))
		if err != nil || !slices.Equal(got, keys) {
			t.Fatalf("%q came back as %q, %v", keys, got, err)
		}
	})
}

func TestACursorOfAnotherListIsNone(t *testing.T) {
	encoded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, cursor := range map[string]string{
		"of another order":          encodeCursor(byPlan, "x", "y"),
		"with a key too few":        encodeCursor(byNewestChange, "x"),
		"with a key too many":       encodeCursor(byNewestChange, "x", "y", "z"),
		"with an empty key":         encodeCursor(byNewestChange, "x", ""),
		"of another version":        encoded(`["0","changed_at desc","x","y"]`),
		"no base64":                 "%%%",
		"padded":                    encodeCursor(byNewestChange, "x", "y") + "=",
		"no JSON":                   encoded("x"),
		"no list":                   encoded(`{"1":"changed_at desc"}`),
		"a list of something else":  encoded(`["1","changed_at desc",1,2]`),
		"longer than any cursor is": encodeCursor(byNewestChange, strings.Repeat("x", cursorMaxLen), "y"),
		"nothing":                   "",
	} {
		if keys, err := decodeCursor(cursor, byNewestChange, 2); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("%s: %q, %v", name, keys, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor(byNewestChange, "2025-10-31T23:59:59Z", "0", "1", "2"))
	f.Add("WyIxIl0")
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, o := range []struct {
			order order
			keys  int
		}{{byNewestChange, 4}, {byPlan, 1}} {
			keys, err := decodeCursor(cursor, o.order, o.keys)
			if err != nil {
				if codex.CodeOf(err) != codex.CodeBadInput {
					t.Fatalf("%q: %v", cursor, err)
				}
				continue
			}
			if len(keys) != o.keys || slices.Contains(keys, "") {
				t.Fatalf("%q was read as %q", cursor, keys)
			}
			if again, err := decodeCursor(encodeCursor(o.order, keys...), o.order, o.keys); err != nil || !slices.Equal(again, keys) {
				t.Fatalf("%q: %q became %q, %v", cursor, keys, again, err)
			}
		}
	})
}
