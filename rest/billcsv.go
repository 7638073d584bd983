package rest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
)

// billCSV answers the CSV of an archived bill: the very bytes that were sent, or with safe=1 a table
// of the same cells in which a spreadsheet finds nothing to run.
func (s *service) billCSV(w http.ResponseWriter, r *http.Request) error {
	safe, given, err := parameter(r, "safe")
	switch {
	case err != nil:
		return err
	case given && safe != "0" && safe != "1":
		return codex.BadInput("safe", "give 0 or 1")
	}
	found, err := s.billAsked(r)
	if err != nil {
		return err
	}
	body := []byte(found.CSV)
	if safe == "1" {
		if body, err = withoutFormulas(found.CSV); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Disposition", disposition(fileName(found)))
	return s.hashed(w, r, "text/csv; charset=utf-8", body)
}

// fileName is the name under which a bill's CSV is saved (docs/compatibility.md, "Archive"): of the
// company's name letters and digits of any script, blanks, _ and -, each blank as _.
func fileName(b *archive.Bill) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(" _-", r) {
			return r
		}
		return -1
	}, b.CompanyName)
	kept = strings.ReplaceAll(strings.TrimSpace(kept), " ", "_")
	return fmt.Sprintf("%s_%d-%02d.csv", kept, b.BillingYear, b.BillingMonth)
}

// disposition offers a file under its name twice: as the old service wrote it, and for names that are
// not ASCII as RFC 6266 has it, which browsers take first.
func disposition(name string) string {
	// Of what PathEscape leaves alone RFC 5987 allows the letters and digits, _ and -: no name has more.
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, name, url.PathEscape(name))
}

// Where a spreadsheet may begin a cell in the midst of ours, because it separates by semicolons or
// tabs, and the signs that begin a formula in one of Excel, LibreOffice or Google Sheets, in their
// full-width forms too. A number is none, but for one that a line of several cells begins with: where
// semicolons separate, that line is one cell.
var (
	cellBegins = regexp.MustCompile(`(^|[;\t\r\n])([ "]*)([=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])`)
	plainCell  = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)
)

// withoutFormulas is a CSV with an apostrophe before whatever a spreadsheet would run, lines as Ledger
// ends them. What is no well-formed CSV is read as far as it makes sense: it is all there.
func withoutFormulas(text string) ([]byte, error) {
	bare := strings.TrimPrefix(text, "\uFEFF")
	reader := csv.NewReader(strings.NewReader(bare))
	reader.FieldsPerRecord, reader.LazyQuotes = -1, true
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading a bill's CSV: %w", err)
	}
	var out bytes.Buffer
	if bare != text {
		out.WriteString("\uFEFF")
	}
	writer := csv.NewWriter(&out)
	writer.UseCRLF = true
	for _, row := range rows {
		for i, cell := range row {
			// Who separates by semicolons reads on behind a number that the line begins with.
			if number := plainCell.MatchString(cell); !number || i == 0 && len(row) > 1 {
				row[i] = withoutFormula(cell)
			}
		}
	}
	if err := writer.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("writing a bill's CSV: %w", err)
	}
	return out.Bytes(), nil
}

func withoutFormula(cell string) string {
	return cellBegins.ReplaceAllString(cell, "$1'$2$3")
}
