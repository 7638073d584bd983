package bench

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store/storetest"
)

var (
	billsMost = flag.Int("bills.most", 100_000, "bills in the largest archive: 1,000 times a power of ten")
	billsAsks = flag.Int("bills.asks", 1_000, "of how many bills of each archive each question is asked, three times in a row")
)

// BenchmarkBills asks archives of 1,000, 10,000 and 100,000 bills the same questions in turn, each for
// another bill. A time that grows as the logarithm of the number of bills is 1.33 and 1.67 times as long
// with ten and a hundred times as many.
func BenchmarkBills(b *testing.B) {
	for _, dialectName := range storetest.Dialects() {
		b.Run(dialectName, func(b *testing.B) {
			var archives []askable
			for n := 1_000; n <= *billsMost; n *= 10 {
				begun := time.Now()
				archives = append(archives, newAskable(newArchive(b, dialectName, n)))
				say("%s: an archive of %d bills with %d lines each, made in %s", dialectName, n, linesOfBill, time.Since(begun).Round(time.Second))
			}
			for _, question := range []struct {
				name string
				ask  func(a askable, i int) error
			}{
				{"invoice", func(a askable, i int) error { return a.get("/api/snapshot/"+a.invoice(i), `{"id":`) }},
				{"csv", func(a askable, i int) error { return a.get("/api/snapshot/"+a.invoice(i)+"/csv", `InvoiceNo,`) }},
				{"company", func(a askable, i int) error {
					return a.get("/api/snapshots/company/"+string(a.account(i)), fmt.Sprintf(`{"company_account_number":"%s","company_name":"Company %[1]s","total_snapshots":%d,`, a.account(i), billsOfCompany))
				}},
				{"proof", func(a askable, i int) error {
					proven, err := a.bills.Prove(context.Background(), a.invoice(i), 0)
					if err == nil && proven.LeafIndex != int64(i) {
						err = fmt.Errorf("it is of leaf %d", proven.LeafIndex)
					}
					return err
				}},
				{"search_a_day", func(a askable, i int) error { // 1,000 matches
					day := archivedAt(i).Format(time.DateOnly)
					return a.get("/api/snapshots/search?from_date="+day+"&to_date="+day, fmt.Sprintf(`{"total":%d,"limit":100,`, billsOfDay))
				}},
				{"search_a_company", func(a askable, i int) error {
					return a.get("/api/snapshots/search?account_number="+string(a.account(i)), fmt.Sprintf(`{"total":%d,"limit":100,`, billsOfCompany))
				}},
			} {
				b.Run(question.name, func(b *testing.B) {
					growth(b, archives, func(a askable, i int) {
						if err := question.ask(a, i); err != nil {
							b.Fatalf("of %d bills, number %d: %v", a.n, i, err)
						}
					})
				})
			}
		})
	}
}

// askable is an archive behind its REST paths.
type askable struct {
	archived
	rest http.Handler
}

func newAskable(a archived) askable {
	return askable{a, rest.NewHandler(rest.Options{
		DB: a.db, Rules: query.Rules{DefaultHours: 900}, Bills: a.bills, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})}
}

// get asks for a path and looks at how the answer begins.
func (a askable) get(path, begins string) error {
	ctx := codex.WithCaller(context.Background(), codex.Caller{Name: "bench", Role: codex.RoleBilling})
	w := httptest.NewRecorder()
	a.rest.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	if answer := w.Body.String(); w.Code != http.StatusOK || !strings.HasPrefix(answer, begins) {
		return fmt.Errorf("%s: %d %.300s", path, w.Code, answer)
	}
	return nil
}

// tries is how often a question is asked for one bill in a row.
const tries = 3

// growth asks one question of each archive in turn, and tells how its time grows with the archive: all
// times, and of each bill the shortest of three, which is what the question takes where others leave the
// machine alone. The percentiles of the latter are over bills, and they are what is judged.
func growth(b *testing.B, archives []askable, ask func(a askable, i int)) {
	random := rand.New(rand.NewPCG(1, 2))
	all, shortest := make([][]time.Duration, len(archives)), make([][]time.Duration, len(archives))
	warm := *billsAsks / 10
	for round := range warm + *billsAsks {
		for _, which := range random.Perm(len(archives)) {
			i := random.IntN(archives[which].n)
			var took []time.Duration
			for range tries {
				begun := time.Now()
				ask(archives[which], i)
				took = append(took, time.Since(begun))
			}
			if round >= warm {
				all[which] = append(all[which], took...)
				shortest[which] = append(shortest[which], slices.Min(took))
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: nothing that anybody asked for
	verdict := "no faster than log n"
	for which, a := range archives {
		p50, p99 := percentile(shortest[which], 50), percentile(shortest[which], 99)
		ratio := p99 / percentile(shortest[0], 99)
		log := math.Log(float64(a.n)) / math.Log(float64(archives[0].n))
		say("%-40s %6d bills: p50 %5.2f ms (%.2f), p99 %5.2f ms (%.2f), log n %.2f; of all tries p50 %5.2f ms, p99 %6.2f ms (%.2f)",
			b.Name(), a.n, p50, p50/percentile(shortest[0], 50), p99, ratio, log,
			percentile(all[which], 50), percentile(all[which], 99), percentile(all[which], 99)/percentile(all[0], 99))
		if ratio > log {
			verdict = "FASTER than log n"
		}
		b.ReportMetric(p99, fmt.Sprintf("p99-ms-%d", a.n))
	}
	b.ReportMetric(percentile(shortest[len(archives)-1], 99)/percentile(shortest[0], 99), "p99-ratio")
	say("%-40s p99 grows %s", b.Name(), verdict)
}

// percentile is in milliseconds.
func percentile(took []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[(len(sorted)-1)*percent/100].Microseconds()) / 1000
}
