package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// emptySite takes all machines off a site that has more than 10.
func emptySite(t *testing.T, upstream *simulator.Server) {
	t.Helper()
	bySite := map[string][]string{}
	fixtures := upstream.Fixtures()
	for _, d := range upstream.Truth().Devices {
		if d.SiteUID != nil && *d.SiteUID != fixtures.SiteDeletedDevices && *d.SiteUID != fixtures.SiteSecondOfContoso {
			bySite[*d.SiteUID] = append(bySite[*d.SiteUID], d.UID)
		}
	}
	for _, uids := range bySite {
		if len(uids) > 10 {
			for _, uid := range uids {
				if err := upstream.RemoveDevice(uid); err != nil {
					t.Fatal(err)
				}
			}
			return
		}
	}
	t.Fatal("no site has more than 10 machines")
}

// failOneSite has the variables of one site fail.
func failOneSite(t *testing.T, upstream *simulator.Server) {
	t.Helper()
	site := upstream.Fixtures().SiteSecondOfContoso
	fault(t, upstream, simulator.FaultRule{Upstream: simulator.Datto, Path: "/api/v2/site/" + site + "/variables",
		Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusBadRequest, Body: `{}`}})
}

func fault(t *testing.T, upstream *simulator.Server, rule simulator.FaultRule) {
	t.Helper()
	if _, err := upstream.AddFault(rule); err != nil {
		t.Fatal(err)
	}
}

func TestTheExitStatusSaysHowASyncEnded(t *testing.T) {
	wrongKey := func(t *testing.T, i *installation) { i.env["CODEX_FRESHSERVICE_API_KEY"] = "wrong" }
	held := func(t *testing.T, i *installation) { emptySite(t, i.upstream) }
	partial := func(t *testing.T, i *installation) { failOneSite(t, i.upstream) }
	tests := []struct {
		name   string
		after  func(t *testing.T, i *installation) // a first sync of everything
		args   string
		status int
		states map[string]string // by feed
	}{
		{"succeeded", nil, "sync all", exitOK, map[string]string{"freshservice": "succeeded", "datto": "succeeded", "tickets": "succeeded"}},
		{"a wrong key fails", wrongKey, "sync freshservice", exitFailed, map[string]string{"freshservice": "failed"}},
		{"a site that cannot be read is partial", partial, "sync datto", exitPartial, map[string]string{"datto": "partial"}},
		{"a dry run that could not read everything is partial too", partial, "sync datto --dry-run", exitPartial, map[string]string{"datto": "partial"}},
		{"a site that is empty all at once is held", held, "sync datto", exitHeld, map[string]string{"datto": "held"}},
		{"a dry run that could read everything has succeeded", held, "sync datto --dry-run", exitOK, nil},
		{"force is not held", held, "sync datto --force", exitOK, map[string]string{"datto": "succeeded"}},
		{"all goes on after a failure, which counts most", func(t *testing.T, i *installation) { wrongKey(t, i); held(t, i) }, "sync all", exitFailed,
			map[string]string{"freshservice": "failed", "datto": "held", "tickets": "failed"}},
		{"all that is held and not failed is held", held, "sync all", exitHeld,
			map[string]string{"freshservice": "succeeded", "datto": "held", "tickets": "succeeded"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := install(t, dialect.SQLite)
			i.must("sync", "all")
			if tt.after != nil {
				tt.after(t, i)
			}
			o := i.codex(append(strings.Fields(tt.args), "--json")...)
			if o.status != tt.status {
				t.Errorf("status %d, want %d\n%s%s", o.status, tt.status, o.stdout, o.stderr)
			}
			got := runs(t, o.stdout)
			for feed, state := range tt.states {
				if got[feed]["state"] != state {
					t.Errorf("%s: %v, want %s", feed, got[feed], state)
				}
				if reason := got[feed]["error"]; (reason != nil) != (state != "succeeded") {
					t.Errorf("%s is %s because of %v", feed, state, reason)
				}
			}
		})
	}
}

