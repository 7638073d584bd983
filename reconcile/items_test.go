package reconcile_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/reconcile"
)

// bill is billing data as Ledger makes it, with pairs of texts replaced.
func bill(t *testing.T, replace ...string) string {
	t.Helper()
	text := `{
		"assets": [
			{"id": 7, "hostname": "PC-1", "backup_data_bytes": 2199023255552},
			{"id": 8, "hostname": "SRV-1", "backup_data_bytes": 0}
		],
		"users": [{"id": 3, "full_name": "Ana Lima", "name": "ana"}],
		"manual_assets": [{"hostname": "Printer"}],
		"manual_users": [],
		"tickets_for_billing_period": [
			{"ticket_number": "4711", "subject": "Printer", "total_hours_spent": 1.4166666666666667},
			{"ticket_number": 4712, "subject": null, "total_hours_spent": 0}
		],
		"receipt_data": {
			"billed_assets": [
				{"name": "PC-1", "type": "Workstation", "cost": 59.005},
				{"name": "SRV-1", "type": "No Charge", "cost": 0},
				{"name": "Printer", "type": "Custom", "cost": 5}
			],
			"billed_users": [{"name": "Ana Lima", "type": "Paid", "cost": 412.2749999999984}],
			"billed_line_items": [{"name": "Credit", "type": "Recurring", "cost": -10.1}],
			"ticket_charge": 177.08333333333334, "backup_charge": 33.3,
			"billable_hours": 1.4166666666666667, "overage_tb": 1.0
		},
		"effective_rates": {"support_level": "Billed Hourly", "per_workstation_cost": 59.005, "per_user_cost": 412.2749999999984}
	}`
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("the bill has no %s", replace[i])
		}
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	return text
}

func id(n int) *int { return &n }

