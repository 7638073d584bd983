package simulator_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestARenamedDepartmentHasItsNewNameEverywhere(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	h.clock.advance(time.Hour)
	must(t, h.RenameDepartment(contoso.ID, "Contoso Ltd"))
	got := decode[map[string]simulator.Department](t, h.fs("/departments/"+itoa(contoso.ID)))["department"]
	if got.Name != "Contoso Ltd" || !got.UpdatedAt.Equal(h.clock.now()) {
		t.Errorf("got %s, updated %v", got.Name, got.UpdatedAt)
	}
	for _, r := range h.Truth().Requesters {
		if slices.Contains(r.DepartmentIDs, contoso.ID) && r.DepartmentNames[0] != "Contoso Ltd" {
			t.Errorf("requester %d is in %v", r.ID, r.DepartmentNames)
		}
	}
	if contoso.Name != "Contoso" {
		t.Error("the copy from before has changed")
	}
}

func TestAnAccountNumberMayBecomeAnythingOrNothing(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	account := func() (any, bool) {
		value, sent := decode[map[string]struct {
			CustomFields map[string]any `json:"custom_fields"`
		}](t, h.fs("/departments/"+itoa(contoso.ID)))["department"].CustomFields["account_number"]
		return value, sent
	}
	for _, value := range []any{777.0, "777", nil} {
		must(t, h.SetAccountNumber(contoso.ID, value))
		if got, sent := account(); got != value || !sent {
			t.Errorf("got %v, want %v", got, value)
		}
	}
	must(t, h.RemoveDepartmentField(contoso.ID, "account_number"))
	if _, sent := account(); sent {
		t.Error("the removed field is still sent")
	}
}

func TestWhatVanishesIs404(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	ticket, _ := h.Ticket(f.TicketUnbillable)
	twin, _ := h.Device(f.DeviceTwins[0])
	for _, c := range []struct {
		name, path string
		datto      bool
		remove     func() error
	}{
		{"a department", "/departments/" + itoa(f.DepartmentNoAccount), false, func() error { return h.RemoveDepartment(f.DepartmentNoAccount) }},
		{"a requester", "/requesters/" + itoa(f.RequesterInactive), false, func() error { return h.RemoveRequester(f.RequesterInactive) }},
		{"a forgotten requester's ticket", "/tickets/" + itoa(ticket.ID), false, func() error { return h.ForgetRequester(ticket.RequesterID) }},
		{"a ticket", "/tickets/" + itoa(f.TicketSpam), false, func() error { return h.RemoveTicket(f.TicketSpam) }},
		{"a device", "/v2/device/" + f.DeviceMoved, true, func() error { return h.RemoveDevice(f.DeviceMoved) }},
		{"a removed site's device", "/v2/device/" + f.DeviceTwins[0], true, func() error { return h.RemoveSite(*twin.SiteUID) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			get := h.fs
			if c.datto {
				get = h.rmm
			}
			if before := get(c.path); before.status != http.StatusOK {
				t.Fatalf("before: %d", before.status)
			}
			must(t, c.remove())
			if after := get(c.path); after.status != http.StatusNotFound {
				t.Errorf("after: %d", after.status)
			}
			if err := c.remove(); !errors.Is(err, simulator.ErrNoRecord) {
				t.Errorf("a second removal: %v", err)
			}
		})
	}
}

func TestARequesterTurnsInactiveThenAgent(t *testing.T) {
	h := start(t, small())
	id := h.Fixtures().RequesterInTwoDepartments
	active := func() bool {
		return decode[map[string]simulator.Requester](t, h.fs("/requesters/"+itoa(id)))["requester"].Active
	}
	must(t, h.DeactivateRequester(id))
	if active() {
		t.Error("still active")
	}
	must(t, h.ReactivateRequester(id))
	if !active() {
		t.Error("still inactive")
	}
	must(t, h.ConvertToAgent(id))
	if r, a := h.fs("/requesters/"+itoa(id)).status, h.fs("/agents/"+itoa(id)).status; r != 404 || a != 200 {
		t.Errorf("as requester %d, as agent %d", r, a)
	}
	if err := h.ConvertToAgent(h.Fixtures().RequesterWithoutEmail); err == nil {
		t.Error("a requester without address became an agent")
	}
}

func TestMergedRequestersBecomeOne(t *testing.T) {
	h := start(t, small())
	secondary, _ := h.Requester(h.Fixtures().RequesterInactive)
	ticket := h.AddTicket(simulator.Ticket{RequesterID: secondary.ID})
	primary := h.Fixtures().RequesterInTwoDepartments
	must(t, h.MergeRequesters(primary, secondary.ID))
	merged, _ := h.Requester(primary)
	moved, _ := h.Ticket(ticket)
	_, still := h.Requester(secondary.ID)
	if still || moved.RequesterID != primary || !slices.Contains(merged.SecondaryEmails, *secondary.PrimaryEmail) {
		t.Errorf("secondary there %v, ticket of %d, addresses %v", still, moved.RequesterID, merged.SecondaryEmails)
	}
}

