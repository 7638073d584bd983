// Package store opens the hub's database, SQLite or PostgreSQL, brings its schema up to date, and
// gives the rooms above it transactions, bulk statements, leases, revisions and coded errors that
// are alike on both. It holds no rule of the business, and nothing above it opens a database.
//
// # Invariants
//
//   - Times are UTC, in whole microseconds. SQLite keeps them as text of one width, so that texts
//     order as times.
//   - Texts are UTF-8 without U+0000 ([CleanText]) and ordered by bytes: PostgreSQL's text columns
//     have the collation "C"; [OrderText] is for what is computed.
//   - What belongs together is written by [DB.Write] and read by [DB.Snapshot]. Writers of SQLite
//     queue in the process and take the file's lock when they begin; readers never wait for them.
//   - A list of keys is one parameter ([KeyIn], [Tx.UpdateByKey]), whatever its length.
//   - Nothing depends on a session of PostgreSQL: no advisory lock, no LISTEN, no temporary table,
//     so a transaction pooler may stand in between. Behind one ([Open] finds out) statements have
//     no names.
//   - Errors that leave have codes ([Translate]); those of [DB.Ent] too.
//
// # Who may write
//
// A lease is a row: name, holder, epoch, and when it expires by the database's own clock.
//
//	free ──Acquire──▶ held (epoch + 1) ──Renew──▶ held
//	  ▲                │        │
//	  └────Release─────┘        └─ its end passes ─▶ expired ──Acquire by another──▶ held (epoch + 1)
//
// [Tx.CheckLease] makes a transaction depend on it: a holder that was presumed dead writes nothing.
// [Tx.Revisions] makes one depend on what it was planned from.
//
// # When it dies half-way
//
// Whatever was not committed has not happened. Migrations are one transaction each, so the database
// stays at one of them; a lease frees itself when it expires; the lock of a SQLite `serve` ends with
// its process. synchronous is FULL on SQLite: a commit that was answered survives a power failure.
package store
