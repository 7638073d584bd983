package syncers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// yard is a company's site with machines PC-0 to PC-n, made for a test.
func (h *hub) yard(customer simulator.Department, n int) (siteUID string, devices []string) {
	h.t.Helper()
	siteUID = h.world.AddSite("Yard of "+customer.Name, number(customer))
	return siteUID, h.machines(siteUID, n)
}

func (h *hub) machines(siteUID string, n int) (devices []string) {
	h.t.Helper()
	for i := range n {
		uid, err := h.world.AddDevice(siteUID, fmt.Sprintf("PC-%d", i), func(d *simulator.Device) { d.UDF[5] = fmt.Sprint(1000 + i) })
		h.must(err)
		devices = append(devices, uid)
	}
	return devices
}

// asset is what the hub holds of a device, by its local id.
func (h *hub) asset(id string) string {
	h.t.Helper()
	return h.dump("SELECT datto_uid AS uid, company_account_number AS account, hostname, datto_site_uid AS site, backup_bytes AS backup, suspended, removed_at IS NULL AS served FROM assets WHERE id = " + id)
}

func assetLine(uid, account, hostname, site, backup string, suspended, served int) string {
	return fmt.Sprintf("uid=%s account=%s hostname=%s site=%s backup=%s suspended=%d served=%d", uid, account, hostname, site, backup, suspended, served)
}

func (h *hub) assetID(uid string) string {
	h.t.Helper()
	return h.value("SELECT id FROM assets WHERE datto_uid = $1", uid)
}

func TestAMachineKeepsItsIDWhateverBecomesOfIt(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		one, other := number(all[1]), number(all[2])
		site, pc := h.yard(all[1], 14)
		second, otherSite := h.world.AddSite("Second", one), h.world.AddSite("Other", other)
		nobodys := h.world.AddSite("Nobody's", "")
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		ids := make([]string, len(pc))
		for i, uid := range pc {
			ids[i] = h.assetID(uid)
		}
		h.pass(24 * time.Hour)
		reimaged, err := h.world.ReimageDevice(pc[6])
		h.must(err,
			h.world.RemoveDevice(pc[0]), h.world.DeleteDevice(pc[1]), h.world.EditDevice(pc[2], func(d *simulator.Device) { d.Deleted = new(true) }),
			h.world.MoveDevice(pc[3], second), h.world.MoveDevice(pc[4], otherSite), h.world.MoveDevice(pc[5], nobodys),
			h.world.SuspendDevice(pc[7], true), h.world.EditDevice(pc[8], func(d *simulator.Device) { d.UDF = nil }), h.world.SetUDF(pc[9], 6, "n/a"),
			h.world.SetUDF(pc[10], 6, nil), h.world.RenameDevice(pc[11], "RENAMED"), h.world.EditDevice(pc[12], func(d *simulator.Device) { d.Hostname = nil }),
			h.world.RenameDevice(pc[13], "pc-9"))
		counts := h.sync(codex.FeedDatto)
		h.countOf(counts, "assets", 0, 8, 4)
		want := []string{
			assetLine(pc[0], one, "PC-0", site, "1000", 0, 0), assetLine(pc[1], one, "PC-1", site, "1001", 0, 0), assetLine(pc[2], one, "PC-2", site, "1002", 0, 0),
			assetLine(pc[3], one, "PC-3", second, "1003", 0, 1), assetLine(pc[4], other, "PC-4", otherSite, "1004", 0, 1), assetLine(pc[5], one, "PC-5", site, "1005", 0, 0),
			assetLine(reimaged, one, "PC-6", site, "1006", 0, 1), assetLine(pc[7], one, "PC-7", site, "1007", 1, 1), assetLine(pc[8], one, "PC-8", site, "1008", 0, 1),
			assetLine(pc[9], one, "PC-9", site, "null", 0, 1), assetLine(pc[10], one, "PC-10", site, "null", 0, 1), assetLine(pc[11], one, "RENAMED", site, "1011", 0, 1),
			assetLine(pc[12], one, "PC-12", site, "1012", 0, 1), assetLine(pc[13], one, "pc-9", site, "1013", 0, 1),
		}
		for i, id := range ids {
			if got := h.asset(id); got != want[i] {
				t.Errorf("machine %d:\ngot  %s\nwant %s", i, got, want[i])
			}
		}
		twin := pc[9] // the later one of the two that are called PC-9
		if len(ids[13]) > len(ids[9]) || len(ids[13]) == len(ids[9]) && ids[13] > ids[9] {
			twin = pc[13]
		}
		issues := []string{"backup_no_number " + pc[9], "device_without_hostname " + pc[12], "probable_duplicate " + twin, "reimaged " + reimaged, "site_without_account " + nobodys, "udf_not_told " + pc[8]}
		if got := h.issues(codex.FeedDatto); !slices.Equal(got, issues) {
			t.Errorf("issues\n%v, want\n%v", got, issues)
		}
		h.is("SELECT count(*) AS n FROM assets_history WHERE asset_id = "+ids[11]+" AND seen_to IS NULL", "n=1")
		h.is("SELECT count(*) AS n FROM backup_readings WHERE asset_id = "+ids[9], "n=2")
		h.is("SELECT count(*) AS n FROM backup_readings WHERE asset_id = "+ids[8], "n=1")

		h.pass(time.Hour)
		h.must(h.world.MoveDevice(pc[5], site)) // back at a customer's: it has the id that it had
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 1, 0)
		if got, want := h.asset(ids[5]), assetLine(pc[5], one, "PC-5", site, "1005", 0, 1); got != want {
			t.Errorf("back again:\ngot  %s\nwant %s", got, want)
		}
	})
}

