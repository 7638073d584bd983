package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotcontent"
	"github.com/hivematrix/codex/store"
)

// Proof is that a revision of a bill stands in the log.
type Proof struct {
	LeafIndex  int64
	Leaf       string       // both lines
	Hashes     []proof.Hash // from the leaf's sibling up
	Checkpoint string       // the signed note that they lead to
	File       []byte       // all of it as an exported proof, a C2SP tlog-proof
}

// Prove proves a revision of a bill; 0 is the newest one, unless it is open, as in [Archive.Get]. The
// exported proof holds the contents that enclose names. Of the others it holds what they were sent as
// no more than the leaf does, but for the salt of the CSV: the customer has that, and shows it beside
// the proof. It reads the bill and O(log n) hashes.
//
// A bill that there is not is [codex.CodeNotFound], a content [codex.CodeBadInput]. What no longer leads
// to the signed root, or is not what its leaf commits to, is [codex.CodeConflict]: no proof is handed
// out that would not verify.
func (a *Archive) Prove(ctx context.Context, invoice string, revision int, enclose ...proof.Committed) (*Proof, error) {
	for _, name := range enclose {
		if !slices.Contains(proof.Contents(), name) {
			return nil, codex.BadInput("enclose", "there is no content %q: it is one of %v", string(name), proof.Contents())
		}
	}
	p, err := a.prove(ctx, invoice, revision, enclose)
	if errors.Is(err, errAltered) {
		err = codex.Wrap(codex.CodeConflict, err, "the archived bill cannot be proven as it was signed: the database was altered (codex archive verify tells where)")
	}
	if err != nil {
		return nil, fmt.Errorf("proving the bill %s: %w", invoice, err)
	}
	return p, nil
}

func (a *Archive) prove(ctx context.Context, invoice string, revision int, enclose []proof.Committed) (*Proof, error) {
	checkpoint, err := a.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	file := proof.File{Checkpoint: []byte(checkpoint.Note)}
	err = a.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := findRevision(ctx, tx, invoice, revision)
		if err != nil {
			return err
		}
		file.Index = row.LeafIndex
		if file.Index >= checkpoint.Size {
			return a.unsigned(ctx)
		}
		leaf, err := tx.Ent().LogLeaf.Get(ctx, row.LeafIndex)
		if ent.IsNotFound(err) {
			return codex.Wrap(codex.CodeConflict, err, "leaf %d of the log is gone: the database was altered", row.LeafIndex)
		}
		if err != nil {
			return err
		}
		file.Leaf = []byte(leaf.Leaf)
		if file.Inclusion, err = proof.ProveInclusion(ctx, storedHashes{tx}, checkpoint.Size, file.Index); err != nil {
			return err
		}
		file.Openings, err = openings(ctx, tx, row.ID, enclose)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := file.Encode()
	if err != nil {
		return nil, err
	}
	key, err := a.VerifierKey(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := proof.VerifyProof(text, key, nil); err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "the archived bill does not stand in the log as it was signed: the database was altered (codex archive verify tells where)")
	}
	return &Proof{
		LeafIndex: file.Index, Leaf: string(file.Leaf), Hashes: file.Inclusion,
		Checkpoint: checkpoint.Note, File: text,
	}, nil
}

// unsigned says why the newest leaves have no signature.
func (a *Archive) unsigned(ctx context.Context) error {
	if _, err := a.signingKey(ctx); err != nil {
		return err
	}
	return codex.Errorf(codex.CodeUnavailable, "the log checkpoint with this bill is not signed yet; try again")
}

// findRevision finds a revision of a bill; 0 is the one that is served.
func findRevision(ctx context.Context, tx *store.Tx, invoice string, revision int) (*ent.Snapshot, error) {
	query := tx.Ent().Snapshot.Query().Where(snapshot.InvoiceNumber(invoice))
	if revision == 0 {
		query.Where(Current)
	} else {
		query.Where(snapshot.Revision(revision))
	}
	row, err := query.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errNoBill()
	}
	return row, err
}

// openings are what the commitments of a bill's contents open with: those of enclose wholly, and the
// salt of the CSV.
func openings(ctx context.Context, tx *store.Tx, bill int, enclose []proof.Committed) (map[proof.Committed]proof.Opening, error) {
	names := []string{string(proof.CSV)}
	for _, name := range enclose {
		names = append(names, string(name))
	}
	rows, err := tx.Ent().SnapshotContent.Query().
		Where(snapshotcontent.SnapshotID(bill), snapshotcontent.NameIn(names...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the contents of a bill: %w", err)
	}
	opened := make(map[proof.Committed]proof.Opening, len(rows))
	for _, row := range rows {
		name := proof.Committed(row.Name)
		opening := proof.Opening{}
		if opening.Salt, err = proof.ParseSalt(row.Salt); err != nil {
			return nil, fmt.Errorf("reading the salt of %s: %w: %w", name, errAltered, err)
		}
		if slices.Contains(enclose, name) {
			opening.Content = []byte(row.Content)
		}
		opened[name] = opening
	}
	for _, name := range enclose {
		if _, there := opened[name]; !there {
			return nil, codex.BadInput("enclose", "the bill has no %s", name)
		}
	}
	return opened, nil
}
