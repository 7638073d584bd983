package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// things is a table with a column of every kind and a key of two columns.
func things() store.Table {
	return store.Table{Name: "things", Key: []string{"owner", "number"}, Columns: []store.Column{
		{Name: "owner", Kind: store.Text}, {Name: "number", Kind: store.Int}, {Name: "label", Kind: store.Text},
		{Name: "size", Kind: store.Int}, {Name: "good", Kind: store.Bool}, {Name: "at", Kind: store.Time},
	}}
}

func makeThings(t testing.TB, db *store.DB) {
	t.Helper()
	instant := "datetime"
	if db.Dialect() == dialect.Postgres {
		instant = "timestamptz"
	}
	_, err := db.SQL().ExecContext(t.Context(), `CREATE TABLE things (owner text NOT NULL, number bigint NOT NULL,
		label text, size bigint, good boolean, at `+instant+`, PRIMARY KEY (owner, number))`)
	if err != nil {
		t.Fatal(err)
	}
}

type thingKey struct {
	owner  string
	number int64
}

type thing struct {
	label sql.Null[string]
	size  sql.Null[int64]
	good  sql.Null[bool]
	at    sql.Null[time.Time]
}

func readThings(ctx context.Context, db *store.DB) (map[thingKey]thing, error) {
	rows, err := db.SQL().QueryContext(ctx, "SELECT owner, number, label, size, good, at FROM things")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[thingKey]thing{}
	for rows.Next() {
		var k thingKey
		var v thing
		if err := rows.Scan(&k.owner, &k.number, &v.label, &v.size, &v.good, &v.at); err != nil {
			return nil, err
		}
		all[k] = v
	}
	return all, rows.Err()
}

func bulkStatements(t *testing.T, s Subject) {
	shared := Open(t, s.Dialect)
	makeThings(t, shared)
	empty := func(t *testing.T) *store.DB { // one database after another would take its time
		t.Helper()
		if _, err := shared.SQL().ExecContext(t.Context(), "DELETE FROM things"); err != nil {
			t.Fatal(err)
		}
		return shared
	}
	moment := time.Date(2025, 10, 31, 23, 59, 59, 999_999_000, time.UTC)
	runCases(t, []testCase{
		{"values of every kind, their named types, pointers and nulls go in", func(t *testing.T) {
			db := empty(t)
			label, size, good := "pointer", int64(-1), true
			var none *string
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return tx.Upsert(ctx, things(), [][]any{
					{"plain", 1, "text", int64(1) << 53, true, moment},
					{"null", 2, nil, nil, nil, nil},
					{codex.AccountNumber("named"), codex.Seconds(3), codex.DeviceUID("uid"), codex.Bytes(4), false, moment.In(time.FixedZone("", 3600))},
					{"pointer", 4, &label, &size, &good, &moment},
					{"nil pointer", 5, none, (*int64)(nil), (*bool)(nil), (*time.Time)(nil)},
					{"sql.Null", 6, sql.Null[codex.DeviceUID]{V: "uid", Valid: true}, sql.Null[int64]{}, sql.Null[bool]{V: true, Valid: true}, sql.Null[time.Time]{V: moment, Valid: true}},
					{"strange text", 7, "a\x00b\xff漢字'\"\\{},\n", 7, nil, nil},
				})
			})
			got, err := readThings(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			want := map[thingKey]thing{
				{"plain", 1}:        {some("text"), some(int64(1) << 53), some(true), some(moment)},
				{"null", 2}:         {},
				{"named", 3}:        {some("uid"), some(int64(4)), some(false), some(moment)},
				{"pointer", 4}:      {some("pointer"), some(int64(-1)), some(true), some(moment)},
				{"nil pointer", 5}:  {},
				{"sql.Null", 6}:     {some("uid"), sql.Null[int64]{}, some(true), some(moment)},
				{"strange text", 7}: {label: some("a\uFFFDb\uFFFD漢字'\"\\{},\n"), size: some(int64(7))},
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		}},
		{"what does not fit its column is refused and named", func(t *testing.T) {
			db := empty(t)
			for column, row := range map[string][]any{
				"label":  {"a", 1, 5, nil, nil, nil},
				"size":   {"a", 1, nil, "5", nil, nil},
				"good":   {"a", 1, nil, nil, 1, nil},
				"at":     {"a", 1, nil, nil, nil, "2025"},
				"number": {"a", 1.5, nil, nil, nil, nil},
				"values": {"a", 1},
			} {
				err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.Insert(ctx, things(), [][]any{row}) })
				if err == nil || !strings.Contains(err.Error(), column) {
					t.Errorf("%s: %v", column, err)
				}
			}
		}},
		{"a table that is all key is upserted without touching what is there", func(t *testing.T) {
			db := empty(t)
			keyOnly := store.Table{Name: "things", Key: things().Key, Columns: things().Columns[:2]}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.Insert(ctx, things(), [][]any{{"a", 1, "kept", nil, nil, nil}}); err != nil {
					return err
				}
				return tx.Upsert(ctx, keyOnly, [][]any{{"a", 1}, {"b", 2}})
			})
			got, err := readThings(t.Context(), db)
			if want := (map[thingKey]thing{{"a", 1}: {label: some("kept")}, {"b", 2}: {}}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, %v", got, err)
			}
		}},
		{"inserting what is there is a conflict", func(t *testing.T) {
			db := empty(t)
			row := []any{"a", 1, nil, nil, nil, nil}
			err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.Insert(ctx, things(), [][]any{row, row}) })
			if codex.CodeOf(err) != codex.CodeConflict {
				t.Errorf("err %v", err)
			}
		}},
		{"nothing to write is no statement", func(t *testing.T) {
			statements := 0
			db := Open(t, s.Dialect, OnStatement(func(string) { statements++ }))
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				statements = 0
				if err := tx.Upsert(ctx, things(), nil); err != nil {
					return err
				}
				if err := tx.DeleteByKey(ctx, things(), nil); err != nil {
					return err
				}
				return tx.UpdateByKey(ctx, "things", things().Columns[0], nil, nil, "")
			})
			if statements != 0 {
				t.Errorf("%d statements", statements)
			}
		}},
		{"20,000 rows go in, change, and out again", func(t *testing.T) { many(t, empty(t)) }},
		{"any sequence of bulk writes leaves what a map of rows would hold", func(t *testing.T) { bulkLaw(t, empty(t)) }},
	})
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

