package archive

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
)

// Marks of a bill, in its leaf too: what was noticed on accepting it.
const (
	MarkUnknownAccount = "unknown_account" // no company had that account number
	MarkTotalsDiffer   = "totals_differ"   // the total is not the sum of its parts, of its lines or of its CSV
	MarkCSVUnreadable  = "csv_unreadable"  // the CSV has no column Amount that is all numbers
)

// differences tells, for people, of which sums the total is not. Half a cent is allowed for each of
// the amounts that were added, since each was rounded by itself.
func (s *Submission) differences() []string {
	var found []string
	compare := func(what string, sum codex.Cents, amounts int) {
		if 2*max(s.TotalAmount-sum, sum-s.TotalAmount) > codex.Cents(amounts) {
			found = append(found, fmt.Sprintf("%s come to %s", what, sum))
		}
	}
	if s.HasParts {
		compare("its charges", s.TotalUserCharges+s.TotalAssetCharges+s.TotalBackupCharges+s.TotalTicketCharges+s.TotalLineItemCharges, 5)
	}
	if len(s.Lines) > 0 {
		var sum codex.Cents
		for _, line := range s.Lines {
			sum += line.Amount
		}
		compare("its lines", sum, len(s.Lines))
	}
	if sum, rows, ok := csvSum(s.CSV); ok {
		compare("the amounts of its CSV", sum, rows)
	}
	return found
}

// marks are what is noticed of the bill alone, in order.
func (s *Submission) marks() []string {
	marks := []string{}
	if _, _, ok := csvSum(s.CSV); !ok {
		marks = append(marks, MarkCSVUnreadable)
	}
	if len(s.differences()) > 0 {
		marks = append(marks, MarkTotalsDiffer)
	}
	slices.Sort(marks)
	return marks
}

// csvSum adds up the column Amount of an invoice as Ledger writes it (docs/compatibility.md, "Ledger").
func csvSum(text string) (sum codex.Cents, rows int, ok bool) {
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	if err != nil || len(records) == 0 {
		return 0, 0, false
	}
	at := slices.Index(records[0], "Amount")
	if at < 0 {
		return 0, 0, false
	}
	for _, record := range records[1:] {
		if at >= len(record) {
			return 0, 0, false
		}
		d, err := parseDecimal(strings.TrimSpace(record[at]))
		if err != nil {
			return 0, 0, false
		}
		amount, err := d.units(centPlaces)
		if err != nil {
			return 0, 0, false
		}
		sum += codex.Cents(amount)
	}
	return sum, len(records) - 1, true
}
