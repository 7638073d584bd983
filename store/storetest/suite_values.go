package storetest

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/store"

	entsql "entgo.io/ent/dialect/sql"
)

func keysAndOrder(t *testing.T, s Subject) {
	shared := Open(t, s.Dialect)
	empty := func(t *testing.T) *store.DB {
		t.Helper()
		if _, err := shared.SQL().ExecContext(t.Context(), "DELETE FROM companies"); err != nil {
			t.Fatal(err)
		}
		return shared
	}
	runCases(t, []testCase{
		{"40,000 keys are one parameter", func(t *testing.T) {
			db := empty(t)
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				rows := make([][]any, 300)
				for i := range rows {
					rows[i] = []any{fmt.Sprint(i), "x", "standard"}
				}
				return tx.Upsert(ctx, companies(), rows)
			})
			accounts, ids := make([]codex.AccountNumber, 40_000), make([]int, 40_000)
			for i := range accounts {
				accounts[i], ids[i] = codex.AccountNumber(fmt.Sprint(i+100)), i
			}
			found, err := db.Ent().Company.Query().Where(store.KeyIn(company.FieldID, accounts)).Count(t.Context())
			if err != nil || found != 200 {
				t.Errorf("found %d, %v", found, err)
			}
			if found, err := db.Ent().Asset.Query().Where(store.KeyIn(asset.FieldID, ids)).Count(t.Context()); err != nil || found != 0 {
				t.Errorf("found %d, %v", found, err)
			}
			condition, arg := store.KeyArg(s.Dialect, "account_number", "$1", accounts)
			if n := count(t, db, "SELECT count(*) FROM companies WHERE "+condition, arg); n != 200 {
				t.Errorf("found %d by a statement of one's own", n)
			}
		}},
		{"no key finds nothing, strange ones find themselves", func(t *testing.T) {
			db := empty(t)
			odd := codex.AccountNumber(`a'"\{,}` + "\n漢")
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return tx.Upsert(ctx, companies(), [][]any{{odd, "x", ""}, {"plain", "y", ""}})
			})
			for want, keys := range map[int][]codex.AccountNumber{0: nil, 1: {odd, "a\x00", "\xff"}, 2: {odd, "plain", "plain"}} {
				if n, err := db.Ent().Company.Query().Where(store.KeyIn(company.FieldID, keys)).Count(t.Context()); err != nil || n != want {
					t.Errorf("%q: found %d, %v", keys, n, err)
				}
			}
		}},
		{"texts are ordered and compared by bytes", func(t *testing.T) {
			db := empty(t)
			names := []string{"zebra", "Zebra", "äpfel", "Apfel", "apfel", "Äpfel", "a-b", "ab", "a b", "_", "ß", "ss", "漢", "😀", "1", "10", "2", "é", "e\u0301"}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				for i, name := range names {
					if err := tx.Upsert(ctx, companies(), [][]any{{fmt.Sprint(i), name, ""}}); err != nil {
						return err
					}
				}
				return nil
			})
			sort.Strings(names)
			for way, order := range map[string]string{
				"the column": "name", "OrderText": store.OrderText(s.Dialect, "name"), "OrderText of an expression": store.OrderText(s.Dialect, "(name || '')"),
			} {
				got := column(t, db, "SELECT name FROM companies ORDER BY "+order)
				if !slices.Equal(got, names) {
					t.Errorf("by %s: %q\nwant %q", way, got, names)
				}
				after := column(t, db, "SELECT name FROM companies WHERE "+order+" > $1 ORDER BY "+order, "ab")
				if want := names[slices.Index(names, "ab")+1:]; !slices.Equal(after, want) {
					t.Errorf("after ab by %s: %q\nwant %q", way, after, want)
				}
			}
			got, err := db.Ent().Company.Query().Order(company.ByName(entsql.OrderDesc())).First(t.Context())
			if err != nil || got.Name != names[len(names)-1] {
				t.Errorf("ent's last is %v, %v", got, err)
			}
		}},
	})
}

// column is the one text column of a query.
func column(t *testing.T, db *store.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func values(t *testing.T, s Subject) {
	const columnQuery = "SELECT recorded_at FROM upstreams WHERE name = $1"
	eastern := time.FixedZone("UTC+5:30", 5*3600+1800)
	fine := time.Date(2025, 10, 31, 23, 30, 0, 123_456_789, eastern)
	want := time.Date(2025, 10, 31, 18, 0, 0, 123_456_000, time.UTC)
	runCases(t, []testCase{
		{"times of any zone come back in UTC and whole microseconds, on every way", func(t *testing.T) {
			db := Open(t, s.Dialect)
			ctx := t.Context()
			upstreams := store.Table{Name: "upstreams", Key: []string{"name"}, Columns: []store.Column{
				{Name: "name", Kind: store.Text}, {Name: "identity", Kind: store.Text}, {Name: "recorded_at", Kind: store.Time},
			}}
			if err := db.Ent().Upstream.Create().SetID("ent").SetIdentity("x").SetRecordedAt(fine).Exec(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := db.SQL().ExecContext(ctx, "INSERT INTO upstreams (name, identity, recorded_at) VALUES ('sql', 'x', $1)", fine); err != nil {
				t.Fatal(err)
			}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return tx.Insert(ctx, upstreams, [][]any{{"bulk", "x", fine}})
			})
			for _, name := range []string{"ent", "sql", "bulk"} {
				got, err := db.Ent().Upstream.Get(ctx, name)
				if err != nil || got.RecordedAt != want {
					t.Errorf("%s, read by ent: %v, %v", name, got, err)
				}
				var raw time.Time
				if err := db.SQL().QueryRowContext(ctx, columnQuery, name).Scan(&raw); err != nil || raw != want {
					t.Errorf("%s, read by SQL: %v, %v", name, raw, err)
				}
			}
			if n := count(t, db, "SELECT count(*) FROM upstreams WHERE recorded_at = $1", fine); n != 3 {
				t.Errorf("%d rows are found by their time", n)
			}
		}},
		{"times are ordered, whatever their zone and fraction", func(t *testing.T) {
			db := Open(t, s.Dialect)
			base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
			times := []time.Time{base.Add(-time.Microsecond), base, base.Add(time.Microsecond), base.Add(100 * time.Millisecond).In(eastern), base.Add(time.Second)}
			var names []string
			for i, at := range times {
				names = append(names, fmt.Sprint(i))
				if err := db.Ent().Upstream.Create().SetID(fmt.Sprint(i)).SetIdentity("x").SetRecordedAt(at).Exec(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := column(t, db, "SELECT name FROM upstreams ORDER BY recorded_at"); !slices.Equal(got, names) {
				t.Errorf("order %v", got)
			}
		}},
		{"a clock of any zone gives times as they are kept", func(t *testing.T) {
			db := Open(t, s.Dialect, Now(func() time.Time { return fine }))
			if got := db.Now(); got != want {
				t.Errorf("Now() = %v", got)
			}
		}},
		{"text that a database cannot hold is mended by ent's way too", func(t *testing.T) {
			db := Open(t, s.Dialect)
			if err := db.Ent().Company.Create().SetID("a\x00").SetName("b\xff").Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := db.Ent().Company.Query().Where(company.ID("a\x00")).Only(t.Context())
			if err != nil || got.ID != "a\uFFFD" || got.Name != "b\uFFFD" {
				t.Errorf("got %v, %v", got, err)
			}
		}},
	})
}
