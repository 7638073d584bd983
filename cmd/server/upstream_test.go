package main

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

func TestAnotherAccountIsRefusedUntilNewUpstream(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	s := i.serve()
	token := i.token("service")
	before := get(t, s.url+"/api/companies/bulk?include_tickets=true", token).body
	s.stop()

	// Another Freshservice (its address is another) and another Datto account (its seed is).
	i.upstream = simulate(t, i.now, func(o *simulator.Options) { o.Seed = 2 })
	i.configure(dialect.SQLite)
	refused := i.codex("sync", "all", "--json")
	if refused.status != exitFailed {
		t.Errorf("status %d\n%s", refused.status, refused.stdout)
	}
	for feed, run := range runs(t, refused.stdout) {
		reason, _ := run["error"].(string)
		if run["state"] != "failed" || !strings.Contains(reason, "--new-upstream takes the new account for good") {
			t.Errorf("%s: %v", feed, run)
		}
	}
	s = i.serve()
	if after := get(t, s.url+"/api/companies/bulk?include_tickets=true", token).body; after != before {
		t.Error("a refused account changed what is served")
	}
	s.stop()

	o := i.codex("sync", "all", "--new-upstream", "--json")
	for feed, run := range runs(t, o.stdout) {
		if run["state"] == "failed" {
			t.Errorf("%s: %v", feed, run)
		}
	}
	if o := i.codex("sync", "freshservice", "--json"); strings.Contains(o.stdout, "failed") { // it is remembered
		t.Error(o.stdout)
	}
}
