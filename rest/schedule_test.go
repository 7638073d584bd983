package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// jobID is the id of a job of [fillJobs].
func jobID(n string) codex.RunID { return codex.RunID("5a0c2d4e-0000-4000-8000-0000000000" + n) }

// fillJobs makes the schedule, and jobs of each way in which one may stand.
func fillJobs(ctx context.Context, client *ent.Client) error {
	began := time.Date(2025, 10, 1, 2, 0, 0, 0, time.UTC)
	if err := client.ScheduledSnapshot.Create().SetID(1).SetCreatedAt(began).SetUpdatedAt(began).SetOwedSince(began).
		SetLastRunAt(began.Add(90 * time.Second)).SetLastRunStatus("failed").SetLastRunCount(1).Exec(ctx); err != nil {
		return err
	}
	job := func(n string, state codex.JobState) *ent.SnapshotJobCreate {
		began = began.Add(time.Hour)
		return client.SnapshotJob.Create().SetID(jobID(n)).SetJobType(codex.JobBulk).SetTargetYear(2025).SetTargetMonth(9).
			SetState(state).SetStatus(state.Status()).SetTrigger(codex.TriggerAPI).SetTriggeredBy("ana <ana@example.com>").
			SetByPerson(false).SetStartedAt(began)
	}
	over := func(create *ent.SnapshotJobCreate, success bool, output string) *ent.SnapshotJobCreate {
		return create.SetSuccess(success).SetCompletedAt(began.Add(1500 * time.Millisecond)).SetOutput(output)
	}
	return client.SnapshotJob.CreateBulk(
		over(job("01", codex.JobCompleted), true, `{"success_count":2,"failed_count":0,"errors":[]}`).SetTotalCompanies(2).SetCompletedCompanies(2),
		over(job("02", codex.JobCompleted), false, `{"success_count":1,"failed_count":1,"errors":["183729: Ledger is <down>"]}`).
			SetTotalCompanies(2).SetCompletedCompanies(1).SetFailedCompanies(1),
		job("03", codex.JobCompleted).SetSuccess(true).SetCompletedAt(began), // of no company
		job("04", codex.JobBlocked).SetJobType(codex.JobScheduled).SetSuccess(false).SetError("It waits for datto.").SetTriggeredBy("scheduler"),
		job("05", codex.JobRunning).SetTotalCompanies(3).SetCompletedCompanies(1),
	).Exec(ctx)
}

// silent is a Ledger that nobody asks.
type silent struct{ jobs.Ledger }

func (silent) Accept(context.Context, codex.Secret, codex.AccountNumber, codex.Period, string) (ledger.Accepted, error) {
	panic("these tests work on no job")
}

// monthly are jobs and the schedule of the monthly bills.
func monthly(t *testing.T, db *store.DB) (*jobs.Jobs, *scheduler.Scheduler) {
	t.Helper()
	s, err := scheduler.New(scheduler.Options{DB: db, Settings: scheduler.Settings{Zone: time.UTC, Crons: map[codex.Feed]string{
		codex.FeedFreshservice: "0 2 * * *", codex.FeedDatto: "0 3 * * *", codex.FeedTickets: "0 4 * * *",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return jobs.New(jobs.Options{DB: db, Ledger: silent{}}), s
}

func TestTheScheduleIsReadAndChangedAsDocumented(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		config := func() string { return ask(t, server, http.MethodGet, "/api/scheduler/config", codex.RoleAdmin).body }
		golden(t, "schedule", config())
		change := func(body string) response {
			return askSending(t, server, http.MethodPost, "/api/scheduler/config", codex.RoleAdmin, []byte(body))
		}
		before := config()
		for body, said := range map[string]string{
			``: "No data provided", `{}`: "No data provided", `null`: "No data provided", `[]`: "No data provided",
			`{"enabled": "yes"}`:                "enabled: give true or false",
			`{"hour": 24}`:                      "hour: ",
			`{"hour": 1.5}`:                     "hour: give a whole number",
			`{"hour": null}`:                    "hour: give a whole number",
			`{"day_of_month": 0}`:               "day_of_month: ",
			`{"day_of_month": "x"}`:             "day_of_month: give a whole number",
			`{"day_of_month": 1e300}`:           "day_of_month: give a whole number",
			`{"account_numbers": [1.5]}`:        "account_numbers: ",
			`{"account_numbers": ["404"]}`:      "account_numbers: ",
			`{"account_numbers": [true]}`:       "account_numbers[0]: give an account number",
			`{"account_numbers": "620547"}`:     "account_numbers: give a list of account numbers",
			`{"snapshot_all_companies": false}`: "account_numbers: ",
			`{"hour": 5, "day_of_month": 32}`:   "day_of_month: ",
		} {
			got := change(body)
			if got.status != 400 || !strings.HasPrefix(got.body, `{"error":"`+said) {
				t.Errorf("%s: %d %s, want 400 and %s", body, got.status, got.body, said)
			}
		}
		if now := config(); now != before {
			t.Errorf("what was refused changed it to %s", now)
		}
		expect(t, "a change", change(`{"hour": "5", "day_of_month": 31, "unknown": 1}`), 200, `{"message":"Scheduler configuration updated"}`+"\n")
		expect(t, "another", change(`{"enabled": false, "snapshot_previous_month": false, "snapshot_all_companies": false, "account_numbers": [620547]}`), 200,
			`{"message":"Scheduler configuration updated"}`+"\n")
		golden(t, "schedule_changed", config())
	})
}

func TestSnapshotJobsAreShownAsDocumented(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		get := func(path string) response { return ask(t, server, http.MethodGet, path, codex.RoleBilling) }
		golden(t, "snapshot_jobs", get("/api/scheduler/jobs").body)
		golden(t, "snapshot_jobs_page", get("/api/scheduler/jobs?limit=2&offset=1").body)
		for _, n := range []string{"01", "02", "03", "04", "05"} {
			golden(t, "snapshot_job_"+n, get("/api/scheduler/jobs/"+string(jobID(n))).body)
		}
		expect(t, "none", get("/api/scheduler/jobs?limit=0"), 200, `{"jobs":[]}`+"\n")
		expect(t, "unknown", get("/api/scheduler/jobs/x"), 404, `{"error":"Job not found"}`+"\n")
		expect(t, "bad", get("/api/scheduler/jobs?limit=x"), 400, `{"error":"limit: give a whole number from 0 to 2147483647"}`+"\n")
	})
}

