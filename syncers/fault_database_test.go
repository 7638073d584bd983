package syncers_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// crash has the whole PostgreSQL restart in mid-apply, and not the hub's connections alone end: every
// other test on that server would see it too.
var crash = flag.Bool("crash", false, "crash the PostgreSQL server itself; it must serve this test alone")

// The server goes away in the middle of writing what was planned, and is back soon.
func TestADatabaseThatGoesAwayInMidApplyLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	var turning clock
	database := storetest.Fresh(t, dialect.Postgres)
	other := database.Open(t) // its connections are not the hub's
	// The tests' server need not keep what it has answered; this one crashes.
	_, err := other.SQL().ExecContext(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$")
	if err != nil {
		t.Fatal(err)
	}
	isWrite, written, at := writes(), &atomic.Int64{}, &atomic.Int64{}
	away := func() {
		ctx := context.WithoutCancel(t.Context())
		const own = "datname = current_database() AND pid <> pg_backend_pid()"
		if *crash {
			pid := ""
			if err := other.SQL().QueryRowContext(ctx, "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND "+own+" LIMIT 1").Scan(&pid); err != nil {
				t.Errorf("no connection is in mid-transaction: %v", err)
				return
			}
			if out, err := exec.CommandContext(ctx, "kill", "-KILL", pid).CombinedOutput(); err != nil { // the server restarts when one of its processes dies so
				t.Errorf("%v: %s", err, out)
			}
			time.Sleep(200 * time.Millisecond)
			return
		}
		var n int
		if err := other.SQL().QueryRowContext(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "+own).Scan(&n); err != nil || n == 0 {
			t.Errorf("%d connections were ended (%v)", n, err)
		}
	}
	db := database.Open(t, storetest.Now(turning.now), storetest.OnStatement(func(query string) {
		if isWrite.MatchString(query) && written.Add(1) == at.Load() {
			away()
		}
	}))
	h := newHub(t, db, tiny(), &turning).beside(t)
	h.sync()
	h.calm.sync()
	for n := range 3 * *soak {
		for f, feed := range codex.Feeds() {
			h.stir(100*n + f)
			before := h.census()
			written.Store(0)
			at.Store(int64(1 + 3*n%11))
			run := h.away(syncers.Request{Feed: feed})
			at.Store(0)
			for _, hub := range []*hub{h.hub, h.calm} { // connections that ended are noticed by who uses them
				for hub.db.SQL().PingContext(t.Context()) != nil {
					time.Sleep(20 * time.Millisecond)
				}
			}
			if run.State == codex.RunSucceeded && written.Load() > int64(1+3*n%11) {
				t.Errorf("%s succeeded although its connection was gone", feed)
			}
			if run.State == codex.RunFailed && (run.Error == nil || !strings.Contains(*run.Error, "database")) {
				t.Errorf("the reason is %v", run.Error)
			}
			h.follows(before, h.census())
			h.sound()
			h.expire(feed)
		}
		h.converges()
		if t.Failed() {
			t.Fatalf("in round %d", n)
		}
	}
}

// away is a run whose database goes away: whoever waits for its end asks again until it is back.
func (h *shaken) away(request syncers.Request) *away {
	h.t.Helper()
	request.Trigger, request.By = codex.TriggerCLI, "test"
	run, _, err := h.engine.Start(h.t.Context(), request)
	h.must(err)
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if ended, err := h.engine.Wait(h.t.Context(), run.ID); err == nil {
			return &away{ended.State, ended.Error}
		}
		// One whose end could not be written is found when its lease is over.
		_, _ = h.db.SQL().ExecContext(h.t.Context(), "UPDATE leases SET expires = 1 WHERE name = $1", "sync:"+string(request.Feed))
	}
	h.t.Fatal("the run has no end")
	return nil
}

type away struct {
	State codex.RunState
	Error *string
}

// The disk is full in the middle of writing what was planned, until somebody makes room.
func TestAFullDiskLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	var turning clock
	h := newHub(t, storetest.Open(t, dialect.SQLite, storetest.Now(turning.now)), tiny(), &turning).beside(t)
	h.sync()
	h.calm.sync()
	full := 0
	for n, room := range []int{0, 1, 3, 8, 20} { // pages of 4 KiB, each run finds so many
		for f, feed := range codex.Feeds() {
			h.stir(100*n + f)
			h.bulk(feed, 100*n+f)
			before, data := h.census(), h.data()
			h.pages(room)
			run := h.run(syncers.Request{Feed: feed})
			h.pages(1 << 30)
			if run.State != codex.RunSucceeded {
				full++
			}
			switch {
			case run.State == codex.RunFailed && (run.Error == nil || !strings.Contains(*run.Error, "disk is full")):
				t.Errorf("%s: the reason is %v", feed, run.Error)
			case run.State == codex.RunFailed || run.State == codex.RunInterrupted:
				if feed != codex.FeedTickets && h.data() != data {
					t.Errorf("%s failed with room for %d pages, and rows changed", feed, room)
				}
			case run.State != codex.RunSucceeded || room == 0:
				t.Errorf("%s with room for %d pages is %s", feed, room, run.State)
			}
			h.follows(before, h.census())
			h.sound()
		}
		h.converges()
		if t.Failed() {
			t.Fatalf("with room for %d pages", room)
		}
	}
	if full < 6 {
		t.Errorf("only %d runs met a full disk", full)
	}
}

// pages lets the file grow by so many pages and no more, whichever connection writes.
func (h *hub) pages(room int) {
	h.t.Helper()
	var all []*sql.Conn
	for range 8 { // as many as the pool has
		c, err := h.db.SQL().Conn(h.t.Context())
		h.must(err)
		all = append(all, c)
	}
	for _, c := range all {
		var most, now int64
		h.must(c.QueryRowContext(h.t.Context(), "PRAGMA page_count").Scan(&now),
			c.QueryRowContext(h.t.Context(), fmt.Sprintf("PRAGMA max_page_count(%d)", now+int64(room))).Scan(&most), c.Close())
	}
}

// bulk is more than fits into the pages that a file happens to have free.
func (h *shaken) bulk(feed codex.Feed, n int) {
	h.t.Helper()
	switch home := h.customers()[0]; feed {
	case codex.FeedFreshservice:
		for i := range 120 {
			h.world.AddRequester(simulator.Requester{FirstName: "Bulk", LastName: new(fmt.Sprint(i)), PrimaryEmail: new(fmt.Sprintf("bulk.%d.%d@x.example", n, i)), DepartmentIDs: []int64{home.ID}, Active: true,
				JobTitle: new(strings.Repeat("Officer ", 60))})
		}
	case codex.FeedDatto:
		for i := range 120 {
			_, err := h.world.AddDevice(h.customerSites()[0].UID, fmt.Sprint("BULK-", n, "-", i), func(d *simulator.Device) { d.Description = new(strings.Repeat("much ", 100)) })
			h.must(err)
		}
	case codex.FeedTickets:
		for range 8 {
			ticket := h.closed(home.ID)
			h.must(h.world.EditTicket(ticket, func(t *simulator.Ticket) { t.Description = strings.Repeat("much ", 5000) }))
		}
	}
}
