package audit

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/hivematrix/codex/archive/proof"
)

// tree is the tree over the leaves so far, computed by this package alone: RFC 6962, section 2.1. It
// holds the roots of its perfect subtrees, the largest first, and nothing else.
type tree struct {
	size  int64
	peaks []proof.Hash
}

func leafHash(leaf []byte) proof.Hash {
	return sha256.Sum256(append([]byte{0}, leaf...))
}

func nodeHash(left, right proof.Hash) proof.Hash {
	var node [1 + 2*sha256.Size]byte
	node[0] = 1
	copy(node[1:], left[:])
	copy(node[1+sha256.Size:], right[:])
	return sha256.Sum256(node[:])
}

// add gives the tree with one more leaf, and the hashes that are stored for it: the leaf's, and those
// of the subtrees that it completes, from the smallest up.
func (t tree) add(leaf proof.Hash) (tree, []proof.Hash) {
	grown := tree{size: t.size + 1, peaks: append([]proof.Hash(nil), t.peaks...)}
	hash, stored := leaf, []proof.Hash{leaf}
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(grown.peaks) - 1
		hash = nodeHash(grown.peaks[last], hash)
		grown.peaks = grown.peaks[:last]
		stored = append(stored, hash)
	}
	grown.peaks = append(grown.peaks, hash)
	return grown, stored
}

func (t tree) root() proof.Hash {
	if len(t.peaks) == 0 {
		return sha256.Sum256(nil)
	}
	root := t.peaks[len(t.peaks)-1]
	for i := len(t.peaks) - 2; i >= 0; i-- {
		root = nodeHash(t.peaks[i], root)
	}
	return root
}

// storedCount is how many hashes are stored for a tree: one for each perfect subtree in it.
func storedCount(size int64) (n int64) {
	for ; size > 0; size >>= 1 {
		n += size
	}
	return n
}

// sizeOf is the size of the largest tree for which no more than so many hashes are stored.
func sizeOf(stored int64) int64 {
	low, high := int64(0), stored
	for low < high {
		middle := low + (high-low+1)/2
		if storedCount(middle) <= stored {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// parseHash reads a stored hash: standard base64, one spelling alone.
func parseHash(c cell) (hash proof.Hash, ok bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(c.text)
	if err != nil || c.kind != text || len(raw) != len(hash) {
		return proof.Hash{}, false
	}
	hash = proof.Hash(raw)
	return hash, hash.String() == c.text
}
