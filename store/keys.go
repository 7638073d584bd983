package store

import (
	"encoding/json"
	"reflect"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// Key is what a key column holds: account numbers, device UIDs, integer ids.
type Key interface{ ~string | ~int | ~int64 }

// KeyIn is the condition that column is one of keys, as a predicate of any entity of ent. The list
// travels as one parameter, so it may be of any length (SQLite takes at most 32,766 parameters,
// PostgreSQL 65,535) and the statement is the same for each. No key at all is never met.
func KeyIn[K Key](column string, keys []K) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		s.Where(ExprIn(s.Dialect(), entsql.ExprFunc(func(b *entsql.Builder) { b.Ident(s.C(column)) }), keys))
	}
}

// ExprIn is the same condition on an expression.
func ExprIn[K Key](dialectName string, expr entsql.Querier, keys []K) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) {
		b.Join(expr)
		if dialectName == dialect.Postgres {
			b.WriteString(" = ANY (").Arg(plainKeys(keys)).WriteString(")")
			return
		}
		b.WriteString(" IN (SELECT value FROM json_each(").Arg(jsonKeys(keys)).WriteString("))")
	})
}

// KeyArg is a list of keys as one argument for a statement of one's own, and the condition that
// takes it: KeyArg(tx.Dialect(), "asset_id", "$1", ids) gives `asset_id = ANY ($1)` or
// `asset_id IN (SELECT value FROM json_each($1))`.
func KeyArg[K Key](dialectName, column, parameter string, keys []K) (condition string, arg any) {
	if dialectName == dialect.Postgres {
		return column + " = ANY (" + parameter + ")", plainKeys(keys)
	}
	return column + " IN (SELECT value FROM json_each(" + parameter + "))", jsonKeys(keys)
}

// plainKeys are keys as a []string or an []int64.
func plainKeys[K Key](keys []K) any {
	if reflect.TypeFor[K]().Kind() == reflect.String {
		texts := make([]string, len(keys))
		for i, key := range keys {
			texts[i] = CleanText(reflect.ValueOf(key).String())
		}
		return texts
	}
	ids := make([]int64, len(keys))
	for i, key := range keys {
		ids[i] = reflect.ValueOf(key).Int()
	}
	return ids
}

func jsonKeys[K Key](keys []K) string {
	encoded, err := json.Marshal(plainKeys(keys))
	if err != nil { // texts and integers: cannot happen
		return "[]"
	}
	return string(encoded)
}

// OrderText is the expression by which texts are ordered and compared bytewise, whatever the
// database's own order of text: for ORDER BY and for the comparisons of a cursor. The text columns
// of our own tables are made with that order on PostgreSQL, so their indexes serve it.
func OrderText(dialectName, column string) string {
	if dialectName == dialect.Postgres {
		return column + ` COLLATE "C"`
	}
	return column + " COLLATE BINARY"
}
