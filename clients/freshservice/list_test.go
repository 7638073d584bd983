package freshservice_test

import (
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
)

func TestAListIsReadToItsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		ids    []int64
		asked  int
	}{
		"empty":                     {pages("departments"), []int64{}, 1},
		"one short page":            {pages("departments", simple(1, 1)...), []int64{1}, 1},
		"a last page that is short": {pages("departments", simple(1, 5)...), []int64{1, 2, 3, 4, 5}, 3},
		"a last page that is full":  {pages("departments", simple(1, 4)...), []int64{1, 2, 3, 4}, 3}, // the third is empty
		"full pages without a link": {func(w http.ResponseWriter, r *http.Request) {
			pages("departments", simple(1, 5)...)(stripped{w}, r)
		}, []int64{1, 2, 3, 4, 5}, 3},
		"short pages with a link": {func(w http.ResponseWriter, r *http.Request) {
			page := map[string]string{"1": `{"id":1}`, "2": `{"id":2}`, "3": ``}[r.URL.Query().Get("page")]
			w.Header().Set("Link", `<http://x/y?page=9>; rel="next"`)
			answer(w, 200, `{"departments":[`+page+`]}`)
		}, []int64{1, 2}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			account.on("/departments", test.handle)
			list, err := account.client().Departments(t.Context())
			if err != nil || !list.Complete || !reflect.DeepEqual(ids(list.Items), test.ids) {
				t.Errorf("got %v, complete %v, %v", ids(list.Items), list.Complete, err)
			}
			if asked := account.requests(); len(asked) != test.asked {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

// stripped takes the link header off.
type stripped struct{ http.ResponseWriter }

func (s stripped) WriteHeader(status int) {
	s.Header().Del("link")
	s.ResponseWriter.WriteHeader(status)
}

func TestAPageThatRepeatsIsAskedForAgain(t *testing.T) {
	account := newAccount(t)
	asked := 0
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			if asked++; asked == 1 {
				query := r.URL.Query()
				query.Set("page", "1")
				r.URL.RawQuery = query.Encode()
			}
		}
		pages("departments", simple(1, 5)...)(w, r)
	})
	list, err := account.client().Departments(t.Context())
	if err != nil || !list.Complete || !reflect.DeepEqual(ids(list.Items), []int64{1, 2, 3, 4, 5}) {
		t.Errorf("got %v, complete %v, %v", ids(list.Items), list.Complete, err)
	}
}

func TestAPageThatKeepsRepeatingLeavesTheListingIncomplete(t *testing.T) {
	t.Run("and the rest is read", func(t *testing.T) {
		account := newAccount(t)
		account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); query.Get("page") == "2" {
				query.Set("page", "1")
				r.URL.RawQuery = query.Encode()
			}
			pages("departments", simple(1, 5)...)(w, r)
		})
		list, err := account.client().Departments(t.Context())
		if err != nil || list.Complete || !reflect.DeepEqual(ids(list.Items), []int64{1, 2, 5}) {
			t.Errorf("got %v, complete %v, %v", ids(list.Items), list.Complete, err)
		}
	})
	t.Run("and a list that never ends is left", func(t *testing.T) {
		account := newAccount(t)
		account.on("/departments", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("link", `<x>; rel="next"`)
			answer(w, 200, `{"departments":[{"id":1},{"id":2}]}`)
		})
		list, err := account.client().Departments(t.Context())
		if err != nil || list.Complete || len(list.Items) != 2 || len(account.requests()) != 5 {
			t.Errorf("got %v, complete %v, %v after %v", ids(list.Items), list.Complete, err, account.requests())
		}
	})
}

