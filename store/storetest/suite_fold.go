package storetest

import (
	"strings"
	"testing"
	"unicode"

	"github.com/hivematrix/codex/store"
)

func folding(t *testing.T, s Subject) {
	db := Open(t, s.Dialect)
	folded := func(t *testing.T, text string) string {
		t.Helper()
		var got string
		row := db.SQL().QueryRowContext(t.Context(), "SELECT "+store.FoldText(s.Dialect, "t.c")+" FROM (SELECT CAST($1 AS TEXT) AS c) AS t", text)
		if err := row.Scan(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	runCases(t, []testCase{
		{"the database folds as the hub does", func(t *testing.T) {
			for text, want := range map[string]string{
				"": "", "ACME GmbH": "acme gmbh", "Ärzte ÄRZTE ärzte": "ärzte ärzte ärzte",
				"Straße STRASSE STRAẞE": "straße strasse straße", "İstanbul I ı": "istanbul i ı", "i\u0307": "i",
				"ΟΔΟΣ οδος": "οδοσ οδοσ", "ЖУК": "жук", "É é E\u0301": "é é e\u0301", "Ǆ ǅ": "ǆ ǆ",
				"漢😀 100%_\\": "漢😀 100%_\\",
			} {
				if got := folded(t, text); got != want {
					t.Errorf("the database folds %q to %q, want %q", text, got, want)
				}
				if got := store.Fold(text); got != want {
					t.Errorf("Fold(%q) = %q, want %q", text, got, want)
				}
			}
		}},
		{"letter by letter", func(t *testing.T) {
			var all strings.Builder
			for r := rune(1); r <= 0x10FFFF; r++ {
				if unicode.IsLetter(r) || unicode.IsMark(r) {
					all.WriteRune(r)
					all.WriteByte('\n')
				}
			}
			got, want := strings.Split(folded(t, all.String()), "\n"), strings.Split(store.Fold(all.String()), "\n")
			if len(got) != len(want) {
				t.Fatalf("%d letters of %d came back", len(got), len(want))
			}
			letters := strings.Split(all.String(), "\n")
			for i, letter := range letters {
				if got[i] != want[i] && !lateLetter([]rune(letter)[0]) {
					t.Errorf("the database folds %q (%+q) to %q, the hub to %q", letter, letter, got[i], want[i])
				}
			}
		}},
	})
}

// lateLetter tells capital letters that Unicode has had only since its version 16 of 2024: older
// libraries do not know them.
func lateLetter(r rune) bool {
	return r == 0xA7CB || r == 0xA7CC || r == 0xA7DA || r == 0xA7DC || 0x10D50 <= r && r <= 0x10D65
}
