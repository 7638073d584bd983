package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

var (
	webhookClosings  = flag.Int("webhooks.closings", 60, "tickets that are closed and announced, six a minute, while a full sync runs; 60 take ten minutes")
	webhookFlood     = flag.Int("webhooks.flood", 10_000, "webhooks that arrive before the queue drains")
	webhookFlooded   = flag.Int("webhooks.flooded", 100, "tickets that they are about")
	webhookDatabases = flag.String("webhooks.databases", dialect.SQLite, "the databases of the benchmarks of webhooks, with commas: sqlite3,postgres")
)

// announcing is how often a ticket is closed: six times a minute.
const announcing = 10 * time.Second

// BenchmarkWebhookToHours is the time from a ticket's closing at Freshservice to its hours in the
// answer of GraphQL, while full syncs of tickets run at the Pro plan's limits: the simulator announces
// the closing as a workflow automator does, the hub reads the ticket before what the sync waits for, and
// a client asks for its hours again and again.
func BenchmarkWebhookToHours(b *testing.B) {
	for dialectName := range strings.SplitSeq(*webhookDatabases, ",") {
		b.Run(dialectName, func(b *testing.B) {
			world := closedTickets(b, 1_000)
			open := openTickets(b, world, *webhookClosings)
			h := newHub(b, dialectName, world)
			h.sync("freshservice")
			announceTo(b, world, h)
			stop := syncOverAndOver(h)
			defer stop()
			time.Sleep(announcing) // the sync is at its pace
			world.ForgetRequests()
			begun := time.Now()

			var took []time.Duration
			for _, id := range open {
				closed := time.Now()
				h.must(world.CloseTicket(id))
				for h.hours(id) != entered {
					time.Sleep(20 * time.Millisecond)
				}
				took = append(took, time.Since(closed))
				time.Sleep(announcing - time.Since(closed))
			}
			requests := world.Requests()
			minutes := time.Since(begun).Minutes()
			slices.Sort(took)
			p95 := took[(len(took)*95+99)/100-1]
			say("%s, %d tickets closed six a minute while a full sync is at the Pro plan's limits, answers after %s: hours in GraphQL after %s in the median, %s at the p95, %s at most; %.0f requests a minute, %d answered 429",
				dialectName, len(took), *ticketLatency, took[len(took)/2].Round(time.Millisecond), p95.Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), float64(len(requests))/minutes, refusals(requests))
			b.ReportMetric(float64(len(requests))/minutes, "requests/min")
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[len(took)/2].Seconds(), "median-s")
			b.ReportMetric(p95.Seconds(), "p95-s")
			b.ReportMetric(float64(refusals(requests)), "429s")
		})
	}
}

