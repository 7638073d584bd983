package query

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"
	entfield "entgo.io/ent/schema/field"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// MaxOrders is by how many fields a list is sorted at most.
const MaxOrders = 5

// OrderField is the name in the graph of a field by which a list is sorted.
type OrderField string

// Direction is the way in which a list is sorted.
type Direction string

// The directions.
const (
	Ascending  Direction = "asc"
	Descending Direction = "desc"
)

// Order sorts by a field. What is null comes last either way; texts are sorted by bytes.
type Order struct {
	Field     OrderField
	Direction Direction
}

// List says which records are wanted and in which order: by OrderBy one after the other, and last by
// the key. Its zero value: all, by the key (runs and issues: the newest first).
type List struct {
	Filter  Filter
	OrderBy []*Order
}

// sorting is a field by which a list is sorted.
type sorting struct {
	field attribute
	down  bool
}

// listing is a list as it is read.
type listing struct {
	entity entity
	wanted condition // nil: all
	order  []sorting
	tag    string // tells its cursors from those of other lists
}

// listing is list, of records of e.
func (v view) listing(e entity, list List) (*listing, error) {
	var wanted condition
	if len(list.Filter) > 0 {
		var err error
		if wanted, err = v.conditionOf(e, list.Filter); err != nil {
			return nil, err
		}
	}
	order, err := e.orderOf(list.OrderBy)
	if err != nil {
		return nil, err
	}
	l := &listing{entity: e, wanted: wanted, order: order, tag: e.tag}
	for _, by := range order {
		l.tag += by.field.name
		if by.down {
			l.tag += " desc"
		}
		l.tag += ","
	}
	if len(list.Filter) > 0 {
		text, err := json.Marshal(list.Filter)
		if err != nil {
			return nil, fmt.Errorf("writing a filter: %w", err)
		}
		sum := sha256.Sum256(text)
		l.tag += hex.EncodeToString(sum[:8])
	}
	return l, nil
}

// orderOf is what orderBy asks for, with the key last, by which no two records are alike.
func (e entity) orderOf(orderBy []*Order) ([]sorting, error) {
	if len(orderBy) == 0 {
		return e.order, nil
	}
	if len(orderBy) > MaxOrders {
		return nil, codex.BadInput("orderBy", "a list is sorted by at most %d fields, not %d", MaxOrders, len(orderBy))
	}
	var order []sorting
	for _, by := range orderBy {
		f, ok := e.field(string(by.Field))
		if !ok || f.kind == kindList {
			return nil, codex.BadInput("orderBy", "there is no field %s to sort by", by.Field)
		}
		if slices.ContainsFunc(order, func(o sorting) bool { return o.field == f }) {
			return nil, codex.BadInput("orderBy", "it sorts by %s twice", by.Field)
		}
		order = append(order, sorting{f, by.Direction == Descending})
		if f.column == e.key {
			return order, nil // what would follow decides nothing
		}
	}
	return append(order, sorting{field: e.fields[0]}), nil
}

// filter tells the records that are wanted.
func (l *listing) filter(s *sql.Selector) {
	if l.wanted != nil {
		s.Where(l.wanted(s))
	}
}

// sort sorts them.
func (l *listing) sort(s *sql.Selector) {
	for _, by := range l.order {
		s.OrderExpr(l.orderExpr(s, by))
	}
}

func (l *listing) orderExpr(s *sql.Selector, by sorting) sql.Querier {
	return sql.ExprFunc(func(b *sql.Builder) {
		b.Join(l.entity.expr(s, by.field.column))
		if by.field.kind.texts() {
			b.WriteString(store.OrderText(s.Dialect(), ""))
		}
		if by.down {
			b.WriteString(" DESC")
		}
		if l.entity.nullable(by.field.column) {
			b.WriteString(" NULLS LAST")
		}
	})
}

