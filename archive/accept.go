package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// Accepted is what became of a bill that was sent.
type Accepted struct {
	Snapshot *ent.Snapshot
	// Existing: a bill of that number was there, is not reopened, and nothing was stored.
	Existing bool
	// Differing are the keys whose values were others in what was sent, in the documents' order.
	Differing []string
}

// errThere ends the transaction of a bill that is there already.
var errThere = errors.New("the bill is there already")

// Accept stores a bill with its leaf, or tells that it is there already, which is no error. Of two
// that come at the same instant one is stored, and the other finds it there.
//
// What the settings refuse is a [codex.CodeBadInput] error.
func (a *Archive) Accept(ctx context.Context, s *Submission, by codex.Caller) (*Accepted, error) {
	accepted, err := a.take(ctx, s, by, func(_ context.Context, _ *store.Tx, there *revision) (bool, error) {
		return there.open, nil
	})
	if err == nil && !accepted.Existing {
		accepted.Differing = nil // from what was reopened, as it should
	}
	return accepted, err
}

// revision is the newest revision of a bill that is to be archived once more.
type revision struct {
	*ent.Snapshot
	open      bool
	differing []string // the keys whose values are others in what is to be archived
}

// take stores a bill of whose number there is none, or another revision of one that is there and which
// again says shall have one; again may write what happened to it first.
func (a *Archive) take(ctx context.Context, s *Submission, by codex.Caller,
	again func(context.Context, *store.Tx, *revision) (bool, error),
) (*Accepted, error) {
	var accepted *Accepted
	err := a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Raise(ctx, Entity); err != nil {
			return err
		}
		newest, err := newestRevision(ctx, tx, s.InvoiceNumber)
		if err != nil {
			return err
		}
		accepted = &Accepted{}
		number := 1
		if newest != nil {
			there, err := compare(ctx, tx, s, newest)
			if err != nil {
				return err
			}
			accepted.Differing = there.differing
			if another, err := again(ctx, tx, there); err != nil {
				return err
			} else if !another {
				accepted.Snapshot, accepted.Existing = newest, true
				return errThere
			}
			number = newest.Revision + 1
		}
		accepted.Snapshot, err = a.write(ctx, tx, s, number, by)
		return err
	})
	if errors.Is(err, errThere) {
		return accepted, nil
	}
	if err != nil {
		return nil, fmt.Errorf("archiving the bill %s: %w", s.InvoiceNumber, err)
	}
	a.logger.InfoContext(ctx, "bill archived", slog.String("account_number", string(s.AccountNumber)),
		slog.String("invoice_number", s.InvoiceNumber), slog.Int("revision", accepted.Snapshot.Revision),
		slog.String("origin", accepted.Snapshot.Origin), slog.String("marks", accepted.Snapshot.Marks))
	a.signAppended(ctx, accepted.Snapshot.LeafIndex)
	return accepted, nil
}

// compare sets what is to be archived beside what is.
func compare(ctx context.Context, tx *store.Tx, s *Submission, newest *ent.Snapshot) (*revision, error) {
	open, err := isOpen(ctx, tx, newest)
	if err != nil {
		return nil, err
	}
	contents, err := readContents(ctx, tx.Ent(), newest.ID)
	if err != nil {
		return nil, err
	}
	different, err := differing(s, newest, contents)
	return &revision{Snapshot: newest, open: open, differing: different}, err
}

