package plans

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

const (
	// MonthToMonth is the length of contract of a company that has none, as Ledger takes it
	// (docs/compatibility.md, "Billing plans").
	MonthToMonth = "Month to Month"
	// supportLevel is that of a plan that names none.
	supportLevel = "Billed Hourly"
	// includedTB is what a plan's backup fee includes that does not say it: one terabyte.
	includedTB codex.Quantity = 1_0000
	// maxText is how long a text of a plan may be, in characters.
	maxText = 150
	// maxPrice bounds prices, as the old service's numeric(10,2) did.
	maxPrice codex.Quantity = 99_999_999_9999
)

// Key is what a plan is looked up by, to the letter.
type Key struct {
	Name string // a company's billing_plan
	Term string // its contract_term_length
}

// String is the key as people read it: Gold (1 Year).
func (k Key) String() string { return k.Name + " (" + k.Term + ")" }

// KeyOf is the key of the plan that Ledger looks for to bill a company with; false where the company
// selected none.
func KeyOf(planSelected, contractTerm *string) (Key, bool) {
	if planSelected == nil || *planSelected == "" {
		return Key{}, false
	}
	return Key{Name: *planSelected, Term: TermOf(contractTerm)}, true
}

// TermOf is the length of contract that Ledger takes a company's for.
func TermOf(contractTerm *string) string {
	if contractTerm == nil || *contractTerm == "" {
		return MonthToMonth
	}
	return *contractTerm
}

// KeyOfCompany is [KeyOf] of c, of which it reads the columns plan_selected and contract_term_length.
func KeyOfCompany(c *ent.Company) (Key, bool) { return KeyOf(c.PlanSelected, c.ContractTermLength) }

// Plan is a billing plan. Prices are in the currency of the bills.
type Plan struct {
	ID           int // the hub's; 0 of one that is not kept yet
	Name         string
	Term         string
	SupportLevel string

	PerUserCost        codex.Quantity // a paid user
	PerWorkstationCost codex.Quantity // an asset of that type
	PerServerCost      codex.Quantity
	PerVMCost          codex.Quantity
	PerSwitchCost      codex.Quantity
	PerFirewallCost    codex.Quantity
	PerHourTicketCost  codex.Quantity // an hour that is not prepaid

	BackupBaseFeeWorkstation codex.Quantity // a workstation in backup
	BackupBaseFeeServer      codex.Quantity
	BackupIncludedTB         codex.Quantity // terabytes of 1024^4 bytes
	BackupPerTBFee           codex.Quantity // a terabyte beyond

	Features []Feature // by category, none twice
}

// Feature is what a plan includes of a category of features: SentinelOne of antivirus.
type Feature struct {
	Category string
	Value    string
}

// Key is what p is looked up by.
func (p *Plan) Key() Key { return Key{Name: p.Name, Term: p.Term} }

// Blank is a plan that charges nothing and has what a plan has of which nothing else is said.
func Blank(key Key) Plan {
	return Plan{Name: key.Name, Term: key.Term, SupportLevel: supportLevel, BackupIncludedTB: includedTB, Features: []Feature{}}
}

// Price is one of a plan's eleven numbers.
type Price struct {
	// Name is the key of docs/compatibility.md, "Billing plans": per_user_cost.
	Name string
	// Of is where it stands in a plan.
	Of func(*Plan) *codex.Quantity
}

// Prices are those of every plan, in the contract's order.
func Prices() []Price {
	return []Price{
		{"per_user_cost", func(p *Plan) *codex.Quantity { return &p.PerUserCost }},
		{"per_workstation_cost", func(p *Plan) *codex.Quantity { return &p.PerWorkstationCost }},
		{"per_server_cost", func(p *Plan) *codex.Quantity { return &p.PerServerCost }},
		{"per_vm_cost", func(p *Plan) *codex.Quantity { return &p.PerVMCost }},
		{"per_switch_cost", func(p *Plan) *codex.Quantity { return &p.PerSwitchCost }},
		{"per_firewall_cost", func(p *Plan) *codex.Quantity { return &p.PerFirewallCost }},
		{"per_hour_ticket_cost", func(p *Plan) *codex.Quantity { return &p.PerHourTicketCost }},
		{"backup_base_fee_workstation", func(p *Plan) *codex.Quantity { return &p.BackupBaseFeeWorkstation }},
		{"backup_base_fee_server", func(p *Plan) *codex.Quantity { return &p.BackupBaseFeeServer }},
		{"backup_included_tb", func(p *Plan) *codex.Quantity { return &p.BackupIncludedTB }},
		{"backup_per_tb_fee", func(p *Plan) *codex.Quantity { return &p.BackupPerTBFee }},
	}
}

// FeatureOption is a value that plans may have of a category: what people choose from.
type FeatureOption struct {
	ID          int // the hub's; 0 of one that is not kept yet
	Category    string
	Value       string
	DisplayName *string
	Description *string
}

// FeatureCategory is how a category of features is shown.
type FeatureCategory struct {
	ID          int // the hub's; 0 of one that is not kept yet
	Category    string
	DisplayName string
	FullName    *string
	Description *string
}

// check makes sure that p can be kept: texts of one line that are not too long, prices within their
// bounds, no category twice. The error is a [codex.CodeBadInput] whose Field is the contract's key. It brings
// the features into their order.
func (p *Plan) check() error {
	for _, text := range []struct{ field, value string }{
		{"plan_name", p.Name}, {"term_length", p.Term}, {"support_level", p.SupportLevel},
	} {
		if err := checkText(text.field, text.value); err != nil {
			return err
		}
	}
	for _, price := range Prices() {
		if err := checkPrice(price.Name, *price.Of(p)); err != nil {
			return err
		}
	}
	if p.Features == nil {
		p.Features = []Feature{}
	}
	slices.SortFunc(p.Features, func(a, b Feature) int { return strings.Compare(a.Category, b.Category) })
	for i, f := range p.Features {
		if err := checkText("features", f.Category); err != nil {
			return err
		}
		if isPlanKey(f.Category) { // the older paths serve features among the plan's own keys
			return codex.BadInput("features", "%s cannot be a category: it is a key of plans themselves", f.Category)
		}
		if err := checkText("features."+f.Category, f.Value); err != nil {
			return err
		}
		if i > 0 && p.Features[i-1].Category == f.Category {
			return codex.BadInput("features."+f.Category, "this category is there twice")
		}
	}
	return nil
}

func checkPrice(field string, price codex.Quantity) error {
	switch {
	case price < 0:
		return codex.BadInput(field, "a price is not negative, as %s is", price)
	case price > maxPrice:
		return codex.BadInput(field, "a price is at most %s", maxPrice)
	}
	return nil
}

func checkText(field, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return codex.BadInput(field, "give a text: it is empty")
	case utf8.RuneCountInString(text) > maxText:
		return codex.BadInput(field, "this text has at most %d characters", maxText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, breaksLine):
		return codex.BadInput(field, "this text is one line without control characters, in UTF-8")
	}
	return nil
}

// breaksLine tells control characters and Unicode's own ends of lines and paragraphs.
func breaksLine(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

// planKeys are the keys of a plan in the contract that are no prices.
func planKeys() []string {
	return []string{"id", "plan_name", "billing_plan", "term_length", "support_level", "features", "feature_display_names"}
}

func isPlanKey(key string) bool {
	return slices.Contains(planKeys(), key) || slices.ContainsFunc(Prices(), func(p Price) bool { return p.Name == key })
}

// planNamed is err said of the plan that it is about.
func planNamed(key Key, err error) error { return fmt.Errorf("plan %s: %w", key, err) }
