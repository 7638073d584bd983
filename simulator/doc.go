// Package simulator imitates the services that Codex asks, Freshservice v2, Datto RMM v2 and v3,
// HiveMatrix Core with its Keycloak, and HiveMatrix Ledger, over real HTTP: for tests, for `make run`
// and for demonstrations.
//
// # What it provides
//
// New makes one simulated world of departments, requesters, agents, tickets, sites and devices from
// a seed. FreshserviceHandler and DattoHandler serve it, CoreHandler and KeycloakHandler serve tokens,
// and LedgerHandler bills what it reads back from Codex; Start puts all on loopback listeners. The exported methods of Sim change the world the way people do (rename, remove,
// close, re-image, …), Evolve makes a random batch of such changes, Truth tells what the world holds,
// Requests what was asked. Three more things make it awkward, all of them off unless a test asks:
//
//   - Switches are how an upstream behaves at some accounts or at some times: Options has them from
//     the start, Switch changes them while it runs.
//   - Break meets an answer with a Fault: one that the connection loses (Reset, Drop, Cut, ResetAt,
//     Trickle, Huge), that the upstream refuses (Refuse, RateLimited, HTMLPage), that says 200 and is
//     no answer (ErrorText, NoBody, Truncate, Malformed, WithoutEnvelope), or whose list misleads
//     (RepeatPage, SamePage, EmptyList, LoseRecords, WrongTotal, ForeignNextPage). BetweenPages and
//     Change shift a list while it is read, ExpireTokens ends the tokens meanwhile. Afterwards does what
//     is asked for and loses the answer; AcceptsOnly, PostsTwice and OtherTotal are what Ledger may do
//     with a bill that it accepts. Times, After,
//     OnPage and From say which calls are met. Distort changes how one record is shown; SetNextID,
//     TwinDepartment and TwinRequester make records that are hard to tell apart.
//   - A Webhook is told of the changes of tickets, requesters and departments, as a workflow
//     automator would; FlushWebhooks waits for what is under way.
//
// ControlHandler offers the same over HTTP, as far as it needs no function.
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
//     but max and page, and ends as null, as "" or not at all; variables of a site; audits; v3's
//     devices with their user-defined fields as a list; a rolling window of 60 seconds with a
//     second's wait above 90 %, 429 beyond, and 403 for five minutes for whoever does not stop.
//   - Core: a key set of RS256 keys (made anew in each process, not from the seed); tokens for any
//     service that asks, without a credential; sessions of users and whether they go on; tokens for
//     Keycloak's access tokens. UserToken, ServiceToken and SignToken make tokens without asking,
//     RotateCoreKey and EndCoreSessions do what their names say.
//   - Keycloak: the password grant of one client, for a user of each level.
//   - Ledger in its generations A, B and C: POST /api/bill/accept for people who may, which reads the
//     company, its lists and (B and C) its plan twice with service tokens, takes a list that it cannot
//     read for an empty one, bills in floats, and sends the bill to Archive (A and B, which learn from
//     Archive alone that it was there) or keeps it and serves it (C). What people enter at its desk goes by
//     SetAssetBilling, SetUserBilling, SetClientBilling, AddManualAsset, AddManualUser and AddLineItem;
//     CorrectLedgerBill and ForgetLedgerBill change what C keeps. PlansFile are the plans that the
//     departments name, for Codex to import.
//
// # What it never does
//
// It imports nothing of the product, wire types neither, so that client and simulator cannot share
// a bug. It takes no write from an upstream's client: both are read-only to Codex, and
// every other method is 405. It never logs or lists a credential. It does not read the clock or the
// environment: Options.Now is its only clock. Nobody is called but the Webhook and Ledger's neighbours
// that were set.
//
// # Invariants
//
// The same Options (the same seed and an equal instant from Now) give byte-identical data, which a
// test holds for some seeds; Core's keys and tokens alone are outside of it, and what Ledger reads is
// Codex's. One answer is made from one consistent state, under the switches of one moment. A record never changes under a reader: changes replace what a pointer, slice or map field
// holds and never write through it, so copies from Truth stay as they were. Announcements go out one
// after another in the order of the changes, each once.
//
// # When it dies
//
// Everything is in memory. A simulator that is stopped and started again with the same options and
// a later clock is another world of the same shape: it is no place to keep anything. Announcements
// that wait when it stops are dropped, and the bills that Ledger C keeps are gone. A bill that Ledger is
// at when its caller leaves is finished all the same.
package simulator