// write stores a revision of a bill: its row, contents, lines and leaf.
func (a *Archive) write(ctx context.Context, tx *store.Tx, s *Submission, revision int, by codex.Caller) (*ent.Snapshot, error) {
	if found := s.differences(); a.o.RejectTotals && len(found) > 0 {
		return nil, codex.BadInput("total_amount", "it is %s, and %s ([archive] totals = reject)", s.TotalAmount, strings.Join(found, ", "))
	}
	marks := s.marks()
	name := "Unknown"
	known, err := tx.Ent().Company.Query().Where(company.ID(s.AccountNumber)).Only(ctx)
	switch {
	case err == nil:
		name = known.Name
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("reading the bill's company: %w", err)
	case a.o.RejectUnknown:
		return nil, codex.BadInput("company_account_number", "no company has the account number %s ([archive] unknown_accounts = reject)", s.AccountNumber)
	default:
		marks = append(marks, MarkUnknownAccount)
		slices.Sort(marks)
	}
	if s.CompanyName != nil {
		name = *s.CompanyName
	}
	runs, err := newestRuns(ctx, tx)
	if err != nil {
		return nil, err
	}
	id, err := nextID(ctx, tx, "snapshots")
	if err != nil {
		return nil, err
	}
	log, err := a.mayAppend(ctx, tx)
	if err != nil {
		return nil, err
	}
	kept, err := a.commit(s)
	if err != nil {
		return nil, err
	}
	bill := proof.Bill{
		SnapshotID: int64(id), InvoiceNumber: s.InvoiceNumber, Revision: int64(revision),
		AccountNumber: s.AccountNumber, CompanyName: name,
		Period: s.Period, InvoiceDate: s.InvoiceDate, DueDate: s.DueDate,
		BillingPlan: s.BillingPlan, ContractTerm: s.ContractTerm, SupportLevel: s.SupportLevel,
		TotalAmount: s.TotalAmount, TotalUserCharges: s.TotalUserCharges, TotalAssetCharges: s.TotalAssetCharges,
		TotalBackupCharges: s.TotalBackupCharges, TotalTicketCharges: s.TotalTicketCharges,
		TotalLineItemCharges: s.TotalLineItemCharges,
		UserCount:            s.UserCount, AssetCount: s.AssetCount, BillableHours: s.BillableHours,
		Origin: s.origin(), ArchivedAt: tx.Now(), LoggedAt: tx.Now(),
		AcceptedBy: by.Name, CreatedBy: s.createdBy(by), Runs: runs, Marks: marks,
		Commitments: map[proof.Committed]proof.Digest{},
	}
	for _, content := range kept {
		bill.Commitments[content.name] = proof.Commit(content.name, content.salt, []byte(content.text))
	}
	if err := log.append(ctx, tx, bill); err != nil {
		return nil, err
	}
	row, err := writeRow(ctx, tx, bill, log.head.Size)
	if err != nil {
		return nil, err
	}
	if err := writeContents(ctx, tx, id, kept); err != nil {
		return nil, err
	}
	return row, writeLines(ctx, tx, id, s.Lines)
}

func (s *Submission) origin() proof.BillOrigin {
	if s.Fetched {
		return proof.OriginFetched
	}
	return proof.OriginPosted
}

// createdBy is who made the bill, as far as anybody said (docs/compatibility.md, "Archive").
func (s *Submission) createdBy(by codex.Caller) *string {
	if !s.DefaultCreatedBy {
		return s.CreatedBy
	}
	name := "api"
	if strings.Contains(by.Name, "@") {
		name = by.Name
	}
	return &name
}

func writeRow(ctx context.Context, tx *store.Tx, b proof.Bill, index int64) (*ent.Snapshot, error) {
	runs, err := json.Marshal(b.Runs)
	if err != nil {
		return nil, fmt.Errorf("writing down the runs: %w", err)
	}
	marks, err := json.Marshal(b.Marks)
	if err != nil {
		return nil, fmt.Errorf("writing down the marks: %w", err)
	}
	return tx.Ent().Snapshot.Create().
		SetID(int(b.SnapshotID)).SetInvoiceNumber(b.InvoiceNumber).SetRevision(int(b.Revision)).
		SetCompanyAccountNumber(b.AccountNumber).SetCompanyName(b.CompanyName).
		SetBillingYear(b.Period.Year).SetBillingMonth(int(b.Period.Month)).
		SetInvoiceDate(b.InvoiceDate).SetNillableDueDate(b.DueDate).
		SetNillableBillingPlan(b.BillingPlan).SetNillableContractTerm(b.ContractTerm).SetNillableSupportLevel(b.SupportLevel).
		SetTotalAmountCents(b.TotalAmount).SetTotalUserChargesCents(b.TotalUserCharges).
		SetTotalAssetChargesCents(b.TotalAssetCharges).SetTotalBackupChargesCents(b.TotalBackupCharges).
		SetTotalTicketChargesCents(b.TotalTicketCharges).SetTotalLineItemChargesCents(b.TotalLineItemCharges).
		SetUserCount(b.UserCount).SetAssetCount(b.AssetCount).SetBillableHoursE4(b.BillableHours).
		SetOrigin(string(b.Origin)).SetArchivedAt(b.ArchivedAt).SetAcceptedBy(b.AcceptedBy).SetNillableCreatedBy(b.CreatedBy).
		SetRuns(string(runs)).SetMarks(string(marks)).SetLeafIndex(index).
		Save(ctx)
}

// content is what is committed to, with the salt of its commitment.
type content struct {
	name proof.Committed
	salt proof.Salt
	text string
}

