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

// listHas is that one of the texts in a column, folded, is a text. A column that is null or empty has
// none. PostgreSQL takes no U+0000 out of a JSON text, so that it becomes U+FFFD there as everywhere
// (store.CleanText).
func listHas(s *sql.Selector, column, text string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		list := `NULLIF(replace(` + s.C(column) + `, '\u0000', '\ufffd'), '')`
		elements := "json_each(" + list + ") AS element"
		if s.Dialect() == dialect.Postgres {
			elements = "json_array_elements_text(CAST(" + list + " AS json)) AS element(value)"
		}
		b.WriteString("EXISTS (SELECT 1 FROM " + elements + " WHERE " + store.FoldText(s.Dialect(), "element.value") + " = ").
			Arg(store.Fold(text)).WriteString(")")
	})
}