// sortKey is the name under which the value is read by which a record is sorted.
func sortKey(i int) string { return "sort_" + strconv.Itoa(i) }

// keys reads by what each record is sorted.
func (l *listing) keys(s *sql.Selector) {
	for i, by := range l.order {
		s.AppendSelectExprAs(l.entity.expr(s, by.field.column), sortKey(i))
	}
}

// page are the conditions, order and columns of a page.
func (l *listing) page(p Page) (func(*sql.Selector), error) {
	if p.After == "" {
		return func(s *sql.Selector) { l.filter(s); l.keys(s) }, nil
	}
	after, err := l.decode(p.After)
	if err != nil {
		return nil, err
	}
	return func(s *sql.Selector) {
		l.filter(s)
		s.Where(l.after(s, after))
		l.keys(s)
	}, nil
}

// after tells what follows the record with keys, of which nil is null.
func (l *listing) after(s *sql.Selector, keys []any) *sql.Predicate {
	var ways []*sql.Predicate
	for i, by := range l.order {
		if keys[i] == nil {
			continue // nothing follows what is null
		}
		var way []*sql.Predicate
		for j, before := range l.order[:i] {
			column := l.entity.expr(s, before.field.column)
			if keys[j] == nil {
				way = append(way, null(column, true))
			} else {
				way = append(way, compared(column, before.field.kind, s.Dialect(), " = ", keys[j]))
			}
		}
		sign := " > "
		if by.down {
			sign = " < "
		}
		follows := compared(l.entity.expr(s, by.field.column), by.field.kind, s.Dialect(), sign, keys[i])
		if l.entity.nullable(by.field.column) {
			follows = sql.Or(follows, null(l.entity.expr(s, by.field.column), true))
		}
		ways = append(ways, sql.And(append(way, follows)...))
	}
	return sql.Or(ways...)
}

// cutListing makes the page p of rows.
func cutListing[T row](l *listing, p Page, rows []T) (*PageOf[T], error) {
	var failed error
	page := cut(p, rows, func(r T) string {
		cursor, err := l.encode(r)
		if err != nil && failed == nil {
			failed = err
		}
		return cursor
	})
	return page, failed
}

// encode makes the cursor of a row: the version, what tells the list, and the keys, null where they are.
func (l *listing) encode(r row) (string, error) {
	reading := &reading{row: r}
	tag := l.tag
	parts := []*string{new(cursorListVersion), &tag}
	for i, by := range l.order {
		kind := entfield.TypeString
		if by.field.kind == kindBool {
			kind = entfield.TypeBool
		}
		parts = append(parts, reading.text(sortKey(i), kind))
	}
	text, err := json.Marshal(parts)
	if reading.err != nil {
		err = reading.err
	}
	return base64.RawURLEncoding.EncodeToString(text), err
}

// decode is the reverse: the keys, nil for null. A text that is no cursor, or one of another list, is a
// [codex.CodeBadInput] error about the field after.
func (l *listing) decode(cursor string) ([]any, error) {
	bad := codex.BadInput("after", noSuchCursor)
	if len(cursor) > cursorListMaxLen {
		return nil, bad
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, bad
	}
	var parts []*string
	if err := json.Unmarshal(text, &parts); err != nil || len(parts) != 2+len(l.order) || slices.Contains(parts[:2], nil) {
		return nil, bad
	}
	if *parts[0] != cursorListVersion {
		return nil, bad
	}
	if *parts[1] != l.tag {
		return nil, codex.BadInput("after", "this cursor is of a list with another filter or order: "+
			"ask for it with the filter and orderBy that it came with")
	}
	keys := make([]any, len(l.order))
	for i, by := range l.order {
		part := parts[2+i]
		if part == nil {
			if !l.entity.nullable(by.field.column) {
				return nil, bad
			}
			continue
		}
		if keys[i], err = by.field.kind.parse(*part); err != nil {
			return nil, bad
		}
	}
	return keys, nil
}

