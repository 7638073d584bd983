package proof

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a hash of the tree: of a leaf, of a node, of a root. Its String is standard base64.
type Hash = tlog.Hash

// MaxSize bounds a tree. It is far beyond any archive, and keeps what others hand in from sizes with
// which the arithmetic of trees would not end.
const MaxSize = 1 << 40

// LeafHash is the hash of a leaf in the tree: the SHA-256 of a zero byte and the leaf's bytes
// (RFC 6962, section 2.1).
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }

// HashReader reads stored hashes. They stand in one row of indexes without gaps, the order in which
// [Append] adds them ([tlog.StoredHashIndex] maps a node of the tree to it).
type HashReader interface {
	// ReadHashes gives the hashes at indexes, as many and in their order, or an error: one that is
	// not there is an error, never a zero hash.
	ReadHashes(ctx context.Context, indexes []int64) ([]Hash, error)
}

// StoredHash is a hash and the index at which it is to be stored.
type StoredHash struct {
	Index int64
	Hash  Hash
}

// Appended is a tree after leaves were added, and what must be stored for it.
type Appended struct {
	Size   int64
	Root   Hash
	Stored []StoredHash // without gaps, right behind what is stored already
}

// Append computes the tree of size leaves with more leaves behind them. It stores nothing: the
// caller does, in the transaction that moves the tree's head from size to the new size.
func Append(ctx context.Context, stored HashReader, size int64, leaves ...Hash) (Appended, error) {
	if size < 0 || size > MaxSize-int64(len(leaves)) {
		return Appended{}, fmt.Errorf("append %d leaves: a tree of %d leaves is none", len(leaves), size)
	}
	grown := &growing{stored: reader(ctx, stored), known: make(map[int64]Hash)}
	added := Appended{Size: size}
	for _, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(added.Size, leaf, grown)
		if err != nil {
			return Appended{}, fmt.Errorf("append leaf %d: %w", added.Size, err)
		}
		first := tlog.StoredHashIndex(0, added.Size)
		for i, hash := range hashes {
			index := first + int64(i)
			grown.known[index] = hash
			added.Stored = append(added.Stored, StoredHash{Index: index, Hash: hash})
		}
		added.Size++
	}
	root, err := tlog.TreeHash(added.Size, grown)
	if err != nil {
		return Appended{}, fmt.Errorf("compute the root of %d leaves: %w", added.Size, err)
	}
	added.Root = root
	return added, nil
}

// growing reads what is stored and what is about to be. What was read once is kept, so that a batch
// costs storage no more reads than one leaf does.
type growing struct {
	stored tlog.HashReader
	known  map[int64]Hash
}

func (g *growing) ReadHashes(indexes []int64) ([]Hash, error) {
	var missing []int64
	for _, index := range indexes {
		if _, known := g.known[index]; !known {
			missing = append(missing, index)
		}
	}
	if len(missing) > 0 {
		read, err := g.stored.ReadHashes(missing)
		if err != nil {
			return nil, err
		}
		for i, index := range missing {
			g.known[index] = read[i]
		}
	}
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = g.known[index]
	}
	return hashes, nil
}

// reader is stored as tlog wants it, which is without a context, and held to its promise.
func reader(ctx context.Context, stored HashReader) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		if len(indexes) == 0 {
			return nil, nil
		}
		hashes, err := stored.ReadHashes(ctx, indexes)
		if err != nil {
			return nil, fmt.Errorf("read stored hashes: %w", err)
		}
		if len(hashes) != len(indexes) {
			return nil, fmt.Errorf("read stored hashes: %d were asked for, %d came", len(indexes), len(hashes))
		}
		return hashes, nil
	})
}

// Root is the root of the tree of the first size leaves. Without any it is the SHA-256 of nothing.
func Root(ctx context.Context, stored HashReader, size int64) (Hash, error) {
	if size < 0 || size > MaxSize {
		return Hash{}, fmt.Errorf("compute a root: a tree of %d leaves is none", size)
	}
	root, err := tlog.TreeHash(size, reader(ctx, stored))
	if err != nil {
		return Hash{}, fmt.Errorf("compute the root of %d leaves: %w", size, err)
	}
	return root, nil
}

