package plans_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func asError(err error) (*codex.Error, bool) {
	var coded *codex.Error
	ok := errors.As(err, &coded)
	return coded, ok
}

// summary is what an import does, by names.
func summary(i *plans.Import) string {
	names := func(list []plans.Plan) (keys []string) {
		for _, p := range list {
			keys = append(keys, p.Key().String())
		}
		return keys
	}
	var changed []string
	for _, c := range i.Plans.Changed {
		changed = append(changed, fmt.Sprintf("%s%d", c.New.Key(), len(c.Fields)))
	}
	return fmt.Sprintf("+%v ~%v -%v kept %v same %v; options +%d ~%d -%d kept %d same %d; categories +%d ~%d -%d kept %d same %d",
		names(i.Plans.Created), changed, names(i.Plans.Removed), names(i.Plans.Kept), names(i.Plans.Unchanged),
		len(i.Options.Created), len(i.Options.Changed), len(i.Options.Removed), len(i.Options.Kept), len(i.Options.Unchanged),
		len(i.Categories.Created), len(i.Categories.Changed), len(i.Categories.Removed), len(i.Categories.Kept), len(i.Categories.Unchanged))
}

func TestAFileIsImportedAsAWholeAndSaysWhatItChanges(t *testing.T) {
	name := "SentinelOne"
	file := plans.File{
		Plans:      []plans.Plan{gold("2 Year"), gold("1 Year")},
		Options:    []plans.FeatureOption{{Category: "antivirus", Value: "s1", DisplayName: &name}, {Category: "soc", Value: "aw"}},
		Categories: []plans.FeatureCategory{{Category: "soc", DisplayName: "SOC"}},
	}
	dearer := gold("1 Year")
	dearer.PerServerCost, dearer.SupportLevel = 90_0000, "Billed Hourly"
	second := plans.File{
		Plans:   []plans.Plan{dearer, gold("3 Year")},
		Options: []plans.FeatureOption{{Category: "antivirus", Value: "s1"}},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := open(db)
		run := func(file plans.File, o plans.ImportOptions, want string) {
			t.Helper()
			made, err := p.Import(t.Context(), file, o, "ana")
			if err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprintf("%+v", o), summary(made), want)
		}
		const fresh = "+[Gold (1 Year) Gold (2 Year)] ~[] -[] kept [] same []; options +2 ~0 -0 kept 0 same 0; categories +1 ~0 -0 kept 0 same 0"
		run(file, plans.ImportOptions{DryRun: true}, fresh)
		if list := all(t, db); len(list) != 0 || revision(t, db) != 0 {
			t.Errorf("a dry run wrote %v", list)
		}
		run(file, plans.ImportOptions{}, fresh)
		was := revision(t, db)
		run(file, plans.ImportOptions{Prune: true}, "+[] ~[] -[] kept [] same [Gold (1 Year) Gold (2 Year)]; options +0 ~0 -0 kept 0 same 2; categories +0 ~0 -0 kept 0 same 1")
		if revision(t, db) != was {
			t.Error("a file that changes nothing raised the revision")
		}
		run(second, plans.ImportOptions{}, "+[Gold (3 Year)] ~[Gold (1 Year)2] -[] kept [Gold (2 Year)] same []; options +0 ~1 -0 kept 1 same 0; categories +0 ~0 -0 kept 1 same 0")
		// Of categories the file says nothing: they stay.
		run(second, plans.ImportOptions{Prune: true}, "+[] ~[] -[Gold (2 Year)] kept [] same [Gold (1 Year) Gold (3 Year)]; options +0 ~0 -1 kept 0 same 1; categories +0 ~0 -0 kept 1 same 0")

		kept, err := p.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		third := gold("3 Year")
		dearer.ID, third.ID = 1, 3
		same(t, "in the end", kept, plans.File{
			Plans:      []plans.Plan{dearer, third},
			Options:    []plans.FeatureOption{{ID: 1, Category: "antivirus", Value: "s1"}},
			Categories: []plans.FeatureCategory{{ID: 1, Category: "soc", DisplayName: "SOC"}},
		})
	})
}

func TestTheViewBillingPlansShowsThemUnderTheOldNamesAndTakesNoWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		plan := gold("1 Year")
		plan.PerUserCost = 12_3456
		if _, err := open(db).Save(t.Context(), plan, "ana"); err != nil {
			t.Fatal(err)
		}
		rows, err := db.SQL().QueryContext(t.Context(), "SELECT * FROM billing_plans")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"id", "plan_name", "term_length", "support_level"}
		for _, price := range plans.Prices() {
			want = append(want, price.Name)
		}
		same(t, "columns", columns, want)
		var id int
		texts, numbers := make([]string, 3), make([]float64, len(plans.Prices()))
		targets := []any{&id, &texts[0], &texts[1], &texts[2]}
		for i := range numbers {
			targets = append(targets, &numbers[i])
		}
		for rows.Next() {
			if err := rows.Scan(targets...); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		same(t, "the row", fmt.Sprint(id, texts, numbers), "1 [Gold 1 Year All Inclusive] [12.3456 2.5 3.75 5 6.25 7.5 8.75 10 11.25 12.5 13.75]")
		if _, err := db.SQL().ExecContext(t.Context(), "UPDATE billing_plans SET plan_name = 'x'"); err == nil {
			t.Error("the view takes writes")
		}
	})
}

