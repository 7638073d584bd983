package archive_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent/billevent"
	"github.com/hivematrix/codex/store"
)

// keptObject is a bill as a Ledger serves it that keeps its bills, and keptCSV its invoice.
const (
	keptObject = `{"archived_at":"2025-11-01T03:00:00","asset_count":1,"billable_hours":1.72,"billing_data":{"assets":[{"id":7}], "total":273.5833333333333},` +
		`"billing_month":10,"billing_plan":"Gold","billing_year":2025,"company_account_number":"620547","company_name":"Example Ltd",` +
		`"contract_term":"1 Year","created_by":"ana@example.com","due_date":"2025-11-30","id":4711,"invoice_date":"2025-10-31",` +
		`"invoice_number":"620547-202510","notes":"Automated","support_level":"Billed Hourly","total_amount":273.58,"total_asset_charges":59.0,` +
		`"total_backup_charges":0.0,"total_line_item_charges":0.0,"total_ticket_charges":214.58,"total_user_charges":0.0,"user_count":1}`
	keptCSV = "\uFEFFInvoiceNo,Amount\r\n620547-202510,59.00\r\n620547-202510,214.58\r\n"
)

// corrected is the bill as it is after a correction: another total, and notes.
func corrected() string {
	return strings.NewReplacer(`273.58,`, `283.58,`, `"total_line_item_charges":0.0`, `"total_line_item_charges":10.0`, `"Automated"`, `"a server was forgotten"`).
		Replace(keptObject)
}

const correctedCSV = keptCSV + "620547-202510,10.00\r\n"

// keeping is a Ledger that keeps its bills, for one person.
type keeping struct {
	object, csv string
	err         error
	person      codex.Secret // who asked last
}

func (k *keeping) Fetch(_ context.Context, person codex.Secret, _ string) (object, csv []byte, err error) {
	k.person = person
	return []byte(k.object), []byte(k.csv), k.err
}

func theAdmin() codex.Caller { return codex.Caller{Name: "ana@example.com", Role: codex.RoleAdmin} }

func TestABillThatLedgerKeepsIsArchivedAsItCame(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		accepted, err := a.AcceptFetched(t.Context(), []byte(keptObject), []byte(keptCSV), theAdmin())
		if err != nil || accepted.Existing {
			t.Fatalf("%+v, %v", accepted, err)
		}
		got, err := a.Get(t.Context(), "620547-202510", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.CSV != keptCSV || got.BillingData != `{"assets":[{"id":7}], "total":273.5833333333333}` || *got.Notes != "Automated" {
			t.Errorf("%q, %s, %s", got.CSV, got.BillingData, *got.Notes)
		}
		row := got.Snapshot
		if row.Origin != string(proof.OriginFetched) || row.AcceptedBy != "ana@example.com" || *row.CreatedBy != "ana@example.com" ||
			row.TotalAmountCents != 27358 || row.BillableHoursE4 != 1_7200 || row.Marks != "[]" || !row.ArchivedAt.Equal(now()) || row.ID != 1 {
			t.Errorf("%+v", row)
		}
		body, err := db.Ent().SnapshotContent.Get(t.Context(), 12) // the body of bill 1
		if err != nil || body.Content != keptObject {
			t.Errorf("%+v, %v", body, err)
		}
		if n := count(t, db, "snapshot_items"); n != 0 {
			t.Errorf("%d lines", n)
		}
		isSound(t, db, nil)
	})
}

