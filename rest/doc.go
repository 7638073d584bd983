// Package rest serves the REST paths that the HiveMatrix services had and their callers rely on:
// companies, assets, contacts, locations, tickets, the bulk answer, billing plans, sync jobs, and accepted bills. What
// each answers is docs/compatibility.md, "Codex REST" and "Archive"; the tests hold whole bodies against
// golden files, the same ones on both databases.
//
// A handler is thin: parse, one call of package query, plans, syncers or archive, encode. The JSON struct stands
// beside it with its keys in the contract's order. No rule lives here but those of the contract's
// formats (times, hours, backup sizes).
//
// # What it never does
//
// It authenticates nobody: the caller comes in the request's context (package httpd), and each route
// states the set of roles that it admits; a route that states none admits nobody. It writes nothing:
// what changes something is asked of packages syncers and archive. It tells no caller the cause of a
// defect; that goes to the log.
//
// # The description
//
// openapi.json describes every path for tools, those of package httpd too ([OpenAPI]). It is written by
// hand, and a route without it, or an answer that is not as it says, fails the tests (package openapitest).
//
// # Entity tags
//
// An answer with data has a strong ETag, made of what it depends on: the revisions of the entities that
// it is made of, path and parameters, configuration and program (tag.go). The revisions are read in the
// snapshot that the answer is read from, before it. Who has the answer already is told so (304) at the
// cost of one statement. Whatever writes to a served table raises its revision in the same transaction
// (store.Tx.Raise); what does not would have callers keep an old answer for good. An answer with bills
// has a tag made of its bytes: a bill never changes, whatever else is archived.
//
// # The bulk answer
//
// It is read from one database snapshot and streamed:
//
//	snapshot ─▶ a batch of companies ─▶ JSON ─▶ spool ─▶ the client, at its own pace
//	            (one goroutine)                 memory, then a temporary file
//
// The spool never makes the reading wait, so the snapshot is open only as long as the database
// needs, however slow the client is; and memory holds one batch and one buffer, however many
// companies there are.
//
// # When it dies half-way
//
// A bill is archived in one transaction of package archive: a caller whose answer is lost sends it
// again, and is told that it is there. An answer other than bulk is made whole before its first byte is sent. A bulk answer that fails
// after its first byte breaks the connection, so that no client can take the part for the whole. The
// temporary file has no name from the moment it is made: it goes with the process.
package rest
