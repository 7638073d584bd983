package reconcile

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
)

// CSV is a reconciliation as a table for a spreadsheet, in UTF-8 with a header: its differences, what
// changed later, and the companies without a bill, in this order ([WriteCSV]).
func (r *Reconciliation) CSV() string {
	rows := [][]string{{
		"list", "account_number", "company", "invoice_number", "kind", "entity", "id", "name", "before", "now",
		"worth", "up_to", "seen", "at", "acknowledged_by", "note",
	}}
	for _, d := range r.Differences {
		row := []string{
			"difference", string(d.Account), d.Company, d.Invoice, d.Kind, d.Item.Entity, d.Item.ID, d.Item.Name, d.Before, d.Now,
			moneyText(d.Worth), moneyText(d.UpTo), d.Seen, "", "", "",
		}
		if a := d.Acknowledgement; a != nil {
			row[14], row[15] = a.By, a.Note
		}
		rows = append(rows, row)
	}
	for _, l := range r.Later {
		rows = append(rows, []string{
			"later", string(l.Account), l.Company, "", l.Kind, l.Item.Entity, l.Item.ID, l.Item.Name, "", "",
			"", moneyText(l.UpTo), l.Seen, l.At.Format(time.RFC3339), "", "",
		})
	}
	for _, u := range r.Unbilled {
		rows = append(rows, []string{
			"unbilled", string(u.Account), u.Company, "", "unbilled", "", "", "", "", "",
			moneyText(u.Worth), moneyText(u.UpTo), u.held(), "", "", "",
		})
	}
	var text bytes.Buffer
	_ = WriteCSV(&text, rows) // a buffer takes everything
	return text.String()
}

// WriteCSV writes a table for a spreadsheet. A text that it would run as a formula begins with an
// apostrophe; numbers stay as they are.
func WriteCSV(w io.Writer, rows [][]string) error {
	table := csv.NewWriter(w)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = safeCell(cell)
		}
		if err := table.Write(safe); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// held says what a company without a bill would be billed for.
func (u *Unbilled) held() string {
	return strconv.Itoa(u.Machines) + " machines, " + strconv.Itoa(u.People) + " people, " + u.Hours.String() + " hours."
}

func moneyText(cents *codex.Cents) string {
	if cents == nil {
		return ""
	}
	return cents.String()
}

func safeCell(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
