package resolvers_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/query/querytest"
)

// Only the columns of the fields that are asked for are read, so a field whose columns nobody told
// would be empty when no other field happens to need them. This walks the schema: each leaf of each
// object is asked for alone, at every edge that leads to the object, and must be what it is when
// everything is asked for. It must also have a value somewhere in the test's world, or its being
// empty would prove nothing.
func TestEveryFieldHasItsValueWhenItIsAskedForAlone(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		expires := querytest.At(30)
		if _, _, err := g.tokens.Create(t.Context(), auth.NewToken{Name: "n", Role: codex.RoleAdmin, CreatedBy: "x", ExpiresAt: &expires}); err != nil {
			t.Fatal(err)
		}
		if token, err := g.tokens.Revoke(t.Context(), "n"); err != nil {
			t.Fatal(err)
		} else {
			token.LastUsedAt = token.RevokedAt
		}
		notificationWorld(t, g.sync.db)
		if err := g.sync.db.Ent().LogVerification.Create().SetBeganAt(querytest.At(12)).SetEndedAt(querytest.At(12)).SetOk(true).
			SetFailures(1).SetFindings(`["altered: snapshots 1"]`).SetEpoch(1).SetSize(7).SetError("it was broken off").Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.archiveLog.stop = &archive.StoppedError{Reason: archive.StopBehind, Message: "an older backup"}
		schema := exec.NewExecutableSchema(exec.Config{}).Schema()
		filled := map[string]bool{} // by Type.field, whether it had a value
		for _, edge := range edges(t, schema) {
			all := values(g, edge, leaves(schema, edge.to)...)
			for _, leaf := range leaves(schema, edge.to) {
				key := edge.to + "." + leaf
				filled[key] = filled[key] || slices.ContainsFunc(all[leaf], hasValue)
				if alone := values(g, edge, leaf)[leaf]; !reflect.DeepEqual(alone, all[leaf]) {
					t.Errorf("%s { %s }: alone %v, with all others %v", edge.path, leaf, alone, all[leaf])
				}
			}
		}
		for key, has := range filled {
			if !has && !mayBeEmpty(key) {
				t.Errorf("%s has a value nowhere in the test's world: give it one", key)
			}
		}
		if len(filled) < 100 {
			t.Errorf("only %d fields were walked", len(filled))
		}
	}, unlimited)
}

// What is asked for on a union applies to its members: its columns are read, too.

func TestAFragmentOnAUnionReadsWhatOneOnItsMemberReads(t *testing.T) {
	g := onWorld(t, unlimited)
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	walked := 0
	for _, union := range schema.Types {
		if union.Kind != ast.Union {
			continue
		}
		for _, e := range edges(t, schema) {
			if e.path[len(e.path)-1] != fragment+e.to || !slices.Contains(union.Types, e.to) {
				continue
			}
			through := edge{path: append(slices.Clone(e.path), fragment+union.Name, fragment+e.to), to: e.to}
			all := leaves(schema, e.to)
			if got, want := values(g, through, all...), values(g, e, all...); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, want %v", through.path, got, want)
			}
			walked++
		}
	}
	if walked < 5 {
		t.Errorf("only %d members of unions were walked", walked)
	}
}

// mayBeEmpty are fields that have no value at the first page of an ordinary list, or where totals are
// grouped by all that lets them be of tickets (testdata/queries/totals.graphql has it).
func mayBeEmpty(key string) bool {
	return slices.Contains([]string{"PageInfo.hasNextPage", "PageInfo.hasPreviousPage", "TicketGroup.technicianId"}, key)
}

func hasValue(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case float64:
		return v != 0
	case bool:
		return v
	case []any:
		return len(v) > 0
	}
	return true
}

// edge is a field that leads to an object, and how to get there from the root.
type edge struct {
	path []string // fields with their arguments
	to   string   // the object
}

