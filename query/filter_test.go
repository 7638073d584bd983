package query_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// fill writes two companies with assets that differ in few values, null among them, so that each
// condition is met by some and sorts have ties.
func fill(t *testing.T, db *store.DB) []*ent.Asset {
	t.Helper()
	names := []string{"Ärzte", "ärzte-2", "ÄRZTE", "pc", "PC-1", "Straße", "STRASSE", "İstanbul", "a%b", "", "漢"}
	systems := []string{"Windows 11", "Windows Server", "ubuntu"}
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, account := range []codex.AccountNumber{"1", "2"} {
			if err := tx.Ent().Company.Create().SetID(account).SetName("Company " + string(account)).Exec(ctx); err != nil {
				return err
			}
		}
		for i := range 44 {
			create := tx.Ent().Asset.Create().SetID(i + 1).SetHostname(names[i%len(names)]).SetSuspended(i%3 == 0).
				SetCompanyAccountNumber(codex.AccountNumber(fmt.Sprint(1 + i%2)))
			if i%4 > 0 {
				create.SetOperatingSystem(systems[i%3]).SetOnline(i%5 > 2)
			}
			if i%3 > 0 {
				create.SetBackupBytes(int64(i%7) << 40).SetLastSeen(querytest.At(1 + i%5).Add(time.Duration(i%2) * time.Microsecond))
			}
			if err := create.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all, err := db.Ent().Asset.Query().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// valueOf is a field of an asset: a text, a whole number (times in microseconds), or nil.
func valueOf(a *ent.Asset, name string) any {
	switch name {
	case "id":
		return int64(a.ID)
	case "hostname":
		return a.Hostname
	case "operatingSystem":
		if a.OperatingSystem != nil {
			return *a.OperatingSystem
		}
	case "backupBytes":
		if a.BackupBytes != nil {
			return *a.BackupBytes
		}
	case "lastSeen":
		if a.LastSeen != nil {
			return a.LastSeen.UnixMicro()
		}
	case "online":
		if a.Online != nil {
			return truth(*a.Online)
		}
	case "suspended":
		return truth(a.Suspended)
	}
	return nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func compare(a, b any) int {
	if text, ok := a.(string); ok {
		return cmp.Compare(text, b.(string))
	}
	return cmp.Compare(a.(int64), b.(int64))
}

// given is a condition's value as a test's model has it.
func given(v any) any {
	switch v := v.(type) {
	case *string:
		return *v
	case *bool:
		return truth(*v)
	case *codex.Bytes:
		return int64(*v)
	case *time.Time:
		return v.UnixMicro()
	}
	return v
}

// meets is what a filter says, told once more.
func meets(a *ent.Asset, filter query.Filter) bool {
	for name, value := range filter {
		met := true
		switch name {
		case "and":
			for _, part := range value.([]query.Filter) {
				met = met && meets(a, part)
			}
		case "or":
			met = slices.ContainsFunc(value.([]query.Filter), func(part query.Filter) bool { return meets(a, part) })
		case "not":
			met = !meets(a, value.(query.Filter))
		case "company":
			met = *value.(query.Filter)["accountNumber"].(query.Filter)["eq"].(*string) == string(a.CompanyAccountNumber)
		default:
			for operator, wanted := range value.(query.Filter) {
				met = met && meetsOne(valueOf(a, name), operator, wanted)
			}
		}
		if !met {
			return false
		}
	}
	return true
}

func meetsOne(value any, operator string, wanted any) bool {
	switch operator {
	case "isNull":
		return (value == nil) == *wanted.(*bool)
	case "ne":
		return !meetsOne(value, "eq", wanted)
	case "notIn":
		return !meetsOne(value, "in", wanted)
	}
	if value == nil {
		return false
	}
	switch operator {
	case "in":
		switch list := wanted.(type) {
		case []string:
			return slices.Contains(list, value.(string))
		case []codex.Bytes:
			return slices.Contains(list, codex.Bytes(value.(int64)))
		}
	case "contains":
		return strings.Contains(store.Fold(value.(string)), store.Fold(*wanted.(*string)))
	case "startsWith":
		return strings.HasPrefix(store.Fold(value.(string)), store.Fold(*wanted.(*string)))
	case "eq":
		return compare(value, given(wanted)) == 0
	case "gt":
		return compare(value, given(wanted)) > 0
	case "gte":
		return compare(value, given(wanted)) >= 0
	case "lt":
		return compare(value, given(wanted)) < 0
	case "lte":
		return compare(value, given(wanted)) <= 0
	}
	panic("no such condition: " + operator)
}

func drawFilter(t *rapid.T, depth int) query.Filter {
	filter := query.Filter{}
	texts := []string{"pc", "PC-1", "ärzte", "Ärzte", "strasse", "straße", "ISTANBUL", "%", "_", "", "Windows 11", "win", "漢", "ubuntu"}
	for range rapid.IntRange(0, 2).Draw(t, "fields") {
		condition := query.Filter{}
		name := rapid.SampledFrom([]string{"hostname", "operatingSystem", "backupBytes", "lastSeen", "online", "suspended", "company"}).Draw(t, "field")
		text := rapid.SampledFrom(texts)
		switch name {
		case "hostname", "operatingSystem":
			switch operator := rapid.SampledFrom([]string{"eq", "ne", "in", "notIn", "contains", "startsWith", "isNull"}).Draw(t, "operator"); operator {
			case "in", "notIn":
				condition[operator] = rapid.SliceOfN(text, 0, 3).Draw(t, "texts")
			case "isNull":
				condition[operator] = new(rapid.Bool().Draw(t, "null"))
			default:
				condition[operator] = new(text.Draw(t, "text"))
			}
		case "backupBytes", "lastSeen":
			switch operator := rapid.SampledFrom([]string{"eq", "ne", "gt", "gte", "lt", "lte", "isNull", "in"}).Draw(t, "operator"); {
			case operator == "isNull":
				condition[operator] = new(rapid.Bool().Draw(t, "null"))
			case operator == "in" && name == "backupBytes":
				condition["in"] = []codex.Bytes{0, codex.Bytes(rapid.Int64Range(0, 7).Draw(t, "TB") << 40)}
			case operator == "in":
				condition["lt"] = new(querytest.At(3))
			case name == "backupBytes":
				condition[operator] = new(codex.Bytes(rapid.Int64Range(0, 7).Draw(t, "TB") << 40))
			default:
				condition[operator] = new(querytest.At(rapid.IntRange(0, 6).Draw(t, "day")).Add(time.Microsecond))
			}
		case "company":
			condition["accountNumber"] = query.Filter{"eq": new(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "account"))}
		default:
			condition["eq"] = new(rapid.Bool().Draw(t, "truth"))
		}
		filter[name] = condition
	}
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "joined") {
		case 0:
			filter["not"] = drawFilter(t, depth-1)
		case 1:
			filter["and"] = []query.Filter{drawFilter(t, depth-1), drawFilter(t, depth-1)}
		case 2:
			filter["or"] = []query.Filter{drawFilter(t, depth-1), drawFilter(t, depth-1)}
		case 3:
			filter["or"] = []query.Filter{}
		}
	}
	return filter
}

