// Package auth says who is calling and what a role may do.
//
// It provides [Tokens], the local tokens that programs and people authenticate with where Core does
// not speak for them, and [Allow], the named sets of roles that fields and paths state. Roles are
// sets and not a ladder; what states none admits nobody.
//
// # What it never does
//
// It reads no HTTP header (package httpd does) and keeps no secret: of a token the database has the
// SHA-256 alone, since a token is 256 random bits and needs no slow hash. It never tells a stranger
// whether a token was unknown, expired or revoked, and nothing it returns or prints holds a token,
// but for the [codex.Secret] that [Tokens.Create] hands out once.
//
// # Invariants
//
// A name is given once: a revoked token keeps its row and its name, so that what a run or record
// says about who did something stays true. A revocation is seen by the next request, on every
// replica: nothing is cached.
//
// # When it dies half-way
//
// A token is one row, written in one transaction: it is there or it is not. When a process dies
// after that row and before the token was printed, nobody has the token; revoke it and make another.
// The time of last use is written beside the request and within a minute of it, and may lack the
// last minute before a crash.
package auth
