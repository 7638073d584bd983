package audit

import (
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/hivematrix/codex/archive/proof"
)

// The tree of this package and that of golang.org/x/mod, by which the archive writes, are the same.
func TestTheTreeIsThatOfTheLog(t *testing.T) {
	var own tree
	var stored proof.Memory
	for i := range int64(600) {
		leaf := leafHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
		added, err := proof.Append(t.Context(), stored, i, leaf)
		if err == nil {
			err = stored.Store(added.Stored)
		}
		if err != nil {
			t.Fatal(err)
		}
		before := storedCount(i)
		grown, hashes := own.add(leaf)
		if own.size != i || len(hashes) != len(added.Stored) || storedCount(i+1) != before+int64(len(hashes)) || tlog.StoredHashCount(i+1) != storedCount(i+1) {
			t.Fatalf("leaf %d: %d hashes, want %d", i, len(hashes), len(added.Stored))
		}
		for k, hash := range hashes {
			if want := added.Stored[k]; hash != want.Hash || before+int64(k) != want.Index {
				t.Fatalf("leaf %d: hash %d is another", i, k)
			}
		}
		if own = grown; own.root() != added.Root {
			t.Fatalf("the root of %d leaves is another", own.size)
		}
	}
	if empty, _ := tlog.TreeHash(0, nil); (tree{}).root() != empty {
		t.Error("the empty tree has another root")
	}
}

func TestTheSizeOfATreeFollowsFromItsHashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, proof.MaxSize).Draw(t, "size")
		if got := sizeOf(storedCount(size)); got != size {
			t.Fatalf("%d hashes are of %d leaves, not %d", storedCount(size), got, size)
		}
		if size > 0 {
			if got := sizeOf(storedCount(size) - 1); got != size-1 {
				t.Fatalf("one hash fewer is of %d leaves, not %d", got, size-1)
			}
		}
	})
}