func drawOrder(t *rapid.T) []*query.Order {
	var order []*query.Order
	for _, name := range []query.OrderField{"hostname", "operatingSystem", "backupBytes", "lastSeen", "online", "suspended", "id"} {
		if rapid.IntRange(0, 3).Draw(t, string(name)) == 0 && len(order) < query.MaxOrders {
			order = append(order, &query.Order{
				Field: name, Direction: rapid.SampledFrom([]query.Direction{query.Ascending, query.Descending}).Draw(t, "direction"),
			})
		}
	}
	return order
}

// before is how order sorts two assets: what is null last, and equal ones by their ids.
func before(order []*query.Order) func(a, b *ent.Asset) int {
	return func(a, b *ent.Asset) int {
		for _, by := range order {
			x, y := valueOf(a, string(by.Field)), valueOf(b, string(by.Field))
			switch {
			case x == nil && y == nil:
				continue
			case x == nil:
				return 1
			case y == nil:
				return -1
			}
			c := compare(x, y)
			if by.Direction == query.Descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.ID, b.ID)
	}
}

func idsOf(assets []*ent.Asset) []int {
	all := make([]int, len(assets))
	for i, a := range assets {
		all[i] = a.ID
	}
	return all
}

func TestAListHasWhatItsFilterSaysInItsOrderHoweverItIsPaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		all := fill(t, db)
		r := query.New(db.Ent(), query.Rules{})
		rapid.Check(t, func(t *rapid.T) {
			list := query.List{Filter: drawFilter(t, 2), OrderBy: drawOrder(t)}
			size := rapid.IntRange(3, 50).Draw(t, "first")
			var want []*ent.Asset
			for _, a := range all {
				if meets(a, list.Filter) {
					want = append(want, a)
				}
			}
			slices.SortFunc(want, before(list.OrderBy))
			var got []*ent.Asset
			for page := (query.Page{First: size}); ; {
				found, err := r.Assets(context.Background(), page, list, "hostname")
				if err != nil {
					t.Fatalf("%v", err)
				}
				got = append(got, found.Rows...)
				if !found.More {
					break
				}
				page.After = found.Cursors[len(found.Cursors)-1]
			}
			if !slices.Equal(idsOf(got), idsOf(want)) {
				t.Fatalf("got  %v\nwant %v", idsOf(got), idsOf(want))
			}
			if n, err := r.CountAssets(context.Background(), list.Filter); n != len(want) || err != nil {
				t.Fatalf("%d are counted, %v", n, err)
			}
			edge := query.Edge{List: list, First: size}
			limited, err := r.AssetsByCompanyWhere(context.Background(), []codex.AccountNumber{"1", "2", "3"}, edge)
			if err != nil {
				t.Fatal(err)
			}
			for _, account := range []codex.AccountNumber{"1", "2", "3"} {
				own := slices.DeleteFunc(slices.Clone(want), func(a *ent.Asset) bool { return a.CompanyAccountNumber != account })
				if own = own[:min(size, len(own))]; !slices.Equal(idsOf(limited[account]), idsOf(own)) {
					t.Fatalf("the first %d of %s: got %v, want %v", size, account, idsOf(limited[account]), idsOf(own))
				}
			}
		})
	})
}

