package resolvers_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestTheNumberOfStatementsDependsOnTheShapeOfAQueryAndNeverOnItsRows(t *testing.T) {
	var statements atomic.Int64
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.Many(t, db, 200, 5)
		manyJobs(t, db, 200)
		g := newGraph(t, db, func(o *resolvers.Options) { o.Limits.Cost = 1 << 40 })
		for _, tc := range []struct {
			name, text string
			want       int64
		}{
			{"company, assets, contacts", "{ companies(first: %) { nodes { accountNumber assets { hostname contacts { email } } } } }", 3},
			{"counted too", "{ companies(first: %) { totalCount nodes { assets { contacts { id } } } } }", 4},
			{"all edges of a company", `{ companies(first: %) { nodes {
				assets { id } contacts { id } locations { id } dattoSites { id } tickets { ticketId } assetsTotal { count } } } }`, 7},
			{"there and back", "{ companies(first: %) { nodes { assets { company { name } contacts { assets { company { name } } } } } } }", 6},
			{"the past", `{ asOf(at: "2025-11-02T00:00:00Z") { coverage { run { id } } companies(first: %) { totalCount nodes {
				name assets { hostname backup { bytes } company { name } } assetsTotal { backupBytes } contacts { name companies { name } }
				locations { name } tickets { hours } } } } }`, 11},
			{"history", `{ companies(first: %) { nodes { history { changes { new } run { id } } assets { backupHistory { day } history { run { id } } }
				contacts { history { from } } locations { history { from } } tickets { history { from } } } } }`, 13},
			{"changes", "{ changes(first: %) { totalCount nodes { run { id } fields { old } } } }", 25},
			{"the first of each", `{ companies(first: %) { nodes { assets(first: 2, orderBy: {field: HOSTNAME, direction: DESC}) { contacts { id } }
				contacts(first: 2) { id } locations(first: 1) { id } tickets(first: 5, orderBy: {field: LAST_UPDATED_AT, direction: DESC}) { ticketId } } } }`, 6},
			{"what a filter leaves", `{ companies(first: %, filter: {assets: {some: {backupBytes: {isNull: true}}}}) { totalCount nodes {
				assets(filter: {contacts: {some: {email: {contains: "@"}}}}) { id } } } }`, 3},
			{"totals of each company", `{ companies(first: %) { nodes { assetsTotal(filter: {online: {eq: true}}) { count }
				ticketsTotal(filter: {billingMonth: {eq: "2025-10"}}) { count billed { hours } } } } }`, 3},
			{"totals by company, and of it", `{ companies(first: %) { totalCount } assetTotals(groupBy: COMPANY) { count company { name assets { id } } }
				ticketTotals(groupBy: [TECHNICIAN, COMPANY]) { count company { name } } }`, 7},
			{"totals of the past", `{ asOf(at: "2025-11-02T00:00:00Z") { companies(first: %) { nodes { ticketsTotal { count } } }
				assetTotals(groupBy: COMPANY) { company { name } } ticketTotals(groupBy: COMPANY) { company { name } } } }`, 7},
			{"past lists", `{ asOf(at: "2025-11-02T00:00:00Z") { assets(first: %) { totalCount nodes { company { name } } }
				contacts(first: %) { totalCount nodes { companies { name } } } locations(first: %) { totalCount nodes { company { name } } }
				tickets(first: %) { totalCount nodes { company { name } } } } }`, 13},
			{"a search", `{ c: search(text: "1", types: COMPANY, first: %) { node { ... on Company { assets { id } } } }
				p: search(text: "1", types: CONTACT, first: %) { node { ... on Contact { companies { name } assets { company { name } } } } }
				a: search(text: "1", types: ASSET, first: %) { match node { ... on Asset { company { tickets(first: 1) { ticketId } } contacts { id } } } }
				t: search(text: "1", types: TICKET, first: %) { node { ... on Ticket { company { name } timeEntries { id } } } } }`, 13},
			{"a search in all that there is", `{ search(text: "1", first: %) { match node { __typename } } }`, 5},
			{"bills", `{ snapshots(first: %, revisions: ALL) { totalCount nodes { invoiceNumber current open marks company { name } lines { itemName }
				billingData csv notes runs { feed run { id } } events { kind } revisions { revision lines(first: 1) { amount } } } } }`, 13},
			{"bills of each company", `{ companies(first: %) { nodes { snapshots { revision lines { amount } }
				last: snapshots(first: 1, revisions: ALL, orderBy: {field: REVISION}) { totalAmount } } } }`, 4},
			{"bills that a filter leaves", `{ snapshots(first: %, filter: {lines: {some: {amount: {gte: "1.00"}}}, company: {assets: {some: {}}}}) { nodes { id } } }`, 1},
			{"bills that a search finds", `{ search(text: "C0", types: SNAPSHOT, first: %) { node { ... on Snapshot { open company { name } lines { amount } } } } }`, 4},
			{"totals of bills", `{ companies(first: %) { totalCount } snapshotTotals(groupBy: [COMPANY, BILLING_MONTH]) { totalAmount company { name } } }`, 4},
			{"plans of companies", `{ companies(first: %) { nodes { plan { name features { value } companyCount history { from } } } } }`, 5},
			{"companies without a plan", `{ companiesWithoutPlan(first: %) { otherTerms company { plan { name } assets { id } } } }`, 5},
			{"plans", `{ companies(first: %) { totalCount } plans { companyCount features { value } history { changes { new } run { id } } } }`, 7},
			{"jobs", `{ snapshotJobs(first: %) { totalCount nodes { id companies { accountNumber company { name assets { id } } snapshot { totalAmount lines { amount } } }
				failed: companies(states: FAILED) { reason } } } }`, 8},
			{"one edge twice", "{ companies(first: %) { edges { node { a: assets { id } b: assets { hostname } } } } }", 3},
		} {
			for _, companies := range []string{"1", "10", "200"} {
				statements.Store(0)
				g.data(as(codex.RoleBilling), strings.ReplaceAll(tc.text, "%", companies))
				if got := statements.Load(); got != tc.want {
					t.Errorf("%s, %s companies: %d statements, want %d", tc.name, companies, got, tc.want)
				}
			}
		}
	}, storetest.OnStatement(func(string) { statements.Add(1) }))
}

