package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errLedgerBroke is what would be an uncaught exception in Ledger: it answers 500 without a reason.
var errLedgerBroke = errors.New("ledger's own error")

// terabyte is Ledger's, in bytes.
const terabyte = 1099511627776.0

// served is what Codex served of one company.
type served struct {
	company                envelope // its keys in their order, the values as they came
	assets, users, tickets []json.RawMessage
}

// billed is a machine, a person or a charge on a bill.
type billed struct {
	name any // a text, or null
	kind string
	cost float64
}

func (b billed) MarshalJSON() ([]byte, error) {
	return envelope{{"name", b.name}, {"type", b.kind}, {"cost", float(b.cost)}}.MarshalJSON()
}

// bill is one company's month. Its sums are floats that are added in the order of the Python code.
type bill struct {
	account, name  string
	year, month    int
	client         envelope
	support        string
	rates          envelope
	sent           served
	manual         manual
	tickets        []envelope // of the month
	assets, users  []billed
	items          []billed
	quantities     map[string]int
	assetCharges   float64
	userCharges    float64
	itemCharges    float64
	hours          any     // of the month: int 0 without a ticket
	billable       float64 // hours
	ticketCharge   float64
	remaining      float64 // prepaid hours of the year before this month's
	prepaidMonthly float64
	backupBytes    int64
	backedUp       [2]int // workstations, servers
	backupTB       float64
	includedTB     float64
	overageTB      float64
	baseCharges    [2]float64 // workstations, servers
	overageCharge  float64
	backupCharge   float64
	total          float64
}

// text is a member of an object that is a text; "" where it is null, or not there.
func (e envelope) text(key string) string {
	var text string
	_ = json.Unmarshal(e.raw(key), &text)
	return text
}

// raw is a member's JSON; null where it is not there.
func (e envelope) raw(key string) json.RawMessage {
	for _, m := range e {
		if raw, ok := m.value.(json.RawMessage); ok && m.key == key {
			return raw
		}
	}
	return json.RawMessage("null")
}

// has tells whether a member is there, null or not.
func (e envelope) has(key string) bool {
	return slices.ContainsFunc(e, func(m member) bool { return m.key == key })
}

// set changes a member, or adds it at the end.
func (e envelope) set(key string, value any) envelope {
	changed := slices.Clone(e)
	for i, m := range changed {
		if m.key == key {
			changed[i].value = value
			return changed
		}
	}
	return append(changed, member{key, value})
}

// number is a member that is a number; 0 where it is none.
func (e envelope) number(key string) float64 {
	var n float64
	_ = json.Unmarshal(e.raw(key), &n)
	return n
}

// makeBill is Ledger's billing engine (docs/compatibility.md, "How Ledger makes a bill"). The client is the
// company with the plan and the length of contract that hold for it, and p the plan for these.
func makeBill(g LedgerGeneration, sent served, client envelope, p plan, a agreed, year, month int) (*bill, error) {
	account := client.text("account_number")
	agreement := a.clients[account]
	b := &bill{
		account: account, name: client.text("name"), year: year, month: month, client: client, sent: sent,
		manual: a.manual[account], quantities: map[string]int{}, prepaidMonthly: agreement.PrepaidMonthly,
	}
	rates := map[string]float64{}
	b.support = p.support
	if agreement.SupportLevel != "" {
		b.support = agreement.SupportLevel
	}
	b.rates = envelope{{"support_level", b.support}}
	for _, name := range priceNames() {
		rates[name] = p.prices[name]
		if name == "backup_included_tb" && rates[name] == 0 {
			rates[name] = 1 // Python's `or 1`
		}
		if agreed, ok := agreement.Rates[name]; ok {
			rates[name] = agreed
		}
		b.rates = append(b.rates, member{name, float(rates[name])})
	}
	if err := b.machines(g, a, rates); err != nil {
		return nil, err
	}
	if err := b.people(a, rates["per_user_cost"]); err != nil {
		return nil, err
	}
	if err := b.time(agreement.PrepaidYearly, rates["per_hour_ticket_cost"]); err != nil {
		return nil, err
	}
	b.backups(rates)
	for _, item := range b.manual.items {
		if kind, fee := item.due(year, month); kind != "" {
			b.itemCharges += fee
			b.items = append(b.items, billed{item.Name, kind, fee})
		}
	}
	b.total = b.assetCharges + b.userCharges + b.ticketCharge + b.backupCharge + b.itemCharges
	return b, nil
}

