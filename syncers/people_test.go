package syncers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// customers are the departments with an account number, by id, Contoso first.
func (h *hub) customers() []simulator.Department {
	return slices.DeleteFunc(h.world.Truth().Departments, func(d simulator.Department) bool { return d.CustomFields["account_number"] == nil })
}

func number(d simulator.Department) string { return fmt.Sprint(d.CustomFields["account_number"]) }

// staff are the requesters of a department who have an address.
func (h *hub) staff(department int64) []simulator.Requester {
	return slices.DeleteFunc(h.world.Truth().Requesters, func(r simulator.Requester) bool {
		return r.PrimaryEmail == nil || !slices.Equal(r.DepartmentIDs, []int64{department})
	})
}

// hire adds n people to a department.
func (h *hub) hire(department int64, n int) {
	for i := range n {
		h.world.AddRequester(simulator.Requester{
			FirstName: "Hire", LastName: new(strconv.Itoa(i)), PrimaryEmail: new(fmt.Sprintf("hire.%d.%d@x.example", department, i)),
			DepartmentIDs: []int64{department}, Active: true,
		})
	}
}

func (h *hub) contactID(requester int64) string {
	h.t.Helper()
	return h.value("SELECT id FROM contacts WHERE freshservice_id = $1", requester)
}

// countOf is what a run did to an entity.
func (h *hub) countOf(counts map[string]syncers.EntityCounts, entity string, created, updated, removed int) {
	h.t.Helper()
	if c := counts[entity]; c.Created != created || c.Updated != updated || c.Removed != removed || c.Held != 0 {
		h.t.Errorf("%s: %+v, want %d created, %d updated, %d removed", entity, c, created, updated, removed)
	}
}

func TestACompanyFollowsItsDepartmentButIsNeverRemoved(t *testing.T) {
	each(t, simulator.Options{Companies: 8, Assets: 20, Contacts: 40, Tickets: 20, Plain: true}, func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		h.pass(time.Hour)
		all := h.customers()
		renamed, vanished, unnumbered, renumbered, second := all[1], all[2], all[3], all[4], all[5]
		h.must(
			h.world.RenameDepartment(renamed.ID, "Renamed"),
			h.world.RemoveDepartment(vanished.ID),
			h.world.RemoveDepartmentField(unnumbered.ID, "account_number"),
			h.world.SetAccountNumber(renumbered.ID, "NEW-1"),
		)
		for _, r := range h.staff(vanished.ID) { // Freshservice may take its id off them, or leave it
			if r.ID%2 == 0 {
				h.must(h.world.SetRequesterDepartments(r.ID))
			}
		}
		twin := h.world.AddDepartment(simulator.Department{Name: "Twin", CustomFields: map[string]any{"account_number": number(second)}})
		internal := h.world.AddDepartment(simulator.Department{Name: "Internal"})
		joined := h.world.AddRequester(simulator.Requester{FirstName: "Tim", PrimaryEmail: new("tim@twin.example"), DepartmentIDs: []int64{twin}, Active: true})
		before := h.dump("SELECT * FROM companies")
		links := h.value("SELECT count(*) FROM contact_company_link")

		counts := h.sync(codex.FeedFreshservice)
		h.countOf(counts, "companies", 0, 1, 0)
		h.countOf(counts, "contacts", 1, 0, 0)
		h.countOf(counts, "contact_links", 1, 0, 0)
		if counts["companies"].Issues != 5 {
			t.Errorf("%d issues of companies, want 5", counts["companies"].Issues)
		}
		want := []string{
			fmt.Sprint("account_number_changed ", renumbered.ID), fmt.Sprint("company_leaving ", vanished.ID), fmt.Sprint("company_leaving ", unnumbered.ID),
			fmt.Sprint("duplicate_account_number ", twin), fmt.Sprint("no_account_number ", internal),
		}
		slices.Sort(want)
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, want) {
			t.Errorf("issues %v\nwant   %v", got, want)
		}
		if h.value("SELECT name FROM companies WHERE account_number = $1", number(renamed)) != "Renamed" {
			t.Error("the rename was not taken")
		}
		if after := h.dump("SELECT * FROM companies WHERE name <> 'Renamed'"); len(after) >= len(before) || h.value("SELECT count(*) FROM companies") != "8" {
			t.Error("a company is gone")
		}
		kept, _ := strconv.Atoi(links)
		if got := h.value("SELECT count(*) FROM contact_company_link"); got != strconv.Itoa(kept+1) {
			t.Errorf("%s links of people, want %d and Tim's: those who leave stay billed as they were", got, kept)
		}
		if got := h.value("SELECT company_account_number FROM contact_company_link WHERE contact_id = " + h.contactID(joined)); got != number(second) {
			t.Errorf("the twin's people belong to %s", got)
		}
		versions := "SELECT name, seen_to IS NULL AS open FROM companies_history WHERE account_number = '" + number(renamed) + "'"
		h.is(versions, "name="+renamed.Name+" open=0", "name=Renamed open=1")

		h.pass(time.Hour)
		h.must(h.world.SetAccountNumber(renumbered.ID, number(renumbered)), h.world.SetAccountNumber(unnumbered.ID, number(unnumbered)), h.world.RemoveDepartment(twin), h.world.RemoveDepartment(internal))
		h.sync(codex.FeedFreshservice)
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, []string{fmt.Sprint("company_leaving ", vanished.ID)}) {
			t.Errorf("issues that are settled stay open: %v", got)
		}
	})
}