// companies writes companies with a plan and a length of contract each; "" is null.
func companies(t *testing.T, db *store.DB, rows ...[3]string) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, row := range rows {
			create := tx.Ent().Company.Create().SetID(codex.AccountNumber(row[0])).SetName("C" + row[0])
			if row[1] != "" {
				create.SetPlanSelected(row[1])
			}
			if row[2] != "" {
				create.SetContractTermLength(row[2])
			}
			if err := create.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestACompanyHasThePlanOfItsNameAndContractToTheLetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := open(db)
		companies(t, db,
			[3]string{"01", "Gold", "1 Year"}, [3]string{"02", "Gold", "Month to Month"}, [3]string{"03", "Gold", ""},
			[3]string{"04", "Gold", "2 Year"}, [3]string{"05", "gold", "1 Year"}, [3]string{"06", "Gold ", "1 Year"}, [3]string{"07", "", "1 Year"}, [3]string{"08", "Gold", "1 Year"})
		if _, err := db.SQL().ExecContext(t.Context(), "UPDATE companies SET archived_at = '2025-01-01T00:00:00.000000Z' WHERE account_number = '08'"); err != nil {
			t.Fatal(err)
		}
		without := func() (accounts []string) {
			t.Helper()
			list, err := plans.Without(t.Context(), db.Ent(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				accounts = append(accounts, string(c.ID))
			}
			return accounts
		}
		same(t, "while there is no plan", without(), []string{"01", "02", "03", "04", "05", "06", "07"})
		for _, term := range []string{"1 Year", plans.MonthToMonth, "3 Year"} {
			if _, err := p.Save(t.Context(), gold(term), "ana"); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "that no plan fits", without(), []string{"04", "05", "06", "07"})
		if few, err := plans.Without(t.Context(), db.Ent(), 2); err != nil || len(few) != 2 || few[1].ID != "05" {
			t.Errorf("the first two: %v, %v", few, err)
		}
		users, err := plans.Users(t.Context(), db.Ent())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "how many have each", users, map[plans.Key]int{
			{Name: "Gold", Term: "1 Year"}: 1, {Name: "Gold", Term: "Month to Month"}: 2, {Name: "Gold", Term: "2 Year"}: 1,
			{Name: "Gold ", Term: "1 Year"}: 1, {Name: "gold", Term: "1 Year"}: 1,
		})
		keys := []plans.Key{{Name: "Gold", Term: "1 Year"}, {Name: "gold", Term: "1 Year"}, {Name: "Gold", Term: "2 Year"}}
		found, err := plans.ByKey(t.Context(), db.Ent(), keys)
		if err != nil || len(found) != 1 || found[keys[0]].Term != "1 Year" || len(found[keys[0]].Features) != 2 {
			t.Errorf("by key: %v, %v", found, err)
		}
		list, err := plans.Keys(t.Context(), db.Ent())
		same(t, "keys", fmt.Sprint(list, err), "[Gold (1 Year) Gold (3 Year) Gold (Month to Month)] <nil>")
		deleted, err := p.Delete(t.Context(), plans.Key{Name: "Gold", Term: plans.MonthToMonth}, "ana")
		if err != nil || deleted.Companies != 2 {
			t.Errorf("%+v, %v", deleted, err)
		}
	})
}

func TestReadingPlansTakesTwoStatementsHoweverManyThereAre(t *testing.T) {
	statements := 0
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var file plans.File
		var keys []plans.Key
		for i := range 200 {
			file.Plans = append(file.Plans, gold(fmt.Sprintf("%03d", i)))
			keys = append(keys, file.Plans[i].Key())
		}
		if _, err := open(db).Import(t.Context(), file, plans.ImportOptions{}, "ana"); err != nil {
			t.Fatal(err)
		}
		before := statements
		if list := all(t, db); len(list) != 200 || statements-before != 2 {
			t.Errorf("all: %d plans, %d statements", len(list), statements-before)
		}
		before = statements
		found, err := plans.ByKey(t.Context(), db.Ent(), keys)
		if err != nil || len(found) != 200 || statements-before != 2 {
			t.Errorf("by key: %d plans, %d statements, %v", len(found), statements-before, err)
		}
	}, storetest.OnStatement(func(string) { statements++ }))
}
