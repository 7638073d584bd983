package simulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

func TestV3ShowsTheSameDevicesWithUDFsAsAList(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	uids := func(path string) []string {
		var list []string
		for _, d := range everything[struct{ UID string }](h, path, "devices") {
			list = append(list, d.UID)
		}
		return list
	}
	for _, path := range []string{"/account/devices?max=9", "/site/" + f.SiteSecondOfContoso + "/devices?max=2"} {
		if two, three := uids("/v2"+path), uids("/v3"+path); !slices.Equal(two, three) || len(three) == 0 {
			t.Errorf("%s: v2 lists %v, v3 lists %v", path, two, three)
		}
	}
	for uid, udfs := range map[string]int{f.DeviceDomainUser: 30, f.DeviceWith300UDFs: 300, f.DeviceWithoutUDFs: -1} {
		two := decode[map[string]json.RawMessage](t, h.rmm("/v2/device/"+uid))
		three := decode[map[string]json.RawMessage](t, h.rmm("/v3/device/"+uid))
		var list []simulator.UDFValue
		if raw, sent := three["udfs"]; sent != (udfs >= 0) {
			t.Errorf("%s sends udfs: %v", uid, sent)
		} else if sent {
			if err := json.Unmarshal(raw, &list); err != nil || len(list) != udfs {
				t.Errorf("%s has %d udfs, want %d: %v", uid, len(list), udfs, err)
			}
		}
		if _, sent := three["udf"]; sent {
			t.Errorf("%s sends udf in v3", uid)
		}
		delete(two, "udf")
		delete(three, "udfs")
		if asJSON(t, two) != asJSON(t, three) {
			t.Errorf("%s differs otherwise:\n%s\n%s", uid, asJSON(t, two), asJSON(t, three))
		}
	}
}

func TestV3ValuesStandUnderTheirType(t *testing.T) {
	h := start(t, small())
	uid := h.Fixtures().DeviceBackupNoText
	must(t, h.SetUDF(uid, 2, "text"))
	var list []json.RawMessage
	if err := json.Unmarshal(decode[map[string]json.RawMessage](t, h.rmm("/v3/device/"+uid))["udfs"], &list); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]string{
		0: `{"ordinal":1,"type":"String","label":"UDF 1","valueString":null,"valueNumber":null,"valueBoolean":null,"valueDate":null,"typeMisMatch":false}`,
		1: `{"ordinal":2,"type":"String","label":"UDF 2","valueString":"text","valueNumber":null,"valueBoolean":null,"valueDate":null,"typeMisMatch":false}`,
		3: `{"ordinal":4,"type":"Boolean","label":"UDF 4","valueString":null,"valueNumber":null,"valueBoolean":true,"valueDate":null,"typeMisMatch":false}`,
		5: `{"ordinal":6,"type":"Number","label":"UDF 6","valueString":null,"valueNumber":549755813888,"valueBoolean":null,"valueDate":null,"typeMisMatch":false}`,
	} {
		if string(list[at]) != want {
			t.Errorf("got  %s\nwant %s", list[at], want)
		}
	}
}

func TestV2MayLeaveTheUDFsOut(t *testing.T) {
	h := start(t, small())
	uid := h.Fixtures().DeviceDomainUser
	before := decode[map[string]json.RawMessage](t, h.rmm("/v2/device/"+uid))
	h.turn(func(sw *simulator.Switches) { sw.V2WithoutUDF = true })
	after := decode[map[string]json.RawMessage](t, h.rmm("/v2/device/"+uid))
	delete(before, "udf")
	if asJSON(t, before) != asJSON(t, after) {
		t.Errorf("got  %s\nwant %s", asJSON(t, after), asJSON(t, before))
	}
	for _, d := range everything[map[string]json.RawMessage](h, "/v2/account/devices", "devices") {
		if _, sent := d["udf"]; sent {
			t.Fatalf("device %s is listed with udf", d["uid"])
		}
	}
	if _, sent := decode[map[string]json.RawMessage](t, h.rmm("/v3/device/"+uid))["udfs"]; !sent {
		t.Error("v3 leaves them out too")
	}
}

func TestAuditsAndMACAddresses(t *testing.T) {
	h := start(t, small())
	uid := h.Fixtures().DeviceDomainUser
	audit := decode[struct {
		SystemInfo struct{ Username string }
		Nics       []struct{ MACAddress string }
	}](t, h.rmm("/v2/audit/device/"+uid))
	if audit.SystemInfo.Username != `CONTOSO\ana` || len(audit.Nics) != 1 {
		t.Fatalf("the audit is %+v", audit)
	}
	mac := strings.ToLower(strings.ReplaceAll(audit.Nics[0].MACAddress, ":", ""))
	if found := decode[[]struct{ UID string }](t, h.rmm("/v2/device/macAddress/"+mac)); len(found) != 1 || found[0].UID != uid {
		t.Errorf("by %s: %+v", mac, found)
	}
	if software := everything[struct{ Name string }](h, "/v2/audit/device/"+uid+"/software?max=1", "software"); len(software) < 2 {
		t.Errorf("the software is %+v", software)
	}
	printer, err := h.AddDevice(h.Fixtures().SiteSecondOfContoso, "PRINTER", func(d *simulator.Device) { d.DeviceClass = new("printer") })
	must(t, err)
	for path, want := range map[string]int{
		"/v2/audit/device/" + printer: http.StatusBadRequest, "/v2/audit/device/none": http.StatusNotFound,
		"/v2/device/macAddress/xyz": http.StatusBadRequest, "/v2/device/macAddress/000000000000": http.StatusOK,
		"/v3/device/none": http.StatusNotFound,
	} {
		if got := h.rmm(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	missing := h.rmm("/v3/site/x/devices")
	if want := `{"timestamp":` + itoa(h.clock.now().UnixMilli()) + `,"status":404,"error":"Not Found","path":"/v3/site/x/devices"}`; missing.text != want {
		t.Errorf("got %s, want %s", missing.text, want)
	}
}
