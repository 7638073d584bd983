package store

import (
	"context"
	"database/sql"
	"reflect"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// counter is Options.OnStatement, or nil.
type counter func(ctx context.Context, query string)

func (c counter) statement(ctx context.Context, query string) {
	if c == nil {
		return
	}
	switch word, _, _ := strings.Cut(strings.TrimLeft(query, "-; \n\t"), " "); strings.ToLower(strings.TrimSuffix(word, ";")) {
	case "", "ping", "begin", "start", "commit", "rollback", "savepoint", "release", "pragma":
	default:
		c(ctx, query)
	}
}

// guard stands between ent and a pool or transaction: texts that go in are such as both databases
// can hold, and errors that come out have codes.
type guard struct{ entsql.ExecQuerier }

func (g guard) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	result, err := g.ExecQuerier.ExecContext(ctx, query, cleanArgs(args)...)
	return result, Translate(err)
}

func (g guard) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := g.ExecQuerier.QueryContext(ctx, query, cleanArgs(args)...)
	return rows, Translate(err)
}

// cleanArgs gives args back, with a text in it changed only where it must be.
func cleanArgs(args []any) []any {
	for i, arg := range args {
		switch arg := arg.(type) {
		case nil:
		case string:
			args[i] = CleanText(arg)
		default:
			if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
				args[i] = CleanText(v.String())
			}
		}
	}
	return args
}

// entDriver is ent's way to the database.
type entDriver struct {
	entsql.Conn
	db *DB
}

func (db *DB) driver() dialect.Driver {
	return &entDriver{Conn: entsql.Conn{ExecQuerier: guard{db.sql}}, db: db}
}

// Dialect implements dialect.Driver.
func (d *entDriver) Dialect() string { return d.db.dialect }

// Close implements dialect.Driver. The pool is [DB.Close]'s.
func (d *entDriver) Close() error { return nil }

// Tx implements dialect.Driver; ent takes one for a write of several statements.
func (d *entDriver) Tx(ctx context.Context) (dialect.Tx, error) { return d.BeginTx(ctx, nil) }

// BeginTx is what ent's generated BeginTx asks for.
func (d *entDriver) BeginTx(ctx context.Context, opts *sql.TxOptions) (dialect.Tx, error) {
	tx, err := d.db.sql.BeginTx(ctx, opts)
	if err != nil {
		return nil, Translate(err)
	}
	return &entTx{Conn: entsql.Conn{ExecQuerier: guard{tx}}, Tx: tx}, nil
}

type entTx struct {
	entsql.Conn
	*sql.Tx
}

// ExecContext is the guarded one: both embedded values have it.
func (t *entTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.Conn.ExecContext(ctx, query, args...)
}

// QueryContext is the guarded one: both embedded values have it.
func (t *entTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.Conn.QueryContext(ctx, query, args...)
}

// Exec is ent's: both embedded values have one.
func (t *entTx) Exec(ctx context.Context, query string, args, v any) error {
	return t.Conn.Exec(ctx, query, args, v)
}

// Query is ent's: both embedded values have one.
func (t *entTx) Query(ctx context.Context, query string, args, v any) error {
	return t.Conn.Query(ctx, query, args, v)
}

// innerDriver is ent's way into a [Tx], whose beginning and end are not ent's to decide.
type innerDriver struct {
	entsql.Conn
	dialect string
}

// Dialect implements dialect.Driver.
func (d innerDriver) Dialect() string { return d.dialect }

// Close implements dialect.Driver.
func (d innerDriver) Close() error { return nil }

// Tx implements dialect.Driver: it is the transaction that is there.
func (d innerDriver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }
