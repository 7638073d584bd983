package httpd

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/rest"
)

// exchange is what the log says of a request and its answer.
type exchange struct {
	caller  string // empty until it is known
	refusal string // why there is none, where somebody should be told
}

type exchangeKey struct{}

// exchangeOf is there in every request that passed observe.
func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// observe gives a request its id, its answer the headers that all have and its writes their
// deadline, catches panics and logs both in one line.
func (s *Server) observe(f *face, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handlers.Add(1)
		defer s.handlers.Done()
		started := s.Now()
		id := requestID(r)
		header := w.Header()
		header.Set("X-Request-ID", id)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store") // customers' data; the pages say otherwise
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

		about := &exchange{}
		ctx := context.WithValue(codex.WithRequestID(r.Context(), id), exchangeKey{}, about)
		answer := &response{ResponseWriter: w, deadline: func() time.Time { return s.Now().Add(s.timeouts.write) }}
		answer.forgetDeadline()
		broken := true
		defer func() { s.logRequest(f, r.WithContext(ctx), answer, about, started, broken) }()
		s.catch(next, answer, r.WithContext(ctx))
		broken = false
	})
}

// catch turns a panic into a 500, or, once a part of an answer was sent, into a broken connection.
func (s *Server) catch(next http.Handler, w *response, r *http.Request) {
	defer func() {
		v := recover()
		switch v {
		case nil:
			return
		case http.ErrAbortHandler: // a handler's own way to break the connection
			panic(v)
		}
		err := fmt.Errorf("%v\n%s", v, debug.Stack())
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "a request panicked", rest.LogAttrs(r, err)...)
		if w.status != 0 {
			panic(http.ErrAbortHandler)
		}
		rest.WriteError(w, http.StatusInternalServerError, "Internal error")
	}()
	next.ServeHTTP(w, r)
}

// logRequest says who did what, and how it went: no header, no query string, no body.
func (s *Server) logRequest(f *face, r *http.Request, w *response, about *exchange, started time.Time, broken bool) {
	level := slog.LevelInfo
	if strings.HasSuffix(r.URL.Path, "/health") || f.local {
		level = slog.LevelDebug // a monitor asks every few seconds, and codex sync every one, over the socket
	}
	attrs := []slog.Attr{
		slog.String("request_id", codex.RequestIDFrom(r.Context())),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", w.finalStatus()),
		slog.Int64("bytes", w.bytes),
		slog.Int64("duration_ms", s.Now().Sub(started).Milliseconds()),
		slog.String("remote", r.RemoteAddr),
	}
	if about.caller != "" {
		attrs = append(attrs, slog.String("caller", about.caller))
	}
	if about.refusal != "" {
		attrs = append(attrs, slog.String("refused", about.refusal))
	}
	if broken {
		attrs = append(attrs, slog.Bool("broken_off", true))
	}
	s.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// requestID is the one that the caller or a proxy gave, if it is fit for a log, else a new one.
func requestID(r *http.Request) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
	given := r.Header.Get("X-Request-ID")
	if given != "" && len(given) <= 64 && strings.Trim(given, letters) == "" {
		return given
	}
	return rand.Text()
}

// limitBody bounds the size of a request's body, and the time that it may take to arrive.
func (s *Server) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			if err := control.SetReadDeadline(s.Now().Add(s.timeouts.body)); err == nil {
				// Once it is read, the connection waits for nothing: a deadline that struck then
				// would look like a caller who hung up.
				r.Body = &timedBody{r.Body, func() { _ = control.SetReadDeadline(time.Time{}) }}
			}
			r.Body = http.MaxBytesReader(innermost(w), r.Body, maxBodyBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody calls done at its end.
type timedBody struct {
	io.ReadCloser
	done func()
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { // bare, as io.Reader has it
		b.done()
	}
	return n, err
}

// response remembers what was answered, and gives each write its deadline.
type response struct {
	http.ResponseWriter
	deadline func() time.Time // of a write that begins now
	status   int              // 0 until it is sent
	bytes    int64
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.extendDeadline()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.extendDeadline()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, for those who do not use a response controller.
func (w *response) Flush() { _ = w.FlushError() } // a client that has gone: the next write tells

// FlushError is for http.ResponseController.
func (w *response) FlushError() error {
	w.extendDeadline()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) finalStatus() int {
	if w.status == 0 {
		return http.StatusOK // what net/http sends of itself
	}
	return w.status
}

// extendDeadline: a connection that knows no deadlines has none, so the errors say nothing new.
func (w *response) extendDeadline() {
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.deadline())
}

// forgetDeadline: of the last write of the request before, on the same connection.
func (w *response) forgetDeadline() {
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Time{})
}

// innermost is net/http's own writer, which MaxBytesReader tells to close the connection.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}
