package archive

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/loghash"
	"github.com/hivematrix/codex/ent/loghead"
	"github.com/hivematrix/codex/store"
)

// nextLeaf is where the next leaf of the log will be.
func nextLeaf(ctx context.Context, tx *store.Tx) (int64, error) {
	head, err := tx.Ent().LogHead.Query().Order(loghead.ByID(sql.OrderDesc())).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("reading the head of the log: %w", err)
	}
	return head.ID, nil
}

// appendLeaf stores a leaf at index, which is that of [nextLeaf], the hashes that it takes, and the
// tree's new head. The head's key is its size: of two who append at the same place one fails.
func appendLeaf(ctx context.Context, tx *store.Tx, index int64, leaf proof.Leaf) error {
	text, err := proof.EncodeLeaf(leaf)
	if err != nil {
		return err
	}
	added, err := proof.Append(ctx, storedHashes{tx}, index, proof.LeafHash(text))
	if err != nil {
		return fmt.Errorf("appending to the log: %w", err)
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
			return codex.Wrap(codex.CodeUnavailable, err, "somebody else appended to the log; try again")
		}
		return err
	}
	leaves := store.Table{Name: "log_leaves", Columns: []store.Column{{Name: "leaf_index", Kind: store.Int}, {Name: "leaf", Kind: store.Text}}}
	if err := tx.Insert(ctx, leaves, [][]any{{index, string(text)}}); err != nil {
		return err
	}
	tree := store.Table{Name: "log_hashes", Columns: []store.Column{{Name: "hash_index", Kind: store.Int}, {Name: "hash", Kind: store.Text}}}
	return tx.Insert(ctx, tree, hashes)
}

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
			return nil, fmt.Errorf("reading the stored hash %d of the log: %w", row.ID, err)
		}
	}
	hashes := make([]proof.Hash, len(indexes))
	for i, index := range indexes {
		hash, ok := there[index]
		if !ok {
			return nil, fmt.Errorf("the log lacks its stored hash %d", index)
		}
		hashes[i] = hash
	}
	return hashes, nil
}
