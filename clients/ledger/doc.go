// Package ledger is the client of Ledger, the billing service: it asks Ledger to accept a company's bill
// of a month ([Client.Accept]), and reads the bills of a Ledger that keeps them itself
// ([Client.Snapshot], [Client.CSV]). docs/compatibility.md, "Ledger", has the paths and who needs which.
// [Desk] is who the hub goes to: it knows with which token Ledger lets itself be asked.
//
// # Tokens
//
// Every Ledger known answers a service token with 403 "This endpoint is for users only" where bills are
// accepted. [Desk] asks with a service token first, so that a Ledger which does not is served as it
// wishes; then with the token of the person in whose name it is done; then with that of a configured
// account. A person whom Ledger refuses is not replaced by an account that may do more. Where nobody is
// left, the error says what Ledger wants and what to do. What Ledger wanted is remembered for ten
// minutes, so that a run over all companies does not ask everything twice.
//
// # What it never does
//
// It accepts nothing as a bill but Ledger's own 201 with an invoice number, or its 409; it never sends a
// token anywhere but to Ledger ([github.com/hivematrix/codex/clients/transport] pins the origin), never
// keeps a person's token, and no error of its has one. It archives nothing and reads no amount.
//
// # Invariants
//
// Every failure is an [*Error], but for the end of the caller's context. Asking Ledger to accept a bill
// is safe to repeat: the second time it is there already ([Accepted]), which is why a call that broke off
// half-way is transient, and told so. It is asked once a call; whoever wants it again decides that.
//
// # When it dies
//
// It keeps nothing outside memory. Ledger may have accepted what a dead process asked for; who asks again
// is told that it is there.
package ledger
