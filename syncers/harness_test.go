package syncers_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// hub is a sync engine over a database, beside a simulated world, both on one clock that a test turns.
type hub struct {
	t        testing.TB
	db       *store.DB
	world    *simulator.Server
	engine   *syncers.Engine
	settings syncers.Settings
	clock    *clock
	wire     *http.Client
	tuning   transport.Tuning
	people   map[int64]string // addresses of everybody whom a check has met
	outbox   notify.Outbox    // of the next process
	toldOf   int              // how many events a test has looked at
}

// clock stands still unless it is turned.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return simulator.StandingClock().Add(time.Duration(c.passed.Load())) }

// pass lets time pass.
func (h *hub) pass(d time.Duration) { h.clock.passed.Add(int64(d)) }

// small is a world with every awkward fixture that syncs in well under a second.
func small() simulator.Options {
	return simulator.Options{Companies: 12, Assets: 120, Contacts: 60, Tickets: 120}
}

// tiny is a world without them.
func tiny() simulator.Options {
	return simulator.Options{Companies: 4, Assets: 60, Contacts: 40, Tickets: 30, Plain: true}
}

// each runs test on SQLite and on PostgreSQL, each with a world of its own.
func each(t *testing.T, world simulator.Options, test func(t *testing.T, h *hub)) {
	t.Helper()
	t.Parallel() // it waits most of its time: for a database to be made, for commits, for answers
	var turning clock
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		turning.passed.Store(0)
		test(t, newHub(t, db, world, &turning))
	}, storetest.Now(turning.now))
}

