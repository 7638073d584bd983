package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queryLimit is how many characters a query may have between its double quotes (D).
const queryLimit = 512

// fieldKind is what a field of a search is compared with.
type fieldKind int

const (
	kindNumber fieldKind = iota
	kindNullableNumber
	kindText
	kindDate
	kindBool
)

// ticketSearchFields are the documented fields of the ticket filter, those that are accepted beside
// them, and the simulated account's custom fields.
func ticketSearchFields() map[string]fieldKind {
	return map[string]fieldKind{
		"workspace_id": kindNumber, "requester_id": kindNumber, "email": kindText,
		"agent_id": kindNullableNumber, "group_id": kindNullableNumber, "priority": kindNumber,
		"status": kindNumber, "impact": kindNumber, "urgency": kindNumber, "tag": kindText,
		"due_by": kindDate, "fr_due_by": kindDate, "created_at": kindDate, "updated_at": kindDate,
		"department_id": kindNumber, "type": kindText, "category": kindText,
		"on_site": kindBool, "purchase_order": kindText, "mileage": kindNumber,
	}
}

// requesterSearchFields are the fields of the requester search that the simulator knows.
func requesterSearchFields() map[string]fieldKind {
	return map[string]fieldKind{
		"first_name": kindText, "last_name": kindText, "primary_email": kindText, "job_title": kindText,
		"department_id": kindNumber, "created_at": kindDate, "updated_at": kindDate,
	}
}

// departmentSearchFields is the name alone (D).
func departmentSearchFields() map[string]fieldKind { return map[string]fieldKind{"name": kindText} }

// condition is a parsed query.
type condition interface {
	// holds tells whether a record, given as a function from field to value, is wanted.
	holds(value func(field string) any) bool
	// names tells whether the query mentions a field.
	names(field string) bool
}

type (
	allOf []condition // AND
	anyOf []condition // OR
)

func (a allOf) holds(value func(string) any) bool {
	return !slices.ContainsFunc(a, func(c condition) bool { return !c.holds(value) })
}

func (a allOf) names(field string) bool {
	return slices.ContainsFunc(a, func(c condition) bool { return c.names(field) })
}

func (a anyOf) holds(value func(string) any) bool {
	return slices.ContainsFunc(a, func(c condition) bool { return c.holds(value) })
}

func (a anyOf) names(field string) bool { return allOf(a).names(field) }

// comparison is field:value, field:>value (at least) or field:<value (at most).
type comparison struct {
	field    string
	operator byte // 0, '>' or '<'
	want     any  // nil, int64, bool, string or dateValue
}

// dateValue is a date, which stands for its whole day, or an instant.
type dateValue struct{ from, to time.Time }

func (c comparison) names(field string) bool { return c.field == field }

func (c comparison) holds(value func(string) any) bool { return c.matches(value(c.field)) }

func (c comparison) matches(have any) bool {
	switch have := have.(type) {
	case nil:
		return c.want == nil
	case []string:
		return slices.ContainsFunc(have, func(s string) bool { return c.matches(s) })
	case []int64:
		return slices.ContainsFunc(have, func(n int64) bool { return c.matches(n) })
	case time.Time:
		want, ok := c.want.(dateValue)
		switch {
		case !ok:
			return false
		case c.operator == '>':
			return !have.Before(want.from)
		case c.operator == '<':
			return !have.After(want.to)
		default:
			return !have.Before(want.from) && !have.After(want.to)
		}
	case int64:
		want, ok := c.want.(int64)
		switch {
		case !ok:
			return false
		case c.operator == '>':
			return have >= want
		case c.operator == '<':
			return have <= want
		default:
			return have == want
		}
	case string:
		want, ok := c.want.(string)
		return ok && strings.EqualFold(have, want)
	default:
		return have == c.want
	}
}

// queryError is what Freshservice says about a query; code is the error's code in its 400.
type queryError struct{ message, code string }

func (e queryError) Error() string { return e.message }

// condition reads the parameter `query`: a query in double quotes.
func (c *call) condition(fields map[string]fieldKind) (condition, *answer) {
	parsed, err := parseQuery(c.query.Get("query"), fields, c.switches.DateOnly)
	if err == nil {
		return parsed, nil
	}
	var refused queryError
	if !errors.As(err, &refused) {
		refused = queryError{err.Error(), "invalid_value"}
	}
	return nil, new(invalid("query", refused.message, refused.code))
}