func TestWhatLedgerKeepsIsComparedWithWhatIsArchived(t *testing.T) {
	posted := strings.NewReplacer(`"billing_data"`, `"invoice_csv":"\uFEFFInvoiceNo,Amount\r\n620547-202510,59.00\r\n620547-202510,214.58\r\n","line_items":[{"item_name":"PC","rate":59,"amount":59},{"item_name":"Hours","rate":125,"amount":214.58}],"billing_data_json"`).Replace(keptObject)
	for _, c := range []struct {
		name string
		// there archives what is there before; nil is nothing.
		there       func(t *testing.T, a *archive.Archive)
		object, csv string
		existing    bool
		differing   []string
		revision    int
		err         string
	}{
		{name: "nothing is there", object: keptObject, csv: keptCSV, revision: 1},
		{name: "the same", there: fetchedBill, object: keptObject, csv: keptCSV, existing: true, revision: 1},
		{
			name:     "the same in another spelling, with another id there",
			there:    fetchedBill,
			object:   strings.NewReplacer(`273.58,`, `273.580,`, `"id":4711`, `"id":4712`, `{"assets":[{"id":7}], `, ` {"assets": [{"id":7}],`, "03:00:00", "04:00:00").Replace(keptObject),
			csv:      keptCSV,
			existing: true, revision: 1,
		},
		{
			name: "the same was posted, with its lines", object: keptObject, csv: keptCSV, existing: true, revision: 1,
			there: func(t *testing.T, a *archive.Archive) { accept(t, a, []byte(posted)) },
		},
		{
			name: "another", there: fetchedBill, object: corrected(), csv: correctedCSV, existing: true, revision: 1,
			differing: []string{"total_amount", "invoice_csv", "total_line_item_charges", "notes"},
		},
		{
			name: "another, and it is reopened", object: corrected(), csv: correctedCSV, revision: 2,
			there: func(t *testing.T, a *archive.Archive) { fetchedBill(t, a); reopen(t, a) },
		},
		{
			name: "the same, and it is reopened", object: keptObject, csv: keptCSV,
			there: func(t *testing.T, a *archive.Archive) { fetchedBill(t, a); reopen(t, a) },
			err:   "CONFLICT: the bill 620547-202510 is reopened, and Ledger still has it as it was: correct it there, or close it",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				a := open(t, db)
				if c.there != nil {
					c.there(t, a)
				}
				leaves := count(t, db, "log_leaves")
				got, err := a.AcceptFetched(t.Context(), []byte(c.object), []byte(c.csv), theAdmin())
				if c.err != "" {
					if toldOf(err) != c.err {
						t.Errorf("it says %s", toldOf(err))
					}
				} else if err != nil || got.Existing != c.existing || got.Snapshot.Revision != c.revision || !reflect.DeepEqual(got.Differing, c.differing) {
					t.Errorf("%+v, %v", got, err)
				}
				if stored := count(t, db, "log_leaves") - leaves; stored != 0 && (c.existing || c.err != "") {
					t.Errorf("%d leaves more", stored)
				}
				isSound(t, db, nil)
			})
		})
	}
}

func fetchedBill(t *testing.T, a *archive.Archive) {
	t.Helper()
	if _, err := a.AcceptFetched(t.Context(), []byte(keptObject), []byte(keptCSV), theAdmin()); err != nil {
		t.Fatal(err)
	}
}

func reopen(t *testing.T, a *archive.Archive) {
	t.Helper()
	if _, err := a.Reopen(t.Context(), "620547-202510", "it was opened by hand", theAdmin()); err != nil {
		t.Fatal(err)
	}
}

// toldOf is what a caller is told.
func toldOf(err error) string {
	var coded *codex.Error
	if !errors.As(err, &coded) {
		return fmt.Sprint(err)
	}
	return string(coded.Code) + ": " + coded.Message
}

