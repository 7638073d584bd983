package resolvers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/exec"
)

// callers are one of each role, one whose role is nothing that we know, and nobody.
func callers() []struct {
	name string
	ctx  context.Context
} {
	list := []struct {
		name string
		ctx  context.Context
	}{}
	for _, role := range []codex.Role{
		codex.RoleAdmin, codex.RoleBilling, codex.RoleTechnician, codex.RoleService, codex.RoleClient, "janitor",
	} {
		list = append(list, struct {
			name string
			ctx  context.Context
		}{string(role), as(role)})
	}
	return append(list, struct {
		name string
		ctx  context.Context
	}{"nobody", context.Background()})
}

// calls are how each root field is asked for.
func calls() map[string]string {
	return map[string]string{
		"Query.me": "me { name }", "Query.company": `company(accountNumber: "620547") { name }`,
		"Query.companies": "companies { totalCount }", "Query.asset": "asset(id: 1) { id }",
		"Query.assets": "assets { totalCount }", "Query.contacts": "contacts { totalCount }",
		"Query.locations": "locations { totalCount }", "Query.tickets": "tickets { totalCount }",
		"Query.contact": "contact(id: 1) { id }", "Query.ticket": "ticket(ticketId: 1001) { subject }",
		"Query.location": "location(id: 1) { id }", "Query.search": `search(text: "acme") { match }`,
		"Query.syncRun": `syncRun(id: "r2") { id }`, "Query.syncRuns": "syncRuns { totalCount }",
		"Query.syncIssues": "syncIssues { totalCount }", "Query.tokens": "tokens { name }",
		"Query.asOf": `asOf(at: "2025-11-01T00:00:00Z") { at }`, "Query.changes": "changes { totalCount }",
		"Query.assetTotals": "assetTotals { count }", "Query.ticketTotals": "ticketTotals(groupBy: TECHNICIAN) { count }",
		"Query.snapshotProof": `snapshotProof(invoiceNumber: "620547-202510") { leafIndex }`, "Query.logCheckpoint": "logCheckpoint { size }",
		"Query.logCheckpoints": "logCheckpoints { totalCount }", "Query.logConsistency": "logConsistency(from: 1) { older }",
		"Query.logEpochs": "logEpochs { epoch }", "Query.logKey": "logKey { origin }", "Query.logStop": "logStop { reason }",
		"Query.logVerification": "logVerification { ok }", "Query.notifications": "notifications { totalCount }",
		"Mutation.redeliverNotification": `redeliverNotification(id: "n1") { notification { id } }`, "Mutation.testNotification": "testNotification { delivered }",
		"Mutation.openEpoch": `openEpoch(reason: "the disk broke") { epoch { epoch } }`, "Mutation.publishCheckpoint": "publishCheckpoint { checkpoint { size } }",
		"Query.billReview":                 "billReview(year: 2025, month: 10) { open }",
		"Query.reconciliation":             "reconciliation(year: 2025, month: 10) { open }",
		"Mutation.rebuildBilledItems":      "rebuildBilledItems { bills }",
		"Query.acknowledgements":           "acknowledgements { nodes { id } }",
		"Mutation.acknowledge":             `acknowledge(input: {year: 2025, month: 10, kind: "feed_not_synced", item: {entity: "feeds", id: "datto"}, note: "n"}) { acknowledgement { id } }`,
		"Mutation.withdrawAcknowledgement": `withdrawAcknowledgement(id: 1, note: "n") { acknowledgement { id } }`,
		"Query.__schema":                   "__schema { description }", "Query.__type": `__type(name: "Company") { name }`,
		"Query.snapshot": `snapshot(invoiceNumber: "620547-202510") { totalAmount }`, "Query.snapshots": "snapshots { totalCount }",
		"Query.snapshotDiff":   `snapshotDiff(from: {invoiceNumber: "620547-202509"}, to: {invoiceNumber: "620547-202510"}) { unchanged }`,
		"Query.snapshotTotals": "snapshotTotals(groupBy: COMPANY) { totalAmount }",
		"Mutation.acceptBill": `acceptBill(input: {accountNumber: "900", invoiceNumber: "900-202510", year: 2025, month: 10, totalAmount: "1.00",
			billingData: "{}", csv: "Amount"}) { existing }`,
		"Mutation.reopenBill":       `reopenBill(invoiceNumber: "620547-202510", reason: "wrong") { snapshot { id } }`,
		"Mutation.closeBill":        `closeBill(invoiceNumber: "620547-202510", reason: "it was right") { snapshot { id } }`,
		"Mutation.refetchBill":      `refetchBill(invoiceNumber: "620547-202510", reason: "corrected") { unchanged }`,
		"Mutation.syncFreshservice": "syncFreshservice { run { id } }", "Mutation.syncDatto": "syncDatto { run { id } }",
		"Mutation.syncTickets":     "syncTickets { run { id } }",
		"Mutation.createToken":     `createToken(input: {name: "n", role: BILLING}) { secret }`,
		"Mutation.revokeToken":     `revokeToken(name: "n") { token { name } }`,
		"Mutation.approveRemovals": `approveRemovals(run: "r2", reason: "gone") { run { id } }`,
		"Mutation.cancelSync":      `cancelSync(run: "r5") { run { id } }`,
		"Mutation.renameCompany":   `renameCompany(accountNumber: "900", to: "901") { company { name } }`,
		"Mutation.archiveCompany":  `archiveCompany(accountNumber: "900") { company { name } }`,
		"Mutation.updateCompany":   `updateCompany(accountNumber: "900", input: {phoneSystem: "3CX"}) { changed }`,
		"Query.plan":               `plan(name: "Gold", termLength: "1 Year") { id }`, "Query.plans": "plans { id }",
		"Query.companiesWithoutPlan": "companiesWithoutPlan { termLength }", "Query.plansFile": "plansFile",
		"Mutation.savePlan": `savePlan(input: {name: "New", termLength: "1 Year", perUserCost: "1" perWorkstationCost: "1" perServerCost: "1" perVmCost: "1" perSwitchCost: "1" perFirewallCost:
			 "1" perHourTicketCost: "1" backupBaseFeeWorkstation: "1" backupBaseFeeServer: "1" backupPerTbFee: "1"}) { created }`,
		"Mutation.deletePlan":       `deletePlan(name: "New", termLength: "1 Year") { companies }`,
		"Mutation.importPlans":      `importPlans(file: "[]", dryRun: true) { unchanged }`,
		"Mutation.updateContact":    `updateContact(id: 2, input: {employmentType: "Part Time"}) { changed }`,
		"Mutation.linkContact":      `linkContact(contactId: 2, accountNumber: "B-2") { changed }`,
		"Mutation.unlinkContact":    `unlinkContact(contactId: 2, accountNumber: "B-2") { changed }`,
		"Mutation.linkAsset":        `linkAsset(assetId: 2, contactId: 2) { changed }`,
		"Mutation.unlinkAsset":      `unlinkAsset(assetId: 2, contactId: 2) { changed }`,
		"Subscription.syncProgress": "syncProgress(feed: TICKETS) { id }",
		"Query.snapshotJob":         `snapshotJob(id: "j1") { id }`, "Query.snapshotJobs": "snapshotJobs { totalCount }",
		"Query.schedules": "schedules { name }", "Query.snapshotSchedule": "snapshotSchedule { hour }",
		"Query.missedMonths":               "missedMonths { billingMonth }",
		"Mutation.runSnapshotJob":          `runSnapshotJob(year: 2025, month: 9, dryRun: true) { preview { month } }`,
		"Mutation.forceSnapshotJob":        `forceSnapshotJob(id: "j3", reason: "now") { job { id } }`,
		"Mutation.retrySnapshotJob":        `retrySnapshotJob(id: "j1") { job { id } }`,
		"Mutation.cancelSnapshotJob":       `cancelSnapshotJob(id: "j2") { job { id } }`,
		"Mutation.requestBill":             `requestBill(accountNumber: "620547", year: 2025, month: 9) { job { id } }`,
		"Mutation.updateSnapshotSchedule":  "updateSnapshotSchedule(input: {hour: 3}) { schedule { hour } }",
		"Mutation.dismissMissedMonth":      `dismissMissedMonth(year: 2025, month: 7, note: "by hand") { month { note } }`,
		"Subscription.snapshotJobProgress": `snapshotJobProgress(id: "j2") { id }`,
	}
}

