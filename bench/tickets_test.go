package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

var (
	ticketCount      = flag.Int("tickets.count", 3_000, "closed tickets in the benchmark at the rate limit; 3000 is what is promised for, and takes 16 minutes")
	ticketSequential = flag.Int("tickets.sequential", 300, "closed tickets that are read one request after another")
	ticketLatency    = flag.Duration("tickets.latency", 500*time.Millisecond, "how long the simulated Freshservice takes for an answer")
	ticketDatabases  = flag.String("tickets.databases", dialect.SQLite, "the databases of the benchmark at the rate limit, with commas: sqlite3,postgres")
)

// The Pro plan's limits in credits a minute, of the account and of the endpoint that lists tickets.
const (
	accountLimit     = 400
	listTicketsLimit = 120
	pageSize         = 100
	listCredits      = 3 // a page of tickets with stats embedded
)

// BenchmarkTickets is a full sync of closed tickets at the Pro plan's limits, in real time, beside what
// the limits alone dictate and beside the sequential method, each over a simulated Freshservice of its
// own. Both run at once: they wait most of their time.
func BenchmarkTickets(b *testing.B) {
	for dialectName := range strings.SplitSeq(*ticketDatabases, ",") {
		b.Run(dialectName, func(b *testing.B) {
			world := closedTickets(b, *ticketCount)
			old := closedTickets(b, *ticketSequential)
			h := newHub(b, dialectName, world)
			h.sync("freshservice") // whoever asked for a ticket is a contact then, as in every installation
			world.ForgetRequests()
			sequential := make(chan time.Duration, 1)
			go func() { sequential <- oneByOne(b, old) }()

			h.sync("tickets", "--full-sync")
			var runs struct {
				SyncRuns struct {
					Nodes []struct {
						StartedAt, EndedAt time.Time
						Counts             []struct {
							Entity  string
							Created int
						}
					}
				}
			}
			h.ask(`{ syncRuns(feed: TICKETS, first: 1) { nodes { startedAt endedAt counts { entity created } } } }`, &runs)
			run := runs.SyncRuns.Nodes[0]
			at := slices.IndexFunc(run.Counts, func(c struct {
				Entity  string
				Created int
			}) bool {
				return c.Entity == "tickets"
			})
			if at < 0 || run.Counts[at].Created != *ticketCount {
				b.Fatalf("the run wrote %+v, not %d tickets", run.Counts, *ticketCount)
			}
			took, least := run.EndedAt.Sub(run.StartedAt), dictated(*ticketCount)
			requests := world.Requests()
			refused, needed := refusals(requests), required(*ticketCount).requests()
			one := <-sequential
			whole := one * time.Duration(*ticketCount) / time.Duration(*ticketSequential)
			say("%s, %d closed tickets at the Pro plan's limits, answers after %s: %s; the limits alone dictate %s: ratio %.3f; %d requests where %d are needed, %d of them answered 429",
				dialectName, *ticketCount, *ticketLatency, took.Round(time.Second/10), least.Round(time.Second/10), float64(took)/float64(least), len(requests), needed, refused)
			say("one request after another, answers after %s: %d tickets in %s, extrapolated to %d: %s, %.1f times as long",
				*ticketLatency, *ticketSequential, one.Round(time.Second/10), *ticketCount, whole.Round(time.Second), float64(whole)/float64(took))
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took.Seconds(), "sync-s")
			b.ReportMetric(least.Seconds(), "dictated-s")
			b.ReportMetric(float64(took)/float64(least), "ratio")
			b.ReportMetric(float64(refused), "429s")
			if refused > 0 {
				b.Errorf("%d requests ran into the limit", refused)
			}
			b.ReportMetric(float64(len(requests)-needed), "needless-requests")
			b.ReportMetric(whole.Seconds(), "sequential-extrapolated-s")
		})
	}
}

// needs are the requests that a sync of tickets has to make, by what they cost.
type needs struct{ pages, others int }

func (n needs) requests() int { return n.pages + n.others }

// required counts them for n closed tickets that are not known yet: the departments on one page, the
// fields that name statuses, the pages of the listing and of those of deleted and of spam tickets, and
// of each ticket its time entries and its conversations. A listing tells no total: where its last page
// is full, one more shows that it was the last.
func required(n int) needs {
	return needs{pages: n/pageSize + 1 + 2, others: 2 + 2*n}
}

// dictated is the time that the limits alone dictate for n tickets: all credits at the account's limit,
// or those of the listing at their own, whichever takes longer. It is what a client takes that is never
// idle and keeps to the limit in the long run. A client may have a whole minute's worth at once when it
// has idled before, and would then be up to a minute faster; ours spreads its requests, so that a
// person's find the next credit soon instead of a spent minute, and has no more than four at once. Nor
// does the figure count that pages come one after another, or that a ticket's requests need its page:
// it is the least that could be.
func dictated(n int) time.Duration {
	need := required(n)
	listing := float64(need.pages*listCredits) / listTicketsLimit
	everything := float64(need.pages*listCredits+need.others) / accountLimit
	return time.Duration(max(listing, everything) * float64(time.Minute))
}

// closedTickets is a world with n tickets, all of them closed.
func closedTickets(b *testing.B, n int) *simulator.Server {
	b.Helper()
	world := newWorld(b, simulator.Options{
		Companies: 60, Assets: -1, Contacts: 300, Tickets: n, Plain: true, Tier: simulator.TierPro, Latency: *ticketLatency,
	})
	for _, t := range world.Truth().Tickets {
		if t.Deleted {
			if err := world.RestoreTicket(t.ID); err != nil {
				b.Fatal(err)
			}
		}
		if t.Status != simulator.StatusClosed {
			if err := world.CloseTicket(t.ID); err != nil {
				b.Fatal(err)
			}
		}
	}
	return world
}

// oneByOne is the method of the system that Codex replaces: it lists closed tickets, and asks for the
// conversations and then the time entries of each, one request after another. What else it did (a
// sleep, a look at each requester) would only make it slower and is left out.
func oneByOne(b *testing.B, world *simulator.Server) time.Duration {
	client := &http.Client{}
	defer client.CloseIdleConnections()
	get := func(path string, into any) bool {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, world.FreshserviceURL+"/api/v2"+path, nil)
		if err != nil {
			b.Error(err)
			return false
		}
		r.SetBasicAuth(world.FreshserviceKey, "X")
		response, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return false
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", response.StatusCode)
		}
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			b.Errorf("one by one: %s: %v", path, err)
		}
		return err == nil
	}
	begun := time.Now()
	for page := 1; ; page++ {
		var list struct{ Tickets []struct{ ID int64 } }
		query := url.Values{"query": {`"status:5"`}, "page": {fmt.Sprint(page)}}
		if !get("/tickets/filter?"+query.Encode(), &list) || len(list.Tickets) == 0 {
			return time.Since(begun)
		}
		for _, t := range list.Tickets {
			var parts struct{}
			if !get(fmt.Sprintf("/tickets/%d/conversations", t.ID), &parts) || !get(fmt.Sprintf("/tickets/%d/time_entries", t.ID), &parts) {
				return time.Since(begun)
			}
		}
	}
}
