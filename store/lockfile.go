package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
)

// LockServe makes this process the one `codex serve` of a SQLite database, until release is called
// or the process ends, however it ends. A second one is refused with [codex.CodeConflict]: two rate
// limiters and two writers would work against each other. On PostgreSQL there may be any number,
// and it does nothing.
func (db *DB) LockServe() (release func(), err error) {
	if db.dialect == dialect.Postgres {
		return func() {}, nil
	}
	return LockFile(db.path)
}

// LockFile takes the lock of the SQLite database at path, which is a lock (flock) on the file
// path.lock beside it. The file stays when the lock is released: removing it could remove another's.
func LockFile(path string) (release func(), err error) {
	name := path + ".lock"
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the database: %w", err)
	}
	unlock := func() { _ = file.Close() } // closing releases; nothing was written that could be lost
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer unlock()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		process := "another process"
		if id, err := io.ReadAll(io.LimitReader(file, 20)); err == nil && len(id) > 0 {
			process = "process " + strings.TrimSpace(string(id))
		}
		return nil, codex.Errorf(codex.CodeConflict,
			"%s serves the SQLite database %s already, and only one may: stop that one, or use PostgreSQL, which any number can share", process, path)
	}
	// For people who wonder: who holds it.
	if err := errors.Join(file.Truncate(0), writeAt(file, fmt.Sprintf("%d\n", os.Getpid()))); err != nil {
		unlock()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return unlock, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}
