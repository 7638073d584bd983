package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/ent"
)

// Tx is a transaction, for the one goroutine that it was given to.
type Tx struct {
	dialect string
	sql     *sql.Tx
	ent     *ent.Client
	now     time.Time
	write   bool
	clock   func() time.Time // nil once revisions are locked: then now is behind who had them before
}

// Ent is the generated client inside the transaction.
func (tx *Tx) Ent() *ent.Client { return tx.ent }

// SQL is the transaction for statements of one's own. Parameters are written $1, $2 … in the order
// of their first appearance, on both databases.
func (tx *Tx) SQL() *sql.Tx { return tx.sql }

// Dialect is the dialect of the database.
func (tx *Tx) Dialect() string { return tx.dialect }

// Now is the one time of the transaction: UTC, whole microseconds. A write transaction has it from when
// it locks revisions ([Tx.Revisions]), so of those that write the same entities the later one has the
// later time, however long it waited: versions in the history never end before they begin, unless the
// clock is set back.
func (tx *Tx) Now() time.Time { return tx.now }

// writeAttempts bounds how often a write that the database broke off is begun again.
const writeAttempts = 6

// writeBackoff is the longest wait before the second attempt; it doubles with each.
const writeBackoff = 20 * time.Millisecond

type inWriteKey struct{}

// Write runs fn in one write transaction, which is committed when fn gives no error and rolled
// back otherwise. On SQLite it has the database's only write lock from its beginning; on PostgreSQL
// it is READ COMMITTED, and is begun again, fn with it, when the database broke it off because of a
// deadlock or a conflict with another transaction: fn must do nothing but work on tx.
//
// Errors have codes, see [Translate]. A connection lost during the commit is
// [codex.CodeUnavailable] and leaves open whether it was committed. Write within Write is refused:
// on SQLite it would wait for itself.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if ctx.Value(inWriteKey{}) == db {
		return errors.New("a write transaction was asked for within another one")
	}
	if db.writing != nil {
		select {
		case db.writing <- struct{}{}:
			defer func() { <-db.writing }()
		case <-ctx.Done():
			return fmt.Errorf("waiting to write: %w", context.Cause(ctx))
		}
	}
	opts := &sql.TxOptions{}
	if db.dialect == dialect.Postgres {
		opts.Isolation = sql.LevelReadCommitted
	}
	inner := context.WithValue(ctx, inWriteKey{}, db)
	for attempt := 1; ; attempt++ {
		err := db.run(inner, db.sql, opts, true, fn)
		if err == nil || attempt == writeAttempts || ctx.Err() != nil || !brokenOff(err) {
			return err
		}
		select {
		case <-time.After(rand.N(writeBackoff << (attempt - 1))):
		case <-ctx.Done():
			return fmt.Errorf("waiting to write again: %w", context.Cause(ctx))
		}
	}
}

// Snapshot runs fn in one read-only transaction, all of whose reads see the database as it was at
// the first of them. It takes no lock that a writer would wait for.
func (db *DB) Snapshot(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == dialect.Postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return db.run(ctx, db.sql, opts, false, fn)
}

// beginner is a pool or one of its connections.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// run is one attempt at a transaction.
func (db *DB) run(ctx context.Context, pool beginner, opts *sql.TxOptions, write bool, fn func(context.Context, *Tx) error) (err error) {
	sqlTx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return ended(ctx, fmt.Errorf("beginning a transaction: %w", err))
	}
	committed := false
	defer func() { // also when fn panics
		if !committed {
			if rollback := sqlTx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
				db.logger.DebugContext(ctx, "a transaction could not be rolled back", errAttr(rollback))
			}
		}
	}()
	if err := fn(ctx, db.tx(sqlTx, write)); err != nil {
		return ended(ctx, err)
	}
	if err := sqlTx.Commit(); err != nil {
		return ended(ctx, fmt.Errorf("committing: %w", err))
	}
	committed = true
	return nil
}

func (db *DB) tx(sqlTx *sql.Tx, write bool) *Tx {
	conn := entsql.Conn{ExecQuerier: guard{sqlTx}}
	client := refuseChanges(ent.NewClient(ent.Driver(innerDriver{conn, db.dialect})))
	return &Tx{dialect: db.dialect, sql: sqlTx, ent: client, now: db.Now(), write: write, clock: db.Now}
}

// ended gives err its code, or says that it was the context's end that broke the transaction off:
// SQLite calls that an interrupt, database/sql a transaction that is done.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) && (interrupted(err) || errors.Is(err, sql.ErrTxDone)) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return Translate(err)
}
