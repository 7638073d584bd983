package proof_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"

	"github.com/hivematrix/codex/archive/proof"
)

// independent computes roots by github.com/transparency-dev/merkle, which shares no code with ours.
type independent struct{ leaves [][]byte }

func (i independent) root(t rapid.TB, size int64) []byte {
	t.Helper()
	hasher := rfc6962.DefaultHasher
	if size == 0 {
		return hasher.EmptyRoot()
	}
	tree := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	for _, leaf := range i.leaves[:size] {
		if err := tree.Append(hasher.HashLeaf(leaf), nil); err != nil {
			t.Fatal(err)
		}
	}
	root, err := tree.GetRootHash(nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// anyTree is a tree that was grown in batches, and the leaves that are in it.
func anyTree(t *rapid.T) (independent, proof.Memory) {
	var leaves independent
	var stored proof.Memory
	for batch := range rapid.IntRange(1, 6).Draw(t, "batches") {
		var hashes []proof.Hash
		size := int64(len(leaves.leaves))
		for n := range rapid.IntRange(0, 40).Draw(t, "batch") {
			leaf := fmt.Appendf(nil, "leaf %d of batch %d", n, batch)
			leaves.leaves = append(leaves.leaves, leaf)
			hashes = append(hashes, proof.LeafHash(leaf))
		}
		added, err := proof.Append(context.Background(), stored, size, hashes...)
		if err != nil {
			t.Fatal(err)
		}
		if err := stored.Store(added.Stored); err != nil {
			t.Fatal(err)
		}
		if want := leaves.root(t, added.Size); !slices.Equal(added.Root[:], want) {
			t.Fatalf("the root of %d leaves is %x, not %x", added.Size, added.Root, want)
		}
	}
	return leaves, stored
}

func bytesOf(hashes []proof.Hash) [][]byte {
	all := make([][]byte, len(hashes))
	for i, hash := range hashes {
		all[i] = hash[:]
	}
	return all
}

func TestAnIndependentImplementationComputesTheSameRoots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves, stored := anyTree(t)
		size := rapid.Int64Range(0, int64(len(leaves.leaves))).Draw(t, "size")
		root, err := proof.Root(context.Background(), stored, size)
		if err != nil {
			t.Fatal(err)
		}
		if want := leaves.root(t, size); !slices.Equal(root[:], want) {
			t.Fatalf("the root of %d leaves is %x, not %x", size, root, want)
		}
	})
}

func TestAnIndependentImplementationVerifiesOurInclusionProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves, stored := anyTree(t)
		if len(leaves.leaves) == 0 {
			return
		}
		size := rapid.Int64Range(1, int64(len(leaves.leaves))).Draw(t, "size")
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		hashes, err := proof.ProveInclusion(context.Background(), stored, size, index)
		if err != nil {
			t.Fatal(err)
		}
		hasher, root := rfc6962.DefaultHasher, leaves.root(t, size)
		leaf := hasher.HashLeaf(leaves.leaves[index])
		if err := merkle.VerifyInclusion(hasher, uint64(index), uint64(size), leaf, bytesOf(hashes), root); err != nil {
			t.Fatalf("the other one says %v", err)
		}
		checkpoint := proof.Checkpoint{Size: size, Root: proof.Hash(root)}
		if err := proof.CheckInclusion(checkpoint, index, proof.Hash(leaf), hashes); err != nil {
			t.Fatalf("ours says %v", err)
		}

		// Both verifiers agree on every proof that is not quite one.
		otherIndex := rapid.Int64Range(0, size-1).Draw(t, "another index")
		otherHashes := tampered(t, hashes)
		theirs := merkle.VerifyInclusion(hasher, uint64(otherIndex), uint64(size), leaf, bytesOf(otherHashes), root)
		ours := proof.CheckInclusion(checkpoint, otherIndex, proof.Hash(leaf), otherHashes)
		if (theirs == nil) != (ours == nil) {
			t.Fatalf("the other one says %v, ours %v", theirs, ours)
		}
		if ours == nil && (otherIndex != index || !slices.Equal(hashes, otherHashes)) {
			t.Fatal("another proof was as good")
		}
	})
}

func TestAnIndependentImplementationVerifiesOurConsistencyProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves, stored := anyTree(t)
		newer := rapid.Int64Range(0, int64(len(leaves.leaves))).Draw(t, "newer")
		older := rapid.Int64Range(0, newer).Draw(t, "older")
		hashes, err := proof.ProveConsistency(context.Background(), stored, older, newer)
		if err != nil {
			t.Fatal(err)
		}
		hasher := rfc6962.DefaultHasher
		from := proof.Checkpoint{Epoch: 1, Size: older, Root: proof.Hash(leaves.root(t, older))}
		to := proof.Checkpoint{Epoch: 1, Size: newer, Root: proof.Hash(leaves.root(t, newer))}
		theirs := merkle.VerifyConsistency(hasher, uint64(older), uint64(newer), bytesOf(hashes), from.Root[:], to.Root[:])
		if theirs != nil {
			t.Fatalf("the other one says %v", theirs)
		}
		if err := proof.CheckConsistency(from, to, hashes); err != nil {
			t.Fatalf("ours says %v", err)
		}

		otherHashes := tampered(t, hashes)
		theirs = merkle.VerifyConsistency(hasher, uint64(older), uint64(newer), bytesOf(otherHashes), from.Root[:], to.Root[:])
		ours := proof.CheckConsistency(from, to, otherHashes)
		if (theirs == nil) != (ours == nil) {
			t.Fatalf("the other one says %v, ours %v", theirs, ours)
		}
		if ours == nil && !slices.Equal(hashes, otherHashes) {
			t.Fatal("another proof was as good")
		}
		if older > 0 {
			from.Root[0] ^= 1
			if proof.CheckConsistency(from, to, hashes) == nil {
				t.Fatal("another older tree was as good")
			}
		}
	})
}

