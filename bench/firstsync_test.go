package bench

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

var (
	firstCompanies = flag.Int("first.companies", 500, "companies in the benchmark of the first sync")
	firstAssets    = flag.Int("first.assets", 20_000, "machines in it")
	firstContacts  = flag.Int("first.contacts", 10_000, "people in it")
	firstRepeats   = flag.Int("first.repeats", 3, "first syncs, each into a new database; the median counts")
)

// BenchmarkFirstSync is a first sync of companies, people and machines with upstreams that limit
// nothing: what its applying takes, by the hub's own log, beside a bare loop that writes the very rows
// that the hub then has into a database of the same schema; and the most memory that the hub's process
// has had, after a second sync, which must have written nothing but its runs.
//
// The hub's time includes what makes it more than a loop: the lease and the revisions are checked, each
// record is written to the history too, and issues are kept. Two ratios are told: of all rows that were
// written, the history's among them, and (harder) of the records alone, as if the hub kept no history.
func BenchmarkFirstSync(b *testing.B) {
	for _, dialectName := range storetest.Dialects() {
		b.Run(dialectName, func(b *testing.B) {
			world := newWorld(b, simulator.Options{Companies: *firstCompanies, Assets: *firstAssets, Contacts: *firstContacts, Tickets: -1})
			var tries []firstSync
			for range *firstRepeats {
				tries = append(tries, measureFirstSync(b, dialectName, world))
			}
			for i, t := range tries {
				say("%s, first sync %d of %d companies, %d machines, %d people: %d records applied in %s (%.0f rows/s, %.0f with the history); the bare loop %s (%.0f rows/s), with the history %s (%.0f rows/s); peak %.0f MiB",
					dialectName, i+1, *firstCompanies, *firstAssets, *firstContacts, t.records, t.took.Round(time.Millisecond), t.rate(t.records, t.took), t.rate(t.rows, t.took),
					t.bareRecords.Round(time.Millisecond), t.rate(t.records, t.bareRecords), t.bareRows.Round(time.Millisecond), t.rate(t.rows, t.bareRows), t.peak)
			}
			slices.SortFunc(tries, func(a, b firstSync) int { return int((a.ratio() - b.ratio()) * 1e6) })
			median := tries[len(tries)/2]
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median.rate(median.rows, median.took), "rows/s")
			b.ReportMetric(median.rate(median.rows, median.bareRows), "bare-rows/s")
			b.ReportMetric(median.ratio(), "ratio")
			b.ReportMetric(median.bareRecords.Seconds()/median.took.Seconds(), "ratio-without-history")
			b.ReportMetric(slices.MaxFunc(tries, func(a, b firstSync) int { return int(a.peak - b.peak) }).peak, "peak-MiB")
		})
	}
}

// firstSync is what one first sync took, and the bare loop over the same rows.
type firstSync struct {
	records, rows               int // rows: with those of the history
	took, bareRecords, bareRows time.Duration
	peak                        float64 // MiB
}

func (f firstSync) rate(rows int, took time.Duration) float64 { return float64(rows) / took.Seconds() }
func (f firstSync) ratio() float64                            { return f.bareRows.Seconds() / f.took.Seconds() }

func measureFirstSync(b *testing.B, dialectName string, world *simulator.Server) (f firstSync) {
	b.Helper()
	h := newHub(b, dialectName, world)
	h.sync("freshservice")
	h.sync("datto")
	f.records, f.took = h.applied()
	db := h.database.Open(b)
	before := digests(b, db)
	h.sync("freshservice")
	h.sync("datto")
	for table, digest := range digests(b, db) {
		if before[table] != digest {
			b.Errorf("a second sync without changes wrote to %s", table)
		}
	}
	f.peak = h.peak()
	h.stop()

	written := readTables(b, db)
	if n := count(written, true); n != f.records {
		b.Errorf("the hub says that it wrote %d records, and has %d", f.records, n)
	}
	f.rows = count(written, false)
	for _, bare := range []struct {
		took        *time.Duration
		recordsOnly bool
	}{{&f.bareRecords, true}, {&f.bareRows, false}} {
		*bare.took = bareLoop(b, storetest.Open(b, dialectName), written, bare.recordsOnly)
	}
	return f
}

// target is a table that the two feeds write. A record's has the key by which it is upserted; what
// the hub appends (versions, readings) has none, and an id that the database gives.
type target struct {
	feed, name, key string
	columns, types  []string
	rows            [][]any
}

func targets() []*target {
	return []*target{
		{feed: "freshservice", name: "companies", key: "account_number"},
		{feed: "freshservice", name: "contacts", key: "id"},
		{feed: "freshservice", name: "contact_company_link", key: "contact_id, company_account_number"},
		{feed: "freshservice", name: "locations", key: "id"},
		{feed: "freshservice", name: "companies_history"},
		{feed: "freshservice", name: "contacts_history"},
		{feed: "freshservice", name: "contact_company_link_history"},
		{feed: "freshservice", name: "locations_history"},
		{feed: "datto", name: "datto_site_links", key: "id"},
		{feed: "datto", name: "assets", key: "id"},
		{feed: "datto", name: "asset_contact_link", key: "asset_id, contact_id"},
		{feed: "datto", name: "assets_history"},
		{feed: "datto", name: "backup_readings"},
	}
}

