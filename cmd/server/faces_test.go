package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

// restPaths are all paths of the contract that answer with what was synced, for every company, and
// some that are refused.
func restPaths(t *testing.T, s *served, token string) []string {
	t.Helper()
	paths := []string{
		"/api/companies", "/api/companies/bulk", "/api/companies/bulk?include_tickets=true",
		"/api/companies/bulk?include_tickets=TRUE&year=2025", "/codex/api/companies", "/archive/api/companies",
		"/api/companies/none", "/api/companies/none/assets", "/api/companies/620547/tickets?year=25",
	}
	companies := into[[]struct {
		AccountNumber string `json:"account_number"`
	}](t, get(t, s.url+"/api/companies", token).body)
	if len(companies) < 5 {
		t.Fatalf("only %d companies", len(companies))
	}
	for _, c := range companies {
		one := "/api/companies/" + c.AccountNumber
		paths = append(paths, one, one+"/assets", one+"/contacts", one+"/users", one+"/locations",
			one+"/tickets", one+"/tickets?year=2025", one+"/tickets?year=2026", "/api/company/"+c.AccountNumber)
	}
	return paths
}

func TestTheSameSyncGivesByteIdenticalAnswersOnBothDatabases(t *testing.T) {
	upstream := simulate(t, testClock())
	answers := map[string]map[string]answer{}
	for _, dialectName := range storetest.Dialects() {
		i := bare(t)
		i.upstream = upstream
		i.configure(dialectName)
		i.must("sync", "all")
		s, token := i.serve(), i.token("service")
		answers[dialectName] = map[string]answer{}
		for _, path := range restPaths(t, s, token) {
			answers[dialectName][path] = get(t, s.url+path, token)
		}
	}
	onSQLite, onPostgres := answers[dialect.SQLite], answers[dialect.Postgres]
	if len(onSQLite) != len(onPostgres) {
		t.Errorf("%d paths on SQLite, %d on PostgreSQL", len(onSQLite), len(onPostgres))
	}
	for path, want := range onSQLite {
		if got := onPostgres[path]; got != want {
			t.Errorf("%s:\nSQLite     %d %s\nPostgreSQL %d %s", path, want.status, want.body, got.status, got.body)
		}
	}
}

func TestAHubConfiguredByTheDocumentedFileAnswersEveryPathWithTheDocumentedKeys(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	s, token := i.serve(), i.token("admin")
	list := func(keys string) string { return "[" + keys + "]" }
	tests := []struct{ path, shape string }{
		{"/api/companies", list(companyShape)},
		{"/api/companies/620547", companyShape},
		{"/api/company/620547", companyShape},
		{"/api/companies/620547/assets", list(assetShape)},
		{"/api/companies/620547/contacts", list(contactShape)},
		{"/api/companies/620547/users", list(contactShape)},
		{"/api/companies/620547/locations", list(locationShape)},
		{"/api/companies/620547/tickets", list(ticketShape)},
		{"/api/companies/620547/tickets?year=2025", list(ticketShape)},
		{"/api/companies/bulk", list(fmt.Sprintf("{company:%s assets:[%s] contacts:[%s] locations:[%s]}",
			companyShape, assetShape, contactShape, locationShape))},
		{"/api/companies/bulk?include_tickets=true", list(fmt.Sprintf("{company:%s assets:[%s] contacts:[%s] locations:[%s] tickets:[%s]}",
			companyShape, assetShape, contactShape, locationShape, ticketShape))},
		{"/sync/last/freshservice", jobShape},
		{"/sync/last/datto", jobShape},
		{"/sync/last/tickets", jobShape},
	}
	for _, base := range []string{s.url, s.url + "/codex", s.archive, s.archive + "/archive"} {
		for _, tt := range tests {
			got := get(t, base+tt.path, token)
			if got.status != http.StatusOK {
				t.Errorf("%s%s: %d %s", base, tt.path, got.status, got.body)
				continue
			}
			if err := fits(got.body, tt.shape); err != nil {
				t.Errorf("%s: %v", tt.path, err)
			}
		}
	}
	for _, feed := range []string{"freshservice", "datto", "tickets"} {
		started := send(t, http.MethodPost, s.url+"/codex/sync/"+feed, token, "")
		if err := fits(started.body, "{success:bool job_id:string message:string}"); err != nil || started.status != http.StatusOK {
			t.Errorf("POST /sync/%s: %d %s: %v", feed, started.status, started.body, err)
			continue
		}
		id := into[struct {
			JobID string `json:"job_id"`
		}](t, started.body).JobID
		job := get(t, s.url+"/sync/status/"+id, token)
		shape := jobShape
		if strings.Contains(job.body, "current_tickets") { // it still runs
			shape = strings.TrimSuffix(jobShape, "}") + " current_tickets:int}"
		}
		if err := fits(job.body, shape); err != nil || job.status != http.StatusOK {
			t.Errorf("/sync/status of %s: %d %s: %v", feed, job.status, job.body, err)
		}
	}
	for url, want := range map[string]answer{
		s.url + "/health":             {200, "{\"status\": \"ok\", \"service\": \"codex\"}\n"},
		s.archive + "/health":         {200, "{\"status\": \"ok\", \"service\": \"archive\"}\n"},
		s.url + "/archive/health":     {200, "{\"status\": \"ok\", \"service\": \"archive\"}\n"},
		s.url + "/api/companies/none": {404, "{\"error\":\"Company not found\"}\n"},
		s.url + "/sync/status/none":   {404, "{\"error\":\"Job not found\"}\n"},
		s.url + "/sync/last/none":     {404, "{\"error\":\"No sync found for this script\"}\n"},
	} {
		if got := get(t, url, token); got != want {
			t.Errorf("%s: %d %q, want %d %q", url, got.status, got.body, want.status, want.body)
		}
	}
}

