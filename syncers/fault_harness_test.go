package syncers_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// soak is how much more is done than in make test, which takes minutes instead of seconds.
var soak = flag.Int("soak", 1, "how many times as much as make test does; beyond 1 every fault meets every list")

// shaken is a hub that meets faults, and beside it one on a database of its own that never does: that
// one reads the same world, and only when the first is demanded to be whole again.
type shaken struct {
	*hub
	calm *hub
}

// shake runs test on both databases, over a world that both hubs have synced once, in small pages.
func shake(t *testing.T, world simulator.Options, test func(t *testing.T, h *shaken)) {
	t.Helper()
	each(t, world, func(t *testing.T, h *hub) {
		s := h.beside(t)
		s.sync()
		s.calm.sync()
		test(t, s)
	})
}

// beside makes the hub that stays calm. Lists come in small pages, so that small worlds have many, and
// requests are not spaced out once a 429 was met.
func (h *hub) beside(t testing.TB) *shaken {
	h.t.Helper()
	h.wire = &http.Client{Transport: smallPages{h.wire.Transport}}
	h.tuning.Spacing = time.Millisecond
	h.restart()
	calm := *h
	calm.engine = nil
	calm.people = maps.Clone(h.people)
	calm.db = storetest.Open(t, h.db.Dialect(), storetest.Now(h.clock.now))
	calm.restart()
	return &shaken{hub: h, calm: &calm}
}

// smallPages has upstreams give fewer records a page than they are asked for.
type smallPages struct{ http.RoundTripper }

func (p smallPages) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.Query()
	for name, most := range map[string]string{"per_page": "7", "max": "9"} {
		if query.Has(name) {
			query.Set(name, most)
		}
	}
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return p.RoundTripper.RoundTrip(r)
}

// breaks arms faults on paths of either upstream; when narrows down which calls they meet.
func (h *shaken) breaks(path string, fault simulator.Fault, when ...simulator.When) {
	h.t.Helper()
	_, err := h.world.Break(path, fault, when...)
	h.must(err)
}

// stir makes a change of each kind, n being its number. What it makes is the same to a hub whether it
// saw the steps or only where they led to: a ticket, for example, that is closed, never seen and given
// a status of the account's own is another matter.
func (h *shaken) stir(n int) {
	h.t.Helper()
	h.pass(time.Hour)
	all := h.customers()
	home := all[n%len(all)]
	person := h.world.AddRequester(simulator.Requester{
		FirstName: "Stir", LastName: new(fmt.Sprint(n)), PrimaryEmail: new(fmt.Sprintf("stir.%d@x.example", n)), DepartmentIDs: []int64{home.ID}, Active: true,
	})
	for _, s := range h.world.Truth().Sites {
		if slices.ContainsFunc(s.Variables, func(v simulator.Variable) bool { return v.Value != nil && *v.Value == number(home) }) {
			uid, err := h.world.AddDevice(s.UID, fmt.Sprint("STIR-", n), func(d *simulator.Device) { d.UDF[5] = fmt.Sprint(n) })
			h.must(err, h.world.SetUDF(uid, 4, "Administrator"))
			break
		}
	}
	ticket := h.closed(home.ID)
	_, err := h.world.AddConversation(ticket, simulator.Conversation{Body: "<p>stirred</p>", BodyText: "stirred"})
	h.must(err,
		h.world.RenameDepartment(home.ID, fmt.Sprintf("%s %d", home.Name, n)),
		h.world.EditRequester(person, func(r *simulator.Requester) { r.JobTitle = new("Stirrer") }))
	for _, t := range h.world.Truth().Tickets {
		if t.Status == simulator.StatusClosed && !t.Deleted && !t.Spam && t.ID != ticket {
			_, err := h.world.AddTimeEntry(t.ID, simulator.TimeEntry{TimeSpent: new("00:20"), Billable: true}, true)
			h.must(err)
			break
		}
	}
	h.pass(time.Hour)
}

