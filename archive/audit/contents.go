package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// The numbers of contents and lines follow from their bill's.
const (
	contentsOfABill = 10
	linesOfABill    = 100_000
)

// contentNumber is the number of a content among those of its bill.
func contentNumber(name proof.Committed) int64 {
	return int64(slices.Index([]proof.Committed{proof.BillingData, proof.Body, proof.CSV, proof.LineItems, proof.Notes}, name)) + 1
}

func contentID(bill int64, name proof.Committed) int64 {
	return bill*contentsOfABill + contentNumber(name)
}

func itemID(bill, position int64) int64 { return bill*linesOfABill + position }

func committedBits(b proof.Bill) (bits uint8) {
	for name := range b.Commitments {
		bits |= 1 << contentNumber(name)
	}
	return bits
}

func (v *verifier) contentKnown(id int64) bool {
	of := v.bills[id/contentsOfABill]
	return of != nil && of.committed&(1<<(id%contentsOfABill)) != 0
}

func (v *verifier) itemKnown(id int64) bool {
	of := v.bills[id/linesOfABill]
	position := id % linesOfABill
	return of != nil && 1 <= position && (position <= of.lines || of.lines == unknownLines)
}

// unopened is a content whose commitment does not open with what stands there.
type unopened struct {
	id      int64
	leaf    int64
	name    proof.Committed
	emptied bool // nothing stands there any more
	salted  bool // the salt is one as far as its form tells
	of      subject
}