// This walks the schema: each edge is asked for at one object above it and at many, and the number of
// statements must be the same. An edge that nobody remembered would grow with its rows.
func TestNoEdgeOfTheSchemaTakesMoreStatementsForMoreRows(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	var statements atomic.Int64
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.Many(t, db, 30, 3)
		manyRuns(t, db, 30)
		manyJobs(t, db, 30)
		g := newGraph(t, db)
		walked, members := 0, 0
		for _, e := range edges(t, schema) {
			root, _, _ := strings.Cut(e.path[0], "(")
			from := 0
			if root == "asOf" {
				from = 1
			}
			searched := root == "search" && len(e.path) > 2 // a member of the union, or what hangs on it
			if !searched && (len(e.path) <= from || !slices.Contains(walkedLists(), e.path[from])) {
				continue // one object
			}
			leaf := leaves(schema, e.to)[0:min(1, len(leaves(schema, e.to)))]
			if len(leaf) == 0 {
				leaf = []string{"__typename"}
			}
			count := func(first string) int64 {
				path := slices.Clone(e.path)
				if searched {
					kind := strings.ToUpper(strings.TrimPrefix(e.path[2], fragment))
					path[0] = `search(text: "1", types: ` + kind + ", first: " + first + ")"
				} else {
					path[from] += "(first: " + first + ")"
				}
				statements.Store(0)
				g.data(as(codex.RoleAdmin), "{"+strings.Join(path, "{")+"{"+leaf[0]+strings.Repeat("}", len(path)+1))
				return statements.Load()
			}
			if one, many := count("1"), count("30"); one != many || one == 0 {
				t.Errorf("%v: %d statements for one row, %d for many", e.path, one, many)
			}
			walked++
			if searched {
				members++
			}
		}
		if walked < 40 {
			t.Errorf("only %d edges were walked", walked)
		}
		if members < 15 {
			t.Errorf("only %d edges of what a search finds were walked", members)
		}
	}, storetest.OnStatement(func(string) { statements.Add(1) }))
}

// walkedLists are the root fields that lead to many rows.
func walkedLists() []string {
	return []string{"companies", "assets", "contacts", "locations", "tickets", "syncRuns", "syncIssues", "changes", "snapshots", "snapshotJobs"}
}

// manyRuns are n runs of the feed of [querytest.Many], after it, and as many issues.
func manyRuns(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for i := range n {
		id := codex.RunID(fmt.Sprintf("after-%02d", i))
		at := querytest.At(2).Add(time.Duration(i) * time.Hour)
		db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedFreshservice).SetMode(codex.ModeFull).
			SetTrigger(codex.TriggerSchedule).SetRequestedBy("scheduler").SetDryRun(false).SetForced(false).
			SetState(codex.RunFailed).SetQueuedAt(at).SetStartedAt(at).SetEndedAt(at.Add(time.Minute)).ExecX(t.Context())
		db.Ent().SyncIssue.Create().SetFeed(codex.FeedFreshservice).SetKind("no_account_number").SetUpstreamID(string(id)).
			SetReason("x").SetFirstSeenAt(at).SetLastSeenAt(at).SetFirstRunID(id).ExecX(t.Context())
	}
}

// manyJobs are n jobs for the bills of [querytest.Many], of two companies each.
func manyJobs(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for i := range n {
		id := codex.RunID(fmt.Sprintf("job-%03d", i))
		db.Ent().SnapshotJob.Create().SetID(id).SetJobType(codex.JobBulk).SetState(codex.JobCompleted).SetStatus("completed").
			SetTargetYear(2025).SetTargetMonth(10).SetStartedAt(querytest.At(2).Add(time.Duration(i) * time.Hour)).
			SetTriggeredBy("x").SetTrigger(codex.TriggerAPI).SetByPerson(false).ExecX(t.Context())
		for position := range 2 {
			account := fmt.Sprintf("C%04d", (i+position)%n+1)
			db.Ent().SnapshotJobCompany.Create().SetJobID(id).SetPosition(position + 1).SetAccountNumber(codex.AccountNumber(account)).
				SetState([]codex.JobCompanyState{codex.CompanyMade, codex.CompanyFailed}[position]).SetReason("x").
				SetInvoiceNumber(account + "-202510").ExecX(t.Context())
		}
	}
}