// meets runs a feed while something is broken, and demands that it ends in one of these states, that
// its record is true, and that no row is lost or doubled or has another id.
func (h *shaken) meets(request syncers.Request, states ...codex.RunState) *ent.SyncRun {
	h.t.Helper()
	before, data := h.census(), ""
	if mayFail := slices.Contains(states, codex.RunFailed); mayFail && request.Feed != codex.FeedTickets {
		data = h.data()
	}
	called := len(h.world.Requests())
	run := h.run(request)
	if !slices.Contains(states, run.State) {
		h.expect(run, states[0])
	}
	after := h.census()
	h.follows(before, after)
	h.sound()
	h.recordIsTrue(run, before, after)
	// One that is broken off with its run may have been on its way.
	if n := len(h.world.Requests()) - called; run.Requests < 1 || run.Requests > n && run.State != codex.RunFailed {
		h.t.Errorf("the run of %s says that it made %d requests, the upstreams had %d", run.Feed, run.Requests, n)
	}
	if run.State == codex.RunFailed && data != "" && h.data() != data { // but for tickets, which go in batches
		h.t.Errorf("the run of %s failed, and rows changed", run.Feed)
	}
	return run
}

// recordIsTrue holds what a run says of itself against what became of the rows.
func (h *hub) recordIsTrue(run *ent.SyncRun, before, after census) {
	h.t.Helper()
	if run.StartedAt == nil || run.EndedAt == nil || run.EndedAt.Before(*run.StartedAt) || run.Output == "" {
		h.t.Errorf("the run of %s began at %v and ended at %v: %q", run.Feed, run.StartedAt, run.EndedAt, run.Output)
	}
	if why := run.Error; (why == nil || *why == "") != (run.State == codex.RunSucceeded) {
		h.t.Errorf("the run of %s is %s, and its reason is %v", run.Feed, run.State, why)
	}
	counts := make(map[string]syncers.EntityCounts)
	for _, c := range h.counts(run) {
		counts[c.Entity] = c
	}
	for entity := range before {
		c, counted := counts[entity]
		if created, removed := before.changes(after, entity); counted && (c.Created != created || c.Removed != removed) {
			h.t.Errorf("the run of %s counts %d %s created and %d removed; the rows say %d and %d", run.Feed, c.Created, entity, c.Removed, created, removed)
		}
	}
	if held := syncers.Total(h.counts(run)).Held; run.State == codex.RunHeld && held == 0 || run.State == codex.RunSucceeded && held > 0 {
		h.t.Errorf("the run of %s is %s, with %d held", run.Feed, run.State, held)
	}
}

// census is who is there: the rows of each entity by local id.
type census map[string]map[string]resident

type resident struct {
	key    string // at the upstream
	served bool
}

func (h *hub) census() census {
	h.t.Helper()
	all := make(census)
	for entity, query := range map[string]string{
		"companies": "SELECT account_number AS id, freshservice_id AS k, 1 AS served FROM companies",
		"locations": "SELECT id, company_account_number AS k, removed_at IS NULL AS served FROM locations",
		"contacts":  "SELECT id, freshservice_id AS k, removed_at IS NULL AS served FROM contacts",
		"sites":     "SELECT id, datto_site_uid AS k, removed_at IS NULL AS served FROM datto_site_links",
		"assets":    "SELECT id, datto_uid AS k, removed_at IS NULL AS served FROM assets",
		"tickets":   "SELECT ticket_id AS id, ticket_id AS k, removed_at IS NULL AS served FROM tickets",
	} {
		all[entity] = make(map[string]resident)
		for line := range strings.Lines(h.dump(query)) {
			fields := strings.Fields(line)
			_, id, _ := strings.Cut(fields[0], "=")
			all[entity][id] = resident{key: fields[1], served: fields[2] == "served=1"}
		}
	}
	return all
}

// changes are how many rows of an entity are new, and how many are served no more.
func (c census) changes(after census, entity string) (created, removed int) {
	for id, now := range after[entity] {
		was, known := c[entity][id]
		if !known {
			created++
		}
		if was.served && !now.served {
			removed++
		}
	}
	return created, removed
}

