package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// broken is an answer that a fault is about to meet.
type broken struct {
	sim      *Sim
	upstream Upstream
	w        http.ResponseWriter
	r        *http.Request
	fault    Fault
	// reply makes the real answer, or that to what ask changes of the call. It is called only where
	// it is needed.
	reply func(ask func(*call)) answer
	act   func(Fault) answer // the endpoint where it does something; nil for the others
}

// inflict answers with a fault.
func (b broken) inflict() {
	f := b.fault
	if b.sim.opts.Sleep(b.r.Context(), f.Delay) != nil {
		return
	}
	switch f.Kind {
	case FaultReset:
		reset(b.w)
	case FaultDrop:
		panic(http.ErrAbortHandler)
	case FaultCut, FaultCutReset:
		b.cut()
	case FaultTrickle:
		b.trickle()
	case FaultHuge:
		b.huge()
	case FaultAfterwards:
		b.afterwards()
	default:
		write(b.w, b.answer())
	}
}

// answer is what the faults answer that leave the connection alone.
func (b broken) answer() answer {
	f := b.fault
	header := http.Header{}
	for name, value := range f.Header {
		header.Set(name, value)
	}
	switch f.Kind {
	case FaultStatus:
		return answer{status: f.Status, header: header, body: []byte(f.Body)}
	case FaultRefuse:
		refused := b.refusal()
		for name, values := range refused.header {
			header[name] = values
		}
		refused.header = header
		return refused
	case FaultHTML:
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		page := proxyPage(status)
		header.Set("Content-Type", page.header.Get("Content-Type"))
		page.header = header
		return page
	case FaultChange:
		f.Change(b.sim)
		return b.reply(nil)
	case FaultAcceptsOnly, FaultPostsTwice, FaultOtherTotal:
		if b.act != nil {
			return b.act(f)
		}
		return b.reply(nil)
	}
	a := b.reply(nil)
	body := encodeBody(a)
	switch f.Kind {
	case FaultRewrite:
		a.body = f.Rewrite(body)
	case FaultTruncate:
		a.body = body[:min(f.At, len(body))]
	case FaultMalformed:
		a.body = append(bytes.Clone(body[:max(0, len(body)-1)]), ';')
	case FaultDelay:
	default:
		a = editList(f, b.r, a, func() answer { return b.reply(b.pageBefore) })
	}
	return a
}

// pageBefore asks for the page before the fault's own.
func (b broken) pageBefore(c *call) {
	page := b.fault.Page - 1
	if b.upstream == Datto {
		page--
	}
	c.query.Set("page", strconv.Itoa(page))
}

// refusal is the upstream's own error.
func (b broken) refusal() answer {
	status := b.fault.Status
	switch {
	case status >= http.StatusBadGateway:
		return proxyPage(status)
	case b.upstream == Freshservice:
		return freshserviceRefusal(status)
	case b.upstream == Core:
		return coreRefusal(status, http.StatusText(status))
	case b.upstream == Ledger:
		return ledgerRefusal(status)
	case b.upstream == Keycloak:
		return keycloakRefusal(status)
	case b.r.URL.Path == dattoTokenPath && status == http.StatusBadRequest:
		return tokenRefusal(status, "invalid_grant", "Bad credentials")
	case b.r.URL.Path == dattoTokenPath && status == http.StatusUnauthorized:
		return tokenRefusal(status, "unauthorized", "Full authentication is required to access this resource")
	default:
		return dattoError(b.sim.clock(), status, strings.TrimPrefix(b.r.URL.Path, dattoPrefix))
	}
}

// proxyPage is what stands before an upstream says when it cannot reach it.
func proxyPage(status int) answer {
	page := fmt.Sprintf("<html>\n<head><title>%[1]d %[2]s</title></head>\n<body><center><h1>%[1]d %[2]s"+
		"</h1></center><hr><center>nginx</center></body>\n</html>\n", status, http.StatusText(status))
	return answer{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(page)}
}

// begin sends the real answer's headers, the length of its body too where it is known, and returns
// the body.
func (b broken) begin(sized bool) []byte {
	a := b.reply(nil)
	body := encodeBody(a)
	for name, values := range a.header {
		b.w.Header()[name] = values
	}
	b.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if sized {
		b.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	b.w.WriteHeader(a.status)
	return body
}

// afterwards does what was asked for and loses the answer: after a pause the connection is reset, or the
// upstream's own error goes out.
func (b broken) afterwards() {
	b.reply(nil)
	if b.sim.opts.Sleep(b.r.Context(), b.fault.Pause) != nil {
		return
	}
	if b.fault.Status == 0 {
		reset(b.w)
		return
	}
	write(b.w, b.refusal())
}

// send sends a piece of the body at once; ok is false where nobody takes it.
func (b broken) send(piece []byte) (ok bool) {
	if _, err := b.w.Write(piece); err != nil {
		return false
	}
	return http.NewResponseController(b.w).Flush() == nil
}

func (b broken) cut() {
	body := b.begin(true)
	at := b.fault.At
	if at == 0 {
		at = len(body) / 2
	}
	b.send(body[:min(at, max(0, len(body)-1))]) // what is left is to arrive before the end does
	if b.fault.Kind == FaultCutReset {
		reset(b.w)
		return
	}
	panic(http.ErrAbortHandler)
}

func (b broken) trickle() {
	body := b.begin(true)
	for len(body) > 0 {
		n := min(b.fault.Chunk, len(body))
		if !b.send(body[:n]) || b.sim.opts.Sleep(b.r.Context(), b.fault.Pause) != nil {
			return
		}
		body = body[n:]
	}
}

// huge sends an object of exactly Size bytes where the real one is smaller by some: the real members
// and one more, made block by block.
func (b broken) huge() {
	const opening, closing = `"padding":"`, `"}`
	body := bytes.TrimSuffix(b.begin(false), []byte("}"))
	switch {
	case len(body) > 1 && body[0] == '{':
		body = append(bytes.Clone(body), ","+opening...)
	default: // an empty object, or none
		body = []byte("{" + opening)
	}
	if !b.send(body) {
		return
	}
	block := bytes.Repeat([]byte("x"), 64<<10)
	for left := b.fault.Size - int64(len(body)+len(closing)); left > 0; {
		n := min(left, int64(len(block)))
		if _, err := b.w.Write(block[:n]); err != nil {
			return
		}
		left -= n
	}
	b.send([]byte(closing))
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
