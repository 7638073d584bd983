package plans

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is a plan as the HiveMatrix services write it, its keys in the contract's order.
type JSON struct {
	ID           int    `json:"id"`
	PlanName     string `json:"plan_name"`
	TermLength   string `json:"term_length"`
	SupportLevel string `json:"support_level"`

	PerUserCost        Number `json:"per_user_cost"`
	PerWorkstationCost Number `json:"per_workstation_cost"`
	PerServerCost      Number `json:"per_server_cost"`
	PerVMCost          Number `json:"per_vm_cost"`
	PerSwitchCost      Number `json:"per_switch_cost"`
	PerFirewallCost    Number `json:"per_firewall_cost"`
	PerHourTicketCost  Number `json:"per_hour_ticket_cost"`

	BackupBaseFeeWorkstation Number `json:"backup_base_fee_workstation"`
	BackupBaseFeeServer      Number `json:"backup_base_fee_server"`
	BackupIncludedTB         Number `json:"backup_included_tb"`
	BackupPerTBFee           Number `json:"backup_per_tb_fee"`
}

// JSON is p without its features, which older and newer forms have in different places.
func (p *Plan) JSON() JSON {
	return JSON{
		ID: p.ID, PlanName: p.Name, TermLength: p.Term, SupportLevel: p.SupportLevel,
		PerUserCost: Number(p.PerUserCost), PerWorkstationCost: Number(p.PerWorkstationCost), PerServerCost: Number(p.PerServerCost),
		PerVMCost: Number(p.PerVMCost), PerSwitchCost: Number(p.PerSwitchCost), PerFirewallCost: Number(p.PerFirewallCost),
		PerHourTicketCost:        Number(p.PerHourTicketCost),
		BackupBaseFeeWorkstation: Number(p.BackupBaseFeeWorkstation), BackupBaseFeeServer: Number(p.BackupBaseFeeServer),
		BackupIncludedTB: Number(p.BackupIncludedTB), BackupPerTBFee: Number(p.BackupPerTBFee),
	}
}

// FeatureMap are p's features by category, {} where there are none. encoding/json writes them in the order of
// the categories.
func (p *Plan) FeatureMap() map[string]string {
	features := make(map[string]string, len(p.Features))
	for _, f := range p.Features {
		features[f.Category] = f.Value
	}
	return features
}

// OptionJSON is a feature option as the HiveMatrix services write it.
type OptionJSON struct {
	ID          int     `json:"id"`
	Category    string  `json:"category"`
	Value       string  `json:"value"`
	DisplayName *string `json:"display_name"`
	Description *string `json:"description"`
}

// JSON is the contract's form of o.
func (o FeatureOption) JSON() OptionJSON { return OptionJSON(o) }

type categoryJSON struct {
	Category    string  `json:"category"`
	DisplayName string  `json:"display_name"`
	FullName    *string `json:"full_name"`
	Description *string `json:"description"`
}

// Encode writes f in the form that [ParseFile] takes back. feature_categories are written where there are any.
func (f File) Encode() ([]byte, error) {
	type planJSON struct {
		JSON
		Features map[string]string `json:"features"`
	}
	out := struct {
		Plans      []planJSON     `json:"plans"`
		Options    []OptionJSON   `json:"feature_options"`
		Categories []categoryJSON `json:"feature_categories,omitempty"`
	}{Plans: []planJSON{}, Options: []OptionJSON{}}
	for i := range f.Plans {
		out.Plans = append(out.Plans, planJSON{JSON: f.Plans[i].JSON(), Features: f.Plans[i].FeatureMap()})
	}
	for _, option := range f.Options {
		out.Options = append(out.Options, option.JSON())
	}
	for _, c := range f.Categories {
		out.Categories = append(out.Categories, categoryJSON{c.Category, c.DisplayName, c.FullName, c.Description})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return nil, fmt.Errorf("writing a file of plans: %w", err)
	}
	return text.Bytes(), nil
}
