package resolvers

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	schemas "github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/hivematrix/codex/graph/exec"
)

func measured(t *testing.T, text string, variables map[string]any) (measure, string) {
	t.Helper()
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	op := &graphql.OperationContext{Operation: doc.Operations[0], Variables: variables}
	defaults := Limits{}.withDefaults()
	refused := ""
	if err := (costLimit{schema: schema, cost: defaults.Cost, depth: defaults.Depth, rootFields: 50, mutations: 10}).MutateOperationContext(t.Context(), op); err != nil {
		refused = err.Message
	}
	m := measuring{schema: schema, variables: variables, fragments: map[*ast.FragmentDefinition]measure{}}
	return m.set(op.Operation.SelectionSet), refused
}

func TestTheCostOfAQueryIsHowManyValuesItsAnswerMayHave(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		variables  map[string]any
		cost       int
		depth      int
		refused    bool
	}{
		{name: "one value", text: "{ me { name } }", cost: 2, depth: 2},
		{name: "an edge counts 50", text: `{ company(accountNumber: "1") { assets { id } } }`, cost: 1 + 1 + 50, depth: 3},
		{name: "edges multiply", text: `{ company(accountNumber: "1") { assets { contacts { id name } } } }`, cost: 1 + 1 + 50*(1+50*2), depth: 4},
		{name: "a page counts as it is asked for", text: "{ companies(first: 7) { nodes { name } } }", cost: 1 + 7*(1+1), depth: 3},
		{name: "by a variable too", text: "query ($n: Int) { companies(first: $n) { nodes { name } } }", variables: map[string]any{"n": int64(7)}, cost: 1 + 7*(1+1), depth: 3},
		{name: "and 50 by default", text: "{ companies { nodes { name } } }", cost: 1 + 50*(1+1), depth: 3},
		{name: "a page that will be refused is not free", text: "{ companies(first: -1) { nodes { name } } }", cost: 1 + 50*(1+1), depth: 3},
		{name: "a search counts by its hits", text: `{ search(text: "x", first: 7) { field node { ... on Asset { id } ... on Ticket { ticketId } } } }`, cost: 1 + 7*(1+1+1+1), depth: 3},
		{name: "and 20 by default", text: `{ search(text: "x") { field } }`, cost: 1 + 20, depth: 2},
		{name: "the schema itself leads to no row", text: "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", cost: 1, depth: 1},
		{name: "totals of all are one group", text: "{ assetTotals { count } }", cost: 1 + 1, depth: 2},
		{name: "of no group, too", text: "query ($by: [AssetGroupBy!]) { assetTotals(groupBy: $by) { count } }", variables: map[string]any{"by": []any{}}, cost: 1 + 1, depth: 2},
		{name: "by groups they are as many as may be", text: "{ ticketTotals(groupBy: COMPANY) { company { name } count } }", cost: 1 + 10_000*(1+1+1), depth: 3},
		{name: "by a variable too", text: "query ($by: [PastAssetGroupBy!]) { asOf(at: \"2025-10-19T12:00:00Z\") { assetTotals(groupBy: $by) { count } } }",
			variables: map[string]any{"by": []any{"COMPANY", "DEVICE_TYPE"}}, cost: 1 + 1 + 10_000, depth: 3},
		{name: "each group has edges", text: "{ ticketTotals(groupBy: [COMPANY, STATUS]) { company { assets { contacts { email } } } } }",
			cost: 1 + 10_000*(1+1+50*(1+50)), depth: 5, refused: true},
		{name: "a bill's document counts as many values as its letters may stand for", text: "{ snapshots(first: 7) { nodes { csv totalAmount } } }",
			cost: 1 + 7*(1+10_000+1), depth: 3},
		{name: "too many documents", text: "{ snapshots(first: 500) { nodes { billingData } } }", cost: 1 + 500*(1+10_000), depth: 3, refused: true},
		{name: "totals of bills", text: "{ snapshotTotals(groupBy: COMPANY) { totalAmount } }", cost: 1 + 10_000, depth: 2},
		{name: "a comparison", text: `{ snapshotDiff(from: {invoiceNumber: "1"}, to: {invoiceNumber: "2"}) { added { itemName } } }`, cost: 1 + 1 + 50, depth: 3},
		{name: "a comparison of documents reads them", text: `{ snapshotDiff(from: {invoiceNumber: "1"}, to: {invoiceNumber: "2"}) { documents } }`, cost: 1 + 10_000, depth: 2},
		{name: "a fragment counts where it is used", text: "{ me { ...f } again: me { ...f } } fragment f on Caller { name role }", cost: 2 * (1 + 2), depth: 2},
		{name: "Ledger's question", text: `{ company(accountNumber: "620547") { name
			assets { id hostname online backup { bytes usageTb } contacts { email } } assetsTotal { count backupBytes }
			contacts { id name email } locations { name address } tickets(year: 2025) { ticketId subject hours } } }`,
			cost: 1 + 1 + (1 + 50*(3+3+51)) + 3 + (1 + 50*3) + (1 + 50*2) + (1 + 50*3), depth: 4},
		{name: "200 companies with all that hangs on them", text: "{ companies(first: 200) { nodes { accountNumber name assets { id hostname online lastSeen contacts { id name email title active } } } } }",
			cost: 1 + 200*(1+2+1+50*(4+1+50*5)), depth: 5},
		{name: "1000 of them are too many", text: "{ companies(first: 1000) { nodes { assets { contacts { id name email title active } } } } }",
			cost: 1 + 1000*(1+1+50*(1+50*5)), depth: 5, refused: true},
		{name: "round and round is refused before it overflows", text: "{ companies(first: 1000) { nodes { " + strings.Repeat("assets { contacts { companies { ", 9) + "name" + strings.Repeat(" } } }", 9) + " } } }",
			cost: 1<<63 - 1, depth: 30, refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, refused := measured(t, tc.text, tc.variables)
			if got.cost != tc.cost || got.depth != tc.depth {
				t.Errorf("cost %d, depth %d, want %d, %d", got.cost, got.depth, tc.cost, tc.depth)
			}
			if (refused != "") != tc.refused {
				t.Errorf("refused: %q", refused)
			}
		})
	}
}