func TestARecordThatMovesBetweenPagesComesOnceAsItWasReadLast(t *testing.T) {
	account := newAccount(t)
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, map[string]string{
			"1": `{"departments":[{"id":1,"name":"One"},{"id":2,"name":"Two"}]}`,
			"2": `{"departments":[{"id":2,"name":"Two, renamed"},{"id":3,"name":"Three"}]}`,
			"3": `{"departments":[]}`,
		}[r.URL.Query().Get("page")])
	})
	list, err := account.client().Departments(t.Context())
	if err != nil || len(list.Items) != 3 || list.Items[1].Name != "Two, renamed" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestEnvelopesAreSingularOrPlural(t *testing.T) {
	account := newAccount(t)
	account.on("/requesters", pages("requester", `{"id":1}`))
	account.on("/agents/1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"agents":{"id":"1","first_name":"Ana"}}`) // as the product for MSPs has departments
	})
	requesters, err := account.client().Requesters(t.Context())
	if err != nil || len(requesters.Items) != 1 {
		t.Errorf("requesters: %+v, %v", requesters, err)
	}
	agent, err := account.client().Agent(t.Context(), 1)
	if err != nil || agent.ID != 1 || agent.FirstName != "Ana" {
		t.Errorf("agent: %+v, %v", agent, err)
	}
}

