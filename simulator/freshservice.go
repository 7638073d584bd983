package simulator

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// freshservicePrefix is where the API lies; its link headers repeat it.
const freshservicePrefix = "/api/v2"

// freshserviceRoutes are the endpoints; the first pattern that fits is the one.
func freshserviceRoutes() []route {
	listEmbeds := []string{"stats", "requester", "requested_for", "tags", "department"}
	viewEmbeds := append([]string{"conversations"}, listEmbeds...)
	return []route{
		{pattern: "/departments", serve: listDepartments},
		{pattern: "/departments/{id}", serve: viewDepartment},
		{pattern: "/department_fields", serve: listDepartmentFields},
		{pattern: "/requesters", bucket: bucketListRequesters, serve: listRequesters},
		{pattern: "/requesters/{id}", serve: viewRequester},
		{pattern: "/agents", bucket: bucketListAgents, serve: listAgents},
		{pattern: "/agents/me", serve: viewMe},
		{pattern: "/agents/{id}", serve: viewAgent},
		{pattern: "/ticket_form_fields", serve: listTicketFields},
		{pattern: "/workspaces", serve: listWorkspaces},
		{pattern: "/tickets", bucket: bucketListTickets, embeds: listEmbeds, credits: 2, serve: listTickets},
		{pattern: "/tickets/filter", bucket: bucketListTickets, serve: filterTickets},
		{pattern: "/tickets/{id}", bucket: bucketViewTicket, embeds: viewEmbeds, credits: 1, serve: viewTicket},
		{pattern: "/tickets/{id}/time_entries", serve: listTimeEntries},
		{pattern: "/tickets/{id}/conversations", serve: listConversations},
	}
}

// FreshserviceHandler serves Freshservice v2 under /api/v2.
func (s *Sim) FreshserviceHandler() http.Handler {
	routes := freshserviceRoutes()
	return s.handle(Freshservice, func(r *http.Request) admission { return s.admitFreshservice(routes, r) })
}

// admitFreshservice finds the endpoint and checks credentials, limits and the request's form. Failed
// requests count against the limits (D), each as one credit.
func (s *Sim) admitFreshservice(routes []route, r *http.Request) admission {
	path, under := strings.CutPrefix(r.URL.Path, freshservicePrefix)
	found, args := match(routes, path)
	b, credits := bucketOverall, 1
	var failure *answer
	switch {
	case !s.keyIsRight(r):
		failure = new(freshserviceRefusal(http.StatusUnauthorized))
	case !under || found == nil:
		failure = new(freshserviceRefusal(http.StatusNotFound))
	case r.Method != http.MethodGet:
		failure = &answer{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {"GET"}},
			body: envelope{{"code", "method_not_allowed"},
				{"message", r.Method + " method is not allowed. It should be one of these method(s): GET"}}}
	case !acceptsJSON(r.Header.Values("Accept")):
		failure = &answer{status: http.StatusNotAcceptable, body: envelope{{"code", "not_acceptable"},
			{"message", "The requested format is not available; it is application/json."}}}
	default:
		b = found.bucket
		embeds := embedsOf(r.URL.Query())
		if wrong := slices.IndexFunc(embeds, func(e string) bool { return !slices.Contains(found.embeds, e) }); wrong >= 0 {
			failure = new(invalid("include", "It should be one of these values: '"+
				strings.Join(found.embeds, ", ")+"'", "invalid_value"))
		} else if len(embeds) > 0 && found.pattern == "/tickets" && s.Switches().ListInclude400 {
			failure = new(invalid("include", "Unexpected/invalid field in request", "invalid_field"))
		} else {
			credits += found.credits * len(embeds)
		}
	}
	header, refusal := s.freshserviceLimit.take(s.clock(), b, credits, s.Switches().Burst429)
	if refusal == nil {
		refusal = failure
	}
	return admission{route: found, args: args, header: header, refusal: refusal}
}

