package datto_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/wire"
)

func ptr[T any](value T) *T { return &value }

func millis(ms int64) *time.Time { return ptr(time.UnixMilli(ms).UTC()) }

func TestADeviceIsTakenWithAllThatItMayLack(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/devices", pages("devices",
		`{"id":9007199254740993,"uid":"c0a8e1de","siteId":118432,"siteUid":"6f1c2f0e","siteName":"Contoso HQ","deviceType":{"category":"Laptop","type":"Notebook"},
			"hostname":"CONTOSO-L01","intIpAddress":"10.0.0.21","extIpAddress":"203.0.113.9","operatingSystem":"Microsoft Windows 11 Pro",
			"lastLoggedInUser":"CONTOSO\\ana","domain":"contoso.local","cagVersion":"4.4.2279","description":"","a64Bit":true,"rebootRequired":null,
			"online":true,"suspended":false,"deleted":true,"lastSeen":1736937000000,"lastReboot":"1736850000000","lastAuditDate":"2025-01-15T10:30:00Z","creationDate":0,
			"udf":{"udf1":null,"udf4":"Administrator","udf6":1099511627776,"udf7":true,"udf300":""},"deviceClass":"device","portalUrl":"https://x/1","webRemoteUrl":"https://x/2",
			"warrantyDate":"2026-05-31","antivirus":{"antivirusProduct":"Windows Defender","antivirusStatus":"RunningAndUpToDate"},
			"patchManagement":{"patchStatus":"FullyPatched","patchesInstalled":210},"softwareStatus":null}`,
		`{"uid":"bare"}`,
		`{"uid":"nulls","id":null,"siteUid":null,"deviceType":null,"hostname":null,"online":null,"suspended":null,"deleted":null,"lastSeen":null,"udf":null,
			"antivirus":null,"patchManagement":null}`,
		`{"uid":"odd","antivirus":"none"}`,
		`{"hostname":"nameless"}`,
		`{"uid":"cleared","udf":{}}`,
	))
	list, err := account.client().AccountDevices(t.Context())
	want := wire.Listing[datto.Device]{
		Items: []datto.Device{
			{ID: 9007199254740993, UID: "c0a8e1de", SiteUID: "6f1c2f0e", SiteName: "Contoso HQ", Category: ptr("Laptop"),
				Hostname: "CONTOSO-L01", IntIPAddress: ptr("10.0.0.21"), ExtIPAddress: ptr("203.0.113.9"), OperatingSystem: ptr("Microsoft Windows 11 Pro"),
				LastLoggedInUser: ptr(`CONTOSO\ana`), Domain: ptr("contoso.local"), Description: ptr(""), Online: ptr(true), Deleted: true,
				LastSeen: millis(1736937000000), LastReboot: millis(1736850000000), LastAuditDate: ptr(time.Date(2025, 1, 15, 10, 30, 0, 0, time.UTC)),
				UDF:         datto.UDFs{1: "", 4: "Administrator", 6: "1099511627776", 7: "true", 300: ""},
				DeviceClass: ptr("device"), PortalURL: ptr("https://x/1"), WebRemoteURL: ptr("https://x/2"), WarrantyDate: ptr("2026-05-31"),
				AntivirusProduct: ptr("Windows Defender"), PatchStatus: ptr("FullyPatched")},
			{UID: "bare"},
			{UID: "nulls"},
			{UID: "cleared", UDF: datto.UDFs{}},
		},
		Bad: []wire.BadRecord{
			{ID: "odd", Index: 1, Reason: "antivirus: no object"},
			{ID: "", Index: 0, Reason: "uid: missing"},
		},
		Complete: true, Total: 6,
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got  %+v, %v\nwant %+v", list, err, want)
	}
}

func TestAFieldThatIsClearedDiffersFromOneThatIsNotTold(t *testing.T) {
	var nothing datto.UDFs
	fields := datto.UDFs{4: "", 6: "17"}
	for name, test := range map[string]struct {
		fields datto.UDFs
		number int
		value  string
		told   bool
	}{
		"no udf object": {nothing, 6, "", false}, "a missing one": {fields, 5, "", false},
		"a cleared one": {fields, 4, "", true}, "a value": {fields, 6, "17", true},
	} {
		if value, told := test.fields.Text(test.number); value != test.value || told != test.told {
			t.Errorf("%s: %q, told %v", name, value, told)
		}
	}
}