// privileges are the calls that take another role for what they are given.
func privileges() map[string]map[string]string {
	privileged := map[string]map[string]string{}
	for _, name := range []string{"syncFreshservice", "syncDatto", "syncTickets"} {
		privileged["Mutation."+name] = map[string]string{
			"(force: true)":  name + "(force: true) { run { id } }",
			"(force: false)": name + "(force: false) { run { id } }",
		}
	}
	return privileged
}

func TestEachRootFieldIsForTheRolesOfTheGoldenTableAndForNobodyElse(t *testing.T) {
	g := onWorld(t)
	server := g.serve()
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	var table strings.Builder
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			name := root.Name + "." + field.Name
			call, known := calls()[name]
			if !known {
				t.Errorf("this test does not call %s", name)
				continue
			}
			forms := maps.Clone(privileges()[name])
			if forms == nil {
				forms = map[string]string{}
			}
			forms[""] = call
			for _, form := range slices.Sorted(maps.Keys(forms)) {
				fmt.Fprintf(&table, "%s%s\n", name, form)
				for _, caller := range callers() {
					text := strings.ToLower(root.Name) + " { " + forms[form] + " }"
					body := ""
					if root == schema.Subscription {
						body = first(t, server, strings.TrimPrefix(caller.name, "nobody"), text)
					} else {
						body = g.ask(caller.ctx, text, nil)
					}
					fmt.Fprintf(&table, "  %-11s %s\n", caller.name, codes(t, body))
				}
			}
		}
	}
	golden(t, "testdata/roles.txt", table.String())
}

