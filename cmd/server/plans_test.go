package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hivematrix/codex/store/storetest"
)

// filedPlans is a file of plans as an older service wrote it.
const filedPlans = `{"plans": [
	{"id": 9, "plan_name": "Gold", "term_length": "3 Year", "support_level": "All Inclusive", "per_user_cost": "15.00", "per_workstation_cost": 25.5,
	 "per_server_cost": 125, "per_vm_cost": 75, "per_switch_cost": 20, "per_firewall_cost": 30, "per_hour_ticket_cost": 150,
	 "backup_base_fee_workstation": 25, "backup_base_fee_server": 50, "backup_included_tb": 1, "backup_per_tb_fee": 100, "antivirus": "SentinelOne"},
	{"plan_name": "A/B 100 %", "term_length": "Month to Month", "per_user_cost": 1, "per_workstation_cost": 1, "per_server_cost": 1, "per_vm_cost": 1,
	 "per_switch_cost": 1, "per_firewall_cost": 1, "per_hour_ticket_cost": 1, "backup_base_fee_workstation": 1, "backup_base_fee_server": 1, "backup_per_tb_fee": 1}
], "feature_options": [{"category": "antivirus", "value": "SentinelOne"}]}`

// From the file of the old service to what Ledger asks for, through a serve, and without one.
func TestPlansComeFromAFileAndAreServedToLedger(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			i.write("plans.json", filedPlans)
			const fresh = "new: A/B 100 % (Month to Month)\nnew: Gold (3 Year)\n0 plans as before\nfeature options: 1 new, 0 changed, 0 removed, 0 kept, 0 as before\n"
			is := func(want string, args ...string) {
				t.Helper()
				if got := i.must(append([]string{"plans"}, args...)...); got != want {
					t.Errorf("codex plans %s:\ngot\n%s\nwant\n%s", strings.Join(args, " "), got, want)
				}
			}
			is(fresh+"a dry run: nothing was changed\n", "import", "plans.json", "--dry-run")
			is("PLAN  TERM  USER  WORKSTATION  SERVER  HOUR  COMPANIES\n", "list")
			is(fresh, "import", "plans.json") // no serve runs: it is done in this process

			s := i.serve()
			i.must("sync", "freshservice")
			is("2 plans as before\nfeature options: 0 new, 0 changed, 0 removed, 0 kept, 1 as before\n", "import", "plans.json", "--prune")
			is("Gold (3 Year), All Inclusive, 1 company\n  user                     15.0000\n  workstation              25.5000\n  server                   125.0000\n"+
				"  VM                       75.0000\n  switch                   20.0000\n  firewall                 30.0000\n  hour of tickets          150.0000\n"+
				"  backup of a workstation  25.0000\n  backup of a server       50.0000\n  TB included              1.0000\n  TB beyond                100.0000\n  antivirus                SentinelOne\n",
				"show", "Gold", "3 Year")
			i.must("plans", "export", "out.json")
			if exported := i.must("plans", "export", "-"); exported != i.read("out.json") {
				t.Errorf("out.json has %s", i.read("out.json"))
			}
			is("2 plans as before\nfeature options: 0 new, 0 changed, 0 removed, 0 kept, 1 as before\n", "import", "out.json")

			i.write("plans.json", strings.Replace(filedPlans, `"15.00"`, "16", 1))
			is("changed: Gold (3 Year)\n  per_user_cost: 15.0000 → 16.0000\n1 plan as before\nfeature options: 0 new, 0 changed, 0 removed, 0 kept, 1 as before\n", "import", "plans.json")
			service := i.token("service")
			for path, want := range map[string]string{
				"/codex/billing-plans/api/plans/A%2FB%20100%20%25/Month%20to%20Month": `{"status":"success","plan":{"id":1,"plan_name":"A/B 100 %","term_length":"Month to Month","support_level":"Billed Hourly",` +
					`"per_user_cost":1.0,"per_workstation_cost":1.0,"per_server_cost":1.0,"per_vm_cost":1.0,"per_switch_cost":1.0,"per_firewall_cost":1.0,"per_hour_ticket_cost":1.0,` +
					`"backup_base_fee_workstation":1.0,"backup_base_fee_server":1.0,"backup_included_tb":1.0,"backup_per_tb_fee":1.0,"features":{}}}` + "\n",
				"/billing-plans/api/feature-options": `{"status":"success","features":{"antivirus":[{"id":1,"category":"antivirus","value":"SentinelOne","display_name":null,"description":null}]},"categories":[]}` + "\n",
				"/api/billing-plans?plan_name=Gold&term_length=3%20Year": `[{"id":2,"plan_name":"Gold","term_length":"3 Year","support_level":"All Inclusive",` +
					`"per_user_cost":16.0,"per_workstation_cost":25.5,"per_server_cost":125.0,"per_vm_cost":75.0,"per_switch_cost":20.0,"per_firewall_cost":30.0,"per_hour_ticket_cost":150.0,` +
					`"backup_base_fee_workstation":25.0,"backup_base_fee_server":50.0,"backup_included_tb":1.0,"backup_per_tb_fee":100.0,"billing_plan":"Gold","antivirus":"SentinelOne"}]` + "\n",
			} {
				if got := get(t, s.url+path, service); got.status != http.StatusOK || got.body != want {
					t.Errorf("%s: %d\n got %s\nwant %s", path, got.status, got.body, want)
				}
			}
			missing := i.must("plans", "list", "--missing")
			if strings.Contains(missing, "there is no plan Gold (3 Year)") || !strings.Contains(missing, ": there is no plan Gold (Month to Month); there is one for 3 Year\n") {
				t.Errorf("missing:\n%s", missing)
			}
			is("deleted: Gold (3 Year)\n1 company with this plan cannot be billed until there is one again\n", "delete", "Gold", "3 Year")
			if missing := i.must("plans", "list", "--missing"); !strings.Contains(missing, ": there is no plan Gold (3 Year)\n") {
				t.Errorf("missing:\n%s", missing)
			}
		})
	}
}

func TestWhatIsWrongWithPlansIsSaidAtTheCommandLine(t *testing.T) {
	i := install(t, "sqlite3")
	i.write("plans.json", strings.Replace(filedPlans, "125,", "125.00001,", 1))
	i.ends(exitFailed, "codex: plan Gold (3 Year), per_server_cost: give a number with at most four decimals, such as 12.5", "plans", "import", "plans.json")
	i.ends(exitFailed, "codex: there is no plan Gold (3 Year)", "plans", "show", "Gold", "3 Year")
	i.ends(exitFailed, "codex: there is no plan Gold (3 Year)", "plans", "delete", "Gold", "3 Year")
	for _, args := range [][]string{{"plans"}, {"plans", "import"}, {"plans", "export"}, {"plans", "show", "Gold"}, {"plans", "import", "none.json"}} {
		if got := i.codex(args...); got.status != exitUsage {
			t.Errorf("%v is %+v", args, got)
		}
	}
}