func TestWhatMakesNoSenseIsRefusedBeforeAnythingIsDone(t *testing.T) {
	tests := []struct {
		args   string
		status int
		stderr string
	}{
		{"sync bogus", exitUsage, "codex: there is no feed \"bogus\": it is freshservice, datto, tickets or all\n"},
		{"sync", exitUsage, "codex: codex sync needs FEED (see: codex sync --help)\n"},
		{"sync datto tickets", exitUsage, "codex: codex sync takes no \"tickets\" (see: codex sync --help)\n"},
		{"sync all --bogus", exitUsage, "codex: unknown flag: --bogus (see: codex sync --help)\n"},
		{"bogus", exitUsage, "codex: codex has no verb \"bogus\": there are acknowledge, archive, asset, company, config, contact, init, migrate, notify, plans, reconcile, review, schedule, serve, simulate, snapshots, sync, token, version\n"},
		{"token bogus", exitUsage, "codex: codex token has no verb \"bogus\": there are create, list, revoke\n"},
		{"token create", exitUsage, "codex: codex token create needs --name and --role\n"},
		{"token create --name a --role king", exitUsage, "codex: --role is admin, billing, technician or service, not \"king\"\n"},
		{"token create --name a --role client", exitUsage, "codex: --role is admin, billing, technician or service, not \"client\"\n"},
		{"token create --name a --role admin --expires soon", exitUsage,
			"codex: --expires takes days or hours such as 30d or 12h, a date such as 2027-01-31, or an instant in RFC 3339\n"},
		{"token create --name a/b --role admin", exitUsage, "codex: a token's name is 1 to 100 letters, digits, dots, dashes or underscores\n"},
		{"sync approve", exitUsage, "codex: codex sync approve needs RUN (see: codex sync approve --help)\n"},
		{"sync approve R", exitUsage, "codex: codex sync approve needs --reason: it is kept with the removals\n"},
		{"sync approve R --reason x", exitFailed, "codex: there is no sync run R\n"},
		{"sync cancel R", exitFailed, "codex: there is no sync run R\n"},
		{"sync show R", exitFailed, "codex: there is no sync run R\n"},
		{"company", exitUsage, ""},
		{"company rename 620547", exitUsage, "codex: codex company rename needs NEW (see: codex company rename --help)\n"},
		{"company update 620547", exitUsage, "codex: codex company update needs --phone-system or --email-system or --support-level or --compliance-level\n"},
		{"company update 620547 --phone-system x", exitFailed, "codex: there is no company 620547\n"},
		{"contact", exitUsage, ""},
		{"contact update 1", exitUsage, "codex: codex contact update needs --employment-type\n"},
		{"contact update x --employment-type y", exitFailed, "codex: this id is a string of digits\n"},
		{"contact link 1", exitUsage, "codex: codex contact link needs NUMBER (see: codex contact link --help)\n"},
		{"contact unlink 1 620547", exitFailed, "codex: there is no contact 1\n"},
		{"asset", exitUsage, ""},
		{"asset link", exitUsage, "codex: codex asset link needs ID CONTACT (see: codex asset link --help)\n"},
		{"asset unlink 1 2", exitFailed, "codex: there is no asset 1\n"},
		{"token revoke nobody", exitFailed, "codex: there is no token named \"nobody\"\n"},
		{"migrate --status --rebuild", exitUsage, "codex: --status and --rebuild do not go together\n"},
		{"migrate --yes=x", exitUsage, "codex: --yes goes with --rebuild\n"},
		{"simulate --tier gold", exitUsage, ""},
		{"serve --demo-datto :1", exitUsage, "codex: --demo-datto goes with --demo\n"},
		{"serve --demo --config x", exitUsage, "codex: --demo takes no --config: it has a configuration of its own\n"},
		{"sync all", exitFailed, "codex: there is nothing to sync:\n" +
			"codex: the feed freshservice is off: the configuration has no section [freshservice]\n" +
			"codex: the feed datto is off: the configuration has no section [datto]\n" +
			"codex: the feed tickets is off: the configuration has no section [freshservice]\n"},
	}
	i := bare(t) // with nothing configured
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o := i.codex(strings.Fields(tt.args)...)
			if o.status != tt.status || o.stdout != "" || tt.stderr != "" && o.stderr != tt.stderr {
				t.Errorf("status %d, want %d\n%s%s", o.status, tt.status, o.stdout, o.stderr)
			}
		})
	}
}

