package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
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
