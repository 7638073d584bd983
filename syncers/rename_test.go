package syncers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// renumber gives the customer another account number where upstreams keep it: its department, and the
// variables of its sites.
func (h *hub) renumber(customer simulator.Department, to string) {
	h.t.Helper()
	h.must(h.world.SetAccountNumber(customer.ID, to))
	h.renumberSites(number(customer), to)
}

func (h *hub) renumberSites(from, to string) {
	h.t.Helper()
	for _, s := range h.world.Truth().Sites {
		for _, v := range s.Variables {
			if v.Name == "AccountNumber" && v.Value != nil && *v.Value == from {
				h.must(h.world.SetVariable(s.UID, "AccountNumber", to, false))
			}
		}
	}
}

// rename renames a company, and demands that it can be.
func (h *hub) rename(from, to string) {
	h.t.Helper()
	company, err := h.engine.RenameCompany(h.t.Context(), codex.AccountNumber(from), codex.AccountNumber(to), "ann")
	h.must(err)
	if string(company.ID) != strings.TrimSpace(to) {
		h.t.Errorf("%s was renamed to %s and is %s", from, to, company.ID)
	}
}

// presentTables are those that tell which company a row belongs to, and what hangs on such rows.
func presentTables() []string {
	return []string{
		"companies", "contacts", "contact_company_link", "locations", "datto_site_links", "assets", "asset_contact_link",
		"backup_readings", "tickets", "time_entries", "sync_issues",
	}
}

// present are the rows of the present, by table.
func (h *hub) present() map[string]string {
	h.t.Helper()
	rows := make(map[string]string)
	for _, table := range presentTables() {
		rows[table] = h.dump("SELECT * FROM " + table)
	}
	return rows
}

// versions are the open versions of all tables, without whence they came.
func (h *hub) versions() map[string]string {
	h.t.Helper()
	rows := make(map[string]string)
	for _, table := range dataTables() {
		if strings.HasSuffix(table, "_history") {
			origin := regexp.MustCompile(`(?m)(^| )(id|seen_from|run_id|changed_by)=\S+`)
			rows[table] = sorted(origin.ReplaceAllString(h.dump("SELECT * FROM "+table+" WHERE seen_to IS NULL"), ""))
		}
	}
	return rows
}

func sorted(lines string) string {
	list := strings.Split(lines, "\n")
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// under is a dump with account numbers written as numbers says.
func under(rows map[string]string, numbers map[string]string) map[string]string {
	account := regexp.MustCompile(`account_number=(\S+)`)
	renamed := make(map[string]string, len(rows))
	for table, lines := range rows {
		renamed[table] = sorted(account.ReplaceAllStringFunc(lines, func(field string) string {
			name, value, _ := strings.Cut(field, "=")
			if to, found := numbers[value]; found {
				value = to
			}
			return name + "=" + value
		}))
	}
	return renamed
}

// differ fails for each line that only one of two dumps has.
func differ(t interface {
	Helper()
	Errorf(format string, args ...any)
}, what string, got, want map[string]string) {
	t.Helper()
	for table := range want {
		if got[table] == want[table] {
			continue
		}
		g, w := strings.Split(got[table], "\n"), strings.Split(want[table], "\n")
		for _, line := range g {
			if !slices.Contains(w, line) {
				t.Errorf("%s: %s beyond %s", what, table, line)
			}
		}
		for _, line := range w {
			if !slices.Contains(g, line) {
				t.Errorf("%s: %s lack   %s", what, table, line)
			}
		}
	}
}

// customer is a world's second company, with a yard of machines, an office, people and tickets.
func (h *hub) customer() simulator.Department {
	h.t.Helper()
	one := h.customers()[1]
	h.yard(one, 4)
	h.hire(one.ID, 3)
	h.must(h.world.SetDepartmentField(one.ID, "address", "1 Main Street"))
	h.closed(one.ID)
	h.closed(one.ID)
	return one
}

// unchanged demands that a sync of all feeds writes nothing.
func (h *hub) unchanged(what string) {
	h.t.Helper()
	h.pass(time.Hour)
	before := h.data()
	for entity, c := range h.sync() {
		if c.Created+c.Updated+c.Removed+c.Held != 0 {
			h.t.Errorf("%s: %s: %+v", what, entity, c)
		}
	}
	if h.data() != before {
		h.t.Errorf("%s: the next sync wrote", what)
	}
}

func TestARenamedCompanyTakesAllThatIsItsOwnAlong(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		from, to := number(one), "NEW-1"
		gone, err := h.world.AddDevice(h.sites(from)[0], "GONE", func(*simulator.Device) {})
		h.must(err)
		h.sync()
		h.pass(time.Hour)
		h.must(h.world.RemoveDevice(gone)) // a machine that is removed is the company's too
		h.sync()
		h.pass(time.Hour)
		h.renumber(one, to)
		h.sync()
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, []string{fmt.Sprint("account_number_changed ", one.ID)}) {
			t.Fatalf("issues %v", got)
		}
		before, versions := h.present(), h.versions()
		ended := h.value("SELECT count(*) FROM assets_history WHERE seen_to IS NOT NULL")
		h.pass(time.Hour)
		h.rename(from, " "+to+" ")

		differ(t, "the present", h.present(), under(before, map[string]string{from: to}))
		differ(t, "open versions", h.versions(), under(versions, map[string]string{from: to}))
		for _, table := range dataTables() {
			column, isHistory := map[string]string{
				"companies_history": "account_number", "contact_company_link_history": "company_account_number", "locations_history": "company_account_number",
				"assets_history": "company_account_number", "tickets_history": "company_account_number",
			}[table]
			if !isHistory {
				continue
			}
			was := "FROM " + table + " WHERE " + column + " = '" + from + "' AND seen_to = (SELECT max(seen_to) FROM " + table + ")"
			n := h.value("SELECT count(*) " + was)
			h.is("SELECT ended_by, ended_run_id, count(*) AS n "+was+" GROUP BY ended_by, ended_run_id", "ended_by=ann ended_run_id=null n="+n)
			h.is("SELECT changed_by, run_id, seen_to, count(*) AS n FROM "+table+" WHERE "+column+" = '"+to+"' GROUP BY changed_by, run_id, seen_to",
				"changed_by=ann run_id=null seen_to=null n="+n)
			h.is("SELECT count(*) AS n FROM "+table+" WHERE "+column+" = '"+from+"' AND seen_to IS NULL", "n=0")
		}
		if h.value("SELECT count(*) FROM assets_history WHERE seen_to IS NOT NULL AND ended_by IS NULL") != ended {
			t.Error("what ended before is as it was no more")
		}
		h.unchanged("after the rename")
		h.check()
		if open := append(h.issues(codex.FeedFreshservice), h.issues(codex.FeedDatto)...); len(open) != 0 {
			t.Errorf("issues stay open: %v", open)
		}
	})
}

