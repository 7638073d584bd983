package query

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Filter says which records are wanted, as the graph's filter inputs do (graph/filter.graphql); nil:
// all. Its keys are fields, each with its conditions ({"hostname": {"contains": "pc"}}), edges
// ({"company": {...}}, {"assets": {"some": {...}, "none": {...}}}), and "and", "or" and "not". All of
// them must hold. Values are those that the scalars of the graph give.
//
// A condition is either met or not, also where a value is null: "ne" and "notIn" are met wherever
// "eq" and "in" are not, and null is neither greater nor smaller than anything. So "not" is met
// wherever what it contains is not. Of an empty "or" nothing is met.
type Filter = map[string]any

// The bounds of a filter. An edge inside an edge, and each and, or and not, is one deeper.
const (
	MaxConditions   = 100
	MaxFilterDepth  = 5
	MaxListed       = 1000   // values of one list
	MaxListedInAll  = 10_000 // values of all lists: SQLite takes 32,766 parameters
	MaxFilterLetter = 1000   // letters of a text
)

// condition is what a filter asks of the records in a statement.
type condition func(*sql.Selector) *sql.Predicate

// translating is the translation of one filter.
type translating struct {
	view       view
	argument   string // whose fault an error is
	conditions int
	listed     int
}

// conditionOf is what filter asks of records of e.
func (v view) conditionOf(e entity, filter Filter) (condition, error) {
	t := &translating{view: v, argument: "filter"}
	return t.all(e, filter, "filter", 0)
}

func (t *translating) bad(path, format string, args ...any) error {
	return codex.BadInput(t.argument, "%s: %s", path, fmt.Sprintf(format, args...))
}

// all is that everything in filter is met.
func (t *translating) all(e entity, filter Filter, path string, depth int) (condition, error) {
	if depth > MaxFilterDepth {
		return nil, t.bad(path, "a filter is at most %d deep", MaxFilterDepth)
	}
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(filter)) { // the same filter is the same statement
		at := path + "." + name
		c, err := t.one(e, name, filter[name], at, depth)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return and(all), nil
}

func (t *translating) one(e entity, name string, value any, path string, depth int) (condition, error) {
	if isNil(value) {
		return nil, t.bad(path, "it is null: leave it out, or ask for isNull")
	}
	switch value := value.(type) {
	case []Filter: // and, or
		if len(value) > MaxConditions {
			return nil, t.bad(path, "a filter has at most %d conditions", MaxConditions)
		}
		parts := make([]condition, len(value))
		for i, part := range value {
			var err error
			if parts[i], err = t.all(e, part, path+"."+strconv.Itoa(i), depth+1); err != nil {
				return nil, err
			}
		}
		if name == "or" {
			return or(parts), nil
		}
		return and(parts), nil
	case Filter:
		if name == "not" {
			c, err := t.all(e, value, path, depth+1)
			return not(c), err
		}
		if l, ok := e.edge(name); ok {
			return t.across(l, value, path, depth)
		}
		if f, ok := e.field(name); ok {
			return t.field(e, f, value, path)
		}
	}
	return nil, t.bad(path, "there is no such field")
}

// across is a condition about the records to which an edge leads.
func (t *translating) across(l edge, filter Filter, path string, depth int) (condition, error) {
	target := l.to(t.view)
	if l.one {
		c, err := t.all(target, filter, path, depth+1)
		return l.leads(target, c), err
	}
	var all []condition
	for _, quantifier := range slices.Sorted(maps.Keys(filter)) {
		of, ok := filter[quantifier].(Filter)
		if !ok || isNil(of) {
			return nil, t.bad(path+"."+quantifier, "it is null: leave it out")
		}
		if err := t.count(path); err != nil {
			return nil, err
		}
		c, err := t.all(target, of, path+"."+quantifier, depth+1)
		if err != nil {
			return nil, err
		}
		some := l.leads(target, c)
		if quantifier == "none" {
			some = not(some)
		}
		all = append(all, some)
	}
	return and(all), nil
}

