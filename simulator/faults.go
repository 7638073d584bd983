package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way to break an answer.
type FaultKind string

// The ways to break an answer.
const (
	FaultStatus  FaultKind = "status"  // Status with Header and Body in place of the answer
	FaultHTML    FaultKind = "html"    // an HTML page in place of the answer; Status 0 is 502
	FaultCut     FaultKind = "cut"     // the real answer's headers and half its body, then the end
	FaultDelay   FaultKind = "delay"   // the real answer after Delay
	FaultReset   FaultKind = "reset"   // the connection is reset without an answer
	FaultRewrite FaultKind = "rewrite" // the real answer with the body that Rewrite makes of it
)

// Fault is what is done to one answer. Delay is waited first with every kind.
type Fault struct {
	Kind    FaultKind                `json:"kind"`
	Status  int                      `json:"status,omitempty"`
	Header  map[string]string        `json:"header,omitempty"`
	Body    string                   `json:"body,omitempty"`
	Delay   time.Duration            `json:"delay_ns,omitempty"`
	Rewrite func(body []byte) []byte `json:"-"`
}

// FaultRule says which answers a fault breaks. Only calls count that passed credentials and limits,
// so the n-th call is the n-th that would have been answered. The first rule that applies is used,
// and only that one counts the call.
type FaultRule struct {
	Name     string   `json:"name,omitempty"`     // for the request log; empty is the kind
	Upstream Upstream `json:"upstream,omitempty"` // empty: both
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
	switch r.Fault.Kind {
	case FaultHTML, FaultCut, FaultDelay, FaultReset:
	case FaultStatus:
		if r.Fault.Status < 200 || r.Fault.Status > 599 {
			return fmt.Errorf("a fault of kind %s needs a status of 200 to 599", r.Fault.Kind)
		}
	case FaultRewrite:
		if r.Fault.Rewrite == nil {
			return fmt.Errorf("a fault of kind %s needs a function", r.Fault.Kind)
		}
	default:
		return fmt.Errorf("there is no kind of fault %q", r.Fault.Kind)
	}
	if r.After < 0 || r.Times < 0 {
		return fmt.Errorf("a fault's after and times are no negative numbers")
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
		if f.Match != nil && !f.Match(r) {
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

// inflict answers with a fault. The real answer is made only where it is needed.
func (s *Sim) inflict(w http.ResponseWriter, r *http.Request, f Fault, reply func() answer) {
	if s.opts.Sleep(r.Context(), f.Delay) != nil {
		return
	}
	header := http.Header{}
	for name, value := range f.Header {
		header.Set(name, value)
	}
	switch f.Kind {
	case FaultStatus:
		write(w, answer{status: f.Status, header: header, body: []byte(f.Body)})
	case FaultHTML:
		header.Set("Content-Type", "text/html")
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		page := fmt.Sprintf("<html>\n<head><title>%[1]d %[2]s</title></head>\n<body><center><h1>%[1]d %[2]s"+
			"</h1></center><hr><center>nginx</center></body>\n</html>\n", status, http.StatusText(status))
		write(w, answer{status: status, header: header, body: []byte(page)})
	case FaultDelay:
		write(w, reply())
	case FaultRewrite:
		a := reply()
		a.body = f.Rewrite(encodeBody(a))
		write(w, a)
	case FaultCut:
		a := reply()
		body := encodeBody(a)
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush() // the half is to arrive before the end does
		panic(http.ErrAbortHandler)
	case FaultReset:
		reset(w)
	}
}

// reset closes the connection so that the caller sees a reset, where the server lets us have it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // unsent data is dropped and RST sent in place of FIN
	}
	_ = conn.Close()
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