func newHub(t testing.TB, db *store.DB, options simulator.Options, turning *clock) *hub {
	t.Helper()
	options.Now = turning.now
	world, err := simulator.Start(t.Context(), options, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	wire := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(func() { // a server waits for connections that were opened and never used
		wire.CloseIdleConnections()
		_ = world.Close()
	})
	h := &hub{
		wire: &http.Client{Transport: wire}, tuning: impatient(), t: t, db: db, world: world, settings: settings(), clock: turning,
		people: make(map[int64]string),
	}
	h.restart()
	return h
}

// impatient is the tuning of clients that a test does not wait for.
func impatient() transport.Tuning {
	return transport.Tuning{Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, RetryAfter: time.Millisecond, Attempt: 20 * time.Second}
}

func settings() syncers.Settings {
	return syncers.Settings{
		AccountVariable: "AccountNumber", BackupUDF: 6, AdministratorsUDF: 4, DeviceTypeUDF: 7,
		ConversationsDays: 365, MaxRemovalPercent: 20, FreshserviceIdentity: "acme.freshservice.com",
	}
}

// restart makes a new engine with the hub's settings, as a new process would.
func (h *hub) restart() {
	h.t.Helper()
	if h.engine != nil {
		h.engine.Close()
	}
	h.engine = h.process()
}

// process is one more engine on the hub's database, as another process of the installation has one.
func (h *hub) process() *syncers.Engine {
	h.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	fresh, err := freshservice.New(freshservice.Options{
		BaseURL: h.world.FreshserviceURL, APIKey: codex.Secret(h.world.FreshserviceKey), Now: h.clock.now, Logger: logger, Tuning: h.tuning, HTTPClient: h.wire,
	})
	h.must(err)
	rmm, err := datto.New(datto.Options{
		BaseURL: h.world.DattoURL, PublicKey: h.world.DattoPublicKey, SecretKey: codex.Secret(h.world.DattoSecretKey),
		Now: h.clock.now, Logger: logger, Tuning: h.tuning, HTTPClient: h.wire,
	})
	h.must(err)
	engine := syncers.New(syncers.Options{
		DB: h.db, Freshservice: fresh, Datto: rmm, Settings: h.settings, Notify: h.outbox, Logger: logger,
	})
	h.t.Cleanup(engine.Close)
	return engine
}

// run makes a run and waits for its end, whatever that is.
func (h *hub) run(request syncers.Request) *ent.SyncRun {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	request.Trigger, request.By = codex.TriggerCLI, "test"
	run, _, err := h.engine.Start(ctx, request)
	if err != nil {
		h.t.Fatal(err)
	}
	if run, err = h.engine.Wait(ctx, run.ID); err != nil {
		h.t.Fatal(err)
	}
	return run
}

// sync runs the feeds, all of them if none is named, and demands that each succeeds.
func (h *hub) sync(feeds ...codex.Feed) map[string]syncers.EntityCounts {
	h.t.Helper()
	if len(feeds) == 0 {
		feeds = codex.Feeds()
	}
	counts := make(map[string]syncers.EntityCounts)
	for _, feed := range feeds {
		run := h.run(syncers.Request{Feed: feed})
		h.expect(run, codex.RunSucceeded)
		for _, c := range h.counts(run) {
			counts[c.Entity] = c
		}
	}
	return counts
}

func (h *hub) expect(run *ent.SyncRun, state codex.RunState) {
	h.t.Helper()
	if run.State != state {
		why := ""
		if run.Error != nil {
			why = *run.Error
		}
		h.t.Fatalf("the run of %s ended as %s, want %s: %s\n%s", run.Feed, run.State, state, why, run.Output)
	}
}

func (h *hub) counts(run *ent.SyncRun) []syncers.EntityCounts {
	h.t.Helper()
	counts, err := syncers.ParseCounts(run.Counts)
	if err != nil {
		h.t.Fatal(err)
	}
	return counts
}

// dump is everything that the hub holds of a table, a line a row, in an order that both databases
// share. Columns may be left out.
func (h *hub) dump(query string, args ...any) string {
	h.t.Helper()
	rows, err := h.db.SQL().QueryContext(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			h.t.Fatal(err)
		}
		var line strings.Builder
		for i, v := range values {
			fmt.Fprintf(&line, "%s=%s ", columns[i], plain(v))
		}
		lines = append(lines, strings.TrimSpace(line.String()))
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// plain writes a value as neither database shows which it is.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []byte:
		return string(v)
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return fmt.Sprint(v)
}

// dataTables are the tables that hold what was synced, with their past.
func dataTables() []string {
	return []string{
		"companies", "contacts", "contact_company_link", "locations", "datto_site_links", "assets", "asset_contact_link",
		"backup_readings", "tickets", "time_entries", "companies_history", "contacts_history", "contact_company_link_history",
		"locations_history", "assets_history", "tickets_history",
	}
}

// data is all that was synced, as text.
func (h *hub) data() string {
	h.t.Helper()
	var all strings.Builder
	for _, table := range dataTables() {
		fmt.Fprintf(&all, "## %s\n%s\n", table, withoutRun(h.dump("SELECT * FROM "+table)))
	}
	return all.String()
}

// withoutRun takes the run ids, which are random, out of a dump.
func withoutRun(dump string) string {
	return regexp.MustCompile(` (ended_)?run_id=\S+`).ReplaceAllString(dump, "")
}

// is demands that a query gives these lines, in the order of texts.
func (h *hub) is(query string, want ...string) {
	h.t.Helper()
	if got := h.dump(query); got != strings.Join(want, "\n") {
		h.t.Errorf("%s:\ngot  %s\nwant %s", query, got, strings.Join(want, "\n     "))
	}
}

// value is the one value that a query gives.
func (h *hub) value(query string, args ...any) string {
	h.t.Helper()
	_, value, found := strings.Cut(h.dump(query, args...), "=")
	if !found || strings.Contains(value, "\n") {
		h.t.Fatalf("%s %v gives not one value", query, args)
	}
	return value
}

// issues are the open issues of a feed as "kind id", sorted.
func (h *hub) issues(feed codex.Feed) []string {
	h.t.Helper()
	var list []string
	for _, line := range strings.Split(h.dump("SELECT kind AS k, upstream_id AS id FROM sync_issues WHERE closed_at IS NULL AND feed = $1", feed), "\n") {
		line = strings.Replace(strings.TrimPrefix(line, "k="), "id=", "", 1)
		if line != "" {
			list = append(list, line)
		}
	}
	return list
}

// must fails the test for a change that the simulator refuses.
func (h *hub) must(errs ...error) {
	h.t.Helper()
	for _, err := range errs {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// fault breaks answers until the test's step is over; clear takes it off.
func (h *hub) fault(upstream simulator.Upstream, path string, fault simulator.Fault) (clear func()) {
	h.t.Helper()
	remove, err := h.world.AddFault(simulator.FaultRule{Upstream: upstream, Path: path, Fault: fault})
	h.must(err)
	return remove
}

// failing is an answer of 500, which is tried again and given up.
func failing() simulator.Fault { return simulator.Fault{Kind: simulator.FaultStatus, Status: 500} }

// watch calls look for each call of an upstream that has this path, before it is answered.
func (h *hub) watch(path string, look func(n int, request *http.Request)) {
	h.t.Helper()
	var calls atomic.Int64
	_, err := h.world.AddFault(simulator.FaultRule{Path: path, Fault: simulator.Fault{Kind: simulator.FaultDelay}, Match: func(r *http.Request) bool {
		look(int(calls.Add(1)), r)
		return false
	}})
	h.must(err)
}
