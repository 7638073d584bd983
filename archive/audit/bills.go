package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/hivematrix/codex/archive/proof"
)

// standing is a row that stands for a leaf: the bill, event or epoch that the leaf tells of.
type standing struct {
	table string
	key   int64
	want  map[string]cell
	of    subject
}

// rows verifies the rows that some leaves stand for, with all that belongs to their bills.
func (v *verifier) rows(ctx context.Context, entries []entry) error {
	var all []standing
	bills := map[int64]proof.Bill{}
	for _, e := range entries {
		if e.leaf == nil {
			if err := v.countHole(ctx, e.index); err != nil {
				return err
			}
			continue
		}
		s, stands, err := v.standing(e.index, e.leaf)
		if err != nil {
			return err
		}
		if !stands {
			continue
		}
		if leaf, ok := e.leaf.(proof.Bill); ok {
			if other := v.bills[s.key]; other != nil {
				v.add(Finding{Kind: Disordered, Table: tableLeaves, Row: strconv.FormatInt(e.index, 10), Invoice: s.of.invoice, Revision: s.of.revision,
					Message: fmt.Sprintf("its bill has the id of that of leaf %d", other.leaf)})
				continue
			}
			v.bills[s.key] = &bill{leaf: e.index, committed: committedBits(leaf), lines: unknownLines}
			bills[s.key] = leaf
		}
		all = append(all, s)
	}
	for _, name := range []string{tableSnapshots, tableEvents, tableEpochs} {
		if err := v.standingRows(ctx, name, all); err != nil {
			return err
		}
	}
	if len(bills) == 0 {
		return nil
	}
	return v.billContents(ctx, bills)
}

// standingRows compares the rows of one table with what they must be.
func (v *verifier) standingRows(ctx context.Context, name string, all []standing) error {
	wanted := map[int64]standing{}
	var keys []int64
	for _, s := range all {
		if s.table == name {
			wanted[s.key] = s
			keys = append(keys, s.key)
		}
	}
	if keys == nil {
		return nil
	}
	key := v.tables[name].key
	seen := map[int64]bool{}
	err := v.read(ctx, name, "WHERE "+key+" IN "+in(keys)+" ORDER BY "+key, func(r row) error {
		id, _ := r.get(key).integer()
		s := wanted[id]
		if seen[id] {
			v.twice(r, s.of)
			return nil
		}
		seen[id] = true
		v.compare(r, s.want, s.of)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.table == name && !seen[s.key] {
			v.lose(lost{table: name, want: s.want, of: s.of})
		}
	}
	return nil
}

// countHole keeps the count of events right where a leaf was one of an event as far as its row tells.
func (v *verifier) countHole(ctx context.Context, index int64) error {
	_, there, err := v.one(ctx, fmt.Sprintf("SELECT id FROM bill_events WHERE leaf_index = %d", index))
	if there {
		v.events++
		v.eventIDs[v.events] = true
	}
	return err
}

// standing is the row that must be there for a leaf. A redaction has none.
func (v *verifier) standing(index int64, leaf proof.Leaf) (standing, bool, error) {
	switch leaf := leaf.(type) {
	case proof.Bill:
		v.report.Bills++
		want, err := billColumns(index, leaf)
		return standing{tableSnapshots, leaf.SnapshotID, want, subject{leaf.InvoiceNumber, leaf.Revision}}, true, err
	case proof.Reopening:
		return v.eventRow(index, "reopened", leaf.InvoiceNumber, leaf.Revision, leaf.Reason, leaf.By, timeCell(leaf.LoggedAt)), true, nil
	case proof.Closing:
		return v.eventRow(index, "closed", leaf.InvoiceNumber, leaf.Revision, leaf.Reason, leaf.By, timeCell(leaf.LoggedAt)), true, nil
	case proof.NewEpoch:
		return standing{table: tableEpochs, key: int64(leaf.Epoch), want: map[string]cell{
			"epoch": numberCell(leaf.Epoch), "leaf_index": numberCell(index), "lost_checkpoint": textCell(leaf.LostCheckpoint),
			"reason": textCell(leaf.Reason), "opened_by": textCell(leaf.By), "opened_at": timeCell(leaf.LoggedAt),
		}}, true, nil
	}
	return standing{}, false, nil
}

// eventRow is the row of an event. Events are numbered in the order of their leaves.
func (v *verifier) eventRow(index int64, kind, invoice string, revision int64, reason, by string, at cell) standing {
	v.events++
	v.report.Events++
	v.eventIDs[v.events] = true
	return standing{table: tableEvents, key: v.events, of: subject{invoice, revision}, want: map[string]cell{
		"id": numberCell(v.events), "invoice_number": textCell(invoice), "revision": numberCell(revision), "kind": textCell(kind),
		"reason": textCell(reason), "done_by": textCell(by), "done_at": at, "leaf_index": numberCell(index),
	}}
}

// billColumns are all columns of a bill's row. The texts of runs and marks are as encoding/json writes
// them: names in order, no white space.
func billColumns(index int64, b proof.Bill) (map[string]cell, error) {
	runs, err := json.Marshal(b.Runs)
	if err != nil {
		return nil, fmt.Errorf("writing down the runs of leaf %d: %w", index, err)
	}
	marks, err := json.Marshal(b.Marks)
	if err != nil {
		return nil, fmt.Errorf("writing down the marks of leaf %d: %w", index, err)
	}
	return map[string]cell{
		"id": numberCell(b.SnapshotID), "invoice_number": textCell(b.InvoiceNumber), "revision": numberCell(b.Revision),
		"company_account_number": textCell(b.AccountNumber), "company_name": textCell(b.CompanyName),
		"billing_year": numberCell(b.Period.Year), "billing_month": numberCell(int64(b.Period.Month)),
		"invoice_date": numberCell(b.InvoiceDate), "due_date": numberOrNull(b.DueDate),
		"billing_plan": textOrNull(b.BillingPlan), "contract_term": textOrNull(b.ContractTerm), "support_level": textOrNull(b.SupportLevel),
		"total_amount_cents": numberCell(b.TotalAmount), "total_user_charges_cents": numberCell(b.TotalUserCharges),
		"total_asset_charges_cents": numberCell(b.TotalAssetCharges), "total_backup_charges_cents": numberCell(b.TotalBackupCharges),
		"total_ticket_charges_cents": numberCell(b.TotalTicketCharges), "total_line_item_charges_cents": numberCell(b.TotalLineItemCharges),
		"user_count": numberCell(b.UserCount), "asset_count": numberCell(b.AssetCount), "billable_hours_e4": numberCell(b.BillableHours),
		"origin": textCell(b.Origin), "archived_at": timeCell(b.ArchivedAt), "accepted_by": textCell(b.AcceptedBy), "created_by": textOrNull(b.CreatedBy),
		"runs": textCell(string(runs)), "marks": textCell(string(marks)), "leaf_index": numberCell(index),
	}, nil
}

func (v *verifier) epochKnown(number int64) bool {
	return slices.ContainsFunc(v.epochs, func(e epoch) bool { return int64(e.number) == number })
}