// freshserviceRefusal is Freshservice's error of a status, apart from the 400 about a field. The 403
// and the 5xx that no endpoint here gives by itself are for faults.
func freshserviceRefusal(status int) answer {
	code, message := "", ""
	switch status {
	case http.StatusUnauthorized:
		code, message = "invalid_credentials", "You have to be logged in to perform this action."
	case http.StatusForbidden:
		code, message = "access_denied", "You are not authorized to perform this action."
	case http.StatusNotFound:
		return answer{status: status}
	case http.StatusTooManyRequests:
		return answer{status: status, body: envelope{
			{"message", "The API rate limit allotted for your Freshservice domain has been exhausted"},
		}}
	case http.StatusInternalServerError:
		code, message = "internal_error", "We're sorry, but something went wrong."
	default: // not documented (choice: the form of the others)
		message = http.StatusText(status)
		code = strings.ToLower(strings.ReplaceAll(message, " ", "_"))
	}
	return answer{status: status, body: envelope{{"code", code}, {"message", message}}}
}

// keyIsRight compares the API key, the user name of Basic authentication; the password is any dummy.
func (s *Sim) keyIsRight(r *http.Request) bool {
	user, _, ok := r.BasicAuth()
	return ok && subtle.ConstantTimeCompare([]byte(user), []byte(s.opts.FreshserviceKey)) == 1
}

// acceptsJSON reads the Accept header: none, JSON and */* are served.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(entry, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// embedsOf are the values of include, each once.
func embedsOf(query url.Values) []string {
	var embeds []string
	for _, value := range query["include"] {
		for embed := range strings.SplitSeq(value, ",") {
			if embed = strings.TrimSpace(embed); embed != "" && !slices.Contains(embeds, embed) {
				embeds = append(embeds, embed)
			}
		}
	}
	return embeds
}

// invalid is Freshservice's 400 about one field.
func invalid(field, message, code string) answer {
	return answer{status: http.StatusBadRequest, body: envelope{
		{"description", "Validation failed"},
		{"errors", []envelope{{{"field", field}, {"message", message}, {"code", code}}}},
	}}
}

// found wraps one record in its envelope.
func found(key string, record any) answer {
	return answer{status: http.StatusOK, body: envelope{{key, record}}}
}

// pageOf is the page that a request asks for: page from 1, per_page 30 unless told, at most 100.
func pageOf(query url.Values) (page, perPage int, refusal *answer) {
	page, perPage = 1, 30
	for _, p := range []struct {
		name string
		into *int
		most int
	}{{"page", &page, 1 << 30}, {"per_page", &perPage, 100}} {
		if !query.Has(p.name) {
			continue
		}
		n, err := strconv.Atoi(query.Get(p.name))
		if err != nil || n < 1 || n > p.most {
			message := "It should be a/an Positive Integer"
			if err == nil && n > p.most {
				message = fmt.Sprintf("It should be a/an Positive Integer less than or equal to %d", p.most)
			}
			return 0, 0, new(invalid(p.name, message, "invalid_value"))
		}
		*p.into = n
	}
	return page, perPage, nil
}

// cut is one page of a list; past the end it is empty, not nil.
func cut[T any](records []T, skip, count int) []T {
	if skip >= len(records) || skip < 0 {
		return []T{}
	}
	return records[skip:min(skip+count, len(records))]
}

// paged answers with one page of records in their envelope, and with a link while there is a next one.
func paged[T any](c *call, key string, records []T, show func(T) any) answer {
	page, perPage, refusal := pageOf(c.query)
	if refusal != nil {
		return *refusal
	}
	shown := []any{}
	for _, record := range cut(records, (page-1)*perPage, perPage) {
		shown = append(shown, show(record))
	}
	a := found(key, shown)
	if page*perPage < len(records) {
		next := url.Values{}
		for name, values := range c.query {
			next[name] = values
		}
		next.Set("page", strconv.Itoa(page+1))
		a.header = http.Header{"Link": {fmt.Sprintf("<%s%s?%s>; rel=%q", c.base, c.path, next.Encode(), "next")}}
	}
	return a
}
