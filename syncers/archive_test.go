package syncers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// leaver is a company that no department has any more.
func (h *hub) leaver(account, name string) simulator.Department {
	h.t.Helper()
	id := h.world.AddDepartment(simulator.Department{Name: name, CustomFields: map[string]any{"account_number": account}})
	h.sync(codex.FeedFreshservice)
	left, _ := h.world.Department(id)
	h.leave(left)
	return left
}

// leave takes the account number off a department, which is what makes a company leave.
func (h *hub) leave(customer simulator.Department) {
	h.t.Helper()
	h.must(h.world.RemoveDepartmentField(customer.ID, "account_number"))
	h.pass(time.Hour)
	h.sync(codex.FeedFreshservice)
}

// archive archives a company, and demands that it can be.
func (h *hub) archive(account string) *ent.Company {
	h.t.Helper()
	archived, err := h.engine.ArchiveCompany(h.t.Context(), codex.AccountNumber(account), "ann")
	h.must(err)
	if string(archived.ID) != account || archived.ArchivedAt == nil || !archived.ArchivedAt.Equal(h.clock.now()) {
		h.t.Errorf("the archived company is %v", archived)
	}
	return archived
}

// ids are the ids of what a query selects.
func (h *hub) ids(query string) []int {
	h.t.Helper()
	var ids []int
	for _, line := range strings.Split(h.dump(query), "\n") {
		_, text, _ := strings.Cut(line, "=")
		id, err := strconv.Atoi(text)
		h.must(err)
		ids = append(ids, id)
	}
	return ids
}

// withoutIssues are the rows of the present but for issues, which say what runs have met.
func withoutIssues(rows map[string]string) map[string]string {
	delete(rows, "sync_issues")
	return rows
}

