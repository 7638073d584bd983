// Package reconciletest makes a year of bills for tests: a simulated world that changes month by month,
// the hub that syncs it, and a Ledger that bills what the hub serves, wrongly in known ways.
//
// What a reconciliation must find is told from what the Ledger did wrong and from the present tables as
// they were when it billed, never from the history that the product decides by. The same seed makes the
// same year.
package reconciletest
