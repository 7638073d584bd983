package audit_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent/loghash"
	"github.com/hivematrix/codex/store"
)

// backup copies all tables of evidence, and gives what brings them back, as a restore does.
func (w *world) backup(t *testing.T) (restore func()) {
	t.Helper()
	for _, table := range store.AppendOnlyTables() {
		w.exec(t, "CREATE TABLE old_"+table+" AS SELECT * FROM "+table)
	}
	return func() {
		for _, table := range store.AppendOnlyTables() {
			w.exec(t, "DELETE FROM "+table)
			w.exec(t, "INSERT INTO "+table+" SELECT * FROM old_"+table)
		}
	}
}

// log appends a leaf alone, as somebody does who goes past the archive.
func (w *world) log(t *testing.T, leaf proof.Leaf) int64 {
	t.Helper()
	text, err := proof.EncodeLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	index := int64(w.db.Ent().LogLeaf.Query().CountX(t.Context()))
	w.appendLeaf(t, index, text)
	return index
}

func (w *world) appendLeaf(t *testing.T, index int64, text []byte) {
	t.Helper()
	hashes := proof.Memory{}
	for _, stored := range w.db.Ent().LogHash.Query().Order(loghash.ByID()).AllX(t.Context()) {
		hash, err := tlog.ParseHash(stored.Hash)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	added, err := proof.Append(t.Context(), hashes, index, proof.LeafHash(text))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := proof.DecodeLeaf(text)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, func(ctx context.Context, tx *store.Tx) error {
		tx.Ent().LogLeaf.Create().SetID(index).SetLeaf(string(text)).ExecX(ctx)
		for _, stored := range added.Stored {
			tx.Ent().LogHash.Create().SetID(stored.Index).SetHash(stored.Hash.String()).ExecX(ctx)
		}
		tx.Ent().LogHead.Create().SetID(added.Size).SetRoot(added.Root.String()).SetAppendedAt(logged(leaf)).ExecX(ctx)
		return nil
	})
}

func logged(leaf proof.Leaf) time.Time {
	switch leaf := leaf.(type) {
	case proof.Bill:
		return leaf.LoggedAt
	case proof.Reopening:
		return leaf.LoggedAt
	case proof.Closing:
		return leaf.LoggedAt
	case proof.Redaction:
		return leaf.LoggedAt
	case proof.NewEpoch:
		return leaf.LoggedAt
	}
	return time.Time{}
}

// forge makes the whole tree anew with another leaf in it, so that the database agrees with itself.
func (w *world) forge(t *testing.T, index int64, change func(leaf proof.Bill) proof.Bill) {
	t.Helper()
	var texts [][]byte
	for i := range w.db.Ent().LogLeaf.Query().CountX(t.Context()) {
		texts = append(texts, []byte(w.db.Ent().LogLeaf.GetX(t.Context(), int64(i)).Leaf))
	}
	leaf, err := proof.DecodeLeaf(texts[index])
	if err != nil {
		t.Fatal(err)
	}
	if texts[index], err = proof.EncodeLeaf(change(leaf.(proof.Bill))); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"log_leaves", "log_hashes", "log_heads"} {
		w.exec(t, "DELETE FROM "+table)
	}
	for i, text := range texts {
		w.appendLeaf(t, int64(i), text)
	}
}

func TestAnOlderCopyOfABillIsNamedColumnByColumn(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		// The second revision's row, contents and lines become those of the first one.
		w.exec(t, "UPDATE snapshots SET (total_amount_cents, archived_at, revision) = (SELECT total_amount_cents, archived_at, 2 FROM snapshots WHERE id = 1) WHERE id = 3")
		w.exec(t, "UPDATE snapshot_contents SET (salt, content) = (SELECT salt, content FROM snapshot_contents AS old WHERE old.id = 13) WHERE id = 33")
		w.exec(t, "UPDATE snapshot_items SET amount_cents = (SELECT amount_cents FROM snapshot_items AS old WHERE old.id = 100002) WHERE id = 300002")
		altered := []audit.Kind{audit.Altered}
		w.names(t, "an older copy", audit.Options{},
			about{altered, "snapshots", "3", "total_amount_cents"}, about{altered, "snapshots", "3", "archived_at"},
			about{altered, "snapshot_contents", "33", "content"}, about{altered, "snapshot_items", "300002", "amount_cents"})
		for _, f := range w.verify(t, audit.Options{}).Findings {
			if f.Kind == audit.Altered && (f.Invoice != first || f.Revision != 2) {
				t.Errorf("%s names no bill", f)
			}
			if f.Column == "total_amount_cents" && (f.Stands != "27358" || f.Logged != "28000") {
				t.Errorf("%s", f)
			}
		}
	})
}