// sites are the sites whose variable has a number.
func (h *hub) sites(account string) []string {
	var uids []string
	for _, s := range h.world.Truth().Sites {
		for _, v := range s.Variables {
			if v.Name == "AccountNumber" && v.Value != nil && *v.Value == account {
				uids = append(uids, s.UID)
			}
		}
	}
	return uids
}

// The monthly bills go on being made for a company that their schedule names.
func TestARenamedCompanyKeepsItsPlaceInTheSchedule(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		from := number(h.customer())
		h.sync()
		was := h.db.Now()
		h.must(h.db.Ent().ScheduledSnapshot.Create().SetID(1).SetCreatedAt(was).SetUpdatedAt(was).SetOwedSince(was).
			SetSnapshotAllCompanies(false).SetAccountNumbers(`["0","` + from + `","1"]`).SetUpdatedBy("ben").Exec(t.Context()))
		h.pass(time.Hour)
		h.rename(from, "NEW-1")
		row := h.db.Ent().ScheduledSnapshot.GetX(t.Context(), 1)
		if got := *row.AccountNumbers; got != `["0","NEW-1","1"]` || !row.UpdatedAt.Equal(was) || *row.UpdatedBy != "ben" {
			t.Errorf("the schedule is %v", row)
		}
	})
}

// TestEveryTableWithAnAccountNumberKnowsRenames: a table that is new must be moved, or be named here.
func TestEveryTableWithAnAccountNumberKnowsRenames(t *testing.T) {
	moved := []string{
		"companies", "contact_company_link", "locations", "datto_site_links", "assets", "tickets", "sync_issues",
		"companies_history", "contact_company_link_history", "locations_history", "assets_history", "tickets_history",
		"scheduled_snapshots",
	}
	stays := map[string]string{
		"sync_changes":           "what a plan was going to do is said under the number of then",
		"snapshots":              "a bill that is archived keeps the number that it was made with",
		"acknowledgements":       "what people said of a bill is kept as they said it, under the number of the bill",
		"snapshot_jobs":          "what a job was asked for is kept; it knows companies under their former numbers",
		"snapshot_job_companies": "what became of a bill is kept under the number that it was asked for",
	}
	for _, table := range migrate.Tables {
		for _, column := range table.Columns {
			if !strings.Contains(column.Name, "account_number") {
				continue
			}
			if _, known := stays[table.Name]; !known && !slices.Contains(moved, table.Name) {
				t.Errorf("what becomes of %s.%s when a company is renamed?", table.Name, column.Name)
			}
		}
	}
}

