// Package codex is the vocabulary that every floor of the hub shares: error codes, account
// numbers and run ids, money, seconds and byte counts, billing periods, feeds and run states,
// callers and roles, secrets that never print. It does no I/O and imports nothing of the project.
//
// # The hub
//
// Codex brings an MSP's customers (Freshservice) and machines (Datto RMM) together and serves them
// by GraphQL and by the REST paths of the HiveMatrix services that it replaces
// (docs/compatibility.md).
//
//	Freshservice ──┐  clients     syncers               ent, store     query     ┌── graph → resolvers → loaders
//	               ├─▶ fetch ─▶ map ─▶ plan ─▶ apply ─▶    DB    ─▶ lists, edges ┼── rest
//	Datto RMM ─────┘          (pure)  (pure)   (1 tx)  + history     totals      └── cmd/server
//
//	scheduler ──▶ syncs ──▶ reconcile (the review) ──▶ scheduler/jobs ──▶ Ledger ──▶ archive ──▶ reconcile
//
// Data goes in at one side and out at the other and never walks back: a syncer knows nothing of
// GraphQL, a resolver nothing of Freshservice.
//
// # The rooms, from the ground up
//
// A package imports only from floors below its own; the linter's depguard rules hold it to that.
//
//	0  codex                          this package
//	1  config, telemetry              configuration; logs, as values that are handed in
//	   web, simulator                 the embedded pages; the upstreams and neighbours, imitated over HTTP
//	2  ent, ent/schema                the data model and its generated client
//	   clients/...                    API clients: paging, limits, retries, wire types
//	   archive/proof                  bills as evidence: leaves, hashes, proofs, log checkpoints
//	3  store                          databases, migrations, leases, bulk statements
//	4  auth, history, query           who may do what; versions of rows; every read
//	   notify                         what needs a person, told by signed webhooks
//	   plans                          billing plans, which Ledger asks for
//	5  syncers                        the sync engine: fetch, map, plan, apply
//	   archive, archive/audit         accepted bills and their log; the verifier, which trusts neither
//	   archive/vigil                  the log, verified by itself each day
//	6  loaders                        one batch an edge, for GraphQL
//	   reconcile                      bills beside what the hub saw, before and after
//	7  scheduler, scheduler/jobs      what runs by itself; the jobs that get the bills of a month
//	8  graph, resolvers, rest         the two faces, thin
//	9  httpd                          router, middleware, listeners
//	10 cmd/server                     main and the wiring of it all
package codex
