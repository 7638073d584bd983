package archive_test

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestAProofHoldsTheContentsThatAreAskedForAndNothingOfTheOthers(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		accept(t, a, bill(t))
		key, err := a.VerifierKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		contents := map[proof.Committed][]byte{}
		for _, row := range db.Ent().SnapshotContent.Query().AllX(t.Context()) {
			contents[proof.Committed(row.Name)] = []byte(row.Content)
		}
		for _, c := range []struct {
			name           string
			enclose        []proof.Committed
			shown          []proof.Committed
			opened, salted string
		}{
			{name: "the leaf alone", opened: "[]", salted: "[csv]"},
			{name: "the CSV that the customer has", shown: []proof.Committed{proof.CSV}, opened: "[csv]", salted: "[csv]"},
			{name: "two contents", enclose: []proof.Committed{proof.LineItems, proof.Body}, opened: "[body line_items]", salted: "[body csv line_items]"},
			{name: "all", enclose: []proof.Committed{proof.BillingData, proof.Body, proof.CSV, proof.LineItems}, opened: "[billing_data body csv line_items]", salted: "[billing_data body csv line_items]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				p, err := a.Prove(t.Context(), invoice, 1, c.enclose...)
				if err != nil {
					t.Fatal(err)
				}
				shown := map[proof.Committed][]byte{}
				for _, name := range c.shown {
					shown[name] = contents[name]
				}
				verified, err := proof.VerifyProof(p.File, key, shown)
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(verified.Opened); got != c.opened {
					t.Errorf("it opens %s, want %s", got, c.opened)
				}
				file, err := proof.DecodeFile(p.File)
				if err != nil {
					t.Fatal(err)
				}
				var salted []string
				for name := range file.Openings {
					salted = append(salted, string(name))
				}
				slices.Sort(salted)
				if got := fmt.Sprint(salted); got != c.salted {
					t.Errorf("it has the salts of %s, want %s", got, c.salted)
				}
				if string(file.Leaf) != p.Leaf || string(file.Checkpoint) != p.Checkpoint || file.Index != p.LeafIndex || !slices.Equal(file.Inclusion, p.Hashes) {
					t.Errorf("the file and its parts differ: %+v", p)
				}
			})
		}
	})
}

func TestWhatCannotBeProvenIsSaid(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		accept(t, a, bill(t))
		_, err := a.Prove(t.Context(), "nobody's", 0)
		refused(t, err, codex.CodeNotFound, "Snapshot not found")
		_, err = a.Prove(t.Context(), invoice, 2)
		refused(t, err, codex.CodeNotFound, "Snapshot not found")
		_, err = a.Prove(t.Context(), invoice, 0, proof.Notes)
		refused(t, err, codex.CodeBadInput, "enclose: the bill has no notes")
		_, err = a.Prove(t.Context(), invoice, 0, "salary")
		refused(t, err, codex.CodeBadInput, `enclose: there is no content "salary": it is one of [billing_data body csv line_items notes]`)

		if _, err := a.Reopen(t.Context(), invoice, "wrong", ledger()); err != nil {
			t.Fatal(err)
		}
		_, err = a.Prove(t.Context(), invoice, 0)
		refused(t, err, codex.CodeNotFound, "Snapshot not found")
		if p, err := a.Prove(t.Context(), invoice, 1); err != nil || p.LeafIndex != 0 {
			t.Errorf("the revision that is open: %v, %v", p, err)
		}
		accept(t, a, bill(t))
		if p, err := a.Prove(t.Context(), invoice, 0); err != nil || p.LeafIndex != 2 || !strings.Contains(p.Leaf, `"revision":2`) {
			t.Errorf("the next revision: %v, %v", p, err)
		}
	})
}

func TestWhatWasAlteredIsNotProven(t *testing.T) {
	for _, c := range []struct{ name, table, statement, message string }{
		{
			"the leaf", "log_leaves", "UPDATE log_leaves SET leaf = replace(leaf, '273.58', '73.58')",
			"the archived bill does not stand in the log as it was signed: the database was altered (codex archive verify tells where)",
		},
		{
			"the CSV", "snapshot_contents", "UPDATE snapshot_contents SET content = replace(content, '214.58', '14.58')",
			"the archived bill does not stand in the log as it was signed: the database was altered (codex archive verify tells where)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB) {
				a := open(t, db)
				accept(t, a, bill(t))
				tamper(t, db, c.table, c.statement)
				_, err := a.Prove(t.Context(), invoice, 0, proof.CSV)
				refused(t, err, codex.CodeConflict, c.message)
			})
		})
	}
}

