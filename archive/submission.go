package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// Bounds of what is sent. Lengths are in characters, those of the old service's columns where it had
// one (docs/compatibility.md, "Archive").
const (
	MaxBodyBytes = 16 << 20
	maxLines     = 20_000
	maxKeyText   = 50
	maxName      = 150
	maxItemName  = 255
	maxText      = 1_000
	maxNotes     = 100_000
)

// Submission is a bill as it was sent, checked and normalised. What was left out has its default, but
// for defaults that depend on when and by whom it is accepted: those are nil.
type Submission struct {
	AccountNumber codex.AccountNumber
	CompanyName   *string // nil: the company's name, or Unknown
	InvoiceNumber string
	Period        codex.Period
	InvoiceDate   codex.Day
	DueDate       *codex.Day
	BillingPlan   *string
	ContractTerm  *string
	SupportLevel  *string

	TotalAmount          codex.Cents
	TotalUserCharges     codex.Cents
	TotalAssetCharges    codex.Cents
	TotalBackupCharges   codex.Cents
	TotalTicketCharges   codex.Cents
	TotalLineItemCharges codex.Cents
	HasParts             bool // one of the five was sent
	UserCount            int64
	AssetCount           int64
	BillableHours        codex.Quantity

	CreatedBy        *string
	DefaultCreatedBy bool // it was left out: the caller's e-mail address, or api
	Notes            *string

	BillingData string // a JSON object, as sent
	CSV         string // as sent
	Lines       []proof.LineItem
	Body        string // the whole request, or the answer that it was fetched in, as it came

	// Fetched: it was read from a Ledger that keeps its bills ([ParseFetched]), which tells no lines.
	Fetched bool
}

// requiredKeys are in the order in which the absent ones are named.
func requiredKeys() []string {
	return []string{
		"company_account_number", "billing_year", "billing_month", "invoice_number", "total_amount",
		"billing_data_json", "invoice_csv",
	}
}

// ParseSubmission reads the body of POST /api/snapshot. Amounts are decimals from the text of the JSON.
// What is wrong with it is a [codex.CodeBadInput] error that names the key.
func ParseSubmission(body []byte) (*Submission, error) {
	f, err := readObject(body)
	if err != nil {
		return nil, err
	}
	if err := f.missing(requiredKeys()); err != nil {
		return nil, err
	}
	s := f.submission()
	s.Body = string(body)
	if f.err != nil {
		return nil, f.err
	}
	return s, nil
}

// readObject reads a bill as the JSON object that it is.
func readObject(body []byte) (*fields, error) {
	if len(body) > MaxBodyBytes {
		return nil, codex.Errorf(codex.CodeBadInput, "a bill has at most %d bytes", MaxBodyBytes)
	}
	if !utf8.Valid(body) {
		return nil, codex.Errorf(codex.CodeBadInput, "the body is not UTF-8")
	}
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0, string(trimmed) == "null":
		return nil, errNoData()
	case !json.Valid(trimmed):
		return nil, codex.Errorf(codex.CodeBadInput, "the body is not JSON")
	case trimmed[0] != '{':
		return nil, codex.Errorf(codex.CodeBadInput, "the body must be a JSON object")
	}
	f := &fields{}
	if err := json.Unmarshal(body, &f.values); err != nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, "the body must be a JSON object")
	}
	if len(f.values) == 0 {
		return nil, errNoData()
	}
	return f, nil
}

// missing is the error of required keys that are absent. A null counts as absent, but where it is an
// amount that somebody forgot.
func (f *fields) missing(required []string) error {
	var missing []string
	for _, key := range required {
		if raw, there := f.values[key]; !there || isNull(raw) && key != "total_amount" {
			missing = append(missing, key)
		}
	}
	if missing != nil {
		return codex.Errorf(codex.CodeBadInput, "Missing required fields: %s", strings.Join(missing, ", "))
	}
	return nil
}

func errNoData() error { return codex.Errorf(codex.CodeBadInput, "No data provided") }

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// fields reads the values of an object, and keeps the first thing that is wrong with one.
type fields struct {
	values map[string]json.RawMessage
	path   string // before the name of a key
	err    *codex.Error
}

func (f *fields) fail(key string, err error) {
	if f.err == nil {
		f.err = codex.BadInput(f.path+key, "%s", err.Error())
	}
}

// given is a value that is there and not null.
func (f *fields) given(key string) (json.RawMessage, bool) {
	raw, there := f.values[key]
	return raw, there && !isNull(raw)
}

