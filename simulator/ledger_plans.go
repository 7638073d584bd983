package simulator

import (
	"math"
	"strings"
)

// monthToMonth is the length of a contract that has none: the companies' own word for it, and Ledger's
// for a company that is served without a length.
const monthToMonth = "Month to Month"

// planNames and planTerms are what the departments of a world choose from.
func planNames() []string { return []string{"Gold", "Silver", "Bronze", "Hourly"} }
func planTerms() []string { return []string{"1 Year", "2 Year", "3 Year", monthToMonth} }

// planWithoutFile is a plan that the file of plans does not have: it was given up, and one company still
// has it.
const planWithoutFile = "Platinum (2019)"

// priceNames are the eleven prices of a plan, in their order.
func priceNames() []string {
	return []string{
		"per_user_cost", "per_workstation_cost", "per_server_cost", "per_vm_cost", "per_switch_cost", "per_firewall_cost",
		"per_hour_ticket_cost", "backup_base_fee_workstation", "backup_base_fee_server", "backup_included_tb", "backup_per_tb_fee",
	}
}

// plan is a billing plan: what Ledger charges.
type plan struct {
	name, term, support string
	prices              map[string]float64
	features            map[string]string
}

// plans are those of the file: every name with every length. Each year of contract takes a twentieth off
// the three prices that count most, and leaves half a cent on them, which a bill has to round.
func plans() []plan {
	tables := []struct {
		support  string
		prices   []float64
		features map[string]string
	}{
		{"All Inclusive", []float64{32.5, 64.95, 189.9, 99.9, 14.35, 39.9, 149.95, 15, 45, 1, 33.3},
			map[string]string{"antivirus": "SentinelOne", "email_security": "Included", "sat": "Included", "soc": "Included"}},
		{"Billed Hourly", []float64{24.25, 52.45, 159.9, 84.9, 12.35, 34.9, 139.95, 15, 40, 1, 35.7},
			map[string]string{"antivirus": "SentinelOne", "email_security": "Included", "sat": "Not Included", "soc": "Not Included"}},
		{"Billed Hourly", []float64{14.1, 39.85, 129.9, 69.9, 9.95, 29.9, 129.95, 10, 35, 1, 38.1},
			map[string]string{"antivirus": "Datto AV", "email_security": "Not Included", "sat": "Not Included", "soc": "Not Included"}},
		{"Billed Hourly", []float64{2.5, 6.95, 24.9, 14.9, 0, 9.9, 164.95, 0, 0, 1, 49.9},
			map[string]string{"antivirus": "Not Included", "email_security": "Not Included", "sat": "Not Included", "soc": "Not Included"}},
	}
	years := map[string]int64{"1 Year": 1, "2 Year": 2, "3 Year": 3}
	var list []plan
	for i, name := range planNames() {
		for _, term := range planTerms() {
			p := plan{name: name, term: term, support: tables[i].support, prices: map[string]float64{}, features: tables[i].features}
			for j, price := range priceNames() {
				p.prices[price] = tables[i].prices[j]
			}
			for _, price := range []string{"per_user_cost", "per_workstation_cost", "per_server_cost"} {
				p.prices[price] = discounted(p.prices[price], years[term])
			}
			list = append(list, p)
		}
	}
	return list
}

// discounted is a price for a contract of so many years, with three decimals.
func discounted(price float64, years int64) float64 {
	if years == 0 || price == 0 {
		return price
	}
	tenths := int64(math.Round(price*(100-5*float64(years)))) * 10 // of a cent
	return float64(tenths+5) / 1000
}

// ownPlan is a plan of Ledger A's own table, whose lengths of contract are written "1-Year".
func ownPlan(name, term string) (plan, bool) {
	for _, p := range plans() {
		if p.name != name {
			continue
		}
		if p.term != monthToMonth {
			p.term = strings.ReplaceAll(p.term, " ", "-")
		}
		if p.term == term {
			return p, true
		}
	}
	return plan{}, false
}

// PlansFile is a file of billing plans in the form in which they are exported: {"plans": [plan],
// "feature_options": […]}. It has every plan and length of contract that the departments of a world
// choose from; the plan of Fixtures.DepartmentWithoutPlan is not in it.
func PlansFile() []byte {
	var list, options []any
	id := 0
	for _, p := range plans() {
		id++
		shown := envelope{{"id", id}, {"plan_name", p.name}, {"term_length", p.term}, {"support_level", p.support}}
		for _, price := range priceNames() {
			shown = append(shown, member{price, float(p.prices[price])})
		}
		list = append(list, append(shown, member{"features", p.features}))
	}
	for i, o := range [][3]string{
		{"antivirus", "SentinelOne", "SentinelOne, watched day and night"},
		{"antivirus", "Datto AV", "Datto AV"},
		{"antivirus", "Not Included", "none"},
		{"email_security", "Included", "Mail is filtered before it arrives"},
		{"email_security", "Not Included", "none"},
		{"sat", "Included", "Training in security, every month"},
		{"sat", "Not Included", "none"},
		{"soc", "Included", "Alarms are looked into at once"},
		{"soc", "Not Included", "none"},
	} {
		options = append(options, envelope{{"id", i + 1}, {"category", o[0]}, {"value", o[1]}, {"display_name", o[1]}, {"description", o[2]}})
	}
	return encodeBody(answer{body: envelope{{"plans", list}, {"feature_options", options}}})
}
