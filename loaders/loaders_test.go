package loaders

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// at is ctx at a place of a query.
func at(ctx context.Context, place string) context.Context {
	for name := range strings.SplitSeq(place, ".") {
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{
			Field: graphql.CollectedField{Field: &ast.Field{Alias: name, Name: name}},
		})
		index := 3 // positions in lists are no part of a place
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &index})
	}
	return ctx
}

// counted is an edge from companies to the length of their account numbers, and counts its batches.
type counted struct {
	mu      sync.Mutex
	batches [][]codex.AccountNumber
	err     error
}

func (c *counted) edge() edge[*ent.Company, codex.AccountNumber, int] {
	return edge[*ent.Company, codex.AccountNumber, int]{
		key: accountNumber,
		fetch: func(_ context.Context, _ *query.Reader, keys []codex.AccountNumber, _ []string) (map[codex.AccountNumber]int, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.batches = append(c.batches, keys)
			found := map[codex.AccountNumber]int{}
			for _, key := range keys {
				if key != "nothing" {
					found[key] = len(key)
				}
			}
			return found, c.err
		},
	}
}

func TestTheFirstBatchAsksForAllWhoAreGoingToAskHoweverLateTheyCome(t *testing.T) {
	ctx := With(t.Context(), New(nil))
	rows := []*ent.Company{{ID: "a"}, {ID: "bb"}, {ID: "nothing"}, {ID: "a"}}
	if err := Announce(at(ctx, "companies"), rows...); err != nil {
		t.Fatal(err)
	}
	var c counted
	for _, row := range rows { // one after the other: each is a batch of its own for dataloadgen
		got, err := load(at(ctx, "companies.nodes.length"), c.edge(), row)
		if want := len(row.ID) % len("nothing"); got != want || err != nil {
			t.Errorf("%s: %d, %v", row.ID, got, err)
		}
	}
	if len(c.batches) != 1 || len(c.batches[0]) != 3 {
		t.Errorf("batches: %v, want one of a, bb and nothing", c.batches)
	}
}

func TestPlacesDoNotMix(t *testing.T) {
	ctx := With(t.Context(), New(nil))
	if err := errors.Join(
		Announce(at(ctx, "x"), &ent.Company{ID: "a"}, &ent.Company{ID: "bb"}),
		Announce(at(ctx, "y"), &ent.Company{ID: "ccc"}),
	); err != nil {
		t.Fatal(err)
	}
	var c counted
	if got, err := load(at(ctx, "y.length"), c.edge(), &ent.Company{ID: "ccc"}); got != 3 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	if len(c.batches) != 1 || len(c.batches[0]) != 1 {
		t.Errorf("the rows of another place were asked for too: %v", c.batches)
	}
}

func TestARowThatNobodyAnnouncedIsLoadedAllTheSame(t *testing.T) {
	ctx := With(t.Context(), New(nil))
	var c counted
	if got, err := load(at(ctx, "z.length"), c.edge(), &ent.Company{ID: "a"}); got != 1 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestABatchThatFailsGivesItsErrorToEachAndIsNotTakenForAnAnswer(t *testing.T) {
	ctx := With(t.Context(), New(nil))
	c := counted{err: errors.New("no database")}
	if err := Announce(at(ctx, "z"), &ent.Company{ID: "a"}, &ent.Company{ID: "bb"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, id := range []codex.AccountNumber{"a", "bb"} {
		wg.Go(func() {
			if _, err := load(at(ctx, "z.length"), c.edge(), &ent.Company{ID: id}); !errors.Is(err, c.err) {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	wg.Wait()
	if _, err := load(at(ctx, "z.length"), c.edge(), &ent.Company{ID: "later"}); !errors.Is(err, c.err) || len(c.batches) != 1 {
		t.Errorf("%v, after %d batches", err, len(c.batches))
	}
	if _, err := load(t.Context(), c.edge(), &ent.Company{ID: "a"}); err == nil {
		t.Error("a request without loaders loads")
	}
}

// A field whose columns are unknown has all columns of its object read: right, but slow.
func TestTheColumnsOfEachFieldAreKnown(t *testing.T) {
	schema := theSchema(t)
	objects := 0
	for name, def := range schema.Types {
		if _, ok := tableOf(name); !ok {
			continue
		}
		objects++
		for _, field := range def.Fields {
			columns, ok := fieldColumns(name, field.Name)
			if !ok {
				t.Errorf("nothing is known of the columns of %s.%s", name, field.Name)
			}
			table, _ := tableOf(name)
			for _, column := range columns {
				if !table.has(column) {
					t.Errorf("%s.%s: there is no column %s", name, field.Name, column)
				}
			}
		}
	}
	if objects != 15 {
		t.Errorf("%d objects have a table, 15 were expected: SyncIssue, Token and what the history tells are read whole", objects)
	}
}

// A field of a record that the history keeps must be there in the past too, and has a name by which
// changes tell of it.
func TestWhatTheHistoryKeepsIsAFieldOfThePast(t *testing.T) {
	schema := theSchema(t)
	for object, e := range map[string]query.Entity{
		"PastCompany": query.EntityCompany, "PastContact": query.EntityContact, "PastAsset": query.EntityAsset,
		"PastLocation": query.EntityLocation, "PastTicket": query.EntityTicket,
	} {
		kept := query.KeptColumns(e)
		if len(kept) < 3 {
			t.Errorf("%s: the history keeps %v", e, kept)
		}
		for _, column := range kept {
			name := FieldOf(column)
			if ColumnOf(name) != column {
				t.Errorf("%s is %s, and that is %s", column, name, ColumnOf(name))
			}
			if name == "accountNumber" { // it is the edge company
				name = "company"
			}
			if column != "closed" && schema.Types[object].Fields.ForName(name) == nil { // tickets are served while closed
				t.Errorf("%s has no field %s", object, name)
			}
		}
	}
}

func theSchema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../graph/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
