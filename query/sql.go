package query

import (
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// keyIn tells the rows whose column is one of keys, however many.
func keyIn[P ~func(*sql.Selector), K store.Key](column string, keys []K) P {
	return store.KeyIn(column, keys)
}

// byBytes sorts by a text column, by bytes and not by a language's rules; direction is "" or
// " DESC".
func byBytes(column, direction string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.OrderExpr(sql.Expr(store.OrderText(s.Dialect(), s.C(column)) + direction))
	}
}

// bytesCompare tells the rows whose text column is after (>) or before (<) text, by bytes.
func bytesCompare(column, operator, text string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString(store.OrderText(s.Dialect(), s.C(column))).WriteString(operator).Arg(text)
		}))
	}
}

// parentKey is the name under which a row that was read through a link has the key of what it is
// linked to.
const parentKey = "parent_key"

// link is a table of pairs.
type link struct {
	table  string
	child  string              // its column with the key of the rows that are read
	parent string              // its column with the keys by which they are asked for
	key    string              // the primary key of the rows
	which  func(*sql.Selector) // which of the pairs count; nil: all
}

// linked tells the rows that are linked to one of keys, once for each link, and reads that key too.
func linked[P ~func(*sql.Selector), K store.Key](l link, keys []K) P {
	return func(s *sql.Selector) {
		s.AppendSelectAs(l.join(s, store.KeyIn(l.parent, keys)), parentKey)
	}
}

// join joins those pairs that count and that which tells, and gives the name in s of the column with the
// keys.
func (l link) join(s *sql.Selector, which func(*sql.Selector)) string {
	t := sql.Table(l.table)
	links := sql.Dialect(s.Dialect()).Select().From(t)
	s.Join(t).On(s.C(l.key), t.C(l.child)) // from here on t has the name that it has in s
	which(links)
	if l.which != nil {
		l.which(links)
	}
	s.Where(links.P())
	return t.C(l.parent)
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
