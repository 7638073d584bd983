package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
)

// parameters are those of the query string; unlike [url.URL.Query] it refuses one that is broken
// instead of dropping what it cannot read.
func parameters(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, codex.Errorf(codex.CodeBadInput, "the query string is not well-formed")
	}
	return values, nil
}

// ticketFilter is which tickets are asked for (docs/compatibility.md, "Which tickets").
func (s *service) ticketFilter(values url.Values) (query.TicketFilter, error) {
	if !values.Has("year") {
		return query.TicketFilter{UpdatedFrom: s.Now().UTC().AddDate(0, 0, -s.TicketDays)}, nil
	}
	year, ok := parseYear(values.Get("year"))
	if !ok {
		return query.TicketFilter{}, codex.BadInput("year", "give four digits, such as 2025")
	}
	return query.TicketFilter{Year: year}, nil
}

// parseYear takes exactly four digits, and not 0000: there is no such year.
func parseYear(text string) (int, bool) {
	if len(text) != 4 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	year, err := strconv.Atoi(text)
	return year, err == nil && year > 0
}

// includeTickets tells whether the bulk answer shall have tickets. Old Codex asked for the word
// true in any letter case, so 1 does not count.
func includeTickets(values url.Values) bool {
	return strings.EqualFold(values.Get("include_tickets"), "true")
}

// flag is an optional true or false of ours.
func flag(values url.Values, name string) (bool, error) {
	switch {
	case !values.Has(name), values.Get(name) == "false":
		return false, nil
	case values.Get(name) == "true":
		return true, nil
	default:
		return false, codex.BadInput(name, "give true or false")
	}
}
