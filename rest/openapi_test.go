package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/rest/openapitest"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// servedElsewhere are the operations of the description that package httpd has, without a table.
func servedElsewhere() []string {
	return []string{
		"DELETE /session", "GET /graphql", "GET /health", "GET /openapi.json", "POST /graphql", "POST /session",
		"POST /webhooks/freshservice", "POST /webhooks/freshservice/ticket",
	}
}

func TestTheDescriptionHasEveryRouteWithItsRolesAndNoOther(t *testing.T) {
	described := openapitest.Load(t).Operations()
	for operation, roles := range rest.Routes() {
		if got, there := described[operation]; !there || strings.Join(got, ", ") != roles.String() {
			t.Errorf("%s is described for %v, and is for %s", operation, got, roles)
		}
		delete(described, operation)
	}
	for _, operation := range servedElsewhere() {
		if _, there := described[operation]; !there {
			t.Errorf("%s is not described", operation)
		}
		delete(described, operation)
	}
	if len(described) > 0 {
		t.Errorf("described, and not there: %v", described)
	}
}

func TestTheDescriptionNamesWhereItsReaderFindsThePaths(t *testing.T) {
	plain, err := rest.OpenAPI("")
	if err != nil {
		t.Fatal(err)
	}
	behind, err := rest.OpenAPI(`/a"b`)
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Servers []struct{ URL string } }
	if err := json.Unmarshal(behind, &document); err != nil || len(document.Servers) != 1 || document.Servers[0].URL != `/a"b/` {
		t.Errorf("%+v, %v", document, err)
	}
	if !bytes.Equal(bytes.Replace(behind, []byte(`"/a\"b/"`), []byte(`"/"`), 1), plain) {
		t.Error("it differs in more than that")
	}
}

// checker asks, and holds each answer against the description.
type checker struct {
	*openapitest.Description
	server *httptest.Server
}

func (c checker) ask(t *testing.T, method, path string, role codex.Role, status int, tags ...string) {
	t.Helper()
	c.send(t, method, path, role, status, nil, tags...)
}

func (c checker) send(t *testing.T, method, path string, role codex.Role, status int, content []byte, tags ...string) {
	t.Helper()
	got := askSending(t, c.server, method, path, role, content, tags...)
	if got.status != status {
		t.Errorf("%s %s as %q: %d, want %d", method, path, role, got.status, status)
	}
	c.Check(t, method, path, got.status, got.header, got.body)
}