// A proof costs the same number of statements and the logarithm of the log in hashes, however many
// bills there are.
func TestAProofReadsTheLogarithmOfTheLog(t *testing.T) {
	var statements atomic.Int64
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			db := storetest.Open(t, dialectName, storetest.Now(now), storetest.OnStatement(func(string) { statements.Add(1) }))
			a := open(t, db)
			counted := map[int]int64{}
			for n := 1; n <= 33; n++ {
				accept(t, a, bill(t, invoice, fmt.Sprintf("bill-%d", n)))
				if n != 9 && n != 33 {
					continue
				}
				statements.Store(0)
				p := prove(t, a, "bill-3")
				counted[n] = statements.Load()
				if most := bits.Len(uint(n)); len(p.Hashes) > most {
					t.Errorf("of %d leaves it takes %d hashes", n, len(p.Hashes))
				}
			}
			if counted[9] != counted[33] || counted[9] == 0 {
				t.Errorf("statements by leaves: %v", counted)
			}
		})
	}
}

// What a real archive gives is checked with code that shares none of ours: hashes and proofs by
// transparency-dev/merkle, checkpoints by Go's signed notes.
func TestOthersToolsCheckARealArchive(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		key, err := a.VerifierKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(key.String())
		if err != nil {
			t.Fatal(err)
		}
		rootOf := func(checkpoint string) (size uint64, root []byte) {
			t.Helper()
			signed, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
			if err != nil {
				t.Fatal(err)
			}
			var origin, encoded string
			if _, err := fmt.Sscanf(signed.Text, "%s\n%d\n%s\n", &origin, &size, &encoded); err != nil || origin != "codex.example.com/archive" {
				t.Fatal(signed.Text, err)
			}
			if root, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				t.Fatal(err)
			}
			return size, root
		}
		for i := range 11 {
			accept(t, a, bill(t, invoice, fmt.Sprintf("bill-%d", i)))
		}
		if _, err := a.Reopen(t.Context(), "bill-4", "wrong", ledger()); err != nil {
			t.Fatal(err)
		}
		accept(t, a, bill(t, invoice, "bill-4"))
		var last string
		for i := range 11 {
			p := prove(t, a, fmt.Sprintf("bill-%d", i))
			size, root := rootOf(p.Checkpoint)
			leaf := rfc6962.DefaultHasher.HashLeaf([]byte(p.Leaf))
			if err := merkle.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.LeafIndex), size, leaf, raw(p.Hashes), root); err != nil || size != 13 {
				t.Errorf("bill-%d: %v, %d leaves", i, err, size)
			}
			last = p.Checkpoint
		}
		newSize, newRoot := rootOf(last)
		for _, row := range storedCheckpoints(t, db) {
			size, root := rootOf(row.Note)
			p, err := a.ProveConsistency(t.Context(), row.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := merkle.VerifyConsistency(rfc6962.DefaultHasher, size, newSize, raw(p.Hashes), root, newRoot); err != nil {
				t.Errorf("from %d: %v", size, err)
			}
		}
	})
}

func raw(hashes []proof.Hash) [][]byte {
	bytes := make([][]byte, len(hashes))
	for i := range hashes {
		bytes[i] = hashes[i][:]
	}
	return bytes
}

// A superuser takes away what a proof is made of.
func TestABillWhoseHashOrSaltIsGoneIsNotProvenAndSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db)
		for _, number := range []string{"one", "two", "three"} {
			accept(t, a, bill(t, invoice, number))
		}
		const altered = "the archived bill cannot be proven as it was signed: the database was altered (codex archive verify tells where)"
		tamper(t, db, "snapshot_contents", "UPDATE snapshot_contents SET salt = 'none' WHERE snapshot_id = 2 AND name = 'csv'")
		_, err := a.Prove(t.Context(), "two", 0)
		refused(t, err, codex.CodeConflict, altered)
		tamper(t, db, "log_hashes", "UPDATE log_hashes SET hash_index = 1000 WHERE hash_index = 1")
		_, err = a.Prove(t.Context(), "one", 0)
		refused(t, err, codex.CodeConflict, altered)
		_, err = a.ProveConsistency(t.Context(), 1)
		refused(t, err, codex.CodeConflict, "that the log only grew cannot be proven: the database was altered (codex archive verify tells where)")
		tamper(t, db, "log_hashes", "UPDATE log_hashes SET hash_index = 1002 WHERE hash_index = 2")
		_, err = a.Accept(t.Context(), parse(t, bill(t, invoice, "four")), ledger())
		if reasonOf(err) != archive.StopContradicts {
			t.Errorf("it goes on: %v", err)
		}
	})
}
