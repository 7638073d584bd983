package rest

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
)

// foundJSON is a bill among those that were searched for.
type foundJSON struct {
	ID                   int                 `json:"id"`
	CompanyAccountNumber codex.AccountNumber `json:"company_account_number"`
	CompanyName          string              `json:"company_name"`
	InvoiceNumber        string              `json:"invoice_number"`
	BillingYear          int                 `json:"billing_year"`
	BillingMonth         int                 `json:"billing_month"`
	InvoiceDate          string              `json:"invoice_date"`
	ArchivedAt           string              `json:"archived_at"`
	TotalAmount          amount              `json:"total_amount"`
	UserCount            int64               `json:"user_count"`
	AssetCount           int64               `json:"asset_count"`
}

// searchJSON is a page of them.
type searchJSON struct {
	Total   int         `json:"total"` // all that match
	Limit   int         `json:"limit"`
	Offset  int         `json:"offset"`
	Results []foundJSON `json:"results"`
}

func foundForm(b *ent.Snapshot) foundJSON {
	return foundJSON{
		ID:                   b.ID,
		CompanyAccountNumber: b.CompanyAccountNumber,
		CompanyName:          b.CompanyName,
		InvoiceNumber:        b.InvoiceNumber,
		BillingYear:          b.BillingYear,
		BillingMonth:         b.BillingMonth,
		InvoiceDate:          b.InvoiceDate.String(),
		ArchivedAt:           jobTime(b.ArchivedAt),
		TotalAmount:          amount(b.TotalAmountCents.String()),
		UserCount:            b.UserCount,
		AssetCount:           b.AssetCount,
	}
}

// How many bills a page has: unless something is said, and at most.
const (
	pageLength    = 100
	maxPageLength = 1000
)

func (s *service) searchBills(w http.ResponseWriter, r *http.Request) error {
	asked := form{r: r}
	filter := archive.Filter{
		Account: codex.AccountNumber(asked.text("account_number")),
		Year:    asked.number("year", 0, 1, 9999),
		Month:   asked.number("month", 0, 1, 12),
		From:    asked.day("from_date"),
		To:      asked.day("to_date"),
	}
	// The old service took any limit, and gave so many at most.
	limit := min(asked.number("limit", pageLength, 0, maxOffset), maxPageLength)
	offset := asked.number("offset", 0, 0, maxOffset)
	if asked.err != nil {
		return asked.err
	}
	rows, total, err := s.Bills.Search(r.Context(), filter, limit, offset)
	if err != nil {
		return err
	}
	body, err := encode(searchJSON{Total: total, Limit: limit, Offset: offset, Results: list(rows, foundForm)})
	if err != nil {
		return err
	}
	return s.hashed(w, r, "application/json", body)
}

// companyBillJSON is a bill of a company.
type companyBillJSON struct {
	ID            int     `json:"id"`
	InvoiceNumber string  `json:"invoice_number"`
	BillingYear   int     `json:"billing_year"`
	BillingMonth  int     `json:"billing_month"`
	InvoiceDate   string  `json:"invoice_date"`
	ArchivedAt    string  `json:"archived_at"`
	TotalAmount   amount  `json:"total_amount"`
	BillingPlan   *string `json:"billing_plan"`
	ContractTerm  *string `json:"contract_term"`
}

// companyBillsJSON are all of them.
type companyBillsJSON struct {
	CompanyAccountNumber codex.AccountNumber `json:"company_account_number"`
	CompanyName          *string             `json:"company_name"` // that of its newest bill
	TotalSnapshots       int                 `json:"total_snapshots"`
	Snapshots            []companyBillJSON   `json:"snapshots"`
}

func companyBillForm(b *ent.Snapshot) companyBillJSON {
	return companyBillJSON{
		ID:            b.ID,
		InvoiceNumber: b.InvoiceNumber,
		BillingYear:   b.BillingYear,
		BillingMonth:  b.BillingMonth,
		InvoiceDate:   b.InvoiceDate.String(),
		ArchivedAt:    jobTime(b.ArchivedAt),
		TotalAmount:   amount(b.TotalAmountCents.String()),
		BillingPlan:   b.BillingPlan,
		ContractTerm:  b.ContractTerm,
	}
}

// companyBills answers the bills of an account number; one that nobody has, has none.
func (s *service) companyBills(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.Bills.ByCompany(r.Context(), accountIn(r))
	if err != nil {
		return err
	}
	form := companyBillsJSON{
		CompanyAccountNumber: accountIn(r), TotalSnapshots: len(rows), Snapshots: list(rows, companyBillForm),
	}
	if len(rows) > 0 {
		form.CompanyName = &rows[0].CompanyName
	}
	body, err := encode(form)
	if err != nil {
		return err
	}
	return s.hashed(w, r, "application/json", body)
}

// maxOffset keeps numbers within what both databases take.
const maxOffset = 1<<31 - 1

// form reads the parameters of a search, and keeps the first thing that is wrong with one. An empty
// one was not filled in: the Archive's page sent all that it has fields for.
type form struct {
	r   *http.Request
	err error
}

func (f *form) text(name string) string {
	text, _, err := parameter(f.r, name)
	if err != nil && f.err == nil {
		f.err = err
	}
	return text
}

func (f *form) number(name string, otherwise, least, most int) int {
	text := f.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		f.fail(name, fmt.Sprintf("give a whole number from %d to %d", least, most))
		return otherwise
	}
	return n
}

func (f *form) day(name string) *codex.Day {
	text := f.text(name)
	if text == "" {
		return nil
	}
	day, err := codex.ParseDay(text)
	if err != nil {
		f.fail(name, "give a day as YYYY-MM-DD")
		return nil
	}
	return &day
}

func (f *form) fail(name, message string) {
	if f.err == nil {
		f.err = codex.BadInput(name, "%s", message)
	}
}