func TestA200WithoutItsListIsAnErrorAndNeverEmpty(t *testing.T) {
	for name, body := range map[string]string{
		"an error": `{"message":"something went wrong"}`, "an empty object": `{}`, "nothing": ``, "null": `null`, "an array": `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			account.on("/departments", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, body) })
			list, err := account.client().Departments(t.Context())
			if err == nil || list.Complete || len(account.requests()) != 5 {
				t.Errorf("got %+v, %v after %d requests", list, err, len(account.requests()))
			}
		})
	}
	account := newAccount(t)
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		if len(account.requests()) == 1 {
			answer(w, 200, `{}`)
			return
		}
		pages("departments", simple(1, 1)...)(w, r)
	})
	if list, err := account.client().Departments(t.Context()); err != nil || len(list.Items) != 1 {
		t.Errorf("once without, then with: %+v, %v", list, err)
	}
}

func TestAFailedPageFailsTheListing(t *testing.T) {
	account := newAccount(t)
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			answer(w, 500, `{"code":"internal_error"}`)
			return
		}
		pages("departments", simple(1, 5)...)(w, r)
	})
	_, err := account.client().Departments(t.Context())
	want := "listing departments: freshservice: /api/v2/departments: given up after 5 tries: 500 Internal Server Error: internal_error"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAnAccountThatRefusesEmbedsIsReadWithout(t *testing.T) {
	account := newAccount(t)
	refuse := func(w http.ResponseWriter, r *http.Request, body string) {
		if r.URL.Query().Has("include") {
			answer(w, 400, `{"description":"Validation failed","errors":[{"field":"include","message":"no","code":"invalid_value"}]}`)
			return
		}
		answer(w, 200, body)
	}
	ticket := `{"id":7,"status":5,"updated_at":"2025-01-15T10:30:00Z"}`
	account.on("/tickets", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, `{"tickets":[`+ticket+`]}`) })
	account.on("/tickets/7", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, `{"ticket":`+ticket+`}`) })
	list, err := account.client().Tickets(t.Context(), freshservice.TicketQuery{Stats: true})
	if err != nil || len(list.Items) != 1 || list.Items[0].Stats != nil {
		t.Errorf("list: %+v, %v", list, err)
	}
	one, err := account.client().Ticket(t.Context(), 7)
	if err != nil || one.ID != 7 || one.Stats != nil {
		t.Errorf("one: %+v, %v", one, err)
	}
}

func TestEachConfiguredWorkspaceIsListedAndTheyArePutTogether(t *testing.T) {
	byWorkspace := func(w http.ResponseWriter, r *http.Request) {
		records := map[string][]string{"2": simple(1, 3), "3": simple(3, 4), "": simple(9, 9)}[r.URL.Query().Get("workspace_id")]
		pages("departments", records...)(w, r)
	}
	account := newAccount(t)
	account.on("/departments", byWorkspace)
	list, err := account.client(func(o *freshservice.Options) { o.Workspaces = []int64{2, 3} }).Departments(t.Context())
	if err != nil || !list.Complete || !reflect.DeepEqual(ids(list.Items), []int64{1, 2, 3, 4}) {
		t.Errorf("got %v, complete %v, %v", ids(list.Items), list.Complete, err)
	}
	list, err = account.client().Departments(t.Context())
	if err != nil || !reflect.DeepEqual(ids(list.Items), []int64{9}) {
		t.Errorf("without workspaces: %v, %v", ids(list.Items), err)
	}
}

func TestWorkspaceZeroIsAllOfThemAndIsNamedWhereOnlyTicketsNeedIt(t *testing.T) {
	for name, test := range map[string]struct {
		workspaces []int64
		asked      []string
	}{
		"none is configured": {nil, []string{
			"/tickets?order_type=asc&page=1&per_page=2",
			"/departments?page=1&per_page=2", "/requesters?page=1&per_page=2",
		}},
		"zero is configured": {[]int64{0}, []string{
			"/tickets?order_type=asc&page=1&per_page=2&workspace_id=0",
			"/departments?page=1&per_page=2", "/requesters?page=1&per_page=2",
		}},
		"zero beside another, which is in it": {[]int64{3, 0}, []string{
			"/tickets?order_type=asc&page=1&per_page=2&workspace_id=0",
			"/departments?page=1&per_page=2", "/requesters?page=1&per_page=2",
		}},
		"one is configured": {[]int64{3}, []string{
			"/tickets?order_type=asc&page=1&per_page=2&workspace_id=3",
			"/departments?page=1&per_page=2&workspace_id=3", "/requesters?page=1&per_page=2&workspace_id=3",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			for _, kind := range []string{"tickets", "departments", "requesters"} {
				account.on("/"+kind, pages(kind))
			}
			client := account.client(func(o *freshservice.Options) { o.Workspaces = test.workspaces })
			_, tickets := client.Tickets(t.Context(), freshservice.TicketQuery{})
			_, departments := client.Departments(t.Context())
			_, requesters := client.Requesters(t.Context())
			if err := errors.Join(tickets, departments, requesters); err != nil {
				t.Fatal(err)
			}
			if asked := account.requests(); !reflect.DeepEqual(asked, test.asked) {
				t.Errorf("asked %q\nwant  %q", asked, test.asked)
			}
		})
	}
}

func TestWhereDepartmentsKnowNoWorkspacesThePlainListingIsTaken(t *testing.T) {
	account := newAccount(t)
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("workspace_id") {
			answer(w, 400, `{"description":"Validation failed"}`)
			return
		}
		pages("departments", simple(1, 3)...)(w, r)
	})
	client := account.client(func(o *freshservice.Options) { o.Workspaces = []int64{2, 3} })
	list, err := client.Departments(t.Context())
	if err != nil || !list.Complete || len(list.Items) != 3 || len(account.requests()) != 3 {
		t.Errorf("got %v, %v after %v", ids(list.Items), err, account.requests())
	}
	account.on("/tickets", func(w http.ResponseWriter, _ *http.Request) { answer(w, 400, `{}`) })
	if _, err := client.Tickets(t.Context(), freshservice.TicketQuery{}); transport.StatusOf(err) != 400 {
		t.Errorf("tickets belong to a workspace, and yet: %v", err)
	}
}

func TestLimitsFollowTheHeadersOfAnswers(t *testing.T) {
	account := newAccount(t)
	account.on("/departments", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Total", "100000")
		w.Header().Set("X-RateLimit-Remaining", "99990")
		w.Header().Set("X-RateLimit-Used-CurrentRequest", "1")
		if len(account.requests()) == 2 {
			w.Header().Set("Retry-After", "0")
			answer(w, 429, `{"message":"The API rate limit allotted for your Freshservice domain has been exhausted"}`)
			return
		}
		pages("departments", simple(1, 3)...)(w, r)
	})
	client := account.client()
	meter := &transport.Meter{}
	list, err := client.Departments(transport.WithMeter(t.Context(), meter))
	if err != nil || len(list.Items) != 3 || meter.Stats().Requests != 3 {
		t.Errorf("got %v, %v, %+v", ids(list.Items), err, meter.Stats())
	}
}
