package store

import (
	"strings"
	"unicode/utf8"
)

// CleanText is s as both databases can hold it: PostgreSQL takes neither U+0000 nor what is not UTF-8,
// so each becomes U+FFFD. What is written through this package goes through it anyway; a record
// that is compared with what is stored must have gone through it before.
func CleanText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
