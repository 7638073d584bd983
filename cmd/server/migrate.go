package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/store"
)

func (p *program) migrateCommand() *cobra.Command {
	var status, rebuild bool
	var yes string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this program's schema",
		Long: "Applies the migrations that the database lacks, each in a transaction of its own. Every verb\n" +
			"that needs the database does so first; this one does nothing else.",
		Example: "  codex migrate\n" +
			"  codex migrate --status               # what has been applied and what has not\n" +
			"  codex migrate --rebuild              # development: drop everything, after its name is typed\n" +
			"  codex migrate --rebuild --yes=codex.db",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if status && rebuild {
				return usageError("--status and --rebuild do not go together")
			}
			if cmd.Flags().Changed("yes") && !rebuild {
				return usageError("--yes goes with --rebuild")
			}
			c, _, err := p.load()
			switch {
			case err != nil:
				return err
			case status && !databaseThere(c):
				fmt.Fprintf(p.stdout, "%s is not there yet: codex migrate makes it\n", c.Database.Path)
				return nil
			case status:
				return p.withDatabase(cmd.Context(), c, p.migrationStatus)
			case rebuild:
				return p.withDatabase(cmd.Context(), c, func(ctx context.Context, db *store.DB) error {
					return p.rebuild(ctx, db, yes)
				})
			}
			return p.withDatabase(cmd.Context(), c, p.migrate)
		},
	}
	cmd.Flags().BoolVar(&status, "status", false, "tell what has been applied and what has not, and change nothing")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "drop everything in the database and make it anew, empty")
	cmd.Flags().StringVar(&yes, "yes", "", "with --rebuild: the database's `name`, instead of typing it")
	return cmd
}

// databaseThere tells whether there is a database to ask: opening a SQLite file makes it.
func databaseThere(c *config.Config) bool {
	if c.Database.Dialect != config.SQLite {
		return true
	}
	_, err := os.Stat(c.Database.Path)
	return !errors.Is(err, fs.ErrNotExist)
}

// withDatabase opens the configured database, as it is.
func (p *program) withDatabase(ctx context.Context, c *config.Config, fn func(context.Context, *store.DB) error) (err error) {
	logger, err := p.logger(c, slog.LevelWarn)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c, logger, p.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(ctx, db)
}

// migrate applies what is pending. It is refused where a serve, perhaps of an older program, works on
// the same SQLite file.
func (p *program) migrate(ctx context.Context, db *store.DB) error {
	unlock, err := db.LockServe()
	if err != nil {
		return err
	}
	defer unlock()
	applied, err := db.Migrate(ctx)
	if err == nil {
		err = db.MakeAppendOnly(ctx) // who took a trigger away is found out by then
	}
	for _, a := range applied {
		fmt.Fprintf(p.stdout, "applied %s_%s\n", a.Version, a.Name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintf(p.stdout, "%s is up to date\n", db.Name())
	}
	return err
}

func (p *program) migrationStatus(ctx context.Context, db *store.DB) error {
	status, err := db.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, a := range status.Applied {
		fmt.Fprintf(table, "%s_%s\tapplied\t%s\n", a.Version, a.Name, shownTime(a.At))
	}
	for _, pending := range status.Pending {
		fmt.Fprintf(table, "%s\tpending\t\n", pending)
	}
	return table.Flush()
}

// rebuild drops everything, once the database's name has been given.
func (p *program) rebuild(ctx context.Context, db *store.DB, name string) error {
	// A serve of the same SQLite file would lose its tables while it works.
	unlock, err := db.LockServe()
	if err != nil {
		return err
	}
	defer unlock()
	if name == "" {
		fmt.Fprintf(p.stderr, "This drops everything that the database %s holds. Type its name to go on: ", db.Name())
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the database's name: %w", err)
		}
		name = strings.TrimSpace(line)
	}
	if name != db.Name() {
		return codex.Errorf(codex.CodeBadInput, "nothing was done: the database is named %q, not %q", db.Name(), name)
	}
	if err := db.Rebuild(ctx); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "rebuilt %s\n", db.Name())
	return nil
}
