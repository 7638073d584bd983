package archive_test

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
)

func asCoded(err error, coded **codex.Error) bool { return errors.As(err, coded) }

func TestWhatLedgerSendsIsReadToTheCent(t *testing.T) {
	body := bill(t)
	s := parse(t, body)
	for _, got := range []struct{ what, got, want string }{
		{"total", s.TotalAmount.String(), "273.58"},
		{"assets", s.TotalAssetCharges.String(), "59.00"},
		{"tickets", s.TotalTicketCharges.String(), "214.58"},
		{"hours", s.BillableHours.String(), "1.7167"},
		{"month", s.Period.String(), "2025-10"},
		{"invoice date", s.InvoiceDate.String(), "2025-10-31"},
		{"due date", s.DueDate.String(), "2025-11-30"},
		{"body", s.Body, string(body)},
		{"second line's rate", s.Lines[1].Rate.String(), "125.0000"},
	} {
		if got.got != got.want {
			t.Errorf("%s: %s, want %s", got.what, got.got, got.want)
		}
	}
	if !strings.HasPrefix(s.BillingData, `{"client": {"account`) || !strings.Contains(string(body), s.BillingData) {
		t.Errorf("the billing data are not as sent: %s", s.BillingData)
	}
	if s.Notes != nil || s.DefaultCreatedBy || *s.CreatedBy != "ana@example.com" {
		t.Errorf("notes %v, created by %v", s.Notes, s.CreatedBy)
	}
}

func TestABodyThatIsNoBillIsRefusedWithTheDocumentsWords(t *testing.T) {
	for _, c := range []struct{ name, body, message string }{
		{"nothing", "", "No data provided"},
		{"null", " null\n", "No data provided"},
		{"an empty object", "{ }", "No data provided"},
		{"no JSON", "{", "the body is not JSON"},
		{"an array", "[1]", "the body must be a JSON object"},
		{"bytes that are no text", "{\"a\": \"\xff\"}", "the body is not UTF-8"},
		{"keys that are missing", `{"billing_year": 2025, "notes": null}`,
			"Missing required fields: company_account_number, billing_month, invoice_number, total_amount, billing_data_json, invoice_csv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := archive.ParseSubmission([]byte(c.body))
			refused(t, err, codex.CodeBadInput, c.message)
		})
	}
}

func TestAValueOfAnotherKindIsRefusedAndItsKeyIsNamed(t *testing.T) {
	for _, c := range []struct{ name, old, new, message string }{
		{"a null account number counts as absent", `"company_account_number": "620547"`, `"company_account_number": null`, "Missing required fields: company_account_number"},
		{"an account number that is a number", `"company_account_number": "620547"`, `"company_account_number": 620547`, "company_account_number: give a text"},
		{"an empty invoice number", `"620547-202510"`, `""`, "invoice_number: it must not be empty"},
		{"an invoice number that is too long", `"620547-202510"`, `"` + strings.Repeat("ü", 51) + `"`, "invoice_number: it has more than 50 characters"},
		{"a NUL character", `"company_name": "Example Ltd"`, `"company_name": "Example\u0000"`, "company_name: a text here has no NUL character"},
		{"month 13", `"billing_month": 10`, `"billing_month": 13`, "billing_month: give a whole number from 1 to 12"},
		{"half a month", `"billing_month": 10`, `"billing_month": 10.5`, "billing_month: give a whole number"},
		{"year 0", `"billing_year": 2025`, `"billing_year": 0`, "billing_year: give a whole number from 1 to 9999"},
		{"a day that is none", `"2025-10-31"`, `"2025-02-30"`, "invoice_date: give a day as YYYY-MM-DD"},
		{"a null amount", `"total_amount": 273.5833333333333`, `"total_amount": null`, "total_amount: give a number, or a text that holds one"},
		{"an amount that is none", `"total_amount": 273.5833333333333`, `"total_amount": "NaN"`, "total_amount: give a number, or a text that holds one"},
		{"an amount that is true", `"total_user_charges": 0`, `"total_user_charges": true`, "total_user_charges: give a number, or a text that holds one"},
		{"an amount beyond the column", `"total_amount": 273.5833333333333`, `"total_amount": 100000000`, "total_amount: a number here has at most 8 digits before the point"},
		{"an amount that is rounded beyond the column", `"total_amount": 273.5833333333333`, `"total_amount": -99999999.995`, "total_amount: a number here has at most 8 digits before the point"},
		{"a rate that is rounded beyond the column", `"rate": 125.0`, `"rate": "99999999.99995"`, "line_items[1].rate: a number here has at most 8 digits before the point"},
		{"fewer than no users", `"user_count": 1`, `"user_count": -1`, "user_count: give a whole number from 0 to 99999999"},
		{"billing data that are no object", `"billing_data_json": {`, `"billing_data_json": "[]", "x": {`, "billing_data_json: give a JSON object, or a text that holds one"},
		{"billing data within blanks that are none of JSON's", `"billing_data_json": {`, `"billing_data_json": "\u00a0{}", "x": {`, "billing_data_json: give a JSON object, or a text that holds one"},
		{"a line without an amount", `"rate": 59.0, "amount": 59.0`, `"rate": 59.0`, "line_items[0].amount: it is missing"},
		{"a line with a null rate", `"rate": 125.0`, `"rate": null`, "line_items[1].rate: give a number, or a text that holds one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := archive.ParseSubmission(bill(t, c.old, c.new))
			refused(t, err, codex.CodeBadInput, c.message)
		})
	}
}

