// Command codex, built as bin/codex, is the whole hub: the server, the syncs, and the verbs of the
// people who run it.
//
//	codex serve              serve GraphQL and REST, with simulated upstreams where --demo is given
//	codex sync FEED          sync freshservice, datto, tickets, or all of them
//	codex sync VERB          approve what a run holds, cancel a run, show one
//	codex company VERB       rename or archive a company, or change what is local of it
//	codex contact VERB       change what is local of a contact, and link it to companies
//	codex asset VERB         link a machine to whom uses it
//	codex token VERB         create, list and revoke local tokens
//	codex snapshots          ask Ledger for the bills of a month, with verbs for the jobs that do it
//	codex schedule VERB      when syncs and bills are due, and changing when bills are
//	codex archive VERB       prove and verify archived bills, and look after their log
//	codex migrate            bring the database to this program's schema, or tell how far it is
//	codex init               write instance/codex.conf
//	codex config check       check the configuration and show what is in force
//	codex simulate           serve simulated upstreams
//	codex version            which codex this is
//
// A verb is a file. [newApp] wires what they share, [app], and the end-to-end tests build the very
// same. There is no logic here: what a verb does it asks of a room below.
//
// # Who does the work
//
//	codex sync, codex token ──▶ hub ──▶ codex.sock of the instance folder ──▶ a running serve
//	                             └────▶ where there is none: an app in this process
//
// Both ways carry the same GraphQL, so that there is one code path; where a serve runs it does all
// the work, so that there is one rate limiter and one writer. Over the socket the caller is "ana
// (local socket)", in process "ana (command line)", by the user's name; both are admin. migrate, init, config check, simulate,
// version and archive verify never ask the socket. Every verb that needs the database migrates it
// first, but for archive verify, which only reads.
//
// # Exit status
//
//	0  succeeded; a dry run that could read everything; every company has its bill
//	1  failed, cancelled or interrupted; a company has no bill
//	2  the command line makes no sense
//	3  partial: something could not be read
//	4  held: too many removals at once were not made; they wait until the records are there again,
//	   until an admin approves them, or until somebody syncs with --force
//	5  archived bills, or a proof of one, are not as they were logged
//
// # What it never does
//
// It prints no secret but a token that was asked for, alone on standard output; a first serve's
// token goes to an owner-only file. A demo reads and writes its own instance folder and nothing of
// another's.
//
// # When it dies half-way
//
// A serve that is told to stop (SIGINT, SIGTERM) marks its runs as interrupted and exits with 0. One
// that is killed leaves runs without heartbeat, which the next start of their feed marks; the lock
// of a SQLite database ends with the process, and a socket that nobody listens on is taken over. A job
// that asks for bills goes on where it stands, in the next serve or in codex snapshots watch.
package main
