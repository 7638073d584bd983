package main

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// soak is how many times as much is done as make test does.
var soak = flag.Int("soak", 1, "how many times as many kills as make test makes")

// TestAKillAtARandomMomentIsFinishedByTheNextRun kills the program itself, five times a feed or as many
// as -soak says, each time at a moment of its run that nobody chose.
func TestAKillAtARandomMomentIsFinishedByTheNextRun(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			i := bare(t)
			i.now = time.Now // as in the process that is killed
			i.upstream = simulate(t, i.now, func(o *simulator.Options) {
				o.Plain, o.Companies, o.Assets, o.Contacts, o.Tickets = true, 6, 80, 40, 40
			})
			i.configure(dialectName)
			calm := &installation{t: t, dir: t.TempDir(), now: time.Now, env: map[string]string{}, upstream: i.upstream}
			calm.configure(dialectName)
			i.must("sync", "all")
			calm.must("sync", "all")
			db, other := i.open(dialectName), calm.open(dialectName)
			day := uint64(0)
			for _, feed := range codex.Feeds() {
				i.change(0)
				span, _ := i.runKilled(feed, -1)
				killed := 0
				tries := 0
				for ; killed < 5**soak; tries++ {
					if tries == 50**soak {
						t.Fatalf("%s ends before it is killed: seed %d", feed, seed)
					}
					i.change(tries + 1)
					before := keysOf(t, db)
					delay := time.Duration(random.Int64N(int64(span) + 1))
					if tries%2 == 1 { // half of them towards the end, where it writes
						delay = span - delay/4
					}
					if ran, dead := i.runKilled(feed, delay); dead {
						killed++
					} else { // the machine has more time for it than it had
						span = ran
					}
					lost(t, before, keysOf(t, db))
					if _, err := db.SQL().ExecContext(t.Context(), "UPDATE leases SET expires = 1"); err != nil { // some seconds later
						t.Fatal(err)
					}
					if tries%5 == 4 {
						i.must("sync", "all")
						calm.must("sync", "all")
						compare(t, content(t, db), content(t, other))
						lost(t, before, keysOf(t, db))
						day++
						i.upstream.Evolve(seed + day)
					}
					if t.Failed() {
						t.Fatalf("%s, try %d, killed after %s of %s, seed %d", feed, tries, delay, span, seed)
					}
				}
				t.Logf("%s: %d kills in %d runs of %s", feed, killed, tries, span)
				i.must("sync", "all")
				calm.must("sync", "all")
				compare(t, content(t, db), content(t, other))
			}
			var atWork, interrupted int
			err := db.SQL().QueryRowContext(t.Context(), `SELECT count(CASE WHEN state IN ('queued', 'running') THEN 1 END),
				count(CASE WHEN state = 'interrupted' THEN 1 END) FROM sync_runs`).Scan(&atWork, &interrupted)
			if err != nil || atWork != 0 || interrupted == 0 {
				t.Errorf("%d runs are at work, %d interrupted (%v)", atWork, interrupted, err)
			}
		})
	}
}

// runKilled runs codex sync in a process of its own and kills it so long after its first request; below
// zero it runs to its end. It tells how long it ran from there on, and whether it was killed.
func (i *installation) runKilled(feed codex.Feed, after time.Duration) (ran time.Duration, killed bool) {
	i.t.Helper()
	i.upstream.ForgetRequests()
	program, err := os.Executable()
	if err != nil {
		i.t.Fatal(err)
	}
	var output bytes.Buffer
	process := exec.CommandContext(i.t.Context(), program, "sync", string(feed))
	process.Dir, process.Env = i.dir, []string{asProgram + "=1", unscheduled, "PATH=" + os.Getenv("PATH")}
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		i.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for len(ended) == 0 && i.upstream.CountRequests("", "") == 0 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if after >= 0 {
		select {
		case err := <-ended:
			ended <- err
		case <-time.After(after):
			killed = process.Process.Kill() == nil
		}
	}
	err = <-ended
	if killed = killed && err != nil && !process.ProcessState.Exited(); err != nil && !killed {
		i.t.Fatalf("%v\n%s", err, &output)
	}
	i.noSecrets([]string{"sync"}, outcome{stdout: output.String()})
	return time.Since(began), killed
}