// ProveInclusion gives the hashes that lead from the leaf at index to the root of the first size
// leaves: its sibling first (RFC 6962, section 2.1.1).
func ProveInclusion(ctx context.Context, stored HashReader, size, index int64) ([]Hash, error) {
	if size > MaxSize || index < 0 || index >= size {
		return nil, fmt.Errorf("prove inclusion: there is no leaf %d in a tree of %d", index, size)
	}
	hashes, err := tlog.ProveRecord(size, index, reader(ctx, stored))
	if err != nil {
		return nil, fmt.Errorf("prove that leaf %d is in the tree of %d: %w", index, size, err)
	}
	return hashes, nil
}

// ProveConsistency gives the hashes by which the tree of newer leaves is seen to begin with that of
// older leaves (RFC 6962, section 2.1.2). Every tree begins with the empty one, which takes none.
func ProveConsistency(ctx context.Context, stored HashReader, older, newer int64) ([]Hash, error) {
	if newer > MaxSize || older < 0 || older > newer {
		return nil, fmt.Errorf("prove consistency: a tree of %d leaves does not begin with one of %d", newer, older)
	}
	if older == 0 {
		return []Hash{}, nil
	}
	hashes, err := tlog.ProveTree(newer, older, reader(ctx, stored))
	if err != nil {
		return nil, fmt.Errorf("prove that the tree of %d begins with that of %d: %w", newer, older, err)
	}
	return hashes, nil
}

// CheckInclusion verifies that the tree of checkpoint has the leaf with that hash at index. The
// error is an [*Error] of [PartInclusion].
func CheckInclusion(checkpoint Checkpoint, index int64, leaf Hash, hashes []Hash) error {
	if checkpoint.Size > MaxSize || index < 0 || index >= checkpoint.Size {
		return fail(PartInclusion, "there is no leaf %d in a tree of %d", index, checkpoint.Size)
	}
	if err := tlog.CheckRecord(hashes, checkpoint.Size, checkpoint.Root, index, leaf); err != nil {
		return &Error{Part: PartInclusion, Message: fmt.Sprintf(
			"leaf %d of the tree of %d is another, or the hashes are not those that lead to its root",
			index, checkpoint.Size), Err: err}
	}
	return nil
}

// CheckConsistency verifies that newer's tree begins with all of older's: nothing that existed then
// has changed. Both are of one log; a later epoch continues the tree of the one before. The error is
// an [*Error] of [PartOrigin] or [PartConsistency].
func CheckConsistency(older, newer Checkpoint, hashes []Hash) error {
	switch {
	case older.Origin != newer.Origin:
		return fail(PartOrigin, "%s and %s are two logs", older.Origin, newer.Origin)
	case older.Epoch > newer.Epoch:
		return fail(PartConsistency, "epoch %d does not follow epoch %d", newer.Epoch, older.Epoch)
	case older.Size > newer.Size && older.Epoch < newer.Epoch:
		return fail(PartConsistency,
			"%d leaves came before epoch %d, which continues a tree that ended earlier: its first leaf names what was lost",
			older.Size, newer.Epoch)
	case older.Size > newer.Size:
		return fail(PartConsistency, "the tree had %d leaves and has %d", older.Size, newer.Size)
	case older.Size < 0 || newer.Size > MaxSize:
		return fail(PartConsistency, "a tree has from 0 to %d leaves", int64(MaxSize))
	case older.Size == 0 && len(hashes) > 0:
		return fail(PartConsistency, "the empty tree takes no hashes")
	case older.Size == 0:
		return nil
	}
	if err := tlog.CheckTree(hashes, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return &Error{Part: PartConsistency, Message: fmt.Sprintf(
			"the tree of %d leaves does not begin with that of %d, or the hashes are others",
			newer.Size, older.Size), Err: err}
	}
	return nil
}

// Memory is stored hashes in memory: for whoever computes a tree anew, as a verifier does. The zero
// value is an empty tree's.
type Memory []Hash

// ReadHashes gives the hashes at indexes.
func (m Memory) ReadHashes(_ context.Context, indexes []int64) ([]Hash, error) {
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(m)) {
			return nil, fmt.Errorf("there is no stored hash %d among %d", index, len(m))
		}
		hashes[i] = m[index]
	}
	return hashes, nil
}

// Store keeps what an append adds. What does not follow right behind is refused, and nothing kept.
func (m *Memory) Store(added []StoredHash) error {
	grown := *m
	for _, stored := range added {
		if stored.Index != int64(len(grown)) {
			return fmt.Errorf("stored hash %d does not follow %d others", stored.Index, len(grown))
		}
		grown = append(grown, stored.Hash)
	}
	*m = grown
	return nil
}
