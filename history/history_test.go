package history_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func at(hour int) time.Time { return time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC) }

// links are versions under a key of two columns, locations under one of one.
func links() history.Table {
	return history.Table{
		Name: "contact_company_link_history",
		Key:  []store.Column{{Name: "contact_id", Kind: store.Int}, {Name: "company_account_number", Kind: store.Text}},
		Kept: []store.Column{{Name: "source", Kind: store.Text}},
	}
}

func locations() history.Table {
	return history.Table{
		Name: "locations_history",
		Key:  []store.Column{{Name: "location_id", Kind: store.Int}},
		Kept: []store.Column{{Name: "company_account_number", Kind: store.Text}, {Name: "name", Kind: store.Text}},
	}
}

func write(t *testing.T, db *store.DB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// version is a row of a history table, as far as this test looks.
type version struct {
	from  time.Time
	to    *time.Time
	run   *string
	by    *string
	texts string
}

func versions(t *testing.T, db *store.DB, query string) []version {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []version
	for rows.Next() {
		var v version
		if err := rows.Scan(&v.from, &v.to, &v.run, &v.by, &v.texts); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// line is a version as "texts from-to run/by", hours of the day.
func (v version) line() string {
	words := []string{v.texts, v.from.UTC().Format("15") + "-"}
	if v.to != nil {
		words[1] += v.to.UTC().Format("15")
	}
	for _, origin := range []*string{v.run, v.by} {
		if origin != nil {
			words = append(words, *origin)
		}
	}
	return strings.Join(words, " ")
}

func expect(t *testing.T, db *store.DB, query string, want ...string) {
	t.Helper()
	var got []string
	for _, v := range versions(t, db, query) {
		got = append(got, v.line())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

const (
	allLocations = "SELECT seen_from, seen_to, run_id, changed_by, name FROM locations_history ORDER BY location_id, seen_from"
	allEnds      = "SELECT seen_from, seen_to, ended_run_id, ended_by, name FROM locations_history ORDER BY location_id, seen_from"
	allLinks     = "SELECT seen_from, seen_to, run_id, changed_by, company_account_number FROM contact_company_link_history ORDER BY contact_id, company_account_number, seen_from"
)

func TestAVersionIsOpenedByARunOrAPersonAndClosedByTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Open(ctx, tx, locations(), [][]any{{1, codex.AccountNumber("A"), "first"}, {2, codex.AccountNumber("A"), "other"}}, at(1), history.Origin{Run: "run-1"})
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			if err := history.Close(ctx, tx, locations(), [][]any{{1}, {3}}, at(2), history.Origin{Run: "end"}); err != nil { // nobody knows a third
				return err
			}
			return history.Open(ctx, tx, locations(), [][]any{{1, codex.AccountNumber("A"), "second"}}, at(2), history.Origin{By: "ana"})
		})
		expect(t, db, allLocations, "first 01-02 run-1", "second 02- ana", "other 01- run-1")
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Close(ctx, tx, locations(), [][]any{{1}}, at(3), history.Origin{By: "ben"})
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error { // what is closed stays as it was closed
			return history.Close(ctx, tx, locations(), [][]any{{1}}, at(4), history.Origin{Run: "end"})
		})
		expect(t, db, allLocations, "first 01-02 run-1", "second 02-03 ana", "other 01- run-1")
		expect(t, db, allEnds, "first 01-02 end", "second 02-03 ben", "other 01-")
	})
}

func TestAVersionUnderAKeyOfTwoColumnsIsClosedByBoth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Open(ctx, tx, links(), [][]any{{1, codex.AccountNumber("A"), "manual"}, {1, codex.AccountNumber("B"), "manual"}, {2, codex.AccountNumber("A"), "manual"}}, at(1), history.Origin{Run: "r"})
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Close(ctx, tx, links(), [][]any{{1, codex.AccountNumber("B")}, {2, codex.AccountNumber("B")}}, at(2), history.Origin{Run: "end"})
		})
		expect(t, db, allLinks, "A 01- r", "B 01-02 r", "A 01- r")
	})
}

func TestAChangeThatIsNotCommittedHasNoVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Open(ctx, tx, locations(), [][]any{{1, codex.AccountNumber("A"), "first"}}, at(1), history.Origin{Run: "r"})
		})
		broken := errors.New("broken")
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if err := history.Close(ctx, tx, locations(), [][]any{{1}}, at(2), history.Origin{Run: "end"}); err != nil {
				return err
			}
			if err := history.Open(ctx, tx, locations(), [][]any{{1, codex.AccountNumber("A"), "second"}}, at(2), history.Origin{Run: "s"}); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		expect(t, db, allLocations, "first 01- r")
	})
}

func TestWithoutVersionsThereIsNoStatement(t *testing.T) {
	statements := 0
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			before := statements
			if err := errors.Join(history.Open(ctx, tx, locations(), nil, at(1), history.Origin{}), history.Close(ctx, tx, links(), nil, at(1), history.Origin{Run: "end"})); err != nil {
				return err
			}
			if statements != before {
				t.Errorf("%d statements", statements-before)
			}
			return nil
		})
	}, storetest.OnStatement(func(string) { statements++ }))
}