func TestAnArchivedCompanyIsServedNoMoreAndComesBackAsItWas(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		ctx := t.Context()
		one := h.customer()
		account := codex.AccountNumber(number(one))
		h.sync()
		company := "companies WHERE account_number = '" + string(account) + "'"
		kept := h.dump("SELECT * FROM " + company)
		h.leave(one)
		h.sync()
		before := h.clock.now()
		present, versions := withoutIssues(h.present()), h.versions()
		h.pass(time.Hour)
		h.archive(string(account))
		h.pass(time.Hour)

		served := query.New(h.db.Ent(), query.Rules{})
		past := func(at time.Time) *query.Past {
			p, err := served.AsOf(ctx, at, h.clock.now())
			h.must(err)
			return p
		}
		of := " WHERE company_account_number = '" + string(account) + "' ORDER BY 1"
		asset, ticket := h.ids("SELECT id FROM assets" + of)[0], h.ids("SELECT ticket_id FROM tickets" + of)[0]
		contact := h.ids("SELECT contact_id FROM contact_company_link" + of)[0]
		answers := func() string {
			var found []string
			then, now := past(before), past(h.clock.now())
			for name, err := range map[string]error{
				"company": second(served.Company(ctx, account)), "asset": second(served.Asset(ctx, asset)), "ticket": second(served.Ticket(ctx, ticket)),
				"contact": second(served.Contact(ctx, contact)), "company as of now": second(now.Company(ctx, account)), "asset as of now": second(now.Asset(ctx, asset)),
				"ticket as of now": second(now.Ticket(ctx, ticket)), "company as of then": second(then.Company(ctx, account)),
				"asset as of then": second(then.Asset(ctx, asset)), "ticket as of then": second(then.Ticket(ctx, ticket)),
			} {
				if err == nil {
					found = append(found, name)
				} else if codex.CodeOf(err) != codex.CodeNotFound {
					t.Errorf("%s: %v", name, err)
				}
			}
			theirs, err := served.CompaniesByContact(ctx, []int{contact})
			h.must(err)
			users, err := served.AssetsByContact(ctx, h.ids("SELECT id FROM contacts"))
			h.must(err)
			for _, list := range users {
				if slices.ContainsFunc(list, func(a *ent.Asset) bool { return a.CompanyAccountNumber == account }) {
					found = append(found, "its machines by their users")
					break
				}
			}
			if len(theirs[contact]) > 0 {
				found = append(found, "companies of the contact")
			}
			if h.value("SELECT count(*) FROM ticket_details WHERE company_account_number = $1", account) != "0" {
				found = append(found, "its tickets in the view")
			}
			slices.Sort(found)
			return strings.Join(found, ", ")
		}
		// A requester whom Freshservice lists stays a contact.
		const was = "asset as of then, company as of then, contact, ticket as of then"
		if got := answers(); got != was {
			t.Errorf("served are: %s\nwant       %s", got, was)
		}
		h.is("SELECT ended_by, ended_run_id, count(*) AS n FROM companies_history WHERE account_number = '"+string(account)+"' GROUP BY ended_by, ended_run_id", "ended_by=ann ended_run_id=null n=1")
		changes, err := served.Changes(ctx, query.Page{First: 10}, query.ChangeFilter{From: before.Add(time.Minute)})
		h.must(err)
		if len(changes.Rows) != 1 || changes.Rows[0].Kind != query.ChangeRemoved || *changes.Rows[0].ChangedBy != "ann" || changes.Rows[0].Run != "" {
			t.Errorf("changes %+v", changes.Rows)
		}
		if open := h.issues(codex.FeedFreshservice); len(open) != 0 {
			t.Errorf("issues stay open: %v", open)
		}

		h.unchanged("after archiving")
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, []string{fmt.Sprint("no_account_number ", one.ID)}) {
			t.Errorf("issues %v", got)
		}
		if reasons := h.dump("SELECT reason FROM sync_issues WHERE closed_at IS NULL AND kind = 'device_without_company'"); !strings.Contains(reasons, "belongs to no company: its site") ||
			strings.Count(reasons, "the account number "+string(account)+", whose company is archived.") != strings.Count(reasons, "reason=") {
			t.Errorf("the issues of its machines: %s", reasons)
		}
		h.pass(time.Hour)
		full := h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		h.expect(full, codex.RunSucceeded)
		for _, c := range h.counts(full) {
			if c.Created+c.Updated+c.Removed != 0 {
				t.Errorf("a full sync of tickets: %+v", c)
			}
		}
		h.is("SELECT count(*) AS n FROM sync_issues WHERE kind = 'ticket_without_company'", "n=0")

		h.must(h.world.SetAccountNumber(one.ID, string(account)))
		h.pass(time.Hour)
		h.countOf(h.sync(codex.FeedFreshservice), "companies", 0, 1, 0)
		differ(t, "back again", withoutIssues(h.present()), present)
		differ(t, "open versions, back again", h.versions(), versions)
		if got := h.dump("SELECT * FROM " + company); got != kept {
			t.Errorf("the company is back as\n%s\nwas\n%s", got, kept)
		}
		h.is("SELECT kind, count(*) AS n FROM sync_issues WHERE closed_at IS NULL AND feed = 'freshservice' GROUP BY kind", "")
		h.unchanged("with the company back")
		h.check()
		const all = "asset, asset as of now, asset as of then, companies of the contact, company, company as of now, company as of then, contact, its tickets in the view, ticket, ticket as of now, ticket as of then"
		if got := strings.Replace(answers(), "its machines by their users, ", "", 1); got != all {
			t.Errorf("served are: %s\nwant       %s", got, all)
		}
		back, err := served.Changes(ctx, query.Page{First: 1}, query.ChangeFilter{Entity: query.EntityCompany})
		h.must(err)
		if c := back.Rows[0]; c.Kind != query.ChangeReturned || c.RecordID != string(account) || c.ChangedBy != nil {
			t.Errorf("the return is %+v", c)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// What happens to its records meanwhile is not lost: it is all there when the company comes back.
func TestAnArchivedCompanyComesBackAsItsUpstreamsHaveItThen(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		site, devices := h.yard(one, 3)
		account := number(one)
		booked, reopened, deleted := h.closed(one.ID), h.closed(one.ID), h.closed(one.ID)
		h.sync()
		h.leave(one)
		h.archive(account)
		h.pass(time.Hour)
		_, err := h.world.AddTimeEntry(booked, simulator.TimeEntry{TimeSpent: new("02:00"), Billable: true}, true)
		h.must(err, h.world.ReopenTicket(reopened), h.world.DeleteTicket(deleted), h.world.RemoveDevice(devices[1]), h.world.RenameDevice(devices[2], "OTHER"))
		added := h.machines(site, 1)[0]
		fresh := h.closed(one.ID)
		h.hire(one.ID, 1)
		h.sync()
		h.is("SELECT upstream_id AS id, company_account_number AS account FROM sync_issues WHERE closed_at IS NULL AND kind = 'ticket_without_company'", fmt.Sprintf("id=%d account=null", fresh))
		for what, query := range map[string]string{
			"ticket": "SELECT count(*) FROM tickets WHERE ticket_id = " + fmt.Sprint(fresh), "device": "SELECT count(*) FROM assets WHERE datto_uid = '" + added + "'",
			"link": "SELECT count(*) FROM contact_company_link l JOIN contacts c ON c.id = l.contact_id WHERE c.name = 'Hire 0' AND c.email = 'hire.0." + fmt.Sprint(one.ID) + "@x.example' AND l.source <> 'freshservice'",
		} {
			if h.value(query) != "0" {
				t.Errorf("a new %s of an archived company was taken in", what)
			}
		}
		h.must(h.world.SetAccountNumber(one.ID, account))
		h.pass(time.Hour)
		h.sync()
		h.check()
		h.is(fmt.Sprintf("SELECT ticket_id AS id, spent_seconds AS seconds, closed, removed_at IS NULL AS here FROM tickets WHERE ticket_id IN (%d, %d, %d, %d)", booked, reopened, deleted, fresh),
			fmt.Sprintf("id=%d seconds=10800 closed=1 here=1", booked), fmt.Sprintf("id=%d seconds=3600 closed=0 here=1", reopened),
			fmt.Sprintf("id=%d seconds=3600 closed=1 here=0", deleted), fmt.Sprintf("id=%d seconds=3600 closed=1 here=1", fresh))
		h.unchanged("with the company back")
	})
}

