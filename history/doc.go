// Package history keeps the versions of rows: what the hub saw, from when to when.
//
// A version is opened when a row is first seen or comes back, and closed when a field that the
// history keeps changes or the row is gone. Both happen in the caller's transaction, so a version
// exists exactly if the change that it tells of was committed: a crash loses both or none. A row has
// at most one open version. Versions are never changed but for being closed.
//
// It knows no entity: the columns are those of its caller's table, declared once in ent/schema for
// the present and the past.
package history
