// Package query is every read of what was synced: companies and what hangs on them, sync runs and
// issues. GraphQL's resolvers and loaders, the REST paths and the command line all ask here, so
// that a question has one translation into SQL.
//
// It never writes, knows nothing of HTTP or GraphQL, and keeps no state: a [Reader] is a view of
// one source (the database, or a snapshot of it) and as cheap to make as to drop.
//
// # What is served
//
// A company until an admin archives it. A contact, asset, location or site until its upstream no
// longer has it (removed_at). A ticket while it is closed. What is not served is absent here: no
// function of this package returns it, whatever it is asked by.
//
// # Shape
//
// What a company, asset, contact or ticket is connected to is read in batches by key, each one
// statement whatever the number of keys. A key that has nothing is absent from the map. Children
// come in the order of their ids.
//
// Columns are named by the constants of the ent packages ([asset.FieldHostname]); none means all.
// The primary key, and the column by which a batch is grouped, are read in any case. A field whose
// column was not asked for has its zero value.
//
// Lists are pages by keyset: a page continues after the row that its cursor names, so that rows
// which come or go meanwhile shift nothing. Order of text is by bytes on both databases.
//
// # Filters and orders
//
// What a list may be filtered and sorted by is one table of fields an entity (entity.go): a line is all
// that a new field takes here, and the graph's inputs are held to the table by a test. [Filter] and
// [Order] become functions on ent's sql.Selector, of the present and of the past alike; no text of a
// caller becomes part of a statement. A list's order ends with its key, so that it is total, and a cursor
// carries the values by which its row was sorted, and what tells the list that it belongs to.
//
// The first rows of each parent ([Edge]) are read in one statement from a view that numbers them. For
// 5 of the tickets of each of 50 companies (30,000 in all) that took 5 ms on PostgreSQL and 43 ms on
// SQLite; a lateral join, or on SQLite a correlated one, took 1 ms on both, since an index has their
// order. It was not taken yet: the view is one form for both databases, whatever the order.
//
// # Totals
//
// Counts and sums by group ([Reader.AssetTotals], [Reader.TicketTotals]) are one statement, with the filter
// of a list: they are the sums of the rows that the list gives, which is their law under test. Sums are
// made by the database, of whole bytes and seconds; the rule of 0.25 h is told twice for that, in
// [Reader.TicketSeconds] and in SQL. By what they are grouped is a table beside that of fields. Groups
// have no pages: there are [MaxGroups] at most, and more are an error.
//
// # Search
//
// [Reader.Search] finds companies, contacts, assets and tickets by what people type. What is searched is
// one table of kinds (search.go): a kind is one entry, with the fields in which a text is looked for. Each
// kind is one statement, which has its own first hits in their order; the merge of these is the answer.
// No index serves a text that stands somewhere in a field, so each statement looks at all rows: of 100,000
// tickets with subjects of 60 letters, on two busy cores, that took 0.2 to 0.3 s on both databases where
// few match, and 0.4 s (SQLite) to 0.6 s (PostgreSQL) where all do; of 100,000 contacts, each fourth with
// a further address, 0.2 to 0.4 s and 0.5 to 0.9 s. Folding is most of it, which is why a rank folds a
// field once.
//
// # Archived bills
//
// Bills are read by the same table of fields (snapshotfields.go), in sets of [Revisions]. Which revision is
// current is told here once, for lists ([StandingSnapshots]) and for one bill ([CurrentSnapshots]). They never
// change, so they have no past. Two are compared by [DiffSnapshots], which is pure.
//
// # The past
//
// [Reader.AsOf] gives the [Past] at a moment: what the hub had seen by then, from the history tables,
// whose columns come from the same lists as those of the present (package schema). The same questions
// are asked there, with one more predicate: when a version was seen. What is volatile has no past:
// contacts by asset, time entries, texts of tickets. A moment's answers rest on the runs of its
// [Coverage]; before the first succeeded run there is none, a [codex.CodeNoHistory] error.
//
// [Reader.Changes] lists what happened to records: a version that begins, or one that ends and has
// no successor. It is derived from the versions; no other log is kept.
//
// Sizes of backups are kept as readings by day ([Reader.BackupReadingsByAsset]), and a [Past] takes
// the newest one by its moment.
//
// A read that fails half-way returns its error and nothing else, but for [Reader.EachCompany],
// which has handed on the batches before.
//
// [asset.FieldHostname]: https://pkg.go.dev/github.com/hivematrix/codex/ent/asset#FieldHostname
package query