func TestTheDepartmentOfAnArchivedCompanyMayBecomeAnother(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one := h.customer()
		account := number(one)
		h.sync()
		h.leave(one)
		h.archive(account)
		h.must(h.world.SetAccountNumber(one.ID, "OTHER-1"))
		h.renumberSites(account, "OTHER-1")
		machines := h.ids("SELECT id FROM assets WHERE company_account_number = '" + account + "' ORDER BY 1")
		h.pass(time.Hour)
		h.sync()
		h.is("SELECT account_number AS account, archived_at IS NULL AS served, freshservice_id AS id FROM companies WHERE name = '"+one.Name+"'",
			"account="+account+" served=0 id=null", fmt.Sprintf("account=OTHER-1 served=1 id=%d", one.ID))
		if moved := h.ids("SELECT id FROM assets WHERE company_account_number = 'OTHER-1' ORDER BY 1"); !slices.Equal(moved, machines) {
			t.Errorf("its machines were %v, and are %v", machines, moved)
		}
		h.unchanged("as another company")

		h.pass(time.Hour) // and a department that was never seen brings the old one back
		h.world.AddDepartment(simulator.Department{Name: "Again", CustomFields: map[string]any{"account_number": account}})
		h.sync()
		h.is("SELECT name, archived_at IS NULL AS served FROM companies WHERE account_number = '"+account+"'", "name=Again served=1")
		h.unchanged("with both")
	})
}

// The guard holds what customers would lose: an archived company is nobody's.
func TestWhatLeavesAnArchivedCompanyIsNeverHeld(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		one, other := all[1], all[2]
		account := number(one)
		_, devices := h.yard(one, 12)
		target, _ := h.yard(other, 1)
		h.hire(one.ID, 12)
		h.hire(other.ID, 70)
		for range 12 {
			h.closed(one.ID)
		}
		for range 60 {
			h.closed(other.ID)
		}
		h.machines(target, 60)
		h.sync()
		h.leave(one)
		h.archive(account)
		h.pass(time.Hour)
		for _, uid := range devices {
			h.must(h.world.MoveDevice(uid, target))
		}
		for _, r := range h.staff(one.ID) {
			if strings.HasPrefix(r.FirstName, "Hire") {
				h.must(h.world.RemoveRequester(r.ID))
			}
		}
		for _, ticket := range h.world.Truth().Tickets {
			if ticket.DepartmentID != nil && *ticket.DepartmentID == one.ID {
				h.must(h.world.MoveTicket(ticket.ID, &other.ID))
			}
		}
		counts := h.sync()
		if c := counts["assets"]; c.Updated != 12 || c.Held != 0 {
			t.Errorf("assets: %+v", c)
		}
		if c := counts["contacts"]; c.Removed != 12 || c.Held != 0 {
			t.Errorf("contacts: %+v", c)
		}
		if c := counts["tickets"]; c.Updated < 12 || c.Held != 0 {
			t.Errorf("tickets: %+v", c)
		}
		h.is("SELECT count(*) AS n FROM tickets WHERE company_account_number = '"+account+"' AND closed AND status_code = 5", "n=0")
	})
}

