package syncers

import (
	"cmp"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// Entity says how the rows of one table are recognised, compared and kept. R is the plain record of
// a row; its fields are the columns.
type Entity[R any] struct {
	Name    string // what people call it: under it runs count, and revisions are kept
	Table   string // the table's name; empty where it is Name
	Columns []Column[R]

	// Label is what people call a record; nil where only its key names it (links).
	Label func(*R) string

	// Keys recognise a row, the surest first: an incoming record is matched by the second key only
	// if no row has its first.
	Keys []Key[R]

	// ID is the local id that the hub gives out; nil where the upstream's key is the row's.
	ID func(*R) *int

	// RemovedAt marks a row as removed; nil where a row that is gone is deleted (links, time
	// entries: their past is in the history of what they belong to).
	RemovedAt func(*R) *sql.Null[time.Time]

	// Merge is what the row shall be: the incoming record with what the upstream did not tell or
	// does not own taken from the current one.
	Merge func(current, incoming R) R

	// History is the table of versions; nil where the past is not kept.
	History *history.Table
}

// Key is a way to recognise a row. Of gives the key of a record, false where the record has none.
// Free tells whether a row that no surer key claimed may be claimed by this one; nil is always.
type Key[R any] struct {
	Of   func(*R) (string, bool)
	Free func(*R, Scope[R]) bool
}

// use says what a column is for. Identity, compared and kept-in-history fields are declared apart.
type use uint8

const (
	primary  use = 1 << iota // the key of the table
	compared                 // a difference is an update
	kept                     // is in the history
)

// Column is a column of R's table.
type Column[R any] struct {
	Name string
	use  use
	kind store.Kind

	target func(*R) any // where to scan it into
	value  func(*R) any // what to write
	same   func(a, b *R) bool
	tidy   func(*R) // brings it into the form in which the database gives it back
}

// column declares the column name, held in the field that ref points to: a string, integer, bool
// or time, or an sql.Null of one.
func column[R any, T comparable](name string, use use, ref func(*R) *T) Column[R] {
	var zero T
	kind, ok := kindOf(any(zero))
	if !ok {
		panic(fmt.Sprintf("syncers: column %s has a type that no column has: %T", name, zero))
	}
	return Column[R]{
		Name: name, use: use, kind: kind,
		target: func(r *R) any { return ref(r) },
		value:  func(r *R) any { return *ref(r) },
		same:   func(a, b *R) bool { return *ref(a) == *ref(b) },
		tidy:   func(r *R) { tidy(any(ref(r))) },
	}
}

func kindOf(zero any) (store.Kind, bool) {
	if null, ok := zero.(driver.Valuer); ok {
		switch null.(type) {
		case sql.Null[string]:
			return store.Text, true
		case sql.Null[int64]:
			return store.Int, true
		case sql.Null[bool]:
			return store.Bool, true
		case sql.Null[time.Time]:
			return store.Time, true
		}
		return 0, false
	}
	switch zero.(type) {
	case int, int64:
		return store.Int, true
	case bool:
		return store.Bool, true
	case time.Time:
		return store.Time, true
	case string:
		return store.Text, true
	}
	return store.Text, isNamedString(zero)
}

// isNamedString accepts the string types of package codex, such as AccountNumber.
func isNamedString(v any) bool { return strings.HasPrefix(fmt.Sprintf("%T", v), "codex.") }

// tidy makes a value what the databases give back: text without U+0000, which PostgreSQL refuses,
// times of UTC in microseconds, and nothing beside a NULL. So a record that was written equals the one
// that is read.
func tidy(field any) {
	switch v := field.(type) {
	case *string:
		*v = store.CleanText(*v)
	case *time.Time:
		*v = storableTime(*v)
	case *sql.Null[string]:
		tidyNull(v, store.CleanText)
	case *sql.Null[time.Time]:
		tidyNull(v, storableTime)
	case *sql.Null[int64]:
		tidyNull(v, func(n int64) int64 { return n })
	case *sql.Null[bool]:
		tidyNull(v, func(b bool) bool { return b })
	}
}

func tidyNull[T any](field *sql.Null[T], tidy func(T) T) {
	if !field.Valid {
		*field = sql.Null[T]{}
		return
	}
	field.V = tidy(field.V)
}

func storableTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (e *Entity[R]) tableName() string { return cmp.Or(e.Table, e.Name) }

// table is the entity's table for bulk statements.
func (e *Entity[R]) table() store.Table {
	t := store.Table{Name: e.tableName()}
	for _, c := range e.Columns {
		t.Columns = append(t.Columns, store.Column{Name: c.Name, Kind: c.kind})
		if c.use&primary != 0 {
			t.Key = append(t.Key, c.Name)
		}
	}
	return t
}

func (e *Entity[R]) row(r *R) []any {
	values := make([]any, len(e.Columns))
	for i, c := range e.Columns {
		values[i] = c.value(r)
	}
	return values
}

// primaryKey are the values of the row's key columns.
func (e *Entity[R]) primaryKey(r *R) []any {
	var key []any
	for _, c := range e.Columns {
		if c.use&primary != 0 {
			key = append(key, c.value(r))
		}
	}
	return key
}

// version are the values of the row that its history keeps, the key first.
func (e *Entity[R]) version(r *R) []any {
	values := e.primaryKey(r)
	for _, c := range e.Columns {
		if c.use&kept != 0 {
			values = append(values, c.value(r))
		}
	}
	return values
}

// historyOf is the table of e's versions: its key, under the names that the history gives it, and
// the columns kept.
func (e *Entity[R]) historyOf(name string, key ...string) *history.Table {
	t := &history.Table{Name: name}
	for _, c := range e.Columns {
		if c.use&primary != 0 {
			t.Key = append(t.Key, store.Column{Name: key[len(t.Key)], Kind: c.kind})
		}
		if c.use&kept != 0 {
			t.Kept = append(t.Kept, store.Column{Name: c.Name, Kind: c.kind})
		}
	}
	return t
}

// tidy brings all of r into the form in which the database gives it back.
func (e *Entity[R]) tidy(r *R) {
	for _, c := range e.Columns {
		c.tidy(r)
	}
}

// changed names the compared columns in which a and b differ, and tells whether one of them is kept
// in the history.
func (e *Entity[R]) changed(a, b *R) (fields []string, ofHistory bool) {
	for _, c := range e.Columns {
		if c.use&(compared|primary) != 0 && !c.same(a, b) {
			fields = append(fields, c.Name)
			ofHistory = ofHistory || c.use&kept != 0
		}
	}
	return fields, ofHistory
}

func (e *Entity[R]) removed(r *R) bool { return e.RemovedAt != nil && e.RemovedAt(r).Valid }
