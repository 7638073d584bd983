package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
)

// The whole of it as an operator meets it: the disk breaks, an older backup of the database comes back,
// the hub archives nothing until an admin says so, and what was proven before is proven still.
func TestAnOlderBackupIsContinuedByNewEpochAlone(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.configure(dialect.SQLite, "[archive]\nlog_origin = codex.example.com/archive\npublish = published.checkpoint")
	s := i.serve()
	token := i.token("service")
	s.archiveBill(token, "1-202510")
	i.must("archive", "key", "-o", "log.vkey")
	i.must("archive", "proof", "1-202510", "-o", "kept.tlog-proof")
	i.must("archive", "checkpoint", "-o", "kept.checkpoint")
	i.ends(exitFailed, "codex: the database has all that was signed: nothing is lost, and no new epoch begins",
		"archive", "new-epoch", "--reason", "for fun")
	s.stop()
	backup := i.read("instance/codex.db")

	s = i.serve()
	s.archiveBill(token, "1-202511")
	lost := i.must("archive", "checkpoint", "--publish")
	if published := i.read("instance/published.checkpoint"); published != lost || i.read("instance/archive.checkpoint") != lost {
		t.Errorf("published\n%s\nwant\n%s", published, lost)
	}
	s.stop()

	for _, rest := range []string{"-wal", "-shm"} {
		if err := os.Remove(filepath.Join(i.dir, "instance", "codex.db"+rest)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	i.write("instance/codex.db", backup)
	s = i.serve()
	const behind = "nothing is archived now: the database has 1 leaf, and a log checkpoint of 2 leaves was signed: it came back from an older backup; " +
		`bring the newest database back, or have an admin open a new epoch (codex archive new-epoch; docs/archive.md, \"An older backup\")`
	body := `{"company_account_number": "1", "invoice_number": "1-202512", "billing_year": 2025, "billing_month": 12, "total_amount": 59,
		"billing_data_json": {}, "invoice_csv": "Amount\n59\n"}`
	if a := send(t, "POST", s.archive+"/api/snapshot", token, body); a.status != 503 || a.body != `{"error":"`+behind+`"}`+"\n" {
		t.Errorf("%+v", a)
	}
	if a := get(t, s.archive+"/api/snapshot/1-202510", token); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if a := s.graphQL(token, "{ logStop { reason message } }"); a.body != `{"data":{"logStop":{"reason":"behind","message":"`+behind+`"}}}`+"\n" {
		t.Errorf("%+v", a)
	}
	if o := i.codex("archive", "status"); o.status != exitFailed || o.stderr != "codex: "+strings.ReplaceAll(behind, `\"`, `"`)+"\n" || !strings.HasPrefix(o.stdout, "signed ") {
		t.Errorf("%+v", o)
	}
	if log := s.stderr.String(); strings.Count(log, "needs attention") == 0 {
		t.Error(log)
	}
	i.ends(exitUsage, "codex: codex archive new-epoch needs --reason", "archive", "new-epoch")
	i.ends(exitOK, "epoch 2 begins with leaf 1", "archive", "new-epoch", "--reason", "the disk broke")
	if a := send(t, "POST", s.archive+"/api/snapshot", token, body); a.status != 201 {
		t.Errorf("%+v", a)
	}
	i.must("archive", "consistency", "1", "-o", "grown.consistency")
	i.ends(exitOK, "grown.consistency: the log of 3 leaves begins with the 1 of kept.checkpoint",
		"archive", "consistency", "--check", "grown.consistency", "--against", "kept.checkpoint", "--key", "log.vkey")
	i.must("archive", "verify", "--proof", "kept.tlog-proof", "--key", "log.vkey")
	i.must("archive", "verify", "--against", "kept.checkpoint", "--key", "log.vkey")

	// What was lost is proven by its own checkpoint, and is no longer what the log begins with.
	i.write("lost.checkpoint", lost)
	i.must("archive", "consistency", "2", "-o", "lost.consistency")
	i.ends(exitAltered, "codex: lost.consistency does not prove it: consistency: ",
		"archive", "consistency", "--check", "lost.consistency", "--against", "lost.checkpoint", "--key", "log.vkey")
	if status := i.must("archive", "status"); !strings.Contains(status, "\nepoch 2 began ") || !strings.HasSuffix(status, " the disk broke\nbills are archived and signed\n") {
		t.Error(status)
	}
	if head := i.must("archive", "checkpoint", "--publish"); !strings.HasPrefix(head, "codex.example.com/archive/epoch-2\n3\n") ||
		i.read("instance/published.checkpoint") != head {
		t.Error(head)
	}
	s.stop()
	if log := s.stderr.String(); strings.Contains(log, "PRIVATE+KEY") {
		t.Error("the log has the key")
	}
}

func TestAnExportedFileIsWholeAndForWhomItIsFor(t *testing.T) {
	dir := t.TempDir()
	var stdout strings.Builder
	p := &program{workDir: dir, stdout: &stdout}
	file := filepath.Join(dir, "bill.tlog-proof")
	for _, c := range []struct {
		text string
		mode fs.FileMode
	}{{"a longer proof", forOwner}, {"a proof", forOwner}, {"a checkpoint", forEveryone}} {
		if err := p.deliver(c.text, "bill.tlog-proof", c.mode); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil || string(text) != c.text {
			t.Errorf("%q, %v", text, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != c.mode {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	if err := p.deliver("x", "no such folder/file", forOwner); err == nil {
		t.Error("it is written nowhere")
	}
	if err := p.deliver("to nobody", os.DevNull, forOwner); err != nil { // which is no regular file
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
	if err := p.deliver("shown", "", forOwner); err != nil || stdout.String() != "shown" {
		t.Errorf("%q, %v", stdout.String(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestTheArchivesVerbsSayWhatTheyMiss(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.ends(exitFailed, "codex: no bill 1 is archived, or it is reopened: --revision names one of its revisions", "archive", "proof", "1")
	i.ends(exitUsage, `codex: --enclose takes billing_data, body, csv, line_items, notes, not "salary"`, "archive", "proof", "1", "--enclose", "salary")
	i.ends(exitUsage, `codex: SIZE is a number of leaves, not "x"`, "archive", "consistency", "x")
	i.ends(exitUsage, "codex: --check needs --against and --key", "archive", "consistency", "--check", "x")
	i.ends(exitFailed, "codex: the log has 0 leaves: it does not begin with 1", "archive", "consistency", "1")
	i.ends(exitFailed, "codex: [archive] publish names no place to publish at", "archive", "checkpoint", "--publish")
	for flag, said := range map[string]string{
		"--month=2025-1": `--month takes a month as YYYY-MM, not "2025-1"`, "--year=25": `--year takes a year as YYYY, not "25"`,
		"--at-least=1e3": `--at-least takes an amount such as 412.28, not "1e3"`, "--at-most=0.125": `--at-most takes an amount such as 412.28, not "0.125"`,
		"--archived-to=today": `--archived-to takes a day as YYYY-MM-DD, not "today"`,
	} {
		i.ends(exitUsage, "codex: "+said, "archive", "search", flag)
		i.ends(exitUsage, "codex: "+said, "archive", "totals", flag)
	}
	i.ends(exitUsage, "codex: if any flags in the group [json csv] are set none of the others can be;", "archive", "show", "1", "--json", "--csv")
	if err := os.Mkdir(filepath.Join(i.dir, "instance", "archive.checkpoint"), 0o700); err != nil { // which is no file to read
		t.Fatal(err)
	}
	i.ends(exitFailed, "codex: reading the hub's own log checkpoint (--against gives another): ", "archive", "verify")
}

func TestABillIsNamedWithItsRevision(t *testing.T) {
	for _, tc := range []struct {
		text string
		want map[string]any
	}{
		{"1-202510", map[string]any{"invoiceNumber": "1-202510"}},
		{"1-202510@2", map[string]any{"invoiceNumber": "1-202510", "revision": int64(2)}},
		{"a@b@1", map[string]any{"invoiceNumber": "a@b", "revision": int64(1)}},
		{"1@0", nil}, {"1@", nil}, {"1@x", nil}, {"1@4294967297", nil},
	} {
		got, err := billRef(tc.text)
		if !reflect.DeepEqual(got, tc.want) || (err == nil) != (tc.want != nil) {
			t.Errorf("%s: %v, %v", tc.text, got, err)
		}
	}
}
