// Package vigil verifies the log of archived bills day by day, without being asked: as codex archive
// verify does (package audit), from the rows alone.
//
//	due? ──▶ lease ──▶ still due? ──▶ audit.Verify ──▶ log_verifications, and an event, in one transaction
//
// Of several replicas the one that has the lease verifies; all of them look each minute whether it is
// time, by what the newest row says. What is found is logged, kept for people ([Verifier.Last]), and told
// by webhook while it lasts (package notify).
//
// It repairs nothing and stops nothing: that a database is behind what was signed stops all archiving in
// package archive, before a bill is lost; what is found here happened to bills that are there. It cannot
// tell what somebody did who holds the database, the key and this process: that takes a log checkpoint
// kept elsewhere (docs/archive.md).
//
// A process that dies meanwhile has written nothing, and the next one begins anew. What could not be
// found out, because a file cannot be read or is not what it should be, is found out again within an
// hour; a database that does not answer, a minute later.
package vigil