func TestAnOlderCopyOfTheDatabaseIsToldByACheckpoint(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := begin(t, dialectName)
		w.accept(t, full("other", 1))
		w.accept(t, bare(second))
		restoreTwo := w.backup(t)
		w.early2(t)
		for _, table := range store.AppendOnlyTables() {
			w.exec(t, "ALTER TABLE old_"+table+" RENAME TO older_"+table)
		}
		restoreFour := w.backup(t)
		w.late(t)
		newest, ofFour := w.signed[7], w.signed[4]
		w.unprotect(t)

		restoreFour()
		equalLines(t, "without a checkpoint an older copy is fine", told(w.verify(t, audit.Options{})), nil)
		equalLines(t, "an older copy of an earlier epoch", told(w.verify(t, audit.Options{Against: newest, Key: w.key})), []string{
			"behind: log_leaves: the log checkpoint is of epoch 2, the database of epoch 1: it is an older copy",
		})
		if report := w.verify(t, audit.Options{Against: ofFour, Key: w.key}); !report.Against.Proven || len(told(report)) > 0 {
			t.Errorf("the copy does not begin with itself: %v", told(report))
		}

		for _, table := range store.AppendOnlyTables() {
			w.exec(t, "DROP TABLE old_"+table)
			w.exec(t, "ALTER TABLE older_"+table+" RENAME TO old_"+table)
		}
		restoreTwo()
		equalLines(t, "an older copy", told(w.verify(t, audit.Options{Against: ofFour, Key: w.key})), []string{
			"behind: log_leaves 2 to 3: the log checkpoint has 4 leaves, the database 2: it is an older copy, or its end was taken away",
		})

		// Somebody goes on from the copy, without the checkpoint that would have stopped it.
		if err := os.Remove(w.outside); err != nil {
			t.Fatal(err)
		}
		w.accept(t, bare("other-1"))
		w.accept(t, bare("other-2"))
		equalLines(t, "a copy that went on", told(w.verify(t, audit.Options{Against: ofFour, Key: w.key})), []string{
			"diverged: log_leaves 0 to 3: the tree of 4 leaves is not the one that was signed then: one of them was altered, added or taken away since",
		})
	})
}

// early2 are two more leaves.
func (w *world) early2(t *testing.T) {
	t.Helper()
	w.reopen(t, "other")
	w.accept(t, full("other", 2))
}

func TestACheckpointOfALostEndIsTold(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		lost := []byte(w.db.Ent().LogEpoch.GetX(t.Context(), 2).LostCheckpoint)
		equalLines(t, "the checkpoint behind which an epoch began", told(w.verify(t, audit.Options{Against: lost, Key: w.key})), []string{
			"missing: log_leaves 6 to 7: epoch 2 began behind an older copy of the database, which had 6 leaves: what the log checkpoint had beyond them is lost, as leaf 6 says",
		})
	})
}

func TestAForgedTreeIsToldByWhatWasSigned(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		w.forge(t, 1, func(leaf proof.Bill) proof.Bill {
			leaf.TotalAmount = 1
			return leaf
		})
		w.exec(t, "UPDATE snapshots SET total_amount_cents = 1 WHERE id = 2")
		equalLines(t, "a tree that agrees with itself", told(w.verify(t, audit.Options{})), []string{
			"altered: log_leaves 1: among these leaves is one that was altered, added or taken away: " +
				"the tree of 2 leaves is not the one that was signed (log checkpoint 2)",
		})
		w.exec(t, "DELETE FROM log_checkpoints")
		w.exec(t, "DELETE FROM log_keys")
		equalLines(t, "nothing signed is left in it", told(w.verify(t, audit.Options{})), nil)
		equalLines(t, "somebody has a checkpoint", told(w.verify(t, audit.Options{Against: w.signed[5], Key: w.key})), []string{
			"missing: log_keys 1: the log has a key, and there is no row of it",
			"diverged: log_leaves 0 to 4: the tree of 5 leaves is not the one that was signed then: one of them was altered, added or taken away since",
		})
	})
}

