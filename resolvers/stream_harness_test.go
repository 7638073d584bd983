package resolvers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
)

// patience bounds what happens soon on a machine that has nothing else to do.
const patience = 30 * time.Second

// roleOfTest is the header with the caller's role, where a test asks over HTTP: who is calling is not
// this package's business.
const roleOfTest = "X-Test-Role"

// serve serves the graph over HTTP until the test ends.
func (g *graph) serve() *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if role := r.Header.Get(roleOfTest); role != "" {
			r = r.WithContext(codex.WithCaller(r.Context(), codex.Caller{Name: "the " + role, Role: codex.Role(role)}))
		}
		g.handler.ServeHTTP(w, r)
	}))
	g.t.Cleanup(func() {
		g.handler.EndStreams()
		server.Close()
	})
	return server
}

// event is one of a stream: its name and data. A comment is an event without name.
type event struct{ name, data string }

// eventsOf reads a stream to its end, as the HTML standard has it (section "Interpreting an event
// stream"), but for what nobody sends here: id and retry.
type eventsOf struct {
	response *http.Response
	lines    *bufio.Reader
}

// next is the next event or comment, io.EOF at the end.
func (e *eventsOf) next() (event, error) {
	var got event
	var data []string
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n" && (got.name != "" || data != nil):
			got.data = strings.Join(data, "\n")
			return got, nil
		case line == "\n": // after a comment
		case field == "":
			return event{"", value}, nil
		case field == "event":
			got.name = value
		case field == "data":
			data = append(data, value)
		}
	}
}

// must is the next event that is no comment, within the test's patience.
func (e *eventsOf) must(t testing.TB) event {
	t.Helper()
	type outcome struct {
		event event
		err   error
	}
	there := make(chan outcome, 1)
	go func() {
		for {
			got, err := e.next()
			if err != nil || got.name != "" {
				there <- outcome{got, err}
				return
			}
		}
	}()
	select {
	case o := <-there:
		if o.err != nil {
			t.Fatalf("the stream ended: %v", o.err)
		}
		return o.event
	case <-time.After(patience):
		t.Fatal("nothing comes")
		return event{}
	}
}

// stream posts an operation and gives its stream; its end is the test's, or cancel.
func stream(t testing.TB, server *httptest.Server, role, text string) (_ *eventsOf, cancel func()) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		t.Fatal(err)
	}
	return streamOf(t, server, role, http.MethodPost, "/graphql", string(body))
}

func streamOf(t testing.TB, server *httptest.Server, role, method, target, body string) (_ *eventsOf, cancel func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		request.Header.Set(roleOfTest, role)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return &eventsOf{response, bufio.NewReader(response.Body)}, cancel
}

// all are the events of a stream until its end, without comments.
func (e *eventsOf) all(t testing.TB) []event {
	t.Helper()
	var events []event
	for {
		got, err := e.next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		if got.name != "" {
			events = append(events, got)
		}
	}
}

// first is the first result of an operation over a stream, or the answer that there was in its place.
func first(t testing.TB, server *httptest.Server, role, text string) string {
	t.Helper()
	events, cancel := stream(t, server, role, text)
	defer cancel()
	if !strings.HasPrefix(events.response.Header.Get("Content-Type"), "text/event-stream") {
		body, err := io.ReadAll(events.response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	return events.must(t).data
}
