package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

var (
	pastAssets = flag.Int("past.assets", 20_000, "machines in the benchmark of the past")
	pastAsks   = flag.Int("past.asks", 50, "how often each question is asked of the present and of the past; the medians count")
)

const (
	pastDays    = 730
	perCompany  = 40  // machines
	newReadings = 0.3 // of the machines, each day
)

// The past of one company, and a page of 50, against the same of the present: at most 3 times.
func BenchmarkPast(b *testing.B) {
	end := time.Date(2025, time.October, 31, 6, 0, 0, 0, time.UTC)
	for _, dialectName := range storetest.Dialects() {
		b.Run(dialectName, func(b *testing.B) {
			db := storetest.Open(b, dialectName)
			fillPast(b, db, end)
			reportSizes(b, db)
			handler := resolvers.NewHandler(resolvers.Options{
				DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true},
				Tokens: auth.NewTokens(db, db.Now), Logger: slog.New(slog.DiscardHandler),
			})
			const fields = `name assets { hostname operatingSystem backup { bytes } } contacts { name email } locations { name address } tickets { subject hours }`
			for _, question := range []struct{ name, text string }{
				{"company", fmt.Sprintf(`company(accountNumber: "%d") { %s }`, 1000+*pastAssets/perCompany/2, fields)},
				{"50_companies", `companies(first: 50) { nodes { ` + fields + ` } }`},
			} {
				for _, moment := range []struct {
					name string
					at   time.Time
				}{{"yesterday", end.AddDate(0, 0, -1)}, {"a_year_ago", end.AddDate(-1, 0, 0)}} {
					b.Run(question.name+"/"+moment.name, func(b *testing.B) {
						past := fmt.Sprintf(`{ asOf(at: "%s") { coverage { at } %s } }`, moment.at.Format(time.RFC3339), question.text)
						sideBySide(b, handler, "{ "+question.text+" }", past)
					})
				}
			}
		})
	}
}

// sideBySide asks both in turn and reports the median of each and their ratio.
func sideBySide(b *testing.B, handler http.Handler, present, past string) {
	ask(b, handler, present)
	ask(b, handler, past)
	var presents, pasts []time.Duration
	for range *pastAsks {
		presents = append(presents, ask(b, handler, present))
		pasts = append(pasts, ask(b, handler, past))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op") // both together: nothing that anybody asked for
	b.ReportMetric(median(presents), "present-ms")
	b.ReportMetric(median(pasts), "past-ms")
	b.ReportMetric(median(pasts)/median(presents), "ratio")
}

func ask(b *testing.B, handler http.Handler, text string) time.Duration {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		b.Fatal(err)
	}
	ctx := codex.WithCaller(context.Background(), codex.Caller{Name: "bench", Role: codex.RoleBilling})
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	begun := time.Now()
	handler.ServeHTTP(w, r)
	took := time.Since(begun)
	if answer := w.Body.String(); !strings.HasPrefix(answer, `{"data":{`) || len(answer) < 500 {
		b.Fatalf("%s\ngave %.500s", text, answer)
	}
	return took
}

// rows are what is written to a table.
type rows struct {
	table store.Table
	rows  [][]any
}

func into(name string, columns ...store.Column) *rows {
	return &rows{table: store.Table{Name: name, Columns: columns}}
}

func (r *rows) add(values ...any) { r.rows = append(r.rows, values) }

func text(name string) store.Column { return store.Column{Name: name, Kind: store.Text} }
func num(name string) store.Column  { return store.Column{Name: name, Kind: store.Int} }
func flagged(name string) store.Column {
	return store.Column{Name: name, Kind: store.Bool}
}
func moment(name string) store.Column { return store.Column{Name: name, Kind: store.Time} }

