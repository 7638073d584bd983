// Package archive keeps accepted bills as evidence: it checks what is sent ([ParseSubmission]), stores
// it once with a leaf of the Merkle log of package proof ([Archive.Accept]), and finds it again. A bill
// is corrected in the open alone: it is reopened, with a reason ([Archive.Reopen]), and the next bill
// with its number is its next revision. Rules and answers are docs/compatibility.md, "Archive".
//
// It never changes or deletes a row: the database refuses both (store.CheckAppendOnly). It never takes
// an amount through a float: amounts are decimals from the text of the JSON to the cents of the row,
// and what was sent is kept to its last byte. It does not sign, and knows no HTTP.
//
// # Invariants
//
// A snapshot, its contents, its lines, its leaf, the tree's hashes and the tree's new head are written
// in one transaction, or nothing of them: a process that dies half-way, or a database that goes away,
// leaves no part of a bill. Writers queue for the revision of [Entity]; the head of the tree has its
// size as its key, so that even a writer which did not queue could not append behind the same leaf.
//
// Which revision is served is derived and stored nowhere: the newest one, unless its last event is that
// it was reopened.
package archive
