package datto_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/transport"
)

func TestAListIsReadAlongNextPageUrl(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/devices", pages("devices", devices(5)...))
	list, err := account.client().AccountDevices(t.Context())
	if err != nil || !list.Complete || list.Total != 5 || uids(list.Items) != "u1 u2 u3 u4 u5" {
		t.Errorf("got %s, complete %v of %d, %v", uids(list.Items), list.Complete, list.Total, err)
	}
	want := []string{"/v2/account/devices?max=250&page=0", "/v2/account/devices?max=250&page=1", "/v2/account/devices?max=250&page=2"}
	if got := account.requests(); !reflect.DeepEqual(got, want) {
		t.Errorf("asked %v", got)
	}
}

func TestAListIsCompleteWhenItsEndAndItsTotalWereReached(t *testing.T) {
	page := func(details, records string) string {
		return `{"pageDetails":` + details + `,"devices":[` + records + `]}`
	}
	for name, test := range map[string]struct {
		body     string
		uids     string
		complete bool
	}{
		"next is null":               {page(`{"totalCount":1,"nextPageUrl":null}`, `{"uid":"a"}`), "a", true},
		"next is empty":              {page(`{"totalCount":1,"nextPageUrl":""}`, `{"uid":"a"}`), "a", true},
		"next is absent":             {page(`{"totalCount":1}`, `{"uid":"a"}`), "a", true},
		"no total is told":           {page(`{"totalCount":null}`, `{"uid":"a"}`), "a", true},
		"no details at all":          {`{"devices":[{"uid":"a"}]}`, "a", true},
		"an odd record counts":       {page(`{"totalCount":2}`, `{"uid":"a"},{"uid":"b","hostname":[]}`), "a", true},
		"nothing, and so it is":      {page(`{"totalCount":0}`, ``), "", true},
		"fewer than the total":       {page(`{"totalCount":3}`, `{"uid":"a"},{"uid":"b"}`), "a b", false},
		"a repeated one counts once": {page(`{"totalCount":2}`, `{"uid":"a"},{"uid":"a"}`), "a", false},
		"nothing where there are":    {page(`{"totalCount":1249}`, ``), "", false},
		"it leads back to itself":    {page(`{"nextPageUrl":"http://HOST/x?page=0&max=250"}`, `{"uid":"a"}`), "a", false},
		"every page is the same":     {page(`{"nextPageUrl":"http://HOST/x?page=NEXT"}`, `{"uid":"a"}`), "a", false},
		"the first page told more":   {page(`{"totalCount":TOTAL,"nextPageUrl":"http://HOST/x?page=NEXT"}`, `{"uid":"aNEXT"}`), "a1 a2 a3", false},
	} {
		t.Run(name, func(t *testing.T) {
			account := newAccount(t)
			account.on("/v2/account/devices", func(w http.ResponseWriter, r *http.Request) {
				page := len(account.requests())
				text := strings.NewReplacer("HOST", r.Host, "NEXT", fmt.Sprint(page), "TOTAL", fmt.Sprint(5-page)).Replace(test.body)
				if page == 3 {
					text = strings.Replace(text, `,"nextPageUrl"`, `,"was"`, 1)
				}
				answer(w, 200, text)
			})
			list, err := account.client().AccountDevices(t.Context())
			if err != nil || uids(list.Items) != test.uids || list.Complete != test.complete {
				t.Errorf("got %q, complete %v, %v", uids(list.Items), list.Complete, err)
			}
			if asked := account.requests(); len(asked) > 3 {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

func TestANextPageOfAnotherOriginIsRefusedAndSeesNoToken(t *testing.T) {
	var met atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		met.Add(1)
		answer(w, 200, `{"devices":[]}`)
	}))
	defer elsewhere.Close()
	for _, next := range []string{elsewhere.URL + "/api/v2/account/devices?page=1", "https://merlot-api.centrastage.net/x?page=1", "//evil.example/x?page=1", "/x?page=1"} {
		account := newAccount(t)
		account.on("/v2/account/devices", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, fmt.Sprintf(`{"pageDetails":{"nextPageUrl":%q},"devices":[{"uid":"a"}]}`, next))
		})
		list, err := account.client().AccountDevices(t.Context())
		if !errors.Is(err, transport.ErrOtherOrigin) || list.Complete || len(account.requests()) != 1 || met.Load() != 0 {
			t.Errorf("%s: %+v, %v, %d requests elsewhere", next, list, err, met.Load())
		}
	}
}

func TestA200WithoutItsListIsAnErrorAndNeverEmpty(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/sites", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"pageDetails":{"count":0}}`) })
	account.on("/v2/device/u1", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `[]`) })
	if _, err := account.client().Sites(t.Context()); err == nil || len(account.requests()) != 5 {
		t.Errorf("sites: %v after %v", err, account.requests())
	}
	if _, err := account.client().Device(t.Context(), "u1"); err == nil {
		t.Error("a device that is an array was taken")
	}
}