// leads is that l leads to a record of target that is served and meets c.
func (l edge) leads(target entity, c condition) condition {
	there := l.there
	if there == "" {
		there = target.key
	}
	return func(s *sql.Selector) *sql.Predicate {
		found := sql.Dialect(s.Dialect()).Select().From(sql.Table(target.table.Name))
		found.Select(found.C(there))
		target.served(found)
		found.Where(c(found))
		if l.link == nil {
			return sql.In(s.C(l.here), found)
		}
		linked := sql.Dialect(s.Dialect()).Select().From(sql.Table(l.link.table))
		linked.Select(linked.C(l.link.here))
		if l.link.seen != nil {
			l.link.seen(linked)
		}
		linked.Where(sql.In(linked.C(l.link.there), found))
		return sql.In(s.C(l.here), linked)
	}
}

// field are the conditions about a field.
func (t *translating) field(e entity, f attribute, conditions Filter, path string) (condition, error) {
	var all []condition
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		at := path + "." + operator
		if err := t.count(at); err != nil {
			return nil, err
		}
		value := conditions[operator]
		if isNil(value) {
			return nil, t.bad(at, "it is null: leave it out, or ask for isNull")
		}
		c, err := t.compare(e, f, operator, value, at)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return and(all), nil
}

func (t *translating) compare(e entity, f attribute, operator string, value any, path string) (condition, error) {
	switch f.kind {
	case kindMonth:
		return t.month(e, f, operator, value, path)
	case kindList:
		return t.textList(f, operator, value, path)
	}
	known := func(c condition) condition { // null meets nothing
		if !e.nullable(f.column) {
			return c
		}
		return func(s *sql.Selector) *sql.Predicate {
			return sql.And(null(e.expr(s, f.column), false), c(s))
		}
	}
	switch operator {
	case "isNull":
		wanted := reflect.Indirect(reflect.ValueOf(value)).Bool()
		return func(s *sql.Selector) *sql.Predicate { return null(e.expr(s, f.column), wanted) }, nil
	case "in", "notIn":
		args, err := t.list(f, value, path)
		if err != nil {
			return nil, err
		}
		c := known(func(s *sql.Selector) *sql.Predicate { return oneOf(e.expr(s, f.column), f.kind, s.Dialect(), args) })
		if operator == "notIn" {
			return not(c), nil
		}
		return c, nil
	}
	arg, err := t.argumentOf(f, value, path)
	if err != nil {
		return nil, err
	}
	sign, folded := "", ""
	switch operator {
	case "eq", "ne":
		sign = " = "
	case "gt":
		sign = " > "
	case "gte":
		sign = " >= "
	case "lt":
		sign = " < "
	case "lte":
		sign = " <= "
	case "contains":
		folded = " > 0"
	case "startsWith":
		folded = " = 1"
	default:
		return nil, t.bad(path, "there is no such condition")
	}
	c := known(func(s *sql.Selector) *sql.Predicate {
		if folded != "" {
			return foldedAt(s, f.column, fmt.Sprint(arg), folded)
		}
		return compared(e.expr(s, f.column), f.kind, s.Dialect(), sign, arg)
	})
	if operator == "ne" {
		return not(c), nil
	}
	return c, nil
}

// argumentOf is value as the database takes it.
func (t *translating) argumentOf(f attribute, value any, path string) (any, error) {
	switch f.kind {
	case kindDay:
		return t.day(value, path)
	case kindCents:
		return t.cents(value, path)
	}
	arg := plain(value)
	text, isText := arg.(string)
	if isText && utf8.RuneCountInString(text) > MaxFilterLetter {
		return nil, t.bad(path, "a text has at most %d letters here", MaxFilterLetter)
	}
	if isText && f.kind == kindIntID {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, t.bad(path, "this id is a string of digits")
		}
		return n, nil
	}
	if isText {
		return store.CleanText(text), nil
	}
	return arg, nil
}