func TestAMainOfficeComesAndGoesWithItsAddress(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		contoso := h.customers()[0]
		const look = "SELECT id, address, removed_at IS NULL AS served FROM locations WHERE company_account_number = '620547'"
		was := h.dump(look)
		id := h.value("SELECT id FROM locations WHERE company_account_number = '620547'")

		h.pass(time.Hour)
		h.must(h.world.SetDepartmentField(contoso.ID, "address", "2 New Street"))
		h.countOf(h.sync(codex.FeedFreshservice), "locations", 0, 1, 0)
		h.is(look, "id="+id+" address=2 New Street served=1")

		h.pass(time.Hour)
		h.must(h.world.SetDepartmentField(contoso.ID, "address", nil))
		h.countOf(h.sync(codex.FeedFreshservice), "locations", 0, 0, 1)
		h.is(look, "id="+id+" address=2 New Street served=0")

		h.pass(time.Hour)
		h.must(h.world.SetDepartmentField(contoso.ID, "address", contoso.CustomFields["address"]))
		h.countOf(h.sync(codex.FeedFreshservice), "locations", 0, 1, 0)
		h.is(look, was)
		h.is("SELECT count(*) AS n, count(seen_to) AS closed FROM locations_history WHERE company_account_number = '620547'", "n=3 closed=2")
	})
}

func TestAContactIsRemovedOnlyWhenNobodyKnowsTheirID(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 10)
		h.sync(codex.FeedFreshservice)
		h.pass(time.Hour)
		all := h.customers()
		team := h.staff(all[1].ID)
		vanished, forgotten, merged, primary, turned, nameless, left, moved, renamed := team[0], team[1], team[2], team[3], team[4], team[5], team[6], team[7], team[8]
		ids := make(map[int64]string)
		for _, r := range team {
			ids[r.ID] = h.contactID(r.ID)
		}
		h.must(
			h.world.RemoveRequester(vanished.ID), h.world.ForgetRequester(forgotten.ID), h.world.MergeRequesters(primary.ID, merged.ID), h.world.ConvertToAgent(turned.ID),
			h.world.EditRequester(nameless.ID, func(r *simulator.Requester) { r.PrimaryEmail, r.WorkPhoneNumber = nil, new("312") }),
			h.world.DeactivateRequester(left.ID), h.world.SetRequesterDepartments(moved.ID, all[0].ID), h.world.RenameRequester(renamed.ID, "New", "Name"),
		)
		counts := h.sync(codex.FeedFreshservice)
		h.countOf(counts, "contacts", 0, 3, 3) // merged into: addresses; inactive; renamed
		h.countOf(counts, "contact_links", 1, 0, 1)
		served := func(r simulator.Requester, want bool) {
			t.Helper()
			got := h.value("SELECT removed_at IS NULL AS served FROM contacts WHERE id = "+ids[r.ID]) == "1"
			if got != want {
				t.Errorf("contact %s (%s %s) served: %t", ids[r.ID], r.FirstName, pointed(r.LastName), got)
			}
		}
		for _, r := range []simulator.Requester{vanished, forgotten, merged} {
			served(r, false)
		}
		for _, r := range []simulator.Requester{primary, turned, nameless, left, moved, renamed} {
			served(r, true)
		}
		if h.value("SELECT active FROM contacts WHERE id = "+ids[left.ID]) != "0" {
			t.Error("one who left is not inactive")
		}
		if got := h.value("SELECT company_account_number FROM contact_company_link WHERE contact_id = " + ids[moved.ID]); got != number(all[0]) {
			t.Errorf("one who moved belongs to %s", got)
		}
		if got := h.value("SELECT email FROM contacts WHERE id = " + ids[nameless.ID]); got != *nameless.PrimaryEmail {
			t.Errorf("one without address any more has %s", got)
		}
		if want := []string{fmt.Sprint("contact_without_email ", nameless.ID)}; !slices.Equal(h.issues(codex.FeedFreshservice), want) {
			t.Errorf("issues %v, want %v", h.issues(codex.FeedFreshservice), want)
		}
		h.is("SELECT count(*) AS n FROM contacts_history WHERE seen_to IS NULL AND contact_id IN ("+ids[vanished.ID]+", "+ids[forgotten.ID]+", "+ids[merged.ID]+")", "n=0")
		h.is(fmt.Sprintf("SELECT company_account_number AS account, seen_to IS NULL AS open FROM contact_company_link_history WHERE contact_id = %s", ids[moved.ID]),
			slices.Sorted(slices.Values([]string{"account=" + number(all[1]) + " open=0", "account=" + number(all[0]) + " open=1"}))...)
		h.countOf(h.sync(codex.FeedFreshservice), "contacts", 0, 0, 0)
	})
}

