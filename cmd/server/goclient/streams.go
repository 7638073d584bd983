package goclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/Khan/genqlient/graphql"
)

// Streams is genqlient's client for subscriptions over Server-Sent Events, in place of the WebSockets
// that the interface is named after: a request for each subscription, which is answered by a stream
// (https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md, "distinct
// connections mode"). It may be used by several goroutines.
type Streams struct {
	endpoint string
	http     graphql.Doer

	mu     sync.Mutex
	ctx    context.Context // of all streams, from Start to Close
	close  context.CancelFunc
	open   map[string]subscription
	last   int
	ended  chan error
	reader sync.WaitGroup
}

// subscription is one that has not ended. There is one sender on its channel, its stream's reader.
type subscription struct {
	cancel  context.CancelFunc
	results reflect.Value
}

// NewStreams gives a client for the subscriptions of an endpoint, whose requests client sends.
func NewStreams(endpoint string, client graphql.Doer) *Streams {
	return &Streams{endpoint: endpoint, http: client, open: map[string]subscription{}}
}

// Start implements graphql.WebSocketClient: subscriptions last until ctx or Close ends them. The
// channel tells why a stream broke off, as long as somebody listens, and is closed by Close.
func (s *Streams) Start(ctx context.Context) (chan error, error) {
	s.ctx, s.close = context.WithCancel(ctx)
	s.ended = make(chan error)
	return s.ended, nil
}

// Close implements graphql.WebSocketClient: it ends all subscriptions.
func (s *Streams) Close() error {
	if s.close == nil {
		return nil
	}
	s.close()
	s.mu.Lock()
	ids := make([]string, 0, len(s.open))
	for id := range s.open {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		// One that has ended meanwhile is as it should be.
		_ = s.Unsubscribe(id)
	}
	s.reader.Wait()
	close(s.ended)
	return nil
}

// Subscribe implements graphql.WebSocketClient. An operation that the hub refuses is a first result
// with errors; a caller whom it refuses is an error here.
func (s *Streams) Subscribe(request *graphql.Request, results any, forward graphql.ForwardDataFunction) (string, error) {
	if s.ctx == nil {
		return "", errors.New("streams: Start comes before Subscribe")
	}
	ctx, cancel := context.WithCancel(s.ctx)
	body, err := s.begin(ctx, request)
	if err != nil {
		cancel()
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	id := strconv.Itoa(s.last)
	s.open[id] = subscription{cancel, reflect.ValueOf(results)}
	s.reader.Go(func() {
		defer body.Close()
		err := read(body, func(result json.RawMessage) error { return forward(results, result) })
		broken := err != nil && ctx.Err() == nil
		cancel()
		s.mu.Lock()
		delete(s.open, id)
		s.mu.Unlock()
		reflect.ValueOf(results).Close()
		if broken {
			select {
			case s.ended <- fmt.Errorf("subscription %s: %w", request.OpName, err):
			case <-s.ctx.Done():
			}
		}
	})
	return id, nil
}

// Unsubscribe implements graphql.WebSocketClient. Results that nobody has taken are dropped.
func (s *Streams) Unsubscribe(id string) error {
	s.mu.Lock()
	subscribed, ok := s.open[id]
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("streams: there is no subscription %s", id)
	}
	subscribed.cancel()
	for {
		if _, more := subscribed.results.Recv(); !more { // its reader may be waiting to send
			return nil
		}
	}
}

// begin asks for a stream.
func (s *Streams) begin(ctx context.Context, asked *graphql.Request) (io.ReadCloser, error) {
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err == nil && kind == "text/event-stream" {
		return response.Body, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("subscription %s: the answer is %s and no stream: %s", asked.OpName, response.Status, text)
}

// read gives each result of a stream until it is complete. A stream that ends without saying so was
// broken off.
func read(stream io.Reader, result func(json.RawMessage) error) error {
	lines := bufio.NewReader(stream)
	var event string
	var data []byte
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":") // a comment has no field
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			event = value
		case "data":
			data = append(append(data, value...), '\n')
		}
		if strings.TrimRight(line, "\r\n") != "" {
			continue
		}
		switch event {
		case "next":
			if err := result(data); err != nil {
				return err
			}
		case "complete":
			return nil
		}
		event, data = "", nil
	}
}