// follows demands that every row of before is there after, and that what has a key at the upstream has
// the id that it had, and one alone.
func (h *hub) follows(before, after census) {
	h.t.Helper()
	for entity, rows := range before {
		ids := make(map[string]string)
		for id, now := range after[entity] {
			if other, twice := ids[now.key]; twice && now.key != "k=null" {
				h.t.Errorf("%s: %s has the ids %s and %s", entity, now.key, other, id)
			}
			ids[now.key] = id
		}
		for id, was := range rows {
			if _, there := after[entity][id]; !there {
				h.t.Errorf("%s: the row %s (%s) is lost", entity, id, was.key)
			}
			if now, there := ids[was.key]; there && now != id && was.key != "k=null" {
				h.t.Errorf("%s: %s had the id %s and has %s", entity, was.key, id, now)
			}
		}
	}
}

// sound demands what is so at every moment, whatever happened: each served row has one open version of
// its past, which says the same; what was removed has none; hours are the sum of their entries; the
// newest backup reading is the machine's.
func (h *hub) sound() {
	h.t.Helper()
	for _, of := range []struct{ table, history, key, historyKey, served string }{
		{"companies", "companies_history", "account_number", "account_number", "1 = 1"},
		{"contacts", "contacts_history", "id", "contact_id", "removed_at IS NULL"},
		{"locations", "locations_history", "id", "location_id", "removed_at IS NULL"},
		{"assets", "assets_history", "id", "asset_id", "removed_at IS NULL"},
		{"tickets", "tickets_history", "ticket_id", "ticket_id", "removed_at IS NULL"},
	} {
		kept := slices.DeleteFunc(h.columns(of.history), func(c string) bool {
			return c == "id" || c == of.historyKey || !slices.Contains(h.columns(of.table), c)
		})
		list := strings.Join(kept, ", ")
		rows := h.dump("SELECT " + of.key + " AS k, " + list + " FROM " + of.table + " WHERE " + of.served)
		versions := h.dump("SELECT " + of.historyKey + " AS k, " + list + " FROM " + of.history + " WHERE seen_to IS NULL")
		h.same("the rows of "+of.table+" and their open versions", rows, versions)
	}
	for what, query := range map[string]string{
		"versions that end before they begin":     "SELECT asset_id FROM assets_history WHERE seen_to < seen_from",
		"versions of one machine that overlap":    "SELECT a.asset_id FROM assets_history a JOIN assets_history b ON a.asset_id = b.asset_id AND a.seen_from < b.seen_from AND (a.seen_to IS NULL OR a.seen_to > b.seen_from)",
		"tickets whose hours are not their sum":   "SELECT ticket_id FROM tickets t WHERE closed AND spent_seconds <> (SELECT coalesce(sum(e.spent_seconds), 0) FROM time_entries e WHERE e.ticket_id = t.ticket_id)",
		"entries of no ticket":                    "SELECT id FROM time_entries WHERE ticket_id NOT IN (SELECT ticket_id FROM tickets)",
		"links of contacts who are not served":    "SELECT contact_id FROM contact_company_link WHERE contact_id NOT IN (SELECT id FROM contacts)",
		"machines whose reading is not their own": "SELECT id FROM assets a WHERE backup_bytes IS NOT NULL AND coalesce((SELECT r.bytes FROM backup_readings r WHERE r.asset_id = a.id ORDER BY r.day DESC LIMIT 1), -1) <> backup_bytes",
	} {
		if got := h.dump(query); got != "" {
			h.t.Errorf("%s: %s", what, got)
		}
	}
}

// columns are the names of a table's columns.
func (h *hub) columns(table string) []string {
	h.t.Helper()
	rows, err := h.db.SQL().QueryContext(h.t.Context(), "SELECT * FROM "+table+" LIMIT 0")
	h.must(err)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	h.must(err, rows.Err())
	return names
}

