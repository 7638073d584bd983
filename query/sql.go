package query

import (
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/ent"
)

// key is what rows are asked for by.
type key interface{ ~string | ~int }

// keyIn tells the rows whose column is one of keys, however many. The list is one parameter and not
// one for each key: SQLite has at most 32,766 of them, and a statement that is the same for every
// length of list is planned once.
func keyIn[P ~func(*sql.Selector), K key](r *Reader, column string, keys []K) P {
	return func(s *sql.Selector) { s.Where(in(r.dialect, s.C(column), keys)) }
}

func in[K key](d, column string, keys []K) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if d == dialect.Postgres {
			b.Ident(column).WriteString(" = ANY(").Arg(keys).WriteString(")")
			return
		}
		list, err := json.Marshal(keys)
		if err != nil { // texts or integers: cannot happen
			b.AddError(err)
		}
		b.Ident(column).WriteString(" IN (SELECT value FROM json_each(").Arg(string(list)).WriteString("))")
	})
}

// byBytes sorts by a text column, by bytes and not by a language's rules; direction is "" or
// " DESC".
func (r *Reader) byBytes(column, direction string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.OrderExprFunc(func(b *sql.Builder) {
			r.bytesOf(b, s.C(column))
			b.WriteString(direction)
		})
	}
}

// bytesCompare tells the rows whose text column is after (>) or before (<) text, by bytes.
func (r *Reader) bytesCompare(column, operator, text string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			r.bytesOf(b, s.C(column))
			b.WriteString(operator).Arg(text)
		}))
	}
}

func (r *Reader) bytesOf(b *sql.Builder, column string) {
	b.Ident(column)
	if r.dialect == dialect.Postgres {
		b.WriteString(` COLLATE "C"`)
	}
}

// parentKey is the name under which a row that was read through a link has the key of what it is
// linked to.
const parentKey = "parent_key"

// link is a table of pairs.
type link struct {
	table  string
	child  string // its column with the key of the rows that are read
	parent string // its column with the keys by which they are asked for
	key    string // the primary key of the rows
}

// linked tells the rows that are linked to one of keys, once for each link, and reads that key too.
func linked[P ~func(*sql.Selector), K key](r *Reader, l link, keys []K) P {
	return func(s *sql.Selector) {
		t := sql.Table(l.table)
		s.Join(t).On(s.C(l.key), t.C(l.child))
		s.Where(in(r.dialect, t.C(l.parent), keys))
		s.AppendSelectAs(t.C(l.parent), parentKey)
	}
}

// groupByParent sorts rows that were read by [linked] into lists by the key they are linked to, and
// keeps their order.
func groupByParent[K comparable, T interface {
	Value(name string) (ent.Value, error)
}](rows []T, parse func(ent.Value) (K, bool)) (map[K][]T, error) {
	groups := make(map[K][]T)
	for _, row := range rows {
		value, err := row.Value(parentKey)
		if err != nil {
			return nil, fmt.Errorf("reading a link: %w", err)
		}
		parent, ok := parse(value)
		if !ok {
			return nil, fmt.Errorf("reading a link: the database gave its key as %T", value)
		}
		groups[parent] = append(groups[parent], row)
	}
	return groups, nil
}

// textKey reads a key that is a text.
func textKey[K ~string](value ent.Value) (K, bool) {
	switch v := value.(type) {
	case string:
		return K(v), true
	case []byte:
		return K(v), true
	}
	return "", false
}

// intKey reads a key that is an integer.
func intKey(value ent.Value) (int, bool) {
	v, ok := value.(int64)
	return int(v), ok
}