func TestAMachineIsLinkedToTheOneContactWhomItsLastUserNames(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		contoso := h.customers()[0]
		_, pc := h.yard(contoso, 2)
		h.must(h.world.EditDevice(pc[0], func(d *simulator.Device) { d.LastLoggedInUser = new(`CONTOSO\ANA`) }))
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		linked := "SELECT c.email, l.source FROM asset_contact_link l JOIN contacts c ON c.id = l.contact_id WHERE l.asset_id = "
		h.is(linked+h.assetID(pc[0]), "email=ana@contoso.example source=last_user")
		_, err := h.db.SQL().ExecContext(t.Context(), "INSERT INTO asset_contact_link (asset_id, contact_id, source) SELECT $1, id, 'manual' FROM contacts WHERE email = 'ana@contoso.example'", h.assetID(pc[1]))
		h.must(err, h.world.EditDevice(pc[0], func(d *simulator.Device) { d.LastLoggedInUser = new("nobody") }))
		h.countOf(h.sync(codex.FeedDatto), "asset_links", 0, 0, 1)
		h.is(linked+h.assetID(pc[0]), "")
		h.is(linked+h.assetID(pc[1]), "email=ana@contoso.example source=manual")
	})
}

func TestASiteThatIsNobodysAnyMoreKeepsItsMachines(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		lost, pc := h.yard(all[1], 3)
		masked, _ := h.yard(all[1], 3)
		unknown, _ := h.yard(all[2], 3)
		moved, _ := h.yard(all[2], 3)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		before := h.dump("SELECT * FROM assets")
		h.must(h.world.RemoveVariable(lost, "AccountNumber"), h.world.SetVariable(masked, "AccountNumber", "*****", true), h.world.SetVariable(unknown, "AccountNumber", "000999", false))
		late, err := h.world.AddDevice(unknown, "LATE", nil)
		h.must(err)
		counts := h.sync(codex.FeedDatto)
		h.countOf(counts, "assets", 0, 0, 0)
		h.countOf(counts, "sites", 0, 0, 0)
		if h.dump("SELECT * FROM assets") != before {
			t.Error("machines changed")
		}
		issues := h.issues(codex.FeedDatto)
		for _, want := range []string{"site_without_account " + lost, "site_without_account " + masked, "device_without_company " + late} {
			if !slices.Contains(issues, want) {
				t.Errorf("no issue %s among %v", want, issues)
			}
		}
		h.must(h.world.RemoveDevice(pc[0])) // what vanishes there stays too
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 0, 0)

		h.must(h.world.SetVariable(moved, "AccountNumber", number(all[1]), false)) // the whole site goes to another company
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 3, 0)
		h.is("SELECT DISTINCT company_account_number AS account FROM assets WHERE datto_site_uid = '"+moved+"'", "account="+number(all[1]))

		h.must(h.world.SetVariable(lost, "AccountNumber", number(all[1]), false))
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 0, 1)
	})
}