func TestABillThatIsReadOnceMoreIsARevisionWhereItDiffers(t *testing.T) {
	const reason = "corrected in Ledger"
	down := &codex.Error{Code: codex.CodeUnavailable, Message: "Ledger is down"}
	all := []string{"total_amount", "invoice_csv", "total_line_item_charges", "notes"}
	for _, c := range []struct {
		name      string
		there     func(t *testing.T, a *archive.Archive)
		ledger    *keeping // nil: none is configured
		reason    string
		revision  int
		unchanged bool
		differing []string
		reasons   []string // of the reopenings, afterwards
		err       string
	}{
		{
			name: "it differs", there: fetchedBill, ledger: &keeping{object: corrected(), csv: correctedCSV}, reason: reason,
			revision: 2, differing: all, reasons: []string{reason},
		},
		{
			name: "it is the same", there: fetchedBill, ledger: &keeping{object: keptObject, csv: keptCSV}, reason: reason,
			revision: 1, unchanged: true,
		},
		{
			name: "the last byte of its CSV differs", there: fetchedBill, ledger: &keeping{object: keptObject, csv: strings.TrimSuffix(keptCSV, "\n")}, reason: reason,
			revision: 2, differing: []string{"invoice_csv"}, reasons: []string{reason},
		},
		{
			name: "it is not archived", ledger: &keeping{object: keptObject, csv: keptCSV}, reason: reason, revision: 1,
		},
		{
			name: "it is reopened and differs", there: func(t *testing.T, a *archive.Archive) { fetchedBill(t, a); reopen(t, a) },
			ledger: &keeping{object: corrected(), csv: correctedCSV}, reason: reason,
			revision: 2, differing: all, reasons: []string{"it was opened by hand"},
		},
		{
			name: "it is reopened and the same", there: func(t *testing.T, a *archive.Archive) { fetchedBill(t, a); reopen(t, a) },
			ledger: &keeping{object: keptObject, csv: keptCSV}, reason: reason,
			revision: 1, unchanged: true, reasons: []string{"it was opened by hand"},
		},
		{name: "no reason", there: fetchedBill, ledger: &keeping{object: corrected(), csv: correctedCSV}, reason: " ", err: "BAD_USER_INPUT: say why: it stands in the log for ever"},
		{name: "no Ledger", there: fetchedBill, reason: reason, err: "CONFLICT: no Ledger is configured: [services] ledger_url has its address"},
		{name: "Ledger is down", there: fetchedBill, ledger: &keeping{err: down}, reason: reason, err: "UNAVAILABLE: Ledger is down"},
		{
			name: "it is another bill", there: fetchedBill, ledger: &keeping{object: strings.Replace(keptObject, "620547-202510", "620547-202509", 1), csv: keptCSV}, reason: reason,
			err: "UNAVAILABLE: Ledger gave the bill 620547-202509 for 620547-202510",
		},
		{
			name: "it is no bill", there: fetchedBill, ledger: &keeping{object: strings.Replace(keptObject, "283.58", "1e99", 1) + "x", csv: keptCSV}, reason: reason,
			err: "CONFLICT: Ledger's bill 620547-202510 cannot be archived: the body is not JSON",
		},
		{
			name: "an amount of it is none", there: fetchedBill, ledger: &keeping{object: strings.Replace(keptObject, "273.58,", `"a lot",`, 1), csv: keptCSV}, reason: reason,
			err: "CONFLICT: Ledger's bill 620547-202510 cannot be archived: total_amount: give a number, or a text that holds one",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				a := open(t, db, func(o *archive.Options) {
					if c.ledger != nil {
						o.Ledger = c.ledger
					}
				})
				if c.there != nil {
					c.there(t, a)
				}
				leaves := count(t, db, "log_leaves")
				got, err := a.Refetch(codex.WithPersonToken(t.Context(), "the admin's token"), "620547-202510", c.reason, theAdmin())
				if c.err != "" {
					if toldOf(err) != c.err {
						t.Errorf("it says %s", toldOf(err))
					}
				} else if err != nil || got.Unchanged != c.unchanged || got.Snapshot.Revision != c.revision || !reflect.DeepEqual(got.Differing, c.differing) {
					t.Errorf("%+v, %v", got, err)
				} else if c.ledger.person != "the admin's token" {
					t.Error("Ledger was not asked as the admin")
				}
				if stored := count(t, db, "log_leaves") - leaves; stored != 0 && (c.unchanged || c.err != "") {
					t.Errorf("%d leaves more", stored)
				}
				var reasons []string
				for _, event := range db.Ent().BillEvent.Query().Order(billevent.ByID()).AllX(t.Context()) {
					reasons = append(reasons, event.Reason)
				}
				if c.err == "" && !reflect.DeepEqual(reasons, c.reasons) {
					t.Errorf("reopened because of %q", reasons)
				}
				if c.err == "" && !c.unchanged {
					if bill, err := a.Get(t.Context(), "620547-202510", 0); err != nil || bill.Revision != c.revision || bill.CSV != c.ledger.csv {
						t.Errorf("services find %+v, %v", bill, err)
					}
				}
				isSound(t, db, nil)
			})
		})
	}
}

// The setting refuses the revision after its reopening was written.
func TestARevisionThatIsRefusedLeavesTheBillAsItWas(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		key := filepath.Join(t.TempDir(), "archive.key")
		fetchedBill(t, open(t, db, func(o *archive.Options) { o.KeyFile = key }))
		wrongSum := strings.Replace(corrected(), "283.58", "293.58", 1)
		a := open(t, db, func(o *archive.Options) {
			o.KeyFile, o.RejectTotals, o.Ledger = key, true, &keeping{object: wrongSum, csv: correctedCSV}
		})
		_, err := a.Refetch(t.Context(), "620547-202510", "corrected", theAdmin())
		refused(t, err, codex.CodeBadInput, "total_amount: it is 293.58, and its charges come to 283.58, the amounts of its CSV come to 283.58 ([archive] totals = reject)")
		if bill, err := a.Get(t.Context(), "620547-202510", 0); err != nil || bill.Revision != 1 || count(t, db, "bill_events") != 0 {
			t.Errorf("%+v, %v", bill, err)
		}
		isSound(t, db, nil)
	})
}

func TestWhatIsNoBillOfLedgersIsRefusedByItsKey(t *testing.T) {
	for _, c := range []struct{ name, object, csv, message string }{
		{"nothing", `{}`, keptCSV, "No data provided"},
		{"a request, which is none", string(bill(t)), keptCSV, "Missing required fields: billing_data"},
		{"null where it was made from", strings.Replace(keptObject, `{"assets":[{"id":7}], "total":273.5833333333333}`, "null", 1), keptCSV, "Missing required fields: billing_data"},
		{"a CSV in Latin-1", keptObject, "M\xFCller", "invoice_csv: it is no text in UTF-8"},
		{"a CSV with a NUL", keptObject, "a\x00b", "invoice_csv: it is no text in UTF-8"},
		{"too long a CSV", keptObject, strings.Repeat("x", archive.MaxBodyBytes+1), "invoice_csv: it has more than 16777216 bytes"},
		{"no month", strings.Replace(keptObject, `"billing_month":10`, `"billing_month":13`, 1), keptCSV, "billing_month: give a whole number from 1 to 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := archive.ParseFetched([]byte(c.object), []byte(c.csv))
			refused(t, err, codex.CodeBadInput, c.message)
		})
	}
}
