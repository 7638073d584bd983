package query

import (
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/store"
)

// searchField is a field in which a text is searched: its name in the graph, its column, and how.
type searchField struct {
	name   string
	column string
	how    searchedHow
}

type searchedHow int

const (
	searchedText   searchedHow = iota
	searchedWhole              // a text that nobody types in part
	searchedNumber             // an integer, by its digits
	searchedTexts              // a JSON array of texts, or null
)

// searchedFor is a text that is searched.
type searchedFor struct {
	folded string
	number string // what of it may be a number
}

// ticketNumber is the number in a folded text as people write a ticket's: 1234, #1234, INC-1234 and
// SR-1234 (incidents and service requests of Freshservice), #INC-1234. Any other text is given back,
// which has no digits alone.
func ticketNumber(folded string) string {
	rest := strings.TrimPrefix(folded, "#")
	for _, prefix := range []string{"inc-", "sr-"} {
		if number, ok := strings.CutPrefix(rest, prefix); ok {
			rest = number
			break
		}
	}
	if rest == "" || strings.Trim(rest, "0123456789") != "" {
		return folded
	}
	return rest
}

// rank is how text is found in the field: its place in [SearchMatches], or notFoundRank. It folds a text
// once where that is neither its beginning nor all of it.
func (f searchField) rank(s *sql.Selector, text searchedFor) sql.Querier {
	column := s.C(f.column)
	folded := store.FoldText(s.Dialect(), column)
	return sql.ExprFunc(func(b *sql.Builder) {
		switch f.how {
		case searchedWhole:
			b.WriteString("CASE WHEN " + folded + " = ").Arg(text.folded).WriteString(" THEN 0 ELSE 3 END")
		case searchedNumber:
			rankIn(b, "CAST("+column+" AS TEXT)", text.number)
		case searchedTexts:
			rankInOne(b, column, text.folded)
		default:
			rankIn(b, folded, text.folded)
		}
	})
}

// notFoundRank is the rank of a field in which a text is not found.
const notFoundRank = 3

// rankIn is the rank of text in an expression.
func rankIn(b *sql.Builder, expression, text string) {
	b.WriteString("CASE COALESCE(" + position(b.Dialect()) + "(" + expression + ", ").Arg(text).
		WriteString("), 0) WHEN 0 THEN 3 WHEN 1 THEN CASE WHEN " + expression + " = ").Arg(text).
		WriteString(" THEN 0 ELSE 1 END ELSE 2 END")
}

// rankInOne is the best rank of text in the texts of a JSON array.
func rankInOne(b *sql.Builder, column, text string) {
	inTexts(b, column, "3", func(each, of string) {
		b.WriteString("(SELECT MIN(")
		rankIn(b, store.FoldText(b.Dialect(), each), text)
		b.WriteString(") FROM " + of + ")")
	})
}

// position is the function that tells where a text has another; 0: nowhere.
func position(dialectName string) string {
	if dialectName == dialect.Postgres {
		return "strpos"
	}
	return "instr"
}
