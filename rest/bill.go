package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
)

// Bills keeps accepted bills and finds them: *archive.Archive is one.
type Bills interface {
	// Accept stores a bill, or tells that one of its number is there and not reopened.
	Accept(ctx context.Context, s *archive.Submission, by codex.Caller) (*archive.Accepted, error)
	// Get gives a revision, 0 the one that is served; what there is not is [codex.CodeNotFound].
	Get(ctx context.Context, invoice string, revision int) (*archive.Bill, error)
	// Search gives a page of the bills that are served, newest archived first, and their number in all.
	Search(ctx context.Context, filter archive.Filter, limit, offset int) ([]*ent.Snapshot, int, error)
	// ByCompany gives the bills of an account number that are served, newest billing month first.
	ByCompany(ctx context.Context, account codex.AccountNumber) ([]*ent.Snapshot, error)
}

// createdJSON is the answer to a bill that was archived.
type createdJSON struct {
	Message       string `json:"message"`
	SnapshotID    int    `json:"snapshot_id"`
	InvoiceNumber string `json:"invoice_number"`
}

// thereAlreadyJSON is the answer to one of whose number a bill is archived. The second key is there
// only where the two say different things: a caller whose answer was lost sends the same again.
type thereAlreadyJSON struct {
	Error           string   `json:"error"`
	DifferingFields []string `json:"differing_fields,omitempty"`
}

// acceptBill takes a bill, whatever type the request says that its body has: Ledger's is JSON.
func (s *service) acceptBill(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, archive.MaxBodyBytes))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		WriteError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a bill has at most %d bytes", tooLarge.Limit))
		return nil
	}
	if err != nil {
		return codex.Wrap(codex.CodeBadInput, err, "the body could not be read")
	}
	submission, err := archive.ParseSubmission(body)
	if err != nil {
		return err
	}
	caller, _ := codex.CallerFrom(r.Context())
	accepted, err := s.Bills.Accept(r.Context(), submission, caller)
	if err != nil {
		return err
	}
	status, value := http.StatusCreated, any(createdJSON{
		"Snapshot created successfully", accepted.Snapshot.ID, submission.InvoiceNumber,
	})
	if accepted.Existing {
		status, value = http.StatusConflict, thereAlreadyJSON{
			"Snapshot already exists for invoice " + submission.InvoiceNumber, accepted.Differing,
		}
	}
	answer, err := encode(value)
	if err != nil {
		return err
	}
	write(w, status, answer)
	return nil
}

// billJSON is an archived bill (docs/compatibility.md, "Archive").
type billJSON struct {
	ID                   int                 `json:"id"`
	ArchivedAt           string              `json:"archived_at"`
	BillingData          json.RawMessage     `json:"billing_data"`
	CompanyAccountNumber codex.AccountNumber `json:"company_account_number"`
	BillingYear          int                 `json:"billing_year"`
	BillingMonth         int                 `json:"billing_month"`
	InvoiceNumber        string              `json:"invoice_number"`
	TotalAmount          amount              `json:"total_amount"`
	CompanyName          string              `json:"company_name"`
	InvoiceDate          string              `json:"invoice_date"`
	DueDate              *string             `json:"due_date"`
	BillingPlan          *string             `json:"billing_plan"`
	ContractTerm         *string             `json:"contract_term"`
	SupportLevel         *string             `json:"support_level"`
	TotalUserCharges     amount              `json:"total_user_charges"`
	TotalAssetCharges    amount              `json:"total_asset_charges"`
	TotalBackupCharges   amount              `json:"total_backup_charges"`
	TotalTicketCharges   amount              `json:"total_ticket_charges"`
	TotalLineItemCharges amount              `json:"total_line_item_charges"`
	UserCount            int64               `json:"user_count"`
	AssetCount           int64               `json:"asset_count"`
	BillableHours        amount              `json:"billable_hours"`
	CreatedBy            *string             `json:"created_by"`
	Notes                *string             `json:"notes"`
}

func billForm(b *archive.Bill) billJSON {
	form := billJSON{
		ID:                   b.ID,
		ArchivedAt:           jobTime(b.ArchivedAt),
		BillingData:          json.RawMessage(b.BillingData),
		CompanyAccountNumber: b.CompanyAccountNumber,
		BillingYear:          b.BillingYear,
		BillingMonth:         b.BillingMonth,
		InvoiceNumber:        b.InvoiceNumber,
		TotalAmount:          amount(b.TotalAmountCents.String()),
		CompanyName:          b.CompanyName,
		InvoiceDate:          b.InvoiceDate.String(),
		BillingPlan:          b.BillingPlan,
		ContractTerm:         b.ContractTerm,
		SupportLevel:         b.SupportLevel,
		TotalUserCharges:     amount(b.TotalUserChargesCents.String()),
		TotalAssetCharges:    amount(b.TotalAssetChargesCents.String()),
		TotalBackupCharges:   amount(b.TotalBackupChargesCents.String()),
		TotalTicketCharges:   amount(b.TotalTicketChargesCents.String()),
		TotalLineItemCharges: amount(b.TotalLineItemChargesCents.String()),
		UserCount:            b.UserCount,
		AssetCount:           b.AssetCount,
		BillableHours:        amount(b.BillableHoursE4.String()),
		CreatedBy:            b.CreatedBy,
		Notes:                b.Notes,
	}
	if b.DueDate != nil {
		due := b.DueDate.String()
		form.DueDate = &due
	}
	return form
}

// amount is a decimal that is written as a JSON number to its last digit, without the noughts at its
// end but with a decimal point always: as the old service wrote the float nearest to it.
type amount string

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) {
	text := strings.TrimRight(string(a), "0")
	if strings.HasSuffix(text, ".") {
		text += "0"
	}
	return []byte(text), nil
}

// bill answers an archived bill. Which revision of a number is served, and whether any, may change;
// what a revision says does not.
func (s *service) bill(w http.ResponseWriter, r *http.Request) error {
	found, err := s.billAsked(r)
	if err != nil {
		return err
	}
	body, err := encode(billForm(found))
	if err != nil {
		return err
	}
	return s.hashed(w, r, "application/json", body)
}

// billAsked is the bill of the path, of the revision that the parameter has.
func (s *service) billAsked(r *http.Request) (*archive.Bill, error) {
	revision, err := revisionAsked(r)
	if err != nil {
		return nil, err
	}
	return s.Bills.Get(r.Context(), r.PathValue("invoice_number"), revision)
}

// revisionAsked is the revision that a request names, 0 where it names none.
func revisionAsked(r *http.Request) (int, error) {
	text, given, err := parameter(r, "revision")
	if err != nil || !given {
		return 0, err
	}
	revision, err := strconv.Atoi(text)
	if err != nil || revision < 1 {
		return 0, codex.BadInput("revision", "give the number of a revision, from 1 on")
	}
	return revision, nil
}
