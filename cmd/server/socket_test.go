package main

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
)

func TestVerbsAskARunningServe(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()

	token := i.token("admin")
	if got := get(t, s.url+"/api/companies", token); got.status != http.StatusOK || got.body != "[]\n" {
		t.Errorf("before any sync: %d %s", got.status, got.body)
	}
	if told := i.must("sync", "all"); !strings.HasPrefix(told, "freshservice: run ") || strings.Contains(told, "joined") {
		t.Errorf("nobody had asked before:\n%s", told)
	}
	got := s.graphQL(token, `{ syncRuns { nodes { feed state trigger requestedBy } } }`)
	me := username(t)
	want := `{"data":{"syncRuns":{"nodes":[` +
		`{"feed":"TICKETS","state":"SUCCEEDED","trigger":"CLI","requestedBy":"` + me + ` (local socket)"},` +
		`{"feed":"DATTO","state":"SUCCEEDED","trigger":"CLI","requestedBy":"` + me + ` (local socket)"},` +
		`{"feed":"FRESHSERVICE","state":"SUCCEEDED","trigger":"CLI","requestedBy":"` + me + ` (local socket)"}]}}}` + "\n"
	if got.body != want {
		t.Errorf("%s, want %s", got.body, want)
	}

	if refused := i.codex("sync", "all", "--new-upstream"); refused.status != exitFailed ||
		refused.stderr != "codex: a codex serve is running on this instance: stop it, or start it anew with --new-upstream\n" {
		t.Errorf("%+v", refused)
	}
	if second := i.codex("serve"); second.status != exitFailed || !strings.Contains(second.stderr, "serves the SQLite database") {
		t.Errorf("a second serve: %+v", second)
	}
	if migrated := i.codex("migrate"); migrated.status != exitFailed || !strings.Contains(migrated.stderr, "serves the SQLite database") {
		t.Errorf("a database was migrated while it is served: %+v", migrated)
	}
	if rebuilt := i.codex("migrate", "--rebuild", "--yes=codex.db"); rebuilt.status != exitFailed {
		t.Errorf("a database was rebuilt while it is served: %+v", rebuilt)
	}

	i.must("token", "revoke", "test-admin")
	if got := get(t, s.url+"/api/companies", token); got.status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d %s", got.status, got.body)
	}

	if stopped := s.stop(); stopped.status != exitOK {
		t.Errorf("the serve ended with %d\n%s", stopped.status, stopped.stderr)
	}
	run := runs(t, i.must("sync", "datto", "--json"))["datto"]
	if run["state"] != "succeeded" || run["created"] != 0.0 {
		t.Errorf("without a serve: %v", run)
	}
	again := i.serve()
	last := again.graphQL(i.line("token", "create", "--name", "again", "--role", "service"), `{ syncRuns(first: 1) { nodes { trigger requestedBy } } }`)
	if want := `{"data":{"syncRuns":{"nodes":[{"trigger":"CLI","requestedBy":"` + me + ` (command line)"}]}}}` + "\n"; last.body != want {
		t.Errorf("%s, want %s", last.body, want)
	}
}

// username is who runs the tests.
func username(t *testing.T) string {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return me.Username
}

// line is must for a verb that prints one line.
func (i *installation) line(args ...string) string {
	i.t.Helper()
	return strings.TrimSuffix(i.must(args...), "\n")
}

func TestTokensAreListedWithoutTheirSecrets(t *testing.T) {
	i := bare(t)
	secret := i.line("token", "create", "--name", "ledger", "--role", "service", "--expires", "30d")
	if !regexp.MustCompile(`^codex_[A-Za-z0-9_-]{43}$`).MatchString(secret) {
		t.Errorf("printed %q", secret)
	}
	i.must("token", "create", "--name", "audit", "--role", "billing")
	i.must("token", "revoke", "audit")
	type token struct {
		Name, Role string
		CreatedBy  string  `json:"created_by"`
		ExpiresAt  *string `json:"expires_at"`
		RevokedAt  *string `json:"revoked_at"`
	}
	tokens := into[[]token](t, i.must("token", "list", "--json"))
	if len(tokens) != 2 || tokens[0].Name != "audit" || tokens[0].RevokedAt == nil || tokens[1].Name != "ledger" ||
		tokens[1].Role != "service" || tokens[1].CreatedBy != username(t)+" (command line)" || !strings.HasPrefix(*tokens[1].ExpiresAt, "2026-07-15T12:00:0") {
		t.Errorf("%+v", tokens)
	}
	table := strings.Split(i.must("token", "list"), "\n")
	if len(table) != 4 || !strings.HasPrefix(table[0], "NAME") || !strings.HasPrefix(table[1], "audit") || !strings.HasPrefix(table[2], "ledger") {
		t.Errorf("%q", table)
	}
	if again := i.codex("token", "create", "--name", "audit", "--role", "billing"); again.status != exitFailed {
		t.Errorf("a name was given twice: %+v", again)
	}
}

