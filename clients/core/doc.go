// Package core is the client of HiveMatrix Core, the identity service: the keys that its tokens are
// signed with ([Client.Keys]), whether a user's session is over ([Client.Validate]), and the tokens
// with which the hub calls its neighbours ([Client.For], [Client.ForUser]).
// docs/compatibility.md, "Authentication", has the documented paths.
//
// # What it never does
//
// It decides on nobody: package auth does, with what this one read. It sends no token anywhere but to
// Core ([github.com/hivematrix/codex/clients/transport] pins the origin), and prints none.
//
// # Invariants
//
// A token is asked for once however many calls wait for it, and kept until a minute before its
// end; where Core does not answer then, it serves out that minute. An answer that is not what was
// asked for is an error and never an empty result: no key at all is an error too.
//
// # When it dies
//
// Everything is in memory. A new process asks anew.
package core