func TestUserDefinedFieldsNeverPrint(t *testing.T) {
	device := datto.Device{UID: "u1", UDF: datto.UDFs{9: "recovery-key"}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("device", slog.Any("udf", device.UDF))
	for _, text := range []string{
		fmt.Sprint(device.UDF), fmt.Sprintf("%v %+v %#v %s %q %x", device, device, device, device.UDF, device.UDF, device.UDF), log.String(),
	} {
		if strings.Contains(text, "recovery") || strings.Contains(text, fmt.Sprintf("%x", "recovery")) {
			t.Errorf("printed %s", text)
		}
	}
}

func TestTimesAreTakenInEachForm(t *testing.T) {
	for text, want := range map[string]string{
		"1736937000000":                 "2025-01-15T10:30:00Z",
		"1736937000123":                 "2025-01-15T10:30:00.123Z",
		"1736937000000.0":               "2025-01-15T10:30:00Z",
		"1.736937E12":                   "2025-01-15T10:30:00Z",
		"2025-01-15T10:30:00Z":          "2025-01-15T10:30:00Z",
		"2025-01-15T10:30:00.000+00:00": "2025-01-15T10:30:00Z",
		"2025-01-15T10:30:00.000+0000":  "2025-01-15T10:30:00Z",
		"0":                             "never",
		"-62135596800000":               "never",
		"0001-01-01T00:00:00Z":          "never",
		"NaN":                           "",
		"1e300":                         "",
		"yesterday":                     "",
	} {
		at, err := datto.ParseTime(text)
		got := at.Format(time.RFC3339Nano)
		if at.IsZero() {
			got = "never"
		}
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

func TestSitesAndTheirVariables(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/sites", pages("sites",
		`{"id":118432,"uid":"6f1c2f0e-5d7b-4a4e-9a53-1f3b7c2f9a10","accountUid":"abc00f00d","name":"Contoso HQ","description":null,"onDemand":false,
			"devicesStatus":{"numberOfDevices":42,"numberOfOnlineDevices":30},"portalUrl":"https://merlot.rmm.datto.com/site/118432"}`,
		`{"id":1,"uid":"deleted-devices","name":"Deleted Devices"}`))
	account.on("/v2/site/s1/variables", pages("variables",
		`{"id":5512,"name":"AccountNumber","value":" 620547 ","masked":false}`, `{"id":5513,"name":"Secret","value":"****","masked":true}`,
		`{"id":5514,"name":"Empty","value":null}`, `{"id":5515,"name":"Number","value":620547}`))
	client := account.client()
	sites, err := client.Sites(t.Context())
	want := []datto.Site{
		{ID: 118432, UID: "6f1c2f0e-5d7b-4a4e-9a53-1f3b7c2f9a10", AccountUID: "abc00f00d", Name: "Contoso HQ",
			PortalURL: ptr("https://merlot.rmm.datto.com/site/118432")},
		{ID: 1, UID: "deleted-devices", Name: "Deleted Devices"},
	}
	if err != nil || !reflect.DeepEqual(sites.Items, want) || sites.Items[0].Pseudo() || !sites.Items[1].Pseudo() {
		t.Errorf("got %+v, %v", sites, err)
	}
	variables, err := client.SiteVariables(t.Context(), "s1")
	wantVariables := []datto.Variable{
		{ID: 5512, Name: "AccountNumber", Value: ptr(" 620547 ")}, {ID: 5513, Name: "Secret", Masked: true}, {ID: 5514, Name: "Empty"},
		{ID: 5515, Name: "Number", Value: ptr("620547")},
	}
	if err != nil || !reflect.DeepEqual(variables.Items, wantVariables) {
		t.Errorf("got %+v, %v", variables, err)
	}
}

func TestSingleRecordsComeWithoutAWrapper(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/device/u1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"uid":"u1","siteUid":"s1","hostname":"L01","deleted":true}`)
	})
	account.on("/v2/site/s1", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"id":7,"uid":"s1","name":"HQ"}`) })
	device, err := account.client().Device(t.Context(), "u1")
	if err != nil || !reflect.DeepEqual(device, datto.Device{UID: "u1", SiteUID: "s1", Hostname: "L01", Deleted: true}) {
		t.Errorf("device: %+v, %v", device, err)
	}
	site, err := account.client().Site(t.Context(), "s1")
	if err != nil || !reflect.DeepEqual(site, datto.Site{ID: 7, UID: "s1", Name: "HQ"}) {
		t.Errorf("site: %+v, %v", site, err)
	}
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"1736937000000", "0", "-62135596800000", "2025-01-15T10:30:00Z", "1e400", "9223372036854775807", "-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := datto.ParseTime(text)
		if err != nil || at.IsZero() {
			return
		}
		if at.Year() < 1 || at.Year() > 9999 || at.Location() != time.UTC {
			t.Errorf("%q is %s", text, at)
		}
	})
}
