package query

import (
	"context"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// SnapshotRef names a revision of a bill; 0 is the newest one, unless it is reopened.
type SnapshotRef struct {
	InvoiceNumber string
	Revision      int
}

// SnapshotDiff is what is different between two archived bills of a company, or two revisions of one.
type SnapshotDiff struct {
	From, To *ent.Snapshot
	Fields   []*SnapshotFieldChange // of the bill itself, in the order of its fields

	Added     []*ent.SnapshotItem   // lines of To alone
	Removed   []*ent.SnapshotItem   // lines of From alone
	Changed   []*SnapshotLineChange // lines of both with other numbers, type or description
	Unchanged int                   // how many lines are the same
}

// SnapshotFieldChange is a field of a bill, by its name in the graph, as text; nil where it had or has no
// value.
type SnapshotFieldChange struct {
	Field    string
	Old, New *string
}

// SnapshotLineChange is a line that stands in both bills.
type SnapshotLineChange struct {
	Old, New *ent.SnapshotItem
	Fields   []string // which of description, lineType, quantity, rate and amount
}

// TotalDifference is by how much the second bill's total is greater.
func (d *SnapshotDiff) TotalDifference() codex.Cents {
	return d.To.TotalAmountCents - d.From.TotalAmountCents
}

// LinesDifference is by how much the second bill's lines come to more.
func (d *SnapshotDiff) LinesDifference() codex.Cents {
	var sum codex.Cents
	for _, line := range d.Added {
		sum += line.AmountCents
	}
	for _, line := range d.Removed {
		sum -= line.AmountCents
	}
	for _, change := range d.Changed {
		sum += change.AmountDifference()
	}
	return sum
}

// AmountDifference is by how much more the line costs in the second bill.
func (c *SnapshotLineChange) AmountDifference() codex.Cents {
	return c.New.AmountCents - c.Old.AmountCents
}

// SnapshotDiff compares two archived bills. Two of different companies are a [codex.CodeBadInput] error,
// and what there is not is [codex.CodeNotFound].
func (r *Reader) SnapshotDiff(ctx context.Context, from, to SnapshotRef) (*SnapshotDiff, error) {
	a, err := r.Snapshot(ctx, from.InvoiceNumber, from.Revision)
	if err != nil {
		return nil, err
	}
	b, err := r.Snapshot(ctx, to.InvoiceNumber, to.Revision)
	if err != nil {
		return nil, err
	}
	if a.CompanyAccountNumber != b.CompanyAccountNumber && a.InvoiceNumber != b.InvoiceNumber {
		return nil, codex.BadInput("to", "%s is a bill of %s, and %s one of %s: compare two of one company",
			b.InvoiceNumber, b.CompanyAccountNumber, a.InvoiceNumber, a.CompanyAccountNumber)
	}
	lines, err := r.SnapshotLines(ctx, []int{a.ID, b.ID}, Edge{})
	if err != nil {
		return nil, err
	}
	return DiffSnapshots(a, b, lines[a.ID], lines[b.ID]), nil
}

// DiffSnapshots compares two bills with their lines. A line is taken for one of the other bill that is
// the same in everything; else for one of the same name, type and description; then of the same name and
// type; then of the same name. Of several that are alike the first is taken for the first.
func DiffSnapshots(from, to *ent.Snapshot, fromLines, toLines []*ent.SnapshotItem) *SnapshotDiff {
	d := &SnapshotDiff{From: from, To: to, Fields: differentFields(from, to)}
	partners := make(map[*ent.SnapshotItem]*ent.SnapshotItem, len(toLines))
	taken := make(map[*ent.SnapshotItem]bool, len(fromLines))
	for _, alike := range []func(*ent.SnapshotItem) lineKey{wholeLine, describedLine, typedLine, namedLine} {
		waiting := map[lineKey][]*ent.SnapshotItem{}
		for _, line := range fromLines {
			if !taken[line] {
				waiting[alike(line)] = append(waiting[alike(line)], line)
			}
		}
		for _, line := range toLines {
			key := alike(line)
			if partners[line] != nil || len(waiting[key]) == 0 {
				continue
			}
			partner := waiting[key][0]
			waiting[key] = waiting[key][1:]
			partners[line], taken[partner] = partner, true
		}
	}
	for _, line := range fromLines {
		if !taken[line] {
			d.Removed = append(d.Removed, line)
		}
	}
	for _, line := range toLines {
		partner := partners[line]
		if partner == nil {
			d.Added = append(d.Added, line)
			continue
		}
		if fields := differentInLine(partner, line); fields != nil {
			d.Changed = append(d.Changed, &SnapshotLineChange{Old: partner, New: line, Fields: fields})
		} else {
			d.Unchanged++
		}
	}
	return d
}

// lineKey is by what lines are taken for one another. A description is kept with a mark before it, so that
// none is not an empty one.
type lineKey struct {
	name, kind, description string
	quantity, rate          codex.Quantity
	amount                  codex.Cents
}

func namedLine(line *ent.SnapshotItem) lineKey { return lineKey{name: line.ItemName} }

func typedLine(line *ent.SnapshotItem) lineKey {
	return lineKey{name: line.ItemName, kind: line.LineType}
}

func describedLine(line *ent.SnapshotItem) lineKey {
	key := typedLine(line)
	if line.Description != nil {
		key.description = "=" + *line.Description
	}
	return key
}

func wholeLine(line *ent.SnapshotItem) lineKey {
	key := describedLine(line)
	key.quantity, key.rate, key.amount = line.QuantityE4, line.RateE4, line.AmountCents
	return key
}

// differentInLine names what is different between two lines of one name.
func differentInLine(a, b *ent.SnapshotItem) []string {
	var fields []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"lineType", a.LineType == b.LineType},
		{"description", describedLine(a).description == describedLine(b).description},
		{"quantity", a.QuantityE4 == b.QuantityE4},
		{"rate", a.RateE4 == b.RateE4},
		{"amount", a.AmountCents == b.AmountCents},
	} {
		if !field.same {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// differentFields are the fields of two bills that say different things.
func differentFields(a, b *ent.Snapshot) []*SnapshotFieldChange {
	var changes []*SnapshotFieldChange
	after := billFields(b)
	for i, field := range billFields(a) {
		was, is := field.value, after[i].value
		if !sameText(was, is) {
			changes = append(changes, &SnapshotFieldChange{Field: field.name, Old: was, New: is})
		}
	}
	return changes
}

// sameText tells whether two texts are the same, or there is neither.
func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

type billField struct {
	name  string
	value *string
}

// billFields are what a bill says of itself, as the graph writes it.
func billFields(s *ent.Snapshot) []billField {
	var due *string
	if s.DueDate != nil {
		due = new(s.DueDate.String())
	}
	return []billField{
		{"invoiceNumber", &s.InvoiceNumber},
		{"accountNumber", new(string(s.CompanyAccountNumber))},
		{"companyName", &s.CompanyName},
		{"billingMonth", new(PeriodOfSnapshot(s).String())},
		{"invoiceDate", new(s.InvoiceDate.String())},
		{"dueDate", due},
		{"billingPlan", s.BillingPlan},
		{"contractTerm", s.ContractTerm},
		{"supportLevel", s.SupportLevel},
		{"totalAmount", new(s.TotalAmountCents.String())},
		{"totalUserCharges", new(s.TotalUserChargesCents.String())},
		{"totalAssetCharges", new(s.TotalAssetChargesCents.String())},
		{"totalBackupCharges", new(s.TotalBackupChargesCents.String())},
		{"totalTicketCharges", new(s.TotalTicketChargesCents.String())},
		{"totalLineItemCharges", new(s.TotalLineItemChargesCents.String())},
		{"userCount", new(strconv.FormatInt(s.UserCount, 10))},
		{"assetCount", new(strconv.FormatInt(s.AssetCount, 10))},
		{"billableHours", new(s.BillableHoursE4.String())},
		{"createdBy", s.CreatedBy},
	}
}
