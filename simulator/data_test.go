package simulator_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// shown is everything that the two upstreams show, as bytes.
func shown(h *hub) string {
	var b strings.Builder
	for _, list := range [][2]string{
		{"/departments?per_page=100", "departments"}, {"/requesters?per_page=100", "requesters"},
		{"/agents?per_page=100", "agents"}, {"/tickets?updated_since=2020-01-01&per_page=100&include=stats", "tickets"},
	} {
		for _, raw := range all[json.RawMessage](h, list[0], list[1]) {
			b.Write(raw)
		}
	}
	for _, list := range [][2]string{{"/v2/account/sites", "sites"}, {"/v2/account/devices", "devices"}} {
		for _, raw := range everything[json.RawMessage](h, list[0], list[1]) {
			b.Write(raw)
		}
	}
	return b.String()
}

func TestTheSameOptionsMakeByteIdenticalData(t *testing.T) {
	one, two := shown(start(t, small())), shown(start(t, small()))
	if one != two {
		t.Error("two worlds of the same options differ")
	}
	other := small()
	other.Seed = 2
	if shown(start(t, other)) == one {
		t.Error("another seed made the same world")
	}
}

func TestTheSameChangesMakeByteIdenticalData(t *testing.T) {
	one, two := start(t, small()), start(t, small())
	said, again := one.Evolve(7), two.Evolve(7)
	if !slices.Equal(said, again) {
		t.Errorf("the same seed changed other things:\n%q\n%q", said, again)
	}
	if shown(one) != shown(two) {
		t.Error("two worlds differ after the same changes")
	}
}

func TestAmountsAreWhatWasAskedForWithTheFixturesCountedIn(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		opts                                 simulator.Options
		companies, assets, contacts, tickets int
	}{
		{"nothing said", simulator.Options{}, 60, 1500, 900, 2000},
		{"a small world", small(), 6, 60, 40, 60},
		{"plain", simulator.Options{Companies: 3, Assets: 20, Contacts: 10, Tickets: 30, Plain: true}, 3, 20, 10, 30},
		{"as few as possible", simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1}, 4, 34, 9, 31},
		{"as few as possible, plain", simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1, Plain: true}, 1, 12, 6, 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim, err := simulator.New(c.opts)
			if err != nil {
				t.Fatal(err)
			}
			truth := sim.Truth()
			companies := len(slices.DeleteFunc(truth.Departments, func(d simulator.Department) bool { return d.CustomFields["account_number"] == nil }))
			pseudo := sim.Fixtures().SiteDeletedDevices
			assets := len(slices.DeleteFunc(truth.Devices, func(d simulator.Device) bool { return *d.SiteUID == pseudo }))
			got := []int{companies, assets, len(truth.Requesters), len(truth.Tickets)}
			if want := []int{c.companies, c.assets, c.contacts, c.tickets}; !slices.Equal(got, want) {
				t.Errorf("companies, assets, contacts, tickets: got %v, want %v", got, want)
			}
		})
	}
}

func TestEveryWorldHasContoso(t *testing.T) {
	for _, opts := range []simulator.Options{{}, small(), {Seed: 99, Plain: true}} {
		sim, err := simulator.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		contoso, ok := sim.DepartmentNamed("Contoso")
		if !ok || contoso.CustomFields["account_number"] != int64(620547) || contoso.CustomFields["address"] == nil {
			t.Fatalf("Contoso is %+v", contoso)
		}
		truth := sim.Truth()
		closed := map[int]int{}
		for _, ticket := range truth.Tickets {
			if ticket.DepartmentID != nil && *ticket.DepartmentID == contoso.ID && ticket.Status == simulator.StatusClosed {
				closed[ticket.UpdatedAt.Year()]++
			}
		}
		contacts := 0
		for _, r := range truth.Requesters {
			if slices.Contains(r.DepartmentIDs, contoso.ID) {
				contacts++
			}
		}
		assets := 0
		for _, site := range truth.Sites {
			for _, v := range site.Variables {
				if v.Name == "AccountNumber" && *v.Value == "620547" {
					assets += site.DevicesStatus.NumberOfDevices
				}
			}
		}
		if closed[2025] < 5 || closed[2026] < 5 || contacts < 6 || assets < 12 {
			t.Errorf("Contoso has closed tickets %v, %d contacts, %d assets", closed, contacts, assets)
		}
	}
}