// Every answer that is described is given, and is what is described: those with data, and every error.
func TestTheAnswersAreTheDescribedOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		description := openapitest.Load(t)
		with := func(change func(o *rest.Options)) checker {
			o := options(t, db)
			change(&o)
			return checker{description, serve(t, o)}
		}
		running := db.Ent().SyncRun.GetX(t.Context(), runID("08"))
		c := with(func(o *rest.Options) { o.Sync = &starter{run: running} })
		for _, generation := range []string{"a", "b"} {
			content := ledgerBill(t, generation)
			description.Accepts(t, http.MethodPost, "/api/snapshot", string(content))
			c.send(t, http.MethodPost, "/api/snapshot", codex.RoleService, 201, content)
			c.send(t, http.MethodPost, "/api/snapshot", codex.RoleService, 409, content)
			c.send(t, http.MethodPost, "/api/snapshot", codex.RoleService, 409, changed(t, content, "user_count", "77"))
		}
		c.ask(t, http.MethodPost, "/api/snapshot", codex.RoleAdmin, 400)
		c.ask(t, http.MethodPost, "/api/snapshot", "", 401)
		c.ask(t, http.MethodPost, "/api/snapshot", codex.RoleTechnician, 403)
		c.send(t, http.MethodPost, "/api/snapshot", codex.RoleAdmin, 413, make([]byte, archive.MaxBodyBytes+1))
		gets, posts := paths()
		for _, path := range gets {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 200)
		}
		for _, path := range billPaths() {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 304, "*")
		}
		for path := range taggedPaths() {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 304, "*")
		}
		of := with(func(o *rest.Options) { o.SeedKeysOnly = true })
		for _, path := range []string{"/api/companies", "/api/companies/620547", "/api/companies/bulk"} {
			of.ask(t, http.MethodGet, path, codex.RoleAdmin, 200)
		}
		for _, path := range slices.Concat(gets, []string{"/api/companies/" + url.PathEscape(string(slashed))}) {
			c.ask(t, http.MethodGet, path, "", 401)
			c.ask(t, http.MethodGet, path, codex.RoleClient, 403)
			if unknown := strings.NewReplacer("/620547-202509", "/404", "/snapshots/company/620547", "/snapshots/company/620547", "/620547", "/404", string(runID("08")), "none", string(jobID("01")), "none", "/last/tickets", "/last/none", "/Gold/", "/none/").Replace(path); unknown != path {
				if !strings.Contains(unknown, "/status/") || path == "/sync/status/"+string(runID("08")) {
					c.ask(t, http.MethodGet, unknown, codex.RoleAdmin, 404)
				}
			}
		}
		c.ask(t, http.MethodGet, "/api/companies/620547/tickets?year=x", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/companies/bulk?year=x", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/snapshots/search?limit=x", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/snapshot/620547-202509?revision=0", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/snapshot/620547-202509/csv?safe=yes", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/snapshot/620547-202509/proof?enclose=salary", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/archive/consistency", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/billing-plans?term_length=%zz", codex.RoleAdmin, 400)
		c.ask(t, http.MethodGet, "/api/scheduler/jobs?limit=x", codex.RoleAdmin, 400)
		bodies := map[string]string{"/api/scheduler/config": `{"hour": 5}`, "/api/snapshots/bulk/create": `{"year": 2025, "month": 9}`}
		done := map[string]int{"/api/scheduler/config": 200, "/api/snapshots/bulk/create": 202}
		for path, body := range bodies {
			description.Accepts(t, http.MethodPost, path, body)
			c.send(t, http.MethodPost, path, codex.RoleAdmin, done[path], []byte(body))
			c.ask(t, http.MethodPost, path, codex.RoleAdmin, 400)
			c.ask(t, http.MethodPost, path, "", 401)
			c.ask(t, http.MethodPost, path, codex.RoleBilling, 403)
		}
		with(func(o *rest.Options) { o.Jobs = jobs.New(jobs.Options{DB: db}) }).
			send(t, http.MethodPost, "/api/snapshots/bulk/create", codex.RoleAdmin, 409, []byte(bodies["/api/snapshots/bulk/create"]))
		for _, path := range posts {
			c.ask(t, http.MethodPost, path, codex.RoleAdmin, 200)
			c.ask(t, http.MethodPost, path+"?force=1", codex.RoleAdmin, 400)
			c.ask(t, http.MethodPost, path, "", 401)
			c.ask(t, http.MethodPost, path, codex.RoleBilling, 403)
			ended := make(chan *ent.SyncRun, 1)
			ended <- running
			with(func(o *rest.Options) { o.Sync = &starter{run: running, ended: ended} }).ask(t, http.MethodPost, path+"?wait=true", codex.RoleAdmin, 200)
			with(func(o *rest.Options) { o.Sync = &starter{err: codex.Errorf(codex.CodeBadInput, "off")} }).ask(t, http.MethodPost, path, codex.RoleAdmin, 500)
			with(func(o *rest.Options) {
				o.Sync = failing{&starter{run: running}, codex.Errorf(codex.CodeInternal, "x")}
			}).ask(t, http.MethodPost, path+"?wait=true", codex.RoleAdmin, 500)
			with(func(o *rest.Options) {
				o.Sync = failing{&starter{run: running}, codex.Errorf(codex.CodeUnavailable, "x")}
			}).ask(t, http.MethodPost, path+"?wait=true", codex.RoleAdmin, 503)
		}
		fresh := changed(t, ledgerBill(t, "a"), "invoice_number", `"another"`)
		takenAway := []string{"DROP TRIGGER log_hashes_append_only_delete", "DELETE FROM log_hashes"} // as a superuser may
		if db.Dialect() == "postgres" {
			takenAway[0] = "DROP TRIGGER append_only ON log_hashes"
		}
		for _, statement := range takenAway {
			if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"/api/snapshot/620547-202509/proof", "/api/archive/consistency?from=1"} {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 409)
		}
		for _, table := range []string{"revisions", "sync_runs", "snapshots", "log_keys", "snapshot_jobs", "scheduled_snapshots"} {
			if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE "+table+" RENAME TO "+table+"_elsewhere"); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range gets {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 500)
		}
		c.send(t, http.MethodPost, "/api/snapshot", codex.RoleAdmin, 500, fresh)
		for path, body := range bodies {
			c.send(t, http.MethodPost, path, codex.RoleAdmin, 500, []byte(body))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, path := range gets {
			c.ask(t, http.MethodGet, path, codex.RoleAdmin, 503)
		}
		c.send(t, http.MethodPost, "/api/snapshot", codex.RoleAdmin, 503, fresh)
		for path, body := range bodies {
			c.send(t, http.MethodPost, path, codex.RoleAdmin, 503, []byte(body))
		}
		ofREST := func(operation string) bool { return !slices.Contains(servedElsewhere(), operation) }
		if unseen := c.Unseen(ofREST); len(unseen) > 0 {
			t.Errorf("described, and never answered: %v", unseen)
		}
	})
}

// paths are those that answer 200 to an admin, by method.
func paths() (gets, posts []string) {
	for path := range taggedPaths() {
		gets = append(gets, path)
	}
	for _, n := range []string{"01", "02", "03", "04", "05", "06", "07", "08", "09"} {
		gets = append(gets, "/sync/status/"+string(runID(n)))
	}
	gets = append(gets, "/api/companies?unknown=1", "/sync/last/tickets", "/sync/last/datto")
	gets = append(gets, billPaths()...)
	gets = append(gets, "/api/scheduler/config", "/api/scheduler/jobs", "/api/scheduler/jobs?limit=2&offset=1")
	for _, n := range []string{"01", "02", "03", "04", "05"} {
		gets = append(gets, "/api/scheduler/jobs/"+string(jobID(n)))
	}
	slices.Sort(gets)
	return gets, []string{"/sync/freshservice", "/sync/datto", "/sync/tickets"}
}
