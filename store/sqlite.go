package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// sqliteTime is how SQLite keeps times: as text of one width and in UTC, so that the order of texts
// is the order of times.
const sqliteTime = "2006-01-02T15:04:05.000000Z07:00"

// sqliteConns bounds the connections to one file. Readers do not wait for a writer (WAL), and more
// readers than processors gain nothing.
const sqliteConns = 8

// openSQLite opens one pool for reads and writes. A write transaction begins IMMEDIATE, so that it
// never fails half-way because another one wrote since its first read; a read-only one is begun
// deferred by the driver and takes no lock that a writer would wait for. Two pools were not needed.
//
// synchronous is FULL: what was answered survives a power failure. An apply is one commit, so its
// price is one fsync a batch.
func (db *DB) openSQLite(ctx context.Context, o Options) error {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return err
	}
	// SQLite would make it readable for everybody; by modeof the -wal beside it takes its rights.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		if err := file.Close(); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	query := url.Values{
		"modeof":   {path},
		"_txlock":  {"immediate"},
		"_timefmt": {sqliteTime},
		// The order matters: the others may have to wait.
		"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)"},
	}.Encode()
	// SQLite's own reading of the address knows no + for a space.
	source := url.URL{Scheme: "file", Path: path, RawQuery: strings.ReplaceAll(query, "+", "%20")}
	connector, err := (&sqlite.SQLite{}).OpenConnector(source.String())
	if err != nil {
		return err
	}
	pool := sql.OpenDB(&sqliteConnector{connector, o.OnStatement})
	pool.SetMaxOpenConns(sqliteConns)
	pool.SetMaxIdleConns(sqliteConns)
	if err := pool.PingContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("opening %s: %w", path, err), pool.Close())
	}
	db.sql, db.path, db.name, db.writing = pool, path, sqliteName(path), make(chan struct{}, 1)
	return nil
}

// sqliteConnector wraps the driver so that every time that reaches the database is in UTC (its
// layout keeps the zone that it is given) and so that statements can be counted.
type sqliteConnector struct {
	driver.Connector
	onStatement func(context.Context, string)
}

func (c *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(sqlite.Conn)
	if !ok {
		return nil, fmt.Errorf("the SQLite driver gave a %T", conn)
	}
	if err := registerFold(inner); err != nil {
		return nil, errors.Join(fmt.Errorf("giving SQLite a function: %w", err), inner.Close())
	}
	return &sqliteConn{inner, counter(c.onStatement)}, nil
}

type sqliteConn struct {
	sqlite.Conn
	count counter
}

func (c *sqliteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	inner, ok := c.Conn.(driver.ExecerContext)
	if !ok || len(args) > 0 {
		return nil, driver.ErrSkip // it is prepared, and counted there
	}
	c.count.statement(ctx, query)
	return inner.ExecContext(ctx, query, args)
}

func (c *sqliteConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	inner, ok := stmt.(sqliteInnerStmt)
	if !ok {
		return nil, fmt.Errorf("the SQLite driver prepared a %T", stmt)
	}
	return &sqliteStmt{inner, query, c.count}, nil
}

// CheckNamedValue lets all through: [sqliteStmt.CheckNamedValue] looks at them.
func (c *sqliteConn) CheckNamedValue(*driver.NamedValue) error { return nil }

type sqliteInnerStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type sqliteStmt struct {
	sqliteInnerStmt
	query string
	count counter
}

func (s *sqliteStmt) CheckNamedValue(value *driver.NamedValue) error {
	if t, ok := value.Value.(time.Time); ok {
		value.Value = UTC(t)
		return nil
	}
	return s.sqliteInnerStmt.CheckNamedValue(value)
}

func (s *sqliteStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.count.statement(ctx, s.query)
	return s.sqliteInnerStmt.ExecContext(ctx, utcArgs(args))
}

func (s *sqliteStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.count.statement(ctx, s.query)
	return s.sqliteInnerStmt.QueryContext(ctx, utcArgs(args))
}

// utcArgs catches the times that came out of a driver.Valuer, after CheckNamedValue had looked.
func utcArgs(args []driver.NamedValue) []driver.NamedValue {
	for i, arg := range args {
		if t, ok := arg.Value.(time.Time); ok {
			args[i].Value = UTC(t)
		}
	}
	return args
}