func TestThePastKnowsARenamedCompanyByTheNumberThatItHad(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		from, to := codex.AccountNumber(number(one)), codex.AccountNumber("NEW-1")
		h.sync()
		h.pass(time.Hour)
		before := h.clock.now()
		h.pass(time.Hour)
		h.rename(string(from), string(to))
		at := h.clock.now()
		h.pass(time.Hour)
		r := query.New(h.db.Ent(), query.Rules{})
		for _, step := range []struct {
			name       string
			at         time.Time
			is, is_not codex.AccountNumber
		}{{"before", before, from, to}, {"just before", at.Add(-time.Microsecond), from, to}, {"from then on", at, to, from}, {"now", h.clock.now(), to, from}} {
			past, err := r.AsOf(t.Context(), step.at, h.clock.now())
			h.must(err)
			if _, err := past.Company(t.Context(), step.is_not); codex.CodeOf(err) != codex.CodeNotFound {
				t.Errorf("%s: there is %s too: %v", step.name, step.is_not, err)
			}
			company, err := past.Company(t.Context(), step.is)
			h.must(err)
			if company.Name != one.Name {
				t.Errorf("%s: %s", step.name, company.Name)
			}
			accounts := []codex.AccountNumber{step.is}
			assets, err := past.AssetsByCompany(t.Context(), accounts, query.Edge{})
			h.must(err)
			people, err := past.ContactsByCompany(t.Context(), accounts, query.Edge{})
			h.must(err)
			places, err := past.LocationsByCompany(t.Context(), accounts, query.Edge{})
			h.must(err)
			tickets, err := past.TicketsByCompany(t.Context(), accounts, query.TicketFilter{}, query.Edge{})
			h.must(err)
			got := fmt.Sprintf("%d machines, %d people, %d places, %d tickets", len(assets[step.is]), len(people[step.is]), len(places[step.is]), len(tickets[step.is]))
			want := fmt.Sprintf("%s machines, %s people, %s places, %s tickets",
				h.value("SELECT count(*) FROM assets WHERE company_account_number = $1", to), h.value("SELECT count(*) FROM contact_company_link WHERE company_account_number = $1", to),
				h.value("SELECT count(*) FROM locations WHERE company_account_number = $1", to), h.value("SELECT count(*) FROM tickets WHERE company_account_number = $1", to))
			if got != want || strings.Contains(want, " 0 ") || strings.HasPrefix(want, "0") {
				t.Errorf("%s: %s, want %s", step.name, got, want)
			}
		}
		changes, err := r.Changes(t.Context(), query.Page{First: 1000}, query.ChangeFilter{Entity: query.EntityCompany, From: at})
		h.must(err)
		var got []string
		for _, c := range changes.Rows {
			got = append(got, fmt.Sprintf("%s %s by %s, run %q", c.Kind, c.RecordID, *c.ChangedBy, c.Run))
		}
		want := []string{fmt.Sprintf("created %s by ann, run %q", to, ""), fmt.Sprintf("removed %s by ann, run %q", from, "")}
		if !slices.Equal(got, want) {
			t.Errorf("changes %q, want %q", got, want)
		}
		moved, err := r.Changes(t.Context(), query.Page{First: 1}, query.ChangeFilter{Entity: query.EntityAsset, From: at})
		h.must(err)
		if c := moved.Rows[0]; c.Kind != query.ChangeChanged || *c.ChangedBy != "ann" || len(c.Fields) != 1 || *c.Fields[0].Old != string(from) || *c.Fields[0].New != string(to) {
			t.Errorf("a machine's change is %+v", c)
		}
	})
}

