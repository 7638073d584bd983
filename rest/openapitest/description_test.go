package openapitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hivematrix/codex/rest/openapitest"
)

func TestTheDescriptionIsAnOpenAPI31Document(t *testing.T) {
	metaschema, err := openapitest.Decode(datamodel.OpenAPI31SchemaData)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	const address = "https://spec.openapis.org/oas/3.1/schema/2022-10-07"
	if err := compiler.AddResource(address, metaschema); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	document := openapitest.Load(t).Document()
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
	delete(document, "info")
	if err := schema.Validate(document); err == nil {
		t.Error("a document without its info passes too")
	}
}

// each calls fn with every object of a document and where it stands.
func each(value any, at string, fn func(at string, object map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		fn(at, value)
		for key, member := range value {
			each(member, at+"/"+key, fn)
		}
	case []any:
		for _, element := range value {
			each(element, at, fn)
		}
	}
}

// A key that an answer has more, or no longer has, fails the tests only where objects are closed.
func TestEveryObjectOfOursIsClosedAndHasAllItsKeys(t *testing.T) {
	d := openapitest.Load(t)
	optional := map[string][]string{
		"Company":        {"compliance_level", "contract_end_date", "contract_start_date", "contract_term_length", "support_level"},
		"CompanyWithAll": {"tickets"}, "Job": {"current_tickets"},
		"SnapshotExists": {"differing_fields"},
		"Question":       {"extensions", "operationName", "query", "variables"}, "GraphQLAnswer": {"data", "errors", "extensions"},
	}
	schemas := d.Document()["components"].(map[string]any)["schemas"].(map[string]any)
	for name, value := range schemas {
		schema := value.(map[string]any)
		if _, err := d.Schema("components", "schemas", name); err != nil {
			t.Errorf("%s is no schema: %v", name, err)
		}
		// What is sent may have more, and the features of a plan are keys of it in the older form.
		open := []string{"Submission", "BulkRequest", "ScheduleChange", "OlderPlan"}
		if schema["type"] != "object" || slices.Contains(open, name) {
			continue
		}
		var left []string
		for key := range schema["properties"].(map[string]any) {
			if !slices.Contains(schema["required"].([]any), any(key)) {
				left = append(left, key)
			}
		}
		slices.Sort(left)
		if schema["additionalProperties"] != false || !slices.Equal(left, optional[name]) {
			t.Errorf("%s is open, or leaves out %v", name, left)
		}
	}
}

func TestEveryReferenceLeadsSomewhereAndEveryComponentIsUsed(t *testing.T) {
	document := openapitest.Load(t).Document()
	used := map[string]bool{}
	each(document, "#", func(at string, object map[string]any) {
		if reference, is := object["$ref"].(string); is {
			used[reference] = true
		}
	})
	there := map[string]bool{}
	for kind, components := range document["components"].(map[string]any) {
		for name := range components.(map[string]any) {
			if kind != "securitySchemes" {
				there["#/components/"+kind+"/"+name] = true
			}
		}
	}
	for reference := range used {
		if !there[reference] {
			t.Errorf("%s leads nowhere", reference)
		}
	}
	for component := range there {
		if !used[component] {
			t.Errorf("nothing uses %s", component)
		}
	}
}

func TestEveryNameInAPathIsAParameterAndEveryOperationHasAnID(t *testing.T) {
	d := openapitest.Load(t)
	document := d.Document()
	parameters := document["components"].(map[string]any)["parameters"].(map[string]any)
	ids := map[string]bool{}
	for path, item := range document["paths"].(map[string]any) {
		for method, value := range item.(map[string]any) {
			operation := value.(map[string]any)
			id, _ := operation["operationId"].(string)
			if id == "" || ids[id] {
				t.Errorf("%s %s has the operationId %q", method, path, id)
			}
			ids[id] = true
			var names []string
			list, _ := operation["parameters"].([]any)
			for _, parameter := range list {
				parameter := parameter.(map[string]any)
				if reference, is := parameter["$ref"].(string); is {
					parameter = parameters[strings.TrimPrefix(reference, "#/components/parameters/")].(map[string]any)
				}
				if parameter["in"] == "path" {
					names = append(names, "{"+parameter["name"].(string)+"}")
				}
			}
			var wanted []string
			for segment := range strings.SplitSeq(path, "/") {
				if strings.HasPrefix(segment, "{") {
					wanted = append(wanted, segment)
				}
			}
			if !slices.Equal(names, wanted) {
				t.Errorf("%s %s has the parameters %v", method, path, names)
			}
		}
	}
}

// verdict is a test that takes note of failures instead of failing.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Errorf(string, ...any) { v.failed = true }

func TestWhatIsNotDescribedIsFound(t *testing.T) {
	d := openapitest.Load(t)
	data := http.Header{"Content-Type": {"application/json"}, "Etag": {`"x"`}, "Cache-Control": {"private, no-cache"}}
	const location = `{"id":1,"name":"n","address":null,"phone_number":null}`
	for _, tc := range []struct {
		name, method, path string
		status             int
		header             http.Header
		body               string
		fails              bool
	}{
		{"what is described", "GET", "/api/companies/10%2F2/locations?x=1", 200, data, "[" + location + "]", false},
		{"an empty list", "GET", "/api/companies/1/locations", 200, data, "[]", false},
		{"a key more", "GET", "/api/companies/1/locations", 200, data, `[{"id":1,"name":"n","address":null,"phone_number":null,"x":1}]`, true},
		{"a key less", "GET", "/api/companies/1/locations", 200, data, `[{"id":1,"name":"n","address":null}]`, true},
		{"another type", "GET", "/api/companies/1/locations", 200, data, `[{"id":"1","name":"n","address":null,"phone_number":null}]`, true},
		{"no list", "GET", "/api/companies/1/locations", 200, data, location, true},
		{"no JSON", "GET", "/api/companies/1/locations", 200, data, `[`, true},
		{"another status", "GET", "/api/companies/1/locations", 418, data, `{"error":"x"}`, true},
		{"another path", "GET", "/api/companies/1/devices", 200, data, "[]", true},
		{"another method", "PUT", "/api/companies/1/locations", 200, data, "[]", true},
		{"another media type", "GET", "/api/companies/1/locations", 200, http.Header{"Content-Type": {"text/html"}, "Etag": {`"x"`}, "Cache-Control": {"private, no-cache"}}, "[]", true},
		{"no tag", "GET", "/api/companies/1/locations", 200, http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"private, no-cache"}}, "[]", true},
		{"a body of 304", "GET", "/api/companies/1/locations", 304, http.Header{"Etag": {`"x"`}, "Cache-Control": {"private, no-cache"}}, "[]", true},
		{"a time with a fraction", "GET", "/sync/last/datto", 200, http.Header{"Content-Type": {"application/json"}},
			`{"id":"00000000-0000-4000-8000-000000000001","script":"datto","status":"completed","started_at":"2025-10-01T02:00:00.5","completed_at":null,"output":"","error":null,"success":true}`, true},
	} {
		v := &verdict{TB: t}
		d.Check(v, tc.method, tc.path, tc.status, tc.header, tc.body)
		if v.failed != tc.fails {
			t.Errorf("%s: fails is %v", tc.name, v.failed)
		}
	}
	of := func(operation string) bool { return operation == "GET /api/companies/{account_number}/locations" }
	want := []string{}
	for _, status := range []string{"401", "403", "404", "500", "503"} {
		want = append(want, "GET /api/companies/{account_number}/locations "+status)
	}
	if got := d.Unseen(of); !slices.Equal(got, want) {
		t.Errorf("unseen: %v", got)
	}
}
