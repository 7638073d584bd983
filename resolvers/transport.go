package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
)

// The media types of an answer. The first is taken by those who know GraphQL over HTTP: with it the
// status tells whether the request could be run at all. The second has the status 200 for that too.
// The third is a stream (stream.go), which alone can answer a subscription.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
)

// transport is GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): queries and
// subscriptions by GET, these and mutations by POST of JSON, one at a time. It takes no forms, so
// that a page of another site cannot ask in a browser's name, and it writes the data as the executor
// made it, which saves checking and copying megabytes.
type transport struct {
	bodyBytes int64
	time      time.Duration // of a query or mutation
	ping      time.Duration // between two signs of life of a stream
	streams   *streams
	errors    presenter
}

// errTime is the cause of a request's end that took longer than [Limits.Time].
var errTime = errors.New("the time for a GraphQL request is over")

// errTooLong is what its caller is told.
func errTooLong() error {
	return codex.Errorf(codex.CodeUnavailable, "the query took too long: ask for less at once")
}

// Supports implements graphql.Transport: what cannot be served is refused here too, with a reason.
func (transport) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (t transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		t.reject(w, r, http.StatusNotAcceptable, "answers are "+mediaGraphQL+", "+mediaJSON+" or "+mediaEvents)
		return
	}
	params := t.params(w, r)
	if params == nil {
		return
	}
	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		refused := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		switch media {
		case mediaEvents:
			t.streamOne(w, refused)
		case mediaGraphQL:
			answer(w, http.StatusBadRequest, media, refused)
		default:
			answer(w, http.StatusOK, media, refused)
		}
		return
	}
	kind := op.Operation.Operation
	switch {
	case r.Method == http.MethodGet && kind == ast.Mutation:
		w.Header().Set("Allow", "POST")
		t.reject(w, r, http.StatusMethodNotAllowed, "GET takes no mutations: send this by POST")
		return
	case kind == ast.Subscription && media != mediaEvents:
		t.reject(w, r, http.StatusNotAcceptable, "a subscription is answered by a stream: ask with Accept: "+mediaEvents)
		return
	case kind == ast.Subscription:
		t.streamAll(w, r, exec, op)
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.time, errTime)
	defer cancel()
	if media == mediaEvents {
		t.streamResult(ctx, w, exec, op)
		return
	}
	response := execute(ctx, exec, op)
	if response == nil {
		t.errors.refuseWith(w, r, http.StatusServiceUnavailable, errTooLong())
		return
	}
	answer(w, http.StatusOK, media, response)
}

// execute runs a query or mutation. Nil: its time was up, or nobody waits for it any more, so that
// what could not be read is no answer.
func execute(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) *graphql.Response {
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil || ctx.Err() != nil && len(response.Errors) > 0 {
		return nil
	}
	return response
}

// params reads a request; nil where it is none, which was answered then.
func (t transport) params(w http.ResponseWriter, r *http.Request) *graphql.RawParams {
	var params *graphql.RawParams
	var status int
	var err error
	start := graphql.Now()
	switch r.Method {
	case http.MethodGet:
		params, err = fromURL(r.URL.RawQuery)
		status = http.StatusBadRequest
	case http.MethodPost:
		params, status, err = t.fromBody(w, r)
	case http.MethodOptions:
		w.Header().Set("Allow", "GET, POST, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		w.Header().Set("Allow", "GET, POST, OPTIONS")
		t.reject(w, r, http.StatusMethodNotAllowed, "GraphQL takes GET and POST")
		return nil
	}
	if err != nil {
		t.reject(w, r, status, err.Error())
		return nil
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params
}

// fromURL reads a request from the parameters of a URL.
func fromURL(raw string) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errors.New("the parameters of the URL cannot be read")
	}
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	if params.Query == "" {
		return nil, errors.New("the parameter query is missing")
	}
	for name, target := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" {
			if err := decode(strings.NewReader(text), target); err != nil {
				return nil, errors.New("the parameter " + name + " is no JSON object")
			}
		}
	}
	return params, nil
}

