package resolvers_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/hivematrix/codex"
)

// An example of a guide is a block of graphql. Where a block of json follows, that is the answer;
// elsewhere any answer without errors will do.
func TestTheExamplesOfTheGuidesRun(t *testing.T) {
	examples := regexp.MustCompile("(?s)```graphql\n(.*?)```(?:\n\n```json\n(.*?)```)?")
	eachWorld(t, func(t *testing.T, g *graph) {
		for file, atLeast := range map[string]int{"../docs/sync.md": 6} {
			guide, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := examples.FindAllSubmatch(guide, -1)
			if len(found) < atLeast {
				t.Errorf("%s has %d examples, %d were expected", file, len(found), atLeast)
			}
			for _, example := range found {
				got := g.ask(as(codex.RoleAdmin), string(example[1]), nil)
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
