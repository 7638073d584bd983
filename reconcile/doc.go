// Package reconcile looks at bills beside what the hub knows: before they are made ([Reviewer]), and
// after ([Reconciler]). docs/reconciliation.md says what each difference means and what to do.
//
// Archived bills are read once, into tables that are derived from them ([CatchUp]): what was billed for,
// by the ids under which the hub knows it ([DeriveItems]). What is decided from that and from what the
// hub had seen is decided in pure functions, which are handed all that they look at.
//
// It never changes a bill, nor anything that a sync brings: beside the derived tables it writes
// acknowledgements alone. It never takes an amount through a float.
//
// # Invariants
//
// The derived tables say nothing that the archive does not say, and can be made anew from it at any time
// ([Rebuild]). They are not filled by whoever accepts a bill but by whoever asks, from the last bill
// that was read on: so accepting never waits for a bill to be understood and never fails because it was
// not, bills that came before there were such tables are no other case, and where a later release reads
// bills better ([Reading]) it reads all of them anew by the same way. Bills are numbered in the order in
// which they are committed, so none is passed over.
//
// A bill is read in one transaction, some of them in the same. Who dies half-way has read the bills
// before, and the next who asks goes on behind them.
package reconcile
