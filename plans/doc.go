// Package plans keeps the billing plans: what Ledger charges, by name of the plan and length of the
// contract. Ledgers since November 2025 bill only with a plan that the hub has for exactly the company's
// billing_plan and contract_term_length (docs/compatibility.md, "Billing plans").
//
// It provides reads (all plans, one, those of many companies), the one way to write (Save, Delete,
// Import), the file in which the services hand plans to one another ([ParseFile], [File.Encode]) and what
// a file would change ([Compare], pure).
//
// # What holds
//
//   - A plan is known by its name and its length of contract, to the letter: there is at most one of both.
//     Its number is the hub's own. It is never another plan's, and comes back with a plan that was deleted.
//   - Prices are exact: ten-thousandths, never floats. A price that a file leaves out is an error and not
//     0, which would be free of charge.
//   - Every write opens and closes versions in plans_history within its transaction, and raises the revision
//     "plans", by which REST's callers learn that their copy is old.
//   - What a file does not name stays, unless the caller asks to prune.
//
// # What it never does
//
// It asks nobody whether they may (package auth and the graph's roles do), makes no bill, and never changes a
// company: which plan that has is Freshservice's word.
//
// # When it dies half-way
//
// A write is one transaction, the import of a whole file too: all of it is there afterwards, with its history,
// or nothing. Importing the same file again changes nothing.
package plans