// commit gives each content of a bill its salt.
func (a *Archive) commit(s *Submission) ([]content, error) {
	lines, err := proof.EncodeLines(s.Lines)
	if err != nil {
		return nil, err
	}
	kept := []content{
		{name: proof.BillingData, text: s.BillingData},
		{name: proof.CSV, text: s.CSV},
		{name: proof.LineItems, text: string(lines)},
	}
	if s.Body != "" {
		kept = append(kept, content{name: proof.Body, text: s.Body})
	}
	if s.Notes != nil {
		kept = append(kept, content{name: proof.Notes, text: *s.Notes})
	}
	for i := range kept {
		if kept[i].salt, err = proof.NewSalt(a.o.Random); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func writeContents(ctx context.Context, tx *store.Tx, bill int, kept []content) error {
	rows := make([][]any, len(kept))
	for i, content := range kept {
		rows[i] = []any{contentID(bill, content.name), bill, string(content.name), content.salt.String(), content.text}
	}
	return tx.Insert(ctx, store.Table{Name: "snapshot_contents", Columns: []store.Column{
		{Name: "id", Kind: store.Int}, {Name: "snapshot_id", Kind: store.Int},
		{Name: "name", Kind: store.Text}, {Name: "salt", Kind: store.Text}, {Name: "content", Kind: store.Text},
	}}, rows)
}

func writeLines(ctx context.Context, tx *store.Tx, bill int, lines []proof.LineItem) error {
	rows := make([][]any, len(lines))
	for i, line := range lines {
		rows[i] = []any{
			itemID(bill, i+1), bill, i + 1, line.LineType, line.ItemName, line.Description,
			int64(line.Quantity), int64(line.Rate), int64(line.Amount),
		}
	}
	return tx.Insert(ctx, store.Table{Name: "snapshot_items", Columns: []store.Column{
		{Name: "id", Kind: store.Int}, {Name: "snapshot_id", Kind: store.Int}, {Name: "position", Kind: store.Int},
		{Name: "line_type", Kind: store.Text}, {Name: "item_name", Kind: store.Text}, {Name: "description", Kind: store.Text},
		{Name: "quantity_e4", Kind: store.Int}, {Name: "rate_e4", Kind: store.Int}, {Name: "amount_cents", Kind: store.Int},
	}}, rows)
}

// contentID and itemID follow from what the rows are, so that a verifier knows them too, and what is
// erased leaves no number behind that another row could take: 12's content csv is 123, its line 7
// is 1200007.
func contentID(bill int, name proof.Committed) int {
	numbers := map[proof.Committed]int{proof.BillingData: 1, proof.Body: 2, proof.CSV: 3, proof.LineItems: 4, proof.Notes: 5}
	return bill*10 + numbers[name]
}

func itemID(bill, position int) int { return bill*100_000 + position }

// nextID is the next number of a table of this package: they count up, since writers queue.
func nextID(ctx context.Context, tx *store.Tx, table string) (id int, err error) {
	if err = tx.SQL().QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM "+table).Scan(&id); err != nil {
		return 0, fmt.Errorf("numbering a row of %s: %w", table, store.Translate(err))
	}
	return id, nil
}

// newestRuns are what the hub knew: the newest succeeded run of each feed.
func newestRuns(ctx context.Context, tx *store.Tx) (map[codex.Feed]codex.RunID, error) {
	runs := map[codex.Feed]codex.RunID{}
	for _, feed := range codex.Feeds() {
		id, err := tx.Ent().SyncRun.Query().
			Where(syncrun.FeedEQ(feed), syncrun.StateEQ(codex.RunSucceeded), syncrun.DryRun(false),
				syncrun.ModeNEQ(codex.ModeReread), syncrun.EndedAtNotNil()).
			Order(syncrun.ByEndedAt(sql.OrderDesc()), syncrun.ByID(sql.OrderDesc())).
			FirstID(ctx)
		switch {
		case err == nil:
			runs[feed] = id
		case !ent.IsNotFound(err):
			return nil, fmt.Errorf("reading the newest runs: %w", err)
		}
	}
	return runs, nil
}

// newestRevision is nil where there is no bill of that number.
func newestRevision(ctx context.Context, tx *store.Tx, invoice string) (*ent.Snapshot, error) {
	row, err := tx.Ent().Snapshot.Query().Where(snapshot.InvoiceNumber(invoice)).
		Order(snapshot.ByRevision(sql.OrderDesc())).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the newest revision: %w", err)
	}
	return row, nil
}
