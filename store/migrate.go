package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/store/migrations"
)

// Applied is a migration that a database has.
type Applied struct {
	Version string // four digits
	Name    string
	At      time.Time
}

// Status is how far a database has been migrated.
type Status struct {
	Applied []Applied // in their order
	Pending []string  // what [DB.Migrate] would apply, as 0002_name
}

// migrateLease is the lease under which one process at a time migrates.
const (
	migrateLease = "migrate"
	migrateTTL   = time.Minute
)

// Migrate brings the database to the schema of this program and gives what it had to apply. Any
// number of processes may do so at once: one works, under a lease, the others wait. Each migration
// is one transaction: a process that dies leaves the database at the migration before.
//
// A database that a newer program migrated, one whose migrations are not those of this program, and
// one that holds another program's tables are refused with [codex.CodeConflict].
func (db *DB) Migrate(ctx context.Context) ([]Applied, error) {
	files, err := migrations.Files(db.dialect)
	if err != nil {
		return nil, err
	}
	applied, err := db.migrate(ctx, files)
	if err != nil {
		return applied, fmt.Errorf("migrating the database %s: %w", db.name, err)
	}
	return applied, nil
}

func (db *DB) migrate(ctx context.Context, files []migrations.File) ([]Applied, error) {
	// Most starts find nothing to do, and then write nothing.
	if _, pending, err := db.compare(ctx, files); err != nil || len(pending) == 0 {
		return nil, err
	}
	if err := db.makeFoundations(ctx); err != nil {
		return nil, err
	}
	var applied []Applied
	err := db.Hold(ctx, migrateLease, holderName(), migrateTTL, func(ctx context.Context, lease *Lease) error {
		_, pending, err := db.compare(ctx, files) // somebody may have been quicker
		if err != nil {
			return err
		}
		for _, file := range pending {
			done, err := db.apply(ctx, lease, file)
			if err != nil {
				return fmt.Errorf("applying %s: %w", label(file), err)
			}
			db.logger.InfoContext(ctx, "migration applied", slog.String("migration", label(file)))
			applied = append(applied, done)
		}
		return nil
	})
	return applied, err
}

// MigrationStatus tells what has been applied and what has not. It writes nothing. It refuses what
// [DB.Migrate] would.
func (db *DB) MigrationStatus(ctx context.Context) (Status, error) {
	files, err := migrations.Files(db.dialect)
	if err != nil {
		return Status{}, err
	}
	applied, pending, err := db.compare(ctx, files)
	if err != nil {
		return Status{}, fmt.Errorf("reading the migrations of the database %s: %w", db.name, err)
	}
	status := Status{Applied: applied}
	for _, file := range pending {
		status.Pending = append(status.Pending, label(file))
	}
	return status, nil
}

// compare gives the migrations that the database has, and those of files that it lacks.
func (db *DB) compare(ctx context.Context, files []migrations.File) (applied []Applied, pending []migrations.File, err error) {
	err = db.Snapshot(ctx, func(ctx context.Context, tx *Tx) error {
		tables, err := tx.tables(ctx)
		if err != nil {
			return err
		}
		if !slices.Contains(tables, "schema_migrations") {
			pending = files
			return strangers(tables)
		}
		hashes, err := tx.appliedMigrations(ctx, &applied)
		if err != nil {
			return err
		}
		if len(applied) == 0 {
			if err := strangers(tables); err != nil {
				return err
			}
		}
		for _, file := range files {
			hash, there := hashes[file.Version]
			switch {
			case !there:
				pending = append(pending, file)
			case hash != file.Hash:
				return codex.Errorf(codex.CodeConflict, "the migration %s is not the one that the database was migrated with", label(file))
			}
			delete(hashes, file.Version)
		}
		for _, migration := range applied {
			if _, unknown := hashes[migration.Version]; unknown {
				return codex.Errorf(codex.CodeConflict,
					"a newer codex migrated this database (%s_%s, which this one does not know): start that version again, or restore the backup made before it",
					migration.Version, migration.Name)
			}
		}
		return nil
	})
	return applied, pending, err
}