// What the contract (docs/compatibility.md, "Codex REST") says of each object: keys in their order,
// and types.
const (
	companyShape = "{account_number:string name:string description:string? billing_plan:string profit_or_non_profit:string? " +
		"company_main_number:string? company_start_date:string? domains:string? phone_system:string? email_system:string? " +
		"contract_term_length:string? contract_start_date:string? contract_end_date:string? support_level:string? compliance_level:string}"
	assetShape = "{id:int hostname:string hardware_type:string? operating_system:string? device_type:string? " +
		"last_logged_in_user:string? antivirus_product:string? ext_ip_address:string? int_ip_address:string? domain:string? " +
		"online:bool? last_seen:string? backup_usage_tb:string? backup_data_bytes:int datto_uid:string?}"
	contactShape = "{id:int name:string email:string title:string? employment_type:string active:bool " +
		"mobile_phone_number:string? work_phone_number:string? secondary_emails:string?}"
	locationShape = "{id:int name:string address:string? phone_number:string?}"
	ticketShape   = "{ticket_id:int ticket_number:string subject:string description:string description_text:string " +
		"status:string priority:string requester_email:string? requester_name:string? created_at:string last_updated_at:string " +
		"closed_at:string? total_hours_spent:float conversations:[" + entryShape + "] notes:[" + entryShape + "]}"
	entryShape = "{id:int body:string? body_html:string? from_email:string? to_emails:[string] created_at:string updated_at:string? " +
		"incoming:bool private:bool user_id:int? support_email:string?}"
	jobShape = "{id:string script:string status:string started_at:string completed_at:string? output:string error:string? success:bool?}"
)

func TestTheTwoQuestionsThatEverybodyAsks(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	s, token := i.serve(), i.token("technician")

	one := s.graphQL(token, demoQuery(2025))
	if err := fits(one.body, "{data:{company:{name:string assets:[{id:string hostname:string online:bool? "+
		"backup:{bytes:string usageTb:number}? contacts:[{email:string}]}] assetsTotal:{count:int backupBytes:string} "+
		"contacts:[{id:string name:string email:string}] locations:[{name:string address:string?}] "+
		"tickets:[{ticketId:string subject:string hours:number}]}}}"); err != nil || one.status != http.StatusOK {
		t.Errorf("%d %v in %s", one.status, err, one.body)
	}
	type question struct {
		Data struct {
			Company struct {
				Name            string
				Assets, Tickets []any
				AssetsTotal     struct{ Count int }
			}
		}
	}
	company := into[question](t, one.body).Data.Company
	if company.Name != simulator.ContosoName || len(company.Assets) == 0 || len(company.Tickets) == 0 || company.AssetsTotal.Count != len(company.Assets) {
		t.Errorf("%s has %d assets (%d in total) and %d tickets", company.Name, len(company.Assets), company.AssetsTotal.Count, len(company.Tickets))
	}

	all := s.graphQL(token, `{ companies(first: 100) { totalCount nodes { accountNumber assets { hostname backup { bytes } } } pageInfo { hasNextPage endCursor } } }`)
	if err := fits(all.body, "{data:{companies:{totalCount:int nodes:[{accountNumber:string assets:[{hostname:string backup:{bytes:string}?}]}] "+
		"pageInfo:{hasNextPage:bool endCursor:string}}}}"); err != nil || all.status != http.StatusOK {
		t.Errorf("%d %v in %s", all.status, err, all.body)
	}
}