// fillPast writes two years of daily runs up to end: each machine renamed or moved to another system
// about twice, each contact changed every second year, a ticket closed per machine and year, and new
// backup sizes for three machines in ten each day.
func fillPast(b *testing.B, db *store.DB, end time.Time) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	begin := end.AddDate(0, 0, -pastDays)
	day := func(n int) time.Time { return begin.AddDate(0, 0, n) }
	since := func(from int, later *time.Time) []any { return []any{day(from), later, "run"} }

	companies := into("companies", text("account_number"), text("name"))
	pastCompanies := into("companies_history", text("account_number"), text("name"), moment("seen_from"), moment("seen_to"), text("run_id"))
	locations := into("locations", num("id"), text("company_account_number"), text("name"), text("address"))
	pastLocations := into("locations_history", num("location_id"), text("company_account_number"), text("name"), text("address"), moment("seen_from"), moment("seen_to"), text("run_id"))
	for c := range *pastAssets / perCompany {
		account, name := fmt.Sprint(1000+c), fmt.Sprintf("Company %d", c)
		companies.add(account, name)
		pastCompanies.add(append([]any{account, name}, since(0, nil)...)...)
		locations.add(c+1, account, "Main Office", "1 Road")
		pastLocations.add(append([]any{c + 1, account, "Main Office", "1 Road"}, since(0, nil)...)...)
	}

	assets := into("assets", num("id"), text("company_account_number"), text("hostname"), text("operating_system"), num("backup_bytes"))
	pastMachines := into("assets_history", num("asset_id"), text("company_account_number"), text("hostname"), text("operating_system"), moment("seen_from"), moment("seen_to"), text("run_id"))
	readings := into("backup_readings", num("asset_id"), num("day"), num("bytes"))
	contacts := into("contacts", num("id"), text("name"), text("email"))
	pastContacts := into("contacts_history", num("contact_id"), text("name"), text("email"), moment("seen_from"), moment("seen_to"), text("run_id"))
	links := into("contact_company_link", text("company_account_number"), num("contact_id"))
	pastLinks := into("contact_company_link_history", text("company_account_number"), num("contact_id"), moment("seen_from"), moment("seen_to"), text("run_id"))
	ticketColumns := []store.Column{num("ticket_id"), text("company_account_number"), text("subject"), flagged("closed"), text("status"), num("status_code"),
		text("priority"), moment("created_at"), moment("last_updated_at"), num("spent_seconds"), num("unbillable_seconds")}
	tickets := into("tickets", append(slices.Clone(ticketColumns), text("description"), text("description_text"), text("conversations"), text("notes"),
		flagged("timer_running"), moment("upstream_updated_at"))...)
	pastTickets := into("tickets_history", append(slices.Clone(ticketColumns), moment("seen_from"), moment("seen_to"), text("run_id"))...)
	for i := range *pastAssets {
		id, account := i+1, fmt.Sprint(1000+i/perCompany)
		from, system := 0, "Windows 10"
		for _, change := range []int{random.IntN(pastDays/2) + 1, pastDays/2 + random.IntN(pastDays/2)} {
			until := day(change)
			pastMachines.add(append([]any{id, account, fmt.Sprintf("PC-%d", id), system}, since(from, &until)...)...)
			from, system = change, fmt.Sprintf("Windows 11 (%d)", change)
		}
		pastMachines.add(append([]any{id, account, fmt.Sprintf("PC-%d", id), system}, since(from, nil)...)...)
		var size int64
		for d := range pastDays {
			if d == 0 || random.Float64() < newReadings {
				size = random.Int64N(4 << 40)
				readings.add(id, int(codex.DayOf(day(d))), size)
			}
		}
		assets.add(id, account, fmt.Sprintf("PC-%d", id), system, size)
		if i%2 == 0 {
			name := fmt.Sprintf("Person %d", id)
			contacts.add(id, name, fmt.Sprintf("p%d@example.com", id))
			change := random.IntN(pastDays-1) + 1
			until := day(change)
			pastContacts.add(append([]any{id, "New " + name, fmt.Sprintf("p%d@example.com", id)}, since(0, &until)...)...)
			pastContacts.add(append([]any{id, name, fmt.Sprintf("p%d@example.com", id)}, since(change, nil)...)...)
			links.add(account, id)
			pastLinks.add(append([]any{account, id}, since(0, nil)...)...)
		}
		for year := range 2 {
			closed := year*365 + random.IntN(364)
			ticket := []any{i*2 + year + 1, account, "Something broke", true, "Closed", 5, "Low", day(closed), day(closed), 1800, 0}
			tickets.add(append(slices.Clone(ticket), "", "", "[]", "[]", false, day(closed))...)
			pastTickets.add(append(ticket, since(closed+1, nil)...)...)
		}
	}

	// As the runs wrote them: day by day.
	slices.SortStableFunc(readings.rows, func(a, b []any) int { return a[1].(int) - b[1].(int) })
	runs := into("sync_runs", text("id"), text("feed"), text("mode"), text("trigger"), text("requested_by"), flagged("dry_run"), flagged("forced"),
		text("state"), moment("queued_at"), moment("started_at"), moment("ended_at"), text("output"))
	for d := range pastDays + 1 {
		for _, feed := range codex.Feeds() {
			at := day(d)
			runs.add(fmt.Sprintf("%s-%d", feed, d), string(feed), "full", "schedule", "scheduler", false, false, "succeeded",
				at.Add(-time.Minute), at.Add(-time.Minute), at, strings.Repeat("a line of output\n", 20))
		}
	}
	for _, part := range []*rows{
		companies, pastCompanies, locations, pastLocations, contacts, pastContacts, links, pastLinks,
		assets, pastMachines, tickets, pastTickets, runs, readings,
	} {
		for chunk := range slices.Chunk(part.rows, 50_000) {
			if err := db.Write(b.Context(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Insert(ctx, part.table, chunk)
			}); err != nil {
				b.Fatal(part.table.Name, err)
			}
		}
	}
	if _, err := db.SQL().ExecContext(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// reportSizes tells how much the past takes on disk.
func reportSizes(b *testing.B, db *store.DB) {
	b.Helper()
	if db.Dialect() == dialect.SQLite {
		var pages, size int64
		if err := db.SQL().QueryRowContext(b.Context(), "SELECT page_count, page_size FROM pragma_page_count(), pragma_page_size()").Scan(&pages, &size); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "# %d assets, %d days, SQLite: the whole file %.1f MB\n", *pastAssets, pastDays, float64(pages*size)/(1<<20))
		return
	}
	sizes, err := db.SQL().QueryContext(b.Context(), `SELECT relname, pg_total_relation_size(oid) FROM pg_class
		WHERE relkind = 'r' AND (relname LIKE '%history' OR relname IN ('backup_readings', 'assets')) ORDER BY 2 DESC, 1`)
	if err != nil {
		b.Fatal(err)
	}
	defer sizes.Close()
	for sizes.Next() {
		var name string
		var size int64
		if err := sizes.Scan(&name, &size); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "# %d assets, %d days, PostgreSQL: %s with its indexes %.1f MB\n", *pastAssets, pastDays, name, float64(size)/(1<<20))
	}
	if err := sizes.Err(); err != nil {
		b.Fatal(err)
	}
}
