package query

import (
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// MaxGroups is how many groups totals have at most. More are refused: they are never cut.
const MaxGroups = 10_000

// GroupBy is the name in the graph of something by which totals are grouped.
type GroupBy string

// totals is a question for sums: of which records, and by what they are grouped. It is one statement,
// whose filter is that of lists.
type totals struct {
	entity  entity
	listing *listing
	keys    []attribute
}

// totals is that question about records of e, which may be grouped by groups.
func (v view) totals(e entity, groups []attribute, filter Filter, groupBy []GroupBy) (*totals, error) {
	l, err := v.listing(e, List{Filter: filter})
	if err != nil {
		return nil, err
	}
	t := &totals{entity: e, listing: l}
	for _, name := range groupBy {
		i := slices.IndexFunc(groups, func(g attribute) bool { return g.name == string(name) })
		if i < 0 {
			return nil, codex.BadInput("groupBy", "there is no %s to group by", name)
		}
		if slices.Contains(t.keys, groups[i]) {
			return nil, codex.BadInput("groupBy", "it groups by %s twice", name)
		}
		t.keys = append(t.keys, groups[i])
	}
	return t, nil
}

// by tells whether the records are grouped by a column.
func (t *totals) by(column string) bool {
	return slices.ContainsFunc(t.keys, func(k attribute) bool { return k.column == column })
}

// read makes of a statement that selects records one that selects their groups: the keys, each under the
// name of its column after by_, in whose order the groups come (texts by bytes, null last), and what
// sums adds. Without keys there is exactly one group.
func (t *totals) read(sums func(*sql.Selector)) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Select()
		for _, key := range t.keys {
			name := "by_" + key.column
			s.AppendSelectExprAs(t.keyExpr(s, key), name)
			s.GroupBy(name)
			s.OrderExpr(sql.ExprFunc(func(b *sql.Builder) { b.Ident(name).WriteString(" NULLS LAST") }))
		}
		sums(s)
	}
}

// keyExpr is what a key groups by, texts by bytes.
func (t *totals) keyExpr(s *sql.Selector, key attribute) sql.Querier {
	return sql.ExprFunc(func(b *sql.Builder) {
		b.Join(t.entity.expr(s, key.column))
		if key.kind.texts() {
			b.WriteString(store.OrderText(s.Dialect(), ""))
		}
	})
}

// aggregate is a sum or count that is read under a name.
func aggregate(s *sql.Selector, name, function string, of sql.Querier) {
	s.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString(function + "(").Join(of).WriteString(")")
	}), name)
}

// allGroups are groups that were read, one more than there may be at most.
func allGroups[T any](groups []T) ([]*T, error) {
	if len(groups) > MaxGroups {
		return nil, &codex.Error{Code: codex.CodeCostLimit, Field: "groupBy", Message: tooManyGroups}
	}
	all := make([]*T, len(groups))
	for i := range groups {
		all[i] = &groups[i]
	}
	return all, nil
}

const tooManyGroups = "there are more than 10000 groups: group by less, or filter"

// GroupsOf are by what totals of the graph's entity of that name are grouped, in their order.
func GroupsOf(object string) []GroupBy {
	v, name := viewOf(object)
	var groups []attribute
	switch name {
	case "Asset":
		groups = v.assetGroups()
	case "Ticket":
		groups = v.ticketGroups()
	case "Snapshot":
		groups = v.snapshotGroups()
	}
	names := make([]GroupBy, len(groups))
	for i, g := range groups {
		names[i] = GroupBy(g.name)
	}
	return names
}
