package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Translate gives an error of a database driver or of ent its code, and a message that tells no
// internals; the cause stays in the chain. An error that has a code, a context's end and what it
// does not know come back as they are.
//
//	unique or foreign key, append-only table   CONFLICT
//	a row that ent did not find                NOT_FOUND
//	text that the database cannot hold         BAD_USER_INPUT
//	no connection, failover, lock, full disk   UNAVAILABLE
//	a damaged file                             INTERNAL
func Translate(err error) error {
	var coded *codex.Error
	if err == nil || errors.As(err, &coded) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var code codex.Code
	var message string
	var pgErr *pgconn.PgError
	var liteErr *sqlite3.Error
	var liteCode sqlite3.ErrorCode // without the connection's message
	switch {
	case errors.As(err, &pgErr):
		code, message = postgresCode(pgErr.Code)
	case errors.As(err, &liteErr):
		code, message = sqliteCode(liteErr.ExtendedCode())
	case errors.As(err, &liteCode):
		code, message = sqliteCode(sqlite3.ExtendedErrorCode(liteCode))
	case ent.IsNotFound(err):
		code, message = codex.CodeNotFound, "it does not exist"
	case unreachable(err):
		code, message = codex.CodeUnavailable, "the database cannot be reached"
	}
	if code == "" {
		return err
	}
	return codex.Wrap(code, err, "%s", message)
}

// postgresCode reads a SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
func postgresCode(state string) (codex.Code, string) {
	switch state {
	case "23505":
		return codex.CodeConflict, "it exists already"
	case "23503":
		return codex.CodeConflict, "what it refers to does not exist, or is referred to"
	case "23001":
		return codex.CodeConflict, "what was written there is never changed"
	case "22021", "22P05":
		return codex.CodeBadInput, "the text holds characters that the database cannot keep"
	case "25006":
		return codex.CodeUnavailable, "the database takes no writes now"
	case "40001", "40P01", "55P03":
		return codex.CodeUnavailable, "others are writing the same; try again"
	case "53100":
		return codex.CodeUnavailable, "the database's disk is full"
	}
	switch state[:min(2, len(state))] {
	case "08", "53", "57", "58", "28":
		return codex.CodeUnavailable, "the database does not answer now"
	}
	return "", ""
}

// sqliteCode reads an extended result code: https://sqlite.org/rescode.html
func sqliteCode(extended sqlite3.ExtendedErrorCode) (codex.Code, string) {
	switch extended {
	case sqlite3.CONSTRAINT_UNIQUE, sqlite3.CONSTRAINT_PRIMARYKEY, sqlite3.CONSTRAINT_ROWID:
		return codex.CodeConflict, "it exists already"
	case sqlite3.CONSTRAINT_FOREIGNKEY:
		return codex.CodeConflict, "what it refers to does not exist, or is referred to"
	case sqlite3.CONSTRAINT_TRIGGER:
		return codex.CodeConflict, "what was written there is never changed"
	}
	switch extended.Code() {
	case sqlite3.BUSY, sqlite3.LOCKED:
		return codex.CodeUnavailable, "others are writing; try again"
	case sqlite3.FULL:
		return codex.CodeUnavailable, "the database's disk is full"
	case sqlite3.READONLY, sqlite3.PERM, sqlite3.AUTH:
		return codex.CodeUnavailable, "the database file may not be written"
	case sqlite3.IOERR, sqlite3.CANTOPEN:
		return codex.CodeUnavailable, "the database file cannot be read or written"
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return codex.CodeInternal, "the database file is damaged"
	}
	return "", ""
}

// unreachable tells whether err is about the way to the database, not about what was asked of it.
func unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var path *fs.PathError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.As(err, &path) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "database is closed") // database/sql and pgx have no value for these
}

// brokenOff tells whether the database itself rolled the transaction back, because of others, so
// that it may be tried again: a serialization failure or a deadlock.
func brokenOff(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// interrupted tells whether err is how SQLite reports the end of a context.
func interrupted(err error) bool { return errors.Is(err, sqlite3.INTERRUPT) }

func errAttr(err error) slog.Attr { return slog.String("err", err.Error()) }