func TestWhatIsLeftOutHasTheDocumentedDefault(t *testing.T) {
	s := parse(t, []byte(`{"company_account_number": "1", "billing_year": "2024", "billing_month": 2.0, "invoice_number": "x",
		"total_amount": " 12.345 ", "billing_data_json": "{\"a\": 1}", "invoice_csv": "", "line_items": [{"item_name": "i", "rate": 1, "amount": "-2.005"}]}`))
	if s.InvoiceDate.String() != "2024-02-29" || s.TotalAmount.String() != "12.35" || s.BillingData != `{"a": 1}` ||
		s.CompanyName != nil || !s.DefaultCreatedBy || s.HasParts {
		t.Errorf("%+v", s)
	}
	want := proof.LineItem{LineType: "custom", ItemName: "i", Quantity: 1_0000, Rate: 1_0000, Amount: -201}
	if len(s.Lines) != 1 || s.Lines[0] != want {
		t.Errorf("%+v", s.Lines)
	}
}

// exact is a number's value in cents, rounded half away from zero, by arithmetic of fractions.
func exact(text string) *big.Int {
	value, _ := new(big.Rat).SetString(text)
	value.Mul(value, big.NewRat(100, 1))
	half := big.NewRat(1, 2)
	negative := value.Sign() < 0
	value.Abs(value)
	value.Add(value, half)
	whole := new(big.Int).Quo(value.Num(), value.Denom())
	if negative {
		whole.Neg(whole)
	}
	return whole
}

func TestAnyNumberIsRoundedHalfAwayFromZeroWithoutAFloat(t *testing.T) {
	check := func(t interface {
		Helper()
		Fatalf(string, ...any)
	}, number string) {
		t.Helper()
		s, err := archive.ParseSubmission([]byte(`{"company_account_number": "1", "billing_year": 2024, "billing_month": 2, "invoice_number": "x",
			"total_amount": ` + number + `, "billing_data_json": {}, "invoice_csv": ""}`))
		if err != nil {
			t.Fatalf("%s: %v", number, err)
		}
		if want := exact(number); big.NewInt(int64(s.TotalAmount)).Cmp(want) != 0 {
			t.Fatalf("%s: %d cents, want %d", number, s.TotalAmount, want)
		}
	}
	for _, number := range []string{"2450.005", "-2450.005", "412.2749999999984", "0.004999999999999999999999", "1e-05", "5E-3", "-0", "0.1e3", "99999999.99", "99999999.994"} {
		check(t, number)
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,30})?([eE](-[0-9]|[+]?[01]))?`).Draw(t, "number")
		check(t, number)
	})
	rapid.Check(t, func(t *rapid.T) { // what a program sends that has floats
		check(t, strconv.FormatFloat(rapid.Float64Range(-9e7, 9e7).Draw(t, "float"), 'g', -1, 64))
	})
}

func FuzzABodyIsABillOrRefused(f *testing.F) {
	f.Add(bill(f))
	f.Add([]byte(`{"total_amount": 1e999999999999, "billing_data_json": "{}"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := archive.ParseSubmission(body)
		if err != nil {
			if codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("%v", err)
			}
			return
		}
		again, err := archive.ParseSubmission([]byte(s.Body))
		if err != nil || again.TotalAmount != s.TotalAmount || again.BillingData != s.BillingData {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}
