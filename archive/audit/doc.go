// Package audit verifies the archive from its rows, and trusts nothing that package archive says: it
// never imports it, so that a mistake of the writer is not made twice. It computes the tree anew (RFC
// 6962, by code of its own), compares every column of every row with the leaf that tells of it, opens
// every commitment, verifies every signature, and names what does not fit ([Verify], [Report]).
//
// It changes nothing and repairs nothing. It needs no key but a public one. It cannot know what was
// never logged, nor what a log that nobody outside holds a checkpoint of said before it was made anew:
// that takes a checkpoint from elsewhere (Options.Against) and a key that is trusted (Options.Key).
//
// # What proves what
//
//	log_leaves        leaf: its stored hash and the head that it brought, which say which of the two
//	                  was there; leaf_index: without gaps
//	log_hashes        both: the tree over the leaves
//	log_heads         size, root: the tree; one for each leaf. appended_at: the leaf's logged_at
//	snapshots         all: the leaf, codex-bill/v1; runs and marks in one spelling
//	bill_events       all: the leaf, codex-reopen/v1 or codex-close/v1; id: in the order of leaves
//	log_epochs        all: the leaf, codex-epoch/v1
//	snapshot_contents id, snapshot_id, name: from the bill's id and the name; salt and content: the
//	                  commitment in the leaf, which they open together or not
//	snapshot_items    all: the content line_items; id: from the bill's id and the position
//	log_checkpoints   note: the signature; epoch, size: the note, whose root is the tree's of that size;
//	                  signed_at: when the last leaf under it was logged; id: in the order in which the
//	                  log grew, without gaps
//	log_keys          origin, verifier_key: the signatures, or the key that the caller trusts;
//	                  recorded_at: when the first leaf was logged; id: 1
//
// The leaves are proven by the signatures, and these by whoever holds one of them. Besides, revisions
// must come in order with a reopening before each next one, events must change how a bill stands, and
// epochs must follow each other.
//
// A leaf that is missing or altered proves nothing any more: of the rows that it stood for nothing is
// said but that. The tree goes on with the hash that was stored for it, where the head bears that out,
// so that one leaf is one finding. What a codex-redaction/v1 leaf says was erased is [Redacted], and no
// failure; where it stands all the same it is [Added].
//
// There is no state, so nothing is left half done. One verification sees the database as it was at one
// instant and holds some 200 bytes for each bill; 100,000 bills take minutes.
package audit
