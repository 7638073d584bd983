// Package scheduler starts what runs by itself: the syncs of the feeds at the times of section
// [scheduler], and the monthly bills by the row of scheduled_snapshots. docs/schedule.md says for
// people how it decides.
//
//	configuration ─┐
//	schedules ─────┼─▶ DecideFeed, DecideMonthly (pure) ─▶ one transaction: the run or the job,
//	clock ─────────┘         once a second                 what was missed, and the schedule's row
//
// When something is due is told by a [Rule], a pure function of the time ([Cron], [Monthly]). What is
// owed now is told by [DecideFeed] and [DecideMonthly], pure functions of the time, the row and the
// configuration. gocron is the ticker; nothing is kept in it. So a change of the configuration counts
// from the next second on, whichever process leads, and a test walks years with a clock of its own.
//
// # One leads
//
// Of all processes on a database one has the lease "scheduler" and decides. Another takes it within
// ten seconds when that one dies: the lease lasts six, and is looked for once a second. Each
// transaction of the leader checks the lease, so that one that was paused past its end writes nothing
// when it wakes.
//
// # Invariants
//
//   - A due time is settled once: the row's last_due_at moves in the transaction that writes the run or
//     job, or finds the one to join. If that is rolled back neither is there; if it is not, both are.
//   - A run whose process died before its end is begun again, at most three times for a due time.
//   - Nothing is owed for the time before the database was made, or while a schedule was off.
//   - Each billing month is due once. Of those that were missed the newest is made within [scheduler]
//     catch_up_days; the others are in missed_months until a person has seen to them.
//
// # When it dies half-way
//
// Before the commit nothing has happened, and the next leader decides the same. After it the due time
// is settled: a sync that nobody works on is found interrupted and begun again; a job is resumed by
// package jobs.
//
// # What it never does
//
// It does not sync, and asks Ledger for nothing: it starts what does.
package scheduler