func many(t *testing.T, db *store.DB) {
	const n = 20_000
	rows, keys := make([][]any, n), make([][]any, n)
	numbers := make([]any, n)
	for i := range rows {
		rows[i] = []any{"o", i, fmt.Sprint(i), i, i%2 == 0, time.Unix(int64(i), 0)}
		keys[i] = []any{"o", i}
		numbers[i] = i
	}
	write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.Upsert(ctx, things(), rows) })
	for _, row := range rows {
		row[2] = nil
	}
	write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.Upsert(ctx, things(), rows) })
	if got := count(t, db, "SELECT count(*) FROM things WHERE label IS NULL"); got != n {
		t.Errorf("%d of %d rows changed", got, n)
	}
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		set := []store.Assignment{{Column: things().Columns[2], Value: "set"}, {Column: things().Columns[5], Value: nil}}
		return tx.UpdateByKey(ctx, "things", things().Columns[1], set, numbers, "good")
	})
	if got := count(t, db, "SELECT count(*) FROM things WHERE label = 'set' AND at IS NULL AND good"); got != n/2 {
		t.Errorf("%d of %d rows set", got, n/2)
	}
	write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteByKey(ctx, things(), keys[1:]) })
	if got := count(t, db, "SELECT count(*) FROM things"); got != 1 {
		t.Errorf("%d rows left", got)
	}
}

func bulkLaw(t *testing.T, db *store.DB) {
	key := rapid.Custom(func(t *rapid.T) thingKey {
		return thingKey{rapid.SampledFrom([]string{"", "a", "A", "ä", "b\n"}).Draw(t, "owner"), rapid.Int64Range(-2, 2).Draw(t, "number")}
	})
	value := rapid.Custom(func(t *rapid.T) thing {
		return thing{
			sql.Null[string]{V: store.CleanText(rapid.String().Draw(t, "label")), Valid: true},
			sql.Null[int64]{V: rapid.Int64().Draw(t, "size"), Valid: true},
			sql.Null[bool]{V: rapid.Bool().Draw(t, "good"), Valid: true},
			sql.Null[time.Time]{V: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC(), Valid: true},
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		if _, err := db.SQL().ExecContext(ctx, "DELETE FROM things"); err != nil {
			rt.Fatal(err)
		}
		model := map[thingKey]thing{}
		for range rapid.IntRange(1, 4).Draw(rt, "steps") {
			some := rapid.MapOf(key, value).Draw(rt, "rows")
			err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				var keys, rows [][]any
				for k, v := range some {
					keys = append(keys, []any{k.owner, k.number})
					rows = append(rows, []any{k.owner, k.number, v.label, v.size, v.good, v.at})
				}
				switch rapid.IntRange(0, 2).Draw(rt, "what") {
				case 0:
					for k := range some {
						delete(model, k)
					}
					return tx.DeleteByKey(ctx, things(), keys)
				case 1:
					numbers := []any{int64(1), int64(-1)}
					for k, v := range model {
						if slices.Contains(numbers, any(k.number)) && v.good.V {
							v.label = sql.Null[string]{}
							model[k] = v
						}
					}
					return tx.UpdateByKey(ctx, "things", things().Columns[1], []store.Assignment{{Column: things().Columns[2]}}, numbers, "good")
				default:
					for k, v := range some {
						model[k] = v
					}
					return tx.Upsert(ctx, things(), rows)
				}
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		if got, err := readThings(ctx, db); err != nil || !reflect.DeepEqual(got, model) {
			rt.Fatalf("got  %v, %v\nwant %v", got, err, model)
		}
	})
}
