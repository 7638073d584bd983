package store

import (
	"strings"
	"unicode"

	"entgo.io/ent/dialect"
	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// foldFunction is the name under which SQLite has [Fold].
const foldFunction = "codex_fold"

// Fold is s as it is compared where the case of letters makes no difference: each letter of Unicode
// small, the Greek ς as σ, and the Turkish İ as i. It joins no letters that only look alike: ß is not
// ss, é is not e, nor is é the same as e with an accent of its own.
func Fold(s string) string {
	folded := strings.Map(func(r rune) rune {
		if r == 'ς' { // lower() of PostgreSQL chooses between the two by what follows
			return 'σ'
		}
		return unicode.ToLower(r)
	}, CleanText(s))
	return strings.ReplaceAll(folded, "i\u0307", "i") // what others make of İ
}

// FoldText is the expression of [Fold] of a column, which gives the same on both databases. On
// PostgreSQL it takes the collation und-x-icu, which every build with ICU has.
func FoldText(dialectName, column string) string {
	if dialectName == dialect.Postgres {
		return "replace(replace(lower(" + column + ` COLLATE "und-x-icu"), 'ς', 'σ'), U&'i\0307', 'i')`
	}
	return foldFunction + "(" + column + ")"
}

// registerFold makes [Fold] known to a connection. SQLite's own lower() knows ASCII alone.
func registerFold(conn sqlite.Conn) error {
	return conn.Raw().CreateFunction(foldFunction, 1, sqlite3.DETERMINISTIC, func(ctx sqlite3.Context, args ...sqlite3.Value) {
		if args[0].Type() == sqlite3.NULL {
			ctx.ResultNull()
			return
		}
		ctx.ResultText(Fold(args[0].Text()))
	})
}
