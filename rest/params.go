package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// parameter is the first value of a parameter of the query string. Whatever else stands there is
// not looked at: unknown parameters are ignored, ill-formed ones too.
func parameter(r *http.Request, name string) (value string, given bool, err error) {
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, text, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		value, err := url.QueryUnescape(text)
		if err != nil {
			return "", true, codex.BadInput(name, "the value is not well-formed")
		}
		return value, true, nil
	}
	return "", false, nil
}

// ticketFilter is which tickets are asked for (docs/compatibility.md, "Which tickets").
func (s *service) ticketFilter(r *http.Request) (query.TicketFilter, error) {
	text, given, err := parameter(r, "year")
	switch {
	case err != nil:
		return query.TicketFilter{}, err
	case !given:
		return query.TicketFilter{UpdatedFrom: store.UTC(s.Now()).AddDate(0, 0, -s.TicketDays)}, nil
	}
	year, ok := parseYear(text)
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
// true in any letter case, so that 1 does not count, and what is no text at all neither.
func includeTickets(r *http.Request) bool {
	text, _, err := parameter(r, "include_tickets")
	return err == nil && strings.EqualFold(text, "true")
}

// flag is an optional true or false of ours.
func flag(r *http.Request, name string) (bool, error) {
	text, given, err := parameter(r, name)
	switch {
	case err != nil:
		return false, err
	case !given, text == "false":
		return false, nil
	case text == "true":
		return true, nil
	default:
		return false, codex.BadInput(name, "give true or false")
	}
}
