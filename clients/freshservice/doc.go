// Package freshservice reads a Freshservice account by its API v2: departments, requesters, agents,
// tickets with their time entries and conversations. It never writes, and knows nothing of what the
// hub makes of the records.
//
// # Choices
//
// They rest on what the vendor documents, and on what was observed where that is silent or wrong.
//
//   - Lists are read to an empty page, or to one that is neither full nor followed by a link to the
//     next. There are no totals. Records move between pages while they are read, so each is taken
//     once, by id, as it was read last; a page that only repeats is asked for again, and leaves the
//     listing incomplete if it stays so. Absence from a listing proves nothing, least of all in an
//     incomplete one.
//   - Tickets come from /tickets with updated_since, not from /tickets/filter, which is a search
//     index minutes behind, cannot embed stats, and never shows deleted or spam tickets. Those are
//     listings of their own.
//   - An account that refuses embeds is read without: Stats and Requester are then nil.
//   - A ticket whose sub-lists answer 404 has none.
//   - Without workspaces a listing is plain: of tickets, it then shows the primary workspace. With
//     workspaces it is one a workspace, put together; departments and requesters fall back to a
//     plain one where the parameter is refused. Workspace 0 is Freshservice's word for all: it is
//     asked for with tickets, and left off with the others, which a plain listing shows whole.
//   - Envelopes are singular or plural; records are decoded one by one; what cannot be understood is
//     a [wire.BadRecord]. A 200 without the list is an error, never an empty list.
//
// # Limits
//
// Each answer tells the limits (per minute, of the account or of the endpoint) and they are kept to
// by the client's one limiter; see package transport. Credits of embeds are counted.
//
// The client keeps no state but its limiter's, and writes nothing: a process that dies in the
// middle of a listing leaves nothing behind.
package freshservice
