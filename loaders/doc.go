// Package loaders answers the edges of the graph: what hangs on a company, asset, contact or
// ticket. Each edge is one dataloader, built per request, so that a query costs as many SQL
// statements as it has edges, however many rows they lead to.
//
// It asks package query and decides nothing itself, holds no SQL, and never outlives its request:
// what it has read is as old as the request at most.
//
// # One loader a place
//
// A place is where a field stands in the query: companies.nodes.assets.contacts. A loader belongs
// to one place, which settles its edge, its arguments and its columns, for these are the same
// for every row there. Only the columns of the fields that are asked for are read.
//
// A dataloader alone collects keys for a moment and asks for them together; where the siblings are
// many, or the machine is busy, the moment is over before all have come, and there are as many
// statements as moments. So a loader here also knows what was read at the place above it, all of
// whose rows are about to ask for the same edge: its first batch asks for all their keys at once,
// and what comes later finds its answer there.
//
// # When it fails or dies half-way
//
// A batch that fails gives its error to each of its keys: the same value, so that it can be logged
// once. A panic in a batch is such an error too. When the request ends first, the batch's statement
// is broken off and whoever waits for it has the context's error. All that a loader keeps is in
// memory and of one request: a process that dies leaves nothing half-done.
package loaders