func TestASiteThatCannotBeReadKeepsItsMachinesAndTheRunIsPartial(t *testing.T) {
	short := func(body []byte) []byte {
		return []byte(strings.Replace(string(body), `"totalCount":`, `"totalCount":9`, 1))
	}
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		bad, pc := h.yard(all[1], 4)
		_, fine := h.yard(all[2], 4)
		untold := func(d *simulator.Device) { d.UDF = nil }
		pc3 := pc[3]
		h.must(h.world.EditDevice(pc3, untold), h.world.EditDevice(fine[3], untold))
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		h.must(h.world.SetUDF(fine[3], 6, "5"), h.world.SetUDF(pc3, 6, "5"))
		for _, test := range []struct {
			name   string
			faults map[string]simulator.Fault
			unread bool // bad is named by an issue
			fresh  bool // a new machine at the bad site is served
		}{
			{"its variables fail", map[string]simulator.Fault{"/api/v2/site/" + bad + "/variables": failing()}, true, false},
			{"its devices fail, all sites read one by one", map[string]simulator.Fault{"/api/v2/account/devices": failing(), "/api/v2/site/" + bad + "/devices": failing()}, true, false},
			{"both lists come short of their totals", map[string]simulator.Fault{"/api/v2/account/devices": {Kind: simulator.FaultRewrite, Rewrite: short},
				"/api/v2/site/" + bad + "/devices": {Kind: simulator.FaultRewrite, Rewrite: short}}, true, true},
		} {
			h.must(h.world.RemoveDevice(pc[0]), h.world.RenameDevice(fine[1], "NEW-"+fmt.Sprint(len(test.faults))+test.name[:3]))
			added, err := h.world.AddDevice(bad, "ADDED", nil)
			h.must(err)
			for path, fault := range test.faults {
				h.fault(simulator.Datto, path, fault)
			}
			old := h.asset(h.assetID(pc[0]))
			run := h.run(syncers.Request{Feed: codex.FeedDatto})
			if run.State != codex.RunPartial {
				t.Errorf("%s: the run is %s", test.name, run.State)
			}
			if got := h.asset(h.assetID(pc[0])); got != old {
				t.Errorf("%s: a machine that may be there changed: %s", test.name, got)
			}
			if h.value("SELECT count(*) FROM assets WHERE hostname LIKE 'NEW-%"+test.name[:3]+"'") != "1" {
				t.Errorf("%s: another site's rename was not taken", test.name)
			}
			if got := slices.Contains(h.issues(codex.FeedDatto), "udf_not_told "+pc3); got == test.fresh {
				t.Errorf("%s: an issue at the site that was not read is open: %t", test.name, got)
			}
			if slices.Contains(h.issues(codex.FeedDatto), "udf_not_told "+fine[3]) {
				t.Errorf("%s: what is settled at another site stays open", test.name)
			}
			if got := slices.Contains(h.issues(codex.FeedDatto), "site_unread "+bad); got != test.unread {
				t.Errorf("%s: issue of the site: %t", test.name, got)
			}
			if got := h.value("SELECT count(*) FROM assets WHERE datto_uid = $1", added); (got == "1") != test.fresh {
				t.Errorf("%s: a new machine of the site is served: %s", test.name, got)
			}
			h.world.ClearFaults()
			h.sync(codex.FeedDatto)
			if got := h.issues(codex.FeedDatto); slices.Contains(got, "site_unread "+bad) {
				t.Errorf("%s: the issue stays open", test.name)
			}
			h.must(h.world.RemoveDevice(added), h.world.EditDevice(pc3, untold))
			h.sync(codex.FeedDatto)
			h.must(h.world.SetUDF(pc3, 6, "5"))
			pc = pc[1:]
		}
		h.sync(codex.FeedDatto)
		h.checkPeopleAndMachines()
	})
}

