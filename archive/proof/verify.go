package proof

import (
	"maps"
	"slices"
)

// Verified is what an exported proof proves.
type Verified struct {
	Leaf       Leaf
	LeafHash   Hash
	Index      int64
	Checkpoint Checkpoint
	// Opened are the contents that were seen, in the file or shown beside it, and are what the leaf
	// commits to.
	Opened []Committed
	// Unseen are the contents that the leaf commits to and that nobody showed. Nothing is proven
	// about them.
	Unseen []Committed
}

// VerifyProof checks an exported proof against the log's key, offline: that the leaf is at that
// place of the tree which the log signed, and that every content, enclosed or shown beside the file,
// is what the leaf commits to. A content that is shown without the salt of its commitment fails.
//
// The error is an [*Error] and names the first part that fails, in the order of the parts.
func VerifyProof(file []byte, key VerifierKey, shown map[Committed][]byte) (*Verified, error) {
	f, err := DecodeFile(file)
	if err != nil {
		return nil, err
	}
	leaf, err := DecodeLeaf(f.Leaf)
	if err != nil {
		return nil, err
	}
	checkpoint, err := OpenCheckpoint(f.Checkpoint, key)
	if err != nil {
		return nil, err
	}
	verified := &Verified{Leaf: leaf, LeafHash: LeafHash(f.Leaf), Index: f.Index, Checkpoint: checkpoint}
	if err := CheckInclusion(checkpoint, f.Index, verified.LeafHash, f.Inclusion); err != nil {
		return nil, err
	}
	if err := verified.open(f.Openings, shown); err != nil {
		return nil, err
	}
	return verified, nil
}

// open compares every content that there is with its commitment.
func (v *Verified) open(openings map[Committed]Opening, shown map[Committed][]byte) error {
	var commitments map[Committed]Digest
	if bill, isBill := v.Leaf.(Bill); isBill {
		commitments = bill.Commitments
	}
	for _, names := range [][]Committed{
		slices.Sorted(maps.Keys(openings)), slices.Sorted(maps.Keys(shown)),
	} {
		for _, name := range names {
			if _, committed := commitments[name]; !committed {
				return notOpened(name, "the leaf commits to no such content")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(commitments)) {
		var contents [][]byte
		opening, salted := openings[name]
		if opening.Content != nil {
			contents = append(contents, opening.Content)
		}
		if content, there := shown[name]; there {
			contents = append(contents, content)
		}
		if len(contents) == 0 {
			v.Unseen = append(v.Unseen, name)
			continue
		}
		if !salted {
			return notOpened(name, "the file has no salt for it: it was redacted, or left out")
		}
		for _, content := range contents {
			if err := CheckOpening(name, opening.Salt, content, commitments[name]); err != nil {
				return err
			}
		}
		v.Opened = append(v.Opened, name)
	}
	return nil
}

func notOpened(name Committed, message string) *Error {
	return &Error{Part: PartCommitment, Committed: name, Message: message}
}

// CheckOpening verifies that content is what commitment was made to under salt. The error is an
// [*Error] of [PartCommitment].
func CheckOpening(name Committed, salt Salt, content []byte, commitment Digest) error {
	if Commit(name, salt, content) != commitment {
		return notOpened(name, "what was shown is not what the leaf commits to")
	}
	return nil
}
