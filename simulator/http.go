package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is what an endpoint decides. A nil body is an empty one; a []byte goes out as it is; all
// else is encoded as JSON.
type answer struct {
	status int
	header http.Header
	body   any
}

// member is one key of an envelope.
type member struct {
	key   string
	value any
}

// envelope is a JSON object whose keys keep their order.
type envelope []member

// MarshalJSON writes the members in their order.
func (e envelope) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range e {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := encodeJSON(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(append(b, '"'), m.key...), '"', ':'), value...)
	}
	return append(b, '}'), nil
}

// encodeJSON leaves <, > and & as they are, as both upstreams do.
func encodeJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// decodeObject reads a JSON object; numbers keep their text.
func decodeObject(text []byte) (map[string]any, error) {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&object)
	return object, err
}

// call is one request on its way to an endpoint.
type call struct {
	world    *world
	switches Switches
	query    url.Values
	args     []string // what stood in the pattern's {…}
	now      time.Time
	clock    time.Time // now to the nanosecond
	base     string    // scheme and host that the caller used
	path     string
}

// id is the first {…} as a number; ok is false where it is none.
func (c *call) id() (id int64, ok bool) {
	id, err := strconv.ParseInt(c.args[0], 10, 64)
	return id, err == nil
}

// route is one endpoint: a pattern of literal segments and {…}, and what answers there.
type route struct {
	pattern string
	bucket  bucket   // Freshservice: the limit that the call counts against beside the overall one
	embeds  []string // Freshservice: the values that include may have
	credits int      // Freshservice: what one embed costs
	open    bool     // Datto: needs no token
	serve   func(*call) answer
}

// match finds the first route of a path, and what its {…} are.
func match(routes []route, path string) (*route, []string) {
	segments := strings.Split(path, "/")
	for i := range routes {
		pattern := strings.Split(routes[i].pattern, "/")
		if len(pattern) != len(segments) {
			continue
		}
		var args []string
		found := true
		for j, p := range pattern {
			switch {
			case strings.HasPrefix(p, "{") && segments[j] != "":
				args = append(args, segments[j])
			case p != segments[j]:
				found = false
			}
		}
		if found {
			return &routes[i], args
		}
	}
	return nil, nil
}

// baseOf is the scheme and host under which the caller reached us.
func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// write sends an answer and returns what it sent; a body that cannot be encoded is a 500.
func write(w http.ResponseWriter, a answer) {
	body, status := encodeBody(a), a.status
	if body == nil && a.body != nil {
		status = http.StatusInternalServerError
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" && len(body) > 0 {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that went away is no concern of ours
}

// encodeBody is the body's bytes; nil for none, and for one that cannot be encoded.
func encodeBody(a answer) []byte {
	switch body := a.body.(type) {
	case nil:
		return nil
	case []byte:
		return body
	case envelope: // not through the encoder, which would read it all once more
		text, err := body.MarshalJSON()
		if err != nil {
			return nil
		}
		return text
	default:
		text, err := encodeJSON(body)
		if err != nil {
			return nil
		}
		return text
	}
}

// handle is the chain that all services share: the request is noted, admitted (route, credentials,
// limits), perhaps broken by a fault, and answered from one state of the world.
func (s *Sim) handle(upstream Upstream, admit func(*http.Request) admission) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := s.requests.begin(upstream, r, s.opts.Now())
		recorder := &statusRecorder{ResponseWriter: w}
		w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
		defer func() { s.requests.end(entry, recorder.status, s.opts.Now()) }()

		if s.opts.Sleep(r.Context(), s.opts.Latency) != nil {
			return
		}
		admitted := admit(r)
		for name, values := range admitted.header {
			w.Header()[name] = values
		}
		if s.opts.Sleep(r.Context(), admitted.wait) != nil {
			return
		}
		if admitted.refusal != nil {
			write(recorder, *admitted.refusal)
			return
		}
		reply := func(ask func(*call)) answer { return s.reply(r, admitted, ask) }
		if fault, name, ok := s.faults.next(upstream, r); ok {
			s.requests.fault(entry, name)
			broken{sim: s, upstream: upstream, w: recorder, r: r, fault: fault, reply: reply, act: admitted.act}.inflict()
			return
		}
		write(recorder, reply(nil))
	})
}

// reply makes the answer, encoded, under one read lock. ask, where there is one, asks for something
// else than the request does.
func (s *Sim) reply(r *http.Request, admitted admission, ask func(*call)) answer {
	switch {
	case admitted.reply != nil:
		return *admitted.reply
	case admitted.act != nil:
		return admitted.act(Fault{})
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	clock := s.clock()
	c := &call{
		world: s.world, switches: s.Switches(), query: r.URL.Query(), args: admitted.args,
		now: clock.UTC().Truncate(time.Second), clock: clock, base: baseOf(r), path: r.URL.Path,
	}
	if ask != nil {
		ask(c)
	}
	a := admitted.route.serve(c)
	if a.body != nil {
		if text := encodeBody(a); text != nil {
			a.body = text
		}
	}
	return a
}

// admission is what happens to a request before its endpoint: a refusal, or the endpoint with the
// headers that its answer carries and a wait before it.
type admission struct {
	route   *route
	args    []string
	header  http.Header
	wait    time.Duration
	refusal *answer
	reply   *answer // an answer that needs no endpoint (a token), faults apart

	// act is an endpoint that does something, and takes as long as that does. A fault of a kind that is
	// the endpoint's own changes what it does; others, and none, leave it as it is.
	act func(Fault) answer
}

// statusRecorder remembers what was answered; 0 for nothing.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status on its way.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