func TestTheListOfAllDevicesMayFailWhereEachSiteAnswers(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		_, pc := h.yard(h.customers()[1], 3)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		h.must(h.world.RemoveDevice(pc[0]))
		h.fault(simulator.Datto, "/api/v2/account/devices", failing())
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 0, 1)
		h.world.ClearFaults()
		h.checkPeopleAndMachines()
	})
}

func TestASiteThatIsEmptiedIsHeldAndTheRestApplies(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		site, pc := h.yard(all[1], 12)
		target := h.world.AddSite("Target", number(all[2]))
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		ids := make([]string, len(pc))
		for i, uid := range pc {
			ids[i] = h.assetID(uid)
		}
		for _, uid := range pc[:6] {
			h.must(h.world.RemoveDevice(uid))
		}
		for _, uid := range pc[6:11] { // moves to another company count as leaving
			h.must(h.world.MoveDevice(uid, target))
		}
		h.must(h.world.RenameDevice(pc[11], "RENAMED"), h.world.RenameDevice(pc[10], "MOVER"))
		added, err := h.world.AddDevice(target, "ADDED", nil)
		h.must(err)
		run := h.run(syncers.Request{Feed: codex.FeedDatto})
		h.expect(run, codex.RunHeld)
		for _, c := range h.counts(run) {
			if c.Entity == "assets" && (c.Created != 1 || c.Updated != 2 || c.Removed != 0 || c.Held != 11) {
				t.Errorf("%+v", c)
			}
		}
		if got, want := h.asset(ids[10]), assetLine(pc[10], number(all[1]), "MOVER", site, "1010", 0, 1); got != want {
			t.Errorf("a held one follows in all but its place:\ngot  %s\nwant %s", got, want)
		}
		if h.value("SELECT count(*) FROM assets WHERE datto_uid = $1 AND removed_at IS NULL", added) != "1" {
			t.Error("a new machine waits for what is held")
		}
		forced := h.run(syncers.Request{Feed: codex.FeedDatto, Force: true})
		h.expect(forced, codex.RunSucceeded)
		h.is("SELECT count(*) AS n FROM assets WHERE removed_at IS NOT NULL", "n=6")
		h.is("SELECT count(*) AS n FROM assets WHERE datto_site_uid = '"+target+"'", "n=6")
		h.checkPeopleAndMachines()
	})
}

func TestAReimagedMachineWaitsWhileItsOldSelfCannotBeAskedFor(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		_, pc := h.yard(h.customers()[1], 3)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		id := h.assetID(pc[0])
		fresh, err := h.world.ReimageDevice(pc[0])
		h.must(err)
		h.fault(simulator.Datto, "/api/v2/device/"+pc[0], failing())
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunPartial)
		h.is("SELECT count(*) AS n FROM assets WHERE datto_uid = '"+fresh+"'", "n=0")
		h.world.ClearFaults()
		h.countOf(h.sync(codex.FeedDatto), "assets", 0, 1, 0)
		if got := h.assetID(fresh); got != id {
			t.Errorf("it has the id %s, and had %s", got, id)
		}
	})
}

func TestASiteThatVanishesTakesItsMachinesAfterEachWasAskedFor(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		site, pc := h.yard(h.customers()[1], 3)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		h.must(h.world.RemoveSite(site))
		h.world.ForgetRequests()
		counts := h.sync(codex.FeedDatto)
		h.countOf(counts, "assets", 0, 0, 3)
		h.countOf(counts, "sites", 0, 0, 1)
		for _, uid := range pc {
			if n := h.world.CountRequests(simulator.Datto, "/api/v2/device/"+uid); n != 1 {
				t.Errorf("%s was asked for %d times", uid, n)
			}
		}
	})
}

func TestADeviceThatCannotBeDecodedIsThere(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		_, pc := h.yard(h.customers()[1], 2)
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		before := h.data()
		h.world.Distort(simulator.EntityDevice, pc[0], func(r map[string]any) { r["lastSeen"] = "yesterday" })
		h.sync(codex.FeedDatto)
		if h.data() != before {
			t.Error("rows changed")
		}
		if got := h.issues(codex.FeedDatto); !slices.Contains(got, "bad_record "+pc[0]) {
			t.Errorf("issues %v", got)
		}
	})
}
