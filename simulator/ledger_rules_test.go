package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

// receipt are the parts of a sent bill that the rules are about, as the JSON has them.
type receipt struct {
	Assets, Users, Lines               string // name type cost, one after the other
	AssetCharges, UserCharges          string
	LineCharges, TicketCharge          string
	Hours, Billable, Remaining, Backup string
	IncludedTB, OverageTB, Total       string
}

func receiptOf(t *testing.T, body map[string]json.RawMessage) receipt {
	t.Helper()
	var data struct {
		Receipt   map[string]json.RawMessage `json:"receipt_data"`
		Remaining json.RawMessage            `json:"remaining_yearly_hours"`
	}
	if err := json.Unmarshal(body["billing_data_json"], &data); err != nil {
		t.Fatal(err)
	}
	rows := func(key string) string {
		var list []struct {
			Name string
			Type string
			Cost json.RawMessage
		}
		if err := json.Unmarshal(data.Receipt[key], &list); err != nil {
			t.Fatal(err)
		}
		var shown []string
		for _, row := range list {
			shown = append(shown, row.Name+" "+row.Type+" "+string(row.Cost))
		}
		return strings.Join(shown, ", ")
	}
	of := func(key string) string { return string(data.Receipt[key]) }
	return receipt{
		rows("billed_assets"), rows("billed_users"), rows("billed_line_items"), of("total_asset_charges"), of("total_user_charges"),
		of("total_line_item_charges"), of("ticket_charge"), of("hours_for_billing_period"), of("billable_hours"), string(data.Remaining),
		of("backup_charge"), of("total_included_tb"), of("overage_tb"), of("total"),
	}
}