// change makes changes that lead to the same wherever a hub was when it saw them.
func (i *installation) change(n int) {
	i.t.Helper()
	truth := i.upstream.Truth()
	department, device := truth.Departments[n%len(truth.Departments)], truth.Devices[n%len(truth.Devices)]
	i.upstream.AddRequester(simulator.Requester{FirstName: "New", PrimaryEmail: new(fmt.Sprintf("new.%d.%d@x.example", n, len(truth.Requesters))), DepartmentIDs: []int64{department.ID}, Active: true})
	ticket := i.upstream.AddTicket(simulator.Ticket{Subject: new("New"), Status: simulator.StatusClosed, RequesterID: truth.Requesters[0].ID, DepartmentID: &department.ID,
		TimeEntries: []simulator.TimeEntry{{TimeSpent: new("00:40")}}})
	errs := []error{i.upstream.RenameDepartment(department.ID, fmt.Sprint("Company ", n)), i.upstream.RenameDevice(device.UID, fmt.Sprint("NAMED-", len(truth.Devices), "-", n))}
	if device.SiteUID != nil {
		_, err := i.upstream.AddDevice(*device.SiteUID, fmt.Sprint("NEW-", len(truth.Devices), "-", n), nil)
		errs = append(errs, err)
	}
	_, err := i.upstream.AddConversation(ticket, simulator.Conversation{Body: "done", BodyText: "done"})
	for _, err := range append(errs, err) {
		if err != nil {
			i.t.Fatal(err)
		}
	}
}

// open opens the installation's database beside the program.
func (i *installation) open(dialectName string) *store.DB {
	i.t.Helper()
	o := store.Options{Dialect: dialectName, Path: filepath.Join(i.dir, "instance", "codex.db"), Logger: slog.New(slog.DiscardHandler), Now: time.Now}
	if dialectName == dialect.Postgres {
		o.DSN = codex.Secret(regexp.MustCompile(`connection_string = (\S+)`).FindStringSubmatch(i.read("instance/codex.conf"))[1])
	}
	db, err := store.Open(i.t.Context(), o)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			i.t.Error(err)
		}
	})
	return db
}

// lines are what a query gives, sorted.
func lines(t *testing.T, db *store.DB, query string) []string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(values...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// keysOf are the local ids of all rows, by their upstreams' keys, and what may be there once alone.
func keysOf(t *testing.T, db *store.DB) []string {
	t.Helper()
	var all []string
	for name, query := range map[string]string{
		"company": "SELECT account_number, freshservice_id FROM companies", "ticket": "SELECT ticket_id, '' FROM tickets",
		"contact": "SELECT id, freshservice_id FROM contacts", "site": "SELECT id, datto_site_uid FROM datto_site_links", "machine": "SELECT id, '' FROM assets",
	} {
		for _, line := range lines(t, db, query) {
			all = append(all, name+" "+line)
		}
	}
	for _, table := range []string{"assets", "contacts", "companies", "tickets"} {
		key := map[string]string{"assets": "asset_id", "contacts": "contact_id", "companies": "account_number", "tickets": "ticket_id"}[table]
		if twice := lines(t, db, "SELECT "+key+" FROM "+table+"_history WHERE seen_to IS NULL GROUP BY "+key+" HAVING count(*) > 1"); len(twice) > 0 {
			t.Errorf("%s that have two open versions: %v", table, twice)
		}
	}
	return all
}

func lost(t *testing.T, before, after []string) {
	t.Helper()
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("lost: %s", line)
		}
	}
}

// content is what is served, without local ids.
func content(t *testing.T, db *store.DB) []string {
	t.Helper()
	var all []string
	for _, query := range []string{
		"SELECT account_number, name, freshservice_id, plan_selected, head_name FROM companies",
		"SELECT name, email, freshservice_id, active FROM contacts WHERE removed_at IS NULL",
		"SELECT c.freshservice_id, l.company_account_number FROM contacts c JOIN contact_company_link l ON l.contact_id = c.id WHERE c.removed_at IS NULL",
		"SELECT datto_uid, hostname, company_account_number, datto_site_uid, backup_bytes FROM assets WHERE removed_at IS NULL",
		"SELECT ticket_id, company_account_number, subject, status, spent_seconds, conversations, notes FROM tickets WHERE closed AND removed_at IS NULL",
		"SELECT e.id, e.ticket_id, e.spent_seconds FROM time_entries e JOIN tickets t ON t.ticket_id = e.ticket_id WHERE t.closed AND t.removed_at IS NULL",
	} {
		all = append(all, lines(t, db, query)...)
	}
	return all
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("beyond %s", strings.TrimSpace(line))
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("lacks  %s", strings.TrimSpace(line))
		}
	}
	if len(got) != len(want) || len(want) < 100 {
		t.Errorf("%d lines, the calm one has %d", len(got), len(want))
	}
}
