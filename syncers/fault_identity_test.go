package syncers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
)

func TestAnAccountNumberIsTheSameAsNumberAndAsText(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		home := h.customers()[1]
		for _, form := range []any{number(home), " " + number(home) + " ", 620100, "620100"} {
			if n, ok := form.(int); ok { // another number: the company keeps its own, and says so
				h.must(h.world.SetAccountNumber(home.ID, n))
				h.converges()
				if got, want := h.issues(codex.FeedFreshservice), fmt.Sprint("account_number_changed ", home.ID); !slices.Contains(got, want) {
					t.Errorf("issues %v, want %s", got, want)
				}
				h.must(h.world.SetAccountNumber(home.ID, home.CustomFields["account_number"]))
				continue
			}
			before := h.served()["companies"]
			if strings.TrimSpace(fmt.Sprint(form)) == number(home) {
				h.must(h.world.SetAccountNumber(home.ID, form))
			}
			h.converges()
			if after := h.served()["companies"]; after != before {
				t.Errorf("%q: companies were\n%s\nand are\n%s", form, before, after)
			}
		}
		h.stir(1)
		h.converges()
	})
}

func TestTwoDepartmentsOfOneNumberAndTwoPeopleOfOneAddressStayApart(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		home := h.customers()[1]
		person := h.staff(home.ID)[0]
		id := h.contactID(person.ID)
		twin, err := h.world.TwinDepartment(home.ID, "Twin")
		h.must(err)
		other, err := h.world.TwinRequester(person.ID)
		h.must(err)
		h.hire(twin, 2)
		ticket := h.closed(twin)
		h.converges()
		if got, want := h.issues(codex.FeedFreshservice), fmt.Sprint("duplicate_account_number ", twin); !slices.Contains(got, want) {
			t.Errorf("issues %v, want %s", got, want)
		}
		h.is("SELECT name FROM companies WHERE account_number = '"+number(home)+"'", "name="+home.Name)
		h.is(fmt.Sprintf("SELECT company_account_number AS a FROM tickets WHERE ticket_id = %d", ticket), "a="+number(home))
		h.is(fmt.Sprintf("SELECT count(*) AS n FROM contact_company_link WHERE company_account_number = '%s' AND contact_id IN (SELECT id FROM contacts WHERE freshservice_id IN (%d, %d))",
			number(home), person.ID, other), "n=2")
		if h.contactID(person.ID) != id || h.contactID(other) == id {
			t.Errorf("the contact had the id %s; they have %s and %s", id, h.contactID(person.ID), h.contactID(other))
		}
		h.is(fmt.Sprintf("SELECT email FROM contacts WHERE freshservice_id = %d", other), "email="+strings.ToUpper(*person.PrimaryEmail))

		// The first one cannot be understood for a while: its company is its own all the same.
		before := h.served()["companies"]
		h.world.Distort(simulator.EntityDepartment, strconv.FormatInt(home.ID, 10), func(r map[string]any) { r["domains"] = map[string]any{"no": "list"} })
		h.converges()
		if after := h.served()["companies"]; after != before {
			t.Errorf("companies were\n%s\nand are\n%s", before, after)
		}
		h.world.Undistort(simulator.EntityDepartment, strconv.FormatInt(home.ID, 10))
		h.converges()

		// The first of each goes: the other is who it was, and the company is not renumbered.
		h.must(h.world.RemoveRequester(person.ID), h.world.RemoveDepartment(home.ID))
		h.converges()
		h.is("SELECT id FROM contacts WHERE removed_at IS NOT NULL AND freshservice_id = "+strconv.FormatInt(person.ID, 10), "id="+id)
		h.is("SELECT count(*) AS n FROM companies WHERE account_number = '"+number(home)+"'", "n=1")
	})
}

// Two ids beyond 2⁵³ that are neighbours are one number to who reads them as floating point.
func TestIdsBeyond53BitsStayApart(t *testing.T) {
	const far = int64(1)<<53 + 1
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		for _, entity := range []simulator.Entity{simulator.EntityDepartment, simulator.EntityRequester, simulator.EntityTicket,
			simulator.EntityTimeEntry, simulator.EntityConversation, simulator.EntitySite, simulator.EntityDevice} {
			h.must(h.world.SetNextID(entity, far))
		}
		var departments, people, tickets []string
		for i := range 3 {
			department := h.world.AddDepartment(simulator.Department{Name: fmt.Sprint("Far ", i), CustomFields: map[string]any{"account_number": fmt.Sprint("FAR-", i)}})
			h.hire(department, 1)
			site := h.world.AddSite(fmt.Sprint("Far ", i), fmt.Sprint("FAR-", i))
			_, err := h.world.AddDevice(site, "FAR", func(d *simulator.Device) { d.UDF[5] = strconv.FormatInt(far+int64(i), 10) })
			h.must(err)
			ticket := h.closed(department, simulator.TimeEntry{TimeSpent: new("01:00")}, simulator.TimeEntry{TimeSpent: new("00:30")})
			_, err = h.world.AddConversation(ticket, simulator.Conversation{Body: "far", BodyText: "far"})
			h.must(err)
			departments = append(departments, fmt.Sprintf("a=FAR-%d id=%d", i, far+int64(i)))
			people = append(people, fmt.Sprintf("a=FAR-%d id=%d", i, far+int64(i)))
			tickets = append(tickets, fmt.Sprintf("a=FAR-%d id=%d s=5400 n=2", i, far+int64(i)))
		}
		h.converges()
		h.converges()
		h.is("SELECT account_number AS a, freshservice_id AS id FROM companies WHERE account_number LIKE 'FAR-%'", departments...)
		h.is("SELECT l.company_account_number AS a, c.freshservice_id AS id FROM contacts c JOIN contact_company_link l ON l.contact_id = c.id WHERE l.company_account_number LIKE 'FAR-%'", people...)
		h.is(`SELECT company_account_number AS a, ticket_id AS id, spent_seconds AS s,
			(SELECT count(*) FROM time_entries e WHERE e.ticket_id = t.ticket_id) AS n FROM tickets t WHERE company_account_number LIKE 'FAR-%'`, tickets...)
		h.is("SELECT company_account_number AS a, backup_bytes AS b, datto_id AS id FROM assets WHERE hostname = 'FAR'",
			fmt.Sprintf("a=FAR-0 b=%d id=%d", far, far), fmt.Sprintf("a=FAR-1 b=%d id=%d", far+1, far+1), fmt.Sprintf("a=FAR-2 b=%d id=%d", far+2, far+2))
		h.check()
	})
}
