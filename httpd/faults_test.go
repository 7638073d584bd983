package httpd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// get begins a request and hands over its answer unread.
func get(t *testing.T, url string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = bearer("admin")
	got, err := client(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { got.Body.Close() })
	return got
}

func serving(handler http.HandlerFunc) func(*Options, *timeouts) {
	return func(o *Options, _ *timeouts) { o.REST = handler }
}

func TestAPanicIsA500AndNotTheEnd(t *testing.T) {
	h := start(t, serving(func(http.ResponseWriter, *http.Request) { panic("index out of range") }))
	for range 2 {
		got := ask(t, http.MethodGet, h.URL()+"/x", bearer("admin"))
		expect(t, "a panic", got, 500, `{"error":"Internal error"}`+"\n")
		if got.header.Get("X-Request-ID") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", got.header)
		}
	}
	lines := h.log.lines(t, "a request panicked")
	if len(lines) != 2 || !strings.Contains(fmt.Sprint(lines[0]["err"]), "index out of range\ngoroutine") {
		t.Errorf("the log: %v", lines)
	}
}

func TestWhatFailsAfterTheFirstByteBreaksTheConnection(t *testing.T) {
	for name, failure := range map[string]any{"a panic": "index out of range", "a handler that breaks off": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			h := start(t, serving(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "[1")
				w.(http.Flusher).Flush()
				panic(failure)
			}))
			body, err := io.ReadAll(get(t, h.URL()+"/x").Body)
			if err == nil || string(body) != "[1" {
				t.Errorf("body %q, %v", body, err)
			}
			if err := h.stop(); err != nil {
				t.Fatal(err)
			}
			lines := h.log.lines(t, "request")
			if len(lines) != 1 || lines[0]["broken_off"] != true || lines[0]["bytes"] != 2.0 {
				t.Errorf("the log: %v", lines)
			}
		})
	}
}

func TestABodyHasALimit(t *testing.T) {
	h := start(t, serving(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		var tooLarge *http.MaxBytesError
		fmt.Fprintf(w, "%d %v", n, errors.As(err, &tooLarge))
	}))
	for size, want := range map[int]string{maxBodyBytes: "16777216 false", maxBodyBytes + 1: "16777216 true"} {
		got := askWith(t, client(nil), http.MethodPost, h.URL()+"/x", bearer("admin"), bytes.NewReader(make([]byte, size)))
		expect(t, fmt.Sprint(size), got, 200, want)
	}
}

func TestABodyThatDoesNotArriveIsGivenUp(t *testing.T) {
	read := make(chan error, 1)
	h := start(t, func(o *Options, limits *timeouts) {
		limits.body = 100 * time.Millisecond
		o.REST = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
		})
	})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /x HTTP/1.1\r\nHost: codex\r\nAuthorization: Bearer admin\r\nContent-Length: 10\r\n\r\n12345")
	select {
	case err := <-read:
		if err == nil {
			t.Error("half a body was taken for a whole")
		}
	case <-time.After(10 * time.Second):
		t.Error("the server waits for ever")
	}
}

func TestTheTimeForABodyIsNotTheTimeForAnAnswer(t *testing.T) {
	h := start(t, func(o *Options, limits *timeouts) {
		limits.body = 100 * time.Millisecond
		o.REST = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(400 * time.Millisecond):
			}
			fmt.Fprint(w, err, r.Context().Err())
		})
	})
	got := askWith(t, client(nil), http.MethodPost, h.URL()+"/x", bearer("admin"), strings.NewReader("12345"))
	expect(t, "a slow answer", got, 200, "<nil> <nil>")
}

func TestAStreamLastsAsLongAsItsClientReads(t *testing.T) {
	h := start(t, func(o *Options, limits *timeouts) {
		limits.write = 300 * time.Millisecond
		o.REST = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 8 {
				time.Sleep(100 * time.Millisecond)
				fmt.Fprint(w, "x")
				w.(http.Flusher).Flush()
			}
		})
	})
	expect(t, "eight tenths of a second", ask(t, http.MethodGet, h.URL()+"/x", bearer("admin")), 200, "xxxxxxxx")
}

func TestAClientThatReadsNothingIsGivenUp(t *testing.T) {
	ended := make(chan error, 1)
	h := start(t, func(o *Options, limits *timeouts) {
		limits.write = 200 * time.Millisecond
		o.REST = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 1<<20)
			for {
				if _, err := w.Write(chunk); err != nil {
					ended <- err
					return
				}
			}
		})
	})
	get(t, h.URL()+"/x")
	select {
	case err := <-ended:
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("the write ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the server writes for ever")
	}
}

func TestARequestUnderWayIsFinishedWhenTheServerStops(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	h := start(t, serving(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		fmt.Fprint(w, r.Context().Err())
	}))
	answered := make(chan string, 1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL()+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = bearer("admin")
	go func() {
		got, err := client(nil).Do(request)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		answered <- fmt.Sprint(string(body), err)
	}()
	<-arrived
	stopped := make(chan error, 1)
	go func() { stopped <- h.stop() }()
	for { // no new connection is taken
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.URL(), "http://"))
		if err != nil {
			break
		}
		conn.Close()
		time.Sleep(5 * time.Millisecond)
	}
	close(finish)
	if got := <-answered; got != "<nil><nil>" {
		t.Errorf("the request under way: %s", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestARequestThatDoesNotEndIsBrokenOff(t *testing.T) {
	arrived, noticed := make(chan struct{}), make(chan struct{})
	h := start(t, func(o *Options, limits *timeouts) {
		limits.grace = 50 * time.Millisecond
		o.REST = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "[")
			w.(http.Flusher).Flush()
			close(arrived)
			<-r.Context().Done()
			close(noticed)
		})
	})
	got := get(t, h.URL()+"/x")
	<-arrived
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	select {
	case <-noticed:
	default:
		t.Error("the server has stopped and its handler has not")
	}
	if body, err := io.ReadAll(got.Body); err == nil {
		t.Errorf("the answer reads whole: %q", body)
	}
}
