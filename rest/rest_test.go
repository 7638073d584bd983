package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

func TestAnswersAreThoseOfTheContract(t *testing.T) {
	slash := url.PathEscape(string(slashed))
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for _, tc := range []struct{ golden, path string }{
			{"companies", "/api/companies"},
			{"companies", "/api/companies?page=2&limit=1&unknown=parameter"},
			{"company", "/api/companies/620547"},
			{"company", "/api/company/620547"},
			{"company", "/api/companies/%36%32%30547"},
			{"company_of_nulls", "/api/companies/9"},
			{"company_with_a_slash", "/api/companies/" + slash},
			{"company_with_a_slash", "/api/company/" + slash},
			{"assets", "/api/companies/620547/assets"},
			{"assets_of_one_with_a_slash", "/api/companies/" + slash + "/assets"},
			{"contacts", "/api/companies/620547/contacts"},
			{"contacts", "/api/companies/620547/users"},
			{"locations", "/api/companies/620547/locations"},
			{"tickets", "/api/companies/620547/tickets"},
			{"tickets_of_2025", "/api/companies/620547/tickets?year=2025"},
			{"tickets_of_2024", "/api/companies/620547/tickets?year=2024"},
			{"tickets_of_2025", "/api/companies/620547/tickets?year=2025&year=2024"},
			{"tickets_of_2025", "/api/companies/620547/tickets?%zz=1&x=%zz&a;b&ye%61r=20%325"},
			{"nothing", "/api/companies/620547/tickets?year=1999"},
			{"nothing", "/api/companies/9/assets"},
			{"nothing", "/api/companies/9/contacts"},
			{"nothing", "/api/companies/9/users"},
			{"nothing", "/api/companies/9/locations"},
			{"nothing", "/api/companies/9/tickets"},
			{"bulk", "/api/companies/bulk"},
			{"bulk", "/api/companies/bulk?include_tickets=1"},
			{"bulk", "/api/companies/bulk?include_tickets=&year=2025"},
			{"bulk", "/api/companies/bulk?%zz&include_tickets=%zz"},
			{"bulk_with_tickets", "/api/companies/bulk?include_tickets=true"},
			{"bulk_with_tickets_of_2025", "/api/companies/bulk?include_tickets=TRUE&year=2025"},
			{"job_succeeded", "/sync/status/" + string(runID("01"))},
			{"job_partial", "/sync/status/" + string(runID("02"))},
			{"job_held", "/sync/status/" + string(runID("03"))},
			{"job_failed", "/sync/status/" + string(runID("04"))},
			{"job_cancelled", "/sync/status/" + string(runID("05"))},
			{"job_interrupted", "/sync/status/" + string(runID("06"))},
			{"job_dry", "/sync/status/" + string(runID("07"))},
			{"job_running", "/sync/status/" + string(runID("08"))},
			{"job_queued", "/sync/status/" + string(runID("09"))},
			{"job_partial", "/sync/last/freshservice"},
			{"job_interrupted", "/sync/last/datto"},
			{"last_job_queued", "/sync/last/tickets"},
			{"plans", "/billing-plans/api/plans"},
			{"plan", "/billing-plans/api/plans/Gold/1%20Year"},
			{"plan_with_a_slash", "/billing-plans/api/plans/" + planSlashed + "/Month%20to%20Month"},
			{"feature_options", "/billing-plans/api/feature-options"},
			{"feature_categories", "/billing-plans/api/feature-categories"},
			{"plans_in_bulk", "/billing-plans/api/bulk-plans"},
			{"plans_before", "/api/billing-plans"},
			{"plans_before", "/api/billing-plans?plan_name=&term_length="},
			{"plans_before_gold", "/api/billing-plans?plan_name=Gold"},
			{"plans_before_one", "/api/billing-plans?plan_name=Gold&term_length=1+Year&x=y"},
			{"nothing", "/api/billing-plans?plan_name=gold"},
			{"nothing", "/api/billing-plans?plan_name=Gold&term_length=1%20Year%20"},
		} {
			t.Run(tc.golden+" "+tc.path, func(t *testing.T) {
				got := ask(t, server, http.MethodGet, tc.path, codex.RoleService)
				if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
					t.Errorf("%d, %s", got.status, got.header.Get("Content-Type"))
				}
				if !json.Valid([]byte(got.body)) {
					t.Error("no JSON")
				}
				golden(t, tc.golden, got.body)
				head := ask(t, server, http.MethodHead, tc.path, codex.RoleService)
				if head.status != http.StatusOK || head.body != "" {
					t.Errorf("HEAD: %d %q", head.status, head.body)
				}
			})
		}
	})
}

