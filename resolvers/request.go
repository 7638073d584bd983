package resolvers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

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
	for name, target := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" {
			if err := decode(strings.NewReader(text), target); err != nil {
				return nil, errors.New("the parameter " + name + " is no JSON object")
			}
		}
	}
	if params.Query == "" && params.Extensions[persistedQuery] == nil {
		return nil, errors.New("the parameter query is missing")
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
			return nil, http.StatusRequestEntityTooLarge, errors.New("the body is larger than " + strconv.FormatInt(t.bodyBytes, 10) + " bytes (max_body_bytes)")
		}
		return nil, http.StatusBadRequest, errors.New("the body could not be read to its end")
	}
	params := &graphql.RawParams{}
	if err := decode(bytes.NewReader(body), params); err != nil {
		return nil, http.StatusBadRequest, errors.New(`the body is not of the form {"query": "...", "variables": {}, "operationName": "..."}`)
	}
	if params.Query == "" && params.Extensions[persistedQuery] == nil {
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
