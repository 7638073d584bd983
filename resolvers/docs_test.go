package resolvers_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
)

// An example of a guide is a block of graphql. Where a block of json follows, that is the answer;
// elsewhere any answer without errors will do, and of a subscription any first result.
func TestTheExamplesOfTheGuidesRun(t *testing.T) {
	examples := regexp.MustCompile("(?s)```graphql\n(.*?)```(?:\n\n```json\n(.*?)```)?")
	eachWorld(t, func(t *testing.T, g *graph) {
		for file, atLeast := range map[string]int{
			"../docs/sync.md": 14, "../docs/graphql.md": 19, "../docs/snapshots.md": 4, "../docs/billing-review.md": 2, "../docs/reconciliation.md": 2, "../docs/plans.md": 1, "../docs/notifications.md": 1,
		} {
			guide, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := examples.FindAllSubmatch(guide, -1)
			if len(found) < atLeast {
				t.Errorf("%s has %d examples, %d were expected", file, len(found), atLeast)
			}
			for _, example := range found {
				var got string
				if bytes.HasPrefix(example[1], []byte("subscription")) {
					got = first(t, g.serve(), "admin", string(example[1]))
				} else {
					got = g.ask(as(codex.RoleAdmin), string(example[1]), nil)
				}
				if len(example[2]) == 0 {
					if codes(t, got) != "ok" {
						t.Errorf("%s: %s\ngave %s", file, example[1], got)
					}
					continue
				}
				var want bytes.Buffer
				if err := json.Compact(&want, example[2]); err != nil {
					t.Fatal(err)
				}
				if got != want.String()+"\n" {
					t.Errorf("%s: %s\ngave %s\nwant %s", file, example[1], got, want.String())
				}
			}
		}
	})
}

// What the guide has curl send is a request that is answered by a stream.
func TestTheStreamOfTheGuideIsOne(t *testing.T) {
	guide, err := os.ReadFile("../docs/sync.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile("(?s)curl -N http://127.0.0.1:5001(\\S+) (.*?)```").FindSubmatch(guide)
	if command == nil {
		t.Fatal("the guide has no curl of a stream")
	}
	server := onWorld(t).serve()
	body := regexp.MustCompile("-d '(.*)'").FindSubmatch(command[2])
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+string(command[1]), bytes.NewReader(body[1]))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range regexp.MustCompile("-H '([^:]+): ([^']+)'").FindAllSubmatch(command[2], -1) {
		request.Header.Set(string(header[1]), string(header[2]))
	}
	request.Header.Set(roleOfTest, "service")
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := &eventsOf{response, bufio.NewReader(response.Body)}
	want := event{"next", `{"data":{"syncProgress":{"id":"r5","feed":"TICKETS","state":"QUEUED","phase":""}}}`}
	if got := events.must(t); got != want {
		t.Errorf("got %v", got)
	}
}

// The guide's table has all codes that there are, each once, and no other.
func TestTheGuideTellsOfEveryCode(t *testing.T) {
	code := regexp.MustCompile(`(?:Code\w*|code\w*)\s+(?:codex\.)?Code = "([A-Z_]+)"`)
	want := []string{"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"} // gqlgen's own
	for _, folder := range []string{"..", "."} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range code.FindAllSubmatch(text, -1) {
				want = append(want, string(found[1]))
			}
		}
	}
	guide, err := os.ReadFile("../docs/graphql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "\n## Errors\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		got = append(got, row[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) < 13 {
		t.Errorf("the guide tells of %v,\nthere are %v", got, want)
	}
}

// The guide's table of limits has their defaults.
func TestTheGuideTellsOfEveryLimitAsTheConfigurationHasIt(t *testing.T) {
	rows := func(file, heading, pattern string) [][]string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, part, _ := strings.Cut(string(text), "\n## "+heading+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		var found [][]string
		for _, row := range regexp.MustCompile(pattern).FindAllStringSubmatch(part, -1) {
			found = append(found, row[1:])
		}
		return found
	}
	guide := rows("../docs/graphql.md", "Limits", "(?m)^\\| `([a-z_]+)` \\| (\\w+) \\|")
	reference := rows("../docs/configuration.md", "[graphql]", "(?m)^\\| `([a-z_]+)` \\| `(\\w+)` \\|")
	if !reflect.DeepEqual(guide, reference) || len(guide) != 12 {
		t.Errorf("the guide has %v,\nthe reference %v", guide, reference)
	}
}
