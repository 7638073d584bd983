package query_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func eachReader(t *testing.T, fn func(t *testing.T, db *store.DB, r *query.Reader)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, db, query.New(db.Ent(), rules())) })
}

// plan writes what a dry run of that id planned: so many changes.
func plan(t *testing.T, db *store.DB, id codex.RunID, changes int) {
	t.Helper()
	client := db.Ent()
	client.SyncRun.Create().SetID(id).SetFeed(codex.FeedDatto).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerCLI).
		SetRequestedBy("ann").SetDryRun(true).SetForced(false).SetState(codex.RunSucceeded).SetQueuedAt(querytest.At(20)).ExecX(t.Context())
	for i := range changes {
		keep(t, db, id, i+1, "[]")
	}
}

// keep writes one change of a plan.
func keep(t *testing.T, db *store.DB, run codex.RunID, ordinal int, fields string) {
	t.Helper()
	db.Ent().SyncChange.Create().SetRunID(run).SetOrdinal(ordinal).SetEntity("assets").SetKind("removed").
		SetRecordID(fmt.Sprint(ordinal)).SetLabel("").SetFields(fields).ExecX(t.Context())
}

func recordsOf(page *query.PageOf[*query.RunChange]) []string {
	var ids []string
	for _, c := range page.Rows {
		ids = append(ids, c.Entity+" "+string(c.Kind)+" "+c.RecordID)
	}
	return ids
}

func TestThePagesOfAPlanMakeItWholeInItsOrder(t *testing.T) {
	eachReader(t, func(t *testing.T, db *store.DB, r *query.Reader) {
		plan(t, db, "p", 12)
		for _, size := range []int{1, 5, 6, 12, 1000} {
			var all []string
			asked := query.Page{First: size}
			for {
				pages, err := r.RunChanges(t.Context(), []codex.RunID{"p"}, asked)
				if err != nil {
					t.Fatal(err)
				}
				page := pages["p"]
				all = append(all, recordsOf(page)...)
				if page.Before != (asked.After != "") {
					t.Errorf("pages of %d: before %q there is %t", size, asked.After, page.Before)
				}
				if !page.More {
					break
				}
				asked.After = page.Cursors[len(page.Cursors)-1]
			}
			var want []string
			for i := range 12 {
				want = append(want, fmt.Sprintf("assets removed %d", i+1))
			}
			if !slices.Equal(all, want) {
				t.Errorf("pages of %d: %v", size, all)
			}
		}
	})
}

