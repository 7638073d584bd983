// Package schema is the data model: one file an entity, the single source of tables, columns and
// edges. Names are those of the HiveMatrix services where they had the table
// (docs/compatibility.md, "Tables"); a base column says its unit (backup_bytes, spent_seconds).
//
// # Present and past
//
// An entity that matters to a bill has two tables: the present (companies) and its versions
// (companies_history), whose columns come from the same list of fields here, plus seen_from,
// seen_to and the run or person that brought the version. So one predicate runs on either. Fields
// that are not in the list are volatile (online, last_seen, addresses ...): they have no past.
//
// # What is not here
//
// No rule that needs a second row, and no unique key on what an upstream merely tends to keep
// unique: identity is decided by package syncers. Text has no length limit, so no free text is in an
// index: PostgreSQL takes no entry beyond some 2,700 bytes. Keys from upstreams are bounded by
// package syncers. Times are UTC, in microseconds. The table leases is made by package store, before
// any migration.
//
// Columns that hold JSON (domains, secondary_emails, conversations, notes, counts ...) are text:
// they are served as they are, byte for byte alike on both databases, which jsonb is not.
package schema
