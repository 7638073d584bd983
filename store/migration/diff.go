package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	entmigrate "github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// writeDiff writes into dir what takes db to the schema of package ent, as the formatter names it,
// and seals dir. It says whether there was anything.
func writeDiff(ctx context.Context, db *store.DB, dir migrate.Dir, formatter migrate.Formatter) (bool, error) {
	differ, err := schema.NewMigrate(entsql.OpenDB(db.Dialect(), db.SQL()),
		schema.WithDir(dir),
		schema.WithFormatter(formatter),
		schema.WithDialect(db.Dialect()),
		schema.WithMigrationMode(schema.ModeInspect),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
		schema.WithErrNoPlan(true),
		schema.WithDiffHook(bytewise(db.Dialect()), keysInOrder(ctx, db)),
	)
	if err != nil {
		return false, err
	}
	switch err := differ.NamedDiff(ctx, "changes", entmigrate.Tables...); {
	case errors.Is(err, migrate.ErrNoPlan):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("comparing the migrations with the schema: %w", err)
	}
	return true, nil
}

// bytewise gives every text column of PostgreSQL the collation "C": order is by bytes on both
// databases, and an index serves that order only if it was made with it.
func bytewise(dialectName string) schema.DiffHook {
	return func(next schema.Differ) schema.Differ {
		return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
			for _, table := range desired.Tables {
				for _, column := range table.Columns {
					if _, isText := column.Type.Type.(*atlas.StringType); isText && dialectName == dialect.Postgres {
						column.SetCollation("C")
					}
				}
			}
			return next.Diff(current, desired)
		})
	}
}

// keysInOrder puts the columns of composite keys of SQLite, which atlas reads in the order of the
// table's columns, into the order of the key.
func keysInOrder(ctx context.Context, db *store.DB) schema.DiffHook {
	return func(next schema.Differ) schema.Differ {
		return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
			if db.Dialect() != dialect.SQLite {
				return next.Diff(current, desired)
			}
			for _, table := range current.Tables {
				if table.PrimaryKey == nil {
					continue
				}
				for _, part := range table.PrimaryKey.Parts {
					const position = "SELECT pk FROM pragma_table_info($1) WHERE name = $2"
					if err := db.SQL().QueryRowContext(ctx, position, table.Name, part.C.Name).Scan(&part.SeqNo); err != nil {
						return nil, fmt.Errorf("reading the key of %s: %w", table.Name, err)
					}
				}
				slices.SortFunc(table.PrimaryKey.Parts, func(a, b *atlas.IndexPart) int { return a.SeqNo - b.SeqNo })
			}
			return next.Diff(current, desired)
		})
	}
}

// scratch opens an empty database that drop takes away again.
func scratch(ctx context.Context, dialectName, postgres string) (db *store.DB, drop func() error, err error) {
	options := store.Options{Dialect: dialectName, Logger: slog.New(slog.DiscardHandler), Now: clock}
	var remove func() error
	if dialectName == dialect.SQLite {
		folder, err := os.MkdirTemp("", "codex-migration")
		if err != nil {
			return nil, nil, err
		}
		options.Path = filepath.Join(folder, "scratch.db")
		remove = func() error { return os.RemoveAll(folder) }
	} else {
		options.DSN, remove, err = storetest.CreatePostgres(ctx, postgres)
		if err != nil {
			return nil, nil, err
		}
	}
	if db, err = store.Open(ctx, options); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return db, func() error { return errors.Join(db.Close(), remove()) }, nil
}

// clock stands still: nothing here depends on the time.
func clock() time.Time { return time.Unix(0, 0) }
