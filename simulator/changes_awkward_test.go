package simulator_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

func TestIDsBeyondWhatFloatingPointTellsApart(t *testing.T) {
	h := start(t, small())
	const beyond = int64(1) << 53
	for entity, make := range map[simulator.Entity]func() int64{
		simulator.EntityDepartment: func() int64 { return h.AddDepartment(simulator.Department{Name: "Far"}) },
		simulator.EntityRequester:  func() int64 { return h.AddRequester(simulator.Requester{FirstName: "Far"}) },
		simulator.EntityTicket:     func() int64 { return h.AddTicket(simulator.Ticket{}) },
		simulator.EntityTimeEntry: func() int64 {
			id, err := h.AddTimeEntry(h.Fixtures().TicketUnbillable, simulator.TimeEntry{}, false)
			must(t, err)
			return id
		},
		simulator.EntityConversation: func() int64 {
			id, err := h.AddConversation(h.Fixtures().TicketUnbillable, simulator.Conversation{})
			must(t, err)
			return id
		},
		simulator.EntityDevice: func() int64 {
			uid, err := h.AddDevice(h.Fixtures().SiteSecondOfContoso, "FAR", nil)
			must(t, err)
			d, _ := h.Device(uid)
			return d.ID
		},
		simulator.EntitySite: func() int64 { site, _ := h.Site(h.AddSite("Far", "1")); return site.ID },
	} {
		must(t, h.SetNextID(entity, beyond))
		if one, two := make(), make(); one != beyond || two != beyond+1 {
			t.Errorf("%s: the new ids are %d and %d", entity, one, two)
		}
		if err := h.SetNextID(entity, beyond+1); err == nil {
			t.Errorf("%s: an id that is taken may be next", entity)
		}
	}
	if got := h.fs("/departments/9007199254740993"); !strings.HasPrefix(got.text, `{"department":{"id":9007199254740993,`) {
		t.Errorf("it is shown as %s", got.text)
	}
	if err := h.SetNextID("nonsense", beyond); err == nil {
		t.Error("there is a kind nonsense")
	}
}

func TestTwoDepartmentsWithOneAccountNumberInBothTypes(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	textual := h.Fixtures().DepartmentTextAccount
	original, _ := h.Department(textual)
	account := func(id int64) string {
		d := decode[map[string]struct {
			Name   string
			Custom map[string]json.RawMessage `json:"custom_fields"`
		}](t, h.fs("/departments/"+itoa(id)))["department"]
		return d.Name + " " + string(d.Custom["account_number"])
	}
	for id, want := range map[int64]string{
		contoso.ID: `Twin "620547"`,
		textual:    "Twin " + strings.TrimSpace(original.CustomFields["account_number"].(string)),
	} {
		twin, err := h.TwinDepartment(id, "Twin")
		must(t, err)
		if got := account(twin); got != want || twin <= id {
			t.Errorf("department %d: %s, want %s", twin, got, want)
		}
	}
	if account(contoso.ID) != "Contoso 620547" {
		t.Errorf("the first one is %s now", account(contoso.ID))
	}
}

func TestTwoRequestersWithOneAddressInOtherLetters(t *testing.T) {
	h := start(t, small())
	first, _ := h.Requester(h.Fixtures().RequesterInTwoDepartments)
	twin, err := h.TwinRequester(first.ID)
	must(t, err)
	got := decode[map[string]simulator.Requester](t, h.fs("/requesters/"+itoa(twin)))["requester"]
	if *got.PrimaryEmail != strings.ToUpper(*first.PrimaryEmail) || *got.PrimaryEmail == *first.PrimaryEmail ||
		!slices.Equal(got.DepartmentIDs, first.DepartmentIDs) {
		t.Errorf("got %+v", got)
	}
	if _, err := h.TwinRequester(h.Fixtures().RequesterWithoutEmail); err == nil {
		t.Error("a twin of nobody's address")
	}
}
