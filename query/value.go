package query

import (
	"encoding/json"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex/ent/migrate"
)

// OldValue is the value before as the field itself has it in JSON: a truth, a number, a list of texts,
// else a text; nil where it had none.
func (c *FieldChange) OldValue() any { return valueIn(c.Column, c.Old) }

// NewValue is the value after it, in the same way.
func (c *FieldChange) NewValue() any { return valueIn(c.Column, c.New) }

// valueIn is what the text of a column's value says. A text that says nothing of the kind stays one: a
// plan cuts long lists.
func valueIn(column string, text *string) any {
	if text == nil {
		return nil
	}
	switch kindOf(column) {
	case kindBool:
		if truth, err := strconv.ParseBool(*text); err == nil {
			return truth
		}
	case kindInt:
		if number, err := strconv.ParseInt(*text, 10, 64); err == nil {
			return number
		}
	case kindList:
		var list []string
		if err := json.Unmarshal([]byte(*text), &list); err == nil {
			return list
		}
	}
	return *text
}

// kindOf is what the values of a column are, in whichever table it is: one name is one kind in all.
func kindOf(column string) kind {
	v := view{}
	for _, e := range []entity{v.companies(), v.assets(), v.contacts(), v.locations(), v.tickets()} {
		if i := slices.IndexFunc(e.fields, func(f attribute) bool { return f.column == column && f.column != e.key }); i >= 0 {
			return e.fields[i].kind
		}
	}
	for _, t := range migrate.Tables {
		if i := slices.IndexFunc(t.Columns, func(c *schema.Column) bool { return c.Name == column }); i >= 0 && t.Columns[i].Type == field.TypeBool {
			return kindBool
		}
	}
	return kindText
}
