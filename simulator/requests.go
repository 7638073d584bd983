package simulator

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Upstream is one of the simulated services.
type Upstream string

// The simulated services.
const (
	Freshservice Upstream = "freshservice"
	Datto        Upstream = "datto"
	Core         Upstream = "core"
	Ledger       Upstream = "ledger"
	Keycloak     Upstream = "keycloak"
)

// requestLimit bounds the log of a simulator that runs for days; the oldest half goes.
const requestLimit = 200_000

// Request is one call that the simulator got. It holds no credential: those travel in headers and
// bodies, which are not kept.
type Request struct {
	Number   int           `json:"number"` // from 1, in the order of arrival
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took_ns"`
	Upstream Upstream      `json:"upstream"`
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	Query    string        `json:"query,omitempty"`
	Status   int           `json:"status"`          // 0: no answer, or none yet
	InFlight int           `json:"in_flight"`       // calls of this upstream under way, this one included
	Fault    string        `json:"fault,omitempty"` // the fault rule that broke the answer
}

type requestLog struct {
	mu       sync.Mutex
	count    int
	list     []*Request
	inFlight map[Upstream]int
}

func (l *requestLog) begin(upstream Upstream, r *http.Request, now time.Time) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inFlight == nil {
		l.inFlight = map[Upstream]int{}
	}
	l.count++
	l.inFlight[upstream]++
	entry := &Request{
		Number: l.count, At: now, Upstream: upstream, Method: r.Method,
		Path: r.URL.Path, Query: r.URL.RawQuery, InFlight: l.inFlight[upstream],
	}
	if len(l.list) >= requestLimit {
		l.list = slices.Clone(l.list[len(l.list)/2:])
	}
	l.list = append(l.list, entry)
	return entry
}

func (l *requestLog) end(entry *Request, status int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[entry.Upstream]--
	entry.Status, entry.Took = status, now.Sub(entry.At)
}

func (l *requestLog) fault(entry *Request, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Fault = name
}

// Requests are the calls so far, in the order of their arrival.
func (s *Sim) Requests() []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	list := make([]Request, len(s.requests.list))
	for i, r := range s.requests.list {
		list[i] = *r
	}
	return list
}

// CountRequests counts the calls of an upstream ("" for all) whose path matches a pattern, as
// FaultRule.Path has it ("" for all).
func (s *Sim) CountRequests(upstream Upstream, pattern string) int {
	matches := pathMatcher(pattern)
	n := 0
	for _, r := range s.Requests() {
		if (upstream == "" || upstream == r.Upstream) && matches(r.Path) {
			n++
		}
	}
	return n
}

// ForgetRequests empties the log; calls that are under way are no longer listed either.
func (s *Sim) ForgetRequests() {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	s.requests.list = nil
}