// converges takes every fault off and syncs both hubs: they hold the same then, as far as it is served,
// and planning again changes nothing.
func (h *shaken) converges() {
	h.t.Helper()
	h.world.ClearFaults()
	h.pass(time.Hour)
	before := h.census()
	for _, hub := range []*hub{h.hub, h.calm} {
		for _, feed := range codex.Feeds() {
			// What was held, or unread, is done by the second run at the latest.
			hub.expect(hub.run(syncers.Request{Feed: feed}), codex.RunSucceeded)
		}
	}
	h.follows(before, h.census())
	h.sound()
	h.is("SELECT id, state FROM sync_runs WHERE state IN ('queued', 'running')", "")
	h.isAsTheCalmOne()
	for _, feed := range codex.Feeds() {
		run := h.run(syncers.Request{Feed: feed, DryRun: true})
		if c := syncers.Total(h.counts(run)); run.State != codex.RunSucceeded || c.Created+c.Updated+c.Removed+c.Held != 0 {
			h.t.Errorf("planning %s again: %s, %+v", feed, run.State, h.counts(run))
		}
	}
}

func (h *shaken) isAsTheCalmOne() {
	h.t.Helper()
	got, want := h.served(), h.calm.served()
	for _, part := range slices.Sorted(maps.Keys(want)) {
		h.same(part+" of the hub that met faults, and of the one that did not", got[part], want[part])
	}
}

// same shows the lines that one text alone has.
func (h *hub) same(what, got, want string) {
	h.t.Helper()
	if got == want {
		return
	}
	have, wanted := strings.Split(got, "\n"), strings.Split(want, "\n")
	var differ strings.Builder
	for _, line := range have {
		if !slices.Contains(wanted, line) {
			fmt.Fprintf(&differ, "\n+ %s", line)
		}
	}
	for _, line := range wanted {
		if !slices.Contains(have, line) {
			fmt.Fprintf(&differ, "\n- %s", line)
		}
	}
	if differ.Len() == 0 {
		fmt.Fprintf(&differ, "%d lines and %d", len(have), len(wanted))
	}
	h.t.Errorf("%s:%s", what, differ.String())
}

// served is what the hub answers questions from, without local ids and the times at which it saw it.
func (h *hub) served() map[string]string {
	h.t.Helper()
	all := func(table string, but ...string) string {
		return strings.Join(slices.DeleteFunc(h.columns(table), func(c string) bool {
			return slices.Contains(append(but, "id", "removed_at"), c)
		}), ", ")
	}
	parts := map[string]string{
		"companies": "SELECT * FROM companies",
		"contacts":  "SELECT " + all("contacts") + " FROM contacts WHERE removed_at IS NULL",
		"locations": "SELECT " + all("locations") + " FROM locations WHERE removed_at IS NULL",
		"sites":     "SELECT " + all("datto_site_links") + " FROM datto_site_links WHERE removed_at IS NULL",
		"assets":    "SELECT " + all("assets") + " FROM assets WHERE removed_at IS NULL",
		// What a ticket's requester was called is what the hub knew when it read the ticket.
		"tickets": "SELECT " + all("tickets", "requester_name", "requester_email") + " FROM tickets WHERE closed AND removed_at IS NULL",
		"people of companies": `SELECT c.freshservice_id AS k, l.company_account_number AS a, l.source FROM contact_company_link l
			JOIN contacts c ON c.id = l.contact_id WHERE c.removed_at IS NULL`,
		"people of machines": `SELECT a.datto_uid AS k, c.freshservice_id AS c, l.source FROM asset_contact_link l
			JOIN assets a ON a.id = l.asset_id JOIN contacts c ON c.id = l.contact_id WHERE a.removed_at IS NULL AND c.removed_at IS NULL`,
		"time entries": `SELECT e.* FROM time_entries e JOIN tickets t ON t.ticket_id = e.ticket_id WHERE t.closed AND t.removed_at IS NULL`,
		// That a machine was re-imaged is told once, by the run that saw it, and which of two twins is
		// the later one is a matter of local ids.
		"issues": `SELECT feed, kind, upstream_id, company_account_number AS a FROM sync_issues
			WHERE closed_at IS NULL AND kind NOT IN ('reimaged', 'probable_duplicate')`,
	}
	for name, query := range parts {
		parts[name] = h.dump(query)
	}
	return parts
}
