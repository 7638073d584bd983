package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// invoice is the bill's number.
func (b *bill) invoice() string { return fmt.Sprintf("%s-%d%02d", b.account, b.year, b.month) }

// dates are the last day of the billing month, and 30 days later.
func (b *bill) dates() (invoiced, due string) {
	last := time.Date(b.year, time.Month(b.month)+1, 0, 0, 0, 0, 0, time.UTC)
	return last.Format(time.DateOnly), last.AddDate(0, 0, 30).Format(time.DateOnly)
}

// data is billing_data_json: everything that the bill was made from, and what came of it.
func (b *bill) data() envelope {
	manualAssets, manualUsers, items := []any{}, []any{}, []any{}
	for _, m := range b.manual.assets {
		manualAssets = append(manualAssets, envelope{{"hostname", m.Hostname}, {"billing_type", m.Type}, {"custom_cost", float(m.CustomCost)}})
	}
	for _, u := range b.manual.users {
		manualUsers = append(manualUsers, envelope{{"full_name", u.FullName}, {"billing_type", u.Type}, {"custom_cost", float(u.CustomCost)}})
	}
	for _, i := range b.manual.items {
		items = append(items, envelope{{"name", i.Name}, {"description", i.Description},
			{"monthly_fee", i.MonthlyFee}, {"one_off_fee", i.OneOffFee}, {"yearly_fee", i.YearlyFee}})
	}
	return envelope{
		{"client", b.client}, {"assets", list(b.sent.assets)}, {"manual_assets", manualAssets},
		{"users", list(b.sent.users)}, {"manual_users", manualUsers}, {"custom_line_items", items},
		{"tickets_for_billing_period", list(b.tickets)}, {"receipt_data", b.receipt()}, {"effective_rates", b.rates},
		{"quantities", b.quantities},
		{"backup_info", envelope{{"total_backup_bytes", b.backupBytes}, {"backed_up_workstations", b.backedUp[0]}, {"backed_up_servers", b.backedUp[1]}}},
		{"total_backup_tb", float(b.backupTB)}, {"remaining_yearly_hours", notNegative(b.remaining)},
		{"support_level_display", b.support},
	}
}

func (b *bill) receipt() envelope {
	return envelope{
		{"billed_assets", list(b.assets)}, {"billed_users", list(b.users)}, {"billed_line_items", list(b.items)},
		{"total_user_charges", float(b.userCharges)}, {"total_asset_charges", float(b.assetCharges)},
		{"total_line_item_charges", float(b.itemCharges)}, {"ticket_charge", float(b.ticketCharge)},
		{"backup_charge", float(b.backupCharge)}, {"total", float(b.total)},
		{"hours_for_billing_period", b.hours}, {"prepaid_hours_monthly", float(b.prepaidMonthly)},
		{"billable_hours", notNegative(b.billable)},
		{"backup_base_workstation", float(b.baseCharges[0])}, {"backup_base_server", float(b.baseCharges[1])},
		{"total_included_tb", float(b.includedTB)}, {"overage_tb", notNegative(b.overageTB)}, {"overage_charge", float(b.overageCharge)},
	}
}

// list is a list that is written as [] where it has nothing.
func list[T any](of []T) []T {
	if of == nil {
		return []T{}
	}
	return of
}

// priced counts what costs something.
func priced(list []billed) (n int) {
	for _, b := range list {
		if b.cost > 0 {
			n++
		}
	}
	return n
}

// line is what a bill charges: what costs more than nothing, and every charge of its own.
type line struct {
	kind, product, name, description string
	quantity, rate, amount           float64
}

func (b *bill) lines() []line {
	var lines []line
	each := func(list []billed, kind, word string) {
		for _, of := range list {
			if of.cost > 0 {
				name := pythonText(of.name)
				lines = append(lines, line{kind, "Managed Services", name, fmt.Sprintf("%s: %s (%s)", word, name, of.kind), 1, of.cost, of.cost})
			}
		}
	}
	each(b.users, "user", "User")
	each(b.assets, "asset", "Asset")
	if b.backupCharge > 0 {
		lines = append(lines, line{"backup", "Backup Services", "Backup Services",
			fmt.Sprintf("Backup charges (base + %s TB overage)", two(b.overageTB)), 1, b.backupCharge, b.backupCharge})
	}
	if b.billable > 0 {
		lines = append(lines, line{"ticket", "Hourly Labor", "Billable Hours",
			fmt.Sprintf("Billable Hours (%s hrs)", two(b.billable)), b.billable, b.ticketCharge / b.billable, b.ticketCharge})
	}
	for _, item := range b.items {
		lines = append(lines, line{"custom", "Custom Charge", pythonText(item.name), fmt.Sprintf("%s (%s)", item.name, item.kind), 1, item.cost, item.cost})
	}
	return lines
}

// pythonText is a value in a text, as Python writes it there.
func pythonText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.RawMessage:
		var text *string
		if json.Unmarshal(v, &text) == nil && text != nil {
			return *text
		}
	}
	return "None"
}

