package query

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/ticket"
)

// columnMonth is the name of a ticket's billing month, YYYY-MM, which no table has: it is the month of
// UTC of last_updated_at (docs/compatibility.md, "Which tickets").
const columnMonth = "billing_month"

// withMonth is e, which are tickets, with their billing month.
func withMonth(e entity) entity {
	e.fields = append(e.fields, attribute{"billingMonth", columnMonth, kindMonth})
	e.computed = map[string]computed{columnMonth: {expr: monthOf}}
	e.months = months{since: updatedSince, before: updatedBefore}
	return e
}

// monthOf is the billing month of a ticket of s. SQLite has times as texts in UTC.
func monthOf(s *sql.Selector) sql.Querier {
	updated := s.C(ticket.FieldLastUpdatedAt)
	if s.Dialect() == dialect.Postgres {
		return sql.Raw("to_char(" + updated + " AT TIME ZONE 'UTC', 'YYYY-MM')")
	}
	return sql.Raw("substr(" + updated + ", 1, 7)")
}

// month is a condition about the billing month. It asks for spans of months, of which there is an index.
func (t *translating) month(e entity, f attribute, operator string, value any, path string) (condition, error) {
	if operator == "in" || operator == "notIn" {
		args, err := t.list(f, value, path)
		if err != nil {
			return nil, err
		}
		c, err := t.monthIn(e, f, args, path)
		if operator == "notIn" {
			c = not(c)
		}
		return c, err
	}
	arg, err := t.argumentOf(f, value, path)
	if err != nil {
		return nil, err
	}
	month, err := t.period(arg, path)
	if err != nil {
		return nil, err
	}
	next := codex.PeriodOf(month.End())
	switch operator {
	case "eq":
		return and([]condition{e.months.since(month), e.months.before(next)}), nil
	case "ne":
		return or([]condition{e.months.before(month), e.months.since(next)}), nil
	case "gt":
		return e.months.since(next), nil
	case "gte":
		return e.months.since(month), nil
	case "lt":
		return e.months.before(month), nil
	case "lte":
		return e.months.before(next), nil
	}
	return nil, t.bad(path, "there is no such condition")
}

// monthIn is that the billing month is one of a list: within the span of all, and one of them.
func (t *translating) monthIn(e entity, f attribute, texts []any, path string) (condition, error) {
	if len(texts) == 0 {
		return or(nil), nil
	}
	months := make([]codex.Period, len(texts))
	for i, text := range texts {
		var err error
		if months[i], err = t.period(text, path); err != nil {
			return nil, err
		}
	}
	byStart := func(a, b codex.Period) int { return strings.Compare(a.String(), b.String()) }
	return and([]condition{
		e.months.since(slices.MinFunc(months, byStart)),
		e.months.before(codex.PeriodOf(slices.MaxFunc(months, byStart).End())),
		func(s *sql.Selector) *sql.Predicate { return oneOf(e.expr(s, f.column), kindMonth, s.Dialect(), texts) },
	}), nil
}

func (t *translating) period(arg any, path string) (codex.Period, error) {
	text, _ := arg.(string)
	month, err := codex.ParsePeriod(text)
	if err != nil {
		return month, t.bad(path, "a month is YYYY-MM, such as 2025-10")
	}
	return month, nil
}

// updatedSince is that last_updated_at is of a month or a later one, updatedBefore that it is of an earlier
// one.
func updatedSince(month codex.Period) condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.GTE(s.C(ticket.FieldLastUpdatedAt), month.Start()) }
}

func updatedBefore(month codex.Period) condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.LT(s.C(ticket.FieldLastUpdatedAt), month.Start()) }
}
