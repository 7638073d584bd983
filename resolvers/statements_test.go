package resolvers_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestTheNumberOfStatementsDependsOnTheShapeOfAQueryAndNeverOnItsRows(t *testing.T) {
	var statements atomic.Int64
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.Many(t, db, 200, 5)
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