func TestOneLoginServesAllCallsAndATokenThatExpiresInMidRunIsRenewedOnce(t *testing.T) {
	account := newAccount(t)
	var expired sync.Once
	account.on("/v2/site/{uid}/devices", func(w http.ResponseWriter, r *http.Request) {
		pages("devices", devices(3)...)(w, r)
		expired.Do(account.expire)
	})
	client := account.client()
	var all sync.WaitGroup
	for site := range 20 {
		all.Go(func() {
			list, err := client.SiteDevices(t.Context(), fmt.Sprintf("site-%d", site))
			if err != nil || len(list.Items) != 3 {
				t.Errorf("%d devices, %v", len(list.Items), err)
			}
		})
	}
	all.Wait()
	if account.logins != 2 {
		t.Errorf("%d logins", account.logins)
	}
}

func TestATokenThatIsRefusedAgainIsAnError(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/sites", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 401, `{"error":"invalid_token","error_description":"expired"}`)
	})
	_, err := account.client().Sites(t.Context())
	want := "listing sites: datto: /api/v2/account/sites: 401 Unauthorized: invalid_token: expired"
	if !transport.IsUnauthorized(err) || err.Error() != want || account.logins != 2 {
		t.Errorf("after %d logins: %v", account.logins, err)
	}
}

func TestWrongKeysAreToldWithoutBeingTold(t *testing.T) {
	account := newAccount(t)
	client := account.client(func(o *datto.Options) { o.SecretKey = "wrong" })
	_, err := client.RequestRate(t.Context())
	want := "reading the request rate: datto: /api/v2/system/request_rate: logging in: datto: /auth/oauth/token: 400 Bad Request: invalid_grant: Bad credentials"
	if !transport.IsUnauthorized(err) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, options := range []datto.Options{{BaseURL: account.server.URL, SecretKey: "x"}, {BaseURL: account.server.URL, PublicKey: "x", SecretKey: " "}} {
		if _, err := datto.New(options); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("half of the keys: %v", err)
		}
	}
}

func TestFiguresOfTheAccountAreReadBeforeTheFirstCallAndCarryItsUid(t *testing.T) {
	account := newAccount(t)
	client := account.client()
	meter := &transport.Meter{}
	ctx := transport.WithMeter(t.Context(), meter)
	rate, err := client.RequestRate(ctx)
	want := datto.RequestRate{AccountUID: "abc00f00d", Window: 60e9, Count: 1, Limit: 1000000, CutOffRatio: 0.9}
	if err != nil || rate != want {
		t.Errorf("got %+v, %v", rate, err)
	}
	account.on("/v2/account/sites", pages("sites"))
	if _, err := client.Sites(ctx); err != nil || meter.Stats().Requests != 3 { // login, figures, sites
		t.Errorf("%d requests, %v", meter.Stats().Requests, err)
	}
}

func TestAnUpstreamWithoutFiguresIsReadByTheDocumentedOnes(t *testing.T) {
	account := newAccount(t)
	account.rate = ""
	account.on("/v2/account/sites", pages("sites", `{"id":1,"uid":"s1"}`))
	list, err := account.client().Sites(t.Context())
	if err != nil || len(list.Items) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestA403After429sStopsEverything(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/sites", func(w http.ResponseWriter, _ *http.Request) {
		switch len(account.requests()) {
		case 1, 2:
			answer(w, 429, ``)
		default:
			answer(w, 403, ``)
		}
	})
	client := account.client()
	_, err := client.Sites(t.Context())
	if !errors.Is(err, transport.ErrBlocked) || len(account.requests()) != 3 {
		t.Errorf("after %d requests: %v", len(account.requests()), err)
	}
	if _, err := client.Sites(t.Context()); !errors.Is(err, transport.ErrBlocked) || len(account.requests()) != 3 {
		t.Errorf("the next call: %v after %d requests", err, len(account.requests()))
	}
}

func TestA403WithoutA429BeforeIsALackOfRights(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/account/sites", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 403, `{"timestamp":1781181715656,"status":403,"error":"Forbidden","path":"/v2/account/sites"}`)
	})
	_, err := account.client().Sites(t.Context())
	if want := "listing sites: datto: /api/v2/account/sites: 403 Forbidden: Forbidden"; err == nil || err.Error() != want || errors.Is(err, transport.ErrBlocked) {
		t.Errorf("got %v", err)
	}
}

func TestASiteWithoutVariablesDiffersFromOneThatIsNotThere(t *testing.T) {
	account := newAccount(t)
	account.on("/v2/site/s1/variables", pages("variables"))
	account.on("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 404, `{"timestamp":1781181715656,"status":404,"error":"Not Found","path":"/v2/site/x/variables"}`)
	})
	list, err := account.client().SiteVariables(t.Context(), "s1")
	if err != nil || !list.Complete || list.Seen() != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, missing := range []string{"s2", "../account", "a/b?c"} {
		if _, err := account.client().SiteVariables(t.Context(), missing); !transport.IsNotFound(err) {
			t.Errorf("%q: %v", missing, err)
		}
	}
}
