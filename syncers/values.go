package syncers

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// some is a value that was told.
func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// told is what an upstream sent: nothing where it sent null or no such key.
func told[T any](v *T) sql.Null[T] {
	if v == nil {
		return sql.Null[T]{}
	}
	return some(*v)
}

// filled is a text that says something: nothing where it is blank.
func filled(text string) sql.Null[string] {
	if text = strings.TrimSpace(text); text == "" {
		return sql.Null[string]{}
	}
	return some(text)
}

// jsonText is v as the JSON text that a column keeps: without HTML escapes, which the old service
// did not have either.
func jsonText(v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil { // strings and plain structs: cannot happen
		panic(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// textList is a list of texts as a column keeps it: a JSON array, [] for none.
func textList(list []string) sql.Null[string] {
	if list == nil {
		list = []string{}
	}
	return some(jsonText(list))
}

// listOf reads a column that textList wrote; what is no such list is none.
func listOf(column sql.Null[string]) []string {
	var list []string
	if err := json.Unmarshal([]byte(column.V), &list); err != nil {
		return nil
	}
	return list
}

// fold is a text for comparisons that do not tell case: of hostnames and e-mail addresses.
func fold(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

var tag = regexp.MustCompile(`<[^>]*>`)

// plainText is HTML as the old service made it plain: tags removed with nothing in their place, then
// entities decoded, then white space, no-break space too, folded (docs/compatibility.md, "Ticket").
func plainText(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(markup, ""))), " ")
}