func TestARunThatWroteIsToldByTheHistoryAndADryOneByItsPlan(t *testing.T) {
	eachReader(t, func(t *testing.T, db *store.DB, r *query.Reader) {
		querytest.World(t, db)
		ids := []codex.RunID{"r2", "r4", "r5", "none"}
		pages, err := r.RunChanges(t.Context(), ids, query.Page{First: 50})
		if err != nil {
			t.Fatal(err)
		}
		got := map[codex.RunID][]string{}
		for id, page := range pages {
			got[id] = recordsOf(page)
		}
		want := map[codex.RunID][]string{
			"r2": {"assets changed 1", "assets removed 3"},
			"r4": {"sites created site-3", "assets changed 1", "assets removed 2", "assets returned 3", "asset_links held 1/1"},
			"r5": nil,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v", got)
		}
		totals, err := r.CountRunChanges(t.Context(), ids)
		if want := map[codex.RunID]int{"r2": 2, "r4": 5, "r5": 0}; err != nil || !reflect.DeepEqual(totals, want) {
			t.Errorf("counted %v, %v", totals, err)
		}
		held, err := r.HeldByRun(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		gone := map[codex.RunID]int{}
		for id, changes := range held {
			gone[id] = len(changes)
		}
		if want := map[codex.RunID]int{"r2": 2, "r4": 1}; !reflect.DeepEqual(gone, want) {
			t.Errorf("held %v", gone)
		}
	})
}

func TestAValueOfAPlanIsATextLikeThoseOfTheHistory(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	r := query.New(db.Ent(), query.Rules{})
	plan(t, db, "p", 0)
	rewrite := func(fields string) {
		db.Ent().SyncChange.Delete().ExecX(t.Context())
		keep(t, db, "p", 1, fields)
	}
	for stored, want := range map[string]*string{
		`"a \"b\" \u00e9"`: new(`a "b" é`), `""`: new(""), `null`: nil, `true`: new("true"), `false`: new("false"),
		`9007199254740993`: new("9007199254740993"), `-1`: new("-1"), `1.50`: new("1.50"), `["a","b"]`: new(`["a","b"]`),
	} {
		rewrite(`[{"field":"f","old":` + stored + `,"new":null}]`)
		pages, err := r.RunChanges(t.Context(), []codex.RunID{"p"}, query.Page{First: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := pages["p"].Rows[0].Fields[0]; !reflect.DeepEqual(got, &query.FieldChange{Column: "f", Old: want}) {
			t.Errorf("%s is %v", stored, got.Old)
		}
	}
	for _, broken := range []string{"", "{}", "[1]", `[] []`} {
		rewrite(broken)
		if _, err := r.RunChanges(t.Context(), []codex.RunID{"p"}, query.Page{First: 1}); err == nil {
			t.Errorf("%q was understood", broken)
		}
	}
}

func TestAPageOfChangesThatCannotBeIsRefused(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	r := query.New(db.Ent(), query.Rules{})
	written, err := r.RunChanges(t.Context(), []codex.RunID{"r2"}, query.Page{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, asked := range map[string]query.Page{
		"no rows": {}, "too many": {First: 1001}, "no cursor": {First: 1, After: "x"},
		"the cursor of a run that wrote": {First: 1, After: written["r2"].Cursors[0]},
	} {
		if _, err := r.RunChanges(t.Context(), []codex.RunID{"r4"}, asked); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// However many runs are asked about.
func TestPlansOfManyRunsAreReadByOneStatement(t *testing.T) {
	statements := 0
	db := storetest.Open(t, "sqlite3", storetest.OnStatement(func(string) { statements++ }))
	var ids []codex.RunID
	for i := range 10 {
		ids = append(ids, codex.RunID(fmt.Sprintf("p%d", i)))
		plan(t, db, ids[i], 3)
	}
	r := query.New(db.Ent(), query.Rules{})
	for _, n := range []int{1, 10} {
		statements = 0
		pages, err := r.RunChanges(t.Context(), ids[:n], query.Page{First: 2})
		if err != nil {
			t.Fatal(err)
		}
		if statements != 2 || len(pages) != n { // the other one tells which runs were dry
			t.Errorf("%d runs: %d statements, %d pages", n, statements, len(pages))
		}
		for id, page := range pages {
			if len(page.Rows) != 2 || !page.More {
				t.Errorf("%s: %v, more: %t", id, recordsOf(page), page.More)
			}
		}
	}
}

// However many runs are asked about, and each of them gets what it would get alone.
func TestWhatManyRunsWroteIsReadByAsManyStatementsAsWhatTwoDid(t *testing.T) {
	statements := 0
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := query.New(db.Ent(), rules())
		querytest.World(t, db)
		for i, id := range []codex.RunID{"beside-1", "beside-2"} { // they wrote nothing
			db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedDatto).SetMode(codex.ModeFull).SetTrigger(codex.TriggerCLI).
				SetRequestedBy("ann").SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).SetQueuedAt(querytest.At(21 + i)).
				SetStartedAt(querytest.At(21 + i)).SetEndedAt(querytest.At(21 + i)).ExecX(t.Context())
		}
		all, err := r.Runs(t.Context(), query.Page{First: 100}, query.RunFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var datto, ids []codex.RunID
		for _, run := range all.Rows {
			if !run.DryRun {
				ids = append(ids, run.ID)
				if run.Feed == codex.FeedDatto && run.StartedAt != nil {
					datto = append(datto, run.ID)
				}
			}
		}
		count := func(ids ...codex.RunID) int {
			statements = 0
			if _, err := r.RunChanges(t.Context(), ids, query.Page{First: 3}); err != nil {
				t.Fatal(err)
			}
			if _, err := r.CountRunChanges(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
			return statements
		}
		if one, many := count(datto[0]), count(datto...); one != many || len(datto) < 3 {
			t.Errorf("one run: %d statements, %d runs: %d", one, len(datto), many)
		}
		for _, size := range []int{1, 2, 50} {
			pages, err := r.RunChanges(t.Context(), ids, query.Page{First: size})
			if err != nil {
				t.Fatal(err)
			}
			totals, err := r.CountRunChanges(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				alone, err := r.Changes(t.Context(), query.Page{First: size}, query.ChangeFilter{Run: id})
				if err != nil {
					t.Fatal(err)
				}
				if page := pages[id]; !slices.Equal(page.Cursors, alone.Cursors) || page.More != alone.More {
					t.Errorf("%s, pages of %d: %v, more: %t; alone %d, more: %t", id, size, recordsOf(page), page.More, len(alone.Rows), alone.More)
				}
				if n, err := r.CountChanges(t.Context(), query.ChangeFilter{Run: id}); err != nil || n != totals[id] {
					t.Errorf("%s: %d changes, alone %d, %v", id, totals[id], n, err)
				}
			}
		}
	}, storetest.OnStatement(func(string) { statements++ }))
}
