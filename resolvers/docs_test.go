package resolvers_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/hivematrix/codex"
)

// An example of a guide is a block of graphql. Where a block of json follows, that is the answer;
// elsewhere any answer without errors will do, and of a subscription any first result.
func TestTheExamplesOfTheGuidesRun(t *testing.T) {
	examples := regexp.MustCompile("(?s)```graphql\n(.*?)```(?:\n\n```json\n(.*?)```)?")
	eachWorld(t, func(t *testing.T, g *graph) {
		for file, atLeast := range map[string]int{"../docs/sync.md": 14, "../docs/graphql.md": 7} {
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