// tampered is hashes with one changed, left out, put in or exchanged, or as they are.
func tampered(t *rapid.T, hashes []proof.Hash) []proof.Hash {
	other := slices.Clone(hashes)
	at := 0
	if len(other) > 0 {
		at = rapid.IntRange(0, len(other)-1).Draw(t, "at")
	}
	switch how := rapid.SampledFrom([]string{"not", "changed", "left out", "put in", "exchanged"}).Draw(t, "tampered"); {
	case how == "put in":
		other = slices.Insert(other, at, proof.Hash{1})
	case len(other) == 0:
	case how == "changed":
		other[at][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
	case how == "left out":
		other = slices.Delete(other, at, at+1)
	case how == "exchanged":
		other[0], other[at] = other[at], other[0]
	}
	return other
}

// counting counts reads of what is stored.
type counting struct {
	proof.Memory
	reads, hashes int
}

func (c *counting) ReadHashes(ctx context.Context, indexes []int64) ([]proof.Hash, error) {
	c.reads++
	c.hashes += len(indexes)
	return c.Memory.ReadHashes(ctx, indexes)
}

// A thousand bills that are imported together must not cost a thousand times the reads of one.
func TestABatchReadsWhatIsStoredNoMoreThanTheEdgeOfTheTree(t *testing.T) {
	const size = 1000 // 1111101000: six whole subtrees
	grow := func(stored proof.HashReader, size int64, more int) proof.Appended {
		added, err := proof.Append(t.Context(), stored, size, make([]proof.Hash, more)...)
		if err != nil {
			t.Fatal(err)
		}
		return added
	}
	stored := &counting{}
	if err := stored.Store(grow(stored, 0, size).Stored); err != nil {
		t.Fatal(err)
	}
	if stored.reads != 0 {
		t.Errorf("an empty tree was read %d times", stored.reads)
	}
	grow(stored, size, 5000)
	if stored.reads > 6 || stored.hashes > 6 {
		t.Errorf("a batch took %d reads of %d hashes", stored.reads, stored.hashes)
	}
	stored.reads = 0
	grow(stored, size, 1)
	if stored.reads > 2 {
		t.Errorf("one leaf took %d reads", stored.reads)
	}
}

type failing struct{ err error }

func (f failing) ReadHashes(context.Context, []int64) ([]proof.Hash, error) { return nil, f.err }

func TestStorageThatFailsOrAnswersShortIsAnError(t *testing.T) {
	disk := errors.New("no such disk")
	for name, stored := range map[string]proof.HashReader{"fails": failing{disk}, "answers short": failing{}} {
		t.Run(name, func(t *testing.T) {
			var failures []error
			_, err := proof.Append(t.Context(), stored, 3, proof.Hash{})
			failures = append(failures, err)
			_, err = proof.Root(t.Context(), stored, 3)
			failures = append(failures, err)
			_, err = proof.ProveInclusion(t.Context(), stored, 3, 1)
			failures = append(failures, err)
			_, err = proof.ProveConsistency(t.Context(), stored, 2, 3)
			failures = append(failures, err)
			for i, err := range failures {
				if err == nil || name == "fails" && !errors.Is(err, disk) {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
}

func TestNoTreeIsAskedForBeyondItsBounds(t *testing.T) {
	stored := proof.Memory{proof.Hash{}}
	for name, call := range map[string]func() error{
		"append to less than nothing": func() error { _, err := proof.Append(t.Context(), stored, -1); return err },
		"append beyond all bounds":    func() error { _, err := proof.Append(t.Context(), stored, proof.MaxSize, proof.Hash{}); return err },
		"append behind what there is": func() error { _, err := proof.Append(t.Context(), stored, 7, proof.Hash{}); return err },
		"root of less than nothing":   func() error { _, err := proof.Root(t.Context(), stored, -1); return err },
		"root beyond all bounds":      func() error { _, err := proof.Root(t.Context(), stored, 1<<62); return err },
		"leaf before the first":       func() error { _, err := proof.ProveInclusion(t.Context(), stored, 1, -1); return err },
		"leaf behind the last":        func() error { _, err := proof.ProveInclusion(t.Context(), stored, 1, 1); return err },
		"leaf beyond all bounds":      func() error { _, err := proof.ProveInclusion(t.Context(), stored, 1<<62, 1); return err },
		"older than newer":            func() error { _, err := proof.ProveConsistency(t.Context(), stored, 1, 0); return err },
		"older than nothing":          func() error { _, err := proof.ProveConsistency(t.Context(), stored, -1, 0); return err },
		"newer beyond all bounds":     func() error { _, err := proof.ProveConsistency(t.Context(), stored, 1, 1<<62); return err },
		"check before the first": func() error {
			return proof.CheckInclusion(proof.Checkpoint{Size: 1}, -1, proof.Hash{}, nil)
		},
		"check beyond all bounds": func() error {
			return proof.CheckInclusion(proof.Checkpoint{Size: 1<<63 - 1}, 0, proof.Hash{}, make([]proof.Hash, 62))
		},
		"consistency beyond all bounds": func() error {
			return proof.CheckConsistency(proof.Checkpoint{Size: 1}, proof.Checkpoint{Size: 1<<63 - 1}, make([]proof.Hash, 62))
		},
		"store with a gap": func() error { return new(proof.Memory).Store([]proof.StoredHash{{Index: 1}}) },
	} {
		t.Run(name, func(t *testing.T) {
			if call() == nil {
				t.Error("it was done")
			}
		})
	}
}
