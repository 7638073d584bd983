// Package datto reads a Datto RMM account by its API v2: sites, their variables, devices. It never
// writes, and knows nothing of what the hub makes of the records.
//
// # Choices
//
// They rest on what the vendor documents, and on what was observed where that is silent or wrong.
//
//   - One token for all calls, from the password grant; when it is refused in the middle of a run
//     there is one login however many calls it was refused to, and each is tried once more.
//   - Lists are read along nextPageUrl, which must stay on the configured origin, with the
//     parameters that it drops put back, until there is none, a page is empty, or the list leads
//     back to itself. A listing that brings fewer records than its totalCount is not complete:
//     partial listings look like deletions.
//   - Each record is decoded alone, by uid once; an odd one is a [wire.BadRecord].
//   - Times are epoch milliseconds, as number or text, or ISO 8601; 0 and the year 1 are "never".
//   - A device without udf object has nil [UDFs]: nothing was told about them. Version 3 of the API
//     has the values in another form and is not read.
//
// # Limits
//
// Answers tell nothing about the limits; /v2/system/request_rate does, and is read before the first
// call and once a minute after. The account stays below accountRateLimit × accountCutOffRatio, where
// Datto begins to slow answers down. A 429 pauses everything; a 403 soon after one is a block of the
// address, and nothing is sent for five minutes.
//
// The client keeps no state but its token and its limiter's, and writes nothing: a process that dies
// in the middle of a listing leaves nothing behind.
package datto
