package plans_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// gold is a plan with all that one can have; each price differs, so that none is mistaken for another.
func gold(term string) plans.Plan {
	p := plans.Blank(plans.Key{Name: "Gold", Term: term})
	p.SupportLevel = "All Inclusive"
	for i, price := range plans.Prices() {
		*price.Of(&p) = codex.Quantity(i+1) * 1_2500
	}
	p.Features = []plans.Feature{{Category: "antivirus", Value: "SentinelOne"}, {Category: "soc", Value: "Arctic Wolf"}}
	return p
}

func open(db *store.DB) *plans.Plans {
	return plans.New(plans.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
}

// versions are the lines of plans_history: plan, its cost of a user and its features, from whom to whom.
func versions(t *testing.T, db *store.DB) []string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), `SELECT plan_id, plan_name, term_length, per_user_cost_e4, features,
		coalesce(changed_by, ''), coalesce(ended_by, ''), seen_from, seen_to FROM plans_history ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, cost int
		var name, term, features, by, endedBy string
		var from time.Time
		var to *time.Time
		if err := rows.Scan(&id, &name, &term, &cost, &features, &by, &endedBy, &from, &to); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %s/%s %d %s %s", id, name, term, cost, features, by)
		if to != nil {
			line += " until " + endedBy
			if to.Before(from) {
				t.Errorf("%s ends before it begins", line)
			}
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

func all(t *testing.T, db *store.DB) []plans.Plan {
	t.Helper()
	list, err := plans.All(t.Context(), db.Ent())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func revision(t *testing.T, db *store.DB) (value int64) {
	t.Helper()
	err := db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		values, err := tx.Revisions(ctx, plans.Entity)
		value = values[plans.Entity]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAPlanIsSavedChangedDeletedAndComesBackWithItsNumberAndItsPast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := open(db)
		save := func(plan plans.Plan, by string) *plans.Saved {
			t.Helper()
			saved, err := p.Save(t.Context(), plan, by)
			if err != nil {
				t.Fatal(err)
			}
			return saved
		}
		first := save(gold("1 Year"), "ana")
		want := gold("1 Year")
		want.ID = 1
		same(t, "the first one", *first, plans.Saved{Plan: want, Created: true})
		if other := save(gold("2 Year"), "ana"); other.Plan.ID != 2 {
			t.Errorf("the second has the number %d", other.Plan.ID)
		}
		before := revision(t, db)
		same(t, "saved as it is", *save(gold("1 Year"), "ben"), plans.Saved{Plan: want})
		if revision(t, db) != before {
			t.Error("saving a plan as it is changed something")
		}

		dearer := gold("1 Year")
		dearer.PerUserCost, dearer.Features = 15_0000, dearer.Features[1:]
		changed := save(dearer, "ben")
		var fields []string
		for _, f := range changed.Fields {
			fields = append(fields, fmt.Sprintf("%s %s→%s", f.Field, value(f.Old), value(f.New)))
		}
		same(t, "what changed", fields, []string{"per_user_cost 1.2500→15.0000", "features.antivirus SentinelOne→-"})
		if revision(t, db) <= before {
			t.Error("a change was not told by the revision")
		}

		deleted, err := p.Delete(t.Context(), plans.Key{Name: "Gold", Term: "1 Year"}, "cy")
		if err != nil {
			t.Fatal(err)
		}
		dearer.ID = 1
		same(t, "deleted", *deleted, plans.Deleted{Plan: dearer})
		if _, err := p.Delete(t.Context(), plans.Key{Name: "Gold", Term: "1 Year"}, "cy"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("deleting it again: %v", err)
		}
		if _, err := plans.One(t.Context(), db.Ent(), plans.Key{Name: "Gold", Term: "1 Year"}); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("reading it: %v", err)
		}
		if back := save(gold("1 Year"), "ana"); !back.Created || back.Plan.ID != 1 {
			t.Errorf("it came back as %+v", back)
		}
		if next := save(gold("3 Year"), "ana"); next.Plan.ID != 3 {
			t.Errorf("another one has the number %d", next.Plan.ID)
		}
		const both, soc = `{"antivirus":"SentinelOne","soc":"Arctic Wolf"}`, `{"soc":"Arctic Wolf"}`
		same(t, "its past", versions(t, db), []string{
			"1 Gold/1 Year 12500 " + both + " ana until ben",
			"2 Gold/2 Year 12500 " + both + " ana",
			"1 Gold/1 Year 150000 " + soc + " ben until cy",
			"1 Gold/1 Year 12500 " + both + " ana",
			"3 Gold/3 Year 12500 " + both + " ana",
		})
	})
}

func value(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

func TestAPlanIsReadAsItWas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p, key := open(db), plans.Key{Name: "Gold", Term: "1 Year"}
		at := func(moment time.Time) string {
			t.Helper()
			found, err := plans.ByKeyAt(t.Context(), db.Ent(), []plans.Key{key, {Name: "Gold", Term: "9 Year"}}, moment)
			if err != nil {
				t.Fatal(err)
			}
			if found[key] == nil {
				return fmt.Sprintf("none of %d", len(found))
			}
			return fmt.Sprintf("%d: %s %v", found[key].ID, found[key].PerUserCost, found[key].Features)
		}
		start := db.Now()
		for _, cost := range []codex.Quantity{10_0000, 20_0000} {
			plan := gold(key.Term)
			plan.PerUserCost = cost
			if _, err := p.Save(t.Context(), plan, "ana"); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Save(t.Context(), gold("2 Year"), "ana"); err != nil {
				t.Fatal(err)
			}
		}
		var begin []time.Time
		for _, row := range db.Ent().PlanVersion.Query().Order().AllX(t.Context()) {
			if row.TermLength == key.Term {
				begin = append(begin, row.SeenFrom)
			}
		}
		slices.SortFunc(begin, time.Time.Compare)
		same(t, "before it was", at(start.Add(-time.Second)), "none of 0")
		same(t, "at first", at(begin[0]), "1: 10.0000 [{antivirus SentinelOne} {soc Arctic Wolf}]")
		same(t, "now", at(begin[1]), "1: 20.0000 [{antivirus SentinelOne} {soc Arctic Wolf}]")
	})
}

func TestAPlanThatCannotBeKeptIsRefusedByItsKey(t *testing.T) {
	long := strings.Repeat("x", 151)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, c := range []struct {
			name, field string
			spoil       func(*plans.Plan)
		}{
			{"no name", "plan_name", func(p *plans.Plan) { p.Name = " " }},
			{"a name of two lines", "plan_name", func(p *plans.Plan) { p.Name = "a\nb" }},
			{"no length of contract", "term_length", func(p *plans.Plan) { p.Term = "" }},
			{"a long level of support", "support_level", func(p *plans.Plan) { p.SupportLevel = long }},
			{"a negative price", "per_vm_cost", func(p *plans.Plan) { p.PerVMCost = -1 }},
			{"a price beyond all bounds", "backup_per_tb_fee", func(p *plans.Plan) { p.BackupPerTBFee = 100_000_000_0000 }},
			{"a category twice", "features.soc", func(p *plans.Plan) { p.Features = append(p.Features, plans.Feature{Category: "soc", Value: "x"}) }},
			{"a feature of nothing", "features.soc", func(p *plans.Plan) { p.Features[1].Value = "" }},
			{"a category that is a key", "features", func(p *plans.Plan) { p.Features[1].Category = "per_user_cost" }},
		} {
			plan := gold("1 Year")
			c.spoil(&plan)
			_, err := open(db).Save(t.Context(), plan, "ana")
			field := ""
			if coded, ok := asError(err); ok {
				field = coded.Field
			}
			if codex.CodeOf(err) != codex.CodeBadInput || field != c.field {
				t.Errorf("%s: %v", c.name, err)
			}
			file := plans.File{Plans: []plans.Plan{gold("2 Year"), plan}}
			_, err = open(db).Import(t.Context(), file, plans.ImportOptions{}, "ana")
			if coded, ok := asError(err); !ok || coded.Field != "plans[1]."+c.field {
				t.Errorf("%s, imported: %v", c.name, err)
			}
		}
		if list := all(t, db); len(list) != 0 {
			t.Errorf("it kept %v", list)
		}
	})
}
