package simulator

import (
	"fmt"
	"maps"
	"slices"
)

// Billing is how a machine or a person is billed: the words of Ledger's form. Machines are a Workstation,
// Server, VM, Switch or Firewall at the plan's price, people Paid; Custom has a price of its own, and
// what is "No Charge" (people: Free) costs nothing.
type Billing struct {
	Type       string  `json:"billing_type"`
	CustomCost float64 `json:"custom_cost"` // dollars a month, for Custom
}

// ClientBilling is what was agreed with one company. Zero values change nothing.
type ClientBilling struct {
	Plan           string             `json:"billing_plan"`          // in place of the company's
	SupportLevel   string             `json:"support_level"`         // in place of the plan's
	Rates          map[string]float64 `json:"rates"`                 // prices in place of the plan's, by their names there
	PrepaidMonthly float64            `json:"prepaid_hours_monthly"` // hours of each month that cost nothing
	PrepaidYearly  float64            `json:"prepaid_hours_yearly"`  // hours that cost nothing until they are used up
}

// ManualAsset is a machine that Ledger alone knows.
type ManualAsset struct {
	Hostname string `json:"hostname"`
	Billing
}

// ManualUser is a person whom Ledger alone knows.
type ManualUser struct {
	FullName string `json:"full_name"`
	Billing
}

// LineItem is a charge of its own: a fee of every month, of one month, or of one month of each year, the
// first of them that is there.
type LineItem struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	MonthlyFee  *float64 `json:"monthly_fee"`
	OneOffFee   *float64 `json:"one_off_fee"`
	OneOffYear  int      `json:"one_off_year"`
	OneOffMonth int      `json:"one_off_month"`
	YearlyFee   *float64 `json:"yearly_fee"`
	YearlyMonth int      `json:"yearly_bill_month"`
}

// due is what the item costs in a month, and its kind; "" for nothing.
func (i LineItem) due(year, month int) (kind string, fee float64) {
	amount := func(fee *float64) float64 {
		if fee == nil {
			return 0
		}
		return *fee
	}
	switch {
	case i.MonthlyFee != nil:
		return "Recurring", *i.MonthlyFee
	case i.OneOffYear == year && i.OneOffMonth == month:
		return "One-Off", amount(i.OneOffFee)
	case i.YearlyMonth == month:
		return "Yearly", amount(i.YearlyFee)
	}
	return "", 0
}

// agreed is what the people at Ledger's desk have entered. Its maps and lists are replaced, never
// written to, so that a bill is made from one state.
type agreed struct {
	assets  map[int64]Billing // by the id that Codex serves
	users   map[int64]Billing
	clients map[string]ClientBilling
	manual  map[string]manual
}

type manual struct {
	assets []ManualAsset
	users  []ManualUser
	items  []LineItem
}

// with is a map with one key more or changed; without is it without the key.
func with[K comparable, V any](of map[K]V, key K, value V) map[K]V {
	changed := maps.Clone(of)
	if changed == nil {
		changed = map[K]V{}
	}
	changed[key] = value
	return changed
}

func without[K comparable, V any](of map[K]V, key K) map[K]V {
	changed := maps.Clone(of)
	delete(changed, key)
	return changed
}

// setBilling sets or, without a type, takes off how one record is billed.
func setBilling(of map[int64]Billing, id int64, b Billing) map[int64]Billing {
	if b.Type == "" {
		return without(of, id)
	}
	return with(of, id, b)
}

// agree changes what the desk has entered.
func (l *ledgerState) agree(change func(*agreed)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.desk)
}

// SetAssetBilling says how the machine with an id of Codex's is billed from now on; an empty type takes
// that back.
func (s *Sim) SetAssetBilling(id int64, b Billing) {
	s.ledger.agree(func(a *agreed) { a.assets = setBilling(a.assets, id, b) })
}

// SetUserBilling says how the person with an id of Codex's is billed from now on; an empty type takes
// that back.
func (s *Sim) SetUserBilling(id int64, b Billing) {
	s.ledger.agree(func(a *agreed) { a.users = setBilling(a.users, id, b) })
}

// SetClientBilling replaces what was agreed with a company. A rate that plans do not have is refused.
func (s *Sim) SetClientBilling(account string, c ClientBilling) error {
	for name := range c.Rates {
		if !slices.Contains(priceNames(), name) {
			return fmt.Errorf("plans have no price %q; they have %v", name, priceNames())
		}
	}
	c.Rates = maps.Clone(c.Rates)
	s.ledger.agree(func(a *agreed) { a.clients = with(a.clients, account, c) })
	return nil
}

// shownLedger is how Ledger is set up and what it keeps, for the control face.
func (s *Sim) shownLedger() (any, error) {
	settings := s.Ledger()
	bills, err := s.LedgerBills()
	if err != nil {
		return nil, err
	}
	invoices := []string{}
	for _, b := range bills {
		invoices = append(invoices, b.Invoice)
	}
	return envelope{{"generation", settings.Generation}, {"codex_url", settings.CodexURL}, {"archive_url", settings.ArchiveURL}, {"bills", invoices}}, nil
}

// byHand changes what Ledger alone knows of a company.
func (s *Sim) byHand(account string, change func(*manual)) {
	s.ledger.agree(func(a *agreed) {
		m := a.manual[account]
		change(&m)
		a.manual = with(a.manual, account, m)
	})
}

// AddManualAsset adds a machine to a company's bills.
func (s *Sim) AddManualAsset(account string, m ManualAsset) {
	s.byHand(account, func(of *manual) { of.assets = append(slices.Clone(of.assets), m) })
}

// AddManualUser adds a person to a company's bills.
func (s *Sim) AddManualUser(account string, u ManualUser) {
	s.byHand(account, func(of *manual) { of.users = append(slices.Clone(of.users), u) })
}

// AddLineItem adds a charge to a company's bills.
func (s *Sim) AddLineItem(account string, i LineItem) {
	s.byHand(account, func(of *manual) { of.items = append(slices.Clone(of.items), i) })
}
