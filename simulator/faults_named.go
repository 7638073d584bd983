package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// When narrows down which calls a fault of Break meets.
type When func(*FaultRule)

// Break arms a fault for the calls whose path matches a pattern (as FaultRule.Path has it), from now
// on and for ever unless when says otherwise, and returns what takes it off again.
//
//	sim.Break("/api/v2/requesters", simulator.RepeatPage(2))
//	sim.Break("/api/v2/tickets/**", simulator.RateLimited(7*time.Second), simulator.After(3), simulator.Times(20))
func (s *Sim) Break(path string, fault Fault, when ...When) (remove func(), err error) {
	rule := FaultRule{Path: path, Fault: fault}
	for _, narrow := range when {
		narrow(&rule)
	}
	return s.AddFault(rule)
}

// BetweenPages changes the world once, after page n of a list was answered and before the page behind
// it is: what was inserted, renamed, moved or deleted in between shifts the records that follow.
func (s *Sim) BetweenPages(path string, n int, change func(*Sim)) (remove func(), err error) {
	return s.Break(path, Change(change), OnPage(n+1), Times(1))
}

// Times is how many calls are broken; the calls after them are answered.
func Times(n int) When { return func(r *FaultRule) { r.Times = n } }

// After is how many calls are answered before the first one is broken.
func After(n int) When { return func(r *FaultRule) { r.After = n } }

// OnPage breaks one page of a list only; the first is 1 with either upstream.
func OnPage(n int) When { return func(r *FaultRule) { r.Fault.Page = n } }

// From breaks the answers of one upstream only, where a pattern is of both.
func From(upstream Upstream) When { return func(r *FaultRule) { r.Upstream = upstream } }

// Named is the fault's name in the log of requests, instead of its kind.
func Named(name string) When { return func(r *FaultRule) { r.Name = name } }

// Refuse answers with the upstream's own error of a status, as it documents it: a JSON body, none, or
// from 502 on the page of a proxy. Refuse(401) is what wrong credentials get, of the token endpoint
// too.
func Refuse(status int) Fault { return Fault{Kind: FaultRefuse, Status: status} }

// RateLimited answers 429 with a Retry-After of whole seconds, or without one for 0.
func RateLimited(retryAfter time.Duration) Fault {
	f := Refuse(http.StatusTooManyRequests)
	if retryAfter > 0 {
		seconds := (retryAfter + time.Second - 1) / time.Second
		f.Header = map[string]string{"Retry-After": strconv.Itoa(int(seconds))}
	}
	return f
}

// RateLimitedUntil answers 429 with a Retry-After that is an HTTP date, as one specification has it.
// It is by the simulator's clock, which the header Date tells.
func RateLimitedUntil(at time.Time) Fault {
	f := Refuse(http.StatusTooManyRequests)
	f.Header = map[string]string{"Retry-After": at.UTC().Format(http.TimeFormat)}
	return f
}

// HTMLPage answers with the page of a proxy, with 200 too.
func HTMLPage(status int) Fault { return Fault{Kind: FaultHTML, Status: status} }

// ErrorText answers 200 with a sentence in place of JSON.
func ErrorText() Fault {
	return Fault{Kind: FaultStatus, Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		Body: "We're sorry, but something went wrong."}
}

// ErrorObject answers 200 with the JSON of an error.
func ErrorObject() Fault {
	return Fault{Kind: FaultStatus, Status: http.StatusOK,
		Body: `{"code":"internal_error","message":"We're sorry, but something went wrong."}`}
}

// NoBody answers 200 with nothing.
func NoBody() Fault { return Fault{Kind: FaultStatus, Status: http.StatusOK} }

// Reset resets the connection in place of an answer.
func Reset() Fault { return Fault{Kind: FaultReset} }

// Drop closes the connection in place of an answer.
func Drop() Fault { return Fault{Kind: FaultDrop} }

// Cut ends the connection after so many bytes of the body (half of it for 0): fewer arrive than
// Content-Length says.
func Cut(at int) Fault { return Fault{Kind: FaultCut, At: at} }

// ResetAt resets the connection after so many bytes of the body (half of it for 0).
func ResetAt(at int) Fault { return Fault{Kind: FaultCutReset, At: at} }

// Trickle sends the body a few bytes at a time, with a pause behind each.
func Trickle(chunk int, pause time.Duration) Fault {
	return Fault{Kind: FaultTrickle, Chunk: chunk, Pause: pause}
}

// Huge makes the body so many bytes long, of JSON that could be read: its records are there, and an
// endless text beside them. It is made while it is sent, and its length is not announced.
func Huge(bytes int64) Fault { return Fault{Kind: FaultHuge, Size: bytes} }

// Truncate sends the first bytes of the body, at least one, as an answer that is complete to HTTP.
func Truncate(at int) Fault { return Fault{Kind: FaultTruncate, At: at} }

// Malformed sends a body that is no JSON, which shows only at its last byte.
func Malformed() Fault { return Fault{Kind: FaultMalformed} }

// WithoutEnvelope answers 200 without the key that holds the records: {} of Freshservice and of a
// single record, pageDetails alone of a list of Datto RMM.
func WithoutEnvelope() Fault { return Fault{Kind: FaultNoEnvelope} }

// BareRecords sends a list as an array without anything around it.
func BareRecords() Fault { return Fault{Kind: FaultBareRecords} }

// RepeatPage gives page n (from 2) the records of the page before it; those that belong there are
// on no page.
func RepeatPage(n int) Fault { return Fault{Kind: FaultRepeatPage, Page: n} }

// SamePage says of each page it meets that the next one is that page again, for ever.
func SamePage() Fault { return Fault{Kind: FaultSamePage} }

// EmptyList answers as if there were not a single record: no next page, and a total of 0.
func EmptyList() Fault { return Fault{Kind: FaultEmptyList} }

// LoseRecords leaves the last n records of a page out, and what is said of totals and pages as it is.
func LoseRecords(n int) Fault { return Fault{Kind: FaultLoseRecords, By: n} }

// WrongTotal adds to the total of a list that has one.
func WrongTotal(by int) Fault { return Fault{Kind: FaultWrongTotal, By: by} }

// ForeignNextPage sends for the next page to another origin (scheme and host), behind the last page
// too.
func ForeignNextPage(origin string) Fault { return Fault{Kind: FaultForeignNext, Origin: origin} }

// Change changes the world before an answer is made, which is whole.
func Change(change func(*Sim)) Fault { return Fault{Kind: FaultChange, Change: change} }

// ExpireTokens ends every Datto token while an answer is made: that one is still given, the next call
// is 401.
func ExpireTokens() Fault { return Change((*Sim).ExpireDattoTokens) }

// Afterwards does what is asked for and then loses the answer: after a pause the connection is reset, or
// the upstream's own error of a status goes out. Whoever asks cannot know that it was done.
func Afterwards(status int, pause time.Duration) Fault {
	return Fault{Kind: FaultAfterwards, Status: status, Pause: pause}
}

// AcceptsOnly has Ledger say 201 of a bill that it then neither sends to Archive nor keeps.
func AcceptsOnly() Fault { return Fault{Kind: FaultAcceptsOnly} }

// PostsTwice has Ledger A and B send a bill to Archive twice.
func PostsTwice() Fault { return Fault{Kind: FaultPostsTwice} }

// OtherTotal has Ledger send, or keep, a bill with a total so many cents higher than its items.
func OtherTotal(cents int) Fault { return Fault{Kind: FaultOtherTotal, By: cents} }
