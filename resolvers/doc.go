// Package resolvers answers GraphQL: [NewHandler] is the HTTP handler of /graphql. A resolver takes
// its arguments, makes one call (of query, loaders, the sync engine or the tokens) and gives back
// what that gave. There is a file for each file of the schema in package graph.
//
// It writes no SQL and decides nothing about the data. What it does decide is how the graph is
// served:
//
//   - roles.go: who may ask for a field of Query, Mutation or Subscription. A field that does not say
//     so, in its @allow, is refused.
//   - introspection.go: who may ask for the schema itself.
//   - limits.go, document.go, cost.go: how much a query may ask for, reckoned before anything runs;
//     slots.go: how much a caller may have under way.
//   - persisted.go: queries that go by their hash.
//   - errors.go: what an error tells the caller, and what only the log.
//   - transport.go, request.go, answer.go: GraphQL over HTTP, and how long a query may take.
//   - stream.go, subscription.go: the same over Server-Sent Events, which last.
//
// Nothing outlives a request but the caches of parsed and of persisted queries. A stream lasts until
// its client goes or stops reading, or [Handler.EndStreams] is called; a client that was broken off
// asks again, and is told anew how things stand. A process that dies leaves nothing half-done here: what a mutation
// started, the engine owns.
package resolvers
