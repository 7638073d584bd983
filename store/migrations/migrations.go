// Package migrations holds the steps from an empty database to today's schema: a folder a dialect,
// with the same numbers and names in both. They only go forward, and a file that was released is
// never changed again: atlas.sum seals each, and [Files] refuses what the seal does not fit.
//
// `make migration name=…` writes the next pair from a changed ent schema (package main in
// store/migration); what the schema does not hold (views, triggers) is written by hand into files
// of the same numbering. A file says on top what it locks. PostgreSQL's order of text is bytewise,
// by the collation "C" of every text column.
//
// Package store applies them, each file in one transaction with the row that records it: a process
// that dies half-way leaves the database at the file before. On SQLite foreign keys are off
// meanwhile, so that a table can be made anew, and are checked before the commit; on PostgreSQL a
// view that is over a changed column must be dropped and made anew by the same file.
package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
)

//go:embed postgres/* sqlite/*
var embedded embed.FS

// File is one migration.
type File struct {
	Version    string // four digits
	Name       string // words with _ between them
	Hash       string // SHA-256 of the file, hex
	Statements []string
}

// Folder is the name of the dialect's folder in this package's.
func Folder(dialectName string) string {
	if dialectName == dialect.SQLite {
		return "sqlite"
	}
	return dialectName
}

// Files are the dialect's migrations in their order. They are those that were sealed, or it is an
// error.
func Files(dialectName string) ([]File, error) {
	folder, err := fs.Sub(embedded, Folder(dialectName))
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", dialectName, err)
	}
	return read(folder)
}

func read(folder fs.FS) ([]File, error) {
	names, err := fs.Glob(folder, "*")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	dir := new(migrate.MemDir)
	for _, name := range names {
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading the migration %s: %w", name, err)
		}
		if err := dir.WriteFile(path.Base(name), content); err != nil {
			return nil, fmt.Errorf("reading the migration %s: %w", name, err)
		}
	}
	if err := migrate.Validate(dir); err != nil {
		return nil, fmt.Errorf("migrations are not those that atlas.sum seals: %w", err)
	}
	sealed, err := dir.Files()
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	files := make([]File, len(sealed))
	for i, file := range sealed {
		hash := sha256.Sum256(file.Bytes())
		files[i] = File{Version: file.Version(), Name: file.Desc(), Hash: hex.EncodeToString(hash[:])}
		if files[i].Statements, err = file.Stmts(); err != nil {
			return nil, fmt.Errorf("reading the migration %s: %w", file.Name(), err)
		}
	}
	return files, nil
}
