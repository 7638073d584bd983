// Package proof is what makes an archived bill evidence: the leaves that are logged, the Merkle tree
// over them, the signed checkpoints of that tree, and the files by which a bill is proven offline.
// It is pure (no database, no network, no clock, no randomness but what is handed in) and may be
// imported by whoever wants to check a bill without trusting the hub.
//
// It never prints a private key, never repairs what it reads, and never takes two texts for the same:
// every reader refuses bytes that its writer would not give back. It does not decide what is logged,
// does not keep what it computes, and cannot tell whether a log has shown everybody the same; that
// takes a checkpoint from elsewhere (an earlier one, a published one, a witness's).
//
// There is no state here, so nothing can be left half done. Whoever appends stores what [Append]
// gives in the transaction that moves the tree's head, or nothing of it.
//
// What follows is enough to write another verifier. Lines end in a line feed (0x0a), texts are
// UTF-8, base64 is the standard alphabet of RFC 4648, section 4, with padding, hexadecimal digits are
// lower case. JSON is in the canonical form of RFC 8785, which is what `jq -cS` gives (and Python's
// json.dumps with sort_keys=True, separators=(",", ":") and ensure_ascii=False): no white space,
// names in order, no escapes but those that JSON demands. No name is ever left out; what is not there
// is null. Numbers are integers below 2^53 in size; amounts are texts with exactly two decimals,
// quantities, rates and hours texts with exactly four; days are YYYY-MM-DD; times are RFC 3339 in UTC
// with exactly six decimals, 2025-11-01T02:00:03.250000Z.
//
// # Leaves
//
// A leaf is two lines: its kind, then its fields as one JSON object. It has at most 65,536 bytes.
// The fields of a kind are sealed. A changed list is a new version (codex-bill/v2) beside the old
// one, and a leaf is verified by the version in its own first line, for ever.
//
// codex-bill/v1 ([Bill]), one revision of one invoice:
//
//	accepted_by              text     the caller by whose request it was taken, never empty
//	archived_at              time     as the archive serves it; of an imported bill the old one's
//	asset_count              integer
//	billable_hours           hours
//	billing_month            integer  1 to 12
//	billing_plan             text or null
//	billing_year             integer
//	commitments              object   see below: hexadecimal by name of content
//	company_account_number   text
//	company_name             text
//	contract_term            text or null
//	created_by               text or null  as the request says; nobody verified it
//	due_date                 day or null
//	invoice_date             day
//	invoice_number           text     never empty
//	logged_at                time     when the leaf was made
//	marks                    array    words in order, each once: what was noticed on accepting
//	origin                   text     posted, fetched or imported
//	revision                 integer  1, and one more after each reopening
//	runs                     object   by feed, the id of its newest succeeded run when accepted
//	snapshot_id              integer  the archive's id of the bill
//	support_level            text or null
//	total_amount             amount
//	total_asset_charges      amount
//	total_backup_charges     amount
//	total_line_item_charges  amount
//	total_ticket_charges     amount
//	total_user_charges       amount
//	user_count               integer
//
// codex-reopen/v1 ([Reopening]), that bill was wrong, the next with its number is its next revision;
// codex-close/v1 ([Closing]), the reopening was withdrawn:
//
//	by              text     who did it, never empty
//	invoice_number  text     never empty
//	logged_at       time
//	reason          text     never empty in codex-reopen/v1
//	revision        integer  the newest one when it was done
//
// codex-redaction/v1 ([Redaction]), contents were erased because a law said so:
//
//	by, invoice_number, logged_at, reason (never empty), revision: as above
//	leaf_index      integer  where the bill's own leaf is
//	redacted        array    names of contents in order, each once, at least one
//
// codex-epoch/v1 ([NewEpoch]), the first leaf of an epoch:
//
//	by, logged_at, reason (never empty): as above
//	epoch            integer  one more than that of the lost checkpoint
//	lost_checkpoint  text     the whole signed note that the log is behind
//
// # Commitments
//
// What may have to be erased is not in the leaf. The leaf commits to it with the SHA-256 of
//
//	codex-commitment/v1
//	<name of the content>
//	<salt: 32 random bytes, as 64 hexadecimal digits>
//	<the content, to its last byte>
//
// The contents are billing_data (the JSON document that the bill was made from, as sent), body (the
// request, or the answer that it was fetched in, as it came), csv (the invoice as CSV, as sent),
// line_items and notes; body and notes may be missing. Each has a salt of its own. A content that is
// erased loses its salt too: the commitment stays, opens for nobody any more, and a
// codex-redaction/v1 leaf says that this was done and why. Without such a leaf it is an alteration.
//
// Line items are committed to as the line codex-lines/v1 and then one JSON object a line, in the
// bill's order ([EncodeLines]): amount (amount), description (text or null), item_name (text),
// line_type (text), quantity (quantity), rate (rate).
//
// # Tree
//
// The tree is that of RFC 6962, section 2.1, with SHA-256: a leaf is hashed behind a byte 0x00, a
// node is the hash of a byte 0x01 and its two children, the empty tree's root is the hash of
// nothing. Indexes begin at 0. Stored hashes stand in the order of golang.org/x/mod/sumdb/tlog.
//
// # Log checkpoints
//
// A log checkpoint is a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): a signed note
// (https://c2sp.org/signed-note) with Ed25519 signatures over three lines, without extension lines.
//
//	codex.example.com/archive
//	11
//	mZipX47hOlXHOULv5saP2Wlo+xR8RzTObBSZ83Nxqnw=
//
//	— codex.example.com/archive 7a/i3xA4Lr9S…
//
// The first line is the log's origin ([CheckOrigin] says what it may be), from the second epoch on
// with /epoch-2 and so on behind it; then the number of leaves, and the root. The name in the
// signature line is that first line. Lines of other signers, like witnesses, are ignored.
//
// An epoch begins when the database came back from a backup that is older than a checkpoint which
// was published. The tree goes on from what the backup had, with a codex-epoch/v1 leaf first, so that
// checkpoints up to there stay provable. The public key is the same. Since the name is another, no
// log ever signed two trees that contradict each other, and to others' tools each epoch is a log of
// its own, whose verifier key [VerifierKey.ForEpoch] gives.
//
// Rejected: the epoch as an extension line (C2SP recommends none, nobody could audit it, and the
// same origin would then have signed contradicting trees); a new tree for each epoch (nothing that
// survived could be shown to be unchanged).
//
// # Keys
//
// The key file is one line, in the form of golang.org/x/mod/sumdb/note: the key of a signed note.
// What is published for it is a verifier key. The hash is of the name and the public key, as in
// C2SP signed-note.
//
//	PRIVATE+KEY+<origin>+<hash, 8 hexadecimal digits>+<base64 of a byte 1 and the 32 bytes of the seed>
//	<origin>+<hash, 8 hexadecimal digits>+<base64 of a byte 1 and the 32 bytes of the public key>
//
// # Exported proofs
//
// An exported proof ([File]) is a C2SP tlog-proof (https://c2sp.org/tlog-proof), which any tool for
// those reads: a first line, extra data in base64, the leaf's index, the hashes from the leaf's
// sibling up, an empty line and the log checkpoint. The decoded extra data are two lines:
//
//	codex-proof/v1
//	{"leaf":"<the leaf, both lines>","leaf_hash":"<its hash in the tree, hexadecimal>","openings":
//	 {"<name of a content>":{"content":"<base64>" or null,"salt":"<hexadecimal>"}}}
//
// (the object on one line). A content that is null is not enclosed; with the salt, whoever holds it
// can show it. Nothing in the extra data is to be believed before it leads to the checkpoint's root:
// the leaf's hash beside the leaf is there to tell an altered leaf from a proof that is another
// tree's. [VerifyProof] does all of this:
//
//  1. the file, the leaf and the checkpoint are in canonical form, the leaf has that hash;
//  2. the checkpoint is one of the log's origin, and signed with its key;
//  3. the leaf's hash, index and hashes lead to the checkpoint's root (RFC 6962, section 2.1.1);
//  4. every content that is enclosed, or shown beside the file, is what the leaf commits to.
//
// By hand, with what every Unix has, jq and openssl:
//
//	sed -n 's/^extra //p' bill.tlog-proof | base64 -d | sed 1d > extra.json
//	jq -j .leaf extra.json > leaf                            # the leaf; sed 1d leaf | jq .
//	(printf '\0'; cat leaf) | sha256sum                      # its hash in the tree
//	jq -r .openings.csv.salt extra.json > salt
//	(printf 'codex-commitment/v1\ncsv\n'; cat salt bill.csv) | sha256sum
//	sed 1d leaf | jq -r .commitments.csv                     # the same digits
//	sed '1,/^$/d' bill.tlog-proof > checkpoint
//	head -3 checkpoint > signed
//	grep '^— codex.example.com/archive ' checkpoint | cut -d' ' -f3 | base64 -d | tail -c 64 > signature
//	(printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
//	 cut -d+ -f3- log.vkey | base64 -d | tail -c 32) > key.der
//	openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der -in signed -sigfile signature
//
// # Consistency
//
// That a log only grew between two of its checkpoints is proven by the hashes of RFC 6962, section
// 2.1.2. [Consistency] writes them as the body of a C2SP tlog-witness add-checkpoint request
// (https://c2sp.org/tlog-witness): a line old and the older tree's size, the hashes, an empty line,
// the newer checkpoint. [VerifyConsistency] takes it with the older checkpoint, and no epoch may come
// before an earlier one. A checkpoint of an earlier epoch that is longer than what the backup had
// cannot be proven: it is the lost one, which the epoch's first leaf names.
package proof
