package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hivematrix/codex"
)

// BillOrigin says how a bill came into the archive.
type BillOrigin string

// The origins.
const (
	OriginPosted   BillOrigin = "posted"   // sent to the hub when it was accepted
	OriginFetched  BillOrigin = "fetched"  // read from a Ledger that keeps its bills itself
	OriginImported BillOrigin = "imported" // taken over from an old Archive's tables
)

// Bill is the leaf of an accepted bill, `codex-bill/v1`: one revision of one invoice. The names of
// its fields in the leaf are those of the snapshot object (docs/compatibility.md, "Archive") where
// that has them.
type Bill struct {
	SnapshotID    int64  // the archive's id of it, as services are told
	InvoiceNumber string // never empty
	Revision      int64  // 1, and one more after each reopening
	AccountNumber codex.AccountNumber
	CompanyName   string

	Period      codex.Period // the billing month
	InvoiceDate codex.Day
	DueDate     *codex.Day

	BillingPlan  *string
	ContractTerm *string
	SupportLevel *string

	TotalAmount          codex.Cents
	TotalUserCharges     codex.Cents
	TotalAssetCharges    codex.Cents
	TotalBackupCharges   codex.Cents
	TotalTicketCharges   codex.Cents
	TotalLineItemCharges codex.Cents
	UserCount            int64
	AssetCount           int64
	BillableHours        codex.Quantity

	Origin     BillOrigin
	ArchivedAt time.Time // as it is served; of an imported bill, when the old Archive took it
	LoggedAt   time.Time // when this leaf was made
	AcceptedBy string    // the caller whose request it was, never empty
	CreatedBy  *string   // as the request says, which nobody verified

	// Runs are the newest succeeded runs when the bill was accepted: what the hub knew. A feed that
	// never succeeded is not among them.
	Runs map[codex.Feed]codex.RunID
	// Marks are what was noticed on accepting, as words of a-z, 0-9 and _ in order, each once:
	// unknown_account, totals_differ and what later versions of the hub notice.
	Marks []string

	// Commitments are to the contents. BillingData, CSV and LineItems are always there.
	Commitments map[Committed]Digest
}

// Kind is [KindBill].
func (Bill) Kind() Kind { return KindBill }

func (b Bill) members() (members, error) {
	var c checks
	c.atLeast(1, "snapshot_id", b.SnapshotID)
	c.filled("invoice_number", b.InvoiceNumber)
	c.atLeast(1, "revision", b.Revision)
	c.text("company_account_number", string(b.AccountNumber))
	c.text("company_name", b.CompanyName)
	c.that(1 <= b.Period.Year && b.Period.Year <= 9999, "billing_year", "it is out of range")
	c.that(time.January <= b.Period.Month && b.Period.Month <= time.December, "billing_month", "it is out of range")
	c.day("invoice_date", b.InvoiceDate)
	dueDate := jsonNull
	if b.DueDate != nil {
		c.day("due_date", *b.DueDate)
		dueDate = quote(b.DueDate.String())
	}
	c.textOrNull("billing_plan", b.BillingPlan)
	c.textOrNull("contract_term", b.ContractTerm)
	c.textOrNull("support_level", b.SupportLevel)
	c.integer("user_count", b.UserCount)
	c.integer("asset_count", b.AssetCount)
	c.that(slices.Contains([]BillOrigin{OriginPosted, OriginFetched, OriginImported}, b.Origin), "origin", "there is no such origin")
	c.instant("archived_at", b.ArchivedAt)
	c.instant("logged_at", b.LoggedAt)
	c.filled("accepted_by", b.AcceptedBy)
	c.textOrNull("created_by", b.CreatedBy)
	for feed, run := range b.Runs {
		c.that(isWord(string(feed)), "runs", "a feed's name has only a-z, 0-9, _ and -")
		c.filled("runs", string(run))
	}
	for i, mark := range b.Marks {
		c.that(isWord(mark), "marks", "a mark has only a-z, 0-9, _ and -")
		c.that(i == 0 || b.Marks[i-1] < mark, "marks", "they are not in order, each once")
	}
	for name := range b.Commitments {
		c.that(isCommitted(name), "commitments", "there is no such content to commit to")
	}
	for _, name := range []Committed{BillingData, CSV, LineItems} {
		_, there := b.Commitments[name]
		c.that(there, "commitments", fmt.Sprintf("%s is missing", name))
	}
	return c.result(members{
		"accepted_by":             quote(b.AcceptedBy),
		"archived_at":             instant(b.ArchivedAt),
		"asset_count":             integer(b.AssetCount),
		"billable_hours":          quote(b.BillableHours.String()),
		"billing_month":           integer(int64(b.Period.Month)),
		"billing_plan":            quoteOrNull(b.BillingPlan),
		"billing_year":            integer(int64(b.Period.Year)),
		"commitments":             object(texts(b.Commitments, Digest.String)),
		"company_account_number":  quote(string(b.AccountNumber)),
		"company_name":            quote(b.CompanyName),
		"contract_term":           quoteOrNull(b.ContractTerm),
		"created_by":              quoteOrNull(b.CreatedBy),
		"due_date":                dueDate,
		"invoice_date":            quote(b.InvoiceDate.String()),
		"invoice_number":          quote(b.InvoiceNumber),
		"logged_at":               instant(b.LoggedAt),
		"marks":                   array(b.Marks),
		"origin":                  quote(string(b.Origin)),
		"revision":                integer(b.Revision),
		"runs":                    object(texts(b.Runs, func(run codex.RunID) string { return string(run) })),
		"snapshot_id":             integer(b.SnapshotID),
		"support_level":           quoteOrNull(b.SupportLevel),
		"total_amount":            quote(b.TotalAmount.String()),
		"total_asset_charges":     quote(b.TotalAssetCharges.String()),
		"total_backup_charges":    quote(b.TotalBackupCharges.String()),
		"total_line_item_charges": quote(b.TotalLineItemCharges.String()),
		"total_ticket_charges":    quote(b.TotalTicketCharges.String()),
		"total_user_charges":      quote(b.TotalUserCharges.String()),
		"user_count":              integer(b.UserCount),
	})
}