func TestOnlyACompanyThatIsLeavingIsArchived(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.leaver("LEFT-1", "Left Ltd")
		h.archive("LEFT-1")
		one := number(h.customers()[1])
		before := h.everything()
		notLeaving := "the company " + one + " is not leaving: delete its department in Freshservice, or take the account number off it, sync freshservice, and archive it then"
		for name, test := range map[string]struct {
			account string
			code    codex.Code
			field   string
			text    string
		}{
			"no such company":     {"nobody", codex.CodeNotFound, "accountNumber", "there is no company nobody"},
			"an archived one":     {"LEFT-1", codex.CodeNotFound, "accountNumber", "there is no company LEFT-1"},
			"one with department": {one, codex.CodeConflict, "", notLeaving},
			"none":                {" ", codex.CodeBadInput, "accountNumber", "an account number is not empty"},
		} {
			_, err := h.engine.ArchiveCompany(t.Context(), codex.AccountNumber(test.account), "ann")
			if got := coded(err); got.Code != test.code || got.Field != test.field || got.Message != test.text {
				t.Errorf("%s: %s %s %q, want %q", name, got.Code, got.Field, got.Message, test.text)
			}
		}
		if h.everything() != before {
			t.Error("rows changed")
		}
		h.leave(h.customers()[1])
		h.must(h.world.SetAccountNumber(h.world.Truth().Departments[1].ID, one)) // it is back before anybody archived it
		h.pass(time.Hour)
		h.sync(codex.FeedFreshservice)
		if _, err := h.engine.ArchiveCompany(t.Context(), codex.AccountNumber(one), "ann"); coded(err).Message != notLeaving {
			t.Errorf("a company that was leaving: %v", err)
		}
	})
}

// A run that read the upstreams before takes nothing in for a company that was archived meanwhile.
func TestArchivingMeetsRunsAtWork(t *testing.T) {
	for feed, path := range map[codex.Feed]string{
		codex.FeedFreshservice: "/api/v2/requesters", codex.FeedDatto: "/api/v2/account/devices", codex.FeedTickets: "/api/v2/tickets/*/time_entries",
	} {
		t.Run(string(feed), func(t *testing.T) {
			each(t, tiny(), func(t *testing.T, h *hub) {
				one := h.customer()
				account := number(one)
				h.sync()
				h.leave(one)
				h.hire(one.ID, 2)
				h.machines(h.sites(account)[0], 1)
				h.closed(one.ID)
				before := withoutIssues(h.present())
				for table := range before {
					before[table] = h.value("SELECT count(*) FROM " + table)
				}
				working, goOn := make(chan struct{}), make(chan struct{})
				var once sync.Once
				h.watch(path, func(int, *http.Request) {
					once.Do(func() { close(working) })
					<-goOn
				})
				run := h.start(h.engine, syncers.Request{Feed: feed})
				<-working
				h.archive(account)
				close(goOn)
				h.expect(h.wait(h.engine, run.ID), codex.RunSucceeded)
				for table, rows := range before {
					if now := h.value("SELECT count(*) FROM " + table); now != rows && table != "contacts" {
						t.Errorf("%s had %s rows, and has %s", table, rows, now)
					}
				}
				h.is("SELECT count(*) AS n FROM companies WHERE account_number = '"+account+"' AND archived_at IS NULL", "n=0")
			})
		})
	}
}