func TestABadConfigurationIsNamedByFileSectionAndKey(t *testing.T) {
	tests := []struct {
		name, conf, where string
	}{
		{"a bad value", "[sync]\nmax_removal_percent = many\n", "instance/codex.conf:2"},
		{"half a section", "[freshservice]\ndomain = acme.freshservice.com\n", "[freshservice] api_key"},
		{"no INI", "[server\n", "instance/codex.conf:1"},
		{"a bad connection string", "[database]\nconnection_string = mysql://root:hunter2-datto-secret@localhost/x\n", "[database] connection_string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := bare(t)
			i.write("instance/codex.conf", tt.conf)
			for _, verb := range []string{"config check", "serve", "sync all", "token list", "migrate"} {
				o := i.codex(strings.Fields(verb)...)
				if o.status != exitFailed || o.stdout != "" || !strings.Contains(o.stderr, tt.where) {
					t.Errorf("codex %s: status %d\n%s%s", verb, o.status, o.stdout, o.stderr)
				}
			}
		})
	}
}

func TestConfigCheckListsWhatIsInForceAndWhatIsNotUsed(t *testing.T) {
	i := bare(t)
	i.write("instance/codex.conf", "[freshservice]\napi_key = "+freshserviceKey+"\ndomain = acme.freshservice.com\ndomian = x\n[psa]\nx = y\n")
	i.write("instance/archive.conf", "")
	stdout := i.must("config", "check")
	for _, want := range []string{
		"# warning: " + i.dir + "/instance/codex.conf:4: [freshservice] domian is not known and not used; the nearest that is known is domain\n",
		"# not used: " + i.dir + "/instance/archive.conf: the Archive service's file is not needed\n",
		"api_key = ***\n", "domain = https://acme.freshservice.com\n", "listen = 127.0.0.1:5001\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("there is no %s in\n%s", want, stdout)
		}
	}
}

func TestJSONOfASyncIsTheGoldenOne(t *testing.T) {
	i := install(t, dialect.SQLite)
	var all strings.Builder
	for _, args := range []string{"sync all --json", "sync datto --json --dry-run", "sync tickets --json"} {
		all.WriteString("$ codex " + args + "\n" + i.must(strings.Fields(args)...))
	}
	failOneSite(t, i.upstream)
	all.WriteString("$ codex sync datto --json (a site cannot be read)\n" + i.codex("sync", "datto", "--json").stdout)
	i.env["CODEX_DATTO_SECRET_KEY"] = "wrong"
	all.WriteString("$ codex sync datto --json (a wrong key)\n" + i.codex("sync", "datto", "--json").stdout)
	text := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).ReplaceAllString(all.String(), "RUN")
	// Why a run is not whole is its feed's own text.
	text = regexp.MustCompile(`"error":"[^\n]+"}`).ReplaceAllString(text, `"error":"WHY"}`)
	golden(t, "sync.json.golden", text)
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestCallersWithoutAGoodTokenAreRefused(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	revoked := i.token("billing")
	i.must("token", "revoke", "test-billing")
	billing := strings.TrimSpace(i.must("token", "create", "--name", "b", "--role", "billing"))
	tests := []struct {
		name, method, path, token, body string
		status                          int
	}{
		{"no token", http.MethodGet, "/api/companies", "", "", 401},
		{"an unknown one", http.MethodGet, "/api/companies", "codex_unknown", "", 401},
		{"a revoked one", http.MethodGet, "/api/companies", revoked, "", 401},
		{"a role that may", http.MethodGet, "/api/companies", billing, "", 200},
		{"a role that may not start a sync", http.MethodPost, "/sync/datto", billing, "", 403},
		{"a role that may not see a job", http.MethodGet, "/sync/status/x", billing, "", 403},
		{"GraphQL without a token", http.MethodPost, "/graphql", "", `{"query":"{ me { name } }"}`, 401},
		{"GraphQL that is none", http.MethodPost, "/graphql", billing, `{"query":"{ nothing"}`, 200},
		{"a body that is no JSON", http.MethodPost, "/graphql", billing, `nothing`, 400},
		{"a year that is none", http.MethodGet, "/api/companies/620547/tickets?year=25", billing, "", 400},
		{"a path that is none", http.MethodGet, "/api/bogus", billing, "", 404},
		{"another method", http.MethodDelete, "/api/companies", billing, "", 405},
	}
	i.must("sync", "freshservice")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := send(t, tt.method, s.url+tt.path, tt.token, tt.body)
			if got.status != tt.status || !json.Valid([]byte(got.body)) {
				t.Errorf("%d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
	mutation := s.graphQL(billing, `mutation { syncDatto { run { id } } }`)
	if want := regexp.MustCompile(`"code":"FORBIDDEN"`); !want.MatchString(mutation.body) {
		t.Errorf("a billing token started a sync: %s", mutation.body)
	}
}
