// Package syncers is the sync engine: it reads Freshservice and Datto RMM and brings the database to
// what they hold.
//
// # A sync is a plan, then its application
//
//	fetch ─▶ map ─▶ Missing ─▶ guard ─▶ confirm ─▶ plan ─▶ apply
//	(HTTP)  (pure)  (pure)    (pure)    (HTTP)    (pure)  (one transaction)
//
// Records that were fetched are mapped to plain structs, one kind an entity (assets.go,
// companies.go ...). [Plan] compares them with the rows at hand and yields creates, updates with the
// fields that change, removals and what is unchanged. What is applied is that very plan, with its
// history and issues, in one transaction that checks the run's lease and the revisions of all that
// the plan was made from; if they have moved it answers [ErrPlanStale] and the run plans anew from
// the rows as they now are.
//
// # What is absent
//
// Absence from a listing is a suspicion, never a fact. A row is marked removed only where its
// surroundings were read completely ([Scope]), and after the record's own GET said that it is gone.
// Beyond a share of a site, a company or the whole ([Guard]) rows are held: nothing is asked or
// removed, the run ends as held. A company is never removed by a sync.
//
// # Companies
//
// What no sync decides an admin does: [Engine.RenameCompany] gives a company another account number,
// [Engine.ArchiveCompany] takes one out that is leaving. Both are one transaction that raises the
// revisions of all that belongs to companies, so whatever a run has planned before is planned anew. To
// every plan an archived company is as good as none, until a department has its number again.
//
// # What is local
//
// What a person says is the hub's own: [Engine.UpdateCompany], [Engine.UpdateContact],
// [Engine.LinkContact], [Engine.LinkAsset] and their undoing (local.go, local_links.go). Each is one
// transaction with its history, and raises the revisions of what it writes. A plan takes it from the
// rows as they are (Merge), so no run and no re-read changes it, whatever the upstreams say, until a
// person takes it back. It moves along when a company is renamed, and is kept while a company is archived
// or a contact or a machine removed.
//
// # Runs
//
//	queued ─▶ running ─▶ succeeded | partial | held | failed | cancelled
//	              └────▶ interrupted
//
// One run a feed at a time in the whole installation, by a lease ([store.Lease]). A second request
// of the same kind joins the run that waits or works; any other waits as queued. A run beats its
// heart into its row; one whose process died is found by the next start of the feed, or by who waits
// for its end, and marked interrupted: nobody holds its lease any more.
//
// # Re-reads
//
// Between runs a webhook may name a record, which is then read, planned and applied by itself
// ([Engine.Announce], [Engine.ServeRereads]; reread.go). It removes nothing, since only a run has the
// guard, and no lease of a feed: reread_races.go says how the two keep from overwriting each other.
//
// Who watches is told by [Progress]: it reads the runs' rows once a second while there is somebody to
// tell, and so knows of the runs of every process.
//
// # What a crash does
//
// Nothing is lost or half done: an entity's rows, history, issues and sync checkpoint move in one
// transaction. Tickets go in batches, each a transaction of its own that also notes the tickets that
// are done, and are read ahead while the batch before is written: a killed run costs the fetching of
// two batches, or of four where it had just listed, and the next run goes on behind what was written.
// The cursor moves at the end of a run alone.
//
// # What it never does
//
// It knows nothing of GraphQL or REST, and nothing of paging, tokens and limits, which are the
// clients' business. No sync writes what is local (employment_type, manual links ...).
package syncers