// strangers refuses a database that was never migrated but has tables under our names: the first
// migration would fail half-way through them.
func strangers(tables []string) error {
	for _, table := range migrate.Tables {
		if slices.Contains(tables, table.Name) {
			return codex.Errorf(codex.CodeConflict,
				"it already has a table %q that codex did not make: give codex a database of its own", table.Name)
		}
	}
	return nil
}

func (tx *Tx) appliedMigrations(ctx context.Context, applied *[]Applied) (hashes map[string]string, err error) {
	rows, err := tx.sql.QueryContext(ctx, "SELECT version, name, hash, applied_at FROM schema_migrations ORDER BY version")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hashes = map[string]string{}
	for rows.Next() {
		var one Applied
		var hash string
		if err := rows.Scan(&one.Version, &one.Name, &hash, &one.At); err != nil {
			return nil, err
		}
		hashes[one.Version] = hash
		*applied = append(*applied, one)
	}
	return hashes, rows.Err()
}

// tables are the names of the base tables in the schema that is ours.
func (tx *Tx) tables(ctx context.Context) ([]string, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
	if tx.dialect == dialect.Postgres {
		query = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
	}
	return texts(tx.sql.QueryContext(ctx, query))
}

// texts reads rows of one text column.
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// makeFoundations makes the two tables that migrating itself needs. PostgreSQL's IF NOT EXISTS is
// no protection against another process that makes the same table at the same time: one of them
// gets an error, and finds it there the next time.
func (db *DB) makeFoundations(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
			for _, table := range migrations.Foundations(db.dialect) {
				if _, err := tx.sql.ExecContext(ctx, table); err != nil {
					return err
				}
			}
			return nil
		})
		var pgErr *pgconn.PgError
		if attempt < writeAttempts && errors.As(err, &pgErr) && (pgErr.Code == "23505" || pgErr.Code == "42P07") {
			continue
		}
		if err != nil {
			return fmt.Errorf("making the tables of leases and migrations: %w", err)
		}
		return nil
	}
}

// apply applies one file, with the row that records it.
func (db *DB) apply(ctx context.Context, lease *Lease, file migrations.File) (Applied, error) {
	done := Applied{Version: file.Version, Name: file.Name}
	err := db.alter(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		for _, statement := range file.Statements {
			if _, err := tx.sql.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", firstLine(statement), err)
			}
		}
		if err := tx.makeAppendOnly(ctx); err != nil {
			return err
		}
		done.At = tx.now
		const record = "INSERT INTO schema_migrations (version, name, hash, applied_at) VALUES ($1, $2, $3, $4)"
		_, err := tx.sql.ExecContext(ctx, record, file.Version, file.Name, file.Hash, done.At)
		return err
	})
	return done, err
}

// alter is a write transaction that changes the schema. SQLite makes a table anew to change it,
// which foreign keys and views that refer to it must not hinder: both are switched off for a
// connection of its own (inside a transaction they cannot be), which is thrown away afterwards, and
// the foreign keys are checked before the commit. https://sqlite.org/lang_altertable.html#otheralter
func (db *DB) alter(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if db.dialect == dialect.Postgres {
		return db.Write(ctx, fn)
	}
	select {
	case db.writing <- struct{}{}:
		defer func() { <-db.writing }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to write: %w", context.Cause(ctx))
	}
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return Translate(err)
	}
	defer conn.Close()
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }() // the pool drops it
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off; PRAGMA legacy_alter_table = on"); err != nil {
		return Translate(err)
	}
	return db.run(context.WithValue(ctx, inWriteKey{}, db), conn, nil, true, func(ctx context.Context, tx *Tx) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		dangling, err := texts(tx.sql.QueryContext(ctx, `SELECT DISTINCT "table" || ' refers to ' || parent FROM pragma_foreign_key_check`))
		if err == nil && len(dangling) > 0 {
			err = fmt.Errorf("rows refer to what is not there: %s", strings.Join(dangling, ", "))
		}
		return err
	})
}

func label(file migrations.File) string { return file.Version + "_" + file.Name }

func firstLine(statement string) string {
	line, _, _ := strings.Cut(statement, "\n")
	return line
}

// holderName tells people which process holds a lease.
func holderName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}