func TestItemsHaveTheIDsOfTheirPositions(t *testing.T) {
	got, err := reconcile.DeriveItems(bill(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := reconcile.Items{
		Source: reconcile.SourceReceipt,
		Lines: []reconcile.ItemLine{
			{Kind: "user", ID: id(3), Name: "Ana Lima", Type: "Paid", Quantity: 1_0000, Rate: 412_2750, Amount: 412_27},
			{Kind: "asset", ID: id(7), Name: "PC-1", Type: "Workstation", Quantity: 1_0000, Rate: 59_0050, Amount: 59_01, Backup: 2 << 40},
			{Kind: "asset", ID: id(8), Name: "SRV-1", Type: "No Charge", Quantity: 1_0000},
			{Kind: "asset", Name: "Printer", Type: "Custom", Quantity: 1_0000, Rate: 5_0000, Amount: 5_00},
			{Kind: "custom", Name: "Credit", Type: "Recurring", Quantity: 1_0000, Rate: -10_1000, Amount: -10_10},
			{Kind: "backup", Name: "Backup", Quantity: 1_0000, Amount: 33_30},
			{Kind: "ticket", Name: "Hours", Quantity: 1_4167, Amount: 177_08},
		},
		Tickets: []reconcile.TicketLine{
			{ID: id(4711), Number: "4711", Subject: "Printer", Hours: 1_4167},
			{ID: id(4712), Number: "4712"},
		},
		Rates: map[string]codex.Quantity{"per_workstation_cost": 59_0050, "per_user_cost": 412_2750},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", shown(t, got), shown(t, want))
	}
}

// shown is v with what its pointers point to.
func shown(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestItemsAreToldByNameWherePositionsDoNotHold(t *testing.T) {
	line := func(kind, name string) proof.LineItem {
		return proof.LineItem{LineType: kind, ItemName: name, Quantity: 1_0000, Amount: 100}
	}
	for _, c := range []struct {
		name    string
		billing string
		lines   []proof.LineItem
		source  reconcile.Source
		ids     []*int // of people and machines
		err     string
	}{
		{
			"a receipt with one machine less than the bill",
			bill(t, `{"name": "Printer", "type": "Custom", "cost": 5}`, ``, `"No Charge", "cost": 0},`, `"No Charge", "cost": 0}`),
			nil, reconcile.SourceNames, []*int{id(3), id(7), id(8)}, "",
		},
		{
			"of two machines of one name the first served is the first billed",
			bill(t, `{"name": "Printer", "type": "Custom", "cost": 5}`, ``, `"No Charge", "cost": 0},`, `"No Charge", "cost": 0}`, `"hostname": "SRV-1"`, `"hostname": "PC-1"`),
			nil, reconcile.SourceNames, []*int{id(3), id(7), nil}, "",
		},
		{
			"no receipt, but lines",
			`{"assets": [{"id": 7, "hostname": "PC-1"}]}`,
			[]proof.LineItem{line("asset", "PC-1"), line("asset", "PC-2"), line("user", "PC-1"), line("backup", "Backup")},
			reconcile.SourceLines, []*int{id(7), nil, nil}, "",
		},
		{
			"one person too many, and machines by their positions",
			bill(t, `"billed_users": [`, `"billed_users": [{"name": "Bo", "type": "Paid", "cost": 1},`),
			nil, reconcile.SourceNames, []*int{nil, id(3), id(7), id(8), nil}, "",
		},
		{
			"no receipt, but lines and all that was served",
			`{"assets": [{"id": 7, "hostname": "PC-1"}, {"id": 8, "hostname": "PC-1"}, {"id": 9, "hostname": "PC-2"}],
			  "users": [{"id": 3, "name": "Ana"}], "tickets_for_billing_period": []}`,
			[]proof.LineItem{line("asset", "PC-1")},
			reconcile.SourceServed, []*int{id(7), id(3), id(8), id(9)}, "",
		},
		{"neither", `{}`, nil, reconcile.SourceLines, nil, ""},
		{
			"an amount that is none",
			bill(t, `"cost": 59.005`, `"cost": "much"`),
			nil, reconcile.SourceReceipt, []*int{id(3), id(7), id(8), nil},
			"receipt_data.billed_assets[0].cost: give a number, or a text that holds one",
		},
		{
			"an id that is none",
			bill(t, `"id": 7`, `"id": "seven"`),
			nil, reconcile.SourceReceipt, []*int{id(3), nil, id(8), nil}, "",
		},
		{
			"a type that is none",
			bill(t, `"type": "No Charge"`, `"type": 8`),
			[]proof.LineItem{line("asset", "PC-1")}, reconcile.SourceLines, []*int{nil},
			"billing_data_json: json: cannot unmarshal number into Go struct field billedRow.receipt_data.billed_assets.type of type string",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := reconcile.DeriveItems(c.billing, c.lines)
			if said := text(err); said != c.err {
				t.Errorf("it says %q, want %q", said, c.err)
			}
			var ids []*int
			for _, line := range got.Lines {
				if line.Kind == "user" || line.Kind == "asset" {
					ids = append(ids, line.ID)
				}
			}
			if got.Source != c.source || !reflect.DeepEqual(ids, c.ids) {
				t.Errorf("%s: got\n%s\nwant\n%s", got.Source, shown(t, ids), shown(t, c.ids))
			}
		})
	}
}

func TestACostThatCannotBeReadIsNotACostOfNothing(t *testing.T) {
	got, _ := reconcile.DeriveItems(bill(t, `"cost": 59.005`, `"cost": "much"`), nil)
	want := reconcile.ItemLine{Kind: "asset", ID: id(7), Name: "PC-1", Type: "Workstation", Quantity: 1_0000, Unread: true, Backup: 2 << 40}
	if !reflect.DeepEqual(got.Lines[1], want) {
		t.Errorf("got\n%s\nwant\n%s", shown(t, got.Lines[1]), shown(t, want))
	}
}

func TestWhatIsAddedByHandIsNotToldByItsName(t *testing.T) {
	got, _ := reconcile.DeriveItems(bill(t, `"billed_assets": [`, `"billed_assets": [{"name": "PC-9", "type": "VM", "cost": 1},`), nil)
	var byName []string
	for _, line := range got.Lines {
		if line.ByName {
			byName = append(byName, line.Name)
		}
	}
	if want := []string{"PC-9", "PC-1", "SRV-1"}; !slices.Equal(byName, want) {
		t.Errorf("by their names are told %q, want %q: neither people nor the printer", byName, want)
	}
}

func TestRatesMayBeTextsAsCostsMay(t *testing.T) {
	got, err := reconcile.DeriveItems(`{"effective_rates": {"support_level": "Gold", "per_user_cost": "25.00", "per_vm_cost": 7, "per_switch_cost": null}}`, nil)
	if want := map[string]codex.Quantity{"per_user_cost": 25_0000, "per_vm_cost": 7_0000}; err != nil || !maps.Equal(got.Rates, want) {
		t.Errorf("the rates are %v, %v, want %v", got.Rates, err, want)
	}
	got, err = reconcile.DeriveItems(`{"effective_rates": {"per_user_cost": "dear"}}`, nil)
	const want = "effective_rates.per_user_cost: give a number, or a text that holds one"
	if text(err) != want || len(got.Rates) != 0 {
		t.Errorf("the rates are %v, %q, want none and %q", got.Rates, text(err), want)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzDeriveItems(f *testing.F) {
	f.Add(`{"assets": [{"id": 7}], "receipt_data": {"billed_assets": [{"name": "a", "cost": 1e3}, null]}}`)
	f.Add(`{"receipt_data": {"billed_users": null, "backup_charge": "1"}, "effective_rates": {"a": -1.5, "b": "x"}}`)
	f.Add(`[1]`)
	f.Fuzz(func(t *testing.T, billing string) {
		got, _ := reconcile.DeriveItems(billing, nil)
		again, _ := reconcile.DeriveItems(billing, nil)
		if !reflect.DeepEqual(got, again) {
			t.Errorf("two readings of one bill differ")
		}
	})
}
