// Package archive keeps accepted bills as evidence: it checks what is sent ([ParseSubmission]), stores
// it once with a leaf of the Merkle log of package proof ([Archive.Accept]), and finds it again. A bill
// is corrected in the open alone: it is reopened, with a reason ([Archive.Reopen]), and the next bill
// with its number is its next revision. Rules and answers are docs/compatibility.md, "Archive".
//
// It never changes or deletes a row: the database refuses both (store.CheckAppendOnly). It never takes
// an amount through a float: amounts are decimals from the text of the JSON to the cents of the row,
// and what was sent is kept to its last byte. It knows no HTTP: who publishes is handed in ([Publisher]),
// and so is who reads the bills of a Ledger that keeps them itself ([Fetcher]).
//
// A bill of such a Ledger is archived as it is there ([Archive.AcceptFetched]); a correction that was made
// there is its next revision, once a person has said so ([Archive.Refetch]): its reopening and the revision
// are one transaction, so that a Ledger which fails in between, or a process that dies, leaves the bill as
// it stood.
//
// # Invariants
//
// A snapshot, its contents, its lines, its leaf, the tree's hashes and the tree's new head are written
// in one transaction, or nothing of them: a process that dies half-way, or a database that goes away,
// leaves no part of a bill. Writers queue for the revision of [Entity]; the head of the tree has its
// size as its key, so that even a writer which did not queue could not append behind the same leaf.
//
// Behind each commit the tree's newest head is signed: the log checkpoint is written into a file outside
// the database, then into the database, then it may be published. A process that dies before, between or
// behind these leaves nothing wrong: the next one signs the same bytes. Where the file cannot be written
// nothing is signed, and what was signed is handed out. Nothing is signed, and nothing appended, that
// does not begin with what was signed before; a database that came back from an older backup, a tree
// that was altered and a process without the log's key are stopped ([StoppedError]) until a person has
// acted, while bills are read and served. A backup is gone on from in a new epoch alone, whose first
// leaf names what was lost ([Archive.OpenEpoch]).
//
// There is one key for all processes: it is made under the lock of those who append, written to its file
// before the database knows it, and recorded with the first leaf. No log line and no error holds it.
//
// Rejected: signing inside the transaction, since a head that is rolled back must never have been signed;
// signing by a service of its own, since a bill's answer would come before its proof; the published place
// as the only memory outside, since appending would wait for somebody else's network.
//
// Which revision is served is derived and stored nowhere: the newest one, unless its last event is that
// it was reopened.
package archive