// head is what both documents of a bill begin with.
func (b *bill) head() envelope {
	invoiced, due := b.dates()
	return envelope{
		{"company_account_number", b.account}, {"company_name", b.name}, {"invoice_number", b.invoice()},
		{"billing_year", b.year}, {"billing_month", b.month}, {"invoice_date", invoiced}, {"due_date", due},
		{"billing_plan", b.client.text("billing_plan")}, {"contract_term", b.client.text("contract_term_length")}, {"support_level", b.support},
	}
}

// amounts are the sums that both documents have; round is what becomes of each.
func (b *bill) amounts(total float64, round func(float64) float) envelope {
	return envelope{
		{"total_amount", round(total)}, {"total_user_charges", round(b.userCharges)}, {"total_asset_charges", round(b.assetCharges)},
		{"total_backup_charges", round(b.backupCharge)}, {"total_ticket_charges", round(b.ticketCharge)},
		{"total_line_item_charges", round(b.itemCharges)}, {"user_count", priced(b.users)}, {"asset_count", priced(b.assets)},
		{"billable_hours", round(b.billable)},
	}
}

// submission is what A and B send to Archive.
func (b *bill) submission(csv string, by, notes any, total float64) envelope {
	lines := []any{}
	for _, l := range b.lines() {
		lines = append(lines, envelope{{"line_type", l.kind}, {"item_name", l.name}, {"description", l.description},
			{"quantity", float(l.quantity)}, {"rate", float(l.rate)}, {"amount", float(l.amount)}})
	}
	sent := append(b.head(), b.amounts(total, func(x float64) float { return float(x) })...)
	return append(sent, envelope{
		{"billing_data_json", b.data()}, {"invoice_csv", csv}, {"line_items", lines}, {"created_by", by}, {"notes", notes},
	}...)
}

// csvHeader is the first line of every invoice.
const csvHeader = "InvoiceNo,Customer,InvoiceDate,DueDate,Item(Product/Service),Description,Qty,Rate,Amount\r\n"

// csv is the invoice for accounting programs. It rounds on its own.
func (b *bill) csv() string {
	var out strings.Builder
	out.WriteString(csvHeader)
	invoiced, due := b.dates()
	for _, l := range b.lines() {
		quantity := "1"
		switch l.kind {
		case "ticket":
			quantity = two(l.quantity)
		case "backup":
			l.description = b.backupDescription()
		}
		writeRow(&out, b.invoice(), b.name, invoiced, due, l.product, l.description, quantity, two(l.rate), two(l.amount))
	}
	return out.String()
}

func (b *bill) backupDescription() string {
	var parts []string
	if b.baseCharges[0] > 0 {
		parts = append(parts, "Workstation Backup Base: $"+two(b.baseCharges[0]))
	}
	if b.baseCharges[1] > 0 {
		parts = append(parts, "Server Backup Base: $"+two(b.baseCharges[1]))
	}
	if b.overageTB > 0 {
		parts = append(parts, fmt.Sprintf("Overage: %s TB @ $%s", two(b.overageTB), two(b.overageCharge)))
	}
	return "Backup Services - " + strings.Join(parts, ", ")
}

// writeRow writes a line as Python's csv does: quotes only where it must, CRLF at the end.
func writeRow(out *strings.Builder, fields ...string) {
	for i, field := range fields {
		if i > 0 {
			out.WriteByte(',')
		}
		if strings.ContainsAny(field, ",\"\r\n") {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		out.WriteString(field)
	}
	out.WriteString("\r\n")
}

// kept is a bill in Ledger C's own archive.
type kept struct {
	id         int
	archivedAt time.Time
	by, notes  any
	total      float64
	bill       *bill
	csv        string
}

// object is the snapshot as Ledger C serves it: amounts as its database's columns have them, keys sorted.
func (k kept) object() ([]byte, error) {
	shown := append(envelope{{"id", k.id}, {"archived_at", isoFormat(k.archivedAt)}}, k.bill.head()...)
	shown = append(shown, k.bill.amounts(k.total, column)...)
	shown = append(shown, member{"billing_data", k.bill.data()}, member{"created_by", k.by}, member{"notes", k.notes})
	text, err := encodeJSON(shown)
	if err != nil {
		return nil, err
	}
	sorted := json.NewDecoder(bytes.NewReader(text))
	sorted.UseNumber()
	var object map[string]any
	if err := sorted.Decode(&object); err != nil {
		return nil, err
	}
	return encodeJSON(object)
}

// fileName is the name under which the invoice is saved.
func (k kept) fileName() string {
	var name strings.Builder
	for _, r := range k.bill.name {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(" _-", r) {
			name.WriteRune(r)
		}
	}
	return fmt.Sprintf("%s_%d-%02d.csv", strings.ReplaceAll(strings.TrimSpace(name.String()), " ", "_"), k.bill.year, k.bill.month)
}
