package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Options say which database to open, and with what.
type Options struct {
	Dialect string       // dialect.Postgres or dialect.SQLite of entgo.io/ent/dialect
	DSN     codex.Secret // PostgreSQL: a postgres:// URL; several hosts and target_session_attrs work
	Path    string       // SQLite: the file, made where it is not there (its folder is not)
	Logger  *slog.Logger
	Now     func() time.Time // the clock of rows; leases go by the database's own
	// OnStatement, where set, is called before each SQL statement that reads or writes data, on
	// whatever way it reaches the database, also from several goroutines. Statements that only
	// begin or end a transaction are not told. It is for tests that count.
	OnStatement func(ctx context.Context, query string)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect string
	name    string
	path    string // SQLite's file
	sql     *sql.DB
	ent     *ent.Client
	logger  *slog.Logger
	clock   func() time.Time
	// writing holds the one write transaction of this process on SQLite, so that writers queue
	// fairly instead of polling for the file's lock. Nil on PostgreSQL.
	writing chan struct{}
	stop    func()
}

// Open connects to the database and makes sure that it answers. It does not migrate: see
// [DB.Migrate]. A database that cannot be reached is [codex.CodeUnavailable].
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil || o.Logger == nil {
		return nil, fmt.Errorf("opening the database: Options.Now and Options.Logger must be set")
	}
	db := &DB{dialect: o.Dialect, logger: o.Logger, clock: o.Now, stop: func() {}}
	var err error
	switch o.Dialect {
	case dialect.Postgres:
		err = db.openPostgres(ctx, o)
	case dialect.SQLite:
		err = db.openSQLite(ctx, o)
	default:
		err = fmt.Errorf("there is no dialect %q", o.Dialect)
	}
	if err != nil {
		return nil, Translate(fmt.Errorf("opening the database: %w", err))
	}
	db.ent = refuseChanges(ent.NewClient(ent.Driver(db.driver())))
	return db, nil
}

// Close gives up all connections. Transactions that still run are rolled back.
func (db *DB) Close() error {
	err := db.sql.Close()
	db.stop()
	if err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

// Ent is the generated client, for reads that need not be consistent with each other and for
// small writes. What belongs together goes through [DB.Write] and [DB.Snapshot].
func (db *DB) Ent() *ent.Client { return db.ent }

// SQL is the connection pool beneath [DB.Ent].
func (db *DB) SQL() *sql.DB { return db.sql }

// Dialect is dialect.Postgres or dialect.SQLite of entgo.io/ent/dialect.
func (db *DB) Dialect() string { return db.dialect }

// Name is what a person calls this database and types to have it rebuilt: PostgreSQL's name of it,
// or the name of SQLite's file without its folder.
func (db *DB) Name() string { return db.name }

// Now is the time as both databases can keep it: UTC, in whole microseconds.
func (db *DB) Now() time.Time { return UTC(db.clock()) }

// UTC is t as both databases keep it: UTC, in whole microseconds (PostgreSQL has no finer ones).
func UTC(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func sqliteName(path string) string { return filepath.Base(path) }
