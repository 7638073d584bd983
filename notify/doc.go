// Package notify tells a webhook what needs a person: a sync or a snapshot job that failed, is partial,
// held or blocked, and a log of archived bills that stopped or does not verify (docs/notifications.md).
//
//	what happened ──Enqueue──▶ notifications ──Serve──▶ POST [notify] url
//	     (one transaction)       (the outbox)   signed, until 2xx
//
// # What is told
//
// What happens (a job ended badly) is told once: [Outbox.Enqueue]. What lasts (a feed that fails every
// quarter of an hour) is told when it begins or changes, once a day while it lasts ([Daily]), and once
// when it is over: [Outbox.Standing], [Outbox.Settled]. The outbox itself is the memory: the newest row
// of a subject says what was told of it last.
//
// # States of a notification
//
//	waiting ──attempt──▶ delivered
//	   ▲  │                      ▲
//	   │  └─ tried [Most] times ─▶ given up
//	   └──────── redelivered by a person ──┘
//
// # Invariants
//
//   - An event is in the database together with what it tells of, or neither is: it is written in the
//     caller's own transaction.
//   - Where section [notify] is missing nobody listens, and nothing is written: an [Outbox] is a value
//     that the wiring hands in.
//   - One process delivers, by a lease. Each notification is delivered at least once, its id and body
//     the same each time; in no promised order.
//   - The body is signed with the secret, which is in no log, row or answer; nor is the address, but for
//     its host: it may be a secret too.
//
// # When it dies half-way
//
// An attempt is noted before it is made. One whose process died is made again after [claim], and the
// receiver, which may have had it, knows it by its id.
//
// # What it never does
//
// It follows no redirect, since what is told goes where it was configured. It decides nothing of what
// failed, and nothing waits for it: a receiver that is down costs no sync and no bill.
package notify