// billContents verifies what bills commit to, and their lines.
func (v *verifier) billContents(ctx context.Context, bills map[int64]proof.Bill) error {
	type wanted struct {
		bill int64
		name proof.Committed
	}
	ids := map[int64]wanted{}
	for id, leaf := range bills {
		for name := range leaf.Commitments {
			ids[contentID(id, name)] = wanted{id, name}
		}
	}
	salts := map[int64]proof.Salt{}
	order := slices.Sorted(maps.Keys(ids))
	seen := map[int64]bool{}
	err := v.read(ctx, tableContents, "WHERE id IN "+in(order)+" ORDER BY id", func(r row) error {
		id, _ := r.get("id").integer()
		w := ids[id]
		leaf := bills[w.bill]
		of := subject{leaf.InvoiceNumber, leaf.Revision}
		if seen[id] {
			v.twice(r, of)
			return nil
		}
		seen[id] = true
		v.report.Contents++
		v.compare(r, map[string]cell{"id": numberCell(id), "snapshot_id": numberCell(w.bill), "name": textCell(w.name)}, of)
		salt, content := r.get("salt"), r.get("content")
		opened, err := proof.ParseSalt(salt.text)
		salted := err == nil && salt.kind == text
		if salted && w.name == proof.LineItems {
			salts[w.bill] = opened
		}
		if !salted || content.kind != text || proof.Commit(w.name, opened, []byte(content.text)) != leaf.Commitments[w.name] {
			v.unopened = append(v.unopened, unopened{
				id: id, leaf: v.bills[w.bill].leaf, name: w.name, emptied: salt.text == "" && content.text == "", salted: salted, of: of,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range order {
		if w := ids[id]; !seen[id] {
			leaf := bills[w.bill]
			v.lose(lost{table: tableContents, leaf: v.bills[w.bill].leaf, name: w.name, of: subject{leaf.InvoiceNumber, leaf.Revision},
				want: map[string]cell{"id": numberCell(id), "snapshot_id": numberCell(w.bill), "name": textCell(w.name)}})
		}
	}
	return v.billLines(ctx, bills, salts)
}

// lines collects the lines of one bill as its leaf commits to them.
type lines struct {
	bill  int64
	items []proof.LineItem
	odd   bool // a row is none that the archive could have written there
}

func (l *lines) add(r row) {
	position := int64(len(l.items)) + 1
	quantity, isQuantity := r.get("quantity_e4").integer()
	rate, isRate := r.get("rate_e4").integer()
	amount, isAmount := r.get("amount_cents").integer()
	item := proof.LineItem{
		LineType: r.get("line_type").text, ItemName: r.get("item_name").text,
		Quantity: codex.Quantity(quantity), Rate: codex.Quantity(rate), Amount: codex.Cents(amount),
	}
	if description := r.get("description"); description.kind != null {
		item.Description = &description.text
		l.odd = l.odd || description.kind != text
	}
	l.odd = l.odd || !isQuantity || !isRate || !isAmount || r.get("line_type").kind != text || r.get("item_name").kind != text ||
		r.get("id") != numberCell(itemID(l.bill, position)) || r.get("position") != numberCell(position)
	l.items = append(l.items, item)
}

// billLines verifies the rows of lines: written down again, they have to open the commitment. Where
// they do not, they are compared one by one with the content.
func (v *verifier) billLines(ctx context.Context, bills map[int64]proof.Bill, salts map[int64]proof.Salt) error {
	ids := slices.Sorted(maps.Keys(bills))
	open := map[int64]bool{}
	judge := func(l *lines) {
		if l.odd || l.bill == 0 {
			return
		}
		salt, salted := salts[l.bill]
		written, err := proof.EncodeLines(l.items)
		if salted && err == nil && proof.Commit(proof.LineItems, salt, written) == bills[l.bill].Commitments[proof.LineItems] {
			open[l.bill] = true
			v.bills[l.bill].lines = int64(len(l.items))
			v.report.Lines += int64(len(l.items))
		}
	}
	seen := map[int64]bool{}
	var current lines
	err := v.read(ctx, tableItems, "WHERE snapshot_id IN "+in(ids)+" ORDER BY snapshot_id, id", func(r row) error {
		id, _ := r.get("snapshot_id").integer()
		if id != current.bill {
			judge(&current)
			current = lines{bill: id}
			seen[id] = true
		}
		current.add(r)
		return nil
	})
	if err != nil {
		return err
	}
	judge(&current)
	for _, id := range ids {
		if !seen[id] {
			judge(&lines{bill: id})
		}
		if !open[id] {
			if err := v.compareLines(ctx, id, bills[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareLines compares the lines of a bill with its content line_items. Where that is not as it was
// logged either, nothing is said about them here.
func (v *verifier) compareLines(ctx context.Context, id int64, leaf proof.Bill) error {
	of := subject{leaf.InvoiceNumber, leaf.Revision}
	var items []proof.LineItem
	known := false
	err := v.read(ctx, tableContents, fmt.Sprintf("WHERE id = %d", contentID(id, proof.LineItems)), func(r row) error {
		salt, err := proof.ParseSalt(r.get("salt").text)
		content := []byte(r.get("content").text)
		if err != nil || known || proof.Commit(proof.LineItems, salt, content) != leaf.Commitments[proof.LineItems] {
			return nil
		}
		if items, err = proof.DecodeLines(content); err != nil {
			v.add(Finding{Kind: Disordered, Table: tableContents, Row: r.keyText(), Invoice: of.invoice, Revision: of.revision, Column: "content",
				Message: "it is as it was logged, and is no list of lines"})
			return nil
		}
		known = true
		return nil
	})
	if err != nil || !known {
		return err
	}
	v.bills[id].lines = int64(len(items))
	seen := make([]bool, len(items))
	condition := fmt.Sprintf("WHERE id BETWEEN %d AND %d ORDER BY id", itemID(id, 1), itemID(id, int64(len(items))))
	err = v.read(ctx, tableItems, condition, func(r row) error {
		number, _ := r.get("id").integer()
		position := number % linesOfABill
		if seen[position-1] {
			v.twice(r, of)
			return nil
		}
		seen[position-1] = true
		v.report.Lines++
		v.compare(r, itemColumns(id, position, items[position-1]), of)
		return nil
	})
	for i, item := range items {
		if !seen[i] && err == nil {
			v.lose(lost{table: tableItems, want: itemColumns(id, int64(i)+1, item), of: of})
		}
	}
	return err
}

func itemColumns(bill, position int64, item proof.LineItem) map[string]cell {
	return map[string]cell{
		"id": numberCell(itemID(bill, position)), "snapshot_id": numberCell(bill), "position": numberCell(position),
		"line_type": textCell(item.LineType), "item_name": textCell(item.ItemName), "description": textOrNull(item.Description),
		"quantity_e4": numberCell(item.Quantity), "rate_e4": numberCell(item.Rate), "amount_cents": numberCell(item.Amount),
	}
}

// redact remembers which contents a leaf says were erased.
func (v *verifier) redact(index int64, leaf proof.Redaction) {
	v.report.Redactions++
	names := v.redactions[leaf.LeafIndex]
	if names == nil {
		names = map[proof.Committed]int64{}
		v.redactions[leaf.LeafIndex] = names
	}
	for _, name := range leaf.Redacted {
		names[name] = index
	}
}

// settleRedactions reads the leaves that redactions are about, and sees that they are those.
func (v *verifier) settleRedactions(ctx context.Context) error {
	for _, of := range slices.Sorted(maps.Keys(v.redactions)) {
		if v.holes[of] {
			continue
		}
		var erased proof.Bill
		err := v.read(ctx, tableLeaves, fmt.Sprintf("WHERE leaf_index = %d", of), func(r row) error {
			leaf, err := proof.DecodeLeaf([]byte(r.get("leaf").text))
			if bill, ok := leaf.(proof.Bill); ok && err == nil {
				erased = bill
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(v.redactions[of])) {
			said := v.redactions[of][name]
			if _, committed := erased.Commitments[name]; !committed || said < of {
				v.add(Finding{Kind: Disordered, Table: tableLeaves, Row: strconv.FormatInt(said, 10),
					Message: fmt.Sprintf("leaf %d, which it is about, commits to no %s", of, name)})
				delete(v.redactions[of], name)
				continue
			}
			if err := v.erased(ctx, of, name, erased); err != nil {
				return err
			}
		}
	}
	return nil
}

// erased reports a redaction, and what of it still stands.
func (v *verifier) erased(ctx context.Context, of int64, name proof.Committed, leaf proof.Bill) error {
	about := subject{leaf.InvoiceNumber, leaf.Revision}
	id := contentID(leaf.SnapshotID, name)
	v.add(Finding{Kind: Redacted, Table: tableContents, Row: strconv.FormatInt(id, 10), Invoice: about.invoice, Revision: about.revision,
		Message: fmt.Sprintf("its %s was erased, as leaf %d says", name, v.redactions[of][name])})
	left, _, err := v.one(ctx, fmt.Sprintf("SELECT COUNT(*) FROM snapshot_contents WHERE id = %d AND (salt <> '' OR content <> '')", id))
	if err != nil {
		return err
	}
	opened := !slices.ContainsFunc(v.unopened, func(u unopened) bool { return u.id == id })
	if left > 0 && opened {
		v.add(Finding{Kind: Added, Table: tableContents, Row: strconv.FormatInt(id, 10), Invoice: about.invoice, Revision: about.revision,
			Message: "the log says that it was erased, and it stands here"})
	}
	if name != proof.LineItems {
		return nil
	}
	left, _, err = v.one(ctx, fmt.Sprintf("SELECT COUNT(*) FROM snapshot_items WHERE id BETWEEN %d AND %d",
		itemID(leaf.SnapshotID, 0), itemID(leaf.SnapshotID, linesOfABill-1)))
	if err == nil && left > 0 {
		v.add(Finding{Kind: Added, Table: tableItems, Row: span(itemID(leaf.SnapshotID, 1), itemID(leaf.SnapshotID, left)), Invoice: about.invoice, Revision: about.revision,
			Message: "the log says that the lines of the bill were erased, and rows of them stand here"})
	}
	return err
}

// settleContents reports the contents that do not open their commitments, but for those that were
// redacted, and forgets the lost ones that were.
func (v *verifier) settleContents(context.Context) error {
	redacted := func(leaf int64, name proof.Committed) bool {
		_, said := v.redactions[leaf][name]
		return said
	}
	for _, u := range v.unopened {
		if redacted(u.leaf, u.name) && u.emptied {
			continue
		}
		f := Finding{Kind: Altered, Table: tableContents, Row: strconv.FormatInt(u.id, 10), Invoice: u.of.invoice, Revision: u.of.revision,
			Column: "salt, content", Message: fmt.Sprintf("salt and %s are not both what the leaf commits to", u.name)}
		if lines := v.bills[u.id/contentsOfABill].lines; u.name == proof.LineItems && lines != unknownLines && u.salted {
			f.Column, f.Message = "content", "it is not what the leaf commits to, the rows of the lines are"
		}
		if !u.salted {
			f.Column, f.Message = "salt", "it is no salt"
		}
		v.add(f)
	}
	kept := v.lost[:0]
	for _, l := range v.lost {
		if l.table != tableContents || !redacted(l.leaf, l.name) {
			kept = append(kept, l)
		}
	}
	v.lost = kept
	return nil
}