// machines bills what Codex serves and then what was added by hand.
func (b *bill) machines(g LedgerGeneration, a agreed, rates map[string]float64) error {
	add := func(name any, how Billing) {
		cost := 0.0
		switch how.Type {
		case "Custom":
			cost = how.CustomCost
		case "No Charge":
		default:
			cost = rates["per_"+strings.ToLower(how.Type)+"_cost"]
		}
		b.assetCharges += cost
		b.quantities[strings.ToLower(how.Type)]++
		b.assets = append(b.assets, billed{name, how.Type, cost})
	}
	for _, raw := range b.sent.assets {
		row, err := readMembers(raw)
		if err != nil {
			return fmt.Errorf("an asset: %w", errors.Join(errLedgerBroke, err))
		}
		how := Billing{Type: "Workstation"}
		if row.has("billing_type") {
			how.Type = row.text("billing_type")
		}
		// A and B take a machine without Datto's UID for one that was added by hand, C one that comes
		// with a type: neither has its override looked up.
		byHand := !row.has("datto_uid")
		if g == LedgerC {
			byHand = row.has("billing_type")
		}
		if override, ok := a.assets[int64(row.number("id"))]; ok && !byHand {
			how = override
		}
		add(row.raw("hostname"), how)
		bytes := int64(row.number("backup_data_bytes"))
		b.backupBytes += bytes
		switch kind := row.text("billing_type"); { // the served type, whatever is overridden
		case bytes == 0:
		case kind == "Workstation":
			b.backedUp[0]++
		case kind == "Server" || kind == "VM":
			b.backedUp[1]++
		}
	}
	for _, m := range b.manual.assets {
		add(m.Hostname, m.Billing)
	}
	return nil
}

// people bills the contacts that Codex serves, the inactive ones too, and then who was added by hand.
func (b *bill) people(a agreed, perUser float64) error {
	add := func(name any, how Billing) {
		cost := 0.0
		kind := "free_users"
		switch how.Type {
		case "Custom":
			cost = how.CustomCost
		case "Paid":
			cost, kind = perUser, "regular_users"
		}
		b.userCharges += cost
		b.quantities[kind]++
		b.users = append(b.users, billed{name, how.Type, cost})
	}
	for _, raw := range b.sent.users {
		row, err := readMembers(raw)
		if err != nil {
			return fmt.Errorf("a contact: %w", errors.Join(errLedgerBroke, err))
		}
		how := Billing{Type: "Paid"}
		if override, ok := a.users[int64(row.number("id"))]; ok && row.has("email") {
			how = override
		}
		name := any(row.raw("name"))
		if full := row.text("full_name"); full != "" {
			name = full
		}
		add(name, how)
	}
	for _, u := range b.manual.users {
		add(u.FullName, u.Billing)
	}
	return nil
}

// time bills the hours of the month's tickets beyond those that were prepaid. Of a year's prepaid hours all
// that was served from before the month is taken off.
func (b *bill) time(prepaidYearly, perHour float64) error {
	from := time.Date(b.year, time.Month(b.month), 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0).Add(-time.Second) // a fraction of the last second is in no month
	hours, earlier := 0.0, 0.0
	b.hours = 0
	for _, raw := range b.sent.tickets {
		row, err := readMembers(raw)
		if err != nil {
			return fmt.Errorf("a ticket: %w", errors.Join(errLedgerBroke, err))
		}
		at, err := time.Parse(time.RFC3339, row.text("last_updated_at"))
		if err != nil { // null and zoneless times are an exception in Python
			return fmt.Errorf("a ticket's last_updated_at: %w", errors.Join(errLedgerBroke, err))
		}
		spent := row.number("total_hours_spent")
		switch {
		case at.Before(from):
			earlier += spent
		case !at.After(to):
			hours += spent
			b.hours = float(hours)
			b.tickets = append(b.tickets, envelope{
				{"ticket_number", row.raw("ticket_number")}, {"subject", row.raw("subject")}, {"total_hours_spent", float(spent)},
			})
		}
	}
	b.remaining = max(0, prepaidYearly-earlier)
	b.billable = max(0, max(0, hours-b.prepaidMonthly)-b.remaining)
	b.ticketCharge = b.billable * perHour
	return nil
}

// backups bills a base fee for each machine whose served type says what it is, and each terabyte beyond
// those that the fees include.
func (b *bill) backups(rates map[string]float64) {
	b.backupTB = float64(b.backupBytes) / terabyte
	included := rates["backup_included_tb"]
	if included == 0 {
		included = 1 // Python's `or 1`
	}
	b.includedTB = float64(b.backedUp[0]+b.backedUp[1]) * included
	b.overageTB = max(0, b.backupTB-b.includedTB)
	b.baseCharges[0] = float64(b.backedUp[0]) * rates["backup_base_fee_workstation"]
	b.baseCharges[1] = float64(b.backedUp[1]) * rates["backup_base_fee_server"]
	b.overageCharge = b.overageTB * rates["backup_per_tb_fee"]
	b.backupCharge = b.baseCharges[0] + b.baseCharges[1] + b.overageCharge
}
