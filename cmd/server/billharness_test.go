package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/loghash"
	"github.com/hivematrix/codex/ent/loghead"
	"github.com/hivematrix/codex/ent/logleaf"
	"github.com/hivematrix/codex/ent/snapshotcontent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// archiving is an installation without upstreams, whose database is of dialectName.
func archiving(t *testing.T, dialectName string) *installation {
	t.Helper()
	i := bare(t)
	i.now = time.Now // as in the processes that are started
	database := ""
	if dialectName == dialect.Postgres {
		database = "[database]\nconnection_string = " + storetest.Empty(t, dialectName).Options().DSN.Reveal() + "\n"
	}
	i.write("instance/codex.conf", database+"[server]\nlisten = 127.0.0.1:0\narchive_listen = 127.0.0.1:0\n")
	return i
}

// replica is another installation on the same database, with the key of the same log.
func (i *installation) replica() *installation {
	i.t.Helper()
	other := bare(i.t)
	other.now = i.now
	key := filepath.Join(i.dir, "instance", "archive.key")
	other.write("instance/codex.conf", i.read("instance/codex.conf")+"[archive]\nkey_file = "+key+"\n")
	return other
}

// process is a codex serve in a process of its own.
type process struct {
	*exec.Cmd
	archive        string // where it serves
	stdout, stderr *lockedBuffer
}

// start starts codex serve and returns when it listens. What is not killed is when the test ends.
func (i *installation) start() *process {
	i.t.Helper()
	program, err := os.Executable()
	if err != nil {
		i.t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(i.t.Context(), program, "serve"), stdout: &lockedBuffer{}, stderr: &lockedBuffer{}}
	p.Dir, p.Env = i.dir, []string{asProgram + "=1", unscheduled, "PATH=" + os.Getenv("PATH")}
	p.Stdout, p.Stderr = p.stdout, p.stderr
	if err := p.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(p.kill)
	line := regexp.MustCompile(`archive +(http://\S+)/\n`)
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if m := line.FindStringSubmatch(p.stdout.String()); m != nil {
			p.archive = m[1]
			return p
		}
	}
	i.t.Fatalf("codex serve does not listen\n%s%s", p.stdout, p.stderr)
	return nil
}

// kill is kill -9; a second one finds nobody.
func (p *process) kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait() // it was killed: an error
	}
}

