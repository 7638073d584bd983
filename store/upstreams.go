package store

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// CheckUpstream makes sure that the data of an upstream (freshservice, datto) still comes from the
// account that it always came from: Freshservice's domain, Datto's accountUid. The first one is
// remembered. Another one is refused with [codex.CodeConflict], since a sync from it would empty
// what is there; allowNew (--new-upstream) remembers it instead.
func (db *DB) CheckUpstream(ctx context.Context, name, identity string, allowNew bool) error {
	return db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.RememberUpstream(ctx, name, identity, allowNew)
	})
}

// RememberUpstream is [DB.CheckUpstream] inside a transaction.
func (tx *Tx) RememberUpstream(ctx context.Context, name, identity string, allowNew bool) error {
	if identity == "" {
		return fmt.Errorf("remembering the account of %s: it is empty", name)
	}
	known, err := tx.ent.Upstream.Get(ctx, name)
	switch {
	case ent.IsNotFound(err):
		err = tx.ent.Upstream.Create().SetID(name).SetIdentity(identity).SetRecordedAt(tx.now).Exec(ctx)
	case err != nil:
	case known.Identity == identity:
		return nil
	case allowNew:
		err = known.Update().SetIdentity(identity).SetRecordedAt(tx.now).Exec(ctx)
	default:
		return codex.Errorf(codex.CodeConflict,
			"this database holds the data of the %s account %s, but %s is configured now: a sync from there would remove what is here; --new-upstream takes the new account for good",
			name, known.Identity, identity)
	}
	if err != nil {
		return fmt.Errorf("remembering the account of %s: %w", name, err)
	}
	return nil
}
