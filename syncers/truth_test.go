package syncers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// reading is what the world's records mean, read without the product's code: a line a row.
type reading struct{ companies, contacts, links, assets, tickets []string }

// emails are the addresses of everybody who ever was: the hub knows them still when they have gone.
func read(truth simulator.Truth, now time.Time, emails map[int64]string) reading {
	var r reading
	accountOf := make(map[int64]string)
	served := make(map[string]bool)
	for _, d := range truth.Departments {
		number := strings.TrimSpace(fmt.Sprint(orEmpty(d.CustomFields["account_number"])))
		if number == "" {
			continue
		}
		accountOf[d.ID], served[number] = number, true
		r.companies = append(r.companies, fmt.Sprintf("account_number=%s name=%s plan=%v", number, d.Name, orEmpty(d.CustomFields["plan_selected"])))
	}
	for _, p := range truth.Requesters {
		if p.PrimaryEmail == nil {
			continue
		}
		emails[p.ID] = *p.PrimaryEmail
		name := strings.TrimSpace(p.FirstName + " " + pointed(p.LastName))
		r.contacts = append(r.contacts, fmt.Sprintf("email=%s name=%s active=%s mobile=%s", *p.PrimaryEmail, name, digit(p.Active), orNull(p.MobilePhoneNumber)))
		for _, d := range p.DepartmentIDs {
			if account, ok := accountOf[d]; ok {
				r.links = append(r.links, fmt.Sprintf("email=%s account=%s", *p.PrimaryEmail, account))
			}
		}
	}
	for _, a := range truth.Agents {
		emails[a.ID] = a.Email
	}
	bySite := make(map[string]string)
	for _, s := range truth.Sites {
		for _, v := range s.Variables {
			if v.Name == "AccountNumber" && !v.Masked && v.Value != nil && served[strings.TrimSpace(*v.Value)] {
				bySite[s.UID] = strings.TrimSpace(*v.Value)
			}
		}
	}
	for _, d := range truth.Devices {
		account, placed := bySite[pointed(d.SiteUID)]
		if !placed || d.Hostname == nil || d.Deleted != nil && *d.Deleted {
			continue
		}
		backup := "null"
		if len(d.UDF) > 5 {
			if n, err := strconv.ParseInt(fmt.Sprint(orEmpty(d.UDF[5])), 10, 64); err == nil {
				backup = strconv.FormatInt(n, 10)
			}
		}
		r.assets = append(r.assets, fmt.Sprintf("uid=%s account=%s hostname=%s backup=%s", d.UID, account, *d.Hostname, backup))
	}
	for _, t := range truth.Tickets {
		if t.Status != 5 || t.Deleted || t.Spam || t.WorkspaceID != 2 || t.DepartmentID == nil || t.UpdatedAt.Before(now.AddDate(-1, 0, 0)) {
			continue
		}
		account, placed := accountOf[*t.DepartmentID]
		if !placed {
			continue
		}
		seconds := 0
		for _, e := range t.TimeEntries {
			seconds += secondsOf(pointed(e.TimeSpent))
		}
		notes := 0
		for _, c := range t.Conversations {
			if c.Private {
				notes++
			}
		}
		r.tickets = append(r.tickets, fmt.Sprintf("id=%d account=%s seconds=%d entries=%d public=%d notes=%d updated=%s requester=%s",
			t.ID, account, seconds, len(t.TimeEntries), len(t.Conversations)-notes, notes, t.UpdatedAt.UTC().Format(time.RFC3339Nano), orNullText(emails[t.RequesterID])))
	}
	return r
}