// day is a day as a column of days has it.
func (t *translating) day(value any, path string) (any, error) {
	day, ok := reflect.Indirect(reflect.ValueOf(value)).Interface().(codex.Day)
	if !ok {
		return nil, t.bad(path, "give a day")
	}
	return int64(day), nil
}

// cents is an amount as a column of cents has it.
func (t *translating) cents(value any, path string) (any, error) {
	amount, ok := reflect.Indirect(reflect.ValueOf(value)).Interface().(codex.Quantity)
	if !ok {
		return nil, t.bad(path, "give an amount")
	}
	if amount%hundredths != 0 {
		return nil, t.bad(path, "an amount has at most two decimals, not %s", amount)
	}
	return int64(amount / hundredths), nil
}

// hundredths is how many ten-thousandths a cent has.
const hundredths = 100

// list are values as the database takes them.
func (t *translating) list(f attribute, values any, path string) ([]any, error) {
	list := reflect.ValueOf(values)
	if t.listed += list.Len(); list.Len() > MaxListed {
		return nil, t.bad(path, "a list has at most %d values, not %d", MaxListed, list.Len())
	} else if t.listed > MaxListedInAll {
		return nil, t.bad(path, "the lists of a filter have at most %d values together", MaxListedInAll)
	}
	args := make([]any, list.Len())
	for i := range args {
		var err error
		if args[i], err = t.argumentOf(f, list.Index(i).Interface(), path); err != nil {
			return nil, err
		}
	}
	return args, nil
}

func (t *translating) count(path string) error {
	if t.conditions++; t.conditions > MaxConditions {
		return t.bad(path, "a filter has at most %d conditions", MaxConditions)
	}
	return nil
}

// plain is a value of a scalar as database/sql takes it: a text, an integer, a truth or a time.
func plain(value any) any {
	v := reflect.Indirect(reflect.ValueOf(value))
	switch actual := v.Interface().(type) {
	case time.Time:
		return store.UTC(actual)
	case codex.Day:
		return actual.String()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	}
	return v.Int()
}

func isNil(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// and is that all of them are met.
func and(all []condition) condition { return joined(all, sql.And, true) }

// or is that one of them is.
func or(all []condition) condition { return joined(all, sql.Or, false) }

func joined(all []condition, join func(...*sql.Predicate) *sql.Predicate, empty bool) condition {
	if len(all) == 1 {
		return all[0]
	}
	return func(s *sql.Selector) *sql.Predicate {
		if len(all) == 0 {
			return always(empty)
		}
		parts := make([]*sql.Predicate, len(all))
		for i, c := range all {
			parts[i] = c(s)
		}
		return join(parts...)
	}
}

func not(c condition) condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.Not(c(s)) }
}

// always is met by every record, or by none.
func always(met bool) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if met {
			b.WriteString("1 = 1")
		} else {
			b.WriteString("1 = 0")
		}
	})
}

// null is that column is null, or is not.
func null(column sql.Querier, wanted bool) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Join(column).WriteString(" IS ")
		if !wanted {
			b.WriteString("NOT ")
		}
		b.WriteString("NULL")
	})
}

// compared is that column stands so to arg; texts by bytes.
func compared(column sql.Querier, k kind, dialectName, sign string, arg any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Join(column)
		if k.texts() && sign != " = " {
			b.WriteString(store.OrderText(dialectName, ""))
		}
		b.WriteString(sign).Arg(arg)
	})
}

// oneOf is that column is one of args.
func oneOf(column sql.Querier, k kind, dialectName string, args []any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if len(args) == 0 {
			b.WriteString("1 = 0")
			return
		}
		b.Join(column).WriteString(" IN (").Args(args...).WriteString(")")
	})
}

// foldedAt is where the text of a column, folded, contains a text.
func foldedAt(s *sql.Selector, column, text, where string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		find := "instr"
		if s.Dialect() == dialect.Postgres {
			find = "strpos"
		}
		b.WriteString(find + "(" + store.FoldText(s.Dialect(), s.C(column)) + ", ").Arg(store.Fold(text)).WriteString(")" + where)
	})
}
