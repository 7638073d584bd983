package archive

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent/loghash"
	"github.com/hivematrix/codex/store"
)

// appending is the log within the transaction of what is appended: it may be, and this is where the next
// leaf will stand.
type appending struct {
	standing
	known *SignedCheckpoint // the newest that is outside the database; nil where there is none
}

// mayAppend compares the log with the key of this process and with the newest log checkpoint outside
// the database, in a transaction that holds the revision of [Entity]. The error is a [*StoppedError]
// where nothing may be appended.
func (a *Archive) mayAppend(ctx context.Context, tx *store.Tx) (*appending, error) {
	key, err := a.keys.within(ctx, tx, true)
	if err != nil {
		return nil, err
	}
	log, err := a.stand(ctx, tx, key.VerifierKey())
	if err != nil {
		return nil, err
	}
	if log.known != nil {
		if err := log.compare(ctx, tx, log.known.Checkpoint); err != nil {
			a.signed.Store(0) // the tree is another than that which was signed
			return nil, err
		}
	}
	return log, nil
}

// stand reads the log and the newest checkpoint outside the database. Where there is none, as on a new
// replica, it is the newest in the database.
func (a *Archive) stand(ctx context.Context, tx *store.Tx, key proof.VerifierKey) (log *appending, err error) {
	log = &appending{}
	// Before the database is read: it is never ahead of what is committed.
	if log.known, err = a.outside.read(key); err != nil {
		return nil, err
	}
	if log.known == nil {
		if log.known, err = newestStored(ctx, tx.Ent(), key); err != nil {
			return nil, err
		}
	}
	log.standing, err = readStanding(ctx, tx, key)
	return log, err
}

// append stores the next leaf, and makes sure that its tree begins with what was signed.
func (log *appending) append(ctx context.Context, tx *store.Tx, leaf proof.Leaf) error {
	head := log.head
	added, err := writeLeaf(ctx, tx, head.Size, leaf)
	if errors.Is(err, errAltered) {
		return stopped(StopContradicts, err, "hashes of the log's tree are gone: the database was altered; see codex archive verify, and docs/archive.md")
	}
	if err != nil {
		return err
	}
	if log.known == nil {
		return nil
	}
	head.Size, head.Root = added.Size, added.Root
	return log.extends(ctx, tx, log.known.Checkpoint, head)
}

// writeLeaf stores a leaf at index, the hashes that it takes, and the tree's new head. The head's key
// is its size: of two who append at the same place one fails.
func writeLeaf(ctx context.Context, tx *store.Tx, index int64, leaf proof.Leaf) (proof.Appended, error) {
	text, err := proof.EncodeLeaf(leaf)
	if err != nil {
		return proof.Appended{}, err
	}
	added, err := proof.Append(ctx, storedHashes{tx}, index, proof.LeafHash(text))
	if err != nil {
		return proof.Appended{}, fmt.Errorf("appending to the log: %w", err)
	}
	hashes := make([][]any, len(added.Stored))
	for i, stored := range added.Stored {
		hashes[i] = []any{stored.Index, stored.Hash.String()}
	}
	head := store.Table{Name: "log_heads", Columns: []store.Column{
		{Name: "size", Kind: store.Int}, {Name: "root", Kind: store.Text}, {Name: "appended_at", Kind: store.Time},
	}}
	if err := tx.Insert(ctx, head, [][]any{{added.Size, added.Root.String(), tx.Now()}}); err != nil {
		if codex.CodeOf(err) == codex.CodeConflict {
			return proof.Appended{}, codex.Wrap(codex.CodeUnavailable, err, "somebody else appended to the log; try again")
		}
		return proof.Appended{}, err
	}
	leaves := store.Table{Name: "log_leaves", Columns: []store.Column{{Name: "leaf_index", Kind: store.Int}, {Name: "leaf", Kind: store.Text}}}
	if err := tx.Insert(ctx, leaves, [][]any{{index, string(text)}}); err != nil {
		return proof.Appended{}, err
	}
	tree := store.Table{Name: "log_hashes", Columns: []store.Column{{Name: "hash_index", Kind: store.Int}, {Name: "hash", Kind: store.Text}}}
	return added, tx.Insert(ctx, tree, hashes)
}

// errAltered is the cause where what the log needs is gone, or is not what it was made as.
var errAltered = errors.New("the database was altered")

// storedHashes are the hashes of the tree in a transaction.
type storedHashes struct{ tx *store.Tx }

// ReadHashes implements proof.HashReader.
func (s storedHashes) ReadHashes(ctx context.Context, indexes []int64) ([]proof.Hash, error) {
	rows, err := s.tx.Ent().LogHash.Query().Where(loghash.IDIn(indexes...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the tree of the log: %w", err)
	}
	there := make(map[int64]proof.Hash, len(rows))
	for _, row := range rows {
		if there[row.ID], err = tlog.ParseHash(row.Hash); err != nil {
			return nil, fmt.Errorf("reading the stored hash %d of the log: %w: %w", row.ID, errAltered, err)
		}
	}
	hashes := make([]proof.Hash, len(indexes))
	for i, index := range indexes {
		hash, ok := there[index]
		if !ok {
			return nil, fmt.Errorf("the log lacks its stored hash %d: %w", index, errAltered)
		}
		hashes[i] = hash
	}
	return hashes, nil
}
