// Package bench measures what the issues promise: `make bench`. It has benchmarks alone, each of which
// prints the thing measured beside the thing that it is held against, in one run and with their ratio;
// none fails because a machine is slow. What must be true on any machine fails: a ticket that is
// missing, a webhook that is refused, a second sync that writes.
//
//	BenchmarkTickets         a full sync of closed tickets at the Pro plan's limits, in real time, beside
//	                         what the limits alone dictate, and beside one request after another
//	BenchmarkWebhookToHours  from a ticket's closing to its hours in GraphQL, while full syncs run
//	BenchmarkWebhookFlood    many webhooks for few tickets: re-reads, and none lost
//	BenchmarkFirstSync       a first sync's applying beside a bare loop over the same rows, and its memory
//	BenchmarkPast            the past of a company, and of a page of 50, beside the present; sizes on disk
//	BenchmarkBills           one bill, its CSV, its proof, a company's bills and a search in archives of 1,000,
//	                         10,000 and 100,000 bills, in turn
//
// The first four measure a `codex serve` in a process of its own, over real HTTP and simulated upstreams
// in this one. Each benchmark's flags make it smaller for a quick look (`make bench quick=yes`); their
// defaults are what is promised for. Run one alone by
//
//	scripts/with-postgres go test ./bench -run '^$' -bench FirstSync -benchtime 1x -first.repeats 1
//
// -benchtime is 1x because each benchmark repeats what it has to by itself. The last figures are in
// docs/reliability.md.
//
// The package writes nothing but to databases and folders of its own, which go when a benchmark ends.
// One that is killed leaves a folder in the system's temporary folder, and a `codex serve`, which writes
// to nobody else.
package bench