func TestAnEmptyHubAnswersEmptyLists(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		for _, path := range []string{"/api/companies", "/api/companies/bulk", "/api/companies/bulk?include_tickets=true"} {
			expect(t, path, ask(t, server, http.MethodGet, path, codex.RoleBilling), http.StatusOK, "[]\n")
		}
	})
}

func TestSeedKeysOnlyLeavesTheLaterKeysOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		o := options(t, db)
		o.SeedKeysOnly = true
		server := serve(t, o)
		golden(t, "company_of_the_seed", ask(t, server, http.MethodGet, "/api/companies/620547", codex.RoleService).body)
		golden(t, "companies_of_the_seed", ask(t, server, http.MethodGet, "/api/companies", codex.RoleService).body)
		golden(t, "bulk_of_the_seed", ask(t, server, http.MethodGet, "/api/companies/bulk", codex.RoleService).body)
	})
}

func TestHoursThatAreNotBillableCanBeLeftOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		o := options(t, db)
		o.Rules.BillNonBillable = false
		golden(t, "tickets_billable", ask(t, serve(t, o), http.MethodGet, "/api/companies/620547/tickets", codex.RoleService).body)
	})
}

func TestTheDaysOfTicketsAreConfigured(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		o := options(t, db)
		o.TicketDays = 7
		expect(t, "of a week", ask(t, serve(t, o), http.MethodGet, "/api/companies/620547/tickets", codex.RoleService), http.StatusOK, "[]\n")
		o.TicketDays = 3650
		golden(t, "tickets_of_ten_years", ask(t, serve(t, o), http.MethodGet, "/api/companies/620547/tickets", codex.RoleService).body)
	})
}