// BenchmarkWebhookFlood is many announcements of few tickets that arrive before the queue drains: how
// often the tickets are read again for them, none of which is lost: each ticket gets more time after its
// first announcements, and has it in the end.
func BenchmarkWebhookFlood(b *testing.B) {
	for dialectName := range strings.SplitSeq(*webhookDatabases, ",") {
		b.Run(dialectName, func(b *testing.B) {
			world := closedTickets(b, 1)
			flooded := openTickets(b, world, *webhookFlooded)
			h := newHub(b, dialectName, world)
			h.sync("freshservice")
			announceTo(b, world, h)
			world.ForgetRequests()

			begun := time.Now()
			for _, id := range flooded {
				h.must(world.CloseTicket(id))
			}
			// One after another, as the simulated automator sends them; the time is booked in their midst.
			for n := range *webhookFlood - 2*len(flooded) {
				if n == *webhookFlood/2 {
					h.must(world.FlushWebhooks(b.Context()))
					for _, id := range flooded {
						_, err := world.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("02:00"), Billable: true}, true)
						h.must(err)
					}
				}
				h.must(world.Announce(simulator.EntityTicket, flooded[n%len(flooded)]))
			}
			h.must(world.FlushWebhooks(b.Context()))
			arrived := time.Since(begun)
			reread := world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*/time_entries")
			if reread >= len(flooded) {
				say("%s: the queue had drained before the last webhook came: %d re-reads by then", dialectName, reread)
			}
			deliveries := world.Webhooks()
			for _, d := range deliveries {
				if d.Status != http.StatusAccepted {
					b.Fatalf("the hub answered %d to a webhook: %+v", d.Status, d)
				}
			}
			db := h.database.Open(b)
			for waiting := 1; waiting > 0; time.Sleep(time.Second) {
				h.must(db.SQL().QueryRowContext(b.Context(), "SELECT count(*) FROM sync_rereads WHERE due_at IS NOT NULL").Scan(&waiting))
			}
			drained := time.Since(begun)
			lost := 0
			for _, id := range flooded {
				if h.hours(id) != entered+2 {
					lost++
				}
			}
			reread = world.CountRequests(simulator.Freshservice, "/api/v2/tickets/*/time_entries")
			say("%s, %d webhooks for %d tickets: arrived within %s, the queue was empty after %s; %d re-reads, %d lost; %d requests answered 429",
				dialectName, len(deliveries), len(flooded), arrived.Round(time.Second/10), drained.Round(time.Second/10), reread, lost, refusals(world.Requests()))
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(deliveries))/arrived.Seconds(), "webhooks/s")
			b.ReportMetric(float64(reread), "rereads")
			b.ReportMetric(float64(lost), "lost")
			if lost > 0 || reread > 2*len(flooded) {
				b.Errorf("%d records are lost, and %d re-read for %d announced ones", lost, reread, len(flooded))
			}
		})
	}
}

// entered is the time of the tickets that are closed, in hours: no ticket's default.
const entered = 1.25

// openTickets adds open tickets of a customer with time on them.
func openTickets(b *testing.B, world *simulator.Server, n int) []int64 {
	b.Helper()
	truth := world.Truth()
	home, found := world.DepartmentNamed(simulator.ContosoName)
	if !found {
		b.Fatal("the world has no Contoso")
	}
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = world.AddTicket(simulator.Ticket{
			Subject: new("Announced"), Status: simulator.StatusOpen, RequesterID: truth.Requesters[0].ID, DepartmentID: &home.ID,
			TimeEntries: []simulator.TimeEntry{{TimeSpent: new("01:15"), Billable: true}},
		})
	}
	return ids
}

// announceTo has the simulator announce what changes from now on.
func announceTo(b *testing.B, world *simulator.Server, h *hub) {
	b.Helper()
	h.must(world.SetWebhook(simulator.Webhook{URL: h.url + "/webhooks/freshservice", Secret: webhookSecret}))
}

// hours are those that GraphQL tells of a ticket; 0 where it serves none.
func (h *hub) hours(id int64) float64 {
	h.b.Helper()
	var answer struct{ Ticket *struct{ Hours json.Number } }
	h.ask(fmt.Sprintf(`{ ticket(ticketId: "%d") { hours } }`, id), &answer)
	if answer.Ticket == nil {
		return 0
	}
	hours, err := answer.Ticket.Hours.Float64()
	h.must(err)
	return hours
}

// syncOverAndOver keeps a full sync of tickets running until it is stopped.
func syncOverAndOver(h *hub) (stop func()) {
	var running sync.WaitGroup
	ended := make(chan struct{})
	running.Go(func() {
		for {
			command := h.verb("sync", "tickets", "--full-sync")
			if err := command.Start(); err != nil {
				h.b.Error(err)
				return
			}
			done := make(chan error, 1)
			go func() { done <- command.Wait() }()
			select {
			case err := <-done:
				if err != nil {
					h.b.Errorf("a full sync beside the webhooks: %v\n%s", err, h.tail())
					return
				}
			case <-ended:
				_ = command.Process.Kill()
				<-done //nolint:errcheck // it was killed
				return
			}
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

func refusals(requests []simulator.Request) (n int) {
	for _, r := range requests {
		if r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}
