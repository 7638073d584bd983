// Package auth says who is calling and what a role may do. docs/auth.md has it from the caller's side.
//
// It provides [Callers], who know everybody: by [Tokens], the local tokens of programs and people; by
// [CoreTokens], what HiveMatrix Core signs for users and services; and by sessions, which browsers make
// of either. And it provides [Allow], the named sets of roles that fields and paths state. Roles are
// sets and not a ladder; what states none admits nobody.
//
//	Proof ─▶ Bearer? ──▶ codex_…  ─▶ Tokens ─────▶ the token's row
//	  │                  else     ─▶ CoreTokens ─▶ form, RS256 ─▶ key by kid ─▶ claims ─▶ session at Core?
//	  └────▶ Session ──▶ the session's row, unsealed ─▶ one of the two above
//
// # What it never does
//
// It reads no HTTP header (package httpd does) and keeps no secret: of a token, and of a session's
// cookie, the database has the SHA-256 alone, since both are 256 random bits and need no slow hash; the
// token behind a session is sealed with a key that only the cookie gives. It never tells a stranger
// whether a token was unknown, expired or revoked, and nothing it returns or prints holds a token,
// but for the [codex.Secret] that [Tokens.Create] hands out once, and the one in [Known] by which Core's
// neighbours take what is done in a person's name. That one stays in memory.
//
// # Invariants
//
// A name is given once: a revoked token keeps its row and its name, so that what a run or record
// says about who did something stays true. A revocation is seen by the next request, on every
// replica: nothing of local tokens and sessions is cached.
//
// Core's keys are replaced by a good answer of Core alone, and then all of them; no token, whatever it
// says, has Core asked more than once in five seconds. Core's word on a session is taken for half a
// minute; where Core cannot be asked, its last word stays, and who has none is let in by nobody. A
// service that Core alone speaks for reads, and does more only by grant.
//
// # When it dies half-way
//
// A token is one row, written in one transaction: it is there or it is not. When a process dies
// after that row and before the token was printed, nobody has the token; revoke it and make another.
// A session is one row likewise; a cookie whose row was not written opens nothing. What is known of
// Core's keys and sessions is in memory alone: a new process asks anew, and until Core answers takes
// none of its tokens. The time of last use is written beside the request and within a minute of it,
// and may lack the last minute before a crash.
package auth