func count(written []*target, recordsOnly bool) (n int) {
	for _, t := range written {
		if !recordsOnly || t.key != "" {
			n += len(t.rows)
		}
	}
	return n
}

// readTables reads all that the hub wrote.
func readTables(b *testing.B, db *store.DB) []*target {
	b.Helper()
	list := targets()
	for _, t := range list {
		t.columns, t.types, t.rows = readAll(b, db, "SELECT * FROM "+t.name)
		if at := slices.Index(t.columns, "id"); t.key == "" && at >= 0 {
			t.columns, t.types = slices.Delete(t.columns, at, at+1), slices.Delete(t.types, at, at+1)
			for i := range t.rows {
				t.rows[i] = slices.Delete(t.rows[i], at, at+1)
			}
		}
	}
	return list
}

func readAll(b *testing.B, db *store.DB, query string) (columns, types []string, all [][]any) {
	b.Helper()
	fail := func(err error) {
		if err != nil {
			b.Fatalf("%s: %v", query, err)
		}
	}
	rows, err := db.SQL().QueryContext(b.Context(), query)
	fail(err)
	defer rows.Close()
	columns, err = rows.Columns()
	fail(err)
	kinds, err := rows.ColumnTypes()
	fail(err)
	for _, kind := range kinds {
		types = append(types, kind.DatabaseTypeName())
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		fail(rows.Scan(into...))
		all = append(all, values)
	}
	fail(rows.Err())
	return columns, types, all
}

// digests are what each table holds but those that a run itself needs: its row, its lease.
func digests(b *testing.B, db *store.DB) map[string]string {
	b.Helper()
	list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if db.Dialect() == dialect.Postgres {
		list = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	_, _, names := readAll(b, db, list)
	all := make(map[string]string)
	for _, name := range names {
		if table := fmt.Sprint(name[0]); table != "sync_runs" && table != "leases" {
			_, _, rows := readAll(b, db, "SELECT * FROM "+table)
			lines := make([]string, len(rows))
			for i, row := range rows {
				lines[i] = fmt.Sprint(row...)
			}
			slices.Sort(lines)
			all[table] = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "\n"))))
		}
	}
	return all
}

// bareLoop writes rows as fast as a program can that does nothing else, in one transaction a feed as
// the hub does: on SQLite by a prepared upsert of one row, on PostgreSQL by an upsert of 5,000 rows
// that travel as an array a column.
func bareLoop(b *testing.B, db *store.DB, written []*target, recordsOnly bool) (took time.Duration) {
	b.Helper()
	for _, feed := range []string{"freshservice", "datto"} {
		begun := time.Now()
		err := db.Write(b.Context(), func(ctx context.Context, tx *store.Tx) error {
			for _, t := range written {
				if t.feed != feed || recordsOnly && t.key == "" {
					continue
				}
				write := upsertEach
				if db.Dialect() == dialect.Postgres {
					write = upsertArrays
				}
				if err := write(ctx, tx, t); err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
			}
			return nil
		})
		took += time.Since(begun)
		if err != nil {
			b.Fatal(err)
		}
	}
	return took
}

// statement is the upsert of t from source: VALUES of one row, or a SELECT of many.
func (t *target) statement(source string) string {
	text := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") " + source
	if t.key == "" {
		return text
	}
	var set []string
	for _, c := range t.columns {
		if !slices.Contains(strings.Split(t.key, ", "), c) {
			set = append(set, c+" = excluded."+c)
		}
	}
	return text + " ON CONFLICT (" + t.key + ") DO UPDATE SET " + strings.Join(set, ", ")
}

func upsertEach(ctx context.Context, tx *store.Tx, t *target) error {
	statement, err := tx.SQL().PrepareContext(ctx, t.statement("VALUES ("+strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")+")"))
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, row := range t.rows {
		if _, err := statement.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

func upsertArrays(ctx context.Context, tx *store.Tx, t *target) error {
	casts := make([]string, len(t.columns))
	for i, kind := range t.types {
		casts[i] = fmt.Sprintf("$%d::%s[]", i+1, kind)
	}
	query := t.statement("SELECT * FROM unnest(" + strings.Join(casts, ", ") + ")")
	for chunk := range slices.Chunk(t.rows, 5_000) {
		args := make([]any, len(t.columns))
		for i := range t.columns {
			args[i] = arrayOf(chunk, i)
		}
		if _, err := tx.SQL().ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// arrayOf is a column of rows as a slice of its type.
func arrayOf(rows [][]any, column int) any {
	for _, row := range rows {
		switch row[column].(type) {
		case int64:
			return typed[int64](rows, column)
		case bool:
			return typed[bool](rows, column)
		case time.Time:
			return typed[time.Time](rows, column)
		case string:
			return typed[string](rows, column)
		}
	}
	return typed[string](rows, column) // all are NULL
}

func typed[T any](rows [][]any, column int) []*T {
	list := make([]*T, len(rows))
	for i, row := range rows {
		if value, told := row[column].(T); told {
			list[i] = &value
		}
	}
	return list
}