func TestAnUpstreamThatListsNothingOrTooLittleChangesNothing(t *testing.T) {
	empty := func(envelope string) simulator.Fault {
		return simulator.Fault{Kind: simulator.FaultRewrite, Rewrite: func([]byte) []byte { return []byte(`{"` + envelope + `":[]}`) }}
	}
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync()
		before := h.data()
		for _, test := range []struct {
			name     string
			feed     codex.Feed
			upstream simulator.Upstream
			path     string
			fault    simulator.Fault
		}{
			{"no departments", codex.FeedFreshservice, simulator.Freshservice, "/api/v2/departments", empty("departments")},
			{"no requesters", codex.FeedFreshservice, simulator.Freshservice, "/api/v2/requesters", empty("requesters")},
			{"no departments for tickets", codex.FeedTickets, simulator.Freshservice, "/api/v2/departments", empty("departments")},
			{"no sites", codex.FeedDatto, simulator.Datto, "/api/v2/account/sites", empty("sites")},
			{"departments that fail", codex.FeedFreshservice, simulator.Freshservice, "/api/v2/departments", failing()},
			{"a page of HTML for requesters", codex.FeedFreshservice, simulator.Freshservice, "/api/v2/requesters", simulator.Fault{Kind: simulator.FaultHTML, Status: 200}},
			{"a key that is refused", codex.FeedDatto, simulator.Datto, "/api/v2/account/sites", simulator.Fault{Kind: simulator.FaultStatus, Status: 403, Body: `{"status":403}`}},
		} {
			clear := h.fault(test.upstream, test.path, test.fault)
			run := h.run(syncers.Request{Feed: test.feed})
			if run.State != codex.RunFailed || run.Error == nil || *run.Error == "" {
				t.Errorf("%s: the run is %s", test.name, run.State)
			}
			if h.data() != before {
				t.Errorf("%s: rows changed", test.name)
			}
			clear()
		}
		h.sync()
		if h.data() != before {
			t.Error("the clean sync after it changed rows")
		}
	})
}