func TestAFilterReachesAcrossEdgesInThePresentAndInThePast(t *testing.T) {
	eq := func(v string) query.Filter { return query.Filter{"eq": &v} }
	over := query.Filter{"backupBytes": query.Filter{"gt": new(codex.Bytes(1 << 40))}}
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		past, err := r.AsOf(t.Context(), querytest.At(20), querytest.At(30))
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name          string
			filter        query.Filter
			present, past []codex.AccountNumber
		}{
			{"with assets over 1 TB", query.Filter{"assets": query.Filter{"some": over}}, acc("620547"), acc("620547")},
			{"without", query.Filter{"assets": query.Filter{"none": over}}, acc("900", "B-2", "a-1"), acc("900", "B-2", "a-1")},
			{"with any asset", query.Filter{"assets": query.Filter{"some": query.Filter{}}}, acc("620547", "900"), acc("620547", "900")},
			{"with a person", query.Filter{"contacts": query.Filter{"some": query.Filter{"name": query.Filter{"startsWith": new("ANN")}}}}, acc("620547", "900"), acc("620547", "900")},
			{"who is there too", query.Filter{"contacts": query.Filter{"some": query.Filter{"companies": query.Filter{"some": query.Filter{"accountNumber": eq("900")}}}}}, acc("620547", "900"), acc("620547", "900")},
			{"with a removed asset", query.Filter{"assets": query.Filter{"some": query.Filter{"hostname": eq("PC-3")}}}, nil, nil},
			{"with a place", query.Filter{"locations": query.Filter{"some": query.Filter{"company": query.Filter{"name": eq("Acme")}}}}, acc("620547"), acc("620547")},
			{"without tickets", query.Filter{"tickets": query.Filter{"none": query.Filter{}}}, acc("900", "B-2", "a-1"), acc("900", "B-2", "a-1")},
		} {
			list := query.List{Filter: tc.filter}
			found, err := r.Companies(t.Context(), query.Page{First: 50}, list)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			var got []codex.AccountNumber
			for _, c := range found.Rows {
				got = append(got, c.ID)
			}
			if !slices.Equal(got, tc.present) {
				t.Errorf("%s: %v, want %v", tc.name, got, tc.present)
			}
			then, err := past.Companies(t.Context(), query.Page{First: 50}, list)
			if err != nil {
				t.Fatalf("%s in the past: %v", tc.name, err)
			}
			got = nil
			for _, c := range then.Rows {
				got = append(got, c.AccountNumber)
			}
			if !slices.Equal(got, tc.past) {
				t.Errorf("%s in the past: %v, want %v", tc.name, got, tc.past)
			}
		}
	})
}

