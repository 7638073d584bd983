package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hivematrix/codex/store"
)

func TestTextThatADatabaseCannotHoldIsMended(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "ä漢😀": "ä漢😀",
		"a\x00b": "a\uFFFDb", "\x00\x00": "\uFFFD\uFFFD", "a\xff": "a\uFFFD", "\uFFFD": "\uFFFD",
	} {
		if got := store.CleanText(text); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	for _, seed := range []string{"", "a\x00", "\xff\xfe", "ä\xc3", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean := store.CleanText(text)
		if !utf8.ValidString(clean) || strings.Contains(clean, "\x00") {
			t.Errorf("CleanText(%q) = %q", text, clean)
		}
		if again := store.CleanText(clean); again != clean {
			t.Errorf("cleaned again it is %q, not %q", again, clean)
		}
	})
}
