// Package simulator imitates the two upstream services that Codex reads, Freshservice v2 and Datto
// RMM v2, over real HTTP: for tests, for `make run` and for demonstrations.
//
// # What it provides
//
// New makes one simulated world of departments, requesters, agents, tickets, sites and devices from
// a seed. FreshserviceHandler and DattoHandler serve it; Start puts both on loopback listeners. The
// exported methods of Sim change the world the way people do (rename, remove, close, re-image, …),
// Evolve makes a random batch of such changes, Truth tells what the world holds, Requests what was
// asked, and AddFault breaks answers on demand. ControlHandler offers the same over HTTP.
//
// # What it imitates
//
// Its source is the vendors' documented behaviour, as docs/compatibility.md cites it; where the
// documents are silent it does what was observed, and where nobody knows it makes a choice that the
// code names ("choice:").
//
//   - Freshservice: Basic authentication with the API key as user name; page from 1, per_page 30 at
//     most 100, a `link` header while there is a next page; the ticket filter with `total` and no
//     link; tickets of the last 30 days unless updated_since is given; deleted and spam tickets
//     only by filter=deleted and filter=spam; embeds that cost credits; the query language of the
//     filter; limits a minute by plan with X-RateLimit headers and 429 with Retry-After.
//   - Datto RMM: tokens from /auth/oauth/token by the password grant with the public client, and
//     their expiry; pages from 0, at most 250; an absolute nextPageUrl that forgets every parameter
//     but max and page, and ends as null or as ""; variables of a site; a rolling window of 60
//     seconds with a second's wait above 90 %, 429 beyond, and 403 for five minutes for whoever
//     does not stop.
//
// # What it never does
//
// It imports nothing of the product, wire types neither, so that client and simulator cannot share
// a bug. It takes no write from an upstream's client: both services are read-only to Codex, and
// every other method is 405. It never logs or lists a credential. It does not read the clock or the
// environment: Options.Now is its only clock.
//
// # Invariants
//
// The same Options (the same seed and an equal instant from Now) give byte-identical data. One
// answer is made from one consistent state. A record never changes under a reader: changes replace
// what a pointer, slice or map field holds and never write through it, so copies from Truth stay as
// they were.
//
// # When it dies
//
// Everything is in memory. A simulator that is stopped and started again with the same options and
// a later clock is another world of the same shape: it is no place to keep anything.
package simulator