// fromBody reads a request from a JSON body; with an error goes the status that says so.
func (t transport) fromBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, int, error) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON || !strings.EqualFold(orUTF8(parameters["charset"]), "utf-8") {
		return nil, http.StatusUnsupportedMediaType, errors.New("send the query as application/json in UTF-8")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, t.bodyBytes))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, http.StatusRequestEntityTooLarge, errors.New("the body is larger than " + strconv.FormatInt(t.bodyBytes, 10) + " bytes")
		}
		return nil, http.StatusBadRequest, errors.New("the body could not be read to its end")
	}
	params := &graphql.RawParams{}
	if err := decode(bytes.NewReader(body), params); err != nil {
		return nil, http.StatusBadRequest, errors.New(`the body is not of the form {"query": "...", "variables": {}, "operationName": "..."}`)
	}
	if params.Query == "" {
		return nil, http.StatusBadRequest, errors.New(`the body has no "query"`)
	}
	return params, 0, nil
}

func orUTF8(charset string) string {
	if charset == "" {
		return "utf-8"
	}
	return charset
}

// decode reads one JSON value and nothing after it; numbers keep their digits.
func decode(r io.Reader, target any) error {
	decoder := json.NewDecoder(r)
	decoder.UseNumber()
	if err := decoder.Decode(target); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

// negotiate chooses the media type of the answer. Nothing said is application/json, which every
// client reads.
func negotiate(accept []string) (media string, ok bool) {
	listed := strings.Join(accept, ",")
	if strings.TrimSpace(listed) == "" {
		return mediaJSON, true
	}
	best := 0.0
	for entry := range strings.SplitSeq(listed, ",") {
		name, parameters, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, given := parameters["q"]; given {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		switch name {
		case mediaGraphQL, mediaEvents:
		case mediaJSON, "application/*", "*/*":
			name = mediaJSON
		case "text/*":
			name = mediaEvents
		default:
			continue
		}
		if quality > best {
			best, media = quality, name
		}
	}
	return media, best > 0
}

// answer writes a response.
func answer(w http.ResponseWriter, status int, media string, response *graphql.Response) {
	body := encode(response)
	body.WriteByte('\n')
	header := w.Header()
	header.Set("Content-Type", media+"; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // who has gone cannot be told
}

// encode is a response as JSON, in one line without its end.
func encode(response *graphql.Response) *bytes.Buffer {
	body := &bytes.Buffer{}
	body.Grow(len(response.Data) + 64)
	body.WriteByte('{')
	if len(response.Errors) > 0 {
		part(body, "errors", response.Errors)
		body.WriteByte(',')
	}
	if response.Data != nil || len(response.Errors) == 0 {
		body.WriteString(`"data":`)
		body.Write(orNull(response.Data))
		body.WriteByte(',')
	}
	if len(response.Extensions) > 0 {
		part(body, "extensions", response.Extensions)
		body.WriteByte(',')
	}
	body.Truncate(body.Len() - 1) // the last comma
	body.WriteByte('}')
	return body
}

func orNull(data json.RawMessage) []byte {
	if data == nil {
		return []byte("null")
	}
	return data
}

func part(body *bytes.Buffer, name string, value any) {
	text, err := json.Marshal(value)
	if err != nil { // our own errors and extensions: strings and numbers
		text = []byte("null")
	}
	body.WriteString(`"` + name + `":`)
	body.Write(text)
}

// reject answers what is no GraphQL request.
func (t transport) reject(w http.ResponseWriter, r *http.Request, status int, message string) {
	t.errors.refuseWith(w, r, status, codex.Errorf(codex.CodeBadInput, "%s", message))
}

// refuse answers somebody who may ask for nothing.
func (p presenter) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusForbidden
	if codex.CodeOf(err) == codex.CodeUnauthenticated {
		w.Header().Set("WWW-Authenticate", "Bearer")
		status = http.StatusUnauthorized
	}
	p.refuseWith(w, r, status, err)
}

func (p presenter) refuseWith(w http.ResponseWriter, r *http.Request, status int, err error) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok || media == mediaEvents { // there is no stream yet
		media = mediaJSON
	}
	shown := p.present(context.WithoutCancel(r.Context()), err)
	answer(w, status, media, &graphql.Response{Errors: gqlerror.List{shown}})
}