func TestTheDataKeepsToTheClock(t *testing.T) {
	at := time.Date(2031, 3, 1, 8, 30, 15, 500, time.UTC)
	opts := small()
	opts.Now = func() time.Time { return at }
	sim, err := simulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range sim.Truth().Tickets {
		if ticket.CreatedAt.Before(at.AddDate(-1, 0, -1)) || ticket.UpdatedAt.After(at) || ticket.UpdatedAt.Before(ticket.CreatedAt) {
			t.Errorf("ticket %d was created %v and updated %v; it is %v", ticket.ID, ticket.CreatedAt, ticket.UpdatedAt, at)
		}
	}
}

func TestEveryFixtureIsNamed(t *testing.T) {
	sim, err := simulator.New(small())
	if err != nil {
		t.Fatal(err)
	}
	fixtures := reflect.ValueOf(sim.Fixtures())
	for i := range fixtures.NumField() {
		if fixtures.Field(i).IsZero() {
			t.Errorf("%s is empty", fixtures.Type().Field(i).Name)
		}
	}
}

// TestDeviceFixtures looks at the awkward devices as the API shows them.
func TestDeviceFixtures(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	seen := func(uid string) string { d, _ := h.Device(uid); return d.LastSeen.At.UTC().Format(time.RFC3339) }
	for _, c := range []struct {
		name, uid string
		key       string
		want      string // the key's JSON; "" for a key that is not sent
	}{
		{"a name that another device of the site has", f.DeviceTwins[0], "hostname", text(t, h, f.DeviceTwins[1], "hostname")},
		{"a name of another company", f.DeviceMoved, "hostname", `"CONTOSO-OLD01"`},
		{"no device type", f.DeviceNulls, "deviceType", `null`},
		{"no antivirus", f.DeviceNulls, "antivirus", `null`},
		{"no times", f.DeviceNulls, "lastSeen", `null`},
		{"no hostname", f.DeviceWithoutName, "hostname", `null`},
		{"a key that is missing", f.DeviceSparse, "antivirus", ``},
		{"the time as ISO text", f.DeviceTimes[simulator.TimeISO], "lastSeen", `"` + seen(f.DeviceTimes[simulator.TimeISO]) + `"`},
		{"the time as zero", f.DeviceTimes[simulator.TimeZero], "lastSeen", `0`},
		{"the time of the year 1", f.DeviceTimes[simulator.TimeYearOne], "lastSeen", `-62135596800000`},
		{"the time as null", f.DeviceTimes[simulator.TimeNull], "lastSeen", `null`},
		{"no udf object", f.DeviceWithoutUDFs, "udf", ``},
		{"a deleted one", f.DeviceDeleted, "deleted", `true`},
		{"a suspended one", f.DeviceSuspended, "suspended", `true`},
		{"a user of the domain", f.DeviceDomainUser, "lastLoggedInUser", `"CONTOSO\\ana"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := text(t, h, c.uid, c.key); got != c.want {
				t.Errorf("%s is %s, want %s", c.key, got, c.want)
			}
		})
	}
	numeric := text(t, h, f.DeviceTimes[simulator.TimeNumericString], "lastSeen")
	if !strings.HasPrefix(numeric, `"1`) {
		t.Errorf("the numeric text is %s", numeric)
	}
	var wide map[string]*string
	if err := json.Unmarshal([]byte(text(t, h, f.DeviceWith300UDFs, "udf")), &wide); err != nil || len(wide) != 300 {
		t.Errorf("%d udfs, %v", len(wide), err)
	}
	for uid, want := range map[string]string{f.DeviceBackupNoText: "549755813888", f.DeviceBackupNoValue: `"n/a"`} {
		var udf map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text(t, h, uid, "udf")), &udf); err != nil || string(udf["udf6"]) != want {
			t.Errorf("udf6 is %s, want %s", udf["udf6"], want)
		}
	}
}