// arguments are those that fields cannot do without.
func arguments() map[string]string {
	return map[string]string{
		"Query.company": `(accountNumber: "620547")`, "Query.asset": "(id: 1)", "Query.contact": "(id: 1)",
		"Query.ticket": "(ticketId: 1001)", "Query.location": "(id: 1)", "Query.syncRun": `(id: "r2")`,
		"Query.search": `(text: "acme")`,
		// What finds a member of the union with all that it has.
		"SearchRecord.Company": `(text: "620547")`, "SearchRecord.Contact": `(text: "ann")`,
		"SearchRecord.Snapshot": `(text: "202510")`, // one is open
		"Query.snapshot":        `(invoiceNumber: "620547-202510", revision: 1)`, "Query.snapshotTotals": "(groupBy: [COMPANY, BILLING_MONTH, YEAR, BILLING_PLAN])",
		"Query.snapshotDiff": `(from: {invoiceNumber: "620547-202510", revision: 1}, to: {invoiceNumber: "620547-202510", revision: 2})`,
		"SearchRecord.Asset": `(text: "srv")`, "SearchRecord.Ticket": `(text: "1001")`,
		"Query.asOf":         `(at: "2025-11-02T00:00:00Z")`,
		"Query.plan":         `(name: "Gold", termLength: "1 Year")`,
		"Query.assetTotals":  "(groupBy: [COMPANY, HARDWARE_TYPE, DEVICE_TYPE, DEVICE_CLASS, OPERATING_SYSTEM, DATTO_SITE_NAME, SUSPENDED, ONLINE])",
		"Query.ticketTotals": "(groupBy: [COMPANY, BILLING_MONTH, STATUS, PRIORITY])",
		"Past.assetTotals":   "(groupBy: [COMPANY, HARDWARE_TYPE, DEVICE_TYPE, OPERATING_SYSTEM, DATTO_SITE_NAME, SUSPENDED])",
		"Past.ticketTotals":  "(groupBy: [COMPANY, BILLING_MONTH, STATUS, PRIORITY])",
		"Past.company":       `(accountNumber: "620547")`, "Past.asset": "(id: 1)", "Past.contact": "(id: 1)",
		"Past.ticket": "(ticketId: 1001)", "Past.location": "(id: 1)",
		"Query.missedMonths":   "(settled: true)",
		"Query.notifications":  "(delivered: true)",
		"Query.snapshotJob":    `(id: "j1")`,
		"Query.billReview":     "(year: 2025, month: 10)",
		"Query.reconciliation": "(year: 2025, month: 10)",
		"Query.snapshotProof":  `(invoiceNumber: "620547-202510")`, "Query.logConsistency": "(from: 1)",
	}
}

// edges are all of the schema's, each by the shortest way to it. An object's edges are found once
// for each object, from Query on, and once more for a member of a union: there they are those of
// several kinds at one place.
func edges(t *testing.T, schema *ast.Schema) []edge {
	t.Helper()
	var found []edge
	visited := map[string]bool{"Query": true}
	for queue := []edge{{to: "Query"}}; len(queue) > 0; queue = queue[1:] {
		for _, field := range schema.Types[queue[0].to].Fields {
			to := schema.Types[field.Type.Name()]
			if to.Kind != ast.Object && !to.IsAbstractType() || strings.HasPrefix(field.Name, "__") {
				continue
			}
			call := field.Name + arguments()[queue[0].to+"."+field.Name]
			for _, argument := range field.Arguments {
				if argument.Type.NonNull && argument.DefaultValue == nil && !strings.Contains(call, argument.Name+":") {
					t.Fatalf("%s takes %s: tell this test one", field.Name, argument.Name)
				}
			}
			path := append(slices.Clone(queue[0].path), call)
			if to.IsAbstractType() {
				for _, member := range schema.GetPossibleTypes(to) {
					next := edge{path: append(slices.Clone(path), fragment+member.Name), to: member.Name}
					next.path[0] = "search" + arguments()[to.Name+"."+member.Name]
					found, queue = append(found, next), append(queue, next)
				}
				continue
			}
			next := edge{path: path, to: to.Name}
			found = append(found, next)
			if !visited[to.Name] {
				visited[to.Name] = true
				queue = append(queue, next)
			}
		}
	}
	return found
}

// fragment stands in a path before the member of a union on which the rest of it is asked for.
const fragment = "... on "

// leaves are the fields of an object that lead nowhere.
func leaves(schema *ast.Schema, object string) []string {
	var names []string
	for _, field := range schema.Types[object].Fields {
		if kind := schema.Types[field.Type.Name()].Kind; kind == ast.Scalar || kind == ast.Enum {
			names = append(names, field.Name)
		}
	}
	return names
}

// values are those of the leaves at an edge, of all objects that it leads to.
func values(g *graph, e edge, leaves ...string) map[string][]any {
	g.t.Helper()
	if len(leaves) == 0 {
		return nil
	}
	text := "{" + strings.Join(e.path, "{") + "{" + strings.Join(leaves, " ") + strings.Repeat("}", len(e.path)+1)
	var at func(v any, path []string) []any
	at = func(v any, path []string) []any {
		switch v := v.(type) {
		case []any:
			var all []any
			for _, item := range v {
				all = append(all, at(item, path)...)
			}
			return all
		case map[string]any:
			if len(path) == 0 {
				if len(v) == 0 {
					return nil // another member of a union
				}
				return []any{v}
			}
			if strings.HasPrefix(path[0], fragment) {
				return at(v, path[1:])
			}
			name, _, _ := strings.Cut(path[0], "(")
			return at(v[name], path[1:])
		}
		return nil
	}
	result := map[string][]any{}
	objects := at(any(g.data(as(codex.RoleAdmin), text)), e.path)
	if len(objects) == 0 && !strings.Contains(fmt.Sprint(e.path), "PageInfo") {
		g.t.Errorf("%s leads to nothing in the test's world", e.path)
	}
	for _, object := range objects {
		for _, leaf := range leaves {
			result[leaf] = append(result[leaf], object.(map[string]any)[leaf])
		}
	}
	return result
}
