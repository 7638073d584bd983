package resolvers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
)

// priced are all prices that a plan must say, each the same.
func priced(price string) string {
	var text strings.Builder
	for _, name := range []string{
		"perUserCost", "perWorkstationCost", "perServerCost", "perVmCost", "perSwitchCost", "perFirewallCost", "perHourTicketCost",
		"backupBaseFeeWorkstation", "backupBaseFeeServer", "backupPerTbFee",
	} {
		text.WriteString(name + `: "` + price + `" `)
	}
	return text.String()
}

func TestPlansAreSavedDeletedAndImportedAndEachPayloadSaysWhatWasDone(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		for _, tc := range []struct{ text, want string }{
			{`mutation { savePlan(input: {name: "Bronze", termLength: "1 Year", ` + priced("2.5") + `features: [{category: "soc", value: "x"}]})
				{ created changes { field } plan { id supportLevel perUserCost backupIncludedTb features { category value } companyCount history { changedBy } } } }`,
				`{"savePlan":{"created":true,"changes":[],"plan":{"id":"4","supportLevel":"Billed Hourly","perUserCost":"2.5000","backupIncludedTb":"1.0000",` +
					`"features":[{"category":"soc","value":"x"}],"companyCount":0,"history":[{"changedBy":"the admin"}]}}}`},
			{`mutation { savePlan(input: {name: "Bronze", termLength: "1 Year", ` + priced("2.5") + `backupIncludedTb: 2}) { created changes { field old new } } }`,
				`{"savePlan":{"created":false,"changes":[{"field":"backup_included_tb","old":"1.0000","new":"2.0000"},{"field":"features.soc","old":"x","new":null}]}}`},
			{`mutation { deletePlan(name: "Gold", termLength: "1 Year") { companies plan { name termLength features { value } } } }`,
				`{"deletePlan":{"companies":1,"plan":{"name":"Gold","termLength":"1 Year","features":[{"value":"SentinelOne"},{"value":"Arctic Wolf"}]}}}`},
			{`{ company(accountNumber: "620547") { plan { id } } companiesWithoutPlan { termLength otherTerms company { accountNumber } } }`,
				`{"company":{"plan":null},"companiesWithoutPlan":[{"termLength":"1 Year","otherTerms":["Month to Month"],"company":{"accountNumber":"620547"}},` +
					`{"termLength":"Month to Month","otherTerms":[],"company":{"accountNumber":"900"}},{"termLength":"3 Year","otherTerms":["Month to Month"],"company":{"accountNumber":"B-2"}},` +
					`{"termLength":"Month to Month","otherTerms":[],"company":{"accountNumber":"a-1"}}]}`},
		} {
			answers(t, g, tc.text, nil, tc.want)
		}

		const fields = `dryRun created { name termLength } changed { name termLength changes { field old new } } removed { name termLength } kept { name termLength }
			unchanged options { created changed removed kept unchanged } categories { created changed removed kept unchanged }`
		file := `{"plans": [` + jsonPlan("Gold", "Month to Month", "0", "All Inclusive") + `, ` + jsonPlan("Bronze", "1 Year", "2.5", "Billed Hourly") + `, ` + jsonPlan("New", "1 Year", "1", "Billed Hourly") + `],
			"feature_options": [{"category": "soc", "value": "Arctic Wolf", "display_name": "Wolf"}]}`
		const gold = `{"name":"Gold","termLength":"Month to Month","changes":[{"field":"backup_included_tb","old":"0.0000","new":"1.0000"}]}`
		const bronze = `{"name":"Bronze","termLength":"1 Year","changes":[{"field":"backup_included_tb","old":"2.0000","new":"1.0000"}]}`
		for _, dry := range []string{"true", "false"} {
			answers(t, g, `mutation($file: String!) { importPlans(file: $file, prune: true, dryRun: `+dry+`) { `+fields+` } }`, map[string]any{"file": file},
				`{"importPlans":{"dryRun":`+dry+`,"created":[{"name":"New","termLength":"1 Year"}],"changed":[`+bronze+`,`+gold+`],"removed":[],"kept":[],"unchanged":0,`+
					`"options":{"created":0,"changed":1,"removed":0,"kept":0,"unchanged":0},"categories":{"created":0,"changed":0,"removed":0,"kept":0,"unchanged":0}}}`)
		}
		answers(t, g, `mutation($file: String!) { importPlans(file: $file) { unchanged kept { name } removed { name } } }`, map[string]any{"file": `{"plans": []}`},
			`{"importPlans":{"unchanged":0,"kept":[{"name":"Bronze"},{"name":"Gold"},{"name":"New"}],"removed":[]}}`)
	})
}

func answers(t *testing.T, g *graph, text string, variables map[string]any, data string) {
	t.Helper()
	if got, want := g.ask(as(codex.RoleAdmin), text, variables), `{"data":`+data+"}\n"; got != want {
		t.Errorf("%s\ngot  %swant %s", text, got, want)
	}
}

func jsonPlan(name, term, price, support string) string {
	text := `{"plan_name": "` + name + `", "term_length": "` + term + `", "support_level": "` + support + `"`
	for _, key := range []string{
		"per_user_cost", "per_workstation_cost", "per_server_cost", "per_vm_cost", "per_switch_cost", "per_firewall_cost", "per_hour_ticket_cost",
		"backup_base_fee_workstation", "backup_base_fee_server", "backup_per_tb_fee",
	} {
		text += `, "` + key + `": ` + price
	}
	return text + "}"
}

func TestWhatIsWrongWithAPlanIsSaidByItsField(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct{ text, want string }{
		{`mutation { savePlan(input: {name: " ", termLength: "1 Year", ` + priced("1") + `}) { created } }`, "BAD_USER_INPUT plan_name give a text: it is empty"},
		{`mutation { savePlan(input: {name: "A", termLength: "1 Year", ` + priced("-1") + `}) { created } }`, "BAD_USER_INPUT per_user_cost a price is not negative, as -1.0000 is"},
		{`mutation { deletePlan(name: "A", termLength: "1 Year") { companies } }`, "NOT_FOUND  there is no plan A (1 Year)"},
		{`mutation { importPlans(file: "[{}]") { unchanged } }`, "BAD_USER_INPUT plans[0].per_user_cost plan  (), per_user_cost: it is missing: give 0 where nothing is charged"},
		{`mutation { importPlans(file: "x") { unchanged } }`, `BAD_USER_INPUT file this is no file of plans, {"plans": [plan], "feature_options": […]}: invalid character 'x' looking for beginning of value`},
		{`{ companiesWithoutPlan(first: 0) { termLength } }`, "BAD_USER_INPUT first an edge is cut at 1 to 1000 rows, not 0"},
	} {
		var answer struct {
			Errors []struct {
				Message    string
				Extensions struct{ Code, Field string }
			}
		}
		if err := json.Unmarshal([]byte(g.ask(as(codex.RoleAdmin), tc.text, nil)), &answer); err != nil || len(answer.Errors) != 1 {
			t.Fatalf("%s: %+v, %v", tc.text, answer, err)
		}
		e := answer.Errors[0]
		if got := e.Extensions.Code + " " + e.Extensions.Field + " " + e.Message; got != tc.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.text, got, tc.want)
		}
	}
}