// parse takes a value of kind k as a cursor has it.
func (k kind) parse(text string) (any, error) {
	switch {
	case k.texts():
		return store.CleanText(text), nil
	case k == kindBool:
		return strconv.ParseBool(text)
	case k == kindTime:
		return timeKey(text)
	}
	return strconv.ParseInt(text, 10, 64)
}

// limitedTo are the first n of each parent of those that are wanted, in one statement: s then reads a
// numbered view of its table. The parents' keys are in the column parent, or in that of a table of
// pairs. What a lateral join would be beside it stands in the package's description.
func limitedTo[K store.Key](l *listing, parent string, through *link, keys []K, n int) func(*sql.Selector) {
	return func(s *sql.Selector) {
		table := l.entity.table.Name
		view := sql.Dialect(s.Dialect()).Select().From(sql.Table(table))
		view.Select(view.C("*"))
		partition := view.C(parent)
		if through != nil {
			partition = through.join(view, store.KeyIn(through.parent, keys))
			view.AppendSelectAs(partition, parentKey)
		} else {
			store.KeyIn(parent, keys)(view)
		}
		l.entity.served(view)
		l.filter(view)
		view.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("ROW_NUMBER() OVER (PARTITION BY " + partition + " ORDER BY ")
			for i, by := range l.order {
				if i > 0 {
					b.Comma()
				}
				b.Join(l.orderExpr(view, by))
			}
			b.WriteString(")")
		}), placeColumn)
		s.From(view.As(table)).Where(sql.LTE(s.C(placeColumn), n))
		if through != nil {
			s.AppendSelectAs(s.C(parentKey), parentKey)
		}
	}
}

// placeColumn is the name of a row's number among those of its parent.
const placeColumn = "place_in_parent"

// OrderFieldsOf are the fields by which the graph's entity of that name is sorted, in their order.
func OrderFieldsOf(object string) []OrderField {
	e, ok := entityOf(object)
	if !ok {
		return nil
	}
	var names []OrderField
	for _, f := range e.fields {
		if f.kind != kindList {
			names = append(names, OrderField(f.name))
		}
	}
	return names
}

// FiltersOf are the graph's inputs by which the fields and edges of its entity of that name are filtered.
func FiltersOf(object string) map[string]string {
	e, _ := entityOf(object)
	prefix := ""
	if strings.HasPrefix(object, "Past") {
		prefix = "Past"
	}
	filters := map[string]string{}
	for _, f := range e.fields {
		filters[f.name], _, _ = strings.Cut(string(f.kind), " ")
	}
	for _, l := range e.edges {
		filters[l.name] = prefix + map[string]string{
			"company": "CompanyFilter", "companies": "CompanyListFilter", "assets": "AssetListFilter",
			"contacts": "ContactListFilter", "locations": "LocationListFilter", "tickets": "TicketListFilter",
			"snapshots": "SnapshotListFilter", "lines": "SnapshotLineListFilter",
		}[l.name]
	}
	return filters
}

// entityOf is the entity that the graph has under a name.
func entityOf(object string) (entity, bool) {
	v, name := viewOf(object)
	switch name {
	case "Company":
		return v.companies(), true
	case "Asset":
		return v.assets(), true
	case "Contact":
		return v.contacts(), true
	case "Location":
		return v.locations(), true
	case "Ticket":
		return v.tickets(), true
	case "Snapshot":
		return v.currentSnapshots(), true
	case "SnapshotLine":
		return v.snapshotLines(), true
	case "SyncRun":
		return v.runs(), true
	case "SyncIssue":
		return v.issues(), true
	}
	return entity{}, false
}

// viewOf is what the graph's object of that name is a part of, and its name there.
func viewOf(object string) (view, string) {
	name, past := strings.CutPrefix(object, "Past")
	if past {
		return view{&Past{}}, name
	}
	return view{}, name
}