// text is the JSON of one key of a device; "" where it is not sent.
func text(t *testing.T, h *hub, uid, key string) string {
	t.Helper()
	return string(decode[map[string]json.RawMessage](t, h.rmm("/v2/device/"+uid))[key])
}

func TestPeopleAndDepartmentFixtures(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	department := func(id int64) map[string]json.RawMessage {
		d := decode[map[string]map[string]json.RawMessage](t, h.fs("/departments/"+itoa(id)))["department"]
		var custom map[string]json.RawMessage
		if err := json.Unmarshal(d["custom_fields"], &custom); err != nil {
			t.Fatal(err)
		}
		return custom
	}
	contoso, _ := h.DepartmentNamed("Contoso")
	textual := string(department(f.DepartmentTextAccount)["account_number"])
	if !strings.HasPrefix(textual, `" `) || !strings.HasSuffix(textual, ` "`) {
		t.Errorf("the textual account number is %s", textual)
	}
	for id, want := range map[int64]string{
		contoso.ID: "620547", f.DepartmentWordAccount: `"NW-2044"`, f.DepartmentNoAccount: "", f.DepartmentNullAccount: "null",
	} {
		if got := string(department(id)["account_number"]); got != want {
			t.Errorf("account_number of %d is %s, want %s", id, got, want)
		}
	}
	nameless, _ := h.Requester(f.RequesterWithoutEmail)
	if nameless.PrimaryEmail != nil || nameless.MobilePhoneNumber == nil {
		t.Errorf("the requester without e-mail is %+v", nameless)
	}
	if two, _ := h.Requester(f.RequesterInTwoDepartments); len(two.DepartmentIDs) != 2 {
		t.Errorf("departments %v", two.DepartmentIDs)
	}
	if inactive, _ := h.Requester(f.RequesterInactive); inactive.Active {
		t.Error("the inactive requester is active")
	}
	turned := itoa(f.AgentThatWasRequester)
	if r, a := h.fs("/requesters/"+turned), h.fs("/agents/"+turned); r.status != 404 || a.status != 200 {
		t.Errorf("the requester turned agent: /requesters %d, /agents %d", r.status, a.status)
	}
}

// TestTheDataOfASeedNeverChanges holds the bytes of the default world, on which the goldens of other
// rooms rely. Its digest changes only together with them.
func TestTheDataOfASeedNeverChanges(t *testing.T) {
	changed := start(t, small())
	changed.Evolve(7)
	for _, c := range []struct{ name, data, want string }{
		{"the default world", whole(start(t, simulator.Options{})), "36ca6e717555af23"},
		{"a small one", whole(start(t, small())), "938c6d3c86e75c7e"},
		{"a plain one", whole(start(t, simulator.Options{Seed: 3, Plain: true})), "d794252f316189f4"},
		{"a small one after a day", whole(changed), "048be2cc47234e5b"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(c.data)))[:16]; got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
}

// whole is what is shown, and what is shown only by the lists below a ticket or a site.
func whole(h *hub) string {
	h.t.Helper()
	var b strings.Builder
	b.WriteString(shown(h))
	truth := h.Truth()
	for _, ticket := range truth.Tickets {
		b.WriteString(asJSON(h.t, ticket.TimeEntries))
		b.WriteString(asJSON(h.t, ticket.Conversations))
	}
	for _, site := range truth.Sites {
		b.WriteString(asJSON(h.t, site.Variables))
	}
	return b.String()
}
