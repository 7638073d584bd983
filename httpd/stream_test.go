package httpd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
)

// ticking answers with a stream that says something every 20 ms until its context ends, or a write
// fails; why is sent to ended.
func ticking(ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		for {
			if _, err := io.WriteString(w, ": "+strings.Repeat("tick ", 2000)+"\n\n"); err != nil {
				ended <- err
				return
			}
			if err := control.Flush(); err != nil {
				ended <- err
				return
			}
			select {
			case <-r.Context().Done():
				ended <- r.Context().Err()
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// follow opens a stream of /graphql and reads it until its end, whose error it gives.
func follow(t *testing.T, h *hub, token, accept string) <-chan error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL()+"/graphql", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = bearer(token)
	request.Header.Set("Accept", accept)
	got, err := client(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(got.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		defer got.Body.Close()
		_, err := io.Copy(io.Discard, got.Body)
		over <- err
	}()
	return over
}

func TestAStreamOutlivesEveryTimeLimitAndEndsAtOnceWithTheServer(t *testing.T) {
	ended := make(chan error, 1)
	stop, end := context.WithCancel(context.Background())
	h := start(t, func(o *Options, limits *timeouts) {
		limits.write, limits.body, limits.head, limits.idle = 200*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
		limits.grace = time.Minute
		stream := ticking(ended)
		o.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(stop, cancel)()
			_, _ = io.Copy(io.Discard, r.Body)
			stream.ServeHTTP(w, r.WithContext(ctx))
		})
		o.OnStop = end
	})
	over := follow(t, h, "admin", "text/event-stream")
	select {
	case err := <-ended:
		t.Fatalf("the stream ended by itself: %v", err)
	case <-time.After(time.Second):
	}
	stopping := time.Now()
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(stopping); took > 10*time.Second {
		t.Errorf("stopping took %v: the stream was waited for", took)
	}
	if err := <-over; err != nil {
		t.Errorf("the client's end: %v", err)
	}
}

func TestAClientThatReadsNothingOfAStreamIsBrokenOff(t *testing.T) {
	ended := make(chan error, 1)
	h := start(t, func(o *Options, limits *timeouts) {
		limits.write = 300 * time.Millisecond
		o.GraphQL = ticking(ended)
	})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /graphql HTTP/1.1\r\nHost: codex\r\nAuthorization: Bearer admin\r\nAccept: text/event-stream\r\n\r\n")
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the server writes for ever")
	}
}

func TestAStreamEndsWhenItsTokenIsGoodNoLongerAndNoOtherRequestIsTouched(t *testing.T) {
	var revoked atomic.Bool
	ended, plain := make(chan error, 5), make(chan error, 1)
	h := start(t, func(o *Options, limits *timeouts) {
		limits.token = 20 * time.Millisecond
		o.Callers = authenticate(func(ctx context.Context, token string) (codex.Caller, error) {
			switch {
			case token == "billing" && revoked.Load():
				return codex.Caller{}, codex.Errorf(codex.CodeUnauthenticated, "the token is unknown, expired or revoked")
			case token == "technician" && revoked.Load():
				return codex.Caller{}, codex.Errorf(codex.CodeUnavailable, "the database does not answer")
			}
			return noTokens(ctx, token)
		})
		o.GraphQL = ticking(ended)
		o.REST = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(300 * time.Millisecond):
			}
			plain <- r.Context().Err()
		})
	})
	// All that package resolvers takes for a wish for a stream.
	accepts := []string{"text/event-stream", "Text/Event-Stream", "application/json;q=0.1, text/*"}
	var over []<-chan error
	for _, accept := range accepts {
		over = append(over, follow(t, h, "billing", accept))
	}
	stays := follow(t, h, "technician", "text/event-stream")
	answered := make(chan answer)
	go func() { answered <- ask(t, http.MethodGet, h.URL()+"/api/companies", bearer("billing")) }()
	time.Sleep(100 * time.Millisecond)
	select {
	case err := <-ended:
		t.Fatalf("a stream ended while its token was good: %v", err)
	default:
	}
	revoked.Store(true)
	for i, accept := range accepts {
		select {
		case err := <-over[i]:
			if err != nil {
				t.Errorf("%s: the client's end: %v", accept, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the stream goes on", accept)
		}
	}
	if err := <-plain; err != nil {
		t.Errorf("a request that is no stream was ended: %v", err)
	}
	<-answered
	select {
	case err := <-stays:
		t.Errorf("a database that does not answer ended a stream: %v", err)
	default:
	}
}
