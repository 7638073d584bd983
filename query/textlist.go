package query

import (
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/store"
)

// textList is a condition about a list of texts, which its column keeps as a JSON array.
func (t *translating) textList(f attribute, operator string, value any, path string) (condition, error) {
	if operator != "has" {
		return nil, t.bad(path, "there is no such condition")
	}
	arg, err := t.argumentOf(f, value, path)
	if err != nil {
		return nil, err
	}
	return func(s *sql.Selector) *sql.Predicate { return listHas(s, f.column, fmt.Sprint(arg)) }, nil
}

// listHas is that one of the texts in a column, folded, is a text.
func listHas(s *sql.Selector, column, text string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		inTexts(b, s.C(column), "FALSE", func(each, of string) {
			b.WriteString("EXISTS (SELECT 1 FROM " + of + " WHERE " + store.FoldText(b.Dialect(), each) + " = ").
				Arg(store.Fold(text)).WriteString(")")
		})
	})
}

// inTexts writes what some writes about the texts in a column's JSON array: each of them, of these. Where
// the column has none it is otherwise. Most are empty, and are not read, and neither is what is no
// array of texts, of which the databases make different things. PostgreSQL takes no U+0000 out of a JSON
// text, so that it becomes U+FFFD there as everywhere (store.CleanText).
func inTexts(b *sql.Builder, column, otherwise string, some func(each, of string)) {
	const each = "listed.value"
	list := "replace(" + column + `, '\u0000', '\ufffd')`
	of := "json_each(" + list + ") AS listed"
	if b.Dialect() == dialect.Postgres {
		of = "json_array_elements_text(CAST(" + list + " AS json)) AS listed(value)"
	}
	b.WriteString("CASE WHEN " + column + " LIKE '[%\"%' THEN ")
	some(each, of)
	b.WriteString(" ELSE " + otherwise + " END")
}