func TestWhatIsWrongIsSaidAsTheContractHasIt(t *testing.T) {
	const (
		noCompany = `{"error":"Company not found"}` + "\n"
		noPath    = `{"error":"Not found"}` + "\n"
		noJob     = `{"error":"Job not found"}` + "\n"
		noSync    = `{"error":"No sync found for this script"}` + "\n"
		noMethod  = `{"error":"Method not allowed"}` + "\n"
		badYear   = `{"error":"year: give four digits, such as 2025"}` + "\n"
		badWait   = `{"success":false,"error":"wait: give true or false"}` + "\n"
		badFull   = `{"success":false,"error":"full: give true or false"}` + "\n"
		illYear   = `{"error":"year: the value is not well-formed"}` + "\n"
		illFull   = `{"success":false,"error":"full: the value is not well-formed"}` + "\n"
		illPlan   = `{"error":"plan_name: the value is not well-formed"}` + "\n"
	)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for _, tc := range []struct {
			method, path string
			status       int
			body, allow  string
		}{
			{"GET", "/api/companies/404", 404, noCompany, ""},
			{"GET", "/api/company/404", 404, noCompany, ""},
			{"GET", "/api/companies/404/assets", 404, noCompany, ""},
			{"GET", "/api/companies/404/contacts", 404, noCompany, ""},
			{"GET", "/api/companies/404/users", 404, noCompany, ""},
			{"GET", "/api/companies/404/locations", 404, noCompany, ""},
			{"GET", "/api/companies/404/tickets", 404, noCompany, ""},
			{"GET", "/api/companies/404/tickets?year=2025", 404, noCompany, ""},
			{"GET", "/api/companies/77", 404, noCompany, ""}, // archived
			{"GET", "/api/companies/77/assets", 404, noCompany, ""},
			{"GET", "/api/companies/%00", 404, noCompany, ""},
			{"GET", "/api/companies/%FF/assets", 404, noCompany, ""},
			{"GET", "/api/companies/%2E%2E", 404, noCompany, ""},
			{"GET", "/api/companies/" + strings.Repeat("9", 5000), 404, noCompany, ""},
			{"GET", "/api/companies/620547'%20OR%201=1--", 404, noCompany, ""},
			{"GET", "/api/companies/620547%20", 404, noCompany, ""},
			{"GET", "/api/companies/10/2", 404, noPath, ""}, // a slash that is not encoded
			{"GET", "/billing-plans/api/plans/gold/1%20Year", 404, `{"status":"error","message":"Plan not found: gold (1 Year)"}` + "\n", ""},
			{"GET", "/billing-plans/api/plans/Gold%20/1%20Year", 404, `{"status":"error","message":"Plan not found: Gold  (1 Year)"}` + "\n", ""},
			{"GET", "/billing-plans/api/plans/A%2FB/%00", 404, "{\"status\":\"error\",\"message\":\"Plan not found: A/B (\\u0000)\"}\n", ""},
			{"GET", "/billing-plans/api/plans/Gold", 404, noPath, ""},
			{"GET", "/billing-plans/api/plans/A/B/1%20Year", 404, noPath, ""}, // a slash that is not encoded
			{"GET", "/api/billing-plans?plan_name=%zz", 400, illPlan, ""},
			{"POST", "/billing-plans/api/plans", 405, noMethod, "GET, HEAD"},
			{"GET", "/", 404, noPath, ""},
			{"GET", "/api", 404, noPath, ""},
			{"GET", "/api/companies/", 404, noPath, ""},
			{"GET", "//api/companies", 404, noPath, ""},
			{"GET", "/api/companies//assets", 404, noPath, ""},
			{"GET", "/api/companies/620547/assets/", 404, noPath, ""},
			{"GET", "/api/companies/620547/devices", 404, noPath, ""},
			{"GET", "/API/companies", 404, noPath, ""},
			{"GET", "/api/public/user/theme", 404, noPath, ""},
			{"POST", "/sync/all", 404, noPath, ""},
			{"GET", "/sync/status/404", 404, noJob, ""},
			{"GET", "/sync/status/%00", 404, noJob, ""},
			{"GET", "/sync/status/" + string(runID("99")), 404, noJob, ""},
			{"GET", "/sync/last/all", 404, noSync, ""},
			{"GET", "/sync/last/%FF", 404, noSync, ""},
			{"POST", "/api/companies", 405, noMethod, "GET, HEAD"},
			{"DELETE", "/api/companies/620547", 405, noMethod, "GET, HEAD"},
			{"PUT", "/api/companies/bulk", 405, noMethod, "GET, HEAD"},
			{"OPTIONS", "/api/companies/620547/assets", 405, noMethod, "GET, HEAD"},
			{"GET", "/sync/datto", 405, noMethod, "POST"},
			{"HEAD", "/sync/datto", 405, "", "POST"},
			{"POST", "/sync/last/datto", 405, noMethod, "GET, HEAD"},
			{"GET", "/api/companies/620547/tickets?year=", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=abcd", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=0", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=0000", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=25", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=02025", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=-202", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=%2B202", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=2025%20", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=%D9%A2%D9%A0%D9%A2%D9%A5", 400, badYear, ""},
			{"GET", "/api/companies/404/tickets?year=abcd", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?year=%zz", 400, illYear, ""},
			{"GET", "/api/companies/bulk?include_tickets=true&year=abcd", 400, badYear, ""},
			{"GET", "/api/companies/bulk?year=99999", 400, badYear, ""},
			{"GET", "/api/companies/620547/tickets?%zz&x=%zz;y&year=abcd", 400, badYear, ""},
			{"GET", "/api/companies/bulk?year=%zz", 400, illYear, ""},
			{"GET", "/api/companies/404?%zz", 404, noCompany, ""},
			{"GET", "/sync/last/all?%zz", 404, noSync, ""},
			{"POST", "/sync/tickets?full=1", 400, badFull, ""},
			{"POST", "/sync/tickets?full=", 400, badFull, ""},
			{"POST", "/sync/datto?full=%zz", 400, illFull, ""},
			{"POST", "/sync/datto?wait=yes", 400, badWait, ""},
		} {
			got := ask(t, server, tc.method, tc.path, codex.RoleAdmin)
			expect(t, tc.method+" "+tc.path, got, tc.status, tc.body)
			if allow := got.header.Get("Allow"); allow != tc.allow {
				t.Errorf("%s %s: Allow %q, want %q", tc.method, tc.path, allow, tc.allow)
			}
		}
	})
}

