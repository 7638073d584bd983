package resolvers_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

func TestAMutationOfSyncsAsksForTheRunInTheCallersName(t *testing.T) {
	for _, tc := range []struct {
		text string
		want syncers.Request
	}{
		{"syncFreshservice { run { id state } }", syncers.Request{Feed: codex.FeedFreshservice}},
		{"syncFreshservice(dryRun: true, force: true) { run { id state } }", syncers.Request{Feed: codex.FeedFreshservice, DryRun: true, Force: true}},
		{"syncDatto(force: true) { run { id state } }", syncers.Request{Feed: codex.FeedDatto, Force: true}},
		{"syncTickets { run { id state } }", syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeIncremental}},
		{"syncTickets(full: true, dryRun: true) { run { id state } }", syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull, DryRun: true}},
	} {
		t.Run(tc.text, func(t *testing.T) {
			g := onWorld(t)
			tc.want.Trigger, tc.want.By = codex.TriggerAPI, "the admin"
			got := g.data(as(codex.RoleAdmin), "mutation { it: "+tc.text+" }")
			want := map[string]any{"it": map[string]any{"run": map[string]any{"id": "r2", "state": "HELD"}}}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v", got)
			}
			if !reflect.DeepEqual(g.sync.asked, []syncers.Request{tc.want}) {
				t.Errorf("asked for %+v, want %+v", g.sync.asked, tc.want)
			}
		})
	}
}

func TestASyncTellsWhetherItWasJoined(t *testing.T) {
	for _, name := range []string{"syncFreshservice", "syncDatto", "syncTickets"} {
		for _, joins := range []bool{false, true} {
			g := onWorld(t)
			g.sync.joins = joins
			got := g.data(as(codex.RoleAdmin), "mutation { it: "+name+" { joined run { id } } }")
			want := map[string]any{"it": map[string]any{"joined": joins, "run": map[string]any{"id": "r2"}}}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %v", name, got)
			}
		}
	}
}

// Null is not "as usual": of whoever gives it nobody knows whether a dry run was meant.
func TestNullStartsNoSync(t *testing.T) {
	for _, name := range []string{"syncFreshservice", "syncDatto", "syncTickets"} {
		for _, argument := range []string{"dryRun", "force", "full"} {
			if argument == "full" && name != "syncTickets" {
				continue
			}
			g := onWorld(t)
			got := g.ask(as(codex.RoleAdmin), "mutation ($x: Boolean) { it: "+name+"("+argument+": $x) { run { id } } }", map[string]any{"x": nil})
			want := `{"errors":[{"message":"a Boolean is true or false","path":["it"],"extensions":{"code":"BAD_USER_INPUT","field":"` + argument + `"}}],"data":null}` + "\n"
			if got != want {
				t.Errorf("%s(%s: null): got %s", name, argument, got)
			}
			if literal := codes(t, g.ask(as(codex.RoleAdmin), "mutation { "+name+"("+argument+": null) { run { id } } }", nil)); literal != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("%s(%s: null), written out: %s", name, argument, literal)
			}
			if len(g.sync.asked) != 0 {
				t.Errorf("%s(%s: null) started %v", name, argument, g.sync.asked)
			}
		}
	}
}

