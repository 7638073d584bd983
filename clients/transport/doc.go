// Package transport asks an upstream's JSON API over HTTP: paced, retried, bounded, and pinned to
// one origin. The API clients beside it are thin because of it.
//
// # What a call goes through
//
// [Client.Do] waits for its turn, sends, reads the whole body within one deadline (an upstream that
// trickles bytes runs into it), and makes sure that it is JSON to its end and what was asked for; where
// another media type was asked for, that it is no HTML page and not empty.
// What may pass by itself is asked again after a jittered, doubling wait, and given up after five
// tries: 429, 408, 5xx, broken connections, timeouts, cut bodies, HTML in place of JSON. What asking
// again cannot mend fails at once: other statuses, an answer beyond the size limit, a certificate
// that does not verify. A cancelled context ends each of these steps at once.
//
// What authenticates us goes to the configured origin and nowhere else: redirects to another one
// are refused, and [Client.SameOrigin] lets clients hold links in bodies to the same rule. Errors
// name upstream, endpoint and status; they hold no query, no header and none of our secrets, those of
// the request's own authorization neither.
//
// # The limiter
//
// All calls to an upstream account share one [Limiter]. A call is sent when
//
//   - a slot is free: at most 8 are in flight, the last of them for what a person waits for;
//   - no pause holds everything, as it does after a 429 for as long as the upstream asks;
//   - the account's bucket has tokens for it;
//   - the bucket of its endpoint has, where the endpoint has a limit of its own.
//
// The most urgent call goes first, then the one that came first. A call that waits for its
// endpoint's own limit is overtaken; one that waits for what all share is not, or it would starve.
//
// A bucket holds what the upstream last told of its limit, up or down: its rate and its burst
// together stay below 99 % of the limit in any stretch of a window's length, so that it does not
// matter whether the upstream's window slides or begins anew each minute, and a run never meets a
// 429 by its own fault. Tokens are spread evenly over the window, so that an urgent call finds the
// next one soon instead of a spent minute. Until an answer has told a limit, one call at a time is
// sent; an upstream that tells none is not paced.
//
// The limit is the whole account's. What its figures show as used beyond our own calls is somebody
// else's and is left to them; when nothing remains, the bucket closes until the window renews. A
// 429 that all of this did not foresee (Freshservice is said to refuse short bursts) spaces calls
// out for a while.
//
// # Invariants
//
// At most 8 requests in flight; a grant is always released; a call that was cancelled while it
// waited has taken nothing. Pacing is by measured time: a clock that stands still does not stop it.
// The package keeps nothing outside memory. A process that dies loses only what it knew of the
// limits, and its successor learns it from the first answer.
package transport
