package query_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// endings are machines that were removed while the run r2 was at work: by that run, by a person, by
// another run beside it, and before it was kept who did it. The last one was removed while none was.
func endings(t *testing.T, db *store.DB) {
	t.Helper()
	querytest.World(t, db)
	version := func(id int, to time.Time) *ent.AssetVersionCreate {
		return db.Ent().AssetVersion.Create().SetAssetID(id).SetCompanyAccountNumber("900").SetHostname("x").
			SetSeenFrom(querytest.At(1)).SetRunID("r0").SetSeenTo(to)
	}
	at := querytest.AtWork()
	for _, create := range []*ent.AssetVersionCreate{
		version(101, at).SetEndedRunID("r2"), version(102, at).SetEndedBy("ann"), version(103, at).SetEndedRunID("r1"), version(104, at),
		version(105, querytest.At(25)),
	} {
		if err := create.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func eachEnding(t *testing.T, test func(t *testing.T, r *query.Reader)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		endings(t, db)
		test(t, query.New(db.Ent(), rules()))
	})
}

// originOf is who or what a reference names: a person, or the run that it leads to.
func originOf(t *testing.T, r *query.Reader, run query.RunRef, by *string) string {
	t.Helper()
	if by != nil {
		return fmt.Sprintf("%s%s", *by, run) // a person alone
	}
	runs, err := r.RunsByRef(t.Context(), []query.RunRef{run})
	if err != nil {
		t.Fatal(err)
	}
	if found := runs[run]; found != nil {
		return "run " + string(found.ID)
	}
	return "nobody"
}

func TestARemovalIsOfWhatEndedTheVersion(t *testing.T) {
	want := map[string]string{"101": "run r2", "102": "ann", "103": "run r1", "104": "run r2", "105": "nobody"}
	eachEnding(t, func(t *testing.T, r *query.Reader) {
		page, err := r.Changes(t.Context(), query.Page{First: 1000}, query.ChangeFilter{Entity: query.EntityAsset, Company: "900"})
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, c := range page.Rows {
			if _, asked := want[c.RecordID]; asked && c.Kind == query.ChangeRemoved {
				got[c.RecordID] = originOf(t, r, c.Run, c.ChangedBy)
			}
		}
		for id, origin := range want {
			if got[id] != origin {
				t.Errorf("machine %s was removed by %s, want %s", id, got[id], origin)
			}
		}
	})
}

func TestTheChangesOfARunAreThoseThatItMade(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *query.Reader) {
		for run, want := range map[codex.RunID][]string{
			"r2": {"101", "104", "3"}, // 3 ended before it was kept by what
			"r1": nil,                 // it does not tell when it began
		} {
			filter := query.ChangeFilter{Entity: query.EntityAsset, Run: run}
			page, err := r.Changes(t.Context(), query.Page{First: 1000}, filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range page.Rows {
				if c.Kind == query.ChangeRemoved {
					got = append(got, c.RecordID)
				}
			}
			slices.Sort(got)
			if n, err := r.CountChanges(t.Context(), filter); err != nil || n != len(page.Rows) {
				t.Errorf("%d changes were counted, %d listed: %v", n, len(page.Rows), err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s removed %v, want %v", run, got, want)
			}
		}
	})
}

func TestARecordsVersionsSayWhatEndedThem(t *testing.T) {
	eachEnding(t, func(t *testing.T, r *query.Reader) {
		versions, err := r.VersionsOf(t.Context(), query.EntityAsset, []int{1, 2, 101, 102, 103, 104, 105}, false)
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[int]string{1: "run r2", 101: "run r2", 102: "ann", 103: "run r1", 104: "run r2", 105: "nobody"} {
			first := versions[id][0]
			if got := originOf(t, r, first.EndedRun, first.EndedBy); got != want {
				t.Errorf("the first version of %d was ended by %s, want %s", id, got, want)
			}
		}
		if now := versions[2][0]; now.To != nil || now.EndedRun != "" || now.EndedBy != nil {
			t.Errorf("a version of now has ended: %+v", now)
		}
	})
}

// The columns that say so are none of a record's own.
func TestWhatEndedAVersionIsNoFieldOfARecord(t *testing.T) {
	for _, e := range query.Entities() {
		if columns := query.KeptColumns(e); slices.Contains(columns, "ended_by") || slices.Contains(columns, "ended_run_id") || len(columns) == 0 {
			t.Errorf("%s keeps %v", e, columns)
		}
	}
}