func secondsOf(spent string) int {
	total, unit := 0, 3600
	for _, part := range strings.Split(spent, ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0
		}
		total += n * unit
		unit /= 60
	}
	return total
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func pointed(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func orNullText(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// check compares what the hub serves with the reading of the world.
func (h *hub) check() {
	h.t.Helper()
	h.checkPeopleAndMachines()
	h.checkTickets()
}

func (h *hub) checkPeopleAndMachines() {
	h.t.Helper()
	want := read(h.world.Truth(), h.clock.now(), h.people)
	for _, part := range []struct {
		name, query string
		want        []string
	}{
		{"companies", "SELECT account_number, name, coalesce(plan_selected, '') AS plan FROM companies", want.companies},
		{"contacts", "SELECT email, name, active, mobile_phone_number AS mobile FROM contacts WHERE removed_at IS NULL", want.contacts},
		{"links", `SELECT c.email, l.company_account_number AS account FROM contact_company_link l
			JOIN contacts c ON c.id = l.contact_id WHERE c.removed_at IS NULL`, want.links},
		{"assets", `SELECT datto_uid AS uid, company_account_number AS account, hostname, backup_bytes AS backup
			FROM assets WHERE removed_at IS NULL`, want.assets},
	} {
		h.compare(part.name, h.dump(part.query), part.want)
	}
}

func (h *hub) checkTickets() {
	h.t.Helper()
	want := read(h.world.Truth(), h.clock.now(), h.people)
	var tickets []string
	rows, err := h.db.SQL().QueryContext(h.t.Context(), `SELECT ticket_id, company_account_number, spent_seconds,
		(SELECT count(*) FROM time_entries e WHERE e.ticket_id = t.ticket_id), conversations, notes, last_updated_at, requester_email
		FROM tickets t WHERE closed AND removed_at IS NULL AND status_code = 5`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, seconds, entries int
		var account, public, notes string
		var updated time.Time
		var requester *string
		if err := rows.Scan(&id, &account, &seconds, &entries, &public, &notes, &updated, &requester); err != nil {
			h.t.Fatal(err)
		}
		tickets = append(tickets, fmt.Sprintf("id=%d account=%s seconds=%d entries=%d public=%d notes=%d updated=%s requester=%s", id, account, seconds, entries,
			strings.Count(public, `"body_html"`), strings.Count(notes, `"body_html"`), updated.UTC().Format(time.RFC3339Nano), orNull(requester)))
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(tickets)
	h.compare("tickets", strings.Join(tickets, "\n"), want.tickets)
}

// compare shows what is on one side alone.
func (h *hub) compare(name, dump string, want []string) {
	h.t.Helper()
	got := strings.Split(dump, "\n")
	slices.Sort(want)
	if len(want) == 0 {
		h.t.Errorf("the world has no %s: this test shows nothing", name)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			h.t.Errorf("%s lack   %s", name, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			h.t.Errorf("%s beyond %s", name, line)
		}
	}
	if len(got) != len(want) {
		h.t.Errorf("%d %s, the world has %d", len(got), name, len(want))
	}
}

func TestAFirstSyncServesWhatTheWorldHolds(t *testing.T) {
	each(t, small(), func(t *testing.T, h *hub) {
		h.sync()
		h.check()
	})
}

func TestDaysOfChangesLeaveWhatTheWorldHolds(t *testing.T) {
	each(t, simulator.Options{Companies: 6, Assets: 60, Contacts: 60, Tickets: 60, Plain: true}, func(t *testing.T, h *hub) {
		h.sync()
		h.check()
		for day := range uint64(4) {
			h.pass(24 * time.Hour)
			h.world.Evolve(day + 1)
			h.pass(time.Hour)
			h.sync()
			h.check()
		}
	})
}

// TestBothDatabasesHoldTheSame: the same changes of the same world, told to each.
func TestBothDatabasesHoldTheSame(t *testing.T) {
	dumps := make(map[string]string)
	each(t, small(), func(t *testing.T, h *hub) {
		h.sync()
		h.pass(24 * time.Hour)
		h.world.Evolve(7)
		h.pass(time.Hour)
		h.sync()
		dumps[h.db.Dialect()] = h.data() + "\n" + h.dump("SELECT feed, kind, upstream_id, reason, company_account_number, first_seen_at, last_seen_at, closed_at FROM sync_issues") +
			"\n" + h.dump("SELECT feed, cursor, run_mode, done FROM sync_checkpoints") + "\n" + h.dump("SELECT feed, state, counts, error, output, requests FROM sync_runs")
	})
	sqlite, postgres := strings.Split(dumps["sqlite3"], "\n"), strings.Split(dumps["postgres"], "\n")
	if len(sqlite) < 500 || len(sqlite) != len(postgres) {
		t.Fatalf("SQLite holds %d lines, PostgreSQL %d", len(sqlite), len(postgres))
	}
	for i := range sqlite {
		if sqlite[i] != postgres[i] {
			t.Fatalf("line %d differs:\n%s\n%s", i, sqlite[i], postgres[i])
		}
	}
}