func TestABulkJobIsStarted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		kept, schedule := monthly(t, db)
		o := options(t, db)
		o.Jobs, o.Schedule = kept, schedule
		server := serve(t, o)
		create := func(body string) response {
			return askSending(t, server, http.MethodPost, "/api/snapshots/bulk/create", codex.RoleAdmin, []byte(body))
		}
		for body, said := range map[string]string{
			``: "year and month are required", `{"year": 2025}`: "year and month are required", `{"year": 2025, "month": null}`: "year and month are required",
			`{"year": "x", "month": 9}`:                            "year: give a whole number",
			`{"year": 25, "month": 9}`:                             "year: ",
			`{"year": 2025, "month": 13}`:                          "month: ",
			`{"year": 2999, "month": 1}`:                           "month: 2999-01 lies ahead",
			`{"year": 2025, "month": 9, "account_numbers": []}`:    "account_numbers: ",
			`{"year": 2025, "month": 9, "account_numbers": "all"}`: "account_numbers: give a list of account numbers",
			`{"year": 2025, "month": 9, "account_numbers": [""]}`:  "account_numbers: ",
		} {
			got := create(body)
			if got.status != 400 || !strings.HasPrefix(got.body, `{"error":"`+said) {
				t.Errorf("%s: %d %s, want 400 and %s", body, got.status, got.body, said)
			}
		}
		for body, accounts := range map[string]*string{
			`{"year": 2025, "month": 9}`: nil, `{"year": "2025", "month": "9", "account_numbers": null}`: nil,
			`{"year": 2025, "month": 9, "account_numbers": ["620547", 183729]}`: new(`["620547","183729"]`),
		} {
			got := create(body)
			id, ours := strings.CutPrefix(got.body, `{"message":"Bulk snapshot job started","job_id":"`)
			id, ours2 := strings.CutSuffix(id, "\"}\n")
			if got.status != http.StatusAccepted || !ours || !ours2 {
				t.Fatalf("%s: %d %s", body, got.status, got.body)
			}
			row, err := kept.Job(t.Context(), codex.RunID(id))
			if err != nil || row.JobType != codex.JobBulk || row.TriggeredBy != "the admin" || row.State != codex.JobQueued ||
				row.ByPerson || (row.TargetAccountNumbers == nil) != (accounts == nil) || accounts != nil && *row.TargetAccountNumbers != *accounts {
				t.Errorf("%s: %+v, %v", body, row, err)
			}
		}
		o.Jobs = jobs.New(jobs.Options{DB: db})
		expect(t, "without a Ledger", askSending(t, serve(t, o), http.MethodPost, "/api/snapshots/bulk/create", codex.RoleAdmin, []byte(`{"year": 2025, "month": 9}`)),
			409, `{"error":"no Ledger is configured to ask for bills: set [services] ledger_url"}`+"\n")
	})
}

// Ledger may want the token of a person: it goes along with the job, which keeps it in memory.
func TestABulkJobOfAPersonHasTheirToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		asked := &asking{}
		handler := rest.NewHandler(rest.Options{DB: db, Jobs: asked})
		ctx := codex.WithPersonToken(codex.WithCaller(t.Context(), codex.Caller{Name: "ana", Role: codex.RoleAdmin}), "theirs")
		request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/snapshots/bulk/create", strings.NewReader(`{"year": 2025, "month": 9}`))
		handler.ServeHTTP(httptest.NewRecorder(), request)
		if asked.request.UserToken != "theirs" || asked.request.By.Name != "ana" {
			t.Errorf("asked was %+v", asked.request)
		}
	})
}

type asking struct {
	rest.Jobs
	request jobs.Request
}

func (a *asking) Start(_ context.Context, request jobs.Request) (*ent.SnapshotJob, error) {
	a.request = request
	return &ent.SnapshotJob{ID: "1"}, nil
}