// texts are the members of an object whose values are all strings.
func texts[K ~string, V any](values map[K]V, text func(V) string) members {
	m := make(members, len(values))
	for name, value := range values {
		m[string(name)] = quote(text(value))
	}
	return m
}

// isWord tells whether text is made of a-z, 0-9, _ and -, and so sorts and reads alike everywhere.
func isWord(text string) bool {
	outside := func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	}
	return text != "" && strings.IndexFunc(text, outside) < 0
}

// billFields are the fields of a Bill as they are written.
type billFields struct {
	AcceptedBy           string                     `json:"accepted_by"`
	ArchivedAt           string                     `json:"archived_at"`
	AssetCount           int64                      `json:"asset_count"`
	BillableHours        string                     `json:"billable_hours"`
	BillingMonth         int                        `json:"billing_month"`
	BillingPlan          *string                    `json:"billing_plan"`
	BillingYear          int                        `json:"billing_year"`
	Commitments          map[Committed]string       `json:"commitments"`
	AccountNumber        string                     `json:"company_account_number"`
	CompanyName          string                     `json:"company_name"`
	ContractTerm         *string                    `json:"contract_term"`
	CreatedBy            *string                    `json:"created_by"`
	DueDate              *string                    `json:"due_date"`
	InvoiceDate          string                     `json:"invoice_date"`
	InvoiceNumber        string                     `json:"invoice_number"`
	LoggedAt             string                     `json:"logged_at"`
	Marks                []string                   `json:"marks"`
	Origin               BillOrigin                 `json:"origin"`
	Revision             int64                      `json:"revision"`
	Runs                 map[codex.Feed]codex.RunID `json:"runs"`
	SnapshotID           int64                      `json:"snapshot_id"`
	SupportLevel         *string                    `json:"support_level"`
	TotalAmount          string                     `json:"total_amount"`
	TotalAssetCharges    string                     `json:"total_asset_charges"`
	TotalBackupCharges   string                     `json:"total_backup_charges"`
	TotalLineItemCharges string                     `json:"total_line_item_charges"`
	TotalTicketCharges   string                     `json:"total_ticket_charges"`
	TotalUserCharges     string                     `json:"total_user_charges"`
	UserCount            int64                      `json:"user_count"`
}

func (f billFields) leaf() (Leaf, error) {
	var r reading
	bill := Bill{
		SnapshotID:           f.SnapshotID,
		InvoiceNumber:        f.InvoiceNumber,
		Revision:             f.Revision,
		AccountNumber:        codex.AccountNumber(f.AccountNumber),
		CompanyName:          f.CompanyName,
		Period:               codex.Period{Year: f.BillingYear, Month: time.Month(f.BillingMonth)},
		InvoiceDate:          read(&r, "invoice_date", f.InvoiceDate, codex.ParseDay),
		BillingPlan:          f.BillingPlan,
		ContractTerm:         f.ContractTerm,
		SupportLevel:         f.SupportLevel,
		TotalAmount:          read(&r, "total_amount", f.TotalAmount, codex.ParseCents),
		TotalUserCharges:     read(&r, "total_user_charges", f.TotalUserCharges, codex.ParseCents),
		TotalAssetCharges:    read(&r, "total_asset_charges", f.TotalAssetCharges, codex.ParseCents),
		TotalBackupCharges:   read(&r, "total_backup_charges", f.TotalBackupCharges, codex.ParseCents),
		TotalTicketCharges:   read(&r, "total_ticket_charges", f.TotalTicketCharges, codex.ParseCents),
		TotalLineItemCharges: read(&r, "total_line_item_charges", f.TotalLineItemCharges, codex.ParseCents),
		UserCount:            f.UserCount,
		AssetCount:           f.AssetCount,
		BillableHours:        read(&r, "billable_hours", f.BillableHours, codex.ParseQuantity),
		Origin:               f.Origin,
		ArchivedAt:           read(&r, "archived_at", f.ArchivedAt, parseInstant),
		LoggedAt:             read(&r, "logged_at", f.LoggedAt, parseInstant),
		AcceptedBy:           f.AcceptedBy,
		CreatedBy:            f.CreatedBy,
		Runs:                 f.Runs,
		Marks:                f.Marks,
		Commitments:          make(map[Committed]Digest, len(f.Commitments)),
	}
	if f.DueDate != nil {
		due := read(&r, "due_date", *f.DueDate, codex.ParseDay)
		bill.DueDate = &due
	}
	for _, name := range slices.Sorted(maps.Keys(f.Commitments)) {
		bill.Commitments[name] = read(&r, "commitments", f.Commitments[name], parseDigest)
	}
	return bill, r.err
}

// reading keeps the first field that could not be read.
type reading struct{ err error }

func read[T any](r *reading, field, text string, parse func(string) (T, error)) T {
	value, err := parse(text)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", field, err)
	}
	return value
}

func parseInstant(text string) (time.Time, error) { return time.Parse(instantLayout, text) }
