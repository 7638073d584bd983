package main

import (
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store/storetest"
)

// acceptedBill has a name with a terminal's command in it.
const acceptedBill = `{"accountNumber": "620547", "companyName": "Contoso\u001b[31m", "invoiceNumber": "620547-202510", "year": 2025, "month": 10,
	"totalAmount": "60.30", "totalAssetCharges": "60.30", "billingData": "{}", "csv": "Item,Amount\r\nPC-1,60.30\r\n", "createdBy": "ana@example.com",
	"lines": [{"lineType": "asset", "itemName": "PC-1", "rate": "30.15", "quantity": "2", "amount": "60.30"}]}`

// prints runs a verb that has to succeed and compares all that it prints, times and the user apart.
func (i *installation) prints(want string, args ...string) {
	i.t.Helper()
	got := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(i.must(args...), "WHEN")
	got = regexp.MustCompile(`by .*\(command line\)`).ReplaceAllString(got, "by WHO")
	if got != want {
		i.t.Errorf("codex %s printed\n%q\nwant\n%q", strings.Join(args, " "), got, want)
	}
}

func TestABillInAFileIsArchivedOnceAndShown(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := archiving(t, dialectName)
			i.prints("nothing is signed\nbills are archived and signed\n", "archive", "status")
			i.write("bill.json", acceptedBill)
			const (
				line  = "  asset  PC-1  2.0000  30.1500  60.30\n"
				shown = "620547-202510, revision 1 (current): 620547 Contoso [31m, 2025-10, 60.30\n  archived WHEN by WHO\n  marks: unknown_account\n"
			)
			i.prints("archived: "+shown, "archive", "accept", "bill.json")
			i.stdin = strings.ReplaceAll(acceptedBill, "PC-1", "PC-2")
			i.prints("there already: "+shown+"  the file has another csv\n  the file has another lines\n", "archive", "accept", "-")
			i.prints(shown+line, "archive", "show", "620547-202510")
			i.prints("Item,Amount\r\nPC-1,60.30\r\n", "archive", "show", "620547-202510", "--csv")
			i.must("archive", "checkpoint")
			i.prints("signed WHEN: 1 leaves, epoch 1\nbills are archived and signed\n", "archive", "status")
		})
	}
}

func TestAFileThatHoldsNoBillSaysWhatItLacks(t *testing.T) {
	i := archiving(t, dialect.SQLite)
	for stdin, said := range map[string]string{
		"":     "codex: FILE: - holds no JSON object: a bill is one with the fields of AcceptBillInput",
		"null": "codex: FILE: - holds no JSON object: a bill is one with the fields of AcceptBillInput",
		"[1]":  "codex: FILE: - holds no JSON object: a bill is one with the fields of AcceptBillInput",
		strings.Replace(acceptedBill, `"60.30"`, `"much"`, 1): "codex: a Decimal is a string with at most four decimals",
		strings.Replace(acceptedBill, `"year"`, `"jahr"`, 1):  "codex: the variable bill.jahr: unknown field",
	} {
		i.stdin = stdin
		i.ends(exitFailed, said, "archive", "accept", "-")
	}
	i.ends(exitFailed, "codex: open ", "archive", "accept", "nothing.json")
	if found := i.must("archive", "search"); found != "0 of 0\n" {
		t.Error(found)
	}
}