func (f *fields) submission() *Submission {
	s := &Submission{
		AccountNumber: codex.AccountNumber(f.filled("company_account_number", maxKeyText)),
		InvoiceNumber: f.filled("invoice_number", maxKeyText),
		CompanyName:   f.text("company_name", maxName),
		Period: codex.Period{
			Year:  int(f.integer("billing_year", 1, 9999)),
			Month: time.Month(f.integer("billing_month", 1, 12)),
		},
		DueDate:      f.day("due_date"),
		BillingPlan:  f.text("billing_plan", maxText),
		ContractTerm: f.text("contract_term", maxText),
		SupportLevel: f.text("support_level", maxText),

		TotalAmount:          f.cents("total_amount"),
		TotalUserCharges:     f.cents("total_user_charges"),
		TotalAssetCharges:    f.cents("total_asset_charges"),
		TotalBackupCharges:   f.cents("total_backup_charges"),
		TotalTicketCharges:   f.cents("total_ticket_charges"),
		TotalLineItemCharges: f.cents("total_line_item_charges"),
		UserCount:            f.integer("user_count", 0, 99_999_999),
		AssetCount:           f.integer("asset_count", 0, 99_999_999),

		CreatedBy:   f.text("created_by", maxText),
		Notes:       f.text("notes", maxNotes),
		BillingData: f.document("billing_data_json"),
		CSV:         f.wholeText("invoice_csv"),
		Lines:       f.lines("line_items"),
	}
	for _, key := range []string{
		"total_user_charges", "total_asset_charges", "total_backup_charges", "total_ticket_charges", "total_line_item_charges",
	} {
		_, there := f.values[key]
		s.HasParts = s.HasParts || there
	}
	if raw, given := f.given("billable_hours"); given {
		hours, err := QuantityOf(raw)
		if err != nil {
			f.fail("billable_hours", err)
		}
		s.BillableHours = hours
	}
	_, there := f.values["created_by"]
	s.DefaultCreatedBy = !there
	if date := f.day("invoice_date"); date != nil {
		s.InvoiceDate = *date
	} else if f.err == nil {
		s.InvoiceDate = codex.DayOf(s.Period.End()) - 1
	}
	return s
}

// wholeText is a text of any length.
func (f *fields) wholeText(key string) string {
	raw, given := f.given(key)
	if !given {
		return ""
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || raw[0] != '"' {
		f.fail(key, errors.New("give a text"))
		return ""
	}
	if strings.IndexByte(text, 0) >= 0 {
		f.fail(key, errors.New("a text here has no NUL character"))
	}
	return text
}

func (f *fields) text(key string, most int) *string {
	if _, given := f.given(key); !given {
		return nil
	}
	text := f.wholeText(key)
	if utf8.RuneCountInString(text) > most {
		f.fail(key, fmt.Errorf("it has more than %d characters", most))
	}
	return &text
}

// filled is a text that must not be empty: it is a key.
func (f *fields) filled(key string, most int) string {
	text := f.text(key, most)
	if text == nil || *text == "" {
		f.fail(key, errors.New("it must not be empty"))
		return ""
	}
	return *text
}

func (f *fields) integer(key string, least, most int64) int64 {
	raw, given := f.given(key)
	if !given {
		return 0
	}
	n, err := integerOf(raw)
	if err == nil && (n < least || n > most) {
		err = fmt.Errorf("give a whole number from %d to %d", least, most)
	}
	if err != nil {
		f.fail(key, err)
		return 0
	}
	return n
}

// cents is an amount: null is none, and not taken for one that was left out.
func (f *fields) cents(key string) codex.Cents {
	raw, there := f.values[key]
	if !there {
		return 0
	}
	amount, err := CentsOf(raw)
	if err != nil {
		f.fail(key, err)
	}
	return amount
}

func (f *fields) day(key string) *codex.Day {
	raw, given := f.given(key)
	if !given {
		return nil
	}
	var text string
	day, err := codex.Day(0), json.Unmarshal(raw, &text)
	if err == nil {
		day, err = codex.ParseDay(text)
	}
	if err != nil || day.Start().Year() < 1 {
		f.fail(key, errors.New("give a day as YYYY-MM-DD"))
		return nil
	}
	return &day
}

// document is a JSON object, or a text that holds one, as it was sent.
func (f *fields) document(key string) string {
	raw := f.values[key]
	text := string(raw)
	if raw[0] == '"' {
		text = f.wholeText(key)
	}
	// With the blanks of JSON and no others: the text is kept as it is, and must be JSON for whoever reads it.
	if trimmed := strings.Trim(text, " \t\r\n"); !strings.HasPrefix(trimmed, "{") || !json.Valid([]byte(trimmed)) {
		f.fail(key, errors.New("give a JSON object, or a text that holds one"))
	}
	return text
}

func (f *fields) lines(key string) []proof.LineItem {
	raw, given := f.given(key)
	if !given {
		return nil
	}
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &objects); err != nil {
		f.fail(key, errors.New("give an array of objects"))
		return nil
	}
	if len(objects) > maxLines {
		f.fail(key, fmt.Errorf("a bill has at most %d lines", maxLines))
		return nil
	}
	lines := make([]proof.LineItem, len(objects))
	for i, values := range objects {
		line := fields{values: values, path: fmt.Sprintf("%s[%d].", key, i)}
		lines[i] = line.line()
		if line.err != nil && f.err == nil {
			f.err = line.err
		}
	}
	return lines
}

func (f *fields) line() proof.LineItem {
	for _, key := range []string{"item_name", "rate", "amount"} {
		if _, there := f.values[key]; !there {
			f.fail(key, errors.New("it is missing"))
		}
	}
	line := proof.LineItem{
		LineType:    "custom",
		ItemName:    f.filled("item_name", maxItemName),
		Description: f.text("description", maxNotes),
		Quantity:    1_0000,
		Amount:      f.cents("amount"),
	}
	if kind := f.text("line_type", maxKeyText); kind != nil {
		line.LineType = *kind
	}
	var err error
	if raw, given := f.given("quantity"); given {
		if line.Quantity, err = QuantityOf(raw); err != nil {
			f.fail("quantity", err)
		}
	}
	if line.Rate, err = QuantityOf(f.values["rate"]); err != nil {
		f.fail("rate", err)
	}
	return line
}