func TestALeafAndItsHashThatWereChangedTogetherAreNamed(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		text := strings.Replace(w.db.Ent().LogLeaf.GetX(t.Context(), 2).Leaf, "the rate was wrong", "the rate was right", 1)
		w.exec(t, "UPDATE log_leaves SET leaf = $1 WHERE leaf_index = 2", text)
		w.exec(t, "UPDATE log_hashes SET hash = $1 WHERE hash_index = 3", proof.LeafHash([]byte(text)).String())
		named := false
		for _, f := range w.verify(t, audit.Options{}).Findings {
			named = named || f.Kind == audit.Altered && f.Table == "log_leaves" && f.Row == "2" && f.Column == "leaf"
		}
		if !named {
			t.Errorf("it says %v", told(w.verify(t, audit.Options{})))
		}
	})
}

func TestLeavesThatAreGoneWithTheirHashesProveNothing(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		w.exec(t, "DELETE FROM log_leaves WHERE leaf_index = 2")
		w.exec(t, "DELETE FROM log_hashes WHERE hash_index = 3")
		equalLines(t, "one leaf", told(w.verify(t, audit.Options{})), []string{
			"missing: log_leaves 2 (bill " + first + ", revision 1): the log tells of it, and there is no such row",
		})
	})
	t.Run("a thousand", func(t *testing.T) {
		w := begin(t, "sqlite3")
		grow(t, w.db, 1_700)
		w.unprotect(t)
		w.exec(t, "DELETE FROM log_leaves WHERE leaf_index BETWEEN 512 AND 1599")
		w.exec(t, "DELETE FROM log_hashes WHERE hash_index BETWEEN 1023 AND 3180")
		w.exec(t, "UPDATE snapshots SET company_name = 'x' WHERE id IN (7, 700, 1650)")
		equalLines(t, "a thousand leaves", told(w.verify(t, audit.Options{})), []string{
			`altered: snapshots 7 (bill 7-202510, revision 1), company_name: it is not what was logged (it is "x", and was "Example Ltd")`,
			"missing: log_leaves 512 to 1599: these leaves and their hashes are gone, so nothing is proven of what comes after",
			`altered: snapshots 1650 (bill 1650-202510, revision 1), company_name: it is not what was logged (it is "x", and was "Example Ltd")`,
		})
	})
}

func TestAnEndThatWasTakenAwayIsToldByWhatWasSigned(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		// The last event, with all that the log has of it.
		for _, statement := range []string{
			"DELETE FROM log_leaves WHERE leaf_index = 8", "DELETE FROM log_hashes WHERE hash_index >= 15", "DELETE FROM log_heads WHERE size = 9",
			"DELETE FROM bill_events WHERE leaf_index = 8",
		} {
			w.exec(t, statement)
		}
		equalLines(t, "the last event is gone", told(w.verify(t, audit.Options{})), []string{
			"missing: log_leaves 8: the log checkpoint 9 was signed over 9 leaves, and the log has 8: its end was taken away",
		})
	})
}

func TestAnotherKeyIsToldByTheOneThatIsTrusted(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		secret, forged, err := proof.GenerateKey(&salts{at: 5000}, w.key.Origin())
		if err != nil {
			t.Fatal(err)
		}
		signing, err := proof.ParseSigningKey(secret)
		if err != nil {
			t.Fatal(err)
		}
		w.exec(t, "UPDATE log_keys SET verifier_key = $1", forged.String())
		if got := told(w.verify(t, audit.Options{Against: w.signed[9]})); !slices.ContainsFunc(got, func(line string) bool {
			return strings.HasPrefix(line, "diverged: log_keys 1, verifier_key: the log checkpoint that it is compared with was signed with another key")
		}) {
			t.Errorf("it says %v", got)
		}
		for _, row := range w.db.Ent().LogCheckpoint.Query().AllX(t.Context()) {
			opened, err := proof.OpenCheckpoint([]byte(row.Note), w.key)
			if err != nil {
				t.Fatal(err)
			}
			note, err := proof.SignCheckpoint(opened, signing)
			if err != nil {
				t.Fatal(err)
			}
			w.exec(t, "UPDATE log_checkpoints SET note = $1 WHERE id = $2", string(note), row.ID)
		}
		equalLines(t, "all was signed anew", told(w.verify(t, audit.Options{})), nil)
		got := told(w.verify(t, audit.Options{Key: w.key}))
		if len(got) != 10 || !strings.HasPrefix(got[0], "altered: log_checkpoints 1, note: it is no log checkpoint that the log's key signed") ||
			!strings.HasPrefix(got[9], "altered: log_keys 1, verifier_key: it is not what was logged") {
			t.Errorf("it says %s", strings.Join(got, "\n"))
		}
	})
}