func TestAnAliasOrAFragmentGetsNobodyPastARole(t *testing.T) {
	g := onWorld(t)
	for _, text := range []string{
		"{ me: tokens { name } }",
		"{ ...t } fragment t on Query { tokens { name } }",
		"{ ... on Query { tokens { name } } }",
		"{ tokens @include(if: true) { name } }",
		"mutation { me: revokeToken(name: \"n\") { token { name } } }",
	} {
		if got := codes(t, g.ask(as(codex.RoleBilling), text, nil)); got != "FORBIDDEN" {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestAServiceStartsASyncAndForcesNoneHoweverItAsks(t *testing.T) {
	g := onWorld(t)
	const message = `{"errors":[{"message":"the argument force takes another role than service","path":["syncDatto"],"locations":[{"line":1,"column":%d}],"extensions":{"code":"FORBIDDEN","field":"force"}}],"data":null}` + "\n"
	for _, tc := range []struct {
		text      string
		variables map[string]any
		column    int
	}{
		{"mutation { syncDatto(force: true) { run { id } } }", nil, 12},
		{"mutation ($f: Boolean!) { syncDatto(force: $f) { run { id } } }", map[string]any{"f": true}, 27},
		{"mutation ($f: Boolean = true) { syncDatto(force: $f) { run { id } } }", nil, 33},
	} {
		if got, want := g.ask(as(codex.RoleService), tc.text, tc.variables), fmt.Sprintf(message, tc.column); got != want {
			t.Errorf("%s\ngot  %swant %s", tc.text, got, want)
		}
	}
	if len(g.sync.asked) != 0 {
		t.Errorf("a sync was started: %v", g.sync.asked)
	}
	if got := codes(t, g.ask(as(codex.RoleService), "mutation ($f: Boolean!) { syncDatto(force: $f) { run { id } } }", map[string]any{"f": false})); got != "ok" {
		t.Errorf("without force: %s", got)
	}
	if got := codes(t, g.ask(as(codex.RoleAdmin), "mutation { syncDatto(force: true) { run { id } } }", nil)); got != "ok" || !g.sync.asked[1].Force {
		t.Errorf("an admin: %s, %v", got, g.sync.asked)
	}
}

func TestWhatIsRefusedLeavesTheRestOfAnAnswerAlone(t *testing.T) {
	g := onWorld(t)
	got := indented(t, g.ask(as(codex.RoleTechnician), `{ me { role } __typename company(accountNumber: "900") { name } }`, nil))
	want := `{
  "data": {
    "me": {
      "role": "TECHNICIAN"
    },
    "__typename": "Query",
    "company": {
      "name": "Zebra & Söhne"
    }
  }
}
`
	if got != want {
		t.Errorf("got %s", got)
	}
	refused := g.ask(as(codex.RoleTechnician), `mutation { syncDatto { run { id } } }`, nil)
	wantRefused := `{"errors":[{"message":"syncDatto takes another role than technician","path":["syncDatto"],"locations":[{"line":1,"column":12}],"extensions":{"code":"FORBIDDEN"}}],"data":null}` + "\n"
	if refused != wantRefused {
		t.Errorf("got %s", refused)
	}
	if len(g.sync.asked) != 0 {
		t.Errorf("a sync was started for somebody who may not: %v", g.sync.asked)
	}
}
