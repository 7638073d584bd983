package resolvers

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
)

// Answers over Server-Sent Events are as the protocol of graphql-sse has them, in its mode of distinct
// connections (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md): one request is one
// operation, each result an event next, and an event complete says that there are no more. What is
// wrong with an operation is such a result too, since a browser shows its page nothing of an answer
// that is no stream. What is wrong with the request itself, its caller included, has a status.
//
// A stream that ends without complete was broken off: by its client, by a hub that is being stopped,
// or because its token is no longer good. A client then asks again, as those of graphql-sse do.
//
// gqlgen's own transport is not used: it takes no GET, logs bodies, and knows neither the time of a
// query nor how many streams a caller has.

// streamOne answers with one result that is there already.
func (t transport) streamOne(w http.ResponseWriter, response *graphql.Response) {
	if s, ok := openStream(w); ok && s.next(response) {
		s.complete()
	}
}

// streamResult answers a query or mutation.
func (t transport) streamResult(ctx context.Context, w http.ResponseWriter, exec graphql.GraphExecutor, op *graphql.OperationContext) {
	s, ok := openStream(w)
	if !ok {
		return
	}
	response, alive := t.await(s, func() *graphql.Response { return execute(ctx, exec, op) })
	if response == nil && alive {
		shown := t.errors.present(graphql.WithOperationContext(ctx, op), errTooLong())
		response = &graphql.Response{Errors: gqlerror.List{shown}}
	}
	if alive && s.next(response) {
		s.complete()
	}
}

// streamAll answers a subscription, until its source ends, its client goes or stops reading, or all
// streams are ended.
func (t transport) streamAll(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext) {
	caller, _ := codex.CallerFrom(r.Context())
	if !t.streams.enter(caller) {
		full := codex.Errorf(codex.CodeTooManyRequests,
			"%d streams are open for %s, which are all that one may have at once (max_streams): end one", t.streams.perCaller, caller.Name)
		shown := t.errors.present(graphql.WithOperationContext(r.Context(), op), full)
		t.streamOne(w, &graphql.Response{Errors: gqlerror.List{shown}})
		return
	}
	defer t.streams.leave(caller)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.streamsEnd, cancel)()
	s, ok := openStream(w)
	if !ok {
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	for {
		response, alive := t.await(s, func() *graphql.Response { return responses(ctx) })
		switch {
		case !alive, ctx.Err() != nil: // broken off
			return
		case response == nil:
			s.complete()
			return
		case !s.next(response):
			return
		}
	}
}

// await gives signs of life until result is there. False where they reach nobody any more: the
// result, which then ends with its context, is left to itself.
func (t transport) await(s *stream, result func() *graphql.Response) (_ *graphql.Response, alive bool) {
	type outcome struct {
		response *graphql.Response
		panicked any
	}
	there := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.panicked = recover()
			there <- o
		}()
		o.response = result()
	}()
	ticker := time.NewTicker(t.ping)
	defer ticker.Stop()
	for {
		select {
		case o := <-there:
			if o.panicked != nil { // where the handlers above catch it
				panic(o.panicked)
			}
			return o.response, true
		case <-ticker.C:
			if !s.write(": ping\n\n") {
				return nil, false
			}
		}
	}
}

// stream writes events, each at once.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// openStream begins an answer; false where its client has gone already.
func openStream(w http.ResponseWriter) (*stream, bool) {
	header := w.Header()
	header.Set("Content-Type", mediaEvents+"; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx hands on what it gets then
	w.WriteHeader(http.StatusOK)
	s := &stream{w, http.NewResponseController(w)}
	return s, s.write(":\n\n")
}

func (s *stream) next(response *graphql.Response) bool {
	return s.write("event: next\ndata: " + encode(response).String() + "\n\n")
}

// complete has an empty line of data, without which a browser's EventSource hides the event.
func (s *stream) complete() { s.write("event: complete\ndata:\n\n") }

// write tells whether the client may still be there.
func (s *stream) write(text string) bool {
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