// parseQuery reads a query of at most 512 characters in double quotes: comparisons with AND, OR and
// parentheses, AND before OR; text and dates in single quotes, numbers and booleans bare, null for
// agent and group. dateOnly takes every time in it as its whole day.
func parseQuery(quoted string, fields map[string]fieldKind, dateOnly bool) (condition, error) {
	inner, opened := strings.CutPrefix(quoted, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !opened || !closed {
		return nil, errors.New("the query is to stand in double quotes")
	}
	if n := len([]rune(inner)); n > queryLimit {
		return nil, fmt.Errorf("the query has %d characters; at most %d are allowed", n, queryLimit)
	}
	p := &queryParser{rest: inner, fields: fields, dateOnly: dateOnly}
	parsed, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.rest != "" {
		return nil, fmt.Errorf("the query is not understood at %q", p.rest)
	}
	return parsed, nil
}

type queryParser struct {
	rest     string
	fields   map[string]fieldKind
	dateOnly bool // times are taken as their whole day
}

func (p *queryParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

// literal takes a mark that stands next.
func (p *queryParser) literal(mark string) bool {
	p.skip()
	rest, found := strings.CutPrefix(p.rest, mark)
	p.rest = rest
	return found
}

// operator takes AND or OR, which must end there.
func (p *queryParser) operator(word string) bool {
	p.skip()
	rest, found := strings.CutPrefix(p.rest, word)
	if !found || rest != "" && isWordByte(rest[0]) {
		return false
	}
	p.rest = rest
	return true
}

func isWordByte(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// word takes letters, digits and underscores; for a bare value, a sign before them.
func (p *queryParser) word() string {
	p.skip()
	n := 0
	for n < len(p.rest) && (isWordByte(p.rest[n]) || n == 0 && p.rest[n] == '-') {
		n++
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}

func (p *queryParser) alternatives() (condition, error) {
	var list anyOf
	for {
		next, err := p.conjunction()
		if err != nil {
			return nil, err
		}
		list = append(list, next)
		if !p.operator("OR") {
			return list, nil
		}
	}
}

func (p *queryParser) conjunction() (condition, error) {
	var list allOf
	for {
		next, err := p.term()
		if err != nil {
			return nil, err
		}
		list = append(list, next)
		if !p.operator("AND") {
			return list, nil
		}
	}
}

func (p *queryParser) term() (condition, error) {
	if p.literal("(") {
		inner, err := p.alternatives()
		if err != nil {
			return nil, err
		}
		if !p.literal(")") {
			return nil, errors.New("a parenthesis is not closed")
		}
		return inner, nil
	}
	return p.comparison()
}

func (p *queryParser) comparison() (condition, error) {
	field := p.word()
	if field == "" {
		return nil, fmt.Errorf("a field is missing at %q", p.rest)
	}
	kind, known := p.fields[field]
	if !known {
		return nil, queryError{"Unexpected/invalid field in request: " + field, "invalid_field"}
	}
	if !p.literal(":") {
		return nil, fmt.Errorf("a colon is missing after %s", field)
	}
	c := comparison{field: field}
	switch {
	case p.literal(">"):
		c.operator = '>'
	case p.literal("<"):
		c.operator = '<'
	}
	want, err := p.value(field, kind)
	if err != nil {
		return nil, err
	}
	if c.operator != 0 && kind != kindDate && kind != kindNumber {
		return nil, queryError{field + " cannot be compared with " + string(c.operator), "invalid_value"}
	}
	c.want = want
	return c, nil
}

// value takes a value of a field's kind.
func (p *queryParser) value(field string, kind fieldKind) (any, error) {
	mismatch := queryError{"the value of " + field + " is of another type", "datatype_mismatch"}
	if p.literal("'") {
		quoted, rest, closed := strings.Cut(p.rest, "'")
		if !closed {
			return nil, errors.New("a quote is not closed")
		}
		p.rest = rest
		switch kind {
		case kindText:
			return quoted, nil
		case kindDate:
			from, to, ok := parseDate(quoted)
			if !ok {
				return nil, queryError{"the date of " + field + " is not understood", "invalid_date"}
			}
			if p.dateOnly {
				from, to = wholeDay(from)
			}
			return dateValue{from, to}, nil
		default:
			return nil, mismatch
		}
	}
	bare := p.word()
	switch {
	case bare == "":
		return nil, fmt.Errorf("the value of %s is missing", field)
	case bare == "null" && kind == kindNullableNumber:
		return nil, nil
	case kind == kindBool && (bare == "true" || bare == "false"):
		return bare == "true", nil
	case kind == kindNumber || kind == kindNullableNumber:
		n, err := strconv.ParseInt(bare, 10, 64)
		if err != nil {
			return nil, mismatch
		}
		return n, nil
	default:
		return nil, mismatch
	}
}

// parseDate reads a date or a date-time; without a zone it is UTC. A date is its whole day, from its
// first second to its last.
func parseDate(s string) (from, to time.Time, ok bool) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		from, to = wholeDay(day)
		return from, to, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), at.UTC(), true
		}
	}
	return time.Time{}, time.Time{}, false
}

// wholeDay is the UTC day of an instant, from its first second to its last.
func wholeDay(at time.Time) (from, to time.Time) {
	from = at.UTC().Truncate(24 * time.Hour)
	return from, from.Add(24*time.Hour - time.Second)
}
