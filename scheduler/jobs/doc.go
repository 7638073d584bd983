// Package jobs makes the monthly bills: a snapshot job asks Ledger for the bill of each company that was
// served in a month, and counts it as done when the bill really is in the archive.
//
//	Start ──▶ snapshot_jobs ──Serve──▶ syncs ─▶ leases of the feeds ─▶ company by company ─▶ archive
//	(a row)                            (only where its time had come)  (Ledger, then look)
//
// # States
//
//	queued ─▶ syncing ─▶ running ─▶ completed | failed | cancelled
//	   │         └──▶ blocked ─▶ running
//	   └────────────▶ running
//
// A job whose time had come ([codex.JobScheduled]) runs all feeds first. Then it takes their leases and
// that of the re-reads, and keeps them until the last company was asked, so that all bills of a month
// come from one state: Ledger reads everything twice for each. A feed that has not succeeded since the
// month ended makes it blocked: it says why, holds nothing, and goes on by itself when the feed has
// succeeded, or when an admin forces it with a reason ([Jobs.Force]). Succeeded is what [codex.RunSucceeded]
// says: of a partial run something was not read, of a held one it is open what is gone, and both would
// stand in bills.
//
// What a person starts ([codex.JobBulk], and each retry) syncs nothing and holds no leases. What is stale
// then is said in the job's notes.
//
// Old clients know three words, running, completed and failed ([codex.JobState.Status]). A job that did
// not get every bill is completed with success false.
//
// # Invariants
//
//   - One job is at work in the whole installation: whoever works holds the lease [leaseName], and each
//     step is a transaction that checks it. A process that was presumed dead and wakes writes nothing.
//   - A company that has its bill is not asked for again. Whether it has one is looked up in the archive,
//     under all numbers that the company had, before Ledger is asked and after it has answered; what
//     Ledger says is not believed. A bill that is reopened is asked for.
//   - A time of the schedule makes one job, however many processes start it (due_at is unique).
//   - The token of a person is in the memory of the process that they asked, and nowhere else.
//
// # When it dies half-way
//
// The row says where it stands, and its companies have rows of their own: the next process that serves
// goes on with those that wait. The one that was being asked for is looked up in the archive first. A job
// of a person is left to the process with their token while that gives signs of life; who takes it over
// has no token, and where Ledger demands one the rest fails with "start it again as a person".
//
// # What it never does
//
// It makes no bill and changes none: Ledger makes them, and package archive keeps them. It decides not
// when something is due: package scheduler does.
package jobs
