package store

import (
	"context"

	"github.com/hivematrix/codex/store/migrations"
)

// MigrateFiles is Migrate with migrations of a test's own.
func (db *DB) MigrateFiles(ctx context.Context, files []migrations.File) ([]Applied, error) {
	return db.migrate(ctx, files)
}
