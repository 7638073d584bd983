package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

const verifiedCSV = `InvoiceNo,Amount\r\n1-202510,59.00\r\n`

// archiveBill has the hub accept a bill, as Ledger does.
func (s *served) archiveBill(token, invoice string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"company_account_number": "1", "invoice_number": %q, "billing_year": 2025, "billing_month": 10, "total_amount": 59,
		"billing_data_json": {}, "invoice_csv": %q, "notes": "late"}`, invoice, strings.NewReplacer(`\r\n`, "\r\n").Replace(verifiedCSV))
	if a := send(s.t, "POST", s.archive+"/api/snapshot", token, body); a.status != 201 {
		s.t.Fatalf("%+v", a)
	}
}

// ends runs a verb and compares its status, and its lines on both outputs with what they begin with.
func (i *installation) ends(status int, lines string, args ...string) {
	i.t.Helper()
	o := i.codex(args...)
	got := strings.Split(strings.TrimSuffix(o.stdout+o.stderr, "\n"), "\n")
	want := strings.Split(strings.TrimSpace(lines), "\n")
	same := o.status == status && len(got) == len(want)
	for k := range want {
		same = same && strings.HasPrefix(got[k], strings.TrimSpace(want[k]))
	}
	if !same {
		i.t.Errorf("codex %s: status %d\n%s%swant %d\n%s", strings.Join(args, " "), o.status, o.stdout, o.stderr, status, lines)
	}
}

func TestArchiveVerifyNamesWhatWasChangedAndExitsByIt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			if dialectName == dialect.SQLite {
				i.ends(exitFailed, "codex: "+filepath.Join(i.dir, "instance", "codex.db")+" is not there", "archive", "verify")
			} else {
				i.ends(exitFailed, "codex: the database lacks the migration 0001_schema: codex migrate makes it", "archive", "verify")
			}
			s := i.serve()
			token := i.token("service")
			s.archiveBill(token, "1-202510")
			i.must("archive", "key", "-o", "log.vkey")
			i.must("archive", "checkpoint", "-o", "first.checkpoint")
			s.archiveBill(token, "1-202511")
			i.must("archive", "proof", "1-202510", "-o", "bill.tlog-proof")

			counts := "2 bills, 0 events, 0 redactions, 10 contents, 0 lines, 2 log checkpoints\n"
			i.ends(exitOK, "epoch 1, 2 leaves, root \n"+counts+"signatures verified with \n"+
				"nothing has changed that existed at the log checkpoint of epoch 1 with 2 leaves\nall is as it was logged", "archive", "verify")
			i.ends(exitOK, "epoch 1, 2 leaves, root \n"+counts+"signatures verified with \n"+
				"nothing has changed that existed at the log checkpoint of epoch 1 with 1 leaf\nall is as it was logged",
				"archive", "verify", "--against", "first.checkpoint", "--key", "log.vkey")
			s.stop()

			changed := i.open(dialectName)
			for _, table := range []string{"snapshots", "snapshot_contents"} {
				statement := "DROP TRIGGER " + table + "_append_only_update"
				if dialectName == dialect.Postgres {
					statement = "ALTER TABLE " + table + " DISABLE TRIGGER append_only"
				}
				change(t, changed, statement)
			}
			change(t, changed, "UPDATE snapshots SET total_amount_cents = 1 WHERE id = 1")
			change(t, changed, "UPDATE snapshot_contents SET content = 'early' WHERE id = 25")
			if err := changed.MakeAppendOnly(t.Context()); err != nil {
				t.Fatal(err)
			}
			found := "altered: snapshots 1 (bill 1-202510, revision 1), total_amount_cents: it is not what was logged (it is 1, and was 5900)\n" +
				"altered: snapshot_contents 25 (bill 1-202511, revision 1), salt, content: salt and notes are not both what the leaf commits to\n"
			i.ends(exitAltered, found+"epoch 1, 2 leaves, root \n"+counts+"signatures verified with \n"+
				"nothing has changed that existed at the log checkpoint of epoch 1 with 2 leaves\nNOT as it was logged: 2 findings", "archive", "verify")
			report := into[struct {
				OK       bool `json:"ok"`
				Bills    int  `json:"bills"`
				Findings []struct{ Kind, Table, Row, Column, Stands, Logged string }
			}](t, i.codex("archive", "verify", "--json").stdout)
			if want := `{false 2 [{altered snapshots 1 total_amount_cents 1 5900} {altered snapshot_contents 25 salt, content  }]}`; fmt.Sprint(report) != want {
				t.Errorf("%v, want %s", report, want)
			}
		})
	}
}

func TestArchiveVerifyChecksAProofWithoutAnInstance(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	s.archiveBill(i.token("service"), "1-202510")
	i.must("archive", "proof", "1-202510", "--enclose", "notes", "-o", "bill.tlog-proof")
	i.must("archive", "key", "-o", "log.vkey")
	s.stop()

	auditor := bare(t)
	for _, name := range []string{"bill.tlog-proof", "log.vkey"} {
		auditor.write(name, i.read(name))
	}
	auditor.write("bill.csv", strings.NewReplacer(`\r\n`, "\r\n").Replace(verifiedCSV))
	auditor.write("other.csv", "InvoiceNo,Amount\r\n1-202510,58.00\r\n")
	verify := func(more ...string) []string {
		return append([]string{"archive", "verify", "--proof", "bill.tlog-proof", "--key", "log.vkey"}, more...)
	}
	proven := "codex-bill/v1\n{\"accepted_by\":\"test-service\"\nis leaf 0 of the 1 leaf that "
	auditor.ends(exitOK, proven+"\ncsv: it is what the leaf commits to\nnotes: it is what the leaf commits to\n"+
		"billing_data: not shown, so nothing is proven about it\nbody: not shown\nline_items: not shown", verify("--csv", "bill.csv")...)
	auditor.ends(exitOK, proven+"\nnotes: it is what the leaf commits to\nbilling_data: not shown\nbody: not shown\ncsv: not shown\nline_items: not shown", verify()...)
	auditor.ends(exitAltered, "codex: the proof is refused: commitment csv: what was shown is not what the leaf commits to", verify("--content", "csv=other.csv")...)
	auditor.ends(exitAltered, `{"content":"csv","message":"commitment csv: what was shown is not what the leaf commits to","ok":false,"part":"commitment"}`,
		verify("--csv", "other.csv", "--json")...)
	auditor.ends(exitOK, `{"ok":true,"origin":`, verify("--json")...)
	auditor.write("bill.tlog-proof", strings.Replace(auditor.read("bill.tlog-proof"), "index 0", "index 1", 1))
	auditor.ends(exitAltered, "codex: the proof is refused: file: it could not have been exported", verify()...)
	if left, err := os.ReadDir(auditor.dir); err != nil || len(left) != 4 {
		t.Errorf("it left %v, %v", left, err)
	}

	auditor.ends(exitUsage, "codex: --proof needs --key: the log's verifier key, as it was published", "archive", "verify", "--proof", "bill.tlog-proof")
	auditor.ends(exitUsage, "codex: --csv and --content go with --proof", "archive", "verify", "--csv", "bill.csv")
	auditor.ends(exitUsage, "codex: --proof and --against do not go together", verify("--against", "bill.csv")...)
	auditor.ends(exitUsage, "codex: --content csv: it is name=file", verify("--content", "csv")...)
	auditor.ends(exitFailed, "codex: open "+filepath.Join(auditor.dir, "none")+": no such file or directory", "archive", "verify", "--proof", "none", "--key", "log.vkey")
	auditor.ends(exitFailed, "codex: bill.csv: verifier_key: it is not the verifier key of a log", "archive", "verify", "--proof", "bill.csv", "--key", "bill.csv")
}

func change(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
