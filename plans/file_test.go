package plans_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
)

// planText is a plan of a file; each of edits replaces a part of it.
func planText(edits ...string) string {
	return strings.NewReplacer(edits...).Replace(`{"id": 7, "plan_name": "Gold", "term_length": "1 Year", "support_level": "All Inclusive",
		"per_user_cost": 1.25, "per_workstation_cost": 2.5, "per_server_cost": 3.75, "per_vm_cost": 5.0, "per_switch_cost": 6.25,
		"per_firewall_cost": 7.5, "per_hour_ticket_cost": 8.75, "backup_base_fee_workstation": 10, "backup_base_fee_server": 11.25,
		"backup_included_tb": 12.5, "backup_per_tb_fee": 13.75, "features": {"soc": "Arctic Wolf", "antivirus": "SentinelOne"}}`)
}

func TestEveryFormInWhichTheServicesWriteAPlanIsTaken(t *testing.T) {
	want := []plans.Plan{gold("1 Year")}
	hourly := gold("1 Year")
	hourly.SupportLevel, hourly.BackupIncludedTB = "Billed Hourly", 1_0000
	for _, c := range []struct {
		name, file string
		want       []plans.Plan
	}{
		{"an export", `{"plans": [` + planText() + `], "feature_options": []}`, want},
		{"an export alone with plans, and with keys of its own", `{"exported_at": "2025-11-14", "plans": [` + planText() + `]}`, want},
		{"the answer of the newer path", `{"status": "success", "count": 1, "plans": [` + planText(`"features"`, `"feature_display_names": {}, "features"`) + `]}`, want},
		{"the answer of the older path, features among the keys",
			`[` + planText(`"features": {"soc": "Arctic Wolf", "antivirus": "SentinelOne"}`, `"billing_plan": "Gold", "soc": "Arctic Wolf", "antivirus": "SentinelOne", "sat": null, "email_security": ""`) + `]`, want},
		{"both at once: the object wins", `[` + planText(`"features"`, `"soc": "none", "features"`) + `]`, want},
		{"prices as texts", `[` + planText(": 1.25,", `: "1.2500",`, ": 2.5,", `: " 2.5",`, ": 10,", `: "10.00",`) + `]`, want},
		{"what has a default left out", `[` + planText(`"support_level": "All Inclusive",`, "", `"backup_included_tb": 12.5`, `"backup_included_tb": null`) + `]`, []plans.Plan{hourly}},
		{"with the mark of Windows", "\ufeff" + `[` + planText() + `]`, want},
		{"no plan at all", `{"plans": []}`, []plans.Plan{}},
	} {
		file, err := plans.ParseFile([]byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		same(t, c.name, file.Plans, c.want)
	}
}

func TestWhatIsWrongWithAFileIsSaidByPlanAndKey(t *testing.T) {
	plan := func(edits ...string) string {
		return `{"plans": [` + planText("1 Year", "2 Year") + `,` + planText(edits...) + `]}`
	}
	options := func(options string) string { return `{"plans": [], "feature_options": ` + options + `}` }
	for _, c := range []struct{ name, file, want string }{
		{"no JSON", `plans`, `file: this is no file of plans, {"plans": [plan], "feature_options": […]}: invalid character 'p' looking for beginning of value`},
		{"another file", `{"companies": []}`, "plans: the file has no list of plans"},
		{"an object of plans", `{"plans": {}}`, `file: this is no file of plans, {"plans": [plan], "feature_options": […]}: plans must not be a object`},
		{"a plan without name", plan(`"plan_name": "Gold",`, ""), "plans[1].plan_name: plan  (1 Year), plan_name: give a text: it is empty"},
		{"a name that is a number", plan(`"Gold"`, "5"), "plans[1].plan_name: plan  (1 Year), plan_name: give a text, in quotation marks"},
		{"a price that is missing", plan(`"per_vm_cost": 5.0,`, ""), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: it is missing: give 0 where nothing is charged"},
		{"a price that is null", plan(`5.0`, "null"), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: it is missing: give 0 where nothing is charged"},
		{"a price that is a word", plan(`5.0`, `"five"`), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: give a number with at most four decimals, such as 12.5"},
		{"a price that is a yes", plan(`5.0`, `true`), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: give a number with at most four decimals, such as 12.5"},
		{"a price of five decimals", plan(`5.0`, `5.00001`), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: give a number with at most four decimals, such as 12.5"},
		{"a price with an exponent", plan(`5.0`, `5e2`), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: give a number with at most four decimals, such as 12.5"},
		{"a negative price", plan(`5.0`, `-5.0`), "plans[1].per_vm_cost: plan Gold (1 Year), per_vm_cost: a price is not negative, as -5.0000 is"},
		{"a price that is misspelt", plan(`"features"`, `"per_users_cost": 5, "features"`), "plans[1].per_users_cost: plan Gold (1 Year), per_users_cost: plans have no such price"},
		{"features that are a list", plan(`{"soc": "Arctic Wolf", "antivirus": "SentinelOne"}`, `[]`), `plans[1].features: plan Gold (1 Year), features: give an object, {"<category>": "<value>"}`},
		{"a feature that is a number", plan(`"Arctic Wolf"`, `5`), "plans[1].features.soc: plan Gold (1 Year), features.soc: give a text, in quotation marks"},
		{"a key that is none", plan(`"features"`, `"created": 2025, "features"`), "plans[1].features.created: plan Gold (1 Year), features.created: give a text, in quotation marks"},
		{"a plan twice", plan("1 Year", "2 Year"), "plans[1].term_length: plan Gold (2 Year), term_length: the file has this plan twice"},
		{"a text that cannot be kept", plan("Arctic Wolf", `\u0000`), "plans[1].features.soc: plan Gold (1 Year), features.soc: this text has a character that cannot be kept, U+0000"},
		{"an option without value", options(`[{"category": "soc"}]`), "feature_options[0].value: feature option soc (), value: give a text: it is empty"},
		{"an option twice", options(`[{"category": "soc", "value": "a"}, {"feature_category": "soc", "option_value": "a"}]`), "feature_options[1].value: feature option soc (a), value: the file has this option twice"},
		{"a category twice", `{"plans": [], "feature_categories": [{"category": "soc", "display_name": "SOC"}, {"feature_key": "soc", "display_name": "Soc"}]}`,
			"feature_categories[1].category: feature category soc, category: the file has this category twice"},
	} {
		file, err := plans.ParseFile([]byte(c.file))
		if err == nil {
			t.Errorf("%s was taken: %+v", c.name, file)
			continue
		}
		if err.Error() != c.want || codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, err, c.want)
		}
	}
}

func TestAFileIsWrittenInTheDocumentedForm(t *testing.T) {
	name := "Arctic Wolf & Co"
	written, err := plans.File{
		Plans:      []plans.Plan{{ID: 3, Name: "Gold", Term: "1 Year", SupportLevel: "Billed Hourly", PerUserCost: 12_5000, PerVMCost: 1, BackupIncludedTB: 1_0000}},
		Options:    []plans.FeatureOption{{ID: 1, Category: "soc", Value: "aw", DisplayName: &name}},
		Categories: []plans.FeatureCategory{{ID: 4, Category: "soc", DisplayName: "SOC"}},
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the file", string(written), `{
  "plans": [
    {
      "id": 3,
      "plan_name": "Gold",
      "term_length": "1 Year",
      "support_level": "Billed Hourly",
      "per_user_cost": 12.5,
      "per_workstation_cost": 0.0,
      "per_server_cost": 0.0,
      "per_vm_cost": 0.0001,
      "per_switch_cost": 0.0,
      "per_firewall_cost": 0.0,
      "per_hour_ticket_cost": 0.0,
      "backup_base_fee_workstation": 0.0,
      "backup_base_fee_server": 0.0,
      "backup_included_tb": 1.0,
      "backup_per_tb_fee": 0.0,
      "features": {}
    }
  ],
  "feature_options": [
    {
      "id": 1,
      "category": "soc",
      "value": "aw",
      "display_name": "Arctic Wolf & Co",
      "description": null
    }
  ],
  "feature_categories": [
    {
      "category": "soc",
      "display_name": "SOC",
      "full_name": null,
      "description": null
    }
  ]
}
`)
}

// files draws a file of plans that can be kept.
func files() *rapid.Generator[plans.File] {
	word := rapid.StringMatching(`[A-Za-z0-9ÄöŁ\-/%|"'\\<& ]{0,8}[A-Za-z]`)
	maybe := rapid.Custom(func(t *rapid.T) *string {
		if rapid.Bool().Draw(t, "there") {
			text := word.Draw(t, "text")
			return &text
		}
		return nil
	})
	names := rapid.SampledFrom([]string{"Gold", "Silver", "Gold/Plus", "Ä 100 %"})
	terms := rapid.SampledFrom([]string{"1 Year", "2 Year", "Month to Month"})
	categories := []string{"antivirus", "soc", "sat", "Web \"filter\""}
	return rapid.Custom(func(t *rapid.T) plans.File {
		file := plans.File{Plans: []plans.Plan{}, Options: []plans.FeatureOption{}}
		seen := map[plans.Key]bool{}
		for range rapid.IntRange(0, 5).Draw(t, "plans") {
			p := plans.Blank(plans.Key{Name: names.Draw(t, "name"), Term: terms.Draw(t, "term")})
			if seen[p.Key()] {
				continue
			}
			seen[p.Key()] = true
			p.SupportLevel = word.Draw(t, "support")
			for _, price := range plans.Prices() {
				*price.Of(&p) = codex.Quantity(rapid.Int64Range(0, 99_999_999_9999).Draw(t, price.Name))
			}
			for _, category := range categories {
				if rapid.Bool().Draw(t, category) {
					p.Features = append(p.Features, plans.Feature{Category: category, Value: word.Draw(t, "value")})
				}
			}
			file.Plans = append(file.Plans, sorted(p))
		}
		for _, category := range categories {
			if rapid.Bool().Draw(t, "option") {
				file.Options = append(file.Options, plans.FeatureOption{Category: category, Value: word.Draw(t, "value"), DisplayName: maybe.Draw(t, "shown"), Description: maybe.Draw(t, "what")})
			}
			if rapid.Bool().Draw(t, "category") {
				file.Categories = append(file.Categories, plans.FeatureCategory{Category: category, DisplayName: word.Draw(t, "shown"), FullName: maybe.Draw(t, "full"), Description: maybe.Draw(t, "what")})
			}
		}
		return file
	})
}

func sorted(p plans.Plan) plans.Plan {
	file := plans.File{Plans: []plans.Plan{p}}
	text, err := file.Encode()
	if err == nil {
		file, err = plans.ParseFile(text)
	}
	if err != nil {
		panic(err)
	}
	return file.Plans[0]
}

func TestWhatIsExportedIsImportedAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := files().Draw(t, "file")
		text, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := plans.ParseFile(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := back.Encode(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%v\ngot  %s\nwant %s", err, again, text)
		}
		if change := plans.Compare(file, back, true); !change.Empty() {
			t.Fatalf("it would change %s", summary(&change))
		}
	})
}

// applied is what a change leaves of current.
func applied(change plans.Import) plans.File {
	return plans.File{Plans: left(change.Plans), Options: left(change.Options), Categories: left(change.Categories)}
}

func left[R any](d plans.Diff[R]) (rows []R) {
	rows = append(append(append(rows, d.Unchanged...), d.Kept...), d.Created...)
	for _, c := range d.Changed {
		rows = append(rows, c.New)
	}
	return rows
}

func TestComparingAgainAfterApplyingFindsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		current, incoming, prune := files().Draw(t, "current"), files().Draw(t, "incoming"), rapid.Bool().Draw(t, "prune")
		change := plans.Compare(current, incoming, prune)
		after := applied(change)
		if again := plans.Compare(after, incoming, prune); !again.Empty() {
			t.Fatalf("it finds %s", summary(&again))
		}
		if prune && len(after.Plans) != len(incoming.Plans) || !prune && len(change.Plans.Removed) > 0 {
			t.Fatalf("prune %t: %d of %d plans", prune, len(after.Plans), len(incoming.Plans))
		}
		n := len(change.Plans.Changed) + len(change.Plans.Unchanged) + len(change.Plans.Removed) + len(change.Plans.Kept)
		if n != len(current.Plans) {
			t.Fatalf("%d of %d plans are accounted for", n, len(current.Plans))
		}
	})
}

func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{
		`{"plans": [` + planText() + `], "feature_options": [{"category": "soc", "value": "a", "display_name": null}]}`,
		`[` + planText(`1.25`, `"0.0001"`) + `]`, `{"plans": [{}]}`, `[{"plan_name": 1}]`, `{"plans": null}`, `[null]`, "", "\ufeff[]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := plans.ParseFile(content)
		if err != nil {
			if codex.CodeOf(err) != codex.CodeBadInput {
				t.Fatalf("%v is not the file's fault", err)
			}
			return
		}
		text, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := plans.ParseFile(text)
		if err != nil {
			t.Fatalf("%v, of %s", err, text)
		}
		if change := plans.Compare(file, back, true); !change.Empty() {
			t.Fatalf("%s becomes %s: %s", content, text, fmt.Sprint(change))
		}
	})
}
