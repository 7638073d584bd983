package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// FaultRule says which answers a fault breaks. Only calls count that passed credentials and limits,
// so the n-th call is the n-th that would have been answered. The first rule that applies is used,
// and only that one counts the call.
type FaultRule struct {
	Name     string   `json:"name,omitempty"`     // for the request log; empty is the kind
	Upstream Upstream `json:"upstream,omitempty"` // empty: all
	// Path is a pattern of the whole path: * stands for anything within a segment, ** for anything;
	// empty matches every path.
	Path  string                   `json:"path,omitempty"`
	Match func(*http.Request) bool `json:"-"`               // a further condition; nil: none
	After int                      `json:"after,omitempty"` // matching calls that pass before the first fault
	Times int                      `json:"times,omitempty"` // calls that are broken; 0: all from then on
	Fault Fault                    `json:"fault"`
}

type faultList struct {
	mu    sync.Mutex
	rules []*armedFault
}

type armedFault struct {
	FaultRule
	matches func(path string) bool
	seen    int
}

// AddFault arms a rule behind those that there are, and returns what takes it off again.
func (s *Sim) AddFault(rule FaultRule) (remove func(), err error) {
	if err := rule.check(); err != nil {
		return nil, err
	}
	armed := &armedFault{FaultRule: rule, matches: pathMatcher(rule.Path)}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = append(s.faults.rules, armed)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.rules = slices.DeleteFunc(s.faults.rules, func(f *armedFault) bool { return f == armed })
	}, nil
}

// ClearFaults takes every rule off.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

// Faults are the rules that are armed, in their order.
func (s *Sim) Faults() []FaultRule {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	rules := make([]FaultRule, len(s.faults.rules))
	for i, f := range s.faults.rules {
		rules[i] = f.FaultRule
	}
	return rules
}

func (r FaultRule) check() error {
	f := r.Fault
	needs := func(what string) error { return fmt.Errorf("a fault of kind %s needs %s", f.Kind, what) }
	switch f.Kind {
	case FaultHTML, FaultCut, FaultCutReset, FaultDelay, FaultReset, FaultDrop, FaultMalformed, FaultNoEnvelope,
		FaultBareRecords, FaultEmptyList, FaultSamePage, FaultAcceptsOnly, FaultPostsTwice:
	case FaultAfterwards:
		if f.Status != 0 && (f.Status < 400 || f.Status > 599) || f.Pause < 0 {
			return needs("a status of 400 to 599, or none for a reset, and no negative pause")
		}
	case FaultStatus, FaultRefuse:
		if f.Status < 200 || f.Status > 599 {
			return needs("a status of 200 to 599")
		}
	case FaultTruncate:
		if f.At < 1 {
			return needs("at, the number of bytes that are left")
		}
	case FaultTrickle:
		if f.Chunk < 1 || f.Pause <= 0 {
			return needs("a chunk of at least a byte and a pause")
		}
	case FaultHuge:
		if f.Size < 1 {
			return needs("a size")
		}
	case FaultRepeatPage:
		if f.Page < 2 {
			return needs("a page that has one before it, from 2")
		}
	case FaultWrongTotal:
		if f.By == 0 {
			return needs("by, how much the total is wrong")
		}
	case FaultOtherTotal:
		if f.By == 0 {
			return needs("by, the cents that the total is wrong")
		}
	case FaultLoseRecords:
		if f.By < 1 {
			return needs("by, how many records are lost")
		}
	case FaultForeignNext:
		if origin, err := url.Parse(f.Origin); err != nil || origin.Host == "" {
			return needs("an origin: scheme and host")
		}
	case FaultRewrite:
		if f.Rewrite == nil {
			return needs("a function")
		}
	case FaultChange:
		if f.Change == nil {
			return needs("a function")
		}
	default:
		return fmt.Errorf("there is no kind of fault %q", f.Kind)
	}
	if r.After < 0 || r.Times < 0 || f.At < 0 || f.Page < 0 {
		return fmt.Errorf("a fault's after, times, at and page are no negative numbers")
	}
	return nil
}

// next is the fault for this call, and its name.
func (l *faultList) next(upstream Upstream, r *http.Request) (Fault, string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.rules {
		if f.Upstream != "" && f.Upstream != upstream || !f.matches(r.URL.Path) {
			continue
		}
		if f.Fault.Page > 0 && f.Fault.Page != pageOfCall(upstream, r) || f.Match != nil && !f.Match(r) {
			continue
		}
		if f.Times > 0 && f.seen >= f.After+f.Times {
			continue // spent: the next rule may apply
		}
		f.seen++
		if f.seen <= f.After {
			continue
		}
		name := f.Name
		if name == "" {
			name = string(f.Fault.Kind)
		}
		return f.Fault, name, true
	}
	return Fault{}, "", false
}

// pageOfCall is the page that a call asks for; the first is 1 with either upstream.
func pageOfCall(upstream Upstream, r *http.Request) int {
	first := 1
	if upstream == Datto {
		first = 0
	}
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return page - first + 1
}

// pathMatcher compiles a pattern of FaultRule.Path.
func pathMatcher(pattern string) func(path string) bool {
	if pattern == "" {
		return func(string) bool { return true }
	}
	var expression strings.Builder
	for part := range strings.SplitSeq(pattern, "**") {
		if expression.Len() > 0 {
			expression.WriteString(".*")
		} else {
			expression.WriteString("^")
		}
		for i, literal := range strings.Split(part, "*") {
			if i > 0 {
				expression.WriteString("[^/]*")
			}
			expression.WriteString(regexp.QuoteMeta(literal))
		}
	}
	return regexp.MustCompile(expression.String() + "$").MatchString
}