// TestALifeOfATicket follows one ticket through what people do to it; the lists follow.
func TestALifeOfATicket(t *testing.T) {
	h := start(t, small())
	contoso, _ := h.DepartmentNamed("Contoso")
	id := h.AddTicket(simulator.Ticket{
		Subject: new("Printer"), RequesterID: *contoso.HeadUserID, DepartmentID: new(contoso.ID),
		TimeEntries: []simulator.TimeEntry{{TimeSpent: new("00:10"), Billable: true}},
	})
	lists := func(filter string) bool {
		return slices.Contains(ids(all[record](h, "/tickets?updated_since=2020-01-01"+filter, "tickets")), id)
	}
	for _, c := range []struct {
		name            string
		do              func() error
		status          int
		closed          bool // stats.closed_at is told
		listed, deleted bool
		spam            bool
	}{
		{"opened", func() error { return nil }, 2, false, true, false, false},
		{"closed", func() error { return h.CloseTicket(id) }, 5, true, true, false, false},
		{"reopened", func() error { return h.ReopenTicket(id) }, 2, false, true, false, false},
		{"closed again", func() error { return h.CloseTicket(id) }, 5, true, true, false, false},
		{"given a custom status", func() error { return h.SetTicketStatus(id, simulator.StatusBillingComplete) }, 16, true, true, false, false},
		{"deleted", func() error { return h.DeleteTicket(id) }, 16, true, false, true, false},
		{"restored", func() error { return h.RestoreTicket(id) }, 16, true, true, false, false},
		{"marked as spam", func() error { return h.MarkSpam(id, true) }, 16, true, false, false, true},
		{"marked as none", func() error { return h.MarkSpam(id, false) }, 16, true, true, false, false},
		{"moved", func() error { return h.MoveTicket(id, nil) }, 16, true, true, false, false},
	} {
		h.clock.advance(time.Minute)
		must(t, c.do())
		view := decode[map[string]struct {
			Status    int
			UpdatedAt time.Time             `json:"updated_at"`
			Stats     simulator.TicketStats `json:"stats"`
		}](t, h.fs("/tickets/"+itoa(id)+"?include=stats"))["ticket"]
		if view.Status != c.status || (view.Stats.ClosedAt != nil) != c.closed {
			t.Errorf("%s: status %d, closed at %v", c.name, view.Status, view.Stats.ClosedAt)
		}
		if c.name != "opened" && !view.UpdatedAt.Equal(h.clock.now()) {
			t.Errorf("%s: updated at %v", c.name, view.UpdatedAt)
		}
		if got := []bool{lists(""), lists("&filter=deleted"), lists("&filter=spam")}; !slices.Equal(got, []bool{c.listed, c.deleted, c.spam}) {
			t.Errorf("%s: listed plainly, as deleted, as spam: %v", c.name, got)
		}
	}
}

func TestATimeEntryTouchesItsTicketOrDoesNot(t *testing.T) {
	h := start(t, small())
	id := h.Fixtures().TicketWithoutEntries
	before, _ := h.Ticket(id)
	h.clock.advance(time.Hour)
	untouched := func() bool { now, _ := h.Ticket(id); return now.UpdatedAt.Equal(before.UpdatedAt) }
	entry, err := h.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("00:30"), TimerRunning: true}, false)
	must(t, err)
	must(t, h.EditTimeEntry(id, entry, false, func(e *simulator.TimeEntry) { e.TimerRunning, e.TimeSpent = false, new("00:45") }))
	if !untouched() {
		t.Error("an entry that was not to touch the ticket did")
	}
	got := all[simulator.TimeEntry](h, "/tickets/"+itoa(id)+"/time_entries", "time_entries")
	if len(got) != 1 || got[0].ID != entry || got[0].TimerRunning || *got[0].TimeSpent != "00:45" {
		t.Errorf("entries %+v", got)
	}
	if len(before.TimeEntries) != 0 {
		t.Error("the copy from before has changed")
	}
	_, err = h.AddTimeEntry(id, simulator.TimeEntry{TimeSpent: new("00:15")}, true)
	must(t, err)
	if untouched() {
		t.Error("an entry that was to touch the ticket did not")
	}
	must(t, h.RemoveTimeEntry(id, entry, true))
	if left, _ := h.Ticket(id); len(left.TimeEntries) != 1 {
		t.Errorf("%d entries are left", len(left.TimeEntries))
	}
	if err := h.EditTimeEntry(id, 1, true, func(*simulator.TimeEntry) {}); !errors.Is(err, simulator.ErrNoRecord) {
		t.Errorf("an entry that is not there: %v", err)
	}
}