func TestRedactedContentsAreRedactedAndNotAltered(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		w.unprotect(t)
		w.exec(t, "DELETE FROM snapshot_contents WHERE id IN (11, 15)")
		w.exec(t, "UPDATE snapshot_contents SET salt = '', content = '' WHERE id = 14")
		w.names(t, "before the log says so", audit.Options{}, about{[]audit.Kind{audit.Missing}, "snapshot_contents", "11", ""},
			about{[]audit.Kind{audit.Missing}, "snapshot_contents", "15", ""}, about{[]audit.Kind{audit.Altered}, "snapshot_contents", "14", "salt"})
		at := w.log(t, proof.Redaction{
			LeafIndex: 0, InvoiceNumber: first, Revision: 1, Redacted: []proof.Committed{proof.BillingData, proof.CSV, proof.LineItems, proof.Notes},
			Reason: "a court said so", By: "admin@example.com", LoggedAt: w.db.Now(),
		})
		report := w.verify(t, audit.Options{})
		redacted := func(row, name string) string {
			return fmt.Sprintf("redacted: snapshot_contents %s (bill %s, revision 1): its %s was erased, as leaf %d says", row, first, name, at)
		}
		equalLines(t, "when the log says so", told(report), []string{
			redacted("11", "billing_data"), redacted("13", "csv"),
			"added: snapshot_contents 13 (bill " + first + ", revision 1): the log says that it was erased, and it stands here",
			redacted("14", "line_items"),
			"added: snapshot_items 100001 to 100003 (bill " + first + ", revision 1): the log says that the lines of the bill were erased, and rows of them stand here",
			redacted("15", "notes"),
		})
		w.exec(t, "DELETE FROM snapshot_contents WHERE id = 13")
		w.exec(t, "DELETE FROM snapshot_items WHERE snapshot_id = 1")
		report = w.verify(t, audit.Options{Against: w.signed[9], Key: w.key})
		if len(told(report)) != 4 || report.Redactions != 1 || report.Failures() != 30 { // the triggers, three of each table
			t.Errorf("%v, %d failures", told(report), report.Failures())
		}
	})
}

func TestALogThatBreaksItsRulesIsNamed(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		leaf, err := proof.DecodeLeaf([]byte(w.db.Ent().LogLeaf.GetX(t.Context(), 1).Leaf))
		if err != nil {
			t.Fatal(err)
		}
		again := leaf.(proof.Bill)
		again.Revision, again.SnapshotID = 3, 9
		again.InvoiceNumber = third
		w.log(t, again)
		w.log(t, proof.Closing{InvoiceNumber: third, Revision: 3, By: "x", LoggedAt: w.db.Now()})
		w.log(t, proof.Reopening{InvoiceNumber: "who", Revision: 1, Reason: "x", By: "x", LoggedAt: w.db.Now()})
		w.log(t, proof.Redaction{LeafIndex: 2, InvoiceNumber: first, Revision: 1, Redacted: []proof.Committed{proof.CSV}, Reason: "x", By: "x", LoggedAt: w.db.Now()})
		var disordered []string
		for _, f := range w.verify(t, audit.Options{}).Findings {
			if f.Kind == audit.Disordered {
				disordered = append(disordered, f.String())
			}
		}
		equalLines(t, "the log", disordered, []string{
			"disordered: log_leaves 9 (bill 620547-x, revision 3): revision 1 came before it",
			"disordered: log_leaves 10 (bill 620547-x, revision 3): the bill stood so already",
			"disordered: log_leaves 11 (bill who, revision 1): the newest revision was 0",
			"disordered: log_leaves 12: leaf 2, which it is about, commits to no csv",
		})
	})
}