// billOf is the body of a bill with random lines, of random length.
func billOf(t testing.TB, random *rand.Rand, invoice string) string {
	t.Helper()
	type line struct {
		LineType string  `json:"line_type"`
		ItemName string  `json:"item_name"`
		Quantity float64 `json:"quantity"`
		Rate     float64 `json:"rate"`
		Amount   float64 `json:"amount"`
	}
	lines := make([]line, random.IntN(60))
	names := make([]string, len(lines))
	total, csv := 0.0, "InvoiceNo,Customer,InvoiceDate,DueDate,Item(Product/Service),Description,Qty,Rate,Amount\r\n"
	for n := range lines {
		rate := float64(random.IntN(20_000)) / 100
		names[n] = fmt.Sprintf("PC-%d", random.IntN(1_000_000))
		lines[n] = line{"asset", names[n], 1, rate, rate}
		total += rate
		csv += fmt.Sprintf("%s,Example,2025-09-30,2025-10-30,%s,,1,%.2f,%.2f\r\n", invoice, names[n], rate, rate)
	}
	body, err := json.Marshal(map[string]any{
		"company_account_number": "620547", "billing_year": 2025, "billing_month": 9, "invoice_number": invoice,
		"total_amount": total, "billing_data_json": map[string]any{"assets": names}, "invoice_csv": csv, "line_items": lines,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// kept is what an archive has of each bill, by its invoice number and revision.
type kept map[string]int

// evidence reads a whole archive at one instant, and computes it anew: every leaf's place, every hash and
// head of the tree; that each bill has its leaf, its contents and its lines, and that nothing is there
// of a bill that is not. Commitments are opened of bills from the id on.
func evidence(t *testing.T, db *store.DB, from int) kept {
	t.Helper()
	bills := kept{}
	err := db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		leaves := recomputed(ctx, t, tx)
		contents, lines := 0, 0
		rows := tx.Ent().Snapshot.Query().AllX(ctx)
		for _, row := range rows {
			leaf, ok := leaves[row.LeafIndex].(proof.Bill)
			if !ok || leaf.SnapshotID != int64(row.ID) || leaf.InvoiceNumber != row.InvoiceNumber || leaf.TotalAmount != row.TotalAmountCents {
				t.Errorf("bill %d and its leaf %d are two: %+v", row.ID, row.LeafIndex, leaf)
			}
			bills[fmt.Sprint(row.InvoiceNumber, " ", row.Revision)]++
			contents += len(leaf.Commitments)
			if row.ID >= from {
				lines += opened(ctx, t, tx, row, leaf)
			}
		}
		if len(rows) != len(leaves) {
			t.Errorf("%d bills and %d leaves", len(rows), len(leaves))
		}
		if n := tx.Ent().SnapshotContent.Query().CountX(ctx); n != contents {
			t.Errorf("%d contents, and %d are committed to", n, contents)
		}
		if n := tx.Ent().SnapshotItem.Query().CountX(ctx); from <= 1 && n != lines {
			t.Errorf("%d lines, and %d are committed to", n, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bills
}

// recomputed are the leaves of the log by their places; every hash of its tree is computed from them.
func recomputed(ctx context.Context, t *testing.T, tx *store.Tx) map[int64]proof.Leaf {
	t.Helper()
	rows := tx.Ent().LogLeaf.Query().Order(logleaf.ByID()).AllX(ctx)
	heads := tx.Ent().LogHead.Query().Order(loghead.ByID()).AllX(ctx)
	hashes := tx.Ent().LogHash.Query().Order(loghash.ByID()).AllX(ctx)
	if len(heads) != len(rows) || int64(len(hashes)) != tlog.StoredHashCount(int64(len(rows))) {
		t.Fatalf("%d leaves, %d heads, %d hashes", len(rows), len(heads), len(hashes))
	}
	var memory proof.Memory
	leaves := map[int64]proof.Leaf{}
	for n, row := range rows {
		leaf, err := proof.DecodeLeaf([]byte(row.Leaf))
		if err != nil {
			t.Fatal(err)
		}
		leaves[row.ID] = leaf
		added, err := proof.Append(ctx, memory, int64(n), proof.LeafHash([]byte(row.Leaf)))
		if err == nil {
			err = memory.Store(added.Stored)
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.ID != int64(n) || heads[n].ID != added.Size || heads[n].Root != added.Root.String() {
			t.Errorf("leaf %d is at %d, and the head behind it is %d %s, not %s", n, row.ID, heads[n].ID, heads[n].Root, added.Root)
		}
	}
	for n, hash := range memory {
		if hashes[n].ID != int64(n) || hashes[n].Hash != hash.String() {
			t.Errorf("hash %d of the tree is %s, not %s", n, hashes[n].Hash, hash)
		}
	}
	return leaves
}

// opened opens the commitments of a bill, and tells how many lines it has.
func opened(ctx context.Context, t *testing.T, tx *store.Tx, row *ent.Snapshot, leaf proof.Bill) (lines int) {
	t.Helper()
	for _, content := range tx.Ent().SnapshotContent.Query().Where(snapshotcontent.SnapshotID(row.ID)).AllX(ctx) {
		salt, err := proof.ParseSalt(content.Salt)
		if err != nil {
			t.Fatal(err)
		}
		name := proof.Committed(content.Name)
		if proof.Commit(name, salt, []byte(content.Content)) != leaf.Commitments[name] {
			t.Errorf("the commitment to %s of bill %d does not open", name, row.ID)
		}
		if name == proof.LineItems {
			items, err := proof.DecodeLines([]byte(content.Content))
			if err != nil {
				t.Fatal(err)
			}
			lines = len(items)
		}
	}
	return lines
}

// numbers are the invoice numbers and revisions of bills, in order.
func (k kept) numbers() []string {
	var numbers []string
	for number, n := range k {
		for range n {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}