func TestAFeedThatIsOffIsTold(t *testing.T) {
	g := onWorld(t)
	g.sync.err = codex.BadInput("feed", "feed datto is off: section [datto] is missing")
	got := g.ask(as(codex.RoleAdmin), "mutation { syncDatto { run { id } } }", nil)
	want := `{"errors":[{"message":"feed datto is off: section [datto] is missing","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"BAD_USER_INPUT","field":"feed"}}],"data":null}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
}

func TestATokenIsToldOnceListedAndRevoked(t *testing.T) {
	g := onWorld(t)
	ctx := as(codex.RoleAdmin)
	for _, step := range []struct{ text, want string }{
		{`mutation { createToken(input: {name: "ledger", role: SERVICE, expiresAt: "2026-01-01T01:00:00+01:00"}) {
			secret token { name role createdBy createdAt expiresAt lastUsedAt revokedAt } } }`,
			`{"data":{"createToken":{"secret":"secret-of-ledger","token":{"name":"ledger","role":"SERVICE","createdBy":"the admin","createdAt":"2025-10-01T12:00:00Z","expiresAt":"2026-01-01T00:00:00Z","lastUsedAt":null,"revokedAt":null}}}}`},
		{`{ tokens { name role revokedAt } }`,
			`{"data":{"tokens":[{"name":"ledger","role":"SERVICE","revokedAt":null}]}}`},
		{`mutation { revokeToken(name: "ledger") { token { name revokedAt } } }`,
			`{"data":{"revokeToken":{"token":{"name":"ledger","revokedAt":"2025-10-02T12:00:00Z"}}}}`},
	} {
		if got := g.ask(ctx, step.text, nil); got != step.want+"\n" {
			t.Errorf("%s\ngot  %swant %s", step.text, got, step.want)
		}
	}
}

func TestWhatAnAdminDecidesIsDoneInTheirName(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct{ text, want string }{
		{`mutation { approveRemovals(run: "r2", reason: "sold") { run { id approvedBy approvalReason approvedAt approvalRun { id } } } }`,
			`{"data":{"approveRemovals":{"run":{"id":"r2","approvedBy":"ann","approvalReason":"sold","approvedAt":"2025-10-13T12:00:00Z","approvalRun":{"id":"r3"}}}}}`},
		{`mutation { cancelSync(run: "r2") { run { id cancelRequestedBy } } }`,
			`{"data":{"cancelSync":{"run":{"id":"r2","cancelRequestedBy":"cy"}}}}`},
		{`mutation { renameCompany(accountNumber: "900", to: "901") { company { accountNumber } } }`,
			`{"data":{"renameCompany":{"company":{"accountNumber":"900"}}}}`},
		{`mutation { archiveCompany(accountNumber: "900") { company { accountNumber assets { hostname } } } }`,
			`{"data":{"archiveCompany":{"company":{"accountNumber":"900","assets":[{"hostname":"PC-4"}]}}}}`},
	} {
		if got := g.ask(as(codex.RoleAdmin), tc.text, nil); got != tc.want+"\n" {
			t.Errorf("%s\ngot  %swant %s", tc.text, got, tc.want)
		}
	}
	if want := []string{"approve r2 by the admin: sold", "cancel r2 by the admin"}; !slices.Equal(g.runs.asked, want) {
		t.Errorf("asked %q, want %q", g.runs.asked, want)
	}
	if want := []string{"rename 900 to 901 by the admin", "archive 900 by the admin"}; !slices.Equal(g.companies.asked, want) {
		t.Errorf("asked %q, want %q", g.companies.asked, want)
	}
}

func TestWhatAnAdminMayNotDecideIsTold(t *testing.T) {
	for _, tc := range []struct {
		err        error
		extensions string
	}{
		{codex.Errorf(codex.CodeNotFound, "there is none"), `{"code":"NOT_FOUND"}`},
		{codex.Errorf(codex.CodeConflict, "there is none"), `{"code":"CONFLICT"}`},
		{codex.BadInput("reason", "there is none"), `{"code":"BAD_USER_INPUT","field":"reason"}`},
	} {
		g := onWorld(t)
		g.runs.err, g.companies.err = fmt.Errorf("deciding: %w", tc.err), fmt.Errorf("deciding: %w", tc.err)
		for name, arguments := range map[string]string{
			"approveRemovals": `run: "r2", reason: "x"`, "cancelSync": `run: "r2"`,
			"renameCompany": `accountNumber: "900", to: "901"`, "archiveCompany": `accountNumber: "900"`,
		} {
			got := g.ask(as(codex.RoleAdmin), "mutation { "+name+"("+arguments+") { __typename } }", nil)
			want := `{"errors":[{"message":"there is none","path":["` + name + `"],"locations":[{"line":1,"column":12}],"extensions":` + tc.extensions + `}],"data":null}` + "\n"
			if got != want {
				t.Errorf("%s: got %swant %s", name, got, want)
			}
		}
		if g.log.Len() > 0 {
			t.Errorf("logged %s", g.log)
		}
	}
}
