package httpd

import (
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	// leastCompressed is the length from which an answer is compressed: it is one packet anyway below.
	leastCompressed = 1 << 10
	// compression is the level. Of answers of REST it makes as little as level 5 does, several times as
	// fast.
	compression = 3
)

// compress sends answers by gzip to callers who take it: those of a type that gains by it and a length
// that is not small. An answer whose length is not known beforehand is taken for a long one, so that
// nothing waits until it is known.
//
// What lies beneath makes answers without a coding and knows of none. Their ETag gets a suffix here,
// which is taken off again where a caller sends it in If-None-Match. klauspost's own handler does not
// do that, and ends the coding properly when a handler panics, which here breaks an answer off.
//
// An answer that shows both a secret and what an attacker chose gives the secret away by its length
// (BREACH), to who can have it asked for again and again. A page of another site is who could: nothing
// that it has a browser ask for is compressed. createToken's secret is another one each time.
func (s *Server) compress(next http.Handler) http.Handler {
	writers := &sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, compression)
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		takes := codingsOf(r.Header)
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			takes = codings{identity: true}
		}
		asked, plain := withoutSuffixes(r, takes)
		answer := &coded{ResponseWriter: w, takes: takes, plain: plain, head: r.Method == http.MethodHead, writers: writers}
		next.ServeHTTP(answer, asked)
		answer.finish() // not when it panics: a part must not end like the whole
	})
}

// coded writes an answer in the coding that was agreed on.
type coded struct {
	http.ResponseWriter
	takes   codings
	plain   []string // the tags of what the caller has without a coding
	head    bool
	writers *sync.Pool

	begun   bool
	swallow bool         // a HEAD's body, whose length would be told for that of the coding
	zip     *gzip.Writer // nil: there is no coding
}

// WriteHeader implements http.ResponseWriter.
func (w *coded) WriteHeader(status int) {
	if !w.begun && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.begun = true
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// begin decides on the coding, when all headers are there.
func (w *coded) begin(status int) {
	header := w.Header()
	if status == http.StatusNotModified {
		header.Add("Vary", "Accept-Encoding")
		tag := header.Get("ETag")
		if known := slices.Contains(w.plain, strong(tag)); !known && w.takes.gzip {
			header.Set("ETag", suffixed(tag))
		}
		return
	}
	if status < 200 || status == http.StatusNoContent || !worthwhile(header.Get("Content-Type")) ||
		header.Get("Content-Encoding") != "" || header.Get("Content-Range") != "" {
		return
	}
	header.Add("Vary", "Accept-Encoding")
	length, err := strconv.Atoi(header.Get("Content-Length"))
	small := err == nil && length < leastCompressed && w.takes.identity
	if !w.takes.gzip || small {
		return
	}
	header.Set("Content-Encoding", "gzip")
	header.Del("Content-Length")
	header.Del("Accept-Ranges") // of the other form
	if tag := header.Get("ETag"); tag != "" {
		header.Set("ETag", suffixed(tag))
	}
	if w.head {
		w.swallow = true
		return
	}
	w.zip = w.writers.Get().(*gzip.Writer)
	w.zip.Reset(w.ResponseWriter)
}

// Write implements http.ResponseWriter.
func (w *coded) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.swallow:
		return len(p), nil
	case w.zip != nil:
		return w.zip.Write(p)
	default:
		return w.ResponseWriter.Write(p)
	}
}

// Flush implements http.Flusher, for those who do not use a response controller.
func (w *coded) Flush() { _ = w.FlushError() } // a client that has gone: the next write tells

// FlushError is for http.ResponseController.
func (w *coded) FlushError() error {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.zip != nil {
		if err := w.zip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *coded) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish ends the coding.
func (w *coded) finish() {
	if w.zip == nil {
		return
	}
	if err := w.zip.Close(); err != nil {
		panic(http.ErrAbortHandler) // the client has gone: the log shall not call it answered
	}
	w.zip.Reset(nil)
	w.writers.Put(w.zip)
}
