package archive

import (
	"context"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// IsOpen is how this package decides whether a bill may be written.
func IsOpen(ctx context.Context, tx *store.Tx, bill *ent.Snapshot) (bool, error) {
	return isOpen(ctx, tx, bill)
}