func TestTheFirstServeOfADatabaseWritesAnAdminTokenToAnOwnerOnlyFile(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	path := filepath.Join(i.dir, "instance", "first-admin-token")
	if !strings.Contains(s.stdout.String(), path) {
		t.Errorf("the file's name is not told:\n%s", s.stdout)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	token := strings.TrimSpace(i.read("instance/first-admin-token"))
	if got := s.graphQL(token, `{ me { name role } }`); got.body != `{"data":{"me":{"name":"first-admin","role":"ADMIN"}}}`+"\n" {
		t.Error(got.body)
	}
	i.noSecrets([]string{"serve"}, s.stop())

	// It has a token now, so there is no second one.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := i.serve().stop()
	if _, err := os.Stat(path); !os.IsNotExist(err) || strings.Contains(second.stdout, "first-admin-token") {
		t.Errorf("%v\n%s", err, second.stdout)
	}
	left, err := filepath.Glob(filepath.Join(i.dir, "instance", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestMigrateAppliesTellsAndRebuilds(t *testing.T) {
	i := bare(t)
	if none := i.must("migrate", "--status"); none != i.dir+"/instance/codex.db is not there yet: codex migrate makes it\n" {
		t.Error(none)
	}
	if names := namesIn(t, i.dir); len(names) > 0 {
		t.Errorf("--status made %v", names)
	}
	i.write("instance/codex.db", "")
	pending := i.must("migrate", "--status")
	if !strings.Contains(pending, "pending") || strings.Contains(pending, "applied") {
		t.Errorf("of an empty database:\n%s", pending)
	}
	if applied := i.must("migrate"); !strings.HasPrefix(applied, "applied 0001_") {
		t.Error(applied)
	}
	if again := i.must("migrate"); again != "codex.db is up to date\n" {
		t.Error(again)
	}
	if status := i.must("migrate", "--status"); strings.Contains(status, "pending") || !strings.Contains(status, "applied") {
		t.Error(status)
	}
	i.must("token", "create", "--name", "a", "--role", "admin")
	for _, typed := range []string{"", "yes\n", "codex\n"} {
		i.stdin = typed
		if o := i.codex("migrate", "--rebuild"); o.status != exitFailed || o.stdout != "" {
			t.Errorf("typed %q: %+v", typed, o)
		}
	}
	if o := i.codex("migrate", "--rebuild", "--yes=other"); o.status != exitFailed {
		t.Errorf("--yes=other: %+v", o)
	}
	if tokens := i.must("token", "list", "--json"); tokens == "[]\n" {
		t.Error("a refused rebuild dropped the tokens")
	}
	i.stdin = "codex.db\n"
	if o := i.must("migrate", "--rebuild"); o != "rebuilt codex.db\n" {
		t.Error(o)
	}
	if tokens := i.must("token", "list", "--json"); tokens != "[]\n" {
		t.Errorf("after a rebuild: %s", tokens)
	}
	i.must("migrate", "--rebuild", "--yes=codex.db")
}

func TestConfigAndInstanceStandBeforeOrBehindTheVerb(t *testing.T) {
	i := bare(t)
	i.write("elsewhere/my.conf", "[log]\nlevel = debug\n")
	for _, args := range []string{
		"--config elsewhere/my.conf --instance data config check",
		"config check --config elsewhere/my.conf --instance data",
		"config --instance data check --config elsewhere/my.conf",
	} {
		stdout := i.must(strings.Fields(args)...)
		head := fmt.Sprintf("# configuration file: %s/elsewhere/my.conf\n# instance folder: %s/data\n", i.dir, i.dir)
		if !strings.HasPrefix(stdout, head) || !strings.Contains(stdout, "level = debug\n") {
			t.Errorf("%s:\n%s", args, stdout)
		}
	}
}