// The matrix of roles is a golden file: a new path changes it, and the diff shows who may use it.
func TestEachPathAdmitsItsRolesAlone(t *testing.T) {
	roles := append(append([]codex.Role{""}, codex.TokenRoles()...), codex.RoleClient, "root")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		o := options(t, db)
		o.Sync = &starter{run: db.Ent().SyncRun.GetX(t.Context(), runID("08"))}
		server := serve(t, o)
		handIn(t, server, ledgerBill(t, "a"), 201)
		matrix := map[string]map[string]int{}
		example := strings.NewReplacer("{account_number}", "620547", "{job_id}", string(runID("08")), "{script}", "tickets", "{name}", "Gold", "{term}", "1%20Year", "{invoice_number}", "620547-202509")
		for _, request := range rest.Paths() {
			method, path, _ := strings.Cut(example.Replace(request), " ")
			matrix[request] = map[string]int{}
			for _, role := range roles {
				got := ask(t, server, method, path, role)
				name := string(role)
				if name == "" {
					name = "nobody"
				}
				matrix[request][name] = got.status
				switch got.status {
				case http.StatusUnauthorized:
					expect(t, request, got, 401, `{"error":"this needs a token"}`+"\n")
					if scheme := got.header.Get("WWW-Authenticate"); scheme != "Bearer" {
						t.Errorf("%s: WWW-Authenticate %q", request, scheme)
					}
				case http.StatusForbidden:
					if !strings.HasPrefix(got.body, `{"error":"this takes the role admin`) {
						t.Errorf("%s as %s: %s", request, role, got.body)
					}
				}
			}
		}
		text, err := json.MarshalIndent(matrix, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "roles", string(text)+"\n")
	})
}

func TestASyncIsStartedAsAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		queued := db.Ent().SyncRun.Query().Where(syncrun.ID(runID("09"))).OnlyX(t.Context())
		running := db.Ent().SyncRun.Query().Where(syncrun.ID(runID("08"))).OnlyX(t.Context())
		for _, tc := range []struct {
			path string
			role codex.Role
			run  *ent.SyncRun
			want syncers.Request
		}{
			{"/sync/freshservice", codex.RoleAdmin, running,
				syncers.Request{Feed: codex.FeedFreshservice, Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, By: "the admin"}},
			{"/sync/datto?full=true", codex.RoleService, running,
				syncers.Request{Feed: codex.FeedDatto, Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, By: "the service"}},
			{"/sync/tickets", codex.RoleAdmin, queued,
				syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, By: "the admin"}},
			{"/sync/tickets?full=false", codex.RoleAdmin, running,
				syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeIncremental, Trigger: codex.TriggerAPI, By: "the admin"}},
			{"/sync/tickets?full=true", codex.RoleAdmin, running,
				syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull, Trigger: codex.TriggerAPI, By: "the admin"}},
			{"/sync/tickets?%zz&Full=1&full=true", codex.RoleAdmin, running,
				syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull, Trigger: codex.TriggerAPI, By: "the admin"}},
		} {
			sync := &starter{run: tc.run}
			o := options(t, db)
			o.Sync = sync
			got := ask(t, serve(t, o), http.MethodPost, tc.path, tc.role)
			expect(t, tc.path, got, 200, fmt.Sprintf(`{"success":true,"job_id":"%s","message":"The sync of tickets is under way"}`+"\n", tc.run.ID))
			if len(sync.asked) != 1 || sync.asked[0] != tc.want {
				t.Errorf("%s asks for %+v", tc.path, sync.asked)
			}
		}
	})
}

func TestASyncThatWasJoinedSaysSo(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	fill(t, db)
	o := options(t, db)
	o.Sync = &starter{run: db.Ent().SyncRun.GetX(t.Context(), runID("08")), joins: true}
	expect(t, "joined", ask(t, serve(t, o), http.MethodPost, "/sync/tickets", codex.RoleService), 200,
		fmt.Sprintf(`{"success":true,"job_id":"%s","message":"The sync of tickets was under way already: this job is it"}`+"\n", runID("08")))
}

func TestNoPathForcesASync(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	for _, query := range []string{"force=true", "force=false", "force", "full=true&force=1"} {
		sync := &starter{}
		o := options(t, db)
		o.Sync = sync
		expect(t, query, ask(t, serve(t, o), http.MethodPost, "/sync/datto?"+query, codex.RoleAdmin), 400,
			`{"success":false,"error":"force: no path of REST does it; use codex sync --force, or the argument force of GraphQL's syncs"}`+"\n")
		if len(sync.asked) > 0 {
			t.Errorf("%s starts %+v", query, sync.asked)
		}
	}
}

