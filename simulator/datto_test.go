package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTokensAreGrantedToTheKeyByThePublicClient(t *testing.T) {
	h := start(t, small())
	form := func(grant, user, password string) url.Values {
		return url.Values{"grant_type": {grant}, "username": {user}, "password": {password}}
	}
	const encoded = "application/x-www-form-urlencoded"
	good := form("password", "demo-public", "demo-secret")
	for _, c := range []struct {
		name, client, secret, contentType string
		form                              url.Values
		status                            int
		body                              string
	}{
		{"a wrong secret", "public-client", "public", encoded, form("password", "demo-public", "no"), 400, `{"error":"invalid_grant","error_description":"Bad credentials"}`},
		{"a wrong key", "public-client", "public", encoded, form("password", "no", "demo-secret"), 400, `{"error":"invalid_grant","error_description":"Bad credentials"}`},
		{"blanks around the key", "public-client", "public", encoded, form("password", " demo-public", "demo-secret"), 400, `{"error":"invalid_grant","error_description":"Bad credentials"}`},
		{"another grant", "public-client", "public", encoded, form("client_credentials", "demo-public", "demo-secret"), 400, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type"}`},
		{"another client", "somebody", "public", encoded, good, 401, `{"error":"unauthorized","error_description":"Full authentication is required to access this resource"}`},
		{"no form", "public-client", "public", "application/json", good, 415, `{"error":"unsupported_media_type","error_description":"Content type is not supported"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := h.grant(c.client, c.secret, c.contentType, c.form); got.status != c.status || got.text != c.body {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.text, c.status, c.body)
			}
		})
	}
	granted := decode[map[string]any](t, h.grant("public-client", "public", encoded+"; charset=utf-8", good))
	if granted["token_type"] != "bearer" || granted["expires_in"] != 360000.0 || !strings.HasPrefix(granted["access_token"].(string), "eyJ") {
		t.Errorf("granted %v", granted)
	}
}

func TestATokenEnds(t *testing.T) {
	h := start(t, small())
	expect := func(when string, status int) {
		t.Helper()
		if got := h.rmm("/v2/system/pagination"); got.status != status {
			t.Errorf("%s: %d, want %d", when, got.status, status)
		}
	}
	expect("at once", 200)
	h.clock.advance(100*time.Hour - time.Second)
	expect("before its 100 hours are over", 200)
	h.clock.advance(time.Second)
	expect("after them", 401)
	h.token = ""
	expect("with a new one", 200)
	h.ExpireDattoTokens()
	expect("after the tokens were ended", 401)
	got := h.rmm("/v2/account/sites")
	want := `{"timestamp":` + itoa(h.clock.now().UnixMilli()) + `,"status":401,"error":"Unauthorized","path":"/v2/account/sites"}`
	if got.text != want {
		t.Errorf("got %s, want %s", got.text, want)
	}
}

func TestANewTokenLeavesTheOldOneGood(t *testing.T) {
	h := start(t, small())
	h.token = h.login()
	if other := h.login(); other == h.token {
		t.Error("two logins got one token")
	}
	if got := h.rmm("/v2/system/pagination"); got.status != 200 {
		t.Errorf("the old token: %d", got.status)
	}
}

func TestDattoPages(t *testing.T) {
	h := start(t, simulator.Options{Companies: -1, Assets: 600, Contacts: -1, Tickets: -1, Plain: true})
	type details struct {
		Count, TotalCount        int
		PrevPageURL, NextPageURL *string
	}
	page := func(n, size int) *string {
		return new(h.datto + "/api/v2/account/devices?max=" + strconv.Itoa(size) + "&page=" + strconv.Itoa(n))
	}
	for _, c := range []struct {
		name, query string
		want        details
	}{
		{"nothing said: 250 of page 0", "", details{250, 600, nil, page(1, 250)}},
		{"the second page", "?page=1", details{250, 600, page(0, 250), page(2, 250)}},
		{"the last page ends with a blank", "?page=2", details{100, 600, page(1, 250), new("")}},
		{"past the end", "?page=3", details{0, 600, page(2, 250), new("")}},
		{"more than 250 is cut to it", "?max=1000", details{250, 600, nil, page(1, 250)}},
		{"fewer", "?max=10&page=4", details{10, 600, page(3, 10), page(5, 10)}},
		{"other parameters are forgotten", "?max=10&deviceType=laptop", details{10, -1, nil, page(1, 10)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode[struct{ PageDetails details }](t, h.rmm("/v2/account/devices"+c.query)).PageDetails
			if c.want.TotalCount < 0 {
				c.want.TotalCount = got.TotalCount
			}
			if asJSON(t, got) != asJSON(t, c.want) {
				t.Errorf("got  %s\nwant %s", asJSON(t, got), asJSON(t, c.want))
			}
		})
	}
	sites := decode[struct{ PageDetails details }](t, h.rmm("/v2/account/sites")).PageDetails
	if sites.NextPageURL != nil {
		t.Errorf("the sites end with %q, not null", *sites.NextPageURL)
	}
	if n := len(everything[record](h, "/v2/account/devices?max=37", "devices")); n != 600 {
		t.Errorf("walked %d devices of 600", n)
	}
	for _, bad := range []string{"?page=-1", "?max=0", "?page=x"} {
		if got := h.rmm("/v2/account/devices" + bad); got.status != 400 {
			t.Errorf("%s: %d, want 400", bad, got.status)
		}
	}
}

func TestSitesTellTheirCustomerByAVariable(t *testing.T) {
	h := start(t, small())
	f := h.Fixtures()
	type variables struct{ Variables []simulator.Variable }
	account := func(uid string) any {
		for _, v := range decode[variables](t, h.rmm("/v2/site/"+uid+"/variables")).Variables {
			if v.Name == "AccountNumber" {
				return []any{*v.Value, v.Masked}
			}
		}
		return nil
	}
	for name, c := range map[string]struct{ uid, want string }{
		"Contoso's second":         {f.SiteSecondOfContoso, `["620547",false]`},
		"one without any variable": {f.SiteWithoutAccount, `null`},
		"a masked one":             {f.SiteMaskedAccount, `["*****",true]`},
		"one that nobody has":      {f.SiteUnknownAccount, `["000999",false]`},
		"the pseudo site":          {f.SiteDeletedDevices, `null`},
	} {
		if got := asJSON(t, account(c.uid)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	none := h.rmm("/v2/site/" + f.SiteWithoutAccount + "/variables")
	if want := `{"pageDetails":{"count":0,"totalCount":0,"prevPageUrl":null,"nextPageUrl":""},"variables":[]}`; none.status != 200 || none.text != want {
		t.Errorf("no variables: %d %s", none.status, none.text)
	}
	missing := h.rmm("/v2/site/x/variables")
	if want := `{"timestamp":` + itoa(h.clock.now().UnixMilli()) + `,"status":404,"error":"Not Found","path":"/v2/site/x/variables"}`; missing.status != 404 || missing.text != want {
		t.Errorf("no site: %d %s", missing.status, missing.text)
	}
}

func TestASiteIsShownBareAndListsItsDevices(t *testing.T) {
	h := start(t, small())
	type site struct {
		UID, Name     string
		DevicesStatus struct{ NumberOfDevices int }
	}
	listed := everything[site](h, "/v2/account/sites?max=3", "sites")
	devices := 0
	for _, want := range listed {
		if got := decode[site](t, h.rmm("/v2/site/"+want.UID)); got != want {
			t.Errorf("got %+v, listed %+v", got, want)
		}
		n := len(everything[record](h, "/v2/site/"+want.UID+"/devices", "devices"))
		if n != want.DevicesStatus.NumberOfDevices {
			t.Errorf("%s has %d devices and tells %d", want.Name, n, want.DevicesStatus.NumberOfDevices)
		}
		devices += n
	}
	if all := len(everything[record](h, "/v2/account/devices", "devices")); all != devices || all != len(h.Truth().Devices) {
		t.Errorf("the account has %d devices, its sites %d", all, devices)
	}
	like := everything[site](h, "/v2/account/sites?siteName=WAREhouse", "sites")
	if len(like) != 1 || like[0].Name != "Contoso Warehouse" {
		t.Errorf("siteName found %+v", like)
	}
}

func TestDevicesAreFoundByWhatTheyAreLike(t *testing.T) {
	h := start(t, small())
	count := func(query string) int {
		return len(everything[record](h, "/v2/account/devices?"+query, "devices"))
	}
	want := map[string]func(simulator.Device) bool{
		"hostname=contoso-l": func(d simulator.Device) bool {
			return d.Hostname != nil && strings.HasPrefix(*d.Hostname, "CONTOSO-L")
		},
		"deviceType=server": func(d simulator.Device) bool { return d.DeviceType != nil && *d.DeviceType.Category == "Server" },
		"operatingSystem=ubuntu": func(d simulator.Device) bool {
			return d.OperatingSystem != nil && strings.HasPrefix(*d.OperatingSystem, "Ubuntu")
		},
		"siteName=contoso": func(d simulator.Device) bool { return strings.HasPrefix(*d.SiteName, "Contoso") },
	}
	for query, fits := range want {
		fitting := len(slices.DeleteFunc(h.Truth().Devices, func(d simulator.Device) bool { return !fits(d) }))
		if got := count(query); got != fitting {
			t.Errorf("%s found %d, want %d", query, got, fitting)
		}
	}
	if got := h.rmm("/v2/account/devices?filterId=12"); got.status != http.StatusNotFound {
		t.Errorf("an unknown filter: %d", got.status)
	}
}

func TestADeviceIsShownByUIDAndByNumber(t *testing.T) {
	h := start(t, small())
	uid := h.Fixtures().DeviceDomainUser
	d, _ := h.Device(uid)
	byUID, byID := h.rmm("/v2/device/"+uid), h.rmm("/v2/device/id/"+itoa(d.ID))
	if byUID.status != 200 || byUID.text != byID.text || byUID.text != asJSON(t, d) {
		t.Errorf("by uid %s\nby id %s", byUID.text, byID.text)
	}
	if got := h.rmm("/v2/device/none"); got.status != 404 {
		t.Errorf("no device: %d", got.status)
	}
}

func TestTheStatusNeedsNoTokenAndWritesAreRefused(t *testing.T) {
	h := start(t, small())
	if got := h.do(h.request(http.MethodGet, h.datto+"/api/v2/system/status")); got.status != 200 {
		t.Errorf("the status without a token: %d", got.status)
	}
	r := h.request(http.MethodPost, h.datto+"/api/v2/account/sites")
	r.Header.Set("Authorization", "Bearer "+h.login())
	if got := h.do(r); got.status != http.StatusMethodNotAllowed {
		t.Errorf("a write: %d", got.status)
	}
	if got := h.do(h.request(http.MethodGet, h.datto+"/api/v2/account/sites")); got.status != 401 {
		t.Errorf("no token: %d", got.status)
	}
}
