package openapitest

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hivematrix/codex/rest"
)

// address is what the document's own references begin at.
const address = "https://codex.example/openapi.json"

// Description is the document, with what was seen of it. It is safe for concurrent use.
type Description struct {
	document map[string]any
	compiler *jsonschema.Compiler

	mu   sync.Mutex
	seen map[string]bool // GET /api/companies 200
}

// Load reads the document as callers at / get it.
func Load(t testing.TB) *Description {
	t.Helper()
	text, err := rest.OpenAPI("")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	d := &Description{document: parsed.(map[string]any), compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(address, parsed); err != nil {
		t.Fatal(err)
	}
	return d
}

// Document is the document itself.
func (d *Description) Document() map[string]any { return d.document }

// Operations are all operations, as "GET /api/companies", with the roles that they state.
func (d *Description) Operations() map[string][]string {
	operations := map[string][]string{}
	for path, item := range object(d.document["paths"]) {
		for method, operation := range object(item) {
			roles := []string{}
			for _, role := range object(operation)["x-roles"].([]any) {
				roles = append(roles, role.(string))
			}
			operations[strings.ToUpper(method)+" "+path] = roles
		}
	}
	return operations
}

// Check holds an answer to a request of path, with its query string, against the description.
func (d *Description) Check(t testing.TB, method, path string, status int, header http.Header, body string) {
	t.Helper()
	if err := d.check(method, path, status, header, body); err != nil {
		t.Errorf("%s %s: %d %s\nis not what is described: %v", method, path, status, body, err)
	}
}

func (d *Description) check(method, path string, status int, header http.Header, body string) error {
	template, found := d.template(path)
	if !found {
		return fmt.Errorf("no path is described that fits")
	}
	operation, found := object(object(d.document["paths"])[template])[strings.ToLower(method)]
	if !found {
		return fmt.Errorf("the method is not described")
	}
	pointer := []string{"paths", template, strings.ToLower(method), "responses", strconv.Itoa(status)}
	described, found := object(object(operation)["responses"])[strconv.Itoa(status)]
	if !found {
		if described, found = object(object(operation)["responses"])["default"]; !found {
			return fmt.Errorf("the status is not described")
		}
		pointer[4] = "default"
	}
	d.mu.Lock()
	d.seen[method+" "+template+" "+pointer[4]] = true
	d.mu.Unlock()
	response, pointer := d.resolve(object(described), pointer)
	if err := d.checkHeaders(response, pointer, header); err != nil {
		return err
	}
	content := object(response["content"])
	if len(content) == 0 {
		if body != "" || header.Get("Content-Type") != "" {
			return fmt.Errorf("it has no body by its description")
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if _, found := content[kind]; err != nil || !found {
		return fmt.Errorf("the type %q is not described", header.Get("Content-Type"))
	}
	if kind == "text/event-stream" {
		return nil
	}
	if strings.HasPrefix(kind, "text/") {
		return d.validate(append(pointer, "content", kind, "schema"), body)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	return d.validate(append(pointer, "content", kind, "schema"), value)
}

// Accepts holds the JSON body of a request that is good against the description of its operation.
func (d *Description) Accepts(t testing.TB, method, path, body string) {
	t.Helper()
	template, found := d.template(path)
	if !found {
		t.Fatalf("no path is described that fits %s", path)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = d.validate([]string{"paths", template, strings.ToLower(method), "requestBody", "content", "application/json", "schema"}, value)
	}
	if err != nil {
		t.Errorf("%s %s takes a body that is not what is described: %v", method, path, err)
	}
}

// checkHeaders looks for the headers that are promised.
func (d *Description) checkHeaders(response map[string]any, pointer []string, header http.Header) error {
	for name, described := range object(response["headers"]) {
		promise, pointer := d.resolve(object(described), append(slices.Clone(pointer), "headers", name))
		if header.Values(name) == nil {
			if promise["required"] == true {
				return fmt.Errorf("the header %s is missing", name)
			}
			continue
		}
		if err := d.validate(append(pointer, "schema"), header.Get(name)); err != nil {
			return fmt.Errorf("the header %s: %w", name, err)
		}
	}
	return nil
}

// resolve follows a reference, and gives where it leads.
func (d *Description) resolve(value map[string]any, pointer []string) (map[string]any, []string) {
	reference, is := value["$ref"].(string)
	if !is {
		return value, pointer
	}
	pointer = strings.Split(strings.TrimPrefix(reference, "#/"), "/")
	value = d.document
	for _, key := range pointer {
		value = object(value[key])
	}
	return value, pointer
}

// validate holds value against the schema at pointer.
func (d *Description) validate(pointer []string, value any) error {
	schema, err := d.Schema(pointer...)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// Schema is the schema at a place of the document.
func (d *Description) Schema(pointer ...string) (*jsonschema.Schema, error) {
	var fragment strings.Builder
	for _, key := range pointer {
		fragment.WriteString("/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.compiler.Compile(address + "#" + fragment.String())
}

// template is the described path that fits a request's; one with fewer names comes first.
func (d *Description) template(path string) (string, bool) {
	path, _, _ = strings.Cut(path, "?")
	templates := slices.SortedFunc(maps.Keys(object(d.document["paths"])), func(a, b string) int {
		return strings.Count(a, "{") - strings.Count(b, "{")
	})
	segments := strings.Split(path, "/")
	for _, template := range templates {
		fits := func(want, got string) bool {
			decoded, err := url.PathUnescape(got)
			return err == nil && (strings.HasPrefix(want, "{") && decoded != "" || want == decoded)
		}
		if slices.EqualFunc(strings.Split(template, "/"), segments, fits) {
			return template, true
		}
	}
	return "", false
}

// Unseen are the answers of the operations that of selects, described and never checked, as
// "GET /api/companies 503".
func (d *Description) Unseen(of func(operation string) bool) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var unseen []string
	for operation := range d.Operations() {
		method, path, _ := strings.Cut(operation, " ")
		responses := object(object(object(d.document["paths"])[path])[strings.ToLower(method)])["responses"]
		for status := range object(responses) {
			if answer := operation + " " + status; of(operation) && !d.seen[answer] {
				unseen = append(unseen, answer)
			}
		}
	}
	slices.Sort(unseen)
	return unseen
}

// object is value as a JSON object; nothing where it is none.
func object(value any) map[string]any {
	members, _ := value.(map[string]any)
	return members
}

// Decode is a JSON document as the validator takes it.
func Decode(text string) (any, error) {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	return value, nil
}
