// Package httpd is the hub's HTTP face: two listeners in the place of the HiveMatrix services Codex
// and Archive, a socket in the instance folder for the command line, and what every request passes
// before it reaches GraphQL, REST or the pages.
//
//	[server] listen ─────────┐  id, log, recovery,    another     prefix   /health, pages
//	[server] archive_listen ─┼▶ headers, deadlines, ─▶ origin? ─▶ off ────▶ who is calling? ─┬▶ /graphql
//	codex.sock ──────────────┘  gzip, size limit      then 403                               └▶ REST
//
// All three serve every path, bare and with /codex or /archive in front; /health alone tells them
// apart (docs/compatibility.md, "Addresses"). On the socket, which only the owner of the instance
// folder can open, the caller is [LocalSocket] with the role admin and no token is asked for; the
// kernel tells which user that is.
// What lies under /webhooks/ has no caller: it authenticates by a secret of its own ([Options.Webhooks]).
//
// # What it never does
//
// It decides on no field or path who may use it: GraphQL and REST state that themselves. It logs no
// header, no query string and no body. It trusts no header of a proxy: those of the gateway decide only
// how a caller's own cookie is kept (/session, docs/auth.md) and where the caller's links begin
// (forwarded.go). It never ends an answer
// cleanly that failed half-way: the connection is broken.
//
// # Time
//
// The head of a request, the whole of its body and each write of an answer have a time limit of
// their own. An answer as a whole has none here, so that streams may last: GraphQL has its own for
// what is no stream. Who reads nothing of an answer for a minute is broken off. What the limits are
// measured with must be the real clock.
//
// While a stream lasts, its token is looked at twice a minute: one that was revoked ends it.
//
// # When it dies, or is stopped
//
// [Server.Serve] ends when its context does: no new connection is taken, streams are ended at once
// ([Options.OnStop]), other requests under way have ten seconds, then their contexts end and their
// connections are broken. A process that is killed leaves the socket's file behind; the next one
// finds that nobody listens and replaces it. A file on which somebody listens is refused.
package httpd