func TestWhoWaitsForASyncHasItsJobWhenItHasEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		for _, file := range []string{"job_succeeded", "job_partial", "job_held", "job_failed", "job_cancelled", "job_interrupted"} {
			states := map[string]string{"job_succeeded": "01", "job_partial": "02", "job_held": "03", "job_failed": "04", "job_cancelled": "05", "job_interrupted": "06"}
			over := db.Ent().SyncRun.GetX(t.Context(), runID(states[file]))
			begun := *over
			begun.State, begun.EndedAt = codex.RunRunning, nil
			sync := &starter{run: &begun, ended: make(chan *ent.SyncRun)}
			o := options(t, db)
			o.Sync = sync
			server := serve(t, o)
			answered := make(chan response)
			go func() { answered <- ask(t, server, http.MethodPost, "/sync/datto?wait=true", codex.RoleService) }()
			select {
			case got := <-answered:
				t.Fatalf("answered before the end: %s", got.body)
			case sync.ended <- over:
			}
			got := <-answered
			golden(t, file, got.body)
			if got.status != http.StatusOK {
				t.Errorf("%s: status %d", file, got.status)
			}
		}
	})
}

func TestWhoGoesAwayWhileASyncWorksIsNotWaitedFor(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	fill(t, db)
	o := options(t, db)
	o.Sync = &starter{run: db.Ent().SyncRun.GetX(t.Context(), runID("08"))}
	gone, cancel := context.WithCancel(codex.WithCaller(t.Context(), codex.Caller{Name: "x", Role: codex.RoleAdmin}))
	cancel()
	w := httptest.NewRecorder()
	rest.NewHandler(o).ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodPost, "/sync/tickets?wait=true", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestASyncThatDoesNotStartIsA500(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, tc := range []struct {
			name string
			err  error
			body string
		}{
			{"a feed that is off", codex.BadInput("feed", "feed datto is off: section [datto] is missing"),
				`{"success":false,"error":"feed datto is off: section [datto] is missing"}`},
			{"a database that does not answer", codex.Wrap(codex.CodeUnavailable, fmt.Errorf("dial tcp 10.0.0.1"), "the database cannot be reached"),
				`{"success":false,"error":"Try again later"}`},
			{"a defect", fmt.Errorf("index out of range in /srv/codex"), `{"success":false,"error":"Internal error"}`},
		} {
			o := options(t, db)
			o.Sync = &starter{err: tc.err}
			expect(t, tc.name, ask(t, serve(t, o), http.MethodPost, "/sync/datto", codex.RoleAdmin), 500, tc.body+"\n")
		}
	})
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	for code, status := range map[codex.Code]int{
		"": 200, codex.CodeUnauthenticated: 401, codex.CodeForbidden: 403, codex.CodeBadInput: 400,
		codex.CodeNotFound: 404, codex.CodeConflict: 409, codex.CodeCostLimit: 400,
		codex.CodeNoHistory: 404, codex.CodePlanStale: 409, codex.CodeUnavailable: 503,
		codex.CodeTooManyRequests: 429,
		codex.CodeInternal:        500, "NEW": 500,
	} {
		if got := rest.Status(code); got != status {
			t.Errorf("Status(%q) = %d, want %d", code, got, status)
		}
	}
}

func TestACallerIsNeverToldTheCauseOfADefect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE locations RENAME TO places"); err != nil {
			t.Fatal(err)
		}
		const body = `{"error":"Internal error"}` + "\n"
		expect(t, "locations", ask(t, server, http.MethodGet, "/api/companies/620547/locations", codex.RoleAdmin), 500, body)
		expect(t, "bulk", ask(t, server, http.MethodGet, "/api/companies/bulk", codex.RoleAdmin), 500, body)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/api/companies", "/api/companies/620547", "/api/companies/bulk", "/sync/last/datto"} {
			if got := ask(t, server, http.MethodGet, path, codex.RoleAdmin); got.status < 500 || strings.Contains(got.body, "sql") {
				t.Errorf("%s with a closed database: %d %s", path, got.status, got.body)
			}
		}
	})
}