func TestARecordThatCannotBeDecodedIsThereAndTakesNothingWithIt(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		customer := h.customers()[1]
		twin := h.world.AddDepartment(simulator.Department{Name: "Twin", CustomFields: map[string]any{"account_number": number(customer)}})
		h.hire(twin, 2)
		h.sync(codex.FeedFreshservice)
		before := h.data()
		person := h.staff(customer.ID)[0]
		noList := func(r map[string]any) { r["domains"] = map[string]any{"no": "list"} }
		h.world.Distort(simulator.EntityDepartment, strconv.FormatInt(twin, 10), noList)
		h.sync(codex.FeedFreshservice)
		if h.data() != before {
			t.Error("rows changed with the twin")
		}
		h.world.Distort(simulator.EntityDepartment, strconv.FormatInt(customer.ID, 10), noList)
		h.world.Distort(simulator.EntityRequester, strconv.FormatInt(person.ID, 10), func(r map[string]any) { r["active"] = "perhaps" })
		h.sync(codex.FeedFreshservice)
		if h.data() != before {
			t.Error("rows changed")
		}
		want := []string{fmt.Sprint("bad_record ", customer.ID), fmt.Sprint("bad_record ", twin), fmt.Sprint("bad_record ", person.ID)}
		slices.Sort(want)
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, want) {
			t.Errorf("issues %v, want %v", got, want)
		}
		h.world.Undistort(simulator.EntityDepartment, strconv.FormatInt(customer.ID, 10))
		h.world.Undistort(simulator.EntityDepartment, strconv.FormatInt(twin, 10))
		h.world.Undistort(simulator.EntityRequester, strconv.FormatInt(person.ID, 10))
		h.sync(codex.FeedFreshservice)
		if got := h.issues(codex.FeedFreshservice); !slices.Equal(got, []string{fmt.Sprint("duplicate_account_number ", twin)}) {
			t.Errorf("issues are %v", got)
		}
	})
}

func TestContactsThatCannotBeAskedForStayAndTheRunIsPartial(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		person := h.staff(h.customers()[1].ID)[0]
		id := h.contactID(person.ID)
		h.must(h.world.RemoveRequester(person.ID))
		clear := h.fault(simulator.Freshservice, "/api/v2/agents/*", failing())
		h.expect(h.run(syncers.Request{Feed: codex.FeedFreshservice}), codex.RunPartial)
		h.is("SELECT removed_at FROM contacts WHERE id = "+id, "removed_at=null")
		clear()
		h.countOf(h.sync(codex.FeedFreshservice), "contacts", 0, 0, 1)
	})
}

func TestTooManyContactsAreHeldAndTheRestApplies(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 20)
		h.sync(codex.FeedFreshservice)
		team := h.staff(h.customers()[1].ID)
		for _, r := range team[:12] {
			h.must(h.world.RemoveRequester(r.ID))
		}
		h.must(h.world.RenameRequester(team[12].ID, "New", "Name"))
		asked := h.world.CountRequests(simulator.Freshservice, "/api/v2/requesters/*")
		run := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		h.expect(run, codex.RunHeld)
		for _, c := range h.counts(run) {
			if c.Entity == "contacts" && (c.Held != 12 || c.Updated != 1 || c.Removed != 0) {
				t.Errorf("%+v", c)
			}
		}
		if got := h.world.CountRequests(simulator.Freshservice, "/api/v2/requesters/*"); got != asked {
			t.Errorf("held ones were asked for one by one: %d times", got-asked)
		}
		h.is("SELECT count(*) AS n FROM contacts WHERE removed_at IS NOT NULL", "n=0")
		forced := h.run(syncers.Request{Feed: codex.FeedFreshservice, Force: true})
		h.expect(forced, codex.RunSucceeded)
		h.is("SELECT count(*) AS n FROM contacts WHERE removed_at IS NOT NULL", "n=12")
	})
}

// Agents are in no list of requesters; however many contacts become some, none of them is leaving.
func TestContactsWhoBecameAgentsAreNotAbsent(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		home := h.customers()[1].ID
		h.hire(home, 14)
		h.sync(codex.FeedFreshservice)
		before := h.dump("SELECT id, email FROM contacts WHERE removed_at IS NULL")
		for _, r := range h.staff(home)[:12] {
			h.must(h.world.ConvertToAgent(r.ID))
		}
		h.sync(codex.FeedFreshservice)
		h.sync(codex.FeedFreshservice)
		h.is("SELECT id, email FROM contacts WHERE removed_at IS NULL", strings.Split(before, "\n")...)
		if n := h.world.CountRequests(simulator.Freshservice, "/api/v2/requesters/*"); n != 0 {
			t.Errorf("they were asked for one by one: %d calls", n)
		}
		h.fault(simulator.Freshservice, "/api/v2/agents", simulator.Refuse(403)) // a key without that right
		h.expect(h.run(syncers.Request{Feed: codex.FeedFreshservice}), codex.RunHeld)
		h.is("SELECT id, email FROM contacts WHERE removed_at IS NULL", strings.Split(before, "\n")...)
	})
}
