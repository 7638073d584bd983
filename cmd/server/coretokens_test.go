package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

// What forged tokens, roles and services meet is the same on both faces of a whole hub.
func TestCoresTokensOpenRESTAndGraphQLAlike(t *testing.T) {
	s := guided(t)
	local := s.token("service")
	core := s.upstream
	other, err := simulator.New(simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	good := core.UserToken(simulator.CoreUser{Level: "admin"})
	for _, tc := range []struct {
		name, token      string
		reads, changes   int    // statuses of REST
		reading, syncing string // the codes of GraphQL
	}{
		{"an admin", good, 200, 200, "", ""},
		{"somebody of billing", core.UserToken(simulator.CoreUser{Level: "billing"}), 200, 403, "", "FORBIDDEN"},
		{"a technician", core.UserToken(simulator.CoreUser{}), 200, 403, "", "FORBIDDEN"},
		{"a customer", core.UserToken(simulator.CoreUser{Level: "client"}), 403, 403, "FORBIDDEN", "FORBIDDEN"},
		{"a service", core.ServiceToken("knowledgetree", "codex"), 200, 403, "", "FORBIDDEN"},
		{"a service that is named", core.ServiceToken("helm", "archive"), 200, 200, "", ""},
		{"a local token", local, 200, 200, "", ""},
		{"a service's for another one", core.ServiceToken("helm", "ledger"), 401, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"},
		{"another Core's", other.UserToken(simulator.CoreUser{Level: "admin"}), 401, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"},
		{"a changed one", good[:len(good)-6] + "AAAAAA", 401, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"},
		{"none", "", 401, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"},
	} {
		if got := get(t, s.url+"/api/companies", tc.token); got.status != tc.reads {
			t.Errorf("%s reads over REST: %d %s", tc.name, got.status, got.body)
		}
		if got := send(t, http.MethodPost, s.archive+"/sync/datto", tc.token, ""); got.status != tc.changes {
			t.Errorf("%s starts a sync over REST: %d %s", tc.name, got.status, got.body)
		}
		if got := graphQLCode(t, s.graphQL(tc.token, `{ companies(first: 1) { totalCount } }`)); got != tc.reading {
			t.Errorf("%s reads over GraphQL: %q", tc.name, got)
		}
		if got := graphQLCode(t, s.graphQL(tc.token, `mutation { syncDatto { run { id } } }`)); got != tc.syncing {
			t.Errorf("%s starts a sync over GraphQL: %q", tc.name, got)
		}
	}
	fault(t, s.upstream, simulator.FaultRule{Upstream: simulator.Core, Fault: simulator.Fault{Kind: simulator.FaultReset}})
	if got := get(t, s.url+"/api/companies", good); got.status != 200 {
		t.Errorf("while Core is down: %d %s", got.status, got.body)
	}
	if log := s.stderr.String(); !strings.Contains(log, "it is meant for") || strings.Contains(log, good) {
		t.Errorf("the log says nothing of why, or too much:\n%s", log)
	}
}

// graphQLCode is the code of an answer's first error; the one of HTTP where it never came so far.
func graphQLCode(t *testing.T, got answer) string {
	t.Helper()
	switch {
	case got.status == http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case got.status == http.StatusForbidden:
		return "FORBIDDEN"
	}
	errors := into[struct {
		Errors []struct{ Extensions struct{ Code string } }
	}](t, got.body).Errors
	if len(errors) == 0 {
		return ""
	}
	return errors[0].Extensions.Code
}