func TestTheSchemaIsAskedForOnceAndNotManyTimesOver(t *testing.T) {
	many := func(n int, part string) string {
		var text strings.Builder
		for i := range n {
			text.WriteString(strings.NewReplacer("#", strconv.Itoa(i), "$", strconv.Itoa(i+1)).Replace(part))
		}
		return text.String()
	}
	for _, tc := range []struct {
		name, text string
		refused    bool
	}{
		{"all of it, as GraphiQL and generators do", schemas.Query, false},
		{"all of its types ten times", strings.Replace(schemas.Query, "__schema {", "__schema {"+many(9, " a#: types { ...FullType }"), 1), true},
		{"a part of it under many names", "{" + many(45, " a#: __schema { types { fields { args { type { name ofType { name } } } } } }") + " }", true},
		{"many names at the bottom of it", "{ __schema { types { fields {" + many(95, " a#: args { type { name } }") + " } } } }", true},
		{"many types by their names", "{" + many(45, ` a#: __type(name: "Company") { fields { name type { name } } }`) + " }", false},
		{"fragments that double", "{ __schema { ...f0 } }" + many(20, " fragment f# on __Schema { ...f$ ... on __Schema { ...f$ } }") +
			" fragment f20 on __Schema { types { name } }", true},
	} {
		if _, refused := measured(t, tc.text, nil); (refused != "") != tc.refused {
			t.Errorf("%s: %q", tc.name, refused)
		}
	}
}

func TestFragmentsThatContainOneAnotherAreReckonedOnceEach(t *testing.T) {
	text := "{ me { ...f0 } }"
	for i := range 60 { // 2⁶⁰ names, if each were followed
		text += fmt.Sprintf(" fragment f%d on Caller { ...f%d ... on Caller { ...f%d } }", i, i+1, i+1)
	}
	text += " fragment f60 on Caller { name }"
	got, refused := measured(t, text, nil)
	if got.cost != 1+1<<60 || refused == "" {
		t.Errorf("cost %d, %q", got.cost, refused)
	}
}

func TestAQueryMayBeSoDeepAndNoDeeper(t *testing.T) {
	nested := func(depth int) string {
		return `{ contact(id: 1) { ` + strings.Repeat("companies { contacts { ", (depth-2)/2) + "id" + strings.Repeat(" } }", (depth-2)/2) + " } }"
	}
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	for depth, refused := range map[int]bool{12: false, 14: true} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, nested(depth), rules.NewDefaultRules())
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		limit := costLimit{schema: schema, cost: 1<<63 - 1, depth: 12, rootFields: 50}
		err := limit.MutateOperationContext(t.Context(), &graphql.OperationContext{Operation: doc.Operations[0]})
		if (err != nil) != refused {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}
