package syncers

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
)

func contosoSite() site {
	return site{Site: datto.Site{ID: 118, UID: "s1", Name: "Contoso HQ"}, Account: "620547", Placed: true}
}

func TestADeviceIsMappedFieldByField(t *testing.T) {
	d := datto.Device{
		ID: 981, UID: "u1", SiteUID: "s1", SiteName: "old name", Hostname: "PC-1", Description: new("d"), Category: new("Laptop"), DeviceClass: new("device"),
		OperatingSystem: new("Windows"), LastLoggedInUser: new(`C\ana`), Domain: new("contoso.local"), IntIPAddress: new("10.0.0.1"), ExtIPAddress: new("203.0.113.9"),
		AntivirusProduct: new("Defender"), PatchStatus: new("FullyPatched"), Online: new(true), Suspended: true, LastSeen: new(aMoment()), LastReboot: new(aMoment()),
		LastAuditDate: new(aMoment()), PortalURL: new("https://portal"), WebRemoteURL: new("javascript:alert(1)"), UDF: datto.UDFs{4: " Administrator ", 6: "1099511627776", 7: "Laptop"},
	}
	want := AssetRecord{
		Account: "620547", UID: some("u1"), Hostname: "PC-1", SiteUID: some("s1"), SiteName: some("Contoso HQ"), HardwareType: some("Laptop"), OperatingSystem: some("Windows"),
		DeviceType: some("Laptop"), Domain: some("contoso.local"), Suspended: true, BackupBytes: some(int64(1) << 40), DattoID: some(int64(981)), DeviceClass: some("device"),
		Description: some("d"), LastUser: some(`C\ana`), Antivirus: some("Defender"), ExtIP: some("203.0.113.9"), IntIP: some("10.0.0.1"), Online: some(true),
		LastSeen: some(aMoment()), LastReboot: some(aMoment()), LastAudit: some(aMoment()), PatchStatus: some("FullyPatched"), Administrators: some("Administrator"),
		PortalURL: some("https://portal"), backupTold: true, administratorsTold: true, deviceTypeTold: true,
	}
	got, issues := mapDevice(d, contosoSite(), udfNumbers{backup: 6, administrators: 4, deviceType: 7})
	if got != want || len(issues) != 0 {
		t.Errorf("got %+v\nwant %+v\nissues %v", got, want, issues)
	}
}

func TestAUDFThatIsNotToldIsNotCleared(t *testing.T) {
	current := AssetRecord{ID: 3, Account: "620547", UID: some("u1"), Hostname: "PC-1", BackupBytes: some(int64(5)), Administrators: some("a"), DeviceType: some("t")}
	tests := []struct {
		name    string
		udf     datto.UDFs
		backup  sql.Null[int64]
		admins  sql.Null[string]
		devices sql.Null[string]
		issues  []string
	}{
		{"no object at all", nil, current.BackupBytes, current.Administrators, current.DeviceType, []string{"udf_not_told u1"}},
		{"an object without these fields", datto.UDFs{1: "x"}, current.BackupBytes, current.Administrators, current.DeviceType, nil},
		{"cleared", datto.UDFs{4: "", 6: "", 7: " "}, sql.Null[int64]{}, sql.Null[string]{}, sql.Null[string]{}, nil},
		{"one of them told", datto.UDFs{6: "7"}, some(int64(7)), current.Administrators, current.DeviceType, nil},
		{"no number", datto.UDFs{6: "recovery-key-123"}, sql.Null[int64]{}, current.Administrators, current.DeviceType, []string{"backup_no_number u1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			record, issues := mapDevice(datto.Device{UID: "u1", Hostname: "PC-1", UDF: test.udf}, contosoSite(), udfNumbers{backup: 6, administrators: 4, deviceType: 7})
			got := assets().merged(current, record)
			if got.BackupBytes != test.backup || got.Administrators != test.admins || got.DeviceType != test.devices || got.ID != current.ID {
				t.Errorf("got %+v, %+v, %+v", got.BackupBytes, got.Administrators, got.DeviceType)
			}
			if keys := issueKeys(issues); !slices.Equal(keys, test.issues) && len(keys)+len(test.issues) > 0 {
				t.Errorf("issues %v, want %v", keys, test.issues)
			}
			for _, issue := range issues {
				if strings.Contains(issue.Reason, "recovery-key") {
					t.Errorf("an issue tells what a UDF holds: %s", issue.Reason)
				}
			}
		})
	}
}