// Upstreams may be told of the new number later: then the hub says what to mend, and takes nothing away.
func TestUpstreamsThatStillHaveTheOldNumberLoseNothing(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		from, to := number(one), "NEW-1"
		h.sync()
		h.pass(time.Hour)
		h.rename(from, to)
		h.unchanged("nobody has told the upstreams")
		issue := h.dump("SELECT company_account_number AS account, reason FROM sync_issues WHERE closed_at IS NULL AND feed = 'freshservice'")
		if want := fmt.Sprintf("account=%[1]s reason=The department %[2]q has the account number %[3]s now; the company stays %[1]s until an admin renames it: codex company rename %[1]s %[3]s, or the mutation renameCompany.", to, one.Name, from); issue != want {
			t.Errorf("the issue is %s\nwant         %s", issue, want)
		}
		machines := h.value("SELECT count(*) FROM assets WHERE company_account_number = $1 AND removed_at IS NULL", to)
		h.is("SELECT company_account_number AS account, count(*) AS n FROM sync_issues WHERE closed_at IS NULL AND kind = 'device_without_company' GROUP BY company_account_number",
			"account="+from+" n="+machines)
		if reasons := h.dump("SELECT reason FROM sync_issues WHERE closed_at IS NULL AND kind = 'device_without_company'"); strings.Count(reasons, "stays with the company NEW-1, but its site") != strings.Count(reasons, "reason=") ||
			!strings.Contains(reasons, "has the account number "+from+", which no company has: correct the site's variable AccountNumber in Datto RMM.") {
			t.Errorf("the issues do not say what to mend: %s", reasons)
		}
		ticket := h.closed(one.ID)
		h.tick()
		h.is(fmt.Sprintf("SELECT company_account_number AS account FROM tickets WHERE ticket_id = %d", ticket), "account="+to)
		h.must(h.world.SetAccountNumber(one.ID, to))
		h.unchanged("the department has the new number")
		h.renumberSites(from, to)
		h.unchanged("its sites have it too")
		h.check()
		if open := append(h.issues(codex.FeedFreshservice), h.issues(codex.FeedDatto)...); len(open) != 0 {
			t.Errorf("issues stay open: %v", open)
		}
	})
}

// Two departments had one number, and one of them has another now: with the rename they part.
func TestADepartmentThatKeepsTheOldNumberIsACompanyOfItsOwnAfterARename(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		from, to := number(one), "NEW-1"
		twin := h.world.AddDepartment(simulator.Department{Name: "Twin", CustomFields: map[string]any{"account_number": from}})
		h.hire(twin, 2)
		h.sync()
		h.pass(time.Hour)
		h.renumber(one, to)
		h.rename(from, to)
		h.sync()
		h.is("SELECT account_number AS account, name FROM companies WHERE account_number IN ('"+from+"', '"+to+"')", "account="+from+" name=Twin", "account="+to+" name="+one.Name)
		h.is("SELECT count(*) AS n FROM contact_company_link WHERE company_account_number = '"+from+"'", "n=2")
		if open := h.issues(codex.FeedFreshservice); len(open) != 0 {
			t.Errorf("issues stay open: %v", open)
		}
		h.unchanged("they have parted")
	})
}

func TestARenameThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		all := h.customers()
		one, other := number(all[1]), number(all[2])
		left := h.leaver("LEFT-1", "Left Ltd")
		h.archive("LEFT-1")
		before := h.everything()
		long := strings.Repeat("9", 201)
		for name, test := range map[string]struct {
			from, to string
			code     codex.Code
			field    string
			text     string
		}{
			"no such company":             {"nobody", "x", codex.CodeNotFound, "accountNumber", "there is no company nobody"},
			"an archived one":             {"LEFT-1", "x", codex.CodeNotFound, "accountNumber", "there is no company LEFT-1"},
			"another has the number":      {one, other, codex.CodeConflict, "", fmt.Sprintf("the company %q has the account number %s: two companies are not made one. Give that one another number first, or choose another one", all[2].Name, other)},
			"an archived one has it":      {one, "LEFT-1", codex.CodeConflict, "", fmt.Sprintf("the archived company %q has the account number LEFT-1, and gets it back if it returns: choose another one", left.Name)},
			"the number that it has":      {one, " " + one, codex.CodeBadInput, "to", "the company has this number already"},
			"no new number":               {one, "", codex.CodeBadInput, "to", "an account number is not empty"},
			"a blank one":                 {one, " \t", codex.CodeBadInput, "to", "an account number is not empty"},
			"one that is too long":        {one, long, codex.CodeBadInput, "to", "an account number has at most 200 bytes"},
			"one that no database keeps":  {one, "a\x00b", codex.CodeBadInput, "to", "an account number is text without NUL characters, in UTF-8"},
			"no old number":               {"  ", "x", codex.CodeBadInput, "accountNumber", "an account number is not empty"},
			"an old one that is too long": {long, "x", codex.CodeBadInput, "accountNumber", "an account number has at most 200 bytes"},
		} {
			_, err := h.engine.RenameCompany(t.Context(), codex.AccountNumber(test.from), codex.AccountNumber(test.to), "ann")
			if got := coded(err); got.Code != test.code || got.Field != test.field || got.Message != test.text {
				t.Errorf("%s: %s %s %q, want %q", name, got.Code, got.Field, got.Message, test.text)
			}
		}
		if h.everything() != before {
			t.Error("rows changed")
		}
	})
}

