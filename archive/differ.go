package archive

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
)

// differing names the keys of POST /api/snapshot whose values are others in s than in an archived bill,
// once normalised: amounts in cents, the billing data as JSON, whatever its spelling. A key that was
// left to a default which depends on when and by whom it is sent is not compared, nor are lines where s
// was fetched: who keeps bills tells none.
func differing(s *Submission, row *ent.Snapshot, contents map[proof.Committed]string) ([]string, error) {
	lines, err := proof.EncodeLines(s.Lines)
	if err != nil {
		return nil, err
	}
	notes, hadNotes := contents[proof.Notes]
	var different []string
	for _, field := range []struct {
		key  string
		same bool
	}{
		{"company_account_number", s.AccountNumber == row.CompanyAccountNumber},
		{"billing_year", s.Period.Year == row.BillingYear},
		{"billing_month", s.Period.Month == time.Month(row.BillingMonth)},
		{"total_amount", s.TotalAmount == row.TotalAmountCents},
		{"billing_data_json", sameJSON(s.BillingData, contents[proof.BillingData])},
		{"invoice_csv", s.CSV == contents[proof.CSV]},
		{"company_name", s.CompanyName == nil || *s.CompanyName == row.CompanyName},
		{"invoice_date", s.InvoiceDate == row.InvoiceDate},
		{"due_date", equal(s.DueDate, row.DueDate)},
		{"billing_plan", equal(s.BillingPlan, row.BillingPlan)},
		{"contract_term", equal(s.ContractTerm, row.ContractTerm)},
		{"support_level", equal(s.SupportLevel, row.SupportLevel)},
		{"total_user_charges", s.TotalUserCharges == row.TotalUserChargesCents},
		{"total_asset_charges", s.TotalAssetCharges == row.TotalAssetChargesCents},
		{"total_backup_charges", s.TotalBackupCharges == row.TotalBackupChargesCents},
		{"total_ticket_charges", s.TotalTicketCharges == row.TotalTicketChargesCents},
		{"total_line_item_charges", s.TotalLineItemCharges == row.TotalLineItemChargesCents},
		{"user_count", s.UserCount == row.UserCount},
		{"asset_count", s.AssetCount == row.AssetCount},
		{"billable_hours", s.BillableHours == row.BillableHoursE4},
		{"created_by", s.DefaultCreatedBy || equal(s.CreatedBy, row.CreatedBy)},
		{"notes", hadNotes == (s.Notes != nil) && (s.Notes == nil || *s.Notes == notes)},
		{"line_items", s.Fetched || string(lines) == contents[proof.LineItems]},
	} {
		if !field.same {
			different = append(different, field.key)
		}
	}
	return different, nil
}

func equal[T string | codex.Day](a, b *T) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// sameJSON tells whether two JSON texts say the same: order of names and spelling aside, of numbers too.
func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	var values [2]any
	for i, text := range []string{a, b} {
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.UseNumber()
		if err := decoder.Decode(&values[i]); err != nil {
			return false
		}
	}
	return sameValue(values[0], values[1])
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for name, value := range a {
			if there, ok := other[name]; !ok || !sameValue(value, there) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i, value := range a {
			if !sameValue(value, other[i]) {
				return false
			}
		}
		return true
	case json.Number:
		other, ok := b.(json.Number)
		if !ok {
			return false
		}
		if a == other {
			return true
		}
		x, errX := parseDecimal(string(a))
		y, errY := parseDecimal(string(other))
		return errX == nil && errY == nil && x == y
	}
	return a == b
}
