package resolvers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store/storetest"
)

// A query of testdata/queries is asked by the role of its first line (# role: billing), with the
// variables of a second one (# variables: {...}). Beside it lie its answer, which both databases
// give to the byte, and the statements that each is asked, in alphabetical order since edges that
// are siblings are read at the same time.
func TestQueriesGiveTheAnswersAndAskTheStatementsOfTheirGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/queries/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	for _, dialect := range storetest.Dialects() {
		var mu sync.Mutex
		var statements []string
		db := storetest.Open(t, dialect, storetest.OnStatement(func(query string) {
			mu.Lock()
			defer mu.Unlock()
			statements = append(statements, query)
		}))
		querytest.World(t, db)
		g := newGraph(t, db)
		for _, file := range files {
			name := strings.TrimSuffix(file, ".graphql")
			t.Run(dialect+"/"+filepath.Base(name), func(t *testing.T) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				role, variables := header(t, string(text))
				statements = nil
				body := g.ask(as(role), string(text), variables)
				slices.Sort(statements)
				golden(t, name+".json", indented(t, body))
				sql := map[string]string{"sqlite3": ".sqlite.sql", "postgres": ".postgres.sql"}[dialect]
				golden(t, name+sql, strings.Join(statements, ";\n")+";\n")
			})
		}
	}
}

func header(t *testing.T, text string) (role codex.Role, variables map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "# role: "); ok {
			role = codex.Role(strings.TrimSpace(name))
		}
		if given, ok := strings.CutPrefix(line, "# variables: "); ok {
			if err := json.Unmarshal([]byte(given), &variables); err != nil {
				t.Fatal(err)
			}
		}
	}
	if role == "" {
		t.Fatal("the query does not say by whom it is asked: # role: ...")
	}
	return role, variables
}

// Which of the databases wrote a golden answer must not matter: an answer that depends on it would
// be seen only by the one that ran last.
func TestBothDatabasesAreAskedTheSameQuestions(t *testing.T) {
	files, err := filepath.Glob("testdata/queries/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".graphql")
		var counts []int
		for _, sql := range []string{".sqlite.sql", ".postgres.sql"} {
			text, err := os.ReadFile(name + sql)
			if err != nil {
				t.Fatal(err)
			}
			counts = append(counts, strings.Count(string(text), ";\n"))
		}
		if counts[0] != counts[1] {
			t.Errorf("%s: %d statements on SQLite, %d on PostgreSQL", name, counts[0], counts[1])
		}
	}
}