// TestRenamesLeaveThePresentAsItWasUnderOtherNumbers: whatever the order, and back again.
func TestRenamesLeaveThePresentAsItWasUnderOtherNumbers(t *testing.T) {
	each(t, simulator.Options{Companies: 4, Assets: 12, Contacts: 12, Tickets: 8, Plain: true}, func(t *testing.T, h *hub) {
		h.sync()
		origin, versions := h.present(), h.versions()
		var numbers []string
		for _, c := range h.customers() {
			numbers = append(numbers, number(c))
		}
		pool := append(slices.Clone(numbers), "A", "B", "Ä7")
		rapid.Check(t, func(t *rapid.T) {
			now := make(map[string]string) // by the number that each had in the beginning
			for _, n := range numbers {
				now[n] = n
			}
			for range rapid.IntRange(1, 6).Draw(t, "renames") {
				from, to := rapid.SampledFrom(pool).Draw(t, "from"), rapid.SampledFrom(pool).Draw(t, "to")
				whose := ""
				taken := false
				for first, n := range now {
					if n == from {
						whose = first
					}
					taken = taken || n == to
				}
				want := codex.Code("")
				switch {
				case from == to:
					want = codex.CodeBadInput
				case whose == "":
					want = codex.CodeNotFound
				case taken:
					want = codex.CodeConflict
				default:
					now[whose] = to
				}
				if _, err := h.engine.RenameCompany(context.Background(), codex.AccountNumber(from), codex.AccountNumber(to), "ann"); codex.CodeOf(err) != want {
					t.Fatalf("%s to %s: %v, want %q", from, to, err, want)
				}
			}
			differ(t, "the present", h.present(), under(origin, now))
			differ(t, "open versions", h.versions(), under(versions, now))
			for i, aside := range []string{"aside-", ""} { // two may have changed places
				for j, first := range numbers {
					from, to := now[first], fmt.Sprint(aside, j)
					if i == 1 {
						from, to = fmt.Sprint("aside-", j), first
					}
					if _, err := h.engine.RenameCompany(context.Background(), codex.AccountNumber(from), codex.AccountNumber(to), "ben"); err != nil {
						t.Fatal(err)
					}
				}
			}
			differ(t, "the present, renamed back", h.present(), under(origin, nil))
			differ(t, "open versions, renamed back", h.versions(), under(versions, nil))
		})
	})
}

// A run that read the upstreams before a rename writes what it read for the company as it is called now.
func TestARenameMeetsRunsAtWork(t *testing.T) {
	for feed, path := range map[codex.Feed]string{
		codex.FeedFreshservice: "/api/v2/requesters", codex.FeedDatto: "/api/v2/account/devices", codex.FeedTickets: "/api/v2/tickets/*/time_entries",
	} {
		t.Run(string(feed), func(t *testing.T) {
			each(t, tiny(), func(t *testing.T, h *hub) {
				one := h.customer()
				from, to := number(one), "NEW-1"
				orphan := h.closed(one.ID)
				h.sync()
				h.pass(time.Hour)
				h.must(h.world.MoveTicket(orphan, nil)) // it stays with its company, whatever that is called
				h.hire(one.ID, 2)                       // something to write for each feed
				h.machines(h.sites(from)[0], 1)
				added := h.closed(one.ID)
				working, goOn := make(chan struct{}), make(chan struct{})
				var once sync.Once
				h.watch(path, func(int, *http.Request) {
					once.Do(func() { close(working) })
					<-goOn
				})
				run := h.start(h.engine, syncers.Request{Feed: feed})
				<-working
				h.rename(from, to)
				close(goOn)
				ended := h.wait(h.engine, run.ID)
				h.expect(ended, codex.RunSucceeded)
				h.is("SELECT count(*) AS n FROM companies WHERE account_number = '"+from+"'", "n=0")
				h.world.ClearFaults()
				h.renumber(one, to)
				h.pass(time.Hour)
				h.sync()
				h.checkPeopleAndMachines()
				h.is(fmt.Sprintf("SELECT company_account_number AS account, spent_seconds AS seconds FROM tickets WHERE ticket_id IN (%d, %d)", orphan, added),
					"account="+to+" seconds=3600", "account="+to+" seconds=3600")
				h.unchanged("after the run and the rename")
			})
		})
	}
}

// coded is the error with a code in err.
func coded(err error) codex.Error {
	var found *codex.Error
	if errors.As(err, &found) {
		return *found
	}
	return codex.Error{}
}