func TestEachRuleOfBilling(t *testing.T) {
	plain := receipt{
		Assets: "CONTOSO-WS1 Workstation 61.705, CONTOSO-SRV1 Workstation 61.705, CONTOSO-SW1 Workstation 61.705",
		Users:  "Ana Ruiz Paid 30.88, Ben Paid 30.88", AssetCharges: "185.115", UserCharges: "61.76", LineCharges: "0.0",
		Hours: "1.8", Billable: "1.8", Remaining: "0", TicketCharge: "269.90999999999997",
		Backup: "16.65", IncludedTB: "0.0", OverageTB: "0.5", Total: "533.435",
	}
	serves := func(path, text string) func(*desk) {
		return func(d *desk) { d.serves["/api/companies/620547"+path] = text }
	}
	agrees := func(c simulator.ClientBilling) func(*desk) {
		return func(d *desk) {
			if err := d.SetClientBilling("620547", c); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	item := func(i simulator.LineItem) func(*desk) {
		return func(d *desk) { d.AddLineItem("620547", i) }
	}
	for _, c := range []struct {
		name  string
		given func(*desk)
		want  func(*receipt) // what is otherwise than in the plain bill
	}{
		{"machines are workstations, people are paid for, and hours and terabytes cost what the plan says", func(*desk) {}, func(*receipt) {}},
		{"a machine is billed by its override", func(d *desk) { d.SetAssetBilling(2, simulator.Billing{Type: "Server"}) }, func(r *receipt) {
			r.Assets = strings.Replace(r.Assets, "SRV1 Workstation 61.705", "SRV1 Server 180.41", 1)
			r.AssetCharges, r.Total = "303.82", "652.14"
		}},
		{"one that is custom costs what was agreed", func(d *desk) { d.SetAssetBilling(3, simulator.Billing{Type: "Custom", CustomCost: 5.5}) }, func(r *receipt) {
			r.Assets = strings.Replace(r.Assets, "SW1 Workstation 61.705", "SW1 Custom 5.5", 1)
			r.AssetCharges, r.Total = "128.91", "477.2299999999999"
		}},
		{"one without charge costs nothing", func(d *desk) { d.SetAssetBilling(3, simulator.Billing{Type: "No Charge"}) }, func(r *receipt) {
			r.Assets = strings.Replace(r.Assets, "SW1 Workstation 61.705", "SW1 No Charge 0.0", 1)
			r.AssetCharges, r.Total = "123.41", "471.7299999999999"
		}},
		{"an override that is taken back is none", func(d *desk) {
			d.SetAssetBilling(2, simulator.Billing{Type: "Server"})
			d.SetAssetBilling(2, simulator.Billing{})
		}, func(*receipt) {}},
		{"an override of another's id changes nothing", func(d *desk) { d.SetAssetBilling(11, simulator.Billing{Type: "Server"}) }, func(*receipt) {}},
		{"without Datto's UID there is no override", func(d *desk) {
			serves("/assets", `[{"id":1,"hostname":"CONTOSO-WS1","backup_data_bytes":549755813888}]`)(d)
			d.SetAssetBilling(1, simulator.Billing{Type: "Server"})
		}, func(r *receipt) {
			r.Assets, r.AssetCharges, r.Total = "CONTOSO-WS1 Workstation 61.705", "61.705", "410.025"
		}},
		{"a type that Codex serves is billed, and its backup has a base fee that includes terabytes",
			serves("/assets", `[{"id":1,"hostname":"W","datto_uid":"u","billing_type":"Workstation","backup_data_bytes":549755813888},`+
				`{"id":2,"hostname":"S","datto_uid":"v","billing_type":"Server","backup_data_bytes":549755813888},{"id":3,"hostname":"N","datto_uid":"w","billing_type":"Server","backup_data_bytes":0}]`),
			func(r *receipt) {
				r.Assets, r.AssetCharges = "W Workstation 61.705, S Server 180.41, N Server 180.41", "422.525"
				r.Backup, r.IncludedTB, r.OverageTB, r.Total = "76.65", "0.5", "0.5", "830.8449999999999"
			}},
		{"a person is billed by the override", func(d *desk) { d.SetUserBilling(12, simulator.Billing{Type: "Free"}) }, func(r *receipt) {
			r.Users, r.UserCharges, r.Total = "Ana Ruiz Paid 30.88, Ben Free 0.0", "30.88", "502.55499999999995"
		}},
		{"or at a price of their own", func(d *desk) { d.SetUserBilling(12, simulator.Billing{Type: "Custom", CustomCost: 10}) }, func(r *receipt) {
			r.Users, r.UserCharges, r.Total = "Ana Ruiz Paid 30.88, Ben Custom 10.0", "40.879999999999995", "512.555"
		}},
		{"a full name is shown before a name", serves("/contacts", `[{"id":11,"name":"Ana","full_name":"Ana Ruiz","email":"a"}]`), func(r *receipt) {
			r.Users, r.UserCharges, r.Total = "Ana Ruiz Paid 30.88", "30.88", "502.55499999999995"
		}},
		{"what was added by hand comes after what is served", func(d *desk) {
			d.AddManualAsset("620547", simulator.ManualAsset{Hostname: "NAS", Billing: simulator.Billing{Type: "Custom", CustomCost: 12.35}})
			d.AddManualUser("620547", simulator.ManualUser{FullName: "The boss", Billing: simulator.Billing{Type: "Paid"}})
			d.AddManualAsset("1", simulator.ManualAsset{Hostname: "OTHERS", Billing: simulator.Billing{Type: "Server"}})
		}, func(r *receipt) {
			r.Assets, r.Users = r.Assets+", NAS Custom 12.35", r.Users+", The boss Paid 30.88"
			r.AssetCharges, r.UserCharges, r.Total = "197.465", "92.64", "576.665"
		}},
		{"prepaid hours of the month cost nothing", agrees(simulator.ClientBilling{PrepaidMonthly: 1}), func(r *receipt) {
			r.Billable, r.TicketCharge, r.Total = "0.8", "119.96", "383.48499999999996"
		}},
		{"nor do those of the year, of which all earlier hours are taken off", agrees(simulator.ClientBilling{PrepaidYearly: 3}), func(r *receipt) {
			r.Billable, r.Remaining, r.TicketCharge, r.Total = "1.3", "0.5", "194.935", "458.46"
		}},
		{"where more is prepaid than used, the hours are 0 and no float", agrees(simulator.ClientBilling{PrepaidMonthly: 5}), func(r *receipt) {
			r.Billable, r.TicketCharge, r.Total = "0", "0.0", "263.525"
		}},
		{"rates that were agreed go before the plan's", agrees(simulator.ClientBilling{Rates: map[string]float64{"per_user_cost": 20, "per_hour_ticket_cost": 100}}), func(r *receipt) {
			r.Users, r.UserCharges, r.TicketCharge, r.Total = "Ana Ruiz Paid 20.0, Ben Paid 20.0", "40.0", "180.0", "421.765"
		}},
		{"a fee of every month", item(simulator.LineItem{Name: "Licences", MonthlyFee: new(12.5)}), func(r *receipt) {
			r.Lines, r.LineCharges, r.Total = "Licences Recurring 12.5", "12.5", "545.935"
		}},
		{"a fee of this month", item(simulator.LineItem{Name: "Move", OneOffFee: new(99.99), OneOffYear: 2026, OneOffMonth: 5}), func(r *receipt) {
			r.Lines, r.LineCharges, r.Total = "Move One-Off 99.99", "99.99", "633.425"
		}},
		{"a fee of this month of last year", item(simulator.LineItem{Name: "Move", OneOffFee: new(99.99), OneOffYear: 2025, OneOffMonth: 5}), func(*receipt) {}},
		{"a fee of May, every year", item(simulator.LineItem{Name: "Domain", YearlyFee: new(20.0), YearlyMonth: 5}), func(r *receipt) {
			r.Lines, r.LineCharges, r.Total = "Domain Yearly 20.0", "20.0", "553.435"
		}},
		{"a charge of nothing is on the bill all the same", item(simulator.LineItem{Name: "Goodwill", MonthlyFee: new(0.0)}), func(r *receipt) {
			r.Lines = "Goodwill Recurring 0.0"
		}},
		{"a month without tickets has 0 hours and no float", serves("/tickets", `[]`), func(r *receipt) {
			r.Hours, r.Billable, r.TicketCharge, r.Total = "0", "0", "0.0", "263.525"
		}},
		{"a fraction of the month's last second is in no month", serves("/tickets", `[{"ticket_number":"1","subject":"x","last_updated_at":"2026-05-31T23:59:59.5Z","total_hours_spent":1}]`), func(r *receipt) {
			r.Hours, r.Billable, r.TicketCharge, r.Total = "0", "0", "0.0", "263.525"
		}},
		{"a time in another zone is in the month that it has in UTC", serves("/tickets", `[{"ticket_number":"1","subject":"x","last_updated_at":"2026-04-30T20:00:00-05:00","total_hours_spent":1}]`), func(r *receipt) {
			r.Hours, r.Billable, r.TicketCharge, r.Total = "1.0", "1.0", "149.95", "413.47499999999997"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ledger(t, simulator.LedgerB)
			c.given(d)
			if status, text := d.accept(); status != 201 {
				t.Fatalf("%d %s", status, text)
			}
			want := plain
			c.want(&want)
			if got := receiptOf(t, d.sent(0)); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if got := string(d.sent(0)["total_amount"]); got != want.Total {
				t.Errorf("the total of the request is %s", got)
			}
		})
	}
}

func TestLedgerCBillsAMachineByItsOverrideUnlessCodexServesAType(t *testing.T) {
	for served, want := range map[string]string{
		`{"id":1,"hostname":"W"}`: `{"cost":180.41,"name":"W","type":"Server"}`,
		`{"id":1,"hostname":"W","datto_uid":"u","billing_type":"Workstation"}`: `{"cost":61.705,"name":"W","type":"Workstation"}`,
	} {
		d := ledger(t, simulator.LedgerC)
		d.serves["/api/companies/620547/assets"] = "[" + served + "]"
		d.SetAssetBilling(1, simulator.Billing{Type: "Server"})
		if status, text := d.accept(); status != 201 {
			t.Fatalf("%d %s", status, text)
		}
		if _, text := d.ask("GET", "/archive/api/snapshot/620547-202605", d.billing(), ""); !strings.Contains(text, `"billed_assets":[`+want+`]`) {
			t.Errorf("%s is billed otherwise: %s", served, text)
		}
	}
}

func TestAPlanAndASupportLevelMayBeAgreedWithACompany(t *testing.T) {
	d := ledger(t, simulator.LedgerB)
	d.serves["/api/billing-plans?plan_name=Old+%2F+Gold&term_length=1+Year"] = "[" + strings.Replace(goldPlan, "30.88", "1.5", 1) + "]"
	if err := d.SetClientBilling("620547", simulator.ClientBilling{Plan: "Old / Gold", SupportLevel: "All Inclusive"}); err != nil {
		t.Fatal(err)
	}
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	sent := d.sent(0)
	for key, want := range map[string]string{"billing_plan": `"Old / Gold"`, "support_level": `"All Inclusive"`, "total_user_charges": "3.0"} {
		if got := string(sent[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if err := d.SetClientBilling("620547", simulator.ClientBilling{Rates: map[string]float64{"per_desk_cost": 1}}); err == nil {
		t.Error("a price that plans do not have was taken")
	}
}

func TestTheFileOfPlansHasAPlanForEveryCompanyButOne(t *testing.T) {
	var file struct {
		Plans []struct {
			Name string `json:"plan_name"`
			Term string `json:"term_length"`
		}
		Options []map[string]any `json:"feature_options"`
	}
	if err := json.Unmarshal(simulator.PlansFile(), &file); err != nil || len(file.Options) == 0 {
		t.Fatalf("%v, %d options", err, len(file.Options))
	}
	has := map[string]bool{}
	for _, p := range file.Plans {
		has[p.Name+"|"+p.Term] = true
	}
	if len(has) != 16 || len(file.Plans) != 16 {
		t.Errorf("%d plans", len(has))
	}
	for seed := range uint64(5) {
		sim, err := simulator.New(simulator.Options{Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range sim.Truth().Departments {
			name, selected := d.CustomFields["plan_selected"].(string)
			term, _ := d.CustomFields["contract_term"].(string)
			if fits := has[name+"|"+term]; selected && fits == (d.ID == sim.Fixtures().DepartmentWithoutPlan) {
				t.Errorf("seed %d: %s has %s for %s: %v", seed+1, d.Name, name, term, fits)
			}
		}
	}
}
