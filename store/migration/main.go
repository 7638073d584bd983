// Command migration writes the next migration, for both dialects, from what has changed in
// ent/schema since the last one:
//
//	make migration name=add_warranty
//
// It replays the migrations that are there into an empty scratch database of each dialect, compares
// that with the schema and writes the difference as NNNN_add_warranty.sql into both folders of
// store/migrations, with their seals (atlas.sum). PostgreSQL is the server of CODEX_TEST_POSTGRES,
// which scripts/with-postgres sets.
//
// With -by-hand it writes a pair of files to be filled by hand (views, triggers, data), whatever
// the schema says; -seal then seals what was written. Nothing else may change a sealed file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store/migrations"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv("CODEX_TEST_POSTGRES"), os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, postgres string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("migration", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("name", "", "what the migration does, in words with _ between them")
	byHand := flags.Bool("by-hand", false, "write a pair of files to fill by hand")
	seal := flags.Bool("seal", false, "seal files that were written by hand")
	root := flags.String("dir", filepath.Join("store", "migrations"), "the folder of the migrations")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	switch {
	case *seal:
		err = sealAll(*root)
	case !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(*name):
		fmt.Fprintln(stderr, "migration: -name takes lower-case words with _ between them: make migration name=add_warranty")
		return 2
	case *byHand:
		err = writeByHand(*root, *name, stdout)
	case postgres == "":
		err = errors.New("CODEX_TEST_POSTGRES is not set: run it by make migration, or by scripts/with-postgres")
	default:
		err = writeNext(ctx, *root, *name, postgres, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "migration:", err)
		return 1
	}
	return 0
}

// dialects are those that a migration is written for.
func dialects() []string { return []string{dialect.Postgres, dialect.SQLite} }

func folder(root, dialectName string) string {
	return filepath.Join(root, migrations.Folder(dialectName))
}