func TestMachinesMoveAndAreSetUpAnew(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	uid, target := f.DeviceMoved, f.SiteSecondOfContoso
	at := func(site string) []string {
		var uids []string
		for _, d := range everything[struct{ UID string }](h, "/v2/site/"+site+"/devices", "devices") {
			uids = append(uids, d.UID)
		}
		return uids
	}
	must(t, h.MoveDevice(uid, target))
	if !slices.Contains(at(target), uid) {
		t.Error("the moved device is not at its new site")
	}
	must(t, h.RenameDevice(uid, "NEW-NAME"))
	fresh, err := h.ReimageDevice(uid)
	must(t, err)
	d, ok := h.Device(fresh)
	if !ok || fresh == uid || *d.Hostname != "NEW-NAME" || !slices.Contains(at(target), fresh) || slices.Contains(at(target), uid) {
		t.Errorf("re-imaged as %s: %+v", fresh, d)
	}
	must(t, h.DeleteDevice(fresh))
	if slices.Contains(at(target), fresh) || !slices.Contains(at(f.SiteDeletedDevices), fresh) || text(t, h, fresh, "deleted") != "true" {
		t.Error("the deleted device is not among the deleted ones")
	}
	added, err := h.AddDevice(target, "EXTRA", func(d *simulator.Device) { d.UDF = nil })
	must(t, err)
	must(t, h.SetUDF(added, 31, "wide"))
	if other, err := h.AddDevice(target, "EXTRA", nil); err != nil || other == added {
		t.Errorf("a second device got %s, %v", other, err)
	}
	if grown, _ := h.Device(added); len(grown.UDF) != 31 || grown.UDF[30] != "wide" {
		t.Errorf("udfs %v", grown.UDF)
	}
	if err := h.MoveDevice(added, "nowhere"); !errors.Is(err, simulator.ErrNoRecord) {
		t.Errorf("moved to nowhere: %v", err)
	}
}

func TestSitesChangeTheirVariables(t *testing.T) {
	h := start(t, small())
	uid := h.AddSite("Annex", "4242")
	variables := func() []simulator.Variable {
		return everything[simulator.Variable](h, "/v2/site/"+uid+"/variables", "variables")
	}
	if got := variables(); len(got) != 1 || *got[0].Value != "4242" {
		t.Errorf("a new site has %+v", got)
	}
	must(t, h.SetVariable(uid, "AccountNumber", "*****", true))
	must(t, h.SetVariable(uid, "Other", "x", false))
	if got := variables(); len(got) != 2 || !got[0].Masked {
		t.Errorf("the variables are %+v", got)
	}
	must(t, h.RemoveVariable(uid, "AccountNumber"))
	if got := variables(); len(got) != 1 || got[0].Name != "Other" {
		t.Errorf("the variables are %+v", got)
	}
	must(t, h.RenameSite(h.Fixtures().SiteSecondOfContoso, "Contoso Depot"))
	for _, d := range everything[struct{ SiteName string }](h, "/v2/site/"+h.Fixtures().SiteSecondOfContoso+"/devices", "devices") {
		if d.SiteName != "Contoso Depot" {
			t.Errorf("a device is at %s", d.SiteName)
		}
	}
}

func TestADistortedRecordIsShownDifferentlyEverywhere(t *testing.T) {
	h := start(t, small())
	uid := h.Fixtures().DeviceDomainUser
	h.Distort(simulator.EntityDevice, uid, func(record map[string]any) {
		record["hostname"] = []any{"not", "text"}
		delete(record, "antivirus")
	})
	if got := text(t, h, uid, "hostname"); got != `["not","text"]` || text(t, h, uid, "antivirus") != "" {
		t.Errorf("shown as %s", got)
	}
	h.Undistort(simulator.EntityDevice, uid)
	if got := text(t, h, uid, "hostname"); got != `"CONTOSO-L01"` {
		t.Errorf("shown as %s", got)
	}
}

func TestEvolutionLeavesContosoItsNameAndNumber(t *testing.T) {
	h := start(t, small())
	before := h.Truth()
	for seed := range uint64(20) {
		if done := h.Evolve(seed); len(done) < 15 {
			t.Errorf("seed %d did only %q", seed, done)
		}
	}
	contoso, ok := h.DepartmentNamed("Contoso")
	if !ok || contoso.CustomFields["account_number"] != int64(620547) {
		t.Errorf("Contoso is %+v", contoso)
	}
	after := h.Truth()
	if len(after.Departments) != len(before.Departments) || len(after.Tickets) != len(before.Tickets)+60 {
		t.Errorf("%d departments, %d tickets", len(after.Departments), len(after.Tickets))
	}
}

func TestChangesAndReadersMayComeAtOnce(t *testing.T) {
	h := start(t, small())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seed := range uint64(10) {
			h.Evolve(seed)
		}
	}()
	for range 10 {
		all[record](h, "/requesters?per_page=100", "requesters")
		everything[record](h, "/v2/account/devices", "devices")
		h.Truth()
	}
	<-done
}