func acc(accounts ...codex.AccountNumber) []codex.AccountNumber { return accounts }

func TestAFilterBeyondItsBoundsIsRefusedAndNamesTheArgument(t *testing.T) {
	nested := func(depth int) query.Filter {
		filter := query.Filter{}
		for range depth {
			filter = query.Filter{"not": filter}
		}
		return filter
	}
	many := func(n int) query.Filter {
		parts := make([]query.Filter, n)
		for i := range parts {
			parts[i] = query.Filter{"suspended": query.Filter{"eq": new(true)}}
		}
		return query.Filter{"or": parts}
	}
	list := func(n int) query.Filter { return query.Filter{"hostname": query.Filter{"in": make([]string, n)}} }
	text := func(n int) query.Filter {
		return query.Filter{"hostname": query.Filter{"contains": new(strings.Repeat("ä", n))}}
	}
	lists := func(n int) query.Filter {
		parts := make([]query.Filter, n)
		for i := range parts {
			parts[i] = list(query.MaxListed)
		}
		return query.Filter{"or": parts}
	}
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name    string
			most    query.Filter
			more    query.Filter
			message string
		}{
			{"depth", nested(5), nested(6), "filter.not.not.not.not.not.not: a filter is at most 5 deep"},
			{"conditions", many(100), many(101), "filter.or: a filter has at most 100 conditions"},
			{"lists", list(1000), list(1001), "filter.hostname.in: a list has at most 1000 values, not 1001"},
			{"all lists", lists(10), lists(11), "filter.or.10.hostname.in: the lists of a filter have at most 10000 values together"},
			{"texts", text(1000), text(1001), "filter.hostname.contains: a text has at most 1000 letters here"},
			{"null", nil, query.Filter{"hostname": query.Filter{"eq": (*string)(nil)}}, "filter.hostname.eq: it is null: leave it out, or ask for isNull"},
			{"a null list", nil, query.Filter{"and": []query.Filter(nil)}, "filter.and: it is null: leave it out, or ask for isNull"},
			{"ids", nil, query.Filter{"id": query.Filter{"in": []string{"1", "x"}}}, "filter.id.in: this id is a string of digits"},
		} {
			if _, err := r.CountAssets(t.Context(), tc.most); err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			_, err := r.Assets(t.Context(), query.Page{First: 1}, query.List{Filter: tc.more})
			bad, ok := errors.AsType[*codex.Error](err)
			if !ok || bad.Code != codex.CodeBadInput || bad.Field != "filter" || bad.Message != tc.message {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	})
}

func TestACursorIsOfItsFilterAndOrderAlone(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		byName := query.List{OrderBy: []*query.Order{{Field: "hostname", Direction: query.Descending}}}
		page, err := r.Assets(t.Context(), query.Page{First: 1}, byName)
		if err != nil || !page.More {
			t.Fatalf("%v, %v", page, err)
		}
		after := query.Page{First: 1, After: page.Cursors[0]}
		if next, err := r.Assets(t.Context(), after, byName); err != nil || len(next.Rows) != 1 || next.Rows[0].ID == page.Rows[0].ID {
			t.Errorf("%v, %v", next, err)
		}
		filtered := query.List{OrderBy: byName.OrderBy, Filter: query.Filter{"suspended": query.Filter{"eq": new(false)}}}
		for name, list := range map[string]query.List{
			"of another order":  {},
			"the other way":     {OrderBy: []*query.Order{{Field: "hostname", Direction: query.Ascending}}},
			"of another filter": filtered,
		} {
			_, err := r.Assets(t.Context(), after, list)
			if bad, ok := errors.AsType[*codex.Error](err); !ok || bad.Code != codex.CodeBadInput || bad.Field != "after" {
				t.Errorf("%s: %v", name, err)
			}
		}
		twice := query.List{OrderBy: append(byName.OrderBy, byName.OrderBy...)}
		if _, err := r.Assets(t.Context(), query.Page{First: 1}, twice); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("sorted by one field twice: %v", err)
		}
	})
}
