package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logepoch"
	"github.com/hivematrix/codex/store"
)

// OpenEpoch lets the log go on from a database that came back from an older backup. Its first leaf
// names the log checkpoint that was lost; proofs for checkpoints up to where the backup ended stay
// good, and those for the lost ones show that it happened.
//
// Where nothing is lost there is nothing to continue: that is [codex.CodeConflict], as is a database
// in which what came before an epoch was altered, which no epoch can put right. An empty reason is
// [codex.CodeBadInput].
func (a *Archive) OpenEpoch(ctx context.Context, reason string, by codex.Caller) (*ent.LogEpoch, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	var opened *ent.LogEpoch
	err := a.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Raise(ctx, Entity); err != nil {
			return err
		}
		key, err := a.keys.within(ctx, tx, true)
		if err != nil {
			return err
		}
		log, err := a.stand(ctx, tx, key.VerifierKey())
		if err != nil {
			return err
		}
		known := log.known
		if known == nil {
			return errNothingLost()
		}
		var stop *StoppedError
		switch err := log.compare(ctx, tx, known.Checkpoint); {
		case err == nil:
			return errNothingLost()
		case !errors.As(err, &stop):
			return err
		case known.Epoch < log.head.Epoch:
			return codex.Errorf(codex.CodeConflict, "what stood before epoch %d was altered in the database: no older backup is like that, and no new epoch mends it", log.head.Epoch)
		}
		leaf := proof.NewEpoch{
			Epoch: known.Epoch + 1, LostCheckpoint: known.Note, Reason: reason, By: by.Name, LoggedAt: tx.Now(),
		}
		if _, err := writeLeaf(ctx, tx, log.head.Size, leaf); err != nil {
			return err
		}
		opened, err = tx.Ent().LogEpoch.Create().SetID(leaf.Epoch).SetLeafIndex(log.head.Size).
			SetLostCheckpoint(known.Note).SetReason(reason).SetOpenedBy(by.Name).SetOpenedAt(tx.Now()).Save(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening a new epoch of the log: %w", err)
	}
	a.logger.WarnContext(ctx, "a new epoch of the log begins, what came behind the backup is lost", slog.Int("epoch", opened.ID),
		slog.Int64("leaf_index", opened.LeafIndex), slog.String("reason", reason), slog.String("by", by.Name))
	a.signed.Store(0) // the tree is shorter than what was signed
	a.signAppended(ctx, opened.LeafIndex)
	return opened, nil
}

func errNothingLost() error {
	return codex.Errorf(codex.CodeConflict, "the database has all that was signed: nothing is lost, and no new epoch begins")
}

// Epochs are those after the first, oldest first.
func (a *Archive) Epochs(ctx context.Context) ([]*ent.LogEpoch, error) {
	rows, err := a.db.Ent().LogEpoch.Query().Order(logepoch.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the epochs of the log: %w", err)
	}
	return rows, nil
}