func TestABackupSizeIsAnyDecimalNumberOfBytes(t *testing.T) {
	no := sql.Null[int64]{}
	tests := []struct {
		text string
		want sql.Null[int64]
		ok   bool
	}{
		{"", no, true}, {"  ", no, true}, {"0", some(int64(0)), true}, {" 1099511627776 ", some(int64(1) << 40), true}, {"12.9", some(int64(12)), true},
		{"1e3", some(int64(1000)), true}, {"9223372036854775807", some(int64(9223372036854775807)), true}, {"9223372036854775808", no, false}, {"-1", no, false},
		{"-0.5", no, false}, {"n/a", no, false}, {"1 TB", no, false}, {"0x10", no, false}, {"1_000", no, false}, {"NaN", no, false}, {"inf", no, false}, {"1e400", no, false},
	}
	for _, test := range tests {
		if got, ok := backupBytes(test.text); got != test.want || ok != test.ok {
			t.Errorf("%q is %+v, %t; want %+v, %t", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestOnlyHTTPSLinksAreKept(t *testing.T) {
	for link, kept := range map[string]bool{"https://merlot.rmm.datto.com/device/1": true, "http://x": false, "javascript:alert(1)": false, "HTTPS://x": false, "": false} {
		if got := httpsOnly(&link); got.Valid != kept {
			t.Errorf("%q: kept %t, want %t", link, got.Valid, kept)
		}
	}
	if httpsOnly(nil).Valid {
		t.Error("no link is kept as one")
	}
}

func TestASiteBelongsToTheCompanyThatItsVariableNames(t *testing.T) {
	variable := func(name string, value *string, masked bool) datto.Variable {
		return datto.Variable{Name: name, Value: value, Masked: masked}
	}
	tests := []struct {
		name      string
		variables []datto.Variable
		want      codex.AccountNumber
	}{
		{"none", nil, ""},
		{"another name", []datto.Variable{variable("accountnumber", new("1"), false)}, ""},
		{"blanks around it", []datto.Variable{variable("X", new("2"), false), variable("AccountNumber", new(" 1 "), false)}, "1"},
		{"blank", []datto.Variable{variable("AccountNumber", new("  "), false)}, ""},
		{"null", []datto.Variable{variable("AccountNumber", nil, false)}, ""},
		{"masked", []datto.Variable{variable("AccountNumber", new("*****"), true)}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := accountOf(test.variables, "AccountNumber"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSitesArePlaced(t *testing.T) {
	guid := func(n int) string { return fmt.Sprintf("6f1c2f0e-5d7b-4a4e-9a53-%012d", n) }
	at := func(n int, account codex.AccountNumber, err error) site {
		return site{Site: datto.Site{ID: int64(n), UID: guid(n), Name: "S"}, Account: account, Unread: err}
	}
	list := []site{at(1, "A", nil), at(2, "", nil), at(3, "unknown", nil), at(4, "", codex.Errorf(codex.CodeUnavailable, "x")), {Site: datto.Site{UID: "DELETED"}, Account: "A"}}
	records, placed, issues := placeSites(list, map[codex.AccountNumber]bool{"A": true}, "AccountNumber")
	if want := []SiteRecord{{Account: "A", UID: guid(1), Name: "S", DattoID: some(int64(1))}}; !slices.Equal(records, want) {
		t.Errorf("records %+v, want %+v", records, want)
	}
	if len(placed) != 4 || !placed[guid(1)].Placed || placed[guid(3)].Placed {
		t.Errorf("placed %+v", placed)
	}
	if want := []string{"site_unread " + guid(4), "site_without_account " + guid(2)}; !slices.Equal(issueKeys(issues), want) {
		t.Errorf("issues %v, want %v", issueKeys(issues), want)
	}
}
