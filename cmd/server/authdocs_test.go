package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

// guided is a serve with a simulated Core, as the guides' examples find it.
func guided(t *testing.T) *served {
	t.Helper()
	i := install(t, dialect.SQLite)
	i.configure(dialect.SQLite, "[core]\nurl = "+i.upstream.CoreURL, "[auth]\nsync_services = helm, ledger")
	s := i.serve()
	i.must("sync", "all")
	return s
}

// The examples of a guide run in one shell, in their order: what one sets, a later one has. The block
// behind an example is what it prints.
func TestTheShellExamplesOfTheGuidesRun(t *testing.T) {
	for guide, atLeast := range map[string]int{"auth.md": 10, "graphql.md": 5, "rest.md": 5} {
		t.Run(guide, func(t *testing.T) { runGuide(t, guide, atLeast) })
	}
}

func runGuide(t *testing.T, name string, atLeast int) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```sh\n(.*?)```(?:\n\n```(?:json|text)\n(.*?)```)").FindAllStringSubmatch(string(guide), -1)
	if begun := strings.Count(string(guide), "```sh"); len(examples) != begun || begun < atLeast {
		t.Fatalf("%d of %d examples can be run", len(examples), begun)
	}
	s := guided(t)
	curl(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const end = "the end of an example"
	var script strings.Builder
	script.WriteString("set -euo pipefail\ncodex() { " + asProgram + "=1 '" + self + "' --config '" + filepath.Join(s.dir, "instance", "codex.conf") + "' \"$@\"; }\n")
	for _, example := range examples {
		script.WriteString(example[1] + "echo; echo '" + end + "'\n")
	}
	here := strings.NewReplacer("http://127.0.0.1:5001", s.url, "http://127.0.0.1:5093", s.upstream.CoreURL)
	out := runScript(t, here.Replace(script.String()))
	printed := strings.Split(out, end+"\n")
	if len(printed) != len(examples)+1 {
		t.Fatalf("it ended after %d examples:\n%s", len(printed)-1, out)
	}
	blank := regexp.MustCompile(`\n+`) // whether an answer ends its line is nobody's business
	for i, example := range examples {
		got := strings.TrimSpace(blank.ReplaceAllString(printed[i], "\n"))
		if want := strings.TrimSpace(example[2]); got != want {
			t.Errorf("%s\nprinted\n%s\nwant\n%s", example[1], got, want)
		}
	}
}

// curl makes sure that there is one, as the Makefile does for what it needs.
func curl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err == nil {
		return
	}
	if out, err := exec.CommandContext(t.Context(), "../../scripts/debian-package", "curl").CombinedOutput(); err != nil {
		t.Fatalf("there is no curl: %v\n%s", err, out)
	}
}

// runScript runs a script in an empty folder and gives what it prints.
func runScript(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = t.TempDir()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, stderr.String())
	}
	return string(out)
}

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
