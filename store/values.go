package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

func postgresType(kind Kind) string {
	switch kind {
	case Text:
		return "text"
	case Int:
		return "bigint"
	case Bool:
		return "boolean"
	default:
		return "timestamptz"
	}
}

// plain is value as a nil, string, int64, bool or time.Time, by the column's kind: clean text, UTC.
func plain(column Column, value any) (any, error) {
	var ok bool
	switch v := value.(type) { // what comes most, without reflection
	case nil:
		return nil, nil
	case string:
		if clean := CleanText(v); clean != v { // seldom: else v stays in the interface that it is in
			value = clean
		}
		ok = column.Kind == Text
	case int64:
		ok = column.Kind == Int
	case int:
		value, ok = int64(v), column.Kind == Int
	case bool:
		ok = column.Kind == Bool
	case time.Time:
		value, ok = UTC(v), column.Kind == Time
	case driver.Valuer:
		if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, nil
		}
		inner, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", column.Name, err)
		}
		if _, again := inner.(driver.Valuer); again {
			return nil, fmt.Errorf("column %s: a %T gave a %T", column.Name, value, inner)
		}
		return plain(column, inner)
	default:
		return reflected(column, reflect.ValueOf(value))
	}
	if !ok {
		return nil, fmt.Errorf("column %s takes no %T", column.Name, value)
	}
	return value, nil
}

// reflected is [plain] for pointers and named types.
func reflected(column Column, v reflect.Value) (any, error) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil, nil
	case v.Kind() == reflect.Pointer:
		return plain(column, v.Elem().Interface())
	case v.Kind() == reflect.String:
		return plain(column, v.String())
	case v.Kind() == reflect.Bool:
		return plain(column, v.Bool())
	case v.CanInt():
		return plain(column, v.Int())
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return plain(column, int64(v.Uint()))
	}
	return nil, fmt.Errorf("column %s takes no %s", column.Name, v.Type())
}

// array is count values of a column as one parameter for PostgreSQL.
func array(column Column, count int, values iter.Seq[any]) (any, error) {
	switch column.Kind {
	case Text:
		return arrayOf(column, count, values, func(v string) pgtype.Text { return pgtype.Text{String: v, Valid: true} })
	case Int:
		return arrayOf(column, count, values, func(v int64) pgtype.Int8 { return pgtype.Int8{Int64: v, Valid: true} })
	case Bool:
		return arrayOf(column, count, values, func(v bool) pgtype.Bool { return pgtype.Bool{Bool: v, Valid: true} })
	case Time:
		return arrayOf(column, count, values, func(v time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: v, Valid: true} })
	}
	return nil, fmt.Errorf("column %s has no kind", column.Name)
}

func arrayOf[V, E any](column Column, count int, values iter.Seq[any], wrap func(V) E) (any, error) {
	elements := make(pgtype.FlatArray[E], 0, count)
	for value := range values {
		p, err := plain(column, value)
		if err != nil {
			return nil, err
		}
		var element E // NULL
		if p != nil {
			v, ok := p.(V)
			if !ok {
				return nil, fmt.Errorf("column %s takes no %T", column.Name, value)
			}
			element = wrap(v)
		}
		elements = append(elements, element)
	}
	return elements, nil
}

// jsonList is a list of keys as one parameter for SQLite's json_each. NULL is no key.
func jsonList(column Column, values []any) (string, error) {
	list := make([]any, len(values))
	for i, value := range values {
		p, err := plain(column, value)
		if err != nil {
			return "", err
		}
		switch p.(type) {
		case string, int64:
		default:
			return "", fmt.Errorf("column %s: a %T is no key", column.Name, value)
		}
		list[i] = p
	}
	encoded, err := json.Marshal(list)
	return string(encoded), err
}
